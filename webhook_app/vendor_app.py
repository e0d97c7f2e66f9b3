"""The vendor's origin: the console, behind the same guard as the partners' door."""

from __future__ import annotations

from flask import Flask

from sync.house import House
from webhook_app.door import Door
from webhook_app.guard import guard
from webhook_app.identity import identity
from webhook_app.ledger import ledger
from webhook_app.plans import plans
from webhook_app.policy import policy
from webhook_app.recalls import recalls
from webhook_app.released import released
from webhook_app.texts_calls import CALLS
from webhook_app.texts_checks import CHECKS
from webhook_app.texts_common import COMMON
from webhook_app.texts_ledger import LEDGER
from webhook_app.texts_notices import NOTICES
from webhook_app.texts_plans import PLANS
from webhook_app.texts_policy import POLICY
from webhook_app.texts_recalls import RECALLS
from webhook_app.texts_released import RELEASED
from webhook_app.texts_schema import SCHEMA
from webhook_app.texts_vendor import VENDOR
from webhook_app.vendor import console


def create_vendor_app(house: House) -> Flask:
    """The web application that the vendor's own people reach."""
    rooms = (COMMON, VENDOR, SCHEMA, NOTICES, CHECKS, CALLS, LEDGER, PLANS, POLICY, RELEASED, RECALLS)
    door = Door(house, "vendor", {key: text for room in rooms for key, text in room.items()})
    guard(door)
    for blueprint in (identity, console, policy, plans, released, recalls, ledger):
        door.register_blueprint(blueprint)
    return door
