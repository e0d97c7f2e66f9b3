"""Says of a change of configuration whether partners may see more, less, or something that means another thing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from config.meaning import deciding, grounds
from config.second_person import approvers
from config.workspace import Document, Workspace
from mapping.model import NOWHERE
from policies.bounded import Judge, policies_of
from policies.difference import WHOLE, Difference, difference
from policies.model import Rule


class Wider(NamedTuple):
    """One way in which somebody may see more."""

    kind: str  # of WIDER
    about: str

    def __str__(self) -> str:
        return WIDER[self.kind].format(self.about)


WIDER = {
    "unread": "this release can't read the version in force, so nothing can be compared{}",
    "four_eyes": "four_eyes is switched off: one person alone could let partners see more",
    "approver": "{} could newly approve",
    "approver gone": "{} could approve no more",
    "sign-in": "sign-in links go another way ({}): whoever is there could come in as somebody else",
    "console": "{} could newly open the console, where nothing is hidden",
    "document": "document {} may open for more partners",
    "source": "source {} may newly speak for partners, and accept deals for them",
    "ledger": "the disclosure ledger is kept for {} years only: older months go for good",
    "days": "days and quarters are others: every date may be shown otherwise",
    "mapping": "{}: what is read from the CRM, or who is a partner on a deal, may be another",
    "connections": "other connections: their deals come or go ({})",
    "deals": "partners may get deals that they have not",
    "fields": "partners may see more of {}",
    "bands": "the bands of {} tell more",
    "ladder": "{} has another ladder",
    "text": "less is masked in {}, or nobody has to approve it any more",
    "expr": "{} is computed otherwise",
    "list": "other columns sort and filter lists{}",
    "existing_deals": "deals of a first load start otherwise{}",
    "expires_after_days": "invitations stay open longer{}",
    "calendar": "days and quarters are others{}",
}


@dataclass(frozen=True, slots=True)
class Change:
    """What a change of configuration may do to what partners see."""

    decides: bool  # some deal may be decided otherwise
    widens: tuple[Wider, ...] = ()  # such a change needs a second person
    narrows: bool = False  # some situation shows less
    anew: bool = False  # fields may mean another thing: no older view is read any more
    approvers: frozenset[Wider] = frozenset()  # who could newly come in as the second person, or no more
    alone: bool = False  # nothing but policies and fields differs
    found: Difference | None = None  # of the policies, situation by situation; None where more than they differs

    @property
    def splits(self) -> bool:
        """Whether what narrows can be in force while what widens waits."""
        return self.narrows and bool(self.widens) and self.alone and not self.anew


FIRST = Change(decides=True, anew=True)
UNREAD = Change(decides=True, anew=True, widens=(Wider("unread", ""),))
"""Over a version that this release can't read: nothing can be compared, so all of it counts as wider."""


def change_of(before: Workspace | None, judge: Judge | None, after: Workspace) -> Change:
    """How `after` differs from the version in force: its configuration, and what it decides with.

    Without a version in force nothing is taken for wider: nobody has seen anything yet.
    """
    if before is None or judge is None:
        return FIRST
    other = tuple(_beside(before, after))
    able = frozenset(_approvers(before, after))
    if len(policies_of(judge)) == 1 and deciding(before) == deciding(after):
        return Change(decides=False, widens=other, approvers=able)
    if grounds(before) != grounds(after):
        reasons = tuple(_grounds(before, after)) or (Wider("days", ""),)  # of one connection
        return Change(decides=True, widens=(*reasons, *other), anew=True, approvers=able)
    found = difference(judge, after.policy)
    return Change(
        decides=True,
        widens=(*_wider(found), *other),
        narrows=found.narrows,
        anew=bool(found.meanings),
        approvers=able,
        alone=not other and not able,
        found=found,
    )


