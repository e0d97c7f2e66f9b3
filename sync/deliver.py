"""Sends mails: each holds a one-time link and no deal data, and is written when it is sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from config.workspace import Language, Workspace
from sync.access import DEAL_PAGE, EVERYBODY, SIGN_IN, make_link
from sync.house import House, instant
from sync.store.schema import mails, pauses, people, shares
from sync.store.unfiltered import partner_accounts

BATCH, TRIES = 50, 6
LINK_MINUTES = 15  # that a link lives for which somebody asked
_LONG = 3 * 24 * 60  # any other
_SUBJECTS: Mapping[Language, Mapping[str, str]] = {
    "ja": {
        "sign-in": "{vendor}: サインイン",
        "invitation": "{vendor}: 新しい商談があります",
        "message": "{vendor}: メッセージがあります",
        "webhook": "{vendor}: Webhookを停止しました",
        "recall": "{vendor}: 写しの削除と確認のお願い",
        "recall overdue": "{vendor}: 写しの削除確認の期限が過ぎています",
    },
    "ko": {
        "sign-in": "{vendor}: 로그인",
        "invitation": "{vendor}: 새로운 딜이 있습니다",
        "message": "{vendor}: 메시지가 있습니다",
        "webhook": "{vendor}: 웹훅을 중지했습니다",
        "recall": "{vendor}: 사본 삭제와 확인 요청",
        "recall overdue": "{vendor}: 사본 삭제 확인 기한이 지났습니다",
    },
    "en": {
        "sign-in": "{vendor}: sign in",
        "invitation": "{vendor}: a new deal",
        "message": "{vendor}: a message",
        "webhook": "{vendor}: your webhook was stopped",
        "recall": "{vendor}: please delete copies and confirm",
        "recall overdue": "{vendor}: a confirmation that copies are deleted is overdue",
    },
}
_BODIES: Mapping[Language, str] = {
    "ja": "{name} 様\n\n次のリンクを開いてください。一度だけ使えます。\n{link}\n\n"
    "心当たりがなければ、このメールは破棄してください。",
    "ko": "{name} 님\n\n아래 링크를 열어 주세요. 한 번만 사용할 수 있습니다.\n{link}\n\n"
    "요청하신 적이 없다면 이 메일을 무시해 주세요.",
    "en": "{name},\n\nopen this link; it works once.\n{link}\n\nIf you did not expect it, throw this mail away.",
}


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail on its way out."""

    to: str
    subject: str
    body: str


SendMail = Callable[[Mail], None]
"""The port: hands one mail over; raises OSError where that may work later."""


def deliver(house: House, send: SendMail) -> int:
    """Send the mails that are due, one batch; how many went out. A failed one is tried again, six times."""
    with house.reading() as tx:
        workspace = house.in_force(tx).workspace
        wanted = sa.select(mails, people.c.email, people.c.name, people.c.language, people.c.partner_id)
        due = sa.and_(mails.c.state == "due", mails.c.next_at <= house.now(), people.c.ended.is_(None))
        # INVARIANT: no mail goes out for whom the doors are closed, or about a deal that can't be read there now.
        useful = sa.or_(people.c.partner_id.is_(None), sa.and_(_door_is_open(), _leads_somewhere(house)))
        rows = tx.execute(wanted.join(people).where(due, useful).order_by(mails.c.next_at).limit(BATCH)).all()
    return sum(_deliver_one(house, workspace, row, send) for row in rows)


def _door_is_open() -> sa.ColumnElement[bool]:
    closed = sa.exists().where(pauses.c.scope.in_((EVERYBODY, people.c.partner_id)))
    return sa.and_(~closed, sa.exists().where(partner_accounts.c.partner_id == people.c.partner_id))


def _leads_somewhere(house: House) -> sa.ColumnElement[bool]:
    """Whether it leads to no single deal, or to one that its reader has; what waits for another decision waits."""
    until = sa.or_(shares.c.until.is_(None), shares.c.until > house.now())
    there = sa.and_(shares.c.partner_id == people.c.partner_id, ~shares.c.suspended, until)
    named = mails.c.goes_to == sa.literal(DEAL_PAGE).concat(shares.c.public_id)
    return sa.or_(~mails.c.goes_to.startswith(DEAL_PAGE), sa.exists().where(there, named))


def _deliver_one(house: House, workspace: Workspace, row: Any, send: SendMail) -> int:
    link = make_link(house, row.person_id, row.goes_to, minutes=LINK_MINUTES if row.reason == SIGN_IN else _LONG)
    door = workspace.serving.partner_url if row.partner_id else workspace.serving.vendor_url
    language: Language = row.language if row.language in _BODIES else "en"
    subject = _SUBJECTS[language][row.reason].format(vendor=workspace.vendor)
    body = _BODIES[language].format(name=row.name, link=f"{door}/l/{link}")
    values: dict[str, Any] = {"state": "sent", "problem": None}
    try:
        send(Mail(row.email, subject, body))
    except OSError as problem:
        later = house.clock() + timedelta(minutes=2**row.attempts)
        state = "due" if row.attempts + 1 < TRIES else "parked"
        values = {
            "state": state,
            "attempts": row.attempts + 1,
            "next_at": instant(later),
            "problem": type(problem).__name__,
        }
    with house.writing() as tx:
        tx.execute(sa.update(mails).where(mails.c.id == row.id, mails.c.state == "due").values(**values))
    return int(values["state"] == "sent")
