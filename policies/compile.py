"""Turns fields.yaml and policy files into one Policy, or into all their problems at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from functools import lru_cache, partial

from mapping.evaluate import Setting, flip_of, ready
from mapping.expression import Expression, condition
from mapping.model import SHARE_FIELDS, SHARE_STATES, Broken, Problem
from mapping.syntax import Attribute, Constant, Moment, Node, OneOf, walk
from mapping.typed import Known
from mapping.values import FieldType
from policies.decision import SIDES, Decision, Facts, Policy, Questions, Side, side_of, truth_of
from policies.layout import lay_out, list_of, slots_of
from policies.lineage import Lineage, trace
from policies.lint import Stated, problems_of, rows_of, rung_index
from policies.masking import TEXT, masks_of
from policies.model import FieldRow, FieldTable, PolicyFile, Rule
from policies.rulebook import Length, ReadyRule, Rulebook
from policies.transforms import Calendar, renders_of

__all__ = ["Decision", "Facts", "Policy", "compile_policy"]

_LAYOUTS = 4096
_NOTHING: Known = {}


def compile_policy(
    table: FieldTable,
    files: Sequence[PolicyFile],
    partner_fields: Mapping[str, FieldType],
    *,
    zone: tzinfo,
    fiscal_year_starts: int,
    known: Known = _NOTHING,
) -> Policy:
    """The policy of all files together; raises Broken with every problem.

    `partner_fields`: what rules may ask of a partner. `known`: a picklist's values, where they are known.
    """
    known = {"share.state": frozenset(SHARE_STATES), **known}
    lineage = trace(table, known)
    _add_lengths(lineage)
    # A broken derived field keeps the type it was given, so that it is told once, where it stands.
    types = {**{row.name: row.type for row in table.rows}, **lineage.types, **partner_fields, **SHARE_FIELDS}
    problems = list(lineage.problems)
    stated = [each for file in files for rule in file.rules if (each := _state(rule, lineage, types, known, problems))]
    atoms = _atoms([each.condition for each in stated])
    rows = tuple(lineage.rows[name] for name in sorted(lineage.rows))
    calendar = Calendar(zone, fiscal_year_starts)
    renders = tuple(renders_of(row, calendar) for row in rows)
    slots = slots_of(rows, renders)
    trees = [each.tree for each in (*lineage.derived.values(), *(each.condition for each in stated))]
    book = _book(rows, stated, [node for side in SIDES for node in atoms[side]])
    listed = tuple(dict.fromkeys(name for file in files for name in file.list_fields))
    policy = Policy(
        table=table,
        book=book,
        list_fields=listed,
        list_rows=tuple(book.index[name] for name in listed if name in book.index),
        why=_why(stated, lineage),
        existing_deals="pending" if any(file.existing_deals == "pending" for file in files) else "accepted",
        expires_after_days=min((days for file in files if (days := file.expires_after_days)), default=None),
        questions={side: _questions(side, atoms, zone) for side in SIDES},
        derived=tuple((name, each.compile(zone)) for name, each in lineage.derived.items()),
        origins=lineage.origins,
        renders=renders,
        slots=slots,
        layout=lru_cache(maxsize=_LAYOUTS)(partial(lay_out, rows, renders, slots, table.never_share)),
        calendar=calendar,
        types=types,
        known=known,
        edges=tuple(dict.fromkeys(edge for tree in trees for node in walk(tree) for edge in _edges(node))),
    )
    problems += problems_of(policy, stated, lineage, files)
    if problems:
        raise Broken(sorted(set(problems)))
    return policy


def _edges(node: Node) -> tuple[Constant | Moment, ...]:
    """What a node compares with; a list's options stand beside its tree."""
    return node.options if isinstance(node, OneOf) else (node,) if isinstance(node, Constant | Moment) else ()


def _add_lengths(lineage: Lineage) -> None:
    """A list's length is a field too; it carries no class, since it shows with the rows or when a rule asks for it."""
    for owner in sorted({owner for name in lineage.rows if (owner := list_of(name))}):
        field = f"{owner}.length"
        lineage.rows[field] = FieldRow(field, "number", frozenset(), "number")


