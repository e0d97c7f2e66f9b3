"""Many deals, partners and shares at once: the very moves that deciding each of them under both versions gives."""

from __future__ import annotations

import dataclasses
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest
from dice import ATOMS, NOW, PARTNER, TABLE, ZONE, Dice, compiled

from policies.bounded import Bounded, Judge
from policies.compile import compile_policy
from policies.difference import WHOLE, difference
from policies.grouped import Grouped
from policies.model import LADDERS, FieldRow, PolicyFile, Rule

World = tuple[dict[str, Any], list[dict[str, Any]], dict[str, Any], dict[str, Any]]


def rungs(judge: Judge, world: World, now: datetime) -> dict[str, str]:
    """Field -> rung, hidden where the partner has not the deal; and the deal itself."""
    deal, contacts, partner, share = world
    first = judge.first if isinstance(judge, Bounded) else judge
    decision = judge.decide(first.completed(deal, {"contacts": contacts}), partner, share, now)
    fields = {row.name: LADDERS[row.ladder][rung] for row, rung in zip(judge.rows, decision.rungs, strict=True)}
    return {**fields, WHOLE: "exact" if decision.admitted else "hide"}


def moved(before: Judge, after: Judge, world: World, now: datetime) -> dict[str, tuple[str, str]]:
    one, other = rungs(before, world, now), rungs(after, world, now)
    return {name: (rung, other[name]) for name, rung in one.items() if rung != other[name]}


@pytest.mark.parametrize("block", range(6))
def test_many_at_once_move_as_each_alone(block: int) -> None:
    assert sum(check(10 * block + number) for number in range(10))


def check(seed: int) -> int:
    """How many of these situations are said to stay as they are; each of them is held to it."""
    dice = Dice(30_000 + seed)
    stated = dice.rules()
    kept = [rule for rule in stated if dice.random.random() < 0.8]
    edited = [*kept, dice.rule("show", 99, dice.random.sample(sorted(ATOMS), 2), "x")]
    before, after = compiled(stated), compiled(edited if seed % 2 else dice.rules())
    one: Judge = Bounded((before, compiled(dice.rules()))) if seed % 5 == 0 else before
    grouped = Grouped(difference(one, after), NOW)
    deals = [(dice.deal(), dice.contacts()) for _ in range(25)]
    partners = [dice.partner() for _ in range(6)]
    shares = [{"share.state": state} for state in ("accepted", "pending")]
    sorts = (
        grouped.deals([{**deal, "contacts.length": len(contacts)} for deal, contacts in deals]),
        grouped.partners(partners),
        grouped.shares(shares),
    )
    for field, texts in grouped.tellings():
        moving = [deal for (deal, _), sort in zip(deals, sorts[0], strict=True) if grouped.may_move(deal=sort)]
        assert all((deal.get(field) or "") in texts for deal in moving)
    sure = 0
    for (deal, contacts), deal_sort in zip(deals, sorts[0], strict=True):
        for partner, partner_sort in zip(partners, sorts[1], strict=True):
            share_number = dice.random.randrange(2)
            world = deal, contacts, partner, shares[share_number]
            found = grouped.moved(deal_sort, partner_sort, sorts[2][share_number])
            said = {name: (move.before, move.after) for name, move in found.moves.items()}
            assert said == moved(one, after, world, NOW)
            assert found.anew or not said
            assert grouped.may_move(partner_sort, sorts[2][share_number]) or not found.anew
            if not found.anew:  # then it stays so
                sure += 1
                later = NOW + timedelta(days=dice.random.randrange(60))
                assert said == moved(one, after, world, later)
    return sure


