"""What is wrong with a policy: every finding at its place, with what to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from mapping.expression import Expression
from mapping.model import Place, Problem
from mapping.syntax import Attribute, walk
from mapping.typed import nearest
from policies.decision import Policy
from policies.layout import list_of
from policies.lineage import Lineage, chain
from policies.masking import TEXT
from policies.model import LADDERS, FieldRow, PolicyFile, Rule
from policies.rulebook import UNSURE

MOST_ATOMS = 12
MOST_LIST_FIELDS = 5
_PERSONAL_LADDERS = frozenset({"person", "email"})


@dataclass(frozen=True, slots=True)
class Stated:
    """A rule with its condition read."""

    rule: Rule
    condition: Expression


def rung_index(row: FieldRow, rung: str) -> int:
    """Where a rung stands on a row's ladder; 0, hidden, where it does not."""
    ladder = LADDERS[row.ladder]
    return ladder.index(rung) if rung in ladder else 0


def is_personal(row: FieldRow) -> bool:
    """Whether a field is about a natural person."""
    return "person" in row.classes or row.ladder in _PERSONAL_LADDERS


def rows_of(rule: Rule, rows: Sequence[FieldRow]) -> list[int]:
    """The rows that a rule names, by themselves or by a class."""
    named, classes = frozenset(rule.fields), frozenset(rule.classes)
    return [number for number, row in enumerate(rows) if row.name in named or not classes.isdisjoint(row.classes)]


def problems_of(
    policy: Policy, stated: Sequence[Stated], lineage: Lineage, files: Sequence[PolicyFile]
) -> list[Problem]:
    """Everything that is wrong with a policy whose rules can be read."""
    found = [*_names_used_twice(stated), *_lists(policy, files, lineage), *_too_many_atoms(policy)]
    # No situation shows less than the one in which nothing is known: what holds there holds always.
    least = policy.book.rungs(policy.book.in_effect(bytes([UNSURE]) * len(policy.book.atoms)))
    for each in stated:
        for check in _CHECKS:
            found += check(each, policy, lineage)
        found += _tells(each, policy, lineage, least)
    return found


def _place(rule: Rule, *keys: str) -> Place:
    return next((rule.places[key] for key in keys if key in rule.places), rule.place)


def _says(rule: Rule, text: str) -> str:
    return f"rule `{rule.name}`: {text}"


def _names_used_twice(stated: Sequence[Stated]) -> Iterator[Problem]:
    count = Counter(each.rule.name for each in stated)
    for rule in (each.rule for each in stated if count[each.rule.name] > 1):
        text = f"rule name `{rule.name}` is used {count[rule.name]} times"
        yield Problem(_place(rule, "name"), f"{text}: give each its own, since explanations name rules")


def _lists(policy: Policy, files: Sequence[PolicyFile], lineage: Lineage) -> Iterator[Problem]:
    for file in files:
        for name in file.list_fields:
            if list_of(name):
                yield Problem(
                    file.place, f"list: {name} is a column of a list, which has many values a deal: name a field"
                )
            elif name not in policy.book.index and name not in lineage.broken:
                yield Problem(file.place, f"list: unknown field `{name}`", nearest(name, policy.book.index))
            elif name in policy.book.index and policy.rows[policy.book.index[name]].ladder == TEXT:
                text = f"list: {name} is free text, which has no order: only short fields are sorted and filtered by"
                yield Problem(file.place, text)
    if len(policy.list_fields) > MOST_LIST_FIELDS and files:
        text = f"list: {len(policy.list_fields)} fields, at most {MOST_LIST_FIELDS} can be sorted and filtered by"
        yield Problem(files[-1].place, text)


def _too_many_atoms(policy: Policy) -> Iterator[Problem]:
    atoms: dict[int, set[int]] = {}
    for each in policy.book.rules:
        for number, _ in each.targets:
            before = len(atoms.setdefault(number, set()))
            atoms[number].update(each.atoms)
            if before <= MOST_ATOMS < len(atoms[number]):
                name = policy.rows[number].name
                text = (
                    f"with it {name} depends on {len(atoms[number])} comparisons, at most {MOST_ATOMS} can be explained"
                )
                place = _place(each.rule, name, "classes")
                yield Problem(place, _says(each.rule, f"{text}: join rules"))


