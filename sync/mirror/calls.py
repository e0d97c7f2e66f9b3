"""What each CRM says of our calls, and what our own budgets hold back, for the console."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from connectors.base import Connector
from sync.house import instant


def calls_of(connectors: Mapping[str, Connector], now: datetime) -> dict[str, Any]:
    """By connection: calls of the day, used and allowed, and for each purpose that must wait why and until when."""
    return {name: _told(connector, now) for name, connector in connectors.items()}


def _told(connector: Connector, now: datetime) -> dict[str, Any]:
    health = connector.health()
    held = {
        purpose: {"why": one.why, "until": instant(now + timedelta(seconds=one.seconds))}
        for purpose, one in health.held.items()
    }
    return {"used": health.used_calls, "daily": health.daily_calls, "held": held}
