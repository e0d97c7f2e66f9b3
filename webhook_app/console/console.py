"""The console: what the vendor's own people see. Unfiltered values appear here and nowhere else; it only reads."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, request, url_for
from werkzeug.wrappers import Response

from sync import board
from sync.access import EVERYBODY, PartnerRow, pause, paused, resume
from sync.actions.promise import promised
from sync.checks.certificate import certificates
from sync.deciding.facts import ShareRow
from sync.deciding.released_texts import texts_waiting
from sync.ledger.recalled import recalls_waiting
from sync.mirror.notices import hearing
from sync.mirror.progress import under_way
from sync.projection.reader import Projection
from sync.projection.shown import BadQuery, Deal, Query
from sync.webhooks.own import webhook_of
from webhook_app.console.asked import ADMINS, AUDITORS, may, only, partner_of_id
from webhook_app.console.plans import standing_of
from webhook_app.door import this_house, this_person, this_workspace
from webhook_app.guard import takes
from webhook_app.health import STATES, files_that_differ, running, standing, stuck
from webhook_app.hooks.notices import notice_url
from webhook_app.pages import page, value_at
from webhook_app.texts.fields import in_reading_order

console = Blueprint("console", __name__)


@console.get("/")
def overview() -> Response:
    """How things stand: connections, what runs, files against the version in force."""
    house = this_house()
    now_running = running(house)
    standings = [standing(each, now_running.jobs, house.clock()) for each in board.connections(house)]
    return page(
        "console/overview.html",
        reads=under_way(house),
        proofs={each.connection: each for each in certificates(house)},
        standings=standings,
        running=now_running,
        house_jobs={name: how for name, how in now_running.jobs.items() if ":" not in name},
        version=board.versions(house, limit=1)[0],
        plans=standing_of(house),
        recalls=recalls_waiting(house),
        texts=texts_waiting(house),
        stuck=stuck(standings),
        set_aside=board.count_quarantined(house),
        differing=files_that_differ(house),
        all_paused=_paused(EVERYBODY),
        may_pause=may(ADMINS),
        everybody=EVERYBODY,
    )


@console.get("/connections/<name>")
def connection(name: str) -> Response:
    """One connection: what is read, what waits to be sent, what runs for it, and what is wrong."""
    house = this_house()
    now_running = running(house)
    jobs = now_running.jobs
    state = next((each for each in board.connections(house) if each.name == name), None) or abort(404)
    row = this_workspace().connections[name]
    return page(
        "console/connection.html",
        calls=now_running.calls.get(name),
        heard=hearing(house, name) if "notices" in row.options else None,
        notice_url=notice_url(this_workspace(), row),
        one=standing(state, jobs, house.clock()),
        promise=promised(house, name),
        reads=under_way(house, name),
        certificate=next(each for each in certificates(house) if each.connection == name),
        jobs={job: how for job, how in jobs.items() if job.partition(":")[2] == name},
        states=STATES,
    )


@console.get("/partners")
@takes("after")
def partners() -> Response:
    """All partners, with how many deals each has."""
    found = board.all_partners(this_house(), after=request.args.get("after"))
    next_page = found[-1].key if len(found) == board.PARTNERS_PAGE else None
    return page("console/partners.html", partners=found, next=next_page)


@console.get("/partners/<partner_id>")
@takes("after", "done")
def partner(partner_id: str) -> Response:
    """One partner: its door, and its list of deals as it has it."""
    found = partner_of_id(partner_id)
    projection = Projection(this_house(), found.id)
    try:
        deals = projection.deals(Query(after=request.args.get("after")))
    except BadQuery:
        abort(400)
    return page(
        "console/partner.html",
        partner=found,
        columns=projection.list_fields,
        deals=deals.deals,
        next=deals.next,
        value_at=value_at,
        closed=_paused(found.id),
        all_paused=_paused(EVERYBODY),
        may_pause=may(ADMINS),
        done=request.args.get("done"),
        webhook=webhook_of(this_house(), found.id),
        may_read_ledger=may(AUDITORS),
    )


@console.get("/partners/<partner_id>/deals/<public_id>")
def deal_as_partner(partner_id: str, public_id: str) -> Response:
    """One deal, from the very projection that this partner reads."""
    found = partner_of_id(partner_id)
    projection = Projection(this_house(), found.id)
    deal = projection.deal(public_id) or abort(404)
    return page(
        "console/deal_as_partner.html",
        partner=found,
        deal=deal,
        title=_title(deal),
        messages=projection.messages(public_id),
    )


@console.get("/deals")
@takes("q", "after")
def deals() -> Response:
    """Deals that some partner is on, unfiltered."""
    asked = request.args.get("q", "").strip()
    if asked:
        rows = board.deals_named(this_house(), asked)
        if len(rows) == 1:
            return redirect(url_for("console.deal", deal_id=rows[0].id), 303)
    else:
        rows = board.shared_deals(this_house(), after=request.args.get("after"))
    next_page = rows[-1].id if len(rows) == board.PAGE and not asked else None
    return page("console/deals.html", deals=rows, asked=asked, next=next_page)


@console.get("/deals/<deal_id>")
@takes("partner")
def deal(deal_id: str) -> Response:
    """A deal's fields by class, and for one partner why it sees each as it does."""
    house = this_house()
    found = board.find_deal(house, deal_id) or abort(404)
    shares = board.deal_shares(house, found.id)
    chosen = _chosen(shares)
    explained = {each.field: each for each in board.explain(house, chosen.id, found.id)} if chosen else {}
    fields = {each.name: each for each in board.deal_fields(house, found.id)}
    return page(
        "console/deal.html",
        deal=found,
        fields=[fields[name] for name in in_reading_order(fields)],
        shares=shares,
        chosen=chosen,
        explained=explained,
        admitted=all(each.admitted for each in explained.values()),
        public=next((share.public_id for _, _, share in shares if chosen and share.partner_id == chosen.id), None),
    )


