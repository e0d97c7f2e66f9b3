"""The tables with what a CRM said, unfiltered: nothing that serves a partner reads these."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ColumnElement, ForeignKey, Index, Table, exists

from sync.store.columns import BY_BYTES, metadata, number, text, where

streams = Table(  # where reading each stream stands, and how it went
    "streams",
    metadata,
    text("connection", key=True),
    text("stream", key=True),  # accounts, contacts, opportunities, users, relations:NAME
    text("shape"),  # hash of what is asked; another one starts a full read
    text("checkpoint", empty=True),  # JSON of connectors.base.Checkpoint; empty before the first page
    Column("loaded", Boolean, nullable=False, server_default="0"),  # a first full read has ended
    Column("whole", Boolean, nullable=False, server_default="0"),  # a full read in this shape has ended
    text("round_ended", empty=True),
    number("records"),  # read since the beginning
    text("full_began", empty=True),  # the last full read: since when, pauses left out,
    text("full_at", empty=True),  # when its last page ended; empty where none is under way
    number("full_read"),  # how many it has read,
    number("full_expected", default=None),  # and how many there are, as the CRM counted them before
    text("problem", empty=True),
    text("problem_kind", empty=True),  # try again | needs admin
    text("problem_at", empty=True),
)
mirror = Table(  # one record as the CRM last gave it, in our words; `fields` is empty where no partner is on it
    "mirror",
    metadata,
    text("connection", key=True),
    text("object", key=True),  # account, contact, opportunity, user
    text("crm_id", key=True),
    text("id"),  # ours: a hash of the first CRM identity; survives a merge
    text("stamp"),
    Column("created", BY_BYTES, nullable=False, server_default=""),  # the CRM's clock; empty where not yet known
    text("shape"),
    text("digest"),  # of the mapped fields
    text("account", empty=True),  # deals, contacts: the account's CRM id
    text("owner", empty=True),  # deals: the CRM user's id
    text("fields", empty=True),  # JSON, our names
    Column("deleted", Boolean, nullable=False, server_default="0"),
    Index("mirror_by_id", "id", unique=True),
    Index("mirror_by_account", "connection", "object", "account", **where("account is not null")),
)
checks = Table(  # the last reconciliation of each kind with the CRM: what a certificate rests on
    "checks",
    metadata,
    text("connection", key=True),
    text("object", key=True),  # account, contact, opportunity, user
    text("kind", key=True),  # counts | ids
    text("at"),  # when it ended, our clock
    text("as_of"),  # the CRM's clock when it began
    text("equal_as_of", empty=True),  # the CRM's clock of the last such check that ended equal, after repair
    number("ours"),
    number("theirs"),
    number("different"),  # records that differed
    number("repaired"),
    number("calls"),
    text("problem", empty=True),
)
sightings = Table(  # what the CRM named in the walk that is under way, to be compared with the mirror
    "sightings",
    metadata,
    text("connection", key=True),
    text("object", key=True),
    text("crm_id", key=True),
    text("stamp"),
    text("created"),
)
drifts = Table(  # where the mapping and the CRM no longer agree; one that is mended goes
    "drifts",
    metadata,
    text("connection", key=True),
    text("object", key=True),  # the CRM's word
    text("field", key=True),  # the CRM's word; empty for the object itself
    text("kind", key=True),  # object, field, type, value gone, value new
    text("place"),  # file:line of the mapping
    text("label"),  # the CRM's own label, as it was last seen
    text("what"),  # in words
    Column("holds", Boolean, nullable=False, server_default="0"),  # no share ends for good while it stands
    text("since"),
)
described = Table(  # each mapped field as the CRM last described it, so that a change is seen
    "described",
    metadata,
    text("connection", key=True),
    text("object", key=True),  # the CRM's word
    text("field", key=True),
    text("label"),
    text("type"),
    text("options"),  # JSON list
)
tokens = Table(  # a refresh token that its CRM replaces at each use, sealed
    "tokens",
    metadata,
    text("connection", key=True),
    text("sealed"),
    text("at"),
)
shapes = Table(  # what the fields of mirrored rows of one shape were read from
    "shapes",
    metadata,
    text("shape", key=True),
    text("meanings"),  # JSON: our field -> digest
)
relations = Table(  # one partner account on one deal, as one source in the CRM says
    "relations",
    metadata,
    text("connection", key=True),
    text("source", key=True),  # OpportunityPartner, a label, a lookup field
    text("row", key=True),
    text("deal"),  # CRM id
    text("account"),  # CRM id of the partner's account, or key:PARTNER_KEY
    text("role", empty=True),
    Index("relations_by_deal", "connection", "deal"),
    Index("relations_by_account", "connection", "account"),
)
partner_accounts = Table(  # which account of which CRM is which partner
    "partner_accounts",
    metadata,
    text("connection", key=True),
    text("account", key=True),
    Column("partner_id", BY_BYTES, ForeignKey("partners.id"), nullable=False),
    text("fields"),  # JSON: partner.* as this connection gives them
    Column("shape", BY_BYTES, nullable=False, server_default=""),  # of the account that it was read from
    Index("partner_accounts_by_partner", "partner_id", "connection", "account"),
)
wants = Table(  # records to be read by id: something needs their fields, and they are not kept
    "wants",
    metadata,
    text("connection", key=True),
    text("object", key=True),  # account, contact, opportunity
    text("crm_id", key=True),
)
marks = Table("marks", metadata, text("deal_id", key=True))  # deals to be projected anew: something beside them moved
sought = Table("sought", metadata, text("name", key=True))  # of partners: texts are to be looked through for them
awaited = Table(  # a deal that some partner, who has it not, will have by time alone
    "awaited",
    metadata,
    text("deal_id", key=True),
    text("at"),  # when the first of them will
    Index("awaited_by_time", "at"),
)


def counts() -> ColumnElement[bool]:
    """Whether an account is the one that its partner's key names: of several in one connection the first, by id."""
    # INVARIANT: a key names one account of a connection, so an account that was copied with it brings nobody its deals.
    first = partner_accounts.alias("first")
    same = (first.c.connection == partner_accounts.c.connection, first.c.partner_id == partner_accounts.c.partner_id)
    return ~exists().where(*same, first.c.account < partner_accounts.c.account)
