"""Recalls that people are told of, and closed doors that are remembered."""

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
