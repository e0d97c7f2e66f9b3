"""The first tables, and PostgreSQL's second wall around what partners read."""

from __future__ import annotations

from alembic import op

from sync.schema import metadata

revision = "0001"
down_revision = None

_OWN = ("shares", "feed", "messages")
_OPEN = ("applied", "pauses")


def upgrade() -> None:
    """One way: back up before you upgrade."""
    metadata.create_all(op.get_bind())
    if op.get_bind().dialect.name == "postgresql":
        for statement in _wall():
            op.execute(statement)


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
