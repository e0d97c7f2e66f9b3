"""CRM records become values by our names, and a CRM is asked for nothing that nothing needs."""

from __future__ import annotations

import math
import re
import typing
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.base import Attributes, RelationSource, Stream
from mapping.compile import Reason, is_partner, narrowed, reasons, streams
from mapping.fields import code_of, compile_fields, compile_salvage
from mapping.model import ConnectionMapping, FieldMapping, ObjectMapping, RelationMapping
from mapping.readers import Unmappable
from mapping.values import FieldType, Money, freeze

TOKYO, NEW_YORK = ZoneInfo("Asia/Tokyo"), ZoneInfo("America/New_York")


def getter(name: str) -> Any:
    return lambda fields: fields.get(name)


def inline(name: str) -> Any:
    return Attributes((name,))


def mapped(field: FieldMapping, fields: dict[str, Any], zone: ZoneInfo = TOKYO) -> Any:
    """The field's value, which is the same however the connector's getters read."""
    deal = ObjectMapping("Deal", (field,))
    called, inlined = compile_fields(deal, getter, zone), compile_fields(deal, inline, zone)
    try:
        found = called(fields)[field.name]
    except Unmappable as problem:
        with pytest.raises(Unmappable, match=f"^{re.escape(str(problem))}$"):
            inlined(SimpleNamespace(**fields))
        raise
    assert repr(inlined(SimpleNamespace(**fields))[field.name]) == repr(found)
    return found


def field(type: Any, **more: Any) -> FieldMapping:
    return FieldMapping("deal.x", type, more.pop("sources", ("X",)), **more)


