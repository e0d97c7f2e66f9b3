"""The sandbox CRM as its users change it: deals, owners, partners on deals, and what stands on a record's timeline."""

from __future__ import annotations

from dataclasses import dataclass

from connectors.sandbox.hubspot import links as hubspot_links
from connectors.sandbox.hubspot.schema import OWN_OBJECT, PARTNER_LABELS
from connectors.sandbox.records import Gone, Org, Records, Row
from connectors.sandbox.salesforce.schema import OBJECTS

__all__ = ["Crm", "Gone", "Org", "Row", "TimelineEntry"]

DEAL_OBJECTS: dict[Org, str] = {"salesforce": "Opportunity", "hubspot": "deals"}
ACCOUNT_OBJECTS: dict[Org, str] = {"salesforce": "Account", "hubspot": "companies"}
OWNER_FIELDS: dict[Org, str] = {"salesforce": "OwnerId", "hubspot": "hubspot_owner_id"}


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One task or note on a record, as its page shows it."""

    object: str
    id: str
    subject: str  # empty for a note
    body: str  # a note's is HTML
    day: str
    owner_id: str | None
    key: str | None
    stamp: str


@dataclass(frozen=True, slots=True)
class PartnerOnDeal:
    """One partner on a deal: its account, and the role or label under which it is on it."""

    account_id: str
    role: str


class Crm(Records):
    """Both orgs, with the changes that a CRM user makes by hand."""

    @property
    def has_own_object(self) -> bool:
        """Whether the HubSpot account has made an object of its own for logged actions."""
        return bool(self.select("SELECT 1 FROM secret WHERE name = 'own object'"))

    def make_own_object(self) -> None:
        """Make it, as an Enterprise account can."""
        self.secret("own object", lambda: "yes")

    def reassign(self, org: Org, deal_id: str, owner_id: str) -> None:
        """Give a deal to another user."""
        self.edit(org, DEAL_OBJECTS[org], deal_id, {OWNER_FIELDS[org]: owner_id})

    def add_partner(self, org: Org, deal_id: str, account_id: str, role: str = "", *, primary: bool = False) -> str:
        """Put a partner on a deal, in a role (Salesforce) or under a label (HubSpot); the new row's id, if any."""
        if org == "salesforce":
            return self._add_opportunity_partner(deal_id, account_id, role or "Reseller", primary=primary)
        wanted = role or PARTNER_LABELS[0]
        types = hubspot_links.link_types(self, "deals", "companies")
        ids = [each.type_id for each in types if each.label == wanted]
        if not ids:
            raise hubspot_links.UnknownType(f"there is no label `{wanted}` between deals and companies")
        hubspot_links.link(self, "deals", deal_id, "companies", account_id, ids)
        return ""

    def _add_opportunity_partner(self, deal_id: str, account_id: str, role: str, *, primary: bool) -> str:
        """Salesforce makes two rows: one names the partner, its reverse names the deal's own customer."""
        with self.batch():
            customer = self.get("salesforce", "Opportunity", deal_id).fields.get("AccountId")
            if primary:
                for row in self.rows("salesforce", "OpportunityPartner", where={"OpportunityId": deal_id}):
                    self.edit("salesforce", "OpportunityPartner", row.id, {"IsPrimary": False})
            forward = {"OpportunityId": deal_id, "AccountToId": account_id, "Role": role, "IsPrimary": primary}
            id = self.create("salesforce", "OpportunityPartner", forward)
            if customer:
                reverse = {
                    "OpportunityId": deal_id,
                    "AccountToId": customer,
                    "Role": "Customer",
                    "ReversePartnerId": id,
                }
                reverse_id = self.create("salesforce", "OpportunityPartner", reverse)
                self.edit("salesforce", "OpportunityPartner", id, {"ReversePartnerId": reverse_id})
        return id

    def remove_partner(self, org: Org, deal_id: str, account_id: str) -> None:
        """Take a partner off a deal, whatever its roles or labels."""
        if org == "hubspot":
            hubspot_links.unlink(self, "deals", deal_id, "companies", account_id)
            return
        with self.batch():
            wanted = {"OpportunityId": deal_id, "AccountToId": account_id}
            for row in self.rows("salesforce", "OpportunityPartner", where=wanted):
                self.delete("salesforce", "OpportunityPartner", row.id)
            if self.get("salesforce", "Opportunity", deal_id).fields.get("PartnerAccountId") == account_id:
                self.edit("salesforce", "Opportunity", deal_id, {"PartnerAccountId": None})

    def partners_on(self, org: Org, deal_id: str) -> list[PartnerOnDeal]:
        """Who is on a deal, without the reverse rows."""
        return self._opportunity_partners(deal_id) if org == "salesforce" else self._labelled_companies(deal_id)

    def _opportunity_partners(self, deal_id: str) -> list[PartnerOnDeal]:
        deal = self.find("salesforce", "Opportunity", deal_id)
        fields = deal.fields if deal else {}
        rows = self.rows("salesforce", "OpportunityPartner", where={"OpportunityId": deal_id})
        found = [PartnerOnDeal(row.fields["AccountToId"], row.fields.get("Role") or "") for row in rows]
        if fields.get("PartnerAccountId"):
            found.append(PartnerOnDeal(fields["PartnerAccountId"], "Partner account"))
        return [each for each in found if each.account_id != fields.get("AccountId")]

    def _labelled_companies(self, deal_id: str) -> list[PartnerOnDeal]:
        return [
            PartnerOnDeal(each.to_id, kind.label or "")
            for each in hubspot_links.links(self, "deals", deal_id, "companies")
            for kind in each.types
            if kind.category == "USER_DEFINED"
        ]

    def merge(self, object: str, kept_id: str, lost_id: str) -> str:
        """Merge two records. HubSpot: a new one takes their place, and both old ids answer as it. Salesforce: the
        first stays, the other goes into the recycle bin and names it. The id of what is left."""
        if object in OBJECTS:
            return self._merge_into(object, kept_id, lost_id)
        with self.batch():
            kept, lost = self.get("hubspot", object, kept_id), self.get("hubspot", object, lost_id)
            known = {name: value for name, value in kept.fields.items() if value not in (None, "")}
            merged = {**lost.fields, **known, "hs_merged_object_ids": f"{kept_id};{lost_id}"}
            id = self.create("hubspot", object, merged)
            for old in (kept_id, lost_id):
                self.purge("hubspot", object, old)
                self.execute("INSERT INTO merged VALUES (?, ?, ?)", (object, old, id))
                for side in ("from", "to"):
                    move = f"UPDATE OR REPLACE link SET {side}_id = ? WHERE {side}_object = ? AND {side}_id = ?"  # noqa: S608
                    self.execute(move, (id, object, old))
        return id

    def _merge_into(self, object: str, kept_id: str, lost_id: str) -> str:
        with self.batch():
            kept, lost = self.get("salesforce", object, kept_id), self.get("salesforce", object, lost_id)
            for child, fields in OBJECTS.items():
                for field in fields.values():
                    if object in field.to and field.name != "MasterRecordId":
                        for row in self.rows("salesforce", child, where={field.name: lost_id}):
                            self.edit("salesforce", child, row.id, {field.name: kept_id})
            known = {name: value for name, value in kept.fields.items() if value not in (None, "")}
            self.edit("salesforce", object, kept_id, {**lost.fields, **known})
            self.edit("salesforce", object, lost_id, {"MasterRecordId": kept_id})
            self.delete("salesforce", object, lost_id)
        return kept_id

    def timeline(self, org: Org, record_id: str) -> list[TimelineEntry]:
        """The tasks (Salesforce), or notes, tasks and own records (HubSpot), that stand on a record, newest first."""
        if org == "salesforce":
            entries = [_task(row) for row in self.rows(org, "Task", where={"WhatId": record_id})]
        else:
            kinds = ("notes", "tasks", OWN_OBJECT)
            entries = [entry for object in kinds for entry in self._hubspot_activities(record_id, object)]
        return sorted(entries, key=lambda each: (each.day, each.stamp, each.id), reverse=True)

    def _hubspot_activities(self, record_id: str, object: str) -> list[TimelineEntry]:
        ids = self.select(
            "SELECT DISTINCT to_id FROM link WHERE from_id=? AND to_object=? ORDER BY to_id", (record_id, object)
        )
        found = (self.find("hubspot", object, id) for (id,) in ids)
        return [_note(row) for row in found if row and not row.deleted]


def _task(row: Row) -> TimelineEntry:
    fields = row.fields
    return TimelineEntry(
        "Task",
        row.id,
        fields.get("Subject") or "",
        fields.get("Description") or "",
        fields.get("ActivityDate") or row.created[:10],
        fields.get("OwnerId"),
        fields.get("Sudare_Key__c"),
        row.stamp,
    )


def _note(row: Row) -> TimelineEntry:
    fields = row.fields
    return TimelineEntry(
        row.object,
        row.id,
        fields.get("hs_task_subject") or "",
        fields.get("hs_note_body") or fields.get("hs_task_body") or fields.get("sudare_body") or "",
        (fields.get("hs_timestamp") or fields.get("sudare_done_at") or row.created)[:10],
        fields.get("hubspot_owner_id"),
        fields.get("sudare_key"),
        row.stamp,
    )
