"""Keeps the one text field on a CRM record that says who sees this deal, and how much of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import msgspec
import sqlalchemy as sa

from config.workspace import Language, Workspace
from connectors.base import Connector, CrmError, NeedsAdmin
from mapping.model import ConnectionMapping
from sync.house import House, instant
from sync.store.identifiers import digest
from sync.store.rows import among, upsert
from sync.store.schema import partners, shares, summaries, views
from sync.store.unfiltered import mirror, streams

BATCH = 200
SUMMARY = "summary"  # the row of the error board that says what is wrong with it
_WAIT = timedelta(minutes=5)
_STATES: Mapping[Language, Mapping[str, str]] = {
    "ja": {"pending": "招待中", "accepted": "受諾", "declined": "辞退", "expired": "期限切れ"},
    "ko": {"pending": "초대 중", "accepted": "수락", "declined": "거절", "expired": "기한 만료"},
    "en": {"pending": "invited", "accepted": "accepted", "declined": "declined", "expired": "expired"},
}
_RUNGS: Mapping[Language, Mapping[str, str]] = {
    "ja": {
        "band": "範囲",
        "year": "年",
        "quarter": "四半期",
        "month": "月",
        "initials": "頭文字",
        "pseudonym": "仮名",
        "domain": "ドメイン",
    },
    "ko": {
        "band": "범위",
        "year": "연도",
        "quarter": "분기",
        "month": "월",
        "initials": "머리글자",
        "pseudonym": "가명",
        "domain": "도메인",
    },
    "en": {},
}
_NOBODY: Mapping[Language, str] = {
    "ja": "どのパートナーにも見えていません。",
    "ko": "어느 파트너에게도 보이지 않습니다.",
    "en": "No partner sees this deal.",
}


def write_summaries(house: House, connection: str, connector: Connector) -> int:
    """Write what moved, one batch; how many stand now. Idempotent: the text is a state, not an event.

    What fails stands on the error board and is tried again later; it holds up no logged action.
    """
    with house.reading() as tx:
        workspace = house.in_force(tx).workspace
        field = workspace.writeback.summary_fields.get(connection)
        rows = _due(tx, house, connection) if field else []
    if field is None or not rows:
        return 0
    mapping = workspace.mappings[connection]
    object = mapping.opportunities.object
    labels = _labels(mapping, connector)
    with house.reading() as tx:
        texts = _texts(tx, workspace, connection, [row.deal_id for row in rows], labels)
    moved = [row for row in rows if digest(texts[row.deal_id].encode()) != row.written]
    try:
        receipts = (
            connector.write_fields(object, {row.crm_id: {field: texts[row.deal_id]} for row in moved}) if moved else []
        )
        problems = {receipt.key: receipt.problem for receipt in receipts}
    except CrmError as problem:
        problems = {row.crm_id: problem for row in moved}
    with house.writing() as tx:
        for row in rows:
            _settle(tx, house, row, digest(texts[row.deal_id].encode()), problems.get(row.crm_id))
        failed = [problem for problem in problems.values() if problem is not None]
        _note(tx, house, connection, failed)
    return len(moved) - len(failed)


def _due(tx: sa.Connection, house: House, connection: str) -> Sequence[Any]:
    wanted = (
        sa.select(summaries, mirror.c.crm_id)
        .join(mirror, mirror.c.id == summaries.c.deal_id)
        .where(summaries.c.connection == connection, summaries.c.due, summaries.c.next_at <= house.now())
        .where(~mirror.c.deleted)
    )
    return tx.execute(wanted.order_by(summaries.c.next_at).limit(BATCH)).all()


def _settle(tx: sa.Connection, house: House, row: Any, written: str, problem: CrmError | None) -> None:
    # Still due where the deal moved again while this was being written: then `next_at` is another.
    mine = sa.and_(summaries.c.deal_id == row.deal_id, summaries.c.next_at == row.next_at)
    if problem is None:
        values: dict[str, Any] = {"due": False, "written": written, "problem": None}
    else:
        values = {"problem": str(problem), "next_at": instant(house.clock() + _WAIT)}
    tx.execute(sa.update(summaries).where(mine).values(**values))


def _note(tx: sa.Connection, house: House, connection: str, failed: Sequence[CrmError]) -> None:
    """The error board's row about this field: the last problem, until nothing waits for another try."""
    if failed:
        kind = "needs admin" if isinstance(failed[-1], NeedsAdmin) else "try again"
        row = {"connection": connection, "stream": SUMMARY, "shape": "", "problem": str(failed[-1])}
        upsert(tx, streams, [{**row, "problem_kind": kind, "problem_at": house.now()}])
        return
    waiting = sa.exists().where(summaries.c.connection == connection, summaries.c.due, summaries.c.problem.is_not(None))
    here = sa.and_(streams.c.connection == connection, streams.c.stream == SUMMARY)
    tx.execute(sa.delete(streams).where(here, ~waiting))


def _texts(
    tx: sa.Connection, workspace: Workspace, connection: str, deal_ids: Sequence[str], labels: Mapping[str, str]
) -> dict[str, str]:
    """Deal id -> a line per partner: its name and state, and what it sees, how sharply, in the CRM's own labels."""
    language = workspace.connections[connection].language
    rows = tx.execute(
        sa.select(shares.c.deal_id, shares.c.state, partners.c.name, views.c.body)
        .join(partners, partners.c.id == shares.c.partner_id)
        .join(views, sa.and_(views.c.deal_id == shares.c.deal_id, views.c.digest == shares.c.view))
        .where(among(shares.c.deal_id, deal_ids), ~shares.c.suspended)
        .order_by(partners.c.name)
    )
    lines: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        seen = _seen(msgspec.json.decode(row.body)["shown"], labels, _RUNGS[language])
        lines[row.deal_id].append(f"{row.name} ({_STATES[language][row.state]}): {seen}")
    return {deal_id: "\n".join(lines[deal_id]) or _NOBODY[language] for deal_id in deal_ids}


def _seen(shown: Mapping[str, str], labels: Mapping[str, str], words: Mapping[str, str]) -> str:
    named = [
        labels[name] + (f" ({words.get(rung, rung)})" if rung != "exact" else "")
        for name, rung in shown.items()
        if name in labels
    ]
    return ", ".join(dict.fromkeys(named))


def _labels(mapping: ConnectionMapping, connector: Connector) -> dict[str, str]:
    """Our field -> the CRM's own label of the field that it comes from."""
    found: dict[str, str] = {}
    for source in mapping.shareable:
        shape = connector.describe(source.object)
        prefix = "" if source is mapping.opportunities else f"{shape.label}: "
        for field in source.fields:
            known = shape.fields.get(field.sources[0])
            label = known.label if known is not None else field.sources[0]
            found[field.name] = label if label.startswith(shape.label) else prefix + label
    return found