def _approvers(before: Workspace, after: Workspace) -> Iterator[Wider]:
    old, new = approvers(before), approvers(after)
    yield from (Wider("approver", email) for email in new - old)
    yield from (Wider("approver gone", email) for email in old - new)
    # INVARIANT: a link lets in whoever has it, so who decides where links go decides who is the second person.
    old_ways, new_ways = _ways_in(before), _ways_in(after)
    if moved := [name for name, way in new_ways.items() if way != old_ways[name]]:
        yield Wider("sign-in", ", ".join(moved))


def _ways_in(workspace: Workspace) -> dict[str, Any]:
    """What says where sign-in links go, by the words of sudare.yaml."""
    serving = workspace.serving
    return {"mail": workspace.mail, "partner_url": serving.partner_url, "vendor_url": serving.vendor_url}


def _beside(before: Workspace, after: Workspace) -> Iterator[Wider]:
    """What is wider beside the policies."""
    if before.four_eyes and not after.four_eyes:
        yield Wider("four_eyes", "")
    stay = before.connections.keys() & after.connections.keys()
    if moved := [name for name in sorted(stay) if before.connections[name].org != after.connections[name].org]:
        yield Wider("connections", ", ".join(moved))
    if after.keep_years < before.keep_years:
        yield Wider("ledger", str(after.keep_years))
    # INVARIANT: nobody alone lets another person into the console, where nothing is hidden, in whatever role.
    own = approvers(after) | _users(before)  # who may approve is told by itself
    yield from (Wider("console", email) for email in sorted(_users(after) - own))
    yield from _sources(before, after)
    yield from _documents(before, after)


def _users(workspace: Workspace) -> frozenset[str]:
    return frozenset(email.strip().casefold() for email in workspace.vendor_users)


def _sources(before: Workspace, after: Workspace) -> Iterator[Wider]:
    # INVARIANT: what speaks for a partner can accept its deals, and acceptance shows more.
    known = {name: replace(each, place=NOWHERE) for name, each in before.sources.items()}
    for name, each in sorted(after.sources.items()):
        if known.get(name) != replace(each, place=NOWHERE):
            yield Wider("source", name)


def _documents(before: Workspace, after: Workspace) -> Iterator[Wider]:
    known = {(each.id, each.language): _opens(each) for each in before.documents}
    opened: dict[str, set[Any]] = {}
    for each in before.documents:
        opened.setdefault(each.sha256, set()).add(_opens(each))
    looser = {name for classes, _ in set(_limits(before)) - set(_limits(after)) for name in classes}
    for each in after.documents:
        # Bytes that are open already, to others, are no new edition.
        others = _opens(each) not in opened.get(each.sha256, {_opens(each)})
        if known.get((each.id, each.language)) != _opens(each) or others or looser & each.classes:
            yield Wider("document", each.id)


def _opens(document: Document) -> tuple[str, tuple[str, ...]]:
    return repr(document.who), tuple(sorted(document.classes))


def _limits(workspace: Workspace) -> Iterator[tuple[tuple[str, ...], str]]:
    """Limits on classes: they close documents too."""
    rules: Iterable[Rule] = (rule for file in workspace.policies for rule in file.rules if rule.kind == "limit")
    return ((rule.classes, repr((rule.when, rule.rung))) for rule in rules if rule.classes)


def _grounds(before: Workspace, after: Workspace) -> Iterator[Wider]:
    if (before.timezone, before.fiscal_year_starts) != (after.timezone, after.fiscal_year_starts):
        yield Wider("days", "")
    changed = [
        name for name in sorted({*before.files, *after.files}) if before.files.get(name) != after.files.get(name)
    ]
    if read := [name for name in changed if name.startswith("mappings/")]:
        yield Wider("mapping", ", ".join(read))
    if others := set(before.connections) ^ set(after.connections):
        yield Wider("connections", ", ".join(sorted(others)))


def _wider(found: Difference) -> Iterator[Wider]:
    fields = dict.fromkeys(each.field for each in found.changes if each.move.up)
    if WHOLE in fields:
        yield Wider("deals", "")
    if named := [each for each in (*fields, *found.untold) if each != WHOLE]:
        yield Wider("fields", ", ".join(sorted(set(named))))
    for each in found.meanings:
        if each.widens:
            yield Wider(each.kind, each.field)
