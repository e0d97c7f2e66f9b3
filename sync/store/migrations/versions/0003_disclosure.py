"""Plans and approvals, what a narrowing hides, the disclosure ledger, and recalls."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")  # sorts by its bytes, as SQLite does
_TABLES = {  # name -> columns: `!` marks the key, `?` what may be empty, `#` a whole number, `=` bytes
    "plans": "id! base# files digest told at by why state decided_at? decided_by? reason?",
    "narrowed": "deal_id! partner_id! fields",
    "awaited": "deal_id! at",
    "released": "deal_id! field! rung! digest! asked! source by? at? ended?",
    "showings": "id! fields rules bases",
    "shown": "deal_id! partner_id! since! showing version# ended?",
    "deliveries": "partner_id! deal_id! since! showing! channel! at",
    "subjects": "id! connection reference? key?= name?= erased?",
    "ledger": "subject_id! partner_id! items! channel! version!# day! basis link## place# digest=",
    "ledger_links": "number!## at rows### digest",
    "ledger_heads": "month! number## digest signature dropped?",
    "recalls": "id! partner_id deal_id public_id since received at due acknowledged? acknowledged_by?",
}
_INDEXES = (  # name, table, columns, only where
    ("released_open", "released", ["asked"], "ended is null"),
    ("awaited_by_time", "awaited", ["at"], None),
    ("narrowed_by_partner", "narrowed", ["partner_id"], None),
    ("ledger_by_partner", "ledger", ["partner_id", "day", "channel", "items", "basis"], None),
    ("ledger_by_person", "ledger", ["partner_id", "subject_id"], None),
    ("ledger_by_link", "ledger", ["link", "place"], None),
    ("recalls_by_partner", "recalls", ["partner_id", "at"], None),
    ("recalls_by_deal", "recalls", ["deal_id"], None),
    ("recalls_due", "recalls", ["due"], "acknowledged is null"),
)
_OWN = ("narrowed", "recalls", "ledger")  # what a partner's own reads may look at, of its own rows


def upgrade() -> None:
    """One way: back up before you upgrade."""
    for name, columns in _TABLES.items():
        extra = [sa.UniqueConstraint("connection", "reference", name="subjects_by_reference")]
        op.create_table(name, *map(_column, columns.split()), *(extra if name == "subjects" else ()))
    for name, table, indexed, only in _INDEXES:
        where = sa.text(only) if only else None
        op.create_index(name, table, indexed, sqlite_where=where, postgresql_where=where)
    op.add_column("applied", sa.Column("bound", sa.Integer(), nullable=True))
    op.add_column("applied", sa.Column("plan", _TEXT, nullable=True))
    op.add_column("applied", sa.Column("approved_by", _TEXT, nullable=True))
    op.add_column("shares", sa.Column("showing", _TEXT, nullable=False, server_default=""))
    op.add_column("views", sa.Column("people", _TEXT, nullable=True))
    op.add_column("views", sa.Column("crowd", _TEXT, nullable=True))
    # Who stands in the views of an older release is not known, nor who will have a deal by time: all are made anew.
    op.execute(
        "insert into marks select deal_id from shares union select m.id from mirror m join relations r"
        " on r.connection = m.connection and r.deal = m.crm_id where m.object = 'opportunity'"
        " except select deal_id from marks"
    )
    if op.get_bind().dialect.name == "postgresql":
        for table in _OWN:
            op.execute(f"grant select on {table} to sudare_partner")
            op.execute(f"alter table {table} enable row level security")
            mine = "partner_id = current_setting('sudare.partner', true)"
            op.execute(f"create policy own on {table} for select to sudare_partner using ({mine})")


_KINDS: dict[str, sa.types.TypeEngine[Any]] = {
    "": _TEXT,
    "=": sa.LargeBinary(),
    "#": sa.Integer(),
    "##": sa.BigInteger(),  # counts far
    "###": sa.BigInteger(),  # the same, from 0
}


def _column(words: str) -> sa.Column[Any]:
    """A column as `_TABLES` writes it."""
    name = words.rstrip("!?#=")
    marks = words.removeprefix(name)
    kind, key = marks.strip("!?"), "!" in marks
    default = "0" if kind == "###" else None
    counts = not (key and kind)
    column = sa.Column(name, _KINDS[kind], primary_key=key, nullable="?" in marks, server_default=default)
    column.autoincrement = "auto" if counts else False
    return column
