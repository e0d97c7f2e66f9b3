"""The console's disclosure ledger: three questions, their answers, and the reports. For administrators and auditors."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import islice
from typing import Any

from flask import Blueprint, Response, abort, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from sync.access import Ambiguous, PartnerRow
from sync.board import DealRow, all_partners, find_deal
from sync.house import instant
from sync.ledger.closings import Closing
from sync.ledger.history import seen_at
from sync.ledger.questions import (
    MOST_FOUND,
    Period,
    Provision,
    Subject,
    find_people,
    find_subject,
    received_by,
    recipients_of,
)
from sync.ledger.reports import REPORTS, Report, page_of, provisions
from webhook_app.console.asked import AUDITORS, only, partner_named, partner_of_id
from webhook_app.console.ledger_words import DAYS, bases_text, cells, channels_text, csv_of, fields_text, headings
from webhook_app.door import this_house, this_workspace
from webhook_app.guard import takes
from webhook_app.pages import page, reader_language

ledger = Blueprint("ledger", __name__, url_prefix="/ledger")
MOST_ROWS = 100_000  # of a file: the door holds it whole; the command writes any number
_ASKED = ("partner", "person", "from", "until")


@ledger.before_request
def _open() -> None:
    # INVARIANT: who has seen whom is itself personal data: two roles read it.
    only(AUDITORS)


@ledger.get("")
def start() -> AnyResponse:
    """The questions."""
    return _asking("ledger")


@ledger.post("/people")
def find_person() -> AnyResponse:
    """The person that is meant, or a choice of several; what was typed stays in the form's body."""
    asked = request.form.get("asked", "")[:300]
    found = find_people(this_house(), asked)
    if len(found) == 1:
        return redirect(url_for("ledger.person", subject_id=found[0].id), 303)
    return _asking("ledger", found=found, most=MOST_FOUND, sought=asked)


@ledger.post("/partners")
def choose_partner() -> AnyResponse:
    """The partner that is meant."""
    asked = request.form.get("asked", "")[:300]
    found = partner_named(asked)
    if found is None:
        return _asking("ledger", no_partner=asked)
    return redirect(url_for("ledger.partner", partner_id=found.id), 303)


@ledger.get("/people/<subject_id>")
@takes("after")
def person(subject_id: str) -> AnyResponse:
    """Who could see or received anything about one person."""
    subject = find_subject(this_house(), subject_id) or abort(404)
    answer = recipients_of(this_house(), subject.id, after=request.args.get("after"))
    own = [each for each in REPORTS.values() if each.scope == "person"]
    return page("console/ledger_person.html", subject=subject, answer=answer, reports=own, **_words())


@ledger.get("/partners/<partner_id>")
@takes("after")
def partner(partner_id: str) -> AnyResponse:
    """What one partner could see or received."""
    found = partner_of_id(partner_id)
    answer = received_by(this_house(), found.id, after=request.args.get("after"))
    own = [each for each in REPORTS.values() if each.scope == "partner"]
    return page("console/ledger_partner.html", partner=found, answer=answer, reports=own, **_words())


@ledger.post("/seen")
def seen() -> AnyResponse:
    """What one partner could see of one deal at an instant, and by which rules."""
    found, deal = partner_named(request.form.get("partner", "")), _deal(request.form.get("deal", ""))
    at = _instant(request.form.get("at", ""))
    if found is None or deal is None or at is None:
        return _asking("ledger", no_deal=[request.form.get(name, "")[:300] for name in ("partner", "deal")])
    answer = seen_at(this_house(), found.id, deal.id, at)
    told = {"closing": answer} if isinstance(answer, Closing) else {"seen": answer}
    return _asking("ledger_seen", partner=found, deal=deal, at=instant(at), **told, **_words())


@ledger.get("/reports")
def reports() -> AnyResponse:
    """What can be made for authorities, partners and persons."""
    return _asking("ledger_reports", reports=REPORTS.values())


