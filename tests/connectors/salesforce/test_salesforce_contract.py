"""The connector's contract on Salesforce's wire."""

from __future__ import annotations

from connectors.contract import CalledContract


class TestSalesforce(CalledContract):
    """What connectors.base promises, kept by the Salesforce connector."""