def test_only_what_the_change_asks_is_needed_and_tells_deals_apart() -> None:
    """A change for gold partners asks nothing of a deal: all deals are of one sort."""
    dice = Dice(31_000)

    everybody, gold = (
        Rule("who", "all", "always"),
        Rule("show", "gold", {"partner.tier": "gold"}, ("deal.name",), rung="exact"),
    )
    grouped = Grouped(difference(compiled([(everybody, None)]), compiled([(everybody, None), (gold, None)])), NOW)
    assert grouped.needs == {"partner.tier"}
    assert set(grouped.deals([dice.deal() for _ in range(50)])) == {0}
    found = Counter(
        name
        for sort in grouped.partners([{"partner.tier": tier} for tier in ("gold", "silver", "gold")])
        for name in grouped.moved(0, sort, grouped.shares([{}])[0]).moves
    )
    assert found == {"deal.name": 2}


def test_a_value_that_no_comparison_can_use_is_decided_anew() -> None:
    everybody = Rule("who", "all", "always"), "always"
    seats = "not (deal.seats is empty) and deal.seats > 5"
    many = Rule("show", "many", seats, ("deal.name",), rung="exact", tells_partner="it has many seats"), ""
    grouped = Grouped(difference(compiled([everybody]), compiled([everybody, many])), NOW)
    found = [
        grouped.moved(sort, *grouped.partners([{}]), *grouped.shares([{}]))
        for sort in grouped.deals([{"deal.seats": seats} for seats in (None, 5, 6, "a text")])
    ]
    assert [list(each.moves) for each in found] == [[], [], ["deal.name"], []]
    assert [each.anew for each in found] == [False, False, True, True]


def test_what_other_rules_show_in_the_same_way_is_decided_anew_since_the_ledger_names_rules() -> None:
    everybody = Rule("who", "all", "always"), "always"
    name = Rule("show", "name", {"partner.tier": "gold"}, ("deal.owner",), rung="exact", basis="consent"), ""
    other = dataclasses.replace(name[0], basis="contract"), ""
    again = dataclasses.replace(name[0], name="again"), ""
    for after in ([everybody, other], [everybody, again], [everybody, name, again]):
        found = difference(compiled([everybody, name]), compiled(after))
        assert not found
        grouped = Grouped(found, NOW)
        sorts = grouped.partners([{"partner.tier": tier} for tier in ("gold", "silver")])
        anew = [grouped.moved(*grouped.deals([{}]), sort, *grouped.shares([{}])) for sort in sorts]
        assert [(each.moves, each.anew) for each in anew] == [({}, True), ({}, False)]


def test_what_is_newly_about_a_person_is_decided_anew_where_it_shows() -> None:
    everybody = Rule("who", "all", "always")
    name = Rule("show", "name", {"partner.tier": "gold"}, ("deal.name",), rung="exact", basis="consent")
    file, kind = PolicyFile("p", (everybody, name), ()), {"zone": ZONE, "fiscal_year_starts": 4}
    rows = tuple(
        dataclasses.replace(row, classes=frozenset({"person"})) if row.name == "deal.name" else row
        for row in TABLE.rows
    )
    before, after = (
        compile_policy(table, [file], PARTNER, **kind)  # type: ignore[arg-type]
        for table in (TABLE, dataclasses.replace(TABLE, rows=rows))
    )
    grouped = Grouped(difference(before, after), NOW)
    sorts = grouped.partners([{"partner.tier": tier} for tier in ("gold", "silver")])
    assert [grouped.may_move(sort) for sort in sorts] == [True, False]


@pytest.mark.parametrize(
    ("when", "told"),
    [
        ({"deal.stage": ["won", "lost"]}, {"deal.stage": {"won", "lost"}}),
        ({"deal.stage": "won", "deal.name": "x"}, {"deal.stage": {"won"}, "deal.name": {"x"}}),
        ({"deal.stage": "won", "deal.seats": {"above": 5}}, {"deal.stage": {"won"}}),
        ("deal.name is empty or deal.name == 'x'", {"deal.name": {"x", ""}}),
        ({"deal.name": {"is_not": "x"}}, {}),  # nearly all of them
        ("deal.name == 'x' or deal.seats > 5", {}),
        ("contains(deal.name, 'x')", {}),
        ({"deal.seats": {"above": 5}}, {}),
        ({"partner.tier": "gold"}, {}),
    ],
)
def test_a_database_is_asked_for_the_texts_that_a_change_rests_on_and_for_nothing_else(when: Any, told: Any) -> None:
    everybody = Rule("who", "all", "always"), "always"
    new = Rule("show", "new", when, ("deal.won",), rung="exact", tells_partner="it"), ""
    grouped = Grouped(difference(compiled([everybody]), compiled([everybody, new])), NOW)
    assert dict(grouped.tellings()) == told