@ledger.get("/report")
@takes("kind", "after", *_ASKED)
def report() -> AnyResponse:
    """One report, to look at and to print."""
    kind, about, period = _asked()
    house, workspace, language = this_house(), this_workspace(), reader_language()
    if about is None:
        rows, after = list(islice(provisions(house, kind, None, period), 500 + 1)), None
    else:
        answer = page_of(house, kind, about.id, period, after=request.args.get("after"), limit=200)
        rows, after = list(answer.rows), answer.next
    return page(
        "console/ledger_report.html",
        report=kind,
        about=about,
        **_laid_out(kind, [cells(language, kind, each, workspace) for each in rows[:500]]),
        next=_address("ledger.report", after=after) if after else None,
        part=bool(after or request.args.get("after") or len(rows) > 500),
        csv=_address("ledger.report_csv"),
        made=house.now(),
        period=period,
        **_words(),
    )


@ledger.get("/report.csv")
@takes("kind", *_ASKED)
def report_csv() -> AnyResponse:
    """The same, whole, as a file."""
    kind, about, period = _asked()
    rows = provisions(this_house(), kind, about.id if about else None, period)
    held = whole(rows, MOST_ROWS)
    if held is None:
        return _asking("ledger_reports", status=422, reports=REPORTS.values(), too_many=MOST_ROWS, asked=request.args)
    answer = Response(csv_of(reader_language(), kind, held, this_workspace()), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="sudare-{kind.name}.csv"'
    return answer


def _laid_out(kind: Report, rows: list[list[str]]) -> dict[str, Any]:
    """What is the same in every line stands once, above the table."""
    told = headings(reader_language(), kind)
    once = [number for number, column in enumerate(kind.columns) if column.same]
    each = [number for number, column in enumerate(kind.columns) if not column.same]
    return {
        "once": [(*told[number], rows[0][number]) for number in once] if rows else [],
        "headings": [told[number] for number in each],
        "rows": [[row[number] for number in each] for row in rows],
        "days": [kind.columns[number].name in DAYS for number in each],
    }


def whole(rows: Iterator[Provision], most: int) -> list[Provision] | None:
    """All of these; None where they are more than `most`: half a record is none."""
    held = list(islice(rows, most + 1))
    return held if len(held) <= most else None


def _asked() -> tuple[Report, PartnerRow | Subject | None, Period]:
    """What report, about whom, of which days. Ends the request with a page that says what is wrong."""
    kind = REPORTS.get(request.args.get("kind", "")) or abort(404)
    named = request.args.get(kind.scope, "")
    about = (partner_named(named) if kind.scope == "partner" else find_subject(this_house(), named)) if named else None
    since, until = (request.args.get(name, "") for name in ("from", "until"))
    wrong = "days" if not (_is_day(since) and _is_day(until)) else ""
    if about is None and (named or kind.needs_one):
        wrong = kind.scope
    if wrong:
        abort(_asking("ledger_reports", status=422, reports=REPORTS.values(), wrong=wrong, asked=request.args))
    return kind, about, Period(since, until)


def _asking(template: str, **values: Any) -> Response:
    """A page that asks: what was typed stays in its form, and partners are offered by name."""
    return page(f"console/{template}.html", partners=all_partners(this_house()), **values)


def _address(endpoint: str, **more: Any) -> str:
    kept: dict[str, Any] = {name: value for name, value in request.args.items() if name != "after"}
    return url_for(endpoint, **kept, **more)


def _is_day(text: str) -> bool:
    try:
        return not text or date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _deal(name: str) -> DealRow | None:
    try:
        return find_deal(this_house(), name.strip()[:300]) if name.strip() else None
    except Ambiguous:
        return None


def _instant(text: str) -> datetime | None:
    """An instant written as a clock in the vendor's zone shows it; empty is now. None where no clock shows that."""
    if not text:
        return this_house().clock()
    try:
        shown = datetime.fromisoformat(text)
        # With an offset it would be another instant than the one that is meant.
        return None if shown.tzinfo else shown.replace(tzinfo=this_workspace().timezone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _words() -> dict[str, Any]:
    language = reader_language()
    return {
        "fields_text": lambda fields: fields_text(language, fields),
        "channels_text": lambda channels: channels_text(language, channels),
        "bases_text": lambda bases: bases_text(language, bases),
    }
