"""Recalls that people are told of, closed doors that are remembered, partners told by a webhook, doubled keys."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")  # sorts by its bytes, as SQLite does


def upgrade() -> None:
    """One way: back up before you upgrade."""
    _recalls()
    _closings()
    _webhooks()
    _accounts()


def _recalls() -> None:
    op.add_column("recalls", sa.Column("asked", _TEXT, nullable=True))
    op.add_column("recalls", sa.Column("reminded", _TEXT, nullable=True))
    untold = sa.text("acknowledged is null and reminded is null")
    op.create_index("recalls_to_tell", "recalls", ["partner_id"], sqlite_where=untold, postgresql_where=untold)


def _closings() -> None:
    op.create_table(
        "closings",
        *(sa.Column(name, _TEXT, primary_key=True, nullable=False) for name in ("scope", "why", "since")),
        *(sa.Column(name, _TEXT, nullable=True) for name in ("by", "until", "opened_by")),
    )
    op.execute("insert into closings (scope, why, since, by) select scope, 'paused', at, by from pauses")


def _webhooks() -> None:
    filled, empty = "url state generation epoch next_at", "earlier replaced failing_since status succeeded"
    op.create_table(
        "webhooks",
        sa.Column("partner_id", _TEXT, primary_key=True, nullable=False),
        *(sa.Column(name, _TEXT, nullable=False) for name in filled.split()),
        *(sa.Column(name, _TEXT, nullable=True) for name in empty.split()),
        *(sa.Column(name, sa.BigInteger(), nullable=False, server_default="0") for name in ("position", "attempts")),
    )


def _accounts() -> None:
    """Which of a partner's accounts counts is asked for each deal that is decided."""
    op.drop_index("ix_partner_accounts_partner_id", "partner_accounts")
    op.create_index("partner_accounts_by_partner", "partner_accounts", ["partner_id", "connection", "account"])
