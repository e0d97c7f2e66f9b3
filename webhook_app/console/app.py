"""The vendor's origin: the console, behind the same guard as the partners' door."""

from __future__ import annotations

from flask import Flask

from sync.house import House
from webhook_app.console.console import console
from webhook_app.console.ledger import ledger
from webhook_app.console.plans import plans
from webhook_app.console.policy import policy
from webhook_app.console.recalls import recalls
from webhook_app.console.released import released
from webhook_app.door import Door
from webhook_app.guard import guard
from webhook_app.identity import identity
from webhook_app.texts.calls import CALLS
from webhook_app.texts.checks import CHECKS
from webhook_app.texts.common import COMMON
from webhook_app.texts.console import CONSOLE
from webhook_app.texts.ledger import LEDGER
from webhook_app.texts.notices import NOTICES
from webhook_app.texts.plans import PLANS
from webhook_app.texts.policy import POLICY
from webhook_app.texts.recalls import RECALLS
from webhook_app.texts.released import RELEASED
from webhook_app.texts.schema import SCHEMA
from webhook_app.texts.webhooks import WEBHOOK


def create_console_app(house: House) -> Flask:
    """The web application that the vendor's own people reach."""
    rooms = (COMMON, CONSOLE, SCHEMA, NOTICES, CHECKS, CALLS, LEDGER, PLANS, POLICY, RELEASED, RECALLS, WEBHOOK)
    door = Door(house, "vendor", {key: text for room in rooms for key, text in room.items()})
    guard(door)
    for blueprint in (identity, console, policy, plans, released, recalls, ledger):
        door.register_blueprint(blueprint)
    return door
