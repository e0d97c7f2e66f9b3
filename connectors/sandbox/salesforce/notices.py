"""Sends Salesforce's outbound messages: SOAP as the org writes it, repeated until it is acknowledged."""

from __future__ import annotations

import http.client
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

from connectors.sandbox.crm import Crm, Row
from connectors.sandbox.hubspot.notices import post
from connectors.sandbox.ids import salesforce_id

MOST_NOTIFICATIONS = 100  # in one message
MOST_TRIES = 12
ORGANIZATION = "00D5g000000SudxEAC"
_ENVELOPE = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"'
    ' xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">\n'
    ' <soapenv:Body>\n  <notifications xmlns="http://soap.sforce.com/2005/09/outbound">\n'
    "   <OrganizationId>{organization}</OrganizationId>\n   <ActionId>04k5g0000008OJhAAM</ActionId>\n"
    '   <SessionId xsi:nil="true"/>\n'
    "   <EnterpriseUrl>https://sandbox.my.salesforce.com/services/Soap/c/63.0/00D5g000000Sudx</EnterpriseUrl>\n"
    "   <PartnerUrl>https://sandbox.my.salesforce.com/services/Soap/u/63.0/00D5g000000Sudx</PartnerUrl>\n"
    "{notifications}  </notifications>\n </soapenv:Body>\n</soapenv:Envelope>"
)
_NOTIFICATION = (
    "   <Notification>\n    <Id>{key}</Id>\n"
    '    <sObject xsi:type="sf:{object}" xmlns:sf="urn:sobject.enterprise.soap.sforce.com">\n'
    "{fields}    </sObject>\n   </Notification>\n"
)
ACKNOWLEDGED = b"<Ack>true</Ack>"


@dataclass(slots=True)
class SalesforceSender:
    """One outbound message of an org: where it goes, and which fields it carries."""

    crm: Crm
    url: str = field(repr=False)  # its last part is a secret
    to: str = ""  # scheme, host and port; empty: those of `url`
    organization: str = ORGANIZATION
    fields: tuple[str, ...] = ("Name",)

    def notification(self, object: str, id: str) -> str:
        """One notification about a record as it is now; repeated, it keeps its id."""
        row = self.crm.get("salesforce", object, id)
        key = salesforce_id("Notification", self.crm.count_call("salesforce", "notices"))
        return _NOTIFICATION.format(key=key, object=object, fields=_fields(row, self.fields))

    def message(self, notifications: Sequence[str]) -> bytes:
        """The envelope around some notifications."""
        return _ENVELOPE.format(organization=self.organization, notifications="".join(notifications)).encode()

    def send(self, notifications: Sequence[str]) -> bool:
        """One message; whether it was acknowledged."""
        headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '""'}
        body = self.message(notifications)
        status, answer = post(self.to or self.url, urlsplit(self.url).path, body, headers)
        return status == 200 and ACKNOWLEDGED in answer

    def deliver(self, notifications: Sequence[str]) -> int:
        """All of them in messages of a hundred, each again until it is acknowledged; how many messages that took."""
        messages = 0
        for start in range(0, len(notifications), MOST_NOTIFICATIONS):
            for _ in range(MOST_TRIES):
                messages += 1
                if self._tried(notifications[start : start + MOST_NOTIFICATIONS]):
                    break
        return messages

    def _tried(self, notifications: Sequence[str]) -> bool:
        try:
            return self.send(notifications)
        except (OSError, http.client.HTTPException):
            return False


def _fields(row: Row, names: Sequence[str]) -> str:
    known = {"Id": row.id, **{name: row.fields.get(name) for name in names}}
    return "".join(f"     <sf:{name}>{escape(str(value))}</sf:{name}>\n" for name, value in known.items() if value)
