"""Reads Salesforce's outbound messages: a secret in their address proves them, and only the ids in them count."""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit
from xml.parsers import expat

from connectors.base import Call, ConnectionSettings, Forged, NeedsAdmin, Notice, Noticed

OUTBOUND = "http://soap.sforce.com/2005/09/outbound"
_SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
_TYPE = "http://www.w3.org/2001/XMLSchema-instance type"
MOST_NOTIFICATIONS = 100
_DEEPEST = 16
_LONGEST_TEXT = 64  # characters of what we look at
_SECRET = re.compile(r"[A-Za-z0-9_-]{24,200}", re.ASCII)  # it stands in an address, and is all the proof there is
_ID = re.compile(r"[A-Za-z0-9]{18}", re.ASCII)
_OBJECT = re.compile(r"[A-Za-z]\w{0,79}", re.ASCII)
ACK = (
    f'<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="{_SOAP}"><soapenv:Body>'
    f'<notificationsResponse xmlns="{OUTBOUND}"><Ack>true</Ack></notificationsResponse>'
    "</soapenv:Body></soapenv:Envelope>"
)

_ROOT = (f"{_SOAP} Envelope", f"{_SOAP} Body", f"{OUTBOUND} notifications")
_ORGANIZATION = (*_ROOT, f"{OUTBOUND} OrganizationId")
_NOTIFICATION = (*_ROOT, f"{OUTBOUND} Notification")
_NOTIFICATION_ID = (*_NOTIFICATION, f"{OUTBOUND} Id")
_RECORD = (*_NOTIFICATION, f"{OUTBOUND} sObject")


def read_notices(settings: ConnectionSettings, call: Call) -> Noticed:
    """The ids that an outbound message names, and the answer that ends its repetition.

    Forged where its address does not end in our secret, it is not our org's, or it is no outbound message.
    """
    asked = settings.options.get("notices")
    if not asked:
        raise Forged(f"connection `{settings.name}` has no `notices:`")
    # INVARIANT: nothing of a body is parsed before its sender has shown the secret, which Salesforce can't sign with.
    secret = settings.secret(asked["secret"]).strip()
    if not _SECRET.fullmatch(secret):
        raise NeedsAdmin(
            f"connection `{settings.name}`: the secret of `notices:` must be 24 or more letters and digits"
        )
    offered = urlsplit(call.url).path.rpartition("/")[2].encode(errors="replace")
    if not hmac.compare_digest(secret.encode(), offered):
        raise Forged("the address does not end in this connection's secret")
    message = _Message()
    message.read(call.body)
    if message.organization[:15] != str(asked["organization_id"])[:15]:
        raise Forged("the message is of another Salesforce organization than `organization_id:` names")
    return Noticed(message.notices, ACK, "text/xml; charset=utf-8")


class _Message:
    """One SOAP envelope, read event by event: no tree is built, and no text kept but that of five ids."""

    def __init__(self) -> None:
        self.organization = ""
        self.notices: list[Notice] = []
        self._path: list[str] = []
        self._text: list[str] = []
        self._key = self._object = self._id = ""
        self._seen = 0

    def read(self, body: bytes) -> None:
        """Forged where it is not a well-formed, harmless envelope."""
        parser = expat.ParserCreate("utf-8", " ")
        parser.StartElementHandler, parser.EndElementHandler = self._begin, self._end
        parser.CharacterDataHandler = self._say
        # INVARIANT: no document type, so no entity, inner or outer, is ever declared, expanded or fetched.
        parser.StartDoctypeDeclHandler = _refusing("a document type")
        parser.EntityDeclHandler = _refusing("an entity")
        parser.ExternalEntityRefHandler = _refusing("an entity")
        parser.ProcessingInstructionHandler = _refusing("a processing instruction")
        try:
            parser.Parse(body, True)
        except (expat.ExpatError, ValueError):
            raise Forged("the body is not well-formed XML") from None
        if not self._seen:
            raise Forged("the body is not an outbound message")

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        self._path.append(name)
        if len(self._path) > _DEEPEST:
            raise Forged("the message is nested deeper than any of Salesforce's")
        self._text = []
        here = tuple(self._path)
        if here == _NOTIFICATION:
            self._key = self._object = self._id = ""
            self._seen += 1
            if self._seen > MOST_NOTIFICATIONS:
                raise Forged(f"the message holds more than {MOST_NOTIFICATIONS} notifications")
        elif here == _RECORD:
            self._object = attributes.get(_TYPE, "").rpartition(":")[2]

    def _say(self, text: str) -> None:
        if len(self._text) < _LONGEST_TEXT:
            self._text.append(text[: _LONGEST_TEXT + 1])

    def _end(self, name: str) -> None:
        here, text = tuple(self._path), "".join(self._text).strip()
        self._path.pop()
        self._text = []
        if here == _ORGANIZATION:
            self.organization = text
        elif here == _NOTIFICATION_ID:
            self._key = text
        elif here[:-1] == _RECORD and name.rpartition(" ")[2] == "Id":
            self._id = text
        elif here == _NOTIFICATION and self._is_whole():
            self.notices.append(Notice(self._key, self._object, self._id))

    def _is_whole(self) -> bool:
        return all((_ID.fullmatch(self._key), _ID.fullmatch(self._id), _OBJECT.fullmatch(self._object)))


def _refusing(what: str) -> Callable[..., Any]:
    def refuse(*_: Any) -> None:
        raise Forged(f"the body holds {what}, which no outbound message does")

    return refuse
