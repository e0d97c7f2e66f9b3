"""The words of mappings/*.yaml."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, get_args

from marshmallow import ValidationError, validates_schema

from config.positions import quoted
from config.words import CRM_NAME, OUR_NAME, Inner, Many, OneOf, Scalar, Table, Text, Words, said
from config.workspace import INVOLVEMENTS
from mapping.values import FieldType

TYPES: tuple[str, ...] = get_args(FieldType)
# What each way of naming a deal's partners must and may have.
WAYS: Mapping[str, tuple[frozenset[str], frozenset[str]]] = {
    "child": (frozenset({"object"}), frozenset({"deal", "account", "role", "roles"})),
    "label": (frozenset({"label"}), frozenset({"roles"})),
    "lookup": (frozenset({"field"}), frozenset()),
    "key": (frozenset({"field"}), frozenset()),
    "population": (frozenset({"deals", "partners"}), frozenset()),
}
_CURRENCY = re.compile(r"[A-Z]{3}|" + CRM_NAME.pattern)
_DEFAULTS: Mapping[str, tuple[type, ...]] = {
    "text": (str,), "picklist": (str,), "reference": (str,), "person": (str,), "email": (str,),
    "number": (int, float), "boolean": (bool,),
}  # fmt: skip


def crm_field(**options: Any) -> Text:
    """A field as the CRM calls it."""
    return Text(CRM_NAME, "a CRM field such as `Amount` or `Account.Name`", **options)


def filters() -> Table:
    """`only:`, CRM field -> the values that are taken."""
    return Table(crm_field(), Many(Scalar(), one=True), data_key="only")


class AnyValue(Scalar):
    """A value of its own type."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **options: Any) -> Any:
        super()._deserialize(value, attr, data, **options)
        return value


class FieldWords(Words):
    """One field: a CRM field alone is text."""

    from_ = Many(crm_field(), one=True, data_key="from", required=True, most=10)
    type = OneOf("type", TYPES, load_default="text")
    values = Table(Text(most=255), Scalar())
    default = AnyValue()
    currency = Text(_CURRENCY, "a currency such as `JPY`, or a CRM field that holds one")
    join = Text(most=10, blank=True)

    @validates_schema
    def fits_its_type(self, data: Any, **_: Any) -> None:
        """Some keys belong to some types only."""
        kind, errors = data["type"], {}
        if kind == "money" and "currency" not in data:
            errors["currency"] = "missing key <key>; write a code such as `JPY`, or the CRM field that holds one"
        if kind != "money" and "currency" in data:
            errors["currency"] = f"<key> is for money, and this is {quoted(kind)}; delete it, or correct the type"
        if kind not in ("picklist", "multi") and "values" in data:
            errors["values"] = f"<key> is for picklists, and this is {quoted(kind)}; delete it, or correct the type"
        if "join" in data and (kind not in ("text", "person") or len(data["from_"]) < 2):
            errors["join"] = "<key> is for text or a person from several CRM fields; delete it, or name several"
        if "default" in data and not isinstance(data["default"], _DEFAULTS.get(kind, ())):
            errors["default"] = f"<key> does not fit the type {quoted(kind)}; write a value of that type"
        if errors:
            raise ValidationError({key: [said(text)] for key, text in errors.items()})


def our_fields(prefix: str) -> Table:
    """Our field -> where it comes from."""
    return Table(
        Text(re.compile(re.escape(prefix) + OUR_NAME), f"a field here: its name begins with `{prefix}`"),
        Inner(FieldWords, short="from"),
        required=True,
        data_key="fields",
    )


class ObjectWords(Words):
    """What every object has."""

    object = Text(CRM_NAME, "a CRM object such as `Account`", required=True)
    taken = filters()


class PartnerWords(ObjectWords):
    """Accounts that are partners."""

    key = crm_field(required=True)
    named = our_fields("partner.")


class AccountWords(ObjectWords):
    """Customers."""

    named = our_fields("account.")


class ContactWords(ObjectWords):
    """People at an account."""

    account = crm_field(required=True)
    named = our_fields("contacts[].")


class UserWords(ObjectWords):
    """People of the vendor."""

    named = our_fields("user.")


class RelationWords(Words):
    """One way in which the CRM says who is on a deal."""

    via = OneOf("way", WAYS, required=True)
    object = Text(CRM_NAME, "a CRM object such as `Account`")
    deal = crm_field()
    account = crm_field()
    role = crm_field()
    roles = Table(Text(most=255), OneOf("involvement", INVOLVEMENTS))
    label = Text(most=100)
    names = crm_field(data_key="field")
    deals = Table(Text(re.compile(r"deal\." + OUR_NAME), "a field of a deal"), Many(Scalar(), one=True))
    partners = Table(Text(re.compile(r"partner\." + OUR_NAME), "a field of a partner"), Many(Scalar(), one=True))
    otherwise = OneOf("involvement", INVOLVEMENTS, required=True)

    @validates_schema
    def has_what_its_way_needs(self, data: Any, **_: Any) -> None:
        """Each way has its own keys."""
        must, may = WAYS[data["via"]]
        given = {"field" if key == "names" else key for key in data} - {"via", "otherwise"}
        errors = {
            key: [said(f"<key> is not for {quoted(data['via'])}; delete it", on_key=True)] for key in given - must - may
        }
        errors |= {key: [said(f"missing key <key>; {quoted(data['via'])} needs it")] for key in must - given}
        if errors:
            raise ValidationError(errors)


class DealWords(ObjectWords):
    """Opportunities, and who is on them."""

    account = crm_field(required=True)
    owner = crm_field()
    named = our_fields("deal.")
    partners = Many(Inner(RelationWords), required=True, most=20)
    replies = Many(Text(), one=True, most=10)


class MappingWords(Words):
    """A mapping: one connection's objects in our words."""

    connection = Text(required=True)
    partners = Inner(PartnerWords, required=True)
    accounts = Inner(AccountWords, required=True)
    contacts = Inner(ContactWords)
    opportunities = Inner(DealWords, required=True)
    users = Inner(UserWords)
