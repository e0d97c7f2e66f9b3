"""A door: one web application on one origin, and what a request at it may ask for."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from types import TracebackType
from typing import Any, cast
from uuid import uuid4

from flask import Flask, current_app, g

from config.workspace import Workspace
from sync.access import Person, Side
from sync.house import House
from sync.projection.reader import Projection
from webhook_app.sign_ins import SignIns
from webhook_app.texts.text import Texts

_BODY_LIMIT = 1 << 20  # a MiB; the front in front of us refuses larger ones before they are read


class Door(Flask):
    """The partners' or the vendor's web application. Two doors never share an origin or a session."""

    def __init__(self, house: House, side: Side, texts: Texts, *, new_id: Callable[[], str] = lambda: uuid4().hex):
        super().__init__("webhook_app", static_folder="static", template_folder="templates")
        self.house = house
        self.side = side
        self.texts = texts
        self.new_id = new_id  # of a request
        self.sign_ins = SignIns(house, side)
        self.config.update(MAX_CONTENT_LENGTH=_BODY_LIMIT)
        self.json.sort_keys = False  # type: ignore[attr-defined]  # the default provider has it

    def log_exception(
        self, exc_info: tuple[type[Any], Any, TracebackType | None] | tuple[None, None, None] | None
    ) -> None:
        """Log where a request broke and with what kind of error; never its text, which may hold a person's data."""
        kind, _, trail = exc_info or sys.exc_info()
        places = [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(trail)[-3:]]
        name = getattr(kind, "__qualname__", "error")
        self.logger.error("request %s broke: %s at %s", g.get("request_id", "-"), name, " < ".join(reversed(places)))


def this_door() -> Door:
    """The door that this request came to."""
    return cast(Door, current_app)


def this_house() -> House:
    """The house behind it."""
    return this_door().house


def this_workspace() -> Workspace:
    """The configuration in force, read once a request."""
    if "workspace" not in g:
        # The console shows what waits, so that two people can put in force what this release can read.
        house = this_house()
        g.workspace = house.settings() if this_door().side == "vendor" else house.workspace()
    return cast(Workspace, g.workspace)


def visitor() -> Person | None:
    """Who is signed in at this door, if anybody."""
    return cast("Person | None", g.get("person"))


def this_person() -> Person:
    """Who is signed in; only for views behind the guard."""
    return cast(Person, g.person)


def this_partner_id() -> str:
    """The signed-in person's company; only at the partners' door, behind the guard."""
    return cast(str, this_person().partner_id)


def this_projection() -> Projection:
    """All that the signed-in person's company can reach."""
    if "projection" not in g:
        g.projection = Projection(this_house(), this_partner_id(), "page")
    return cast(Projection, g.projection)
