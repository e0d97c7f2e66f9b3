"""The vendor's door as somebody who is signed in knocks at it."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from sync import access
from webhook_app.console.app import create_console_app


@pytest.fixture
def come_in(world):
    """A browser in which somebody is signed in: `come_in("auditor", language="ja")`."""

    def come_in(role: str = "admin", language: str = "en") -> FlaskClient:
        person = access.add_person(world, f"{role.replace(' ', '.')}@aozora.example", "", role=role)
        access.set_language(world, person.id, language)
        browser = create_console_app(world).test_client()
        browser.post(f"/l/{access.make_link(world, person.id)}", headers={"Sec-Fetch-Site": "same-origin"})
        return browser

    return come_in
