"""The ledger's tables: rows are only added. No value of a record stands in any of them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, Table, UniqueConstraint

from sync.store.columns import metadata, number, text, where

showings = Table(  # fields at their rungs, by a digest of the whole row
    "showings",
    metadata,
    text("id", key=True),
    text("fields"),  # JSON: {"contacts[].name": "exact", ...}
    text("rules"),  # JSON: the rules in effect, [["show", "Price band for gold"], ...]; empty where fields alone count
    text("bases"),  # JSON: field about a person -> the legal basis that its rule names
)
shown = Table(  # what a partner could see of a deal, from when to when: kept for all fields
    "shown",
    metadata,
    text("deal_id", key=True),
    text("partner_id", key=True),
    text("since", key=True),
    text("showing"),
    Column("version", Integer, nullable=False),  # the configuration that decided it
    text("ended", empty=True),
)
deliveries = Table(  # what a partner received of a share: once for each showing and channel
    "deliveries",
    metadata,
    text("partner_id", key=True),
    text("deal_id", key=True),
    text("since", key=True),  # when the share began: what comes back is another one
    text("showing", key=True),
    text("channel", key=True),  # page, api, feed
    text("at"),  # the first time
)
subjects = Table(  # a natural person, by a random name; erasure destroys what leads back to the person
    "subjects",
    metadata,
    text("id", key=True),
    text("connection"),
    text("reference", empty=True),  # what the CRM calls the person; empty once erased
    Column("key", LargeBinary, nullable=True),  # the person's own key, sealed; empty once erased
    Column("name", LargeBinary, nullable=True),  # under that key
    text("erased", empty=True),
    UniqueConstraint("connection", "reference", name="subjects_by_reference"),
)
ledger = Table(  # one provision of personal data: a day, a partner, a person, what of it, by which way
    "ledger",
    metadata,
    text("subject_id", key=True),
    text("partner_id", key=True),
    text("items", key=True),  # the person's fields at their rungs: a showing
    text("channel", key=True),  # available, page, api, feed
    Column("version", Integer, primary_key=True, autoincrement=False),  # of the policy in force
    text("day", key=True),  # in the vendor's zone
    text("basis"),  # legal basis, as the rules name it; several are joined by commas
    Column("link", BigInteger, nullable=False),
    Column("place", Integer, nullable=False),  # within the link, from 0
    Column("digest", LargeBinary, nullable=False),  # SHA-256 of link, place and this row
    Index("ledger_by_partner", "partner_id", "day", "channel", "items", "basis"),  # all that a partner reads of it
    Index("ledger_by_person", "partner_id", "subject_id"),
    Index("ledger_by_link", "link", "place"),
)
ledger_links = Table(  # one link of the chain: all rows that one commit added
    "ledger_links",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    text("at"),
    number("rows"),
    text("digest"),  # SHA-256 of the link before, this one's number, instant and rows
)
ledger_heads = Table(  # a month's end, signed: can be kept outside, and outlives the month's rows
    "ledger_heads",
    metadata,
    text("month", key=True),
    Column("number", BigInteger, nullable=False),  # the month's last link
    text("digest"),
    text("signature"),  # Ed25519 over month, number and digest
    text("dropped", empty=True),  # when the month's rows were dropped
)
recalls = Table(  # a share has ended: the partner is asked for the copies back
    "recalls",
    metadata,
    text("id", key=True),
    text("partner_id"),
    text("deal_id"),
    text("public_id"),  # as the partner knew the deal
    text("since"),  # when the share began
    text("received"),  # when something of it was first received
    text("at"),
    text("due"),  # overdue from then on
    text("acknowledged", empty=True),
    text("acknowledged_by", empty=True),  # a partner user's e-mail, `api`, or `vendor: ` and an e-mail
    text("asked", empty=True),  # when the partner's people were mailed about it
    text("reminded", empty=True),  # and when once more, since it was overdue
    Index("recalls_by_partner", "partner_id", "at"),
    Index("recalls_by_deal", "deal_id"),
    Index("recalls_due", "due", **where("acknowledged is null")),
    Index("recalls_to_tell", "partner_id", **where("acknowledged is null and reminded is null")),
)
closings = Table(  # from when to when a partner's doors, or all, were closed
    "closings",
    metadata,
    text("scope", key=True),  # a partner's id, or * for all
    text("why", key=True),  # paused; ended: no CRM named it as a partner
    text("since", key=True),
    text("by", empty=True),  # who paused
    text("until", empty=True),
    text("opened_by", empty=True),
)
