"""Free text names no partner: what was shown before is looked through once more."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")  # sorts by its bytes, as SQLite does


def upgrade() -> None:
    """One way: back up before you upgrade."""
    op.create_table("sought", sa.Column("name", _TEXT, primary_key=True, nullable=False))
    op.execute("insert into sought (name) values ('')")  # all texts
