"""The partners' origin: portal, API, signed hooks, xAPI and CRMs' notices, behind one guard."""

from __future__ import annotations

from flask import Flask

from sync.house import House
from webhook_app.deliveries import register_deliveries
from webhook_app.door import Door
from webhook_app.guard import guard
from webhook_app.hooks.hooks import register_hooks
from webhook_app.hooks.notices import register_notices
from webhook_app.hooks.xapi import register_xapi
from webhook_app.identity import identity
from webhook_app.partner.account import account
from webhook_app.partner.api import register_api
from webhook_app.partner.documents import documents
from webhook_app.partner.portal import portal
from webhook_app.partner.recalls import recalls
from webhook_app.partner.reference import reference
from webhook_app.partner.webhooks import webhooks
from webhook_app.texts.common import COMMON
from webhook_app.texts.partner import PARTNER
from webhook_app.texts.recalls import OWN_RECALLS
from webhook_app.texts.reference import REFERENCE
from webhook_app.texts.webhooks import OWN_WEBHOOK


def create_partner_app(house: House) -> Flask:
    """The web application that partners reach."""
    door = Door(house, "partner", {**COMMON, **PARTNER, **OWN_RECALLS, **OWN_WEBHOOK, **REFERENCE})
    guard(door)
    register_deliveries(door)
    for blueprint in (identity, portal, documents, account, webhooks, recalls, reference):
        door.register_blueprint(blueprint)
    register_api(door)
    register_hooks(door, house)
    register_xapi(door, house)
    register_notices(door, house)
    return door