def _state(
    rule: Rule, lineage: Lineage, types: Mapping[str, FieldType], known: Known, problems: list[Problem]
) -> Stated | None:
    """A rule with its condition read; None, and told, where that can't be."""
    places = {name.removeprefix("when."): place for name, place in rule.places.items() if name.startswith("when.")}
    try:
        asked = condition(rule.when, types, rule.places.get("when", rule.place), known, places)
    except Broken as broken:
        problems += [
            Problem(each.place, f"rule `{rule.name}`: {each.message}", each.suggestion) for each in broken.problems
        ]
        return None
    return Stated(rule, asked)


def _atoms(conditions: Sequence[Expression]) -> dict[Side, list[Node]]:
    nodes = dict.fromkeys(node for each in conditions for node in each.atoms)
    return {side: [node for node in nodes if _side(node) == side] for side in SIDES}


def _questions(side: Side, atoms: Mapping[Side, Sequence[Node]], zone: tzinfo) -> Questions:
    setting = Setting(zone)
    flips = (flip_of(node, setting) for node in atoms[side])
    asked = sorted({name for node in atoms["pair"] for name in _fields(node) if side_of(name) == side})
    return Questions(
        ask=tuple(truth_of(ready(node, setting)) for node in atoms[side]),
        flips=tuple(flip for flip in flips if flip),
        tells=tuple(asked),
    )


def _fields(node: Node) -> set[str]:
    return {each.name for each in walk(node) if isinstance(each, Attribute)}


def _side(atom: Node) -> Side:
    sides = {side_of(name) for name in _fields(atom)}
    return "pair" if len(sides) > 1 else next(iter(sides), "deal")


def _book(rows: tuple[FieldRow, ...], stated: Sequence[Stated], atoms: Sequence[Node]) -> Rulebook:
    index = {row.name: number for number, row in enumerate(rows)}
    numbers = {atom: number for number, atom in enumerate(atoms)}
    columns: dict[str, list[int]] = {}
    for name, number in index.items():
        if owner := list_of(name):
            columns.setdefault(owner, []).append(number)
    return Rulebook(
        rows=rows,
        rules=tuple(_ready(each, rows, numbers) for each in stated),
        atoms=tuple(atoms),
        lengths=tuple(Length(index[f"{owner}.length"], tuple(inside)) for owner, inside in columns.items()),
        index=index,
    )


def _ready(stated: Stated, rows: Sequence[FieldRow], numbers: Mapping[Node, int]) -> ReadyRule:
    rule = stated.rule
    return ReadyRule(
        rule=rule,
        tree=stated.condition.tree,
        text=str(stated.condition),
        when=ready(stated.condition.tree, Setting(settled=numbers)),
        atoms=tuple(numbers[node] for node in stated.condition.atoms),
        targets=tuple((number, rung_index(rows[number], rule.rung)) for number in rows_of(rule, rows)),
    )


def _why(stated: Sequence[Stated], lineage: Lineage) -> dict[str, str]:
    """Our field -> why it is read from the CRM. INVARIANT: a field that nothing shows or asks has no row here."""
    why: dict[str, str] = {}
    for each in stated:
        shown = each.rule.fields if each.rule.kind == "show" else ()
        for name in shown:
            why.setdefault(name, f"shown by rule `{each.rule.name}`")
        for name in sorted(each.condition.fields):
            why.setdefault(name, f"asked by rule `{each.rule.name}`")
    for name in [name for name in why if name in lineage.rows and lineage.rows[name].ladder == TEXT]:
        # A text is redacted by what its reader may not see: that has to be read, though nobody sees it.
        for mask in masks_of([lineage.rows[each] for each in sorted(lineage.rows)]):
            why.setdefault(mask.field, f"hidden value, to be masked in {name}")
    for name in [name for name in why if name in lineage.derived]:
        for source in sorted(lineage.inputs(name)):
            why.setdefault(source, f"{name} is computed from it")
    return {name: text for name, text in why.items() if name not in lineage.derived and not name.startswith("share.")}