def _unknown_words(stated: Stated, policy: Policy, lineage: Lineage) -> Iterator[Problem]:
    rule = stated.rule
    for name in rule.fields:
        if name not in policy.book.index and name not in lineage.broken:
            suggestion = nearest(name, policy.book.index)
            yield Problem(_place(rule, name), _says(rule, f"unknown field `{name}`"), suggestion)
    for name in rule.classes:
        if name not in policy.table.classes:
            suggestion = nearest(name, policy.table.classes)
            yield Problem(_place(rule, name), _says(rule, f"unknown class `{name}`"), suggestion)
    if rule.kind != "who" and not rule.fields and not rule.classes:
        wants = "fields" if rule.kind == "show" else "fields or classes"
        yield Problem(rule.place, _says(rule, f"names no {wants}: say what it {_VERB[rule.kind]}"))


def _rungs(stated: Stated, policy: Policy, lineage: Lineage) -> Iterator[Problem]:
    rule, key = stated.rule, "as" if stated.rule.kind == "show" else "at_most"
    for row in _touched(rule, policy):
        ladder = LADDERS[row.ladder]
        if rule.rung not in ladder:
            text = f"{row.name} has no rung `{rule.rung}`: its ladder `{row.ladder}` is {' < '.join(ladder)}"
            yield Problem(_place(rule, key), _says(rule, text), nearest(rule.rung, ladder))
        elif rule.rung == "band" and not row.bands:
            yield Problem(_place(rule, key), _says(rule, f"{row.name} has no bands: add `bands:` to it in fields.yaml"))
    if rule.kind == "limit":
        for name in (each for each in rule.fields if each.endswith(".length")):
            text = f"{name} shows whenever rows of it show: limit the columns, and show the length by a condition"
            yield Problem(_place(rule, name), _says(rule, text))


def _never_shared(stated: Stated, policy: Policy, lineage: Lineage) -> Iterator[Problem]:
    rule = stated.rule
    if rule.kind != "show":
        return
    for row in _touched(rule, policy):
        if row.ladder == TEXT:
            continue  # each such text waits for a person's approval
        for name in sorted(row.classes & policy.table.never_share):
            reason = chain(row.name, name, lineage)
            text = (
                f"{row.name} carries class {name}{f' because it is {reason}' if reason else ''}; it can never be shared"
            )
            yield Problem(_place(rule, row.name), _says(rule, f"{text}: leave it out"))


def _free_text_in_lists(stated: Stated, policy: Policy, lineage: Lineage) -> Iterator[Problem]:
    rule = stated.rule
    for row in _touched(rule, policy):
        if rule.kind == "show" and rule.rung != "hide" and row.ladder == TEXT and list_of(row.name):
            text = f"{row.name} is free text in rows of a list, which is neither redacted nor approved: it stays hidden"
            yield Problem(
                _place(rule, row.name),
                _says(rule, f"{text}; a short text has `ladder: plain` in fields.yaml"),
            )


def _without_basis(stated: Stated, policy: Policy, lineage: Lineage) -> Iterator[Problem]:
    rule = stated.rule
    if rule.kind != "show" or rule.basis or rule.rung == "hide":
        return
    for row in _touched(rule, policy):
        if is_personal(row):
            text = f"{row.name} is about a person: name the legal basis, as in `basis: consent`"
            yield Problem(_place(rule, row.name), _says(rule, text))