@pytest.mark.parametrize(
    ("type", "given_value", "value"),
    [
        ("text", "  Yokohama ", "Yokohama"),
        ("text", "ガ", "ガ"),  # NFC
        ("text", "a\x00b\ue000c\ue001\uf8ffd", "abcd"),
        ("text", "two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("text", "  \u200e  ", "\u200e"),
        ("text", "   ", None),
        ("text", 12, "12"),
        ("text", True, "true"),
        ("text", "x" * 40_000, "x" * 32_000),
        ("person", "田中 太郎", "田中 太郎"),
        ("email", " T.Tanaka@Example.COM ", "t.tanaka@example.com"),
        ("reference", ["17", "18"], "17"),
        ("number", "12", 12),
        ("number", "12.5", 12.5),
        ("number", 3.0, 3),
        ("number", 2**80, 2**80),
        ("boolean", "true", True),
        ("boolean", "FALSE", False),
        ("boolean", True, True),
        ("date", "2026-12-31", "2026-12-31"),
        ("date", "2026-12-31T00:00:00Z", "2026-12-31"),
        ("date", "2026-12-31T00:00:00.000Z", "2026-12-31"),
        ("date", "2026-12-31T00:00:00.000+0000", "2026-12-31"),
        ("date", "2026-12-31T16:00:00Z", "2027-01-01"),
        ("date", "1798675200000", "2026-12-31"),
        ("date", 1798675200000, "2026-12-31"),
        ("datetime", "2026-12-31T09:00:00+09:00", "2026-12-31T00:00:00Z"),
        ("datetime", "2026-12-31T09:00:00.123+0000", "2026-12-31T09:00:00Z"),
        ("datetime", "1798675200000", "2026-12-31T00:00:00Z"),
        ("multi", "erp; cloud ;erp;", ["cloud", "erp"]),
        ("multi", ["b", "a", None], ["a", "b"]),
        ("multi", ";", None),
        ("picklist", " Gold ", "Gold"),
    ],
)
def test_each_type_reads_what_either_crm_writes(type: Any, given_value: Any, value: Any) -> None:
    found = mapped(field(type), {"X": given_value})
    assert found == value
    assert found is None or found.__class__ is value.__class__


def test_midnight_utc_is_a_day_and_not_the_evening_before_in_new_york() -> None:
    assert mapped(field("date"), {"X": "2026-12-31T00:00:00Z"}, NEW_YORK) == "2026-12-31"
    assert mapped(field("date"), {"X": 1798675200000}, NEW_YORK) == "2026-12-31"
    assert mapped(field("date"), {"X": "2026-12-31T00:00:01Z"}, NEW_YORK) == "2026-12-30"


@pytest.mark.parametrize(
    ("amount", "currency", "value"),
    [
        (12_340_000, "JPY", Money(12_340_000, "JPY")),
        (12_340_000.0, "JPY", Money(12_340_000, "JPY")),
        ("12340000", "JPY", Money(12_340_000, "JPY")),
        ("0.1", "USD", Money(10, "USD")),
        (0.1 + 0.2, "USD", Money(30, "USD")),
        ("12.345", "KWD", Money(12_345, "KWD")),
        ("0.125", "USD", Money(12, "USD")),
        ("0.135", "USD", Money(14, "USD")),
        ("1e6", "USD", Money(100_000_000, "USD")),
        (-5, "USD", Money(-500, "USD")),
        (0, "USD", Money(0, "USD")),
    ],
)
def test_money_is_exact_in_its_currency(amount: Any, currency: str, value: Money) -> None:
    assert mapped(field("money", currency="Code"), {"X": amount, "Code": currency}) == value
    assert mapped(field("money", currency=currency), {"X": amount}) == value


_NEAR_CENTS = st.builds(
    lambda cents, step: math.nextafter(cents / 100, step),
    st.integers(-(10**15), 10**15),
    st.sampled_from([math.inf, -math.inf]),
)


@given(st.one_of(st.floats(-1e14, 1e14), st.integers(-(10**14), 10**14).map(lambda cents: cents / 100), _NEAR_CENTS))
@settings(deadline=None)
def test_a_number_is_the_same_money_as_its_decimal_text(amount: float) -> None:
    for currency in ("JPY", "USD", "KWD"):
        read = field("money", currency=currency)
        assert mapped(read, {"X": amount}) == mapped(read, {"X": repr(amount)})


def test_a_text_read_again_and_again_becomes_the_same_each_time() -> None:
    read = compile_fields(ObjectMapping("Deal", (field("email"),)), getter, TOKYO)
    for number in [*range(700), *range(700)]:
        assert dict(read({"X": f" A{number}@X.example "})) == {"deal.x": f"a{number}@x.example"}
    several = compile_fields(ObjectMapping("Deal", (field("multi"),)), getter, TOKYO)
    first, second = several({"X": "a;b"}), several({"X": "a;b"})
    assert first == second
    assert first["deal.x"] is not second["deal.x"]


@pytest.mark.parametrize(
    ("type", "given_value", "reason"),
    [
        ("number", "12 secret", "is not a number"),
        ("number", True, "is not a number"),
        ("number", "inf", "is not a finite number"),
        ("boolean", "secret", "is neither true nor false"),
        ("date", "2026-13-01", "is not a date"),
        ("date", "secret", "is not a date with time and offset"),
        ("datetime", "2026-12-31T09:00:00", "is not a date with time and offset"),
        ("datetime", "0001-01-01T00:00:00Z", "is not a date with time and offset"),
        ("datetime", "9" * 30, "is not a date with time and offset"),
        ("money", "secret", "is not an amount"),
        ("money", "nan", "is out of range"),
        ("money", "1e30", "is out of range"),
        ("money", 10**18, "is out of range"),
        ("money", ["secret"], "is not an amount"),
    ],
)
def test_a_value_that_cannot_be_read_names_the_field_and_never_the_value(
    type: Any, given_value: Any, reason: str
) -> None:
    with pytest.raises(Unmappable) as unmappable:
        mapped(field(type, currency="JPY"), {"X": given_value})
    assert str(unmappable.value) == f"deal.x: `X` {reason}"
    assert (unmappable.value.field, unmappable.value.crm_field) == ("deal.x", "X")
    assert unmappable.value.__suppress_context__  # no log of it holds the value either


def test_money_without_a_currency_is_unreadable_only_where_there_is_an_amount() -> None:
    money = field("money", currency="Code")
    assert mapped(money, {"X": None, "Code": None}) is None
    assert mapped(money, {"X": "", "Code": None}) is None
    for code in ("", None, 5, "yen", "JPY ", ["JPY"]):
        with pytest.raises(Unmappable, match=r"^deal\.x: `Code` holds no currency code$"):
            mapped(money, {"X": 5, "Code": code})


def test_a_picklist_is_translated_and_what_is_not_listed_takes_the_default() -> None:
    stage = field("picklist", values={"Closed Won": "won"}, default="other")
    assert [mapped(stage, {"X": value}) for value in ("Closed Won", "New", None, "")] == [
        "won",
        "other",
        "other",
        "other",
    ]
    assert mapped(field("picklist", values={"Closed Won": "won"}), {"X": "New"}) is None
    tags = field("multi", values={"E": "erp", "C": "cloud"})
    assert mapped(tags, {"X": "C;E;unlisted"}) == ["cloud", "erp"]


def test_several_sources_give_the_first_that_is_not_empty_or_all_of_them_joined() -> None:
    first = field("person", sources=("A", "B"), default="nobody")
    assert [mapped(first, {"A": a, "B": b}) for a, b in (("a", "b"), (" ", "b"), ("", None))] == ["a", "b", "nobody"]
    joined = field("person", sources=("Last", "First"), join=" ", default="nobody")
    assert mapped(joined, {"Last": "田中", "First": "太郎"}) == "田中 太郎"
    assert mapped(joined, {"Last": None, "First": "太郎"}) == "太郎"
    assert mapped(joined, {"Last": "", "First": " "}) == "nobody"
    amount = field("money", sources=("A", "B"), currency="USD")
    assert mapped(amount, {"A": None, "B": "2.5"}) == Money(250, "USD")


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(typing.get_args(FieldType)),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=3),
        max_leaves=5,
    ),
)  # fmt: skip
def test_any_json_value_is_mapped_or_unmappable(type: Any, value: Any) -> None:
    try:
        found = mapped(field(type, currency="JPY"), {"X": value})
    except Unmappable:
        return
    assert not any("\ue000" <= letter <= "\uf8ff" for letter in found) if isinstance(found, str) else True


