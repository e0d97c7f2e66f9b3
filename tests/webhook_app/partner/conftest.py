"""The partners' door as browsers and programs knock at it."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from pypdf import PdfWriter

from sync import access
from sync.store.identifiers import partner_id
from webhook_app.partner.app import create_partner_app


class Browser(FlaskClient):
    """A client that says of its forms what browsers say of theirs."""

    def post(self, *args, **more):
        headers = {"Sec-Fetch-Site": "same-origin", **more.pop("headers", {})}
        return super().post(*args, headers=headers, **more)


@pytest.fixture
def door(world):
    """The partners' web application."""
    app = create_partner_app(world)
    app.test_client_class = Browser
    return app


@pytest.fixture
def sign_in(world, door):
    """A signed-in browser: `sign_in("MINATO")`, reading in `language`."""

    def come_in(partner: str, language: str = "ja") -> Browser:
        address = f"reader@{partner.lower()}.example"
        person = access.add_person(world, address, "佐藤 花子", partner_id=partner_id(partner))
        access.set_language(world, person.id, language)
        browser = door.test_client()
        assert browser.post(f"/l/{access.make_link(world, person.id)}").status_code == 303
        return browser

    return come_in


@pytest.fixture
def call(world, door):
    """A program with a partner's key: `call("MINATO")` gives a client whose requests carry it."""

    def with_key(partner: str) -> FlaskClient:
        client = door.test_client()
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {access.make_api_key(world, partner_id(partner), 'test')}"
        return client

    return with_key


@pytest.fixture
def pdf(tmp_path):
    """The bytes of a small PDF of so many pages."""

    def make(pages: int) -> bytes:
        path = tmp_path / "made.pdf"
        writer = PdfWriter()
        for _ in range(pages):
            writer.add_blank_page(420, 595)
        writer.write(path)
        return path.read_bytes()

    return make
