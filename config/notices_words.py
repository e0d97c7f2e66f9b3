"""The words of a connection's `notices:`: what proves that the CRM itself says that a record changed."""

from __future__ import annotations

import re

from config.words import OneOf, Secret, Text, Words


class HubspotNotices(Words):
    """`notices:` of a HubSpot account: webhooks, signed with the client secret of the app that sends them."""

    secret_keys = True
    secret = Secret(required=True)
    app_id = Text(re.compile(r"[0-9]+"), "a number in quotes")
    signature = OneOf("signature", ("v3", "v1"))


class SalesforceNotices(Words):
    """`notices:` of a Salesforce org: outbound messages to an address that ends in a secret."""

    secret_keys = True
    secret = Secret(required=True)
    organization_id = Text(
        re.compile(r"00D[A-Za-z0-9]{12}([A-Za-z0-9]{3})?"), "an organization's id: it begins with `00D`", required=True
    )