def simple(name: str, source: str, type: Any = "text", **more: Any) -> FieldMapping:
    return FieldMapping(name, type, (source,), **more)


def connection(**more: Any) -> ConnectionMapping:
    parts: dict[str, Any] = {
        "partners": ObjectMapping(
            "Account",
            (simple("partner.name", "Name"), simple("partner.tier", "Tier__c"), simple("partner.phone", "Phone")),
            only={"IsPartner": ("true",)},
        ),
        "accounts": ObjectMapping("Account", (simple("account.name", "Name"), simple("account.site", "Website"))),
        "opportunities": ObjectMapping(
            "Opportunity",
            (
                simple("deal.name", "Name"),
                simple("deal.amount", "Amount", "money", currency="CurrencyIsoCode"),
                simple("deal.margin", "Margin__c", "money", currency="EUR"),
                simple("deal.message", "Message__c"),
                simple("deal.region", "Region__c"),
            ),
            only={"Type": ("New",)},
            account="AccountId",
            owner="OwnerId",
        ),
        "contacts": ObjectMapping("Contact", (simple("contacts[].name", "Name", "person"),), account="AccountId"),
        "users": ObjectMapping("User", (simple("user.name", "Name"),)),
        "relations": (
            RelationMapping("child", RelationSource("child", "OpportunityPartner")),
            RelationMapping("lookup", field="Partner__c"),
            RelationMapping("key", field="Partner_Code__c"),
        ),
        **more,
    }
    return ConnectionMapping("sf", partner_key="Code__c", **parts)


def test_exactly_what_something_needs_is_asked_of_the_crm() -> None:
    asked = streams(connection(), frozenset({"deal.amount", "partner.tier", "account.name"}))
    assert asked.accounts == Stream("accounts", "Account", ("Code__c", "IsPartner", "Name", "Tier__c"))
    assert asked.opportunities == Stream(
        "opportunities",
        "Opportunity",
        ("AccountId", "Amount", "CurrencyIsoCode", "OwnerId", "Partner_Code__c", "Partner__c", "Type"),
        {"Type": ("New",)},
    )
    assert (asked.contacts, asked.users) == (None, None)
    source = RelationSource("child", "OpportunityPartner")
    assert asked.relations == (Stream("relations", "OpportunityPartner", relation=source),)


def test_contacts_are_read_for_a_column_and_for_their_number_alone() -> None:
    assert streams(connection(), frozenset({"contacts.length"})).contacts == Stream(
        "contacts", "Contact", ("AccountId",)
    )
    contacts = streams(connection(), frozenset({"contacts[].name"})).contacts
    assert contacts == Stream("contacts", "Contact", ("AccountId", "Name"))
    assert streams(connection(contacts=None), frozenset({"contacts.length"})).contacts is None


def test_what_the_mapping_itself_uses_is_asked_too() -> None:
    population = RelationMapping("population", deals={"deal.region": ("japan",)}, partners={"partner.phone": ("1",)})
    asked = streams(connection(relations=(population,), reply_fields=("deal.message",)), frozenset())
    assert asked.opportunities.fields == ("AccountId", "Message__c", "OwnerId", "Region__c", "Type")
    assert asked.accounts.fields == ("Code__c", "IsPartner", "Phone")


def test_every_field_that_is_read_has_its_reason() -> None:
    why = {"deal.amount": "shown by rule `Prices`", "user.name": "signs messages"}
    assert reasons(connection(relations=()), why) == [
        Reason("Account", "Code__c", "", "names the partner"),
        Reason("Account", "IsPartner", "", "tells partners from customers"),
        Reason("Opportunity", "AccountId", "", "names the account"),
        Reason("Opportunity", "Amount", "deal.amount", "shown by rule `Prices`"),
        Reason("Opportunity", "CurrencyIsoCode", "deal.amount", "shown by rule `Prices`"),
        Reason("Opportunity", "OwnerId", "", "names the user in charge"),
        Reason("Opportunity", "Type", "", "tells which records are read"),
        Reason("User", "Name", "user.name", "signs messages"),
    ]


