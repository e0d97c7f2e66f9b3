"""policies/*.yaml and policies/tests/*.yaml: who sees which deal how sharply, and the tests of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from marshmallow import ValidationError, fields, validates_schema

from config.positions import Located, Path
from config.problems import validated
from config.words import (
    NAME,
    Condition,
    Inner,
    Line,
    Many,
    OneOf,
    Scalar,
    Table,
    Text,
    Whole,
    Words,
    kind_of,
    required,
    said,
)
from mapping.model import Place, Problem
from policies.model import LADDERS, PolicyFile, PolicyTest, Rule

RUNGS = tuple(dict.fromkeys(rung for ladder in LADDERS.values() for rung in ladder))
BASES = ("consent", "entrustment", "joint use", "opt-out", "contract", "legitimate interest", "other")
ROOTS = ("partner", "deal", "account", "share", "contacts")
_ALWAYS = required("write `when: always` for every situation")


class RuleWords(Words):
    """What every rule has."""

    name = Line(required=True, most=200)
    when = Condition(**_ALWAYS)
    tells_partner = Text()


class ShowWords(RuleWords):
    """A rule that raises."""

    named = Many(Text(metadata={"names": "field"}), one=True, data_key="fields", required=True)
    rung = OneOf("rung", RUNGS, data_key="as", **required("say how sharply, such as `exact` or `band`"))
    basis = OneOf("legal basis", BASES)


class LimitWords(RuleWords):
    """A rule that caps."""

    named = Many(Text(metadata={"names": "field"}), one=True, data_key="fields")
    classes = Many(Text(metadata={"names": "class"}), one=True)
    rung = OneOf("rung", RUNGS, data_key="at_most", **required("say how sharply at most, such as `hide`"))

    @validates_schema
    def limits_something(self, data: Any, **_: Any) -> None:
        """A limit names what it caps."""
        if "named" not in data and "classes" not in data:
            raise ValidationError([said("a limit needs `fields:` or `classes:`")])


class InvitationWords(Words):
    """How a share begins."""

    expire_after_days = Whole(1, 3650)
    existing_deals = OneOf("state", ("accepted", "pending"))


class PolicyWords(Words):
    """A policy."""

    policy = Text(NAME, "a plain name such as `deal-share`", required=True)
    who = Many(Inner(RuleWords), required=True)
    show = Many(Inner(ShowWords), required=True)
    limit = Many(Inner(LimitWords))
    columns = Many(Text(metadata={"names": "field"}), data_key="list", most=5)
    invitations = Inner(InvitationWords)


class Given(fields.Field[Any]):
    """A situation: partner, deal, account and share as maps, contacts as a list of maps."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **_: Any) -> Any:
        if not isinstance(value, dict):
            raise ValidationError([said(f"<key> must be a map, not {kind_of(value)}")])
        errors: dict[str, Any] = {}
        for root, inner in value.items():
            if root not in ROOTS:
                errors[root] = [said(f"unknown part `{root[:60]}`", root, ROOTS, on_key=True)]
            elif root == "contacts" and not (isinstance(inner, list) and all(isinstance(each, dict) for each in inner)):
                errors[root] = [said("<key> must be a list of maps")]
            elif root != "contacts" and not isinstance(inner, dict):
                errors[root] = [said("<key> must be a map of fields")]
        if errors:
            raise ValidationError(errors)
        return value


class Expectation(fields.Field[Any]):
    """`nothing changes`, or what is shown of each field."""

    shown = Table(Text(), Scalar())

    def _deserialize(self, value: Any, attr: Any, data: Any, **_: Any) -> Any:
        if value == "nothing changes":
            return value
        if not isinstance(value, dict):
            raise ValidationError([said("<key> must be `nothing changes`, or a map such as `{deal.amount: hidden}`")])
        return self.shown.deserialize(value)


class CaseWords(Words):
    """One test."""

    name = Line(required=True, most=200)
    given = Given()
    expect = Expectation(required=True)
    vary = Many(Text(metadata={"names": "field"}), one=True)

    @validates_schema
    def vary_and_nothing_changes_belong_together(self, data: Any, **_: Any) -> None:
        """Each needs the other."""
        if ("vary" in data) != (data["expect"] == "nothing changes"):
            raise ValidationError(
                {"expect": [said("`vary:` and `expect: nothing changes` belong together; write both, or neither")]}
            )


