"""A mapping beside what a CRM describes: pure, so every case is a row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

import pytest

from connectors.base import FieldShape, ObjectShape
from mapping.drift import FITS, Remembered, drifts_of, remembered, targets
from mapping.model import Place
from mapping.uses import Use
from mapping.values import FieldType

HERE = Place("mappings/sf.yaml", 7, 5)


def shapes(**objects: Mapping[str, FieldShape]) -> dict[str, ObjectShape]:
    return {name: ObjectShape(name, name, fields) for name, fields in objects.items()}


def field(name: str, type: str = "string", *options: str, label: str = "", to: tuple[str, ...] = ()) -> FieldShape:
    return FieldShape(name, label or name, type, options, to)


def deal(*fields: FieldShape) -> dict[str, ObjectShape]:
    return shapes(Deal={each.name: each for each in fields})


def use(name: str, type: FieldType = "text", *values: str, **more: object) -> Use:
    return Use("Deal", name, HERE, type, tuple((each, HERE) for each in values), **more)  # type: ignore[arg-type]


def test_every_type_of_ours_says_what_it_can_be_read_from():
    assert set(FITS) == set(get_args(FieldType))


@pytest.mark.parametrize(
    ("ours", "fine", "wrong"),
    [
        ("text", ("string", "picklist", "currency", "datetime", "reference"), ("address", "location", "json")),
        ("money", ("currency", "double", "number", "percent"), ("string", "date", "picklist")),
        ("number", ("int", "double", "number"), ("string", "boolean")),
        ("date", ("date", "datetime"), ("string", "number")),
        ("datetime", ("datetime",), ("date", "string")),
        ("boolean", ("boolean", "bool"), ("string", "number")),
        ("email", ("email", "string"), ("number", "date")),
        ("picklist", ("picklist", "enumeration", "string", "boolean"), ("date", "address")),
        ("multi", ("multipicklist", "enumeration", "string"), ("number", "date")),
        ("reference", ("reference", "association", "string"), ("number", "date")),
        ("person", ("string", "picklist"), ("address",)),
    ],
)
def test_a_type_that_ours_can_not_be_read_from_is_told(ours, fine, wrong):
    for kind in fine:
        assert drifts_of([use("X", ours)], deal(field("X", kind)), {}) == [], kind
    for kind in wrong:
        (found,) = drifts_of([use("X", ours)], deal(field("X", kind)), {})
        assert (found.kind, found.holds) == ("type", True), kind
        assert f"`{kind}`" in found.what


def test_a_type_that_nobody_knows_is_not_doubted():
    assert drifts_of([use("X", "money")], deal(field("X", "a column of a spreadsheet")), {}) == []


def test_a_choice_of_true_and_false_can_be_a_boolean_and_no_other_choice():
    assert drifts_of([use("X", "boolean")], deal(field("X", "enumeration", "true", "false")), {}) == []


def test_before_it_was_ever_seen_a_missing_field_has_the_word_that_was_probably_meant():
    (found,) = drifts_of([use("Ammount")], deal(field("Amount"), field("Name")), {})
    assert (found.suggestion, found.label) == ("Amount", "")
    assert str(found.problem()) == f"{HERE} {found.what}; did you mean `Amount`?"


def test_a_field_that_is_gone_keeps_the_label_under_which_it_was_seen_and_a_twin_of_it_is_its_new_name():
    memory = {("Deal", "Region__c"): Remembered("Sales region", "picklist", ())}
    (gone,) = drifts_of([use("Region__c")], deal(field("Name")), memory)
    assert (gone.label, gone.suggestion) == ("Sales region", "")
    assert "removed, or renamed, or is hidden" in gone.what
    (renamed,) = drifts_of([use("Region__c")], deal(field("Territory__c", label="Sales region")), memory)
    assert renamed.suggestion == "Territory__c"


def test_a_dotted_field_is_looked_for_behind_its_lookup():
    uses = [use("Account.Name"), use("Reseller__r.Owner.Email")]
    own = deal(field("AccountId", "reference", to=("Account",)), field("Reseller__c", "reference", to=("Partner",)))
    assert targets(uses, own) == {"Account", "Partner"}
    known = {**own, **shapes(Account={"Name": field("Name")})}
    known |= shapes(Partner={"OwnerId": field("OwnerId", "reference", to=("Group", "User"))})
    assert targets(uses, known) == {"User"}
    known |= shapes(User={"Emails": field("Emails")})
    assert targets(uses, known) == set()
    (found,) = drifts_of(uses, known, {})
    assert (found.field, found.suggestion) == ("Reseller__r.Owner.Email", "Reseller__r.Owner.Emails")


def test_an_object_that_is_hidden_is_one_alarm_and_not_one_for_each_field():
    uses = [Use("Deal", "", HERE), use("Name"), use("Amount", "money")]
    (found,) = drifts_of(uses, {}, {})
    assert (found.kind, found.field) == ("object", "")


def test_a_value_of_the_mapping_that_was_never_there_is_told_and_holds_nothing():
    (found,) = drifts_of(
        [use("Tier", "picklist", "Gold", "Sliver")], deal(field("Tier", "picklist", "Gold", "Silver")), {}
    )
    assert (found.kind, found.suggestion, found.holds) == ("value gone", "Silver", False)


def test_a_value_that_was_there_and_is_gone_holds_shares_for_as_long_as_the_mapping_names_it():
    memory = {("Deal", "Tier"): Remembered("Tier", "picklist", ("Gold", "Silver"))}
    now = deal(field("Tier", "picklist", "Gold plus", "Silver"))
    uses = [use("Tier", "picklist", "Gold", "Silver")]
    (found,) = drifts_of(uses, now, memory)
    assert (found.holds, found.suggestion) == (True, "Gold plus")
    kept = remembered(uses, now, memory, [found])
    assert kept == memory
    mended = [use("Tier", "picklist", "Gold plus", "Silver")]
    assert drifts_of(mended, now, kept) == []
    assert remembered(mended, now, kept, [])["Deal", "Tier"].options == ("Gold plus", "Silver")


def test_a_value_that_the_mapping_leaves_out_is_told_where_nothing_stands_in_for_it():
    now = deal(field("Tier", "picklist", "Gold", "Silver"))
    (found,) = drifts_of([use("Tier", "picklist", "Gold", covers=frozenset({"Gold"}))], now, {})
    assert (found.kind, found.holds, "`Silver`" in found.what) == ("value new", False, True)
    assert drifts_of([use("Tier", "picklist", "Gold")], now, {}) == []


def test_where_the_crm_names_no_values_any_may_come():
    assert drifts_of([use("Tier", "picklist", "Gold", covers=frozenset({"Gold"}))], deal(field("Tier")), {}) == []


def test_what_is_only_beside_a_deal_holds_no_share():
    (found,) = drifts_of([use("Email", "email", decides=False)], deal(field("Name")), {})
    assert not found.holds