@given(
    st.sets(
        st.sampled_from(["deal.name", "deal.amount", "deal.margin", "partner.tier", "account.site", "contacts[].name"])
    )
)
def test_reasons_and_streams_never_differ(needed: set[str]) -> None:
    asked = streams(connection(), frozenset(needed))
    for stream in (asked.accounts, asked.opportunities, asked.contacts):
        told = {
            each.crm_field
            for each in reasons(connection(), dict.fromkeys(needed, "x"))
            if stream and each.object == stream.object
        }
        assert stream is None or set(stream.fields) == told


def test_only_tells_partners_from_customers_however_the_crm_writes_a_truth() -> None:
    test = is_partner(connection(), getter)
    assert [test({"IsPartner": value}) for value in (True, "true", "TRUE", False, "", None)] == [
        True,
        True,
        True,
        False,
        False,
        False,
    ]
    assert is_partner(connection(partners=ObjectMapping("Account", ())), getter)({})


def test_a_narrowed_mapping_reads_the_needed_fields_alone() -> None:
    deals = narrowed(connection().opportunities, frozenset({"deal.name"}))
    read = compile_fields(deals, {"Name": getter("Name")}.__getitem__, TOKYO)
    assert dict(read({"Name": " x ", "Margin__c": "not a number"})) == {"deal.name": "x"}


def test_the_generated_function_of_an_object_can_be_read() -> None:
    rows = (
        simple("deal.name", "Name"),
        simple("deal.amount", "Amount", "money", currency="Code"),
        simple("deal.margin", "Margin", "money", currency="EUR"),
        simple("deal.city", "City"),
        FieldMapping("deal.person", "person", ("Last", "First")),
    )
    ways = {"City": Attributes(("Account", "Site", "City")), "Name": getter("Name")}
    code = code_of(ObjectMapping("Deal", rows), lambda name: ways.get(name, Attributes((name,))), TOKYO)
    assert code.text.splitlines() == [
        "def fields_of(record):",
        "    try:",
        "        return Fields(",
        "            money_0(record.Amount, record.Code),  # 'deal.amount'",
        "            empty_1 if (value := None if (above := None if (above := record.Account) is None else above.Site)"
        " is None else above.City) is None else known_1(value) or read_1(value),  # 'deal.city'",
        "            money_2(record.Margin, 'EUR'),  # 'deal.margin'",
        "            read_3(record),  # 'deal.name'",
        "            read_4(record),  # 'deal.person'",
        "        )",
        "    except TypeError:",
        "        return careful(record)",
    ]


def test_a_name_that_is_more_than_a_name_never_reaches_the_generated_function() -> None:
    for way in ("X), print('!'", "class", "a.b", ""):
        code = code_of(ObjectMapping("Deal", (simple("deal.x", "X"),)), lambda name, way=way: Attributes((way,)), TOKYO)  # type: ignore[misc]
        assert code.text.splitlines()[3] == "            read_0(record),  # 'deal.x'"


def test_an_empty_parent_has_empty_fields_and_a_list_is_read_like_any_value() -> None:
    rows = (simple("deal.city", "City"), simple("deal.name", "Name"))
    ways = {"City": Attributes(("Account", "City")), "Name": Attributes(("Name",))}
    read = compile_fields(ObjectMapping("Deal", rows), ways.__getitem__, TOKYO)
    assert dict(read(SimpleNamespace(Account=None, Name=["a", "b"]))) == {"deal.city": None, "deal.name": "a"}
    above = SimpleNamespace(City="Kobe")
    assert dict(read(SimpleNamespace(Account=above, Name="x"))) == {"deal.city": "Kobe", "deal.name": "x"}


def test_the_fields_of_a_record_are_stored_as_a_plain_table_of_them_is() -> None:
    rows = (simple("deal.name", "Name"), simple("deal.amount", "Amount", "money", currency="JPY"))
    fields = {"Name": "x", "Amount": 5}
    made = compile_fields(ObjectMapping("Deal", rows), getter, TOKYO)(fields)
    assert freeze(made) == freeze(dict(made)) == b'{"deal.amount":[5,"JPY"],"deal.name":"x"}'
    assert (made["deal.name"], made.get("deal.name"), made.get("deal.other")) == ("x", "x", None)
    unreadable, problems = compile_salvage(ObjectMapping("Deal", rows), getter, TOKYO)({"Name": "x", "Amount": "y"})
    assert dict(unreadable) == {"deal.name": "x", "deal.amount": None}
    assert [problem.field for problem in problems] == ["deal.amount"]