class TestWords(Words):
    """A file of tests."""

    policy = Text()
    given = Given()
    tests = Many(Inner(CaseWords), required=True)


def read_policy(read: Located, problems: list[Problem]) -> PolicyFile | None:
    """A policy as nouns, without its tests; None where something in it is wrong."""
    words = validated(PolicyWords(), read, problems)
    if words is None:
        return None
    invitations = words.get("invitations", {})
    return PolicyFile(
        name=words["policy"],
        rules=tuple(
            _rule(kind, rule, read, (kind, index))
            for kind in ("who", "show", "limit")
            for index, rule in enumerate(words.get(kind, ()))
        ),
        list_fields=words.get("columns", ()),
        existing_deals=invitations.get("existing_deals", "accepted"),
        expires_after_days=invitations.get("expire_after_days"),
        place=read.value("list" if "columns" in words else "policy"),  # what is wrong with it is wrong with its list
    )


def _rule(kind: Literal["who", "show", "limit"], words: Any, read: Located, path: Path) -> Rule:
    return Rule(
        kind=kind,
        name=words["name"],
        when=words["when"],
        fields=words.get("named", ()),
        classes=words.get("classes", ()),
        rung=words.get("rung", ""),
        basis=words.get("basis", ""),
        tells_partner=words.get("tells_partner", ""),
        place=read.value(*path),
        places=_places(read, path),
    )


def _places(read: Located, path: Path) -> dict[str, Place]:
    """Where the rule's keys stand, and the words of its lists and of its condition, each by itself."""
    kind, index = path
    rule = read.data[kind][index]
    places = {key: read.text(*path, key) for key in rule}
    for key, inner in rule.items():
        if isinstance(inner, list):
            places |= {word: read.value(*path, key, at) for at, word in enumerate(inner) if word not in places}
    if isinstance(rule["when"], dict):
        places |= {f"when.{word}": read.key(*path, "when", word) for word in rule["when"]}
        places |= {word: read.key(*path, "when", word) for word in rule["when"] if word not in places}
    return places


@dataclass(frozen=True, slots=True)
class TestFile:
    """A file of tests, and whose they are."""

    policy: str
    tests: tuple[PolicyTest, ...]
    place: Place
    named: tuple[tuple[str, Place], ...]  # every field it names


def read_tests(read: Located, problems: list[Problem]) -> TestFile | None:
    """A file of tests as nouns: each test with the file's situation under its own."""
    words = validated(TestWords(), read, problems)
    if words is None:
        return None
    name = re.sub(r"^.*/|(\.test)?\.ya?ml$", "", read.file)
    return TestFile(
        policy=words.get("policy", name),
        tests=tuple(
            PolicyTest(
                name=case["name"],
                given=_under(words.get("given", {}), case.get("given", {})),
                expect=case["expect"],
                vary=case.get("vary", ()),
                place=read.value("tests", index),
            )
            for index, case in enumerate(words["tests"])
        ),
        place=read.value("policy"),
        named=tuple(_named(read)),
    )


def _named(read: Located) -> Iterator[tuple[str, Place]]:
    """Every field that the file gives, varies or expects, with its place."""
    for path, place in read.keys.items():
        at = path[2:] if path[0] == "tests" else path
        if len(at) == 3 and at[0] == "given" and at[1] != "contacts":
            yield f"{at[1]}.{at[2]}", place
        elif len(at) == 4 and at[:2] == ("given", "contacts"):
            yield f"contacts[].{at[3]}", place
        elif len(at) == 2 and at[0] == "expect":
            yield str(at[1]), place
    for index, case in enumerate(read.data["tests"]):
        varied = case.get("vary", ())
        if isinstance(varied, str):
            yield varied, read.value("tests", index, "vary")
        else:
            yield from ((name, read.value("tests", index, "vary", at)) for at, name in enumerate(varied))


def _under(common: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """The file's situation with the test's own words over it; a test's contacts replace the file's."""
    merged = dict(common)
    for root, inner in own.items():
        merged[root] = {**common.get(root, {}), **inner} if isinstance(inner, dict) else inner
    return merged


def with_tests(policy: PolicyFile, files: list[TestFile]) -> PolicyFile:
    """The policy with all the tests that name it."""
    return replace(policy, tests=tuple(test for each in files if each.policy == policy.name for test in each.tests))
