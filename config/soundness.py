"""What keeps a workspace that loads from going live: failing tests, and what people get wrong without noticing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from datetime import datetime
from itertools import combinations

from config.positions import locate
from config.workspace import Workspace
from mapping.model import ConnectionMapping, ObjectMapping, Problem
from policies.lint import people_told_about, people_without_basis, untested_people
from policies.model import FieldRow
from policies.reach import useless_rules
from policies.trial import run_tests


def refusals(workspace: Workspace, now: datetime) -> list[Problem]:
    """Why these files must not come in force; nothing where they may.

    What is in force already is not measured by this: a newer release may be stricter than the one that took it.
    """
    found = {
        *run_tests(workspace.policy, workspace.policies, now),
        *untested_people(workspace.policy, workspace.policies),
        *people_told_about(workspace.policy),
        *people_without_basis(workspace.policy),
        *useless_rules(workspace.policy),
        *_two_names(workspace),
        *_told_back(workspace),
        *_limited_messages(workspace),
        *_other_letters(workspace),
    }
    return sorted(found)


def _other_letters(workspace: Workspace) -> Iterator[Problem]:
    """An address of a vendor user that could be taken for somebody else's."""
    # INVARIANT: who agrees to a new approver reads the very address that will approve.
    written = locate("sudare.yaml", workspace.files.get("sudare.yaml", ""))
    for email in workspace.vendor_users:
        if not email.isascii():
            text = f"`{email}` has letters that may look like others; write it in ASCII, a domain as `xn--...`"
            yield Problem(written.key("vendor_users", email), text)


def twins(workspace: Workspace) -> Mapping[str, Set[str]]:
    """Our field -> the others that are read from the same field of a CRM."""
    found: dict[str, set[str]] = {}
    for mapping in workspace.mappings.values():
        for names in _sources(mapping).values():
            for name in names:
                found.setdefault(name, set()).update({*names} - {name})
    return found


def _told_back(workspace: Workspace) -> Iterator[Problem]:
    """What we write on the record about all partners of a deal, read again as a field of the deal."""
    for connection, written in workspace.writeback.summary_fields.items():
        for field in workspace.mappings[connection].opportunities.fields:
            # INVARIANT: the text that names a deal's partners, and what each sees, is read by no mapping.
            if written.casefold() in map(str.casefold, field.sources):
                text = (
                    f"`{field.name}` is read from {written}, where `summary_fields:` of writeback.yaml has us write "
                    "who sees the deal: partners would read of each other; leave it out, or choose another field there"
                )
                yield Problem(field.place, text)


def _limited_messages(workspace: Workspace) -> Iterator[Problem]:
    """Limits on what reaches partners as a message: no rule is asked there."""
    policy = workspace.policy
    replies = {name for mapping in workspace.mappings.values() for name in mapping.reply_fields}
    for ready in policy.book.rules:
        capped = {policy.rows[row].name for row, _ in ready.targets} if ready.rule.kind == "limit" else set()
        for name in sorted(capped & replies):
            # INVARIANT: no limit is in force that would not bite.
            text = (
                f"rule `{ready.rule.name}`: {name} reaches the deal's partners as a message, which no rule limits; "
                "limit other fields, or take it out of `replies:` of the mapping"
            )
            keys = (name, *ready.rule.classes, "classes", "fields")
            place = next((ready.rule.places[key] for key in keys if key in ready.rule.places), ready.rule.place)
            yield Problem(place, text)


def _two_names(workspace: Workspace) -> Iterator[Problem]:
    """A CRM field that two of ours are read from, and that do not carry the same classes."""
    listed = {row.name: row for row in workspace.policy.rows if row.place.file == "fields.yaml" and not row.expr}
    for mapping in workspace.mappings.values():
        for (_, crm_field), names in _sources(mapping).items():
            rows = [listed[name] for name in names if name in listed]
            # INVARIANT: what is hidden under one name can't be shown under another.
            yield from (
                _differ(one, other, crm_field) for one, other in combinations(rows, 2) if one.classes != other.classes
            )


def _differ(one: FieldRow, other: FieldRow, crm_field: str) -> Problem:
    first, later = sorted((one, other), key=lambda row: row.place)
    classes = " and ".join(f"`{name}`" for name in sorted(one.classes | other.classes))
    return Problem(
        later.place,
        f"`{later.name}` and `{first.name}` are both read from {crm_field}, and carry different classes; "
        f"give both {classes}, or map one of them from another field",
    )


def _sources(mapping: ConnectionMapping) -> Mapping[tuple[str, str], list[str]]:
    """(CRM object, CRM field) -> our fields that are read from it."""
    found: dict[tuple[str, str], list[str]] = {}
    for part in mapping.shareable:
        for field in part.fields:
            for source in field.sources:
                found.setdefault(_owner(mapping, part, source), []).append(field.name)
    return found


def _owner(mapping: ConnectionMapping, part: ObjectMapping, source: str) -> tuple[str, str]:
    """`Account.Name` of a deal is the account's own `Name`."""
    root, _, inner = source.rpartition(".")
    if part is not mapping.accounts and root == mapping.accounts.object:
        return mapping.accounts.object, inner
    return part.object, source
