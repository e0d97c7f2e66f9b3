"""HubSpot wire."""

from __future__ import annotations

from flask import Flask

from connectors.sandbox.crm import Crm
from connectors.sandbox.faults import Faults


def hubspot_app(crm: Crm, faults: Faults) -> Flask:
    return Flask("x", static_folder=None)
