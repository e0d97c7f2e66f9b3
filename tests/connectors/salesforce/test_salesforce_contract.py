"""The connector's contract on Salesforce's wire."""

from __future__ import annotations

from connectors.contract import ConnectorContract


class TestSalesforce(ConnectorContract):
    """What connectors.base promises, kept by the Salesforce connector."""
