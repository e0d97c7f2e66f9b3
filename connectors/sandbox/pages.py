"""Record pages."""

from __future__ import annotations

from flask import Flask

from connectors.sandbox.crm import Crm


def add_pages(app: Flask, crm: Crm) -> Flask:
    return app
