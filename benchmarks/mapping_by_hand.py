"""The benchmark's mapping as one writes it with marshmallow."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from marshmallow import Schema, fields, post_load
from org import EXTRA

from mapping.values import Money

_STAGES = {
    "Prospecting": "prospecting",
    "Qualification": "qualification",
    "Proposal/Price Quote": "proposal",
    "Negotiation/Review": "negotiation",
    "Closed Won": "won",
    "Closed Lost": "lost",
}


Filler = Schema.from_dict(
    {f"extra_{number}": fields.String(data_key=name, allow_none=True) for number, name in enumerate(EXTRA, start=1)}
)


class Deal(Filler):  # type: ignore[misc, valid-type]
    """One opportunity."""

    id = fields.String(data_key="Id", required=True)
    stamp = fields.AwareDateTime(data_key="SystemModstamp", format="%Y-%m-%dT%H:%M:%S.%f%z")
    name = fields.String(data_key="Name", allow_none=True)
    account = fields.String(data_key="AccountId", allow_none=True)
    owner = fields.String(data_key="OwnerId", allow_none=True)
    stage = fields.String(data_key="StageName", allow_none=True)
    amount = fields.Float(data_key="Amount", allow_none=True)
    currency = fields.String(data_key="CurrencyIsoCode", allow_none=True)
    close = fields.Date(data_key="CloseDate", allow_none=True)
    region = fields.String(data_key="Region__c", allow_none=True)

    @post_load
    def ours(self, row: dict[str, Any], **_: Any) -> dict[str, Any]:
        """In our words."""
        return {
            "id": row["id"],
            "stamp": row["stamp"],
            "account": row["account"],
            "deal.name": row["name"],
            "deal.stage": _STAGES.get(row["stage"], "other"),
            "deal.amount": Money(int(Decimal(str(row["amount"]))), row["currency"]),
            "deal.close": row["close"].isoformat(),
            "deal.region": row["region"].lower(),
            **{f"deal.extra_{number}": row[f"extra_{number}"] for number in range(1, len(EXTRA) + 1)},
        }


class Account(Schema):
    """One account, a partner's or a customer's."""

    id = fields.String(data_key="Id", required=True)
    stamp = fields.AwareDateTime(data_key="SystemModstamp", format="%Y-%m-%dT%H:%M:%S.%f%z")
    name = fields.String(data_key="Name", allow_none=True)
    is_partner = fields.Boolean(data_key="IsPartner")
    code = fields.String(data_key="Partner_Code__c", allow_none=True)
    tier = fields.String(data_key="Partner_Tier__c", allow_none=True)
    nda = fields.String(data_key="Partner_NDA__c", allow_none=True)
    region = fields.String(data_key="Partner_Region__c", allow_none=True)

    @post_load
    def ours(self, row: dict[str, Any], **_: Any) -> dict[str, Any]:
        """In our words; a customer has no key."""
        known = {f"partner.{name}": row[name] for name in ("name", "tier", "nda", "region")}
        key = row["code"] if row["is_partner"] else None
        return {"id": row["id"], "stamp": row["stamp"], "account.name": row["name"], "key": key, "partner": known}