def untested_people(policy: Policy, files: Sequence[PolicyFile]) -> list[Problem]:
    """Fields about a person that a rule shows and no test speaks of: a slip there is a disclosure."""
    told = {name for file in files for test in file.tests for name in (*test.expect_names, *test.vary)}
    found: dict[str, Problem] = {}
    for rule in (each.rule for each in policy.book.rules if each.rule.kind == "show" and each.rule.rung != "hide"):
        for row in _touched(rule, policy):
            if is_personal(row) and row.name not in told:
                text = f"{row.name} is about a person and no test expects it: write one, such as "
                example = f'`{{name: Strangers see no person, expect: {{"{row.name}": hidden}}}}`'
                found.setdefault(row.name, Problem(_place(rule, row.name), _says(rule, text + example)))
    return list(found.values())


def people_without_basis(policy: Policy) -> list[Problem]:
    """Columns of people that a rule shows under no legal basis: whatever their class, they are about somebody."""
    found = []
    for rule in (each.rule for each in policy.book.rules if each.rule.kind == "show"):
        for row in _touched(rule, policy) if not rule.basis and rule.rung != "hide" else ():
            if list_of(row.name) == "contacts" and not is_personal(row):
                text = f"{row.name} is about one of the customer's people: name the legal basis, as in `basis: consent`"
                found.append(Problem(_place(rule, row.name), _says(rule, text)))
    return found


def people_told_about(policy: Policy) -> list[Problem]:
    """Conditions that tell partners about a person, as acknowledged, under no legal basis."""
    found = []
    for rule, tree in ((each.rule, each.tree) for each in policy.book.rules):
        asked = {node.name for node in walk(tree) if isinstance(node, Attribute)}
        for name in sorted(asked & policy.book.index.keys()) if rule.tells_partner and not rule.basis else ():
            if is_personal(policy.rows[policy.book.index[name]]):
                text = f"its condition tells partners about a person by {name}"
                way = "name the legal basis, as in `basis: consent`" if rule.kind == "show" else "ask another field"
                found.append(Problem(_place(rule, f"when.{name}", "when"), _says(rule, f"{text}: {way}")))
    return found


def _list_columns_asked(stated: Stated, policy: Policy, lineage: Lineage) -> Iterator[Problem]:
    rule = stated.rule
    for name in sorted(stated.condition.fields):
        if owner := list_of(name):
            text = f"{name} has many values a deal and can't be asked: ask `{owner}.length`, or map a field"
            yield Problem(_place(rule, f"when.{name}", "when"), _says(rule, text))


def _tells(stated: Stated, policy: Policy, lineage: Lineage, least: bytes) -> Iterator[Problem]:
    """What a condition would tell a partner about fields that it does not see exactly in every situation."""
    rule = stated.rule
    for name in sorted(stated.condition.fields & policy.book.index.keys()):
        number = policy.book.index[name]
        row, place = policy.rows[number], _place(rule, f"when.{name}", "when")
        # INVARIANT: a condition on a field that is never shared is refused, acknowledged or not.
        if kept := sorted(row.classes & policy.table.never_share):
            carries = _carries(name, kept[0], lineage)
            text = f"its condition would tell partners about {name}, which {carries}: ask another field"
            yield Problem(place, _says(rule, text))
        # INVARIANT: a condition on a field that the partner may not see is refused, or acknowledged by name.
        elif (
            (least[number] != len(LADDERS[row.ladder]) - 1 or row.ladder == TEXT)
            and not rule.tells_partner
            and not list_of(name)
        ):
            text = f"its condition tells partners about {name}, which not all of them see exactly"
            yield Problem(
                place, _says(rule, f"{text}: show {name} always, or write `tells_partner:` and what it tells")
            )


def _carries(name: str, wanted: str, lineage: Lineage) -> str:
    reason = chain(name, wanted, lineage)
    return f"carries class {wanted}{f' because it is {reason}' if reason else ''}; it can never be shared"


def _touched(rule: Rule, policy: Policy) -> list[FieldRow]:
    return [policy.rows[number] for number in rows_of(rule, policy.rows)]


_VERB = {"show": "shows", "limit": "limits"}
_CHECKS: tuple[Callable[[Stated, Policy, Lineage], Iterator[Problem]], ...] = (
    _unknown_words,
    _rungs,
    _never_shared,
    _free_text_in_lists,
    _without_basis,
    _list_columns_asked,
)
