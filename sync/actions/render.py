"""Renders logged actions when they are sent, in the CRM user's language; what a partner wrote stays text."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import msgspec
import sqlalchemy as sa

from config.workspace import Language, Workspace
from connectors.base import LoggedAction
from mapping.values import thaw
from sync.actions.kinds import OBJECT_FIELDS
from sync.actions.outbox import template_of
from sync.house import House, moment
from sync.store.rows import among
from sync.store.schema import partners, people, statements
from sync.store.unfiltered import mirror, partner_accounts

KIND_WORDS: Mapping[Language, Mapping[str, str]] = {
    "ja": {
        "login": "ログイン",
        "document.opened": "閲覧",
        "video.played": "視聴",
        "training.enrolled": "受講開始",
        "training.completed": "修了",
        "tool.used": "利用",
        "deal.accepted": "受諾",
        "deal.declined": "辞退",
        "comment": "コメント",
        "inquiry": "問い合わせ",
    },
    "ko": {
        "login": "로그인",
        "document.opened": "열람",
        "video.played": "시청",
        "training.enrolled": "수강 신청",
        "training.completed": "수료",
        "tool.used": "사용",
        "deal.accepted": "수락",
        "deal.declined": "거절",
        "comment": "댓글",
        "inquiry": "문의",
    },
    "en": {
        "login": "signed in",
        "document.opened": "opened",
        "video.played": "watched",
        "training.enrolled": "enrolled",
        "training.completed": "completed",
        "tool.used": "used",
        "deal.accepted": "accepted",
        "deal.declined": "declined",
        "comment": "comment",
        "inquiry": "question",
    },
}
_DATES: Mapping[Language, str] = {"ja": "%Y年%-m月%-d日 %H:%M", "ko": "%Y. %-m. %-d. %H:%M", "en": "%-d %b %Y, %H:%M"}
_PAGES: Mapping[Language, str] = {"ja": "{}ページ", "ko": "{}쪽", "en": "page {}"}
_PLACEHOLDER = re.compile(r"\{([a-z_.]+)\}")
_SUBJECT, _BODY, _LINES = 255, 30_000, 200


def render_actions(tx: sa.Connection, house: House, rows: Sequence[Any]) -> dict[str, LoggedAction]:
    """The logged actions of these outbox rows, by key, from all statements that stand in each."""
    workspace = house.in_force(tx).workspace
    keys = [row.key for row in rows]
    told = _statements(tx, keys)
    deals = _by_id(tx, mirror, [row.deal_id for row in rows])
    sellers = _by_id(tx, partners, [row.partner_id for row in rows])
    accounts = _accounts(tx, [row.partner_id for row in rows])
    done = {}
    for row in rows:
        seller, deal = sellers[row.partner_id], deals.get(row.deal_id)
        action = _Rendering(workspace, row, seller, deal, told[row.key])
        # A deal that is gone hands over to the partner's own account.
        target = deal if deal is not None and not deal.deleted else None
        account = accounts.get((row.connection, row.partner_id))
        done[row.key] = LoggedAction(
            key=row.key,
            record_id=target.crm_id if target is not None else account or "",
            record_kind="opportunity" if target is not None else "account",
            subject=action.subject()[:_SUBJECT],
            body=action.body()[:_BODY],
            done_at=moment(told[row.key][-1].at),
            day=date.fromisoformat(row.day),
            owner_id=target.owner if target is not None else None,
            account_id=account,
            receipt=row.receipt,
        )
    return done


class _Rendering:
    """One logged action on its way into words."""

    def __init__(self, workspace: Workspace, row: Any, seller: Any, deal: Any, told: Sequence[Any]) -> None:
        connection = workspace.connections[row.connection]
        self.workspace, self.told = workspace, told
        self.language, self.zone = connection.language, connection.timezone
        template = template_of(workspace, row.kind)
        self.templates = (template.subject, template.body) if template else ({}, {})
        self.words = {
            "partner.name": seller.name,
            "deal.name": str(thaw(deal.fields).get("deal.name") or "") if deal and deal.fields else "",
            **self._latest(row.kind, seller.name),
        }

    def subject(self) -> str:
        """One line, the news first."""
        return " ".join(self._fill(self.templates[0].get(self.language, "{partner.name}: {kind}")).split())

    def body(self) -> str:
        """The details."""
        return self._fill(self.templates[1].get(self.language, "{lines}")).strip()

    def _fill(self, template: str) -> str:
        # One pass: a placeholder inside what a partner wrote stays what it is.
        return _PLACEHOLDER.sub(lambda found: self.words.get(found[1], ""), template)

    def _latest(self, kind: str, seller: str) -> dict[str, str]:
        """What the last statement says, and how many there are."""
        last = self.told[-1]
        fields = msgspec.json.decode(last.fields)
        score = fields.get("score")
        return {
            "kind": KIND_WORDS[self.language].get(kind, kind),
            "user.name": last.name or seller,
            "at": self._at(last.at),
            "title": self._title(fields),
            "text": str(fields.get("text", "")),
            "score": "" if score is None else f"{score:.0%}",
            "count": str(len(self.told)),
            "lines": "\n".join(self._line(each) for each in self.told[-_LINES:]),
        }

    def _line(self, statement: Any) -> str:
        fields = msgspec.json.decode(statement.fields)
        page = _PAGES[self.language].format(fields["page"]) if fields.get("page") else ""
        return "  ".join(each for each in (self._at(statement.at), statement.name or "", page) if each)

    def _at(self, at: str) -> str:
        return moment(at).astimezone(self.zone).strftime(_DATES[self.language])

    def _title(self, fields: Mapping[str, Any]) -> str:
        for document in self.workspace.documents:
            if document.id == fields.get("document"):
                return document.title.get(self.language) or next(iter(document.title.values()), document.id)
        named = next((str(fields[name]) for name in OBJECT_FIELDS if fields.get(name)), "")
        return str(fields.get("title") or named)


def _statements(tx: sa.Connection, keys: Sequence[str]) -> dict[str, list[Any]]:
    rows = tx.execute(
        sa.select(statements, people.c.name)
        .outerjoin(people, people.c.id == statements.c.person_id)
        .where(among(statements.c.action_key, keys))
        .order_by(statements.c.at, statements.c.source, statements.c.id)
    )
    found: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        found[row.action_key].append(row)
    return found


def _by_id(tx: sa.Connection, table: sa.Table, ids: Sequence[str | None]) -> dict[str, Any]:
    wanted = {each for each in ids if each}
    return {row.id: row for row in tx.execute(sa.select(table).where(among(table.c.id, wanted)))}


def _accounts(tx: sa.Connection, ids: Sequence[str]) -> dict[tuple[str, str], str]:
    rows = tx.execute(
        sa.select(partner_accounts)
        .where(among(partner_accounts.c.partner_id, set(ids)))
        .order_by(partner_accounts.c.account.desc())
    )
    return {(row.connection, row.partner_id): row.account for row in rows}
