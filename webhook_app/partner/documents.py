"""The partner portal: documents, read page by page, so that the request is the statement."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, abort, request
from werkzeug.wrappers import Response as AnyResponse

from config.workspace import Document
from sync.actions.support_log import say
from sync.projection.reader import Projection
from sync.projection.shown import Standing
from webhook_app.document_pages import count_pages, open_page
from webhook_app.door import this_house, this_partner_id, this_person, this_projection
from webhook_app.guard import takes
from webhook_app.pages import page, reader_language

documents = Blueprint("documents", __name__, url_prefix="/documents")


@documents.get("/")
def shelf() -> AnyResponse:
    """The documents that are open to this partner: one line each, in the languages it has."""
    return page("partner/documents.html", documents=on_shelf(this_projection()))


def on_shelf(projection: Projection) -> list[dict[str, Any]]:
    """The documents that are open to a partner, each with its title and its editions."""
    editions: dict[str, list[Document]] = {}
    for each in projection.documents():
        editions.setdefault(each.id, []).append(each)
    return [{"title": title_of(each[0]), "editions": [_edition(one) for one in each]} for each in editions.values()]


@documents.get("/<document_id>/<edition>")
@takes("page", "deal")
def reader(document_id: str, edition: str) -> AnyResponse:
    """One document in one language, one page at a time."""
    found = find_document(this_projection(), document_id, edition) or abort(404)
    pages = count_pages(this_house(), found)
    number = request.args.get("page", "1")
    if not (number.isascii() and number.isdigit() and len(number) < 7 and 1 <= int(number) <= pages):
        abort(404)
    others = [each for each in this_projection().documents() if each.id == found.id]
    told: dict[str, Any] = {"document": found, "title": title_of(found), "others": others, "deal": _for_deal()}
    return page("partner/document.html", number=int(number), pages=pages, **told)


@documents.get("/<document_id>/<edition>/pages/<int:number>.pdf")
@takes("deal")
def page_bytes(document_id: str, edition: str, number: int) -> AnyResponse:
    """The bytes of one page. Who asks for them has opened it, for a deal where it was opened from one."""
    found = find_document(this_projection(), document_id, edition) or abort(404)
    deal = _for_deal()
    return serve_page(found, number, this_partner_id(), this_person().email, deal.id if deal else None)


def _for_deal() -> Standing | None:
    """The deal that a document is read for; 404 where this partner has no such deal."""
    asked = request.args.get("deal")
    return (this_projection().standing(asked) or abort(404)) if asked is not None else None


def find_document(projection: Projection, document_id: str, edition: str) -> Document | None:
    """A document that is open to this partner, in this language."""
    wanted = (document_id, edition)
    return next((each for each in projection.documents() if (each.id, each.language) == wanted), None)


def serve_page(found: Document, number: int, partner_id: str, person: str | None, deal: str | None = None) -> Response:
    """One page of a document as PDF, noted in the support log; 404 where it has no such page."""
    content = open_page(this_house(), found, number)
    if content is None:
        abort(404)
    if request.method == "GET":
        about = {"document": found.id, "version": found.version, "page": number, "title": title_of(found)}
        say(this_house(), partner_id, person, "document.opened", deal, **about)
    response = Response(content, mimetype="application/pdf")
    response.headers["Content-Disposition"] = f'inline; filename="{found.id}-{number}.pdf"'
    response.headers["Content-Security-Policy"] = "frame-ancestors 'self'"  # our reader page frames it
    return response


def title_of(found: Document) -> str:
    """The document's title in the reader's language, else in its own, else any."""
    titles = found.title
    return titles.get(reader_language()) or titles.get(found.language) or next(iter(titles.values()), found.id)


def _edition(found: Document) -> dict[str, Any]:
    return {"document": found, "pages": count_pages(this_house(), found)}
