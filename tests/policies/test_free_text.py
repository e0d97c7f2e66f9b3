"""Free text in a view: masked by what its reader does not see, whole only where a person approved it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from mapping.model import Broken
from mapping.values import FieldType, Money
from policies.bounded import Bounded
from policies.compile import Policy, compile_policy
from policies.difference import difference
from policies.freetext import DealTexts
from policies.masking import FreeText, nothing_approved
from policies.model import FieldRow, FieldTable, PolicyFile, Rule
from policies.redaction import MASK, Others
from policies.view import DealView

NOW = datetime(2026, 11, 25, tzinfo=UTC)
_ROWS: tuple[tuple[str, FieldType, str, str], ...] = (
    ("account.name", "text", "plain", "basics"),
    ("contacts[].name", "person", "person", "person"),
    ("contacts[].note", "text", "text", "notes"),
    ("deal.amount", "money", "money", "price"),
    ("deal.margin", "money", "money", "internal"),
    ("deal.next_step", "text", "text", "notes"),
    ("deal.secret_plan", "text", "text", "internal"),
    ("deal.signed_at", "datetime", "date", "notes"),
    ("deal.stage", "picklist", "picklist", "basics"),
)
BANDS = {"JPY": (Money(1_000_000, "JPY"),)}
WRITTEN = "田中様と北辰製作所で3,500万円、粗利700万円、12/25に契約"
DEAL = {
    "account.name": "株式会社北辰製作所",
    "deal.amount": Money(35_000_000, "JPY"),
    "deal.margin": Money(7_000_000, "JPY"),
    "deal.next_step": WRITTEN,
    "deal.secret_plan": "田中様に値引き",
    "deal.signed_at": "2026-12-24T15:30:00Z",  # the 25th in Tokyo
    "deal.stage": "proposal",
}
PEOPLE = [{"contacts[].name": "田中 太郎"}, {"contacts[].name": "佐藤 花子"}]
ALL_MASKED = f"{MASK}様と{MASK}で{MASK}円、粗利{MASK}円、{MASK}に契約"


def policy(
    *shows: tuple[str, str, str],
    extra: tuple[FieldRow, ...] = (),
    listed: tuple[str, ...] = (),
    without: str = "",
    never_share: frozenset[str] = frozenset({"internal"}),
) -> Policy:
    """Shows (field, rung, condition) to everybody who is on the deal."""
    from zoneinfo import ZoneInfo

    rows = tuple(
        FieldRow(name, type, frozenset({kind}), ladder, BANDS if ladder == "money" else {})
        for name, type, ladder, kind in _ROWS
        if name != without
    )
    classes = dict.fromkeys(("basics", "person", "notes", "price", "internal"), "")
    table = FieldTable(classes, never_share, (*rows, *extra))
    rules = [Rule("who", "everybody", "always")]
    rules += [
        Rule("show", f"{field} {rung}", when, (field,), rung=rung, basis="consent") for field, rung, when in shows
    ]
    file = PolicyFile("p", tuple(rules), listed)
    return compile_policy(
        table, [file], {"partner.tier": "picklist"}, zone=ZoneInfo("Asia/Tokyo"), fiscal_year_starts=4
    )


def shown(policy: Policy, approved: Any = lambda text: False, tier: str = "gold", **other: Any) -> dict[str, Any]:
    """What a partner of this tier sees."""
    view = DealView(policy, {**DEAL, **other}, {"contacts": PEOPLE}, approved)
    return view.shown(policy.decide(view.values, {"partner.tier": tier}, {}, NOW).rungs)


def test_every_value_that_the_reader_does_not_see_exactly_is_masked_and_the_others_stay():
    assert shown(policy(("deal.next_step", "redacted", "always")))["deal.next_step"] == ALL_MASKED
    more = policy(("deal.next_step", "redacted", "always"), ("account.name", "exact", "always"),
                  ("deal.amount", "band", "always"), ("contacts[].name", "initials", "always"))  # fmt: skip
    assert shown(more)["deal.next_step"] == ALL_MASKED.replace(f"と{MASK}", "と北辰製作所")
    named = policy(("deal.next_step", "redacted", "always"), ("contacts[].name", "exact", "always"))
    assert shown(named)["deal.next_step"] == ALL_MASKED.replace(f"{MASK}様", "田中様")


@pytest.mark.parametrize(
    ("type", "ladder", "value", "written", "left"),
    [
        ("person", "person", "Ann Baker", "Baker called", f"{MASK} called"),
        ("text", "person", "Ann Baker", "Baker called", f"{MASK} called"),
        ("email", "email", "ann@hokushin.example", "see hokushin.example", f"see {MASK}"),
        ("text", "plain", "Harbour Renewal 2027; Phase two", "Phase two: Harbour", f"{MASK}: Harbour"),
        ("reference", "reference", "Nordwind Logistik", "with NordwindLogistik", f"with {MASK}"),
        ("number", "number", 4711, "4,711 seats, 47 rooms", f"{MASK} seats, 47 rooms"),
        ("date", "date", "2026-12-01", "by 1 Dec", f"by {MASK}"),
        ("datetime", "date", "2026-11-30T15:30:00Z", "by 1 Dec, not 30 Nov", f"by {MASK}, not 30 Nov"),
        ("text", "plain", "Plan Z", "Plan Z works", f"{MASK} works"),
        ("text", "plain", "2026-11-30Tea time", "Tea at 2026-11-30 tea time", f"Tea at {MASK}"),
        # Words of a list are the vendor's: everybody writes them.
        ("picklist", "picklist", "priority", "our priority", "our priority"),
        ("boolean", "boolean", True, "it is true", "it is true"),
    ],
)
def test_a_hidden_field_is_looked_for_in_the_ways_in_which_its_kind_is_written(
    type: FieldType, ladder: str, value: Any, written: str, left: str
):
    extra = (FieldRow("deal.extra", type, frozenset({"price"}), ladder),)
    both = policy(("deal.next_step", "redacted", "always"), extra=extra)
    assert shown(both, **{"deal.extra": value, "deal.next_step": written}) == {"deal.next_step": left}


@pytest.mark.parametrize(
    ("field", "type", "ladder", "value", "written", "left"),
    [
        ("account.name_kana", "text", "plain", "ホクシンセイサクショ", "ほくしんせいさくしょに訪問", f"{MASK}に訪問"),
        ("account.name_en", "text", "plain", "Hokushin Works, Ltd.", "Hokushin or HOKUSHIN WORKS", f"{MASK} or {MASK}"),
        ("contacts[].name_kana", "text", "person", "タナカ タロウ", "ﾀﾅｶ様、たなか太郎", f"{MASK}様、{MASK}"),
        ("contacts[].name_kana", "person", "person", "さとう はなこ", "サトウさん", f"{MASK}さん"),
    ],
)  # fmt: skip
def test_a_reading_that_the_record_holds_is_one_of_its_names(
    field: str, type: FieldType, ladder: str, value: str, written: str, left: str
):
    extra = (FieldRow(field, type, frozenset({"person"}), ladder),)
    both = policy(("deal.next_step", "redacted", "always"), extra=extra)
    people, own = (({field: value, **PEOPLE[0]},), {}) if field.startswith("contacts") else (PEOPLE, {field: value})
    assert told(both, written, (), people, **own) == left


def test_what_is_computed_by_a_policy_is_not_looked_for_and_what_it_is_computed_from_is():
    size = FieldRow("deal.size", "text", frozenset(), "plain", expr="if deal.amount > 1M JPY then 'large' else 'small'")
    both = policy(("deal.next_step", "redacted", "always"), extra=(size,))
    assert shown(both, **{"deal.next_step": "a large one, 35M JPY"}) == {"deal.next_step": f"a large one, {MASK} JPY"}


def test_a_field_that_cannot_be_shown_at_its_rung_is_masked_too():
    exact = policy(("deal.next_step", "redacted", "always"), ("deal.amount", "band", "always"))
    dollars = {"deal.amount": Money(3_500_000_000, "USD"), "deal.next_step": "USD 35M"}  # a currency without bands
    assert shown(exact, **dollars) == {"deal.next_step": f"USD {MASK}"}


def test_what_cannot_be_masked_is_hidden():
    assert shown(policy(("deal.next_step", "redacted", "always")), **{"deal.amount": ["?", "JPY"]}) == {}


def test_partners_who_see_different_fields_have_different_texts_of_one_deal():
    both = policy(("deal.next_step", "redacted", "always"), ("deal.amount", "exact", "partner.tier == 'platinum'"))
    assert "3,500万" in shown(both, tier="platinum")["deal.next_step"]
    assert "3,500万" not in shown(both, tier="gold")["deal.next_step"]


def test_a_text_is_shown_whole_only_where_a_person_approved_this_very_text():
    whole = policy(("deal.next_step", "exact", "always"))
    assert shown(whole) == {"deal.next_step": ALL_MASKED}
    approved = {FreeText("deal.next_step", "exact", WRITTEN, WRITTEN)}
    assert shown(whole, approved.__contains__) == {"deal.next_step": WRITTEN}
    edited = shown(whole, approved.__contains__, **{"deal.next_step": WRITTEN + "。"})
    assert edited == {"deal.next_step": ALL_MASKED + "。"}


def test_text_of_a_class_that_is_never_shared_is_hidden_until_its_redaction_is_approved():
    secret = policy(("deal.secret_plan", "redacted", "always"))
    assert shown(secret) == {}
    approved = {FreeText("deal.secret_plan", "redacted", "田中様に値引き", f"{MASK}様に値引き")}
    assert shown(secret, approved.__contains__) == {"deal.secret_plan": f"{MASK}様に値引き"}


def test_the_texts_that_wait_are_told_with_what_would_be_shown():
    both = policy(("deal.next_step", "exact", "always"), ("deal.secret_plan", "exact", "always"))
    view = DealView(both, DEAL, {"contacts": PEOPLE})
    waiting = view.waiting(both.decide(view.values, {}, {}, NOW).rungs)
    assert [(each.field, each.rung, each.shown) for each in waiting] == [
        ("deal.next_step", "exact", WRITTEN),
        ("deal.secret_plan", "exact", "田中様に値引き"),
        ("deal.secret_plan", "redacted", f"{MASK}様に値引き"),
    ]


def test_an_empty_text_needs_nobody():
    assert shown(policy(("deal.secret_plan", "exact", "always")), **{"deal.secret_plan": None}) == {
        "deal.secret_plan": None
    }


def test_hidden_values_are_read_because_they_are_masked_and_only_where_a_text_is_shown():
    why = policy(("deal.next_step", "redacted", "always")).why
    assert why["deal.margin"] == why["contacts[].name"] == "hidden value, to be masked in deal.next_step"
    assert not {"deal.stage", "deal.secret_plan", "contacts.length"} & set(why)
    assert set(policy(("deal.stage", "exact", "always")).why) == {"deal.stage"}


def test_an_explanation_says_that_a_text_needs_a_person():
    whole = policy(("deal.next_step", "exact", "always"))
    found = whole.explain(DEAL, {}, {}, NOW, "deal.next_step")
    assert tuple(map(str, found.missing)) == ("exact only where a person has approved this very text, until then less",)
    masked = policy(("deal.next_step", "redacted", "always")).explain(DEAL, {}, {}, NOW, "deal.next_step")
    assert masked.missing == ()


def refused(*shows: tuple[str, str, str], extra: tuple[FieldRow, ...] = (), listed: tuple[str, ...] = ()) -> str:
    with pytest.raises(Broken) as broken:
        policy(*shows, extra=extra, listed=listed)
    (problem,) = broken.value.problems
    return problem.message


def test_free_text_does_not_get_round_redaction():
    copy = FieldRow("deal.copy", "text", frozenset({"notes"}), "plain", expr="deal.next_step")
    assert "is computed from free text, deal.next_step: its ladder is `text` too" in refused(extra=(copy,))
    assert "neither redacted nor approved" in refused(("contacts[].note", "redacted", "always"))
    assert "is free text, which has no order" in refused(
        ("deal.next_step", "redacted", "always"), listed=("deal.next_step",)
    )
    asked = refused(("deal.next_step", "exact", "always"), ("deal.stage", "exact", "deal.next_step == 'x'"))
    assert "its condition tells partners about deal.next_step" in asked


def test_masking_less_in_a_text_is_a_widening_and_shows_nothing_before_it_is_approved():
    show = ("deal.next_step", "redacted", "always")
    before, after = policy(show), policy(show, without="deal.margin")
    found = difference(before, after)
    assert found.widens
    assert not found.narrows
    assert not difference(after, before).widens
    assert difference(after, before).narrows
    bound = Bounded((after, before))
    view = DealView(after, DEAL, {"contacts": PEOPLE})
    assert view.shown(bound.decide(view.values, {}, {}, NOW).rungs) == {}


def test_a_class_that_may_be_shared_from_now_on_does_not_open_a_text_before_it_is_approved():
    show = ("deal.secret_plan", "redacted", "always")
    before, after = policy(show), policy(show, never_share=frozenset())
    assert difference(before, after).widens
    bound = Bounded((after, before))
    view = DealView(after, DEAL, {"contacts": PEOPLE})
    assert view.shown(bound.decide(view.values, {}, {}, NOW).rungs) == {}
    assert shown(after) == {"deal.secret_plan": f"{MASK}様に値引き"}


def test_a_text_that_a_person_approved_stays_shown_while_another_change_waits():
    """Both versions never share its class, so both ask for the approval that there is."""
    show = ("deal.secret_plan", "redacted", "always")
    before, after = policy(show), policy(show, ("deal.stage", "exact", "always"))
    approved = {FreeText("deal.secret_plan", "redacted", "田中様に値引き", f"{MASK}様に値引き")}
    view = DealView(after, DEAL, {"contacts": PEOPLE}, approved.__contains__)
    rungs = Bounded((after, before)).decide(view.values, {}, {}, NOW).rungs
    assert view.shown(rungs) == {"deal.secret_plan": f"{MASK}様に値引き"}


def test_a_text_is_hidden_as_long_as_something_that_is_masked_in_it_has_not_been_read():
    both = policy(("deal.next_step", "redacted", "always"), ("deal.stage", "exact", "always"))
    rungs = both.decide(DEAL, {}, {}, NOW).rungs
    for field, texts in (("deal.margin", 0), ("contacts[].name", 0), ("deal.stage", 1)):
        unread = frozenset({field})
        view = DealView(both, DEAL, {"contacts": PEOPLE}, unread=unread)
        assert view.shown(rungs).keys() == {"deal.stage", *["deal.next_step"] * texts}
        if not texts:
            made = DealTexts(DEAL, {"contacts": PEOPLE}, both.calendar.zone, nothing_approved, unread)
            layout = both.layout(rungs)
            with pytest.raises(ValueError, match=r"^unread$"):
                made.at(layout.texts[0], layout.masked)


def test_a_field_that_cannot_be_shown_at_its_rung_lets_no_text_wait():
    both = policy(("deal.next_step", "redacted", "always"), ("deal.amount", "band", "always"))
    view = DealView(both, {**DEAL, "deal.amount": Money(1, "USD")}, {"contacts": PEOPLE})
    assert view.waiting(both.decide(view.values, {}, {}, NOW).rungs) == []


def told(policy: Policy, text: str, others: Any, people: Any = PEOPLE, **other: Any) -> Any:
    """The next step as a partner reads it, where these stand beside the deal."""
    view = DealView(
        policy,
        {**DEAL, "deal.next_step": text, **other},
        {"contacts": people},
        others=None if others is None else Others(tuple(others)),
    )
    return view.shown(policy.decide(view.values, {}, {}, NOW).rungs).get("deal.next_step")


OTHERS = [
    ("company", "みなと情報システム株式会社"),
    ("company", None),
    ("person", "水原 あおい"),
    ("email", "a@minato.example"),
]


def test_whoever_stands_beside_the_deal_is_masked_whatever_its_reader_sees_of_the_record():
    step = ("deal.next_step", "redacted", "always")
    for shows in ([step], [step, ("account.name", "exact", "always"), ("contacts[].name", "exact", "always")]):
        both = policy(*shows)
        assert told(both, "㈱みなと情報ｼｽﾃﾑと水原さん", OTHERS) == f"㈱{MASK}と{MASK}さん"
        assert told(both, "@minato.example", OTHERS) == f"@{MASK}"
        assert told(both, "みなと情報システム", None) is None  # they have not been read


def test_whom_a_reader_sees_named_on_the_record_is_named_in_the_text_though_he_sells_too():
    """A mask would tell that this customer is a partner as well, or that its employee is one of a partner's."""
    step = ("deal.next_step", "redacted", "always")
    others = [("company", "北辰製作所"), ("company", "北辰テクノ株式会社"), ("person", "田中 次郎")]
    named = policy(step, ("account.name", "exact", "always"), ("contacts[].name", "exact", "always"))
    written = "北辰製作所の田中様、北辰テクノの田中次郎さん"
    assert told(named, written, others) == f"北辰製作所の田中様、{MASK}の{MASK}さん"
    assert told(policy(step), written, others) == f"{MASK}の{MASK}様、{MASK}の{MASK}さん"
