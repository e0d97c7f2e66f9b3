"""Reconciliation, notices, drift of the CRM's schema, rotating tokens, and how far a full read is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")  # sorts by its bytes, as SQLite does
_TABLES = {  # name -> text columns that are its key, other required ones, ones that may be empty, counters
    "checks": (
        ("connection", "object", "kind"),
        ("at", "as_of"),
        ("equal_as_of", "problem"),
        ("ours", "theirs", "different", "repaired", "calls"),
    ),
    "sightings": (("connection", "object", "crm_id"), ("stamp", "created"), (), ()),
    "notices": (("connection", "key"), ("object", "crm_id", "stored"), ("done", "problem"), ()),
    "drifts": (("connection", "object", "field", "kind"), ("place", "label", "what", "since"), (), ()),
    "described": (("connection", "object", "field"), ("label", "type", "options"), (), ()),
    "tokens": (("connection",), ("sealed", "at"), (), ()),
    "wants": (("connection", "object", "crm_id"), (), (), ()),
    "promises": (("connection",), ("at",), (), ()),
}


def upgrade() -> None:
    """One way: back up before you upgrade."""
    for name, (key, required, empty, counters) in _TABLES.items():
        op.create_table(
            name,
            *(sa.Column(column, _TEXT, nullable=False) for column in (*key, *required)),
            *(sa.Column(column, _TEXT, nullable=True) for column in empty),
            *(sa.Column(column, sa.BigInteger(), server_default="0", nullable=False) for column in counters),
            sa.PrimaryKeyConstraint(*key),
        )
    on_sqlite, suspended = sa.text("suspended = 1"), sa.text("suspended")
    op.drop_index("shares_suspended", "shares")
    op.create_index("shares_suspended", "shares", ["connection"], sqlite_where=on_sqlite, postgresql_where=suspended)
    # What was being filled in is found missing again: every deal is decided anew.
    op.execute("INSERT INTO marks (deal_id) SELECT id FROM mirror WHERE object = 'opportunity' ON CONFLICT DO NOTHING")
    due = sa.text("done is null")
    op.add_column("notices", sa.Column("relations", sa.Boolean(), server_default="0", nullable=False))
    op.add_column("drifts", sa.Column("holds", sa.Boolean(), server_default="0", nullable=False))
    op.create_index("notices_due", "notices", ["connection", "stored"], sqlite_where=due, postgresql_where=due)
    op.add_column("mirror", sa.Column("created", _TEXT, server_default="", nullable=False))
    op.add_column("streams", sa.Column("full_began", _TEXT, nullable=True))
    op.add_column("streams", sa.Column("full_at", _TEXT, nullable=True))
    op.add_column("streams", sa.Column("full_read", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("streams", sa.Column("full_expected", sa.BigInteger(), nullable=True))
    op.add_column("actions", sa.Column("heal_at", _TEXT, nullable=True))
    op.create_index("actions_heal", "actions", ["connection", "heal_at"])
    op.add_column("promises", sa.Column("once", sa.Boolean(), server_default="0", nullable=False))
