"""The record pages of the sandbox CRM: deals of both orgs, and forms to change them, in plain HTML."""

from __future__ import annotations

from typing import Any

from flask import Flask, abort, redirect, render_template, request, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response

from connectors.sandbox.crm import ACCOUNT_OBJECTS, DEAL_OBJECTS, OWNER_FIELDS, Crm, Gone, Org, Row
from connectors.sandbox.hubspot import links as hubspot_links
from connectors.sandbox.page_fields import PAGES, Shown, clean_html, language_of, money_text, typed
from connectors.sandbox.salesforce.schema import full_name
from connectors.sandbox.wire import Wire

_WIRE = ("/crm/", "/oauth/")
_PARTNER_FLAGS: dict[Org, tuple[str, Any]] = {"salesforce": ("IsPartner", True), "hubspot": ("is_partner", "true")}
_POLICY = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"


def add_pages(app: Wire, crm: Crm) -> Wire:
    """Put the record pages beside the HubSpot wire, as the last of its paths."""
    app.jinja_env.filters["lang"] = language_of
    app.jinja_env.filters["note"] = lambda text: Markup(clean_html(text))  # noqa: S704 - cleaned one call before
    _guard(app)
    _reading(app, crm)
    _editing(app, crm)
    _partners(app, crm)
    return app.whole()


def _guard(app: Flask) -> None:
    @app.before_request
    def only_our_own_forms() -> None:
        if request.path.startswith(_WIRE):
            return
        if request.host.rpartition(":")[0] not in ("127.0.0.1", "localhost"):
            abort(421)
        origin = request.headers.get("Origin")
        if request.method == "POST" and origin is not None and origin != request.host_url.rstrip("/"):
            abort(403)

    @app.after_request
    def say_policy(response: Response) -> Response:
        if not request.path.startswith(_WIRE):
            response.headers["Content-Security-Policy"] = _POLICY
            response.headers["X-Content-Type-Options"] = "nosniff"
            response.headers["Referrer-Policy"] = "same-origin"
        return response

    @app.errorhandler(Gone)
    def gone(error: Gone) -> tuple[str, int]:
        return render_template("gone.html", message=str(error)), 404


def _org(name: str) -> Org:
    known: dict[str, Org] = {org: org for org in PAGES}
    if name not in known:
        abort(404)
    return known[name]


def _reading(app: Flask, crm: Crm) -> None:
    @app.get("/")
    def deals() -> str:
        orgs = [(org, PAGES[org], [_line(crm, org, row) for row in _all_deals(crm, org)]) for org in PAGES]
        return render_template("deals.html", orgs=orgs)

    @app.get("/<org>/deals/<id>")
    def deal(org: str, id: str) -> str:
        return _deal_page(crm, _org(org), id)

    @app.get("/<org>/accounts/<id>")
    def account(org: str, id: str) -> str:
        known = _org(org)
        row = _found(crm, known, ACCOUNT_OBJECTS[known], id)
        fields = [(shown, row.fields.get(shown.name)) for shown in PAGES[known].account]
        return render_template(
            "account.html", org=known, page=PAGES[known], row=row, fields=fields, timeline=_timeline(crm, known, id)
        )


def _all_deals(crm: Crm, org: Org) -> list[Row]:
    return [*crm.rows(org, DEAL_OBJECTS[org]), *crm.rows(org, DEAL_OBJECTS[org], deleted=True)]


def _found(crm: Crm, org: Org, object: str, id: str) -> Row:
    row = crm.find(org, object, id)
    if row is None:
        raise Gone(f"there is no {object} `{id}`")
    return row


def _line(crm: Crm, org: Org, row: Row) -> dict[str, Any]:
    """One deal as the list shows it."""
    page = PAGES[org]
    account = _customer(crm, org, row)
    partners = [_account_name(crm, org, each.account_id) for each in crm.partners_on(org, row.id)]
    return {
        "id": row.id,
        "name": row.fields.get(page.deal_name) or row.id,
        "account": account[1],
        "stage": page.stages.get(row.fields.get(page.stage) or "", ""),
        "amount": _shown_value(org, row, Shown(page.amount, "", "money")),
        "partners": partners,
        "deleted": row.deleted,
    }


def _customer(crm: Crm, org: Org, row: Row) -> tuple[str, str]:
    """The id and name of a deal's own account."""
    if org == "salesforce":
        id = row.fields.get("AccountId") or ""
    else:
        links = hubspot_links.links(crm, "deals", row.id, "companies")
        primary = [link.to_id for link in links if any(kind.label == "Primary" for kind in link.types)]
        id = primary[0] if primary else ""
    return id, _account_name(crm, org, id)