def test_where_a_limit_bites_the_unknown_is_asked_for_too() -> None:
    everybody, shown = Rule("who", "all", "always"), Rule("show", "s", "always", ("deal.won",), rung="exact")
    when = {"deal.name": "x"}
    limit = Rule("limit", "new", when, ("deal.won",), rung="hide", tells_partner="it")
    before = [(everybody, "always"), (shown, "always")]
    grouped = Grouped(difference(compiled(before), compiled([*before, (limit, "")])), NOW)
    assert dict(grouped.tellings()) == {"deal.name": {"x", ""}}


@pytest.mark.parametrize(
    "when",
    [
        "1 > 0",
        "now > 2026-01-01",
        "contains(deal.name, 'x')",
        "deal.size is empty",
        "(if partner.tier == 'gold' then deal.close else 2027-01-01) < now",
    ],
)
def test_whatever_a_rule_asks_its_deals_can_be_sorted(when: str) -> None:
    everybody = Rule("who", "all", "always"), "always"
    new = Rule("show", "new", when, ("deal.won",), rung="exact", tells_partner="it"), ""
    grouped = Grouped(difference(compiled([everybody]), compiled([everybody, new])), NOW)
    (sort,) = grouped.deals([{"deal.name": "axb", "deal.close": "2026-11-01"}])
    found = grouped.moved(sort, *grouped.partners([{"partner.tier": "gold"}]), *grouped.shares([{}]))
    assert (list(found.moves), found.anew) == (["deal.won"], True)


def test_partners_are_sorted_by_all_values_of_an_attribute_that_has_several() -> None:
    everybody = Rule("who", "all", "always")
    tagged = Rule("show", "tagged", "contains(partner.tags, 'x')", ("deal.won",), rung="exact", tells_partner="it")
    before, after = (
        compile_policy(TABLE, [PolicyFile("p", rules, ())], {"partner.tags": "multi"}, zone=ZONE, fiscal_year_starts=4)
        for rules in ((everybody,), (everybody, tagged))
    )
    grouped = Grouped(difference(before, after), NOW)
    sorts = grouped.partners([{"partner.tags": tags} for tags in (["x", "y"], ["y"], None)])
    found = [grouped.moved(*grouped.deals([{}]), sort, *grouped.shares([{}])) for sort in sorts]
    assert [list(each.moves) for each in found] == [["deal.won"], [], []]


@pytest.mark.parametrize(("close", "moves"), [("2026-11-01", ["deal.name"]), ("2026-12-24", [])])
def test_a_derived_day_is_compared_with_the_time_of_the_question(close: str, moves: list[str]) -> None:
    due = FieldRow("deal.due", "date", frozenset({"basics"}), "date", expr="coalesce(deal.close, 2026-01-01)")
    table = dataclasses.replace(TABLE, rows=(*TABLE.rows, due))
    everybody = Rule("who", "all", "always")
    late = Rule(
        "show", "late", "coalesce(deal.due, 2026-01-01) < now", ("deal.name",), rung="exact", tells_partner="it"
    )
    before, after = (
        compile_policy(table, [PolicyFile("p", rules, ())], PARTNER, zone=ZONE, fiscal_year_starts=4)
        for rules in ((everybody,), (everybody, late))
    )
    grouped = Grouped(difference(before, after), NOW)
    found = grouped.moved(*grouped.deals([{"deal.close": close}]), *grouped.partners([{}]), *grouped.shares([{}]))
    assert list(found.moves) == moves
