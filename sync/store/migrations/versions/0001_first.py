"""The first tables, and PostgreSQL's second wall around what partners read."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")  # sorts by its bytes, as SQLite does
_OWN = ("shares", "feed", "messages")
_OPEN = ("applied", "pauses")


def upgrade() -> None:
    """One way: back up before you upgrade."""
    _tables()
    if op.get_bind().dialect.name == "postgresql":
        for statement in _wall():
            op.execute(statement)


def _tables() -> None:
    op.create_table(
        "actions",
        sa.Column("key", _TEXT, nullable=False),
        sa.Column("connection", _TEXT, nullable=False),
        sa.Column("partner_id", _TEXT, nullable=False),
        sa.Column("deal_id", _TEXT, nullable=True),
        sa.Column("kind", _TEXT, nullable=False),
        sa.Column("day", _TEXT, nullable=False),
        sa.Column("state", _TEXT, nullable=False),
        sa.Column("revision", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("sent_revision", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("receipt", _TEXT, nullable=True),
        sa.Column("next_at", _TEXT, nullable=False),
        sa.Column("attempts", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("fence", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("problem", _TEXT, nullable=True),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index("actions_due", "actions", ["connection", "state", "next_at"], unique=False)
    op.create_table(
        "applied",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("files", _TEXT, nullable=False),
        sa.Column("at", _TEXT, nullable=False),
        sa.Column("by", _TEXT, nullable=False),
        sa.Column("note", _TEXT, nullable=False),
        sa.Column("floor", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("version"),
    )
    op.create_table(
        "feed",
        sa.Column("partner_id", _TEXT, nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", _TEXT, nullable=False),
        sa.Column("public_id", _TEXT, nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("at", _TEXT, nullable=False),
        sa.PrimaryKeyConstraint("partner_id", "position"),
    )
    op.create_table(
        "leases",
        sa.Column("name", _TEXT, nullable=False),
        sa.Column("holder", _TEXT, nullable=False),
        sa.Column("fence", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("until", _TEXT, nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "marks",
        sa.Column("deal_id", _TEXT, nullable=False),
        sa.PrimaryKeyConstraint("deal_id"),
    )
    op.create_table(
        "messages",
        sa.Column("id", _TEXT, nullable=False),
        sa.Column("partner_id", _TEXT, nullable=False),
        sa.Column("deal_id", _TEXT, nullable=False),
        sa.Column("public_id", _TEXT, nullable=False),
        sa.Column("direction", _TEXT, nullable=False),
        sa.Column("author", _TEXT, nullable=False),
        sa.Column("text", _TEXT, nullable=False),
        sa.Column("at", _TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("messages_by_deal", "messages", ["partner_id", "public_id", "at"], unique=False)
    op.create_table(
        "mirror",
        sa.Column("connection", _TEXT, nullable=False),
        sa.Column("object", _TEXT, nullable=False),
        sa.Column("crm_id", _TEXT, nullable=False),
        sa.Column("id", _TEXT, nullable=False),
        sa.Column("stamp", _TEXT, nullable=False),
        sa.Column("shape", _TEXT, nullable=False),
        sa.Column("digest", _TEXT, nullable=False),
        sa.Column("account", _TEXT, nullable=True),
        sa.Column("owner", _TEXT, nullable=True),
        sa.Column("fields", _TEXT, nullable=True),
        sa.Column("deleted", sa.Boolean(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("connection", "object", "crm_id"),
    )
    op.create_index(
        "mirror_by_account",
        "mirror",
        ["connection", "object", "account"],
        unique=False,
        sqlite_where=sa.text("account is not null"),
        postgresql_where=sa.text("account is not null"),
    )
    op.create_index("mirror_by_id", "mirror", ["id"], unique=True)
    op.create_table(
        "partners",
        sa.Column("id", _TEXT, nullable=False),
        sa.Column("key", _TEXT, nullable=False),
        sa.Column("name", _TEXT, nullable=False),
        sa.Column("fields", _TEXT, nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("feed_position", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("feed_epoch", _TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key", name="partners_by_key"),
    )
    op.create_table(
        "pauses",
        sa.Column("scope", _TEXT, nullable=False),
        sa.Column("at", _TEXT, nullable=False),
        sa.Column("by", _TEXT, nullable=False),
        sa.PrimaryKeyConstraint("scope"),
    )
    op.create_table(
        "quarantine",
        sa.Column("id", _TEXT, nullable=False),
        sa.Column("origin", _TEXT, nullable=False),
        sa.Column("what", _TEXT, nullable=False),
        sa.Column("reason", _TEXT, nullable=False),
        sa.Column("at", _TEXT, nullable=False),
        sa.Column("body", _TEXT, nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "relations",
        sa.Column("connection", _TEXT, nullable=False),
        sa.Column("source", _TEXT, nullable=False),
        sa.Column("row", _TEXT, nullable=False),
        sa.Column("deal", _TEXT, nullable=False),
        sa.Column("account", _TEXT, nullable=False),
        sa.Column("role", _TEXT, nullable=True),
        sa.PrimaryKeyConstraint("connection", "source", "row"),
    )
    op.create_index("relations_by_account", "relations", ["connection", "account"], unique=False)
    op.create_index("relations_by_deal", "relations", ["connection", "deal"], unique=False)
    op.create_table(
        "shares",
        sa.Column("deal_id", _TEXT, nullable=False),
        sa.Column("partner_id", _TEXT, nullable=False),
        sa.Column("public_id", _TEXT, nullable=False),
        sa.Column("connection", _TEXT, nullable=False),
        sa.Column("state", _TEXT, nullable=False),
        sa.Column("involvement", _TEXT, nullable=False),
        sa.Column("since", _TEXT, nullable=False),
        sa.Column("until", _TEXT, nullable=True),
        sa.Column("view", _TEXT, nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("changed_at", _TEXT, nullable=False),
        sa.Column("suspended", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("c1", _TEXT, nullable=False),
        sa.Column("c2", _TEXT, nullable=False),
        sa.Column("c3", _TEXT, nullable=False),
        sa.Column("c4", _TEXT, nullable=False),
        sa.Column("c5", _TEXT, nullable=False),
        sa.Column("words", _TEXT, nullable=False),
        sa.PrimaryKeyConstraint("deal_id", "partner_id"),
    )
    op.create_index("shares_by_c1", "shares", ["partner_id", "c1", "public_id"], unique=False)
    op.create_index("shares_by_c2", "shares", ["partner_id", "c2", "public_id"], unique=False)
    op.create_index("shares_by_c3", "shares", ["partner_id", "c3", "public_id"], unique=False)
    op.create_index("shares_by_c4", "shares", ["partner_id", "c4", "public_id"], unique=False)
    op.create_index("shares_by_c5", "shares", ["partner_id", "c5", "public_id"], unique=False)
    op.create_index("shares_by_change", "shares", ["partner_id", "changed_at", "public_id"], unique=False)
    op.create_index("shares_by_public_id", "shares", ["partner_id", "public_id"], unique=True)
    op.create_index(
        "shares_by_until",
        "shares",
        ["until"],
        unique=False,
        sqlite_where=sa.text("until is not null"),
        postgresql_where=sa.text("until is not null"),
    )
    op.create_index(
        "shares_suspended",
        "shares",
        ["connection"],
        unique=False,
        sqlite_where=sa.text("suspended"),
        postgresql_where=sa.text("suspended"),
    )
    op.create_table(
        "shapes",
        sa.Column("shape", _TEXT, nullable=False),
        sa.Column("meanings", _TEXT, nullable=False),
        sa.PrimaryKeyConstraint("shape"),
    )
    op.create_table(
        "streams",
        sa.Column("connection", _TEXT, nullable=False),
        sa.Column("stream", _TEXT, nullable=False),
        sa.Column("shape", _TEXT, nullable=False),
        sa.Column("checkpoint", _TEXT, nullable=True),
        sa.Column("loaded", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("whole", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("round_ended", _TEXT, nullable=True),
        sa.Column("records", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("problem", _TEXT, nullable=True),
        sa.Column("problem_kind", _TEXT, nullable=True),
        sa.Column("problem_at", _TEXT, nullable=True),
        sa.PrimaryKeyConstraint("connection", "stream"),
    )
    op.create_table(
        "summaries",
        sa.Column("deal_id", _TEXT, nullable=False),
        sa.Column("connection", _TEXT, nullable=False),
        sa.Column("due", sa.Boolean(), nullable=False),
        sa.Column("written", _TEXT, nullable=True),
        sa.Column("next_at", _TEXT, nullable=False),
        sa.Column("problem", _TEXT, nullable=True),
        sa.PrimaryKeyConstraint("deal_id"),
    )
    op.create_index("summaries_due", "summaries", ["connection", "due", "next_at"], unique=False)
    op.create_table(
        "views",
        sa.Column("deal_id", _TEXT, nullable=False),
        sa.Column("digest", _TEXT, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("deal_id", "digest"),
    )
    op.create_table(
        "api_keys",
        sa.Column("hash", _TEXT, nullable=False),
        sa.Column("partner_id", _TEXT, nullable=False),
        sa.Column("hint", _TEXT, nullable=False),
        sa.Column("label", _TEXT, nullable=False),
        sa.Column("created", _TEXT, nullable=False),
        sa.Column("used", _TEXT, nullable=True),
        sa.Column("ended", _TEXT, nullable=True),
        sa.ForeignKeyConstraint(
            ["partner_id"],
            ["partners.id"],
        ),
        sa.PrimaryKeyConstraint("hash"),
    )
    op.create_index(op.f("ix_api_keys_partner_id"), "api_keys", ["partner_id"], unique=False)
    op.create_table(
        "partner_accounts",
        sa.Column("connection", _TEXT, nullable=False),
        sa.Column("account", _TEXT, nullable=False),
        sa.Column("partner_id", _TEXT, nullable=False),
        sa.Column("fields", _TEXT, nullable=False),
        sa.Column("shape", _TEXT, server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["partner_id"],
            ["partners.id"],
        ),
        sa.PrimaryKeyConstraint("connection", "account"),
    )
    op.create_index(op.f("ix_partner_accounts_partner_id"), "partner_accounts", ["partner_id"], unique=False)
    op.create_table(
        "people",
        sa.Column("id", _TEXT, nullable=False),
        sa.Column("partner_id", _TEXT, nullable=True),
        sa.Column("email", _TEXT, nullable=False),
        sa.Column("name", _TEXT, nullable=False),
        sa.Column("role", _TEXT, nullable=False),
        sa.Column("language", _TEXT, nullable=False),
        sa.Column("created", _TEXT, nullable=False),
        sa.Column("ended", _TEXT, nullable=True),
        sa.ForeignKeyConstraint(
            ["partner_id"],
            ["partners.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("partner_id", "email", name="people_by_email"),
    )
    op.create_index(op.f("ix_people_partner_id"), "people", ["partner_id"], unique=False)
    op.create_table(
        "statements",
        sa.Column("source", _TEXT, nullable=False),
        sa.Column("id", _TEXT, nullable=False),
        sa.Column("digest", _TEXT, nullable=False),
        sa.Column("kind", _TEXT, nullable=False),
        sa.Column("partner_id", _TEXT, nullable=False),
        sa.Column("deal_id", _TEXT, nullable=True),
        sa.Column("person_id", _TEXT, nullable=True),
        sa.Column("at", _TEXT, nullable=False),
        sa.Column("stored", _TEXT, nullable=False),
        sa.Column("fields", _TEXT, nullable=False),
        sa.Column("action_key", _TEXT, nullable=True),
        sa.ForeignKeyConstraint(
            ["partner_id"],
            ["partners.id"],
        ),
        sa.PrimaryKeyConstraint("source", "id"),
    )
    op.create_index("statements_by_action", "statements", ["action_key", "at"], unique=False)
    op.create_index("statements_by_partner", "statements", ["partner_id", "stored"], unique=False)
    op.create_table(
        "links",
        sa.Column("hash", _TEXT, nullable=False),
        sa.Column("person_id", _TEXT, nullable=False),
        sa.Column("goes_to", _TEXT, nullable=False),
        sa.Column("expires", _TEXT, nullable=False),
        sa.Column("used", _TEXT, nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["people.id"],
        ),
        sa.PrimaryKeyConstraint("hash"),
    )
    op.create_table(
        "mails",
        sa.Column("id", _TEXT, nullable=False),
        sa.Column("person_id", _TEXT, nullable=False),
        sa.Column("reason", _TEXT, nullable=False),
        sa.Column("goes_to", _TEXT, nullable=False),
        sa.Column("state", _TEXT, nullable=False),
        sa.Column("next_at", _TEXT, nullable=False),
        sa.Column("attempts", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("problem", _TEXT, nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["people.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("mails_due", "mails", ["state", "next_at"], unique=False)
    op.create_table(
        "sessions",
        sa.Column("hash", _TEXT, nullable=False),
        sa.Column("person_id", _TEXT, nullable=False),
        sa.Column("expires", _TEXT, nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["people.id"],
        ),
        sa.PrimaryKeyConstraint("hash"),
    )
    op.create_index(op.f("ix_sessions_person_id"), "sessions", ["person_id"], unique=False)


def _wall() -> list[str]:
    """A role that owns nothing and reads, of each table, the rows of the partner named in `sudare.partner` alone."""
    mine = "current_setting('sudare.partner', true)"
    through = "exists (select 1 from shares s where s.deal_id = views.deal_id and s.view = views.digest)"
    tables = {**dict.fromkeys(_OWN, f"partner_id = {mine}"), "partners": f"id = {mine}", "views": through}
    return [
        "do $$ begin create role sudare_partner nologin; exception when duplicate_object then null; end $$",
        "grant sudare_partner to current_user",
        f"grant select on {', '.join([*tables, *_OPEN])} to sudare_partner",
        *(f"alter table {table} enable row level security" for table in tables),
        *(
            f"create policy own on {table} for select to sudare_partner using ({test})"
            for table, test in tables.items()
        ),
    ]