def _account_name(crm: Crm, org: Org, id: str) -> str:
    row = crm.find(org, ACCOUNT_OBJECTS[org], id)
    return str(row.fields.get(PAGES[org].account_name)) if row else ""


def _shown_value(org: Org, row: Row, shown: Shown) -> str:
    value = row.fields.get(shown.name)
    if value in (None, ""):
        return ""
    if shown.kind == "money":
        return money_text(value, row.fields.get(PAGES[org].currency) or "")
    if shown.kind == "percent":
        return f"{value} %"
    if shown.kind == "choice":
        return PAGES[org].stages.get(str(value), str(value))
    return str(value)[:10] if shown.kind == "day" else str(value)


def _input_value(row: Row, shown: Shown) -> str:
    value = row.fields.get(shown.name)
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.0f}" if value == int(value) else f"{value}"
    return str(value)[:10] if shown.kind == "day" else str(value)


def _timeline(crm: Crm, org: Org, id: str) -> list[dict[str, Any]]:
    users = dict(_users(crm, org))
    return [{"entry": each, "owner": users.get(each.owner_id or "", "")} for each in crm.timeline(org, id)]


def _users(crm: Crm, org: Org) -> list[tuple[str, str]]:
    if org == "salesforce":
        return [(row.id, row.fields["Name"]) for row in crm.rows(org, "User") if row.fields.get("IsActive")]
    owners = crm.rows(org, "owners")
    return [(row.id, full_name(row.fields["firstName"], row.fields["lastName"])) for row in owners]


def _deal_page(crm: Crm, org: Org, id: str, problem: str = "") -> str:
    page = PAGES[org]
    row = _found(crm, org, DEAL_OBJECTS[org], id)
    flag, yes = _PARTNER_FLAGS[org]
    on = crm.partners_on(org, id)
    directory = crm.rows(org, ACCOUNT_OBJECTS[org], where={flag: yes})
    return render_template(
        "deal.html",
        org=org,
        page=page,
        row=row,
        name=row.fields.get(page.deal_name) or row.id,
        customer=_customer(crm, org, row),
        fields=[(shown, _shown_value(org, row, shown)) for shown in page.deal],
        inputs=[(shown, _input_value(row, shown)) for shown in page.deal if shown.edited],
        partners=[(each, _account_name(crm, org, each.account_id)) for each in on],
        directory=[(each.id, each.fields.get(page.account_name)) for each in directory],
        users=_users(crm, org),
        owner=row.fields.get(OWNER_FIELDS[org]),
        timeline=_timeline(crm, org, id),
        problem=problem,
    )


def _back(org: str, id: str) -> Response:
    return redirect(url_for("deal", org=org, id=id), 303)


def _editing(app: Flask, crm: Crm) -> None:
    @app.post("/<org>/deals/<id>/edit")
    def edit(org: str, id: str) -> Response | tuple[str, int]:
        known = _org(org)
        wanted = [shown for shown in PAGES[known].deal if shown.edited and shown.name in request.form]
        try:
            changes = {shown.name: typed(known, shown, request.form[shown.name]) for shown in wanted}
        except ValueError as error:
            return _deal_page(crm, known, id, problem=f"Not saved: {error}"), 400
        if not changes.get(PAGES[known].deal_name, "kept"):
            return _deal_page(crm, known, id, problem="Not saved: a deal needs a name"), 400
        crm.edit(known, DEAL_OBJECTS[known], id, changes)
        return _back(org, id)

    @app.post("/<org>/deals/<id>/delete")
    def delete(org: str, id: str) -> Response:
        known = _org(org)
        crm.delete(known, DEAL_OBJECTS[known], id)
        return _back(org, id)

    @app.post("/<org>/deals/<id>/restore")
    def restore(org: str, id: str) -> Response:
        known = _org(org)
        crm.restore(known, DEAL_OBJECTS[known], id)
        return _back(org, id)

    @app.post("/<org>/deals/<id>/owner")
    def owner(org: str, id: str) -> Response:
        known = _org(org)
        if request.form.get("owner") not in dict(_users(crm, known)):
            abort(400)
        crm.reassign(known, id, request.form["owner"])
        return _back(org, id)


def _partners(app: Flask, crm: Crm) -> None:
    @app.post("/<org>/deals/<id>/partners")
    def put_on(org: str, id: str) -> Response:
        known = _org(org)
        account, role = request.form.get("account", ""), request.form.get("role", "")
        crm.get(known, ACCOUNT_OBJECTS[known], account)
        if role not in PAGES[known].roles:
            abort(400)
        crm.add_partner(known, id, account, role)
        return _back(org, id)

    @app.post("/<org>/deals/<id>/partners/<account>/remove")
    def take_off(org: str, id: str, account: str) -> Response:
        crm.remove_partner(_org(org), id, account)
        return _back(org, id)
