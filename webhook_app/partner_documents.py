"""The partner portal: documents, read page by page, so that the request is the statement."""

from __future__ import annotations

from typing import cast

from flask import Blueprint, abort, request
from werkzeug.wrappers import Response

from sync.reader import DocumentView
from sync.support_log import say
from webhook_app.door import this_house, this_person
from webhook_app.guard import takes
from webhook_app.pages import page, reader_language
from webhook_app.partner import this_projection

documents = Blueprint("documents", __name__, url_prefix="/documents")


@documents.get("/")
def shelf() -> Response:
    """The documents that are open to this partner."""
    return page("partner/documents.html", documents=this_projection().documents(), title_of=title_of)


@documents.get("/<document_id>")
@takes("page")
def reader(document_id: str) -> Response:
    """One document, one page at a time."""
    found = _document(document_id)
    number = request.args.get("page", "1")
    if not (number.isascii() and number.isdigit() and len(number) < 7 and 1 <= int(number) <= found.pages):
        abort(404)
    return page("partner/document.html", document=found, title=title_of(found), number=int(number))


@documents.get("/<document_id>/pages/<int:number>.pdf")
def page_bytes(document_id: str, number: int) -> Response:
    """The bytes of one page. Who asks for them has opened it."""
    found = _document(document_id)
    person = this_person()
    return serve_page(found, number, cast(str, person.partner_id), person.email)


def serve_page(found: DocumentView, number: int, partner_id: str, person: str | None) -> Response:
    """One page of a document as PDF, noted in the support log; 404 where it has no such page."""
    content = this_projection().document_bytes(found.id, number) if 1 <= number <= found.pages else None
    if content is None:
        abort(404)
    if request.method == "GET":
        about = {"document": found.id, "version": found.version, "page": number, "title": title_of(found)}
        say(this_house(), partner_id, person, "document.opened", None, **about)
    response = Response(content, mimetype="application/pdf")
    response.headers["Content-Disposition"] = f'inline; filename="page-{number}.pdf"'
    response.headers["Content-Security-Policy"] = "frame-ancestors 'self'"  # our reader page frames it
    return response


def title_of(found: DocumentView) -> str:
    """The document's title in the reader's language, else in its own."""
    titles = found.title
    return titles.get(reader_language()) or titles.get(found.language) or next(iter(titles.values()), found.id)


def _document(document_id: str) -> DocumentView:
    return this_projection().document(document_id) or abort(404)