@console.get("/outbox")
@takes("state", "after")
def outbox() -> Response:
    """Logged actions on their way to the CRM."""
    state = request.args.get("state") or None
    if state is not None and state not in STATES:
        abort(400)
    rows = board.outbox(this_house(), state=state, after=request.args.get("after"))
    next_page = rows[-1].key if len(rows) == board.PAGE else None
    return page("console/outbox.html", rows=rows, state=state, states=STATES, next=next_page)


@console.get("/quarantine")
@takes("after")
def set_aside() -> Response:
    """Records and statements that were set aside."""
    rows = board.quarantined(this_house(), after=request.args.get("after"))
    return page("console/quarantine.html", rows=rows, next=rows[-1].id if len(rows) == board.PAGE else None)


@console.get("/users")
def users() -> Response:
    """The vendor's own users, as the version in force names them."""
    return page("console/users.html", users=this_workspace().vendor_users)


@console.post("/pause")
def close_doors() -> Response:
    """Close all doors of one partner, or of all."""
    scope = _scope()
    pause(this_house(), scope, this_person().email)
    return _back(scope, "closed")


@console.post("/resume")
def open_doors() -> Response:
    """Open them again."""
    scope = _scope()
    resume(this_house(), scope, this_person().email)
    return _back(scope, "open")


def _scope() -> str:
    only(ADMINS)
    scope = request.form.get("scope", "")
    return scope if scope == EVERYBODY else partner_of_id(scope).id


def _back(scope: str, done: str) -> Response:
    address = (
        url_for("console.overview") if scope == EVERYBODY else url_for("console.partner", partner_id=scope, done=done)
    )
    return redirect(address, 303)


def _paused(scope: str) -> bool:
    with this_house().reading() as tx:
        return paused(tx, scope)


def _chosen(shares: list[tuple[str, str, ShareRow]]) -> PartnerRow | None:
    """The partner to explain for: the one asked for, else the first that has the deal."""
    asked = request.args.get("partner")
    if asked is not None:
        return partner_of_id(asked)
    return PartnerRow(shares[0][2].partner_id, shares[0][0], shares[0][1]) if shares else None


def _title(deal: Deal) -> str:
    return str(value_at(deal.body, "deal.name") or "")
