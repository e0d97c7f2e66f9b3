"""The tables, one sentence each. Those that hold what a CRM said, unfiltered, stand in sync.store.unfiltered."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, LargeBinary, Table, UniqueConstraint
from sqlalchemy import text as sa_text

from sync.store.columns import BY_BYTES, metadata, number, text, where

# -- configuration ---------------------------------------------------------------------------------------------------

applied = Table(  # every configuration that was ever in force; the highest version is in force
    "applied",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    text("files"),  # JSON: file name -> text
    text("at"),
    text("by"),
    text("note"),  # what changed, as it was shown
    Column("floor", Integer, nullable=False),  # views older than this version are not read any more
    Column("bound", Integer, nullable=True),  # shows no more than this earlier version, until a widening is approved
    text("plan", empty=True),
    text("approved_by", empty=True),
)
plans = Table(  # a change of the configuration, shown before it takes effect
    "plans",
    metadata,
    text("id", key=True),
    Column("base", Integer, nullable=False),  # the version it changes; 0 before the first
    text("files"),  # JSON: file name -> text
    text("digest"),  # of its change set
    text("told"),  # JSON: the plan as it was shown, without anything a record holds
    text("at"),
    text("by"),
    text("why"),
    text("state"),  # waiting, applied, refused, overtaken
    text("decided_at", empty=True),
    text("decided_by", empty=True),
    text("reason", empty=True),  # why it was refused
)
narrowed = Table(  # what a version took from a share: hidden by the reader until its view is written anew
    "narrowed",
    metadata,
    text("deal_id", key=True),
    text("partner_id", key=True),
    text("fields"),  # JSON: the fields whose stored rung is above what the version in force allows
    Index("narrowed_by_partner", "partner_id"),
)
released = Table(  # free text that waits for a person's approval, or has it; any edit ends that
    "released",
    metadata,
    text("deal_id", key=True),
    text("field", key=True),
    text("rung", key=True),  # exact, redacted
    text("digest", key=True),  # of the text as it would be shown
    text("asked", key=True),
    text("source"),  # digest of the whole text
    text("by", empty=True),  # who approved it
    text("at", empty=True),
    text("ended", empty=True),  # edited, withdrawn, wanted by nobody, or shown by no rule any more
    Index("released_open", "asked", **where("ended is null")),
)
pauses = Table("pauses", metadata, text("scope", key=True), text("at"), text("by"))  # a partner's id, or * for all

# -- partners, and what comes in from outside -----------------------------------------------------------------------

notices = Table(  # a CRM's hint that a record changed, stored before it is acknowledged
    "notices",
    metadata,
    text("connection", key=True),
    text("key", key=True),
    text("object"),  # the CRM's word
    text("crm_id"),
    Column("relations", Boolean, nullable=False, server_default="0"),  # who is on which deal of this account
    text("stored"),
    text("done", empty=True),
    text("problem", empty=True),  # why its record could not be read; the next round looks again
    Index("notices_due", "connection", "stored", **where("done is null")),
)
partners = Table(  # a company that sells for us
    "partners",
    metadata,
    text("id", key=True),
    text("key"),
    text("name"),
    text("fields"),  # JSON: partner.* as mapped
    number("version"),  # moves when fields move
    number("feed_position"),
    text("feed_epoch"),
    UniqueConstraint("key", name="partners_by_key"),
)
quarantine = Table(  # a record or a statement set aside, with its reason
    "quarantine",
    metadata,
    text("id", key=True),
    text("origin"),  # a connection or a source
    text("what"),  # opportunity 006..., statement ...
    text("reason"),
    text("at"),
    text("body", empty=True),  # a statement as accepted; never a CRM record
)

# -- the projection: all that a partner can reach --------------------------------------------------------------------

views = Table(  # the bytes of one deal at one set of rungs, shared by all partners who have these rungs
    "views",
    metadata,
    text("deal_id", key=True),
    text("digest", key=True),
    Column("body", LargeBinary, nullable=False),
    Column("version", Integer, nullable=False),  # the configuration that made it
    text("people", empty=True),  # JSON: items -> ids of the persons of whom it shows them; empty: not known yet
    text("crowd", empty=True),  # a digest of these persons, as the CRM calls them; empty: not known yet
)
SORT_COLUMNS = ("c1", "c2", "c3", "c4", "c5")
_SORTINGS = {**dict(zip(SORT_COLUMNS, SORT_COLUMNS, strict=True)), "change": "changed_at"}
shares = Table(  # one deal as one partner has it, live
    "shares",
    metadata,
    text("deal_id", key=True),
    text("partner_id", key=True),
    text("public_id"),  # the deal's id as this partner knows it
    text("connection"),
    text("state"),  # pending, accepted, declined, expired
    text("involvement"),
    text("since"),
    text("until", empty=True),  # when the decision may change by time alone
    text("view"),  # digest of the view
    Column("showing", BY_BYTES, nullable=False, server_default=""),  # fields at rungs, and by which rules
    number("version"),  # of this partner's bytes: moves when they move
    text("changed_at"),  # when this partner's bytes last changed
    Column("suspended", Boolean, nullable=False, server_default="0"),
    *(text(column) for column in SORT_COLUMNS),  # what the list fields show, as text that sorts
    text("words"),  # what search looks into
    Index("shares_by_public_id", "partner_id", "public_id", unique=True),
    Index("shares_by_until", "until", **where("until is not null")),
    # SQLite has no truth of its own: its queries say `= 1`, and use no index over other words.
    Index(
        "shares_suspended", "connection", sqlite_where=sa_text("suspended = 1"), postgresql_where=sa_text("suspended")
    ),
    *(Index(f"shares_by_{name}", "partner_id", column, "public_id") for name, column in _SORTINGS.items()),
)
SORTED_BY = tuple(index for name in _SORTINGS for index in shares.indexes if index.name == f"shares_by_{name}")
feed = Table(  # one partner's ordered stream of changes: references, never bodies
    "feed",
    metadata,
    text("partner_id", key=True),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    text("kind"),  # deal.shared, deal.changed, deal.ended, message
    text("public_id"),
    number("version"),
    text("at"),
)
messages = Table(  # what a CRM user or the partner wrote about a deal
    "messages",
    metadata,
    text("id", key=True),
    text("partner_id"),
    text("deal_id"),
    text("public_id"),
    text("direction"),  # in: from the vendor; out: from the partner
    text("author"),
    text("text"),
    text("at"),
    Index("messages_by_deal", "partner_id", "public_id", "at"),
)

# -- the support log and the way back ---------------------------------------------------------------------------------

statements = Table(  # one thing a partner did; all of them are the support log
    "statements",
    metadata,
    text("source", key=True),
    text("id", key=True),
    text("digest"),  # of the body: the same id with another one is refused
    text("kind"),
    Column("partner_id", BY_BYTES, ForeignKey("partners.id"), nullable=False),
    text("deal_id", empty=True),
    text("person_id", empty=True),
    text("at"),  # when it happened
    text("stored"),  # when we knew
    text("fields"),  # JSON: document, page, score, text, ...
    text("action_key", empty=True),  # the one logged action it stands in
    Index("statements_by_partner", "partner_id", "stored"),
    Index("statements_by_action", "action_key", "at"),
)
actions = Table(  # the outbox: one logged action, from due to its receipt
    "actions",
    metadata,
    text("key", key=True),
    text("connection"),
    text("partner_id"),
    text("deal_id", empty=True),
    text("kind"),
    text("day"),  # in the connection's time zone
    text("state"),  # due, sending, done, unknown, parked
    number("revision"),  # moves with each statement that joins it
    number("sent_revision"),
    text("receipt", empty=True),  # the CRM's id
    text("next_at"),
    number("attempts"),
    number("fence"),  # the lease under which it is being sent
    text("problem", empty=True),
    text("heal_at", empty=True),  # sent again after no answer came: when to look whether both stand after all
    Index("actions_due", "connection", "state", "next_at"),
    Index("actions_heal", "connection", "heal_at"),
)
promises = Table(  # what holds for logged actions, as the CRM was last asked
    "promises",
    metadata,
    text("connection", key=True),
    Column(
        "once", Boolean, nullable=False, server_default="0"
    ),  # the CRM refuses a second one; else it is found and healed
    text("at"),
)
summaries = Table(  # the one text field on a CRM record that says who sees this deal
    "summaries",
    metadata,
    text("deal_id", key=True),
    text("connection"),
    Column("due", Boolean, nullable=False),
    text("written", empty=True),  # digest of the text that stands in the CRM
    text("next_at"),
    text("problem", empty=True),
    Index("summaries_due", "connection", "due", "next_at"),
)

# -- people and keys --------------------------------------------------------------------------------------------------

people = Table(  # a user: of a partner, or of the vendor
    "people",
    metadata,
    text("id", key=True),
    Column("partner_id", BY_BYTES, ForeignKey("partners.id"), nullable=True, index=True),  # empty: a vendor user
    text("email"),
    text("name"),
    text("role"),  # partner | admin, approver, partner manager, auditor
    text("language"),
    text("created"),
    text("ended", empty=True),
    UniqueConstraint("partner_id", "email", name="people_by_email"),
)
links = Table(  # a one-time link: only its hash; GET shows a button, POST uses it up
    "links",
    metadata,
    text("hash", key=True),
    Column("person_id", BY_BYTES, ForeignKey("people.id"), nullable=False),
    text("goes_to"),  # a path on the same door
    text("expires"),
    text("used", empty=True),
)
sessions = Table(  # a signed-in browser: only its hash
    "sessions",
    metadata,
    text("hash", key=True),
    Column("person_id", BY_BYTES, ForeignKey("people.id"), nullable=False, index=True),
    text("expires"),
)
api_keys = Table(  # a partner's key for the API: only its hash, shown once
    "api_keys",
    metadata,
    text("hash", key=True),
    Column("partner_id", BY_BYTES, ForeignKey("partners.id"), nullable=False, index=True),
    text("hint"),  # the first characters, to tell keys apart
    text("label"),
    text("created"),
    text("used", empty=True),
    text("ended", empty=True),
)
mails = Table(  # a mail to send: to whom and why, never what it says
    "mails",
    metadata,
    text("id", key=True),
    Column("person_id", BY_BYTES, ForeignKey("people.id"), nullable=False),
    text("reason"),  # sign-in, invitation, message, webhook, recall, recall overdue
    text("goes_to"),
    text("state"),  # due, sent, parked
    text("next_at"),
    number("attempts"),
    text("problem", empty=True),
    Index("mails_due", "state", "next_at"),
)
webhooks = Table(  # where a partner is told that its feed has gone on; its secret is derived, never stored
    "webhooks",
    metadata,
    text("partner_id", key=True),
    text("url"),
    text("state"),  # new: nothing got through yet; on; paused by the partner; off: given up
    text("generation"),  # names the signing secret among those that the partner's key gives
    text("earlier", empty=True),  # the generation before, for a day after it was replaced
    text("replaced", empty=True),
    text("epoch"),
    number("position"),  # of the partner's feed: told up to here
    text("next_at"),
    number("attempts"),  # in vain, since one got through
    text("failing_since", empty=True),
    text("status", empty=True),  # of the last call: HTTP's, or a word where nobody answered
    text("succeeded", empty=True),
)
leases = Table(  # who may do a job now
    "leases",
    metadata,
    text("name", key=True),
    text("holder"),
    number("fence"),
    text("until"),
)
