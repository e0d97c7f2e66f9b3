"""Turns fields.yaml and policy files into one Policy, or into all their problems at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import tzinfo
from functools import lru_cache

from mapping.evaluate import Setting, flip_of, ready
from mapping.expression import Expression, condition
from mapping.grammar import Known
from mapping.model import SHARE_FIELDS, SHARE_STATES, Broken, Problem
from mapping.syntax import Attribute, Node, walk
from mapping.values import FieldType
from policies.decision import SIDES, Atom, Decision, Facts, Policy, ReadyRule, Side
from policies.layout import Layout, lay_out, list_of
from policies.lineage import Lineage, trace
from policies.lint import Stated, problems_of, rung_index
from policies.model import FieldRow, FieldTable, PolicyFile, Rule
from policies.transforms import Calendar, Render, renders_of

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
    lengths = _add_lengths(lineage)
    types = {**lineage.types, **partner_fields, **SHARE_FIELDS}
    problems = list(lineage.problems)
    stated = [each for file in files for rule in file.rules if (each := _state(rule, lineage, types, known, problems))]
    atoms = _atoms([each.condition for each in stated], zone)
    numbers = {atom.node: number for number, atom in enumerate(_numbered(atoms))}
    rows = tuple(lineage.rows[name] for name in sorted(lineage.rows))
    index = {row.name: number for number, row in enumerate(rows)}
    calendar = Calendar(zone, fiscal_year_starts)
    renders = tuple(renders_of(row, calendar) for row in rows)
    policy = Policy(
        table=table,
        rows=rows,
        list_fields=tuple(dict.fromkeys(name for file in files for name in file.list_fields)),
        why=_why(stated, lineage),
        existing_deals="pending" if any(file.existing_deals == "pending" for file in files) else "accepted",
        expires_after_days=min((days for file in files if (days := file.expires_after_days)), default=None),
        atoms=atoms,
        rules=tuple(_ready(each, rows, index, numbers) for each in stated),
        derived=tuple((name, each.compile(zone)) for name, each in lineage.derived.items()),
        lengths=tuple(
            (index[f"{name}.length"], name, tuple(n for n, row in enumerate(rows) if list_of(row.name) == name))
            for name in lengths
        ),
        origins=lineage.origins,
        renders=renders,
        layout=_layouts(rows, renders),
        calendar=calendar,
        index=index,
    )
    problems += problems_of(policy, stated, lineage, files)
    if problems:
        raise Broken(sorted(set(problems)))
    return policy


def _add_lengths(lineage: Lineage) -> tuple[str, ...]:
    """A list's length is a field too; it carries no class, since it shows with the rows or when a rule asks for it."""
    lists = sorted({owner for name in lineage.rows if (owner := list_of(name))})
    for name in lists:
        field = f"{name}.length"
        lineage.rows[field] = FieldRow(field, "number", frozenset(), "number")
    return tuple(lists)


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


def _atoms(conditions: Sequence[Expression], zone: tzinfo) -> dict[Side, tuple[Atom, ...]]:
    nodes = dict.fromkeys(node for each in conditions for node in each.atoms)
    setting = Setting(zone)
    made = [(_side(node), Atom(node, ready(node, setting), flip_of(node, setting))) for node in nodes]
    return {side: tuple(atom for about, atom in made if about == side) for side in SIDES}


def _numbered(atoms: Mapping[Side, tuple[Atom, ...]]) -> list[Atom]:
    return [atom for side in SIDES for atom in atoms[side]]


def _side(atom: Node) -> Side:
    roots = {node.name.partition(".")[0] for node in walk(atom) if isinstance(node, Attribute)}
    sides: set[Side] = {"partner" if root == "partner" else "share" if root == "share" else "deal" for root in roots}
    return "pair" if len(sides) > 1 else next(iter(sides), "deal")


def _ready(
    stated: Stated, rows: Sequence[FieldRow], index: Mapping[str, int], numbers: Mapping[Node, int]
) -> ReadyRule:
    rule = stated.rule
    touched = [index[name] for name in rule.fields if name in index]
    touched += [number for number, row in enumerate(rows) if row.classes & frozenset(rule.classes)]
    return ReadyRule(
        rule,
        ready(stated.condition.tree, Setting(settled=numbers)),
        tuple(numbers[node] for node in stated.condition.atoms),
        tuple((number, rung_index(rows[number], rule.rung)) for number in dict.fromkeys(touched)),
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
    for name in [name for name in why if name in lineage.derived]:
        for source in sorted(lineage.inputs(name)):
            why.setdefault(source, f"{name} is computed from it")
    return {name: text for name, text in why.items() if name not in lineage.derived and not name.startswith("share.")}


def _layouts(rows: tuple[FieldRow, ...], renders: tuple[tuple[Render, ...], ...]) -> Callable[[bytes], Layout]:
    @lru_cache(maxsize=_LAYOUTS)
    def layout(rungs: bytes) -> Layout:
        return lay_out(rows, renders, rungs)

    return layout
