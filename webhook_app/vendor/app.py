"""The vendor's origin: the console, behind the same guard as the partners' door."""

from __future__ import annotations

from flask import Flask

from sync.house import House
from webhook_app.door import Door
from webhook_app.guard import guard
from webhook_app.identity import identity
from webhook_app.texts.calls import CALLS
from webhook_app.texts.checks import CHECKS
from webhook_app.texts.common import COMMON
from webhook_app.texts.ledger import LEDGER
from webhook_app.texts.notices import NOTICES
from webhook_app.texts.plans import PLANS
from webhook_app.texts.policy import POLICY
from webhook_app.texts.recalls import RECALLS
from webhook_app.texts.released import RELEASED
from webhook_app.texts.schema import SCHEMA
from webhook_app.texts.vendor import VENDOR
from webhook_app.texts.webhooks import WEBHOOK
from webhook_app.vendor.console import console
from webhook_app.vendor.ledger import ledger
from webhook_app.vendor.plans import plans
from webhook_app.vendor.policy import policy
from webhook_app.vendor.recalls import recalls
from webhook_app.vendor.released import released


def create_vendor_app(house: House) -> Flask:
    """The web application that the vendor's own people reach."""
    rooms = (COMMON, VENDOR, SCHEMA, NOTICES, CHECKS, CALLS, LEDGER, PLANS, POLICY, RELEASED, RECALLS, WEBHOOK)
    door = Door(house, "vendor", {key: text for room in rooms for key, text in room.items()})
    guard(door)
    for blueprint in (identity, console, policy, plans, released, recalls, ledger):
        door.register_blueprint(blueprint)
    return door
