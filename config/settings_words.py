"""The words of sudare.yaml."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from marshmallow import ValidationError, fields, validates_schema

from config.notices_words import HubspotNotices, SalesforceNotices
from config.positions import quoted
from config.words import (
    CRM_NAME,
    EMAIL,
    EMAIL_FORM,
    NAME,
    REFERENCE,
    Flag,
    Inner,
    Line,
    Many,
    OneOf,
    Secret,
    Table,
    Text,
    Whole,
    Words,
    said,
)
from config.workspace import LANGUAGES, ROLES
from connectors.registry import kinds

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class Zone(Text):
    """A time zone by its IANA name."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **options: Any) -> str:
        name = super()._deserialize(value, attr, data, **options)
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValidationError([said(f"unknown time zone {quoted(name)}", name, available_timezones())]) from None
        return name


class Address(Text):
    """An https address; http on this very machine only. Never with a password in it."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **options: Any) -> str:
        url = super()._deserialize(value, attr, data, **options)
        try:
            parts = urlsplit(url)
            parts.port  # noqa: B018  # ValueError where it is no number
        except ValueError:
            raise ValidationError([said("<key> is not an address such as `https://example.com`")]) from None
        if parts.username is not None or parts.password is not None:
            raise ValidationError([said("<key> must not hold a user name or password")])
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
            raise ValidationError([said("<key> must begin with `https://`")])
        if not parts.hostname:
            raise ValidationError([said("<key> is not an address such as `https://example.com`")])
        return url


class Database(Text):
    """A database's address: SQLite or PostgreSQL. A password is kept elsewhere."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **options: Any) -> str:
        url = super()._deserialize(value, attr, data, **options)
        if REFERENCE.fullmatch(url) or url.startswith("sqlite:///"):
            return url
        if not url.startswith("postgresql+psycopg://"):
            raise ValidationError([said("<key> must begin with `sqlite:///` or `postgresql+psycopg://`")])
        if re.search(r"//[^/@]*:[^/@]*@|[?&]password=", url):
            raise ValidationError(
                [said("<key> must not hold a password: write the whole address as `env:NAME`, or use ~/.pgpass")]
            )
        return url


def host_and_port(**options: Any) -> Text:
    """Where a server listens."""
    return Text(
        re.compile(r"(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+):[0-9]{1,5}"), "`host:port` such as `127.0.0.1:8600`", **options
    )


# Of each flow of each kind: the secrets it needs.
FLOWS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "salesforce": {
        "client_credentials": ("client_id", "client_secret"),
        "jwt_bearer": ("client_id", "username", "private_key"),
        "refresh_token": ("client_id", "refresh_token"),
    },
    "hubspot": {"token": ("token",), "refresh_token": ("client_id", "client_secret", "refresh_token")},
}


class Auth(Words):
    """How we sign in to a CRM; each secret by the place where it is kept."""

    secret_keys = True
    kind = ""

    @validates_schema
    def needs_all_of_its_flow(self, data: Any, **_: Any) -> None:
        """A flow without one of its parts can't work."""
        flow = data["flow"]
        text = f"missing key <key>; flow {quoted(flow)} needs it"
        missing = {each: [said(text)] for each in FLOWS[self.kind][flow] if each not in data}
        if missing:
            raise ValidationError(missing)


class SalesforceAuth(Auth):
    """`auth:` of a Salesforce org."""

    kind = "salesforce"
    flow = OneOf("flow", FLOWS["salesforce"], required=True)
    client_id = Secret()
    client_secret = Secret()
    username = Text()
    private_key = Secret()
    refresh_token = Secret()


class HubspotAuth(Auth):
    """`auth:` of a HubSpot account."""

    kind = "hubspot"
    flow = OneOf("flow", FLOWS["hubspot"], required=True)
    token = Secret()
    client_id = Secret()
    client_secret = Secret()
    refresh_token = Secret()


class LimitWords(Words):
    """How much of a CRM's calls we take."""

    daily_share = Whole(1, 100)
    calls_per_second = Whole(1, 1000)


class HubspotLimitWords(LimitWords):
    """The same for HubSpot, which counts searches by themselves."""

    searches_per_second = Whole(1, 100)


class AnyConnection(Words):
    """What every connection has."""

    kind = Text(required=True)
    timezone = Zone()
    language = OneOf("language", LANGUAGES)
    ca_file = Text()
    record_url = Text()
    poll_seconds = Whole(1, 86_400)


class SalesforceConnection(AnyConnection):
    """One Salesforce org."""

    login_url = Address(required=True)
    instance_url = Address()
    api_version = Text(re.compile(r"[0-9]{2,3}\.0"), "an API version such as `63.0`")
    external_id = Text(re.compile(r"[A-Za-z]\w*__c"), "a custom field such as `Sudare_Key__c`")
    proxy = Text()
    limits = Inner(LimitWords)
    auth = Inner(SalesforceAuth, required=True)
    notices = Inner(SalesforceNotices)


class HubspotConnection(AnyConnection):
    """One HubSpot account."""

    base_url = Address()
    api_version = OneOf("API version", ("v3", "2026-03", "2026-09"))
    portal_id = Text(re.compile(r"[0-9]+"), "a number in quotes")
    limits = Inner(HubspotLimitWords)
    auth = Inner(HubspotAuth, required=True)
    notices = Inner(HubspotNotices)

    @validates_schema
    def notices_name_their_account(self, data: Any, **_: Any) -> None:
        """One app's webhooks may speak of several accounts, so ours is named."""
        if "notices" in data and "portal_id" not in data:
            raise ValidationError({"notices": [said("<key> needs `portal_id:`, the account they may speak of")]})


class FilesConnection(AnyConnection):
    """A folder of exports."""

    folder = Text(required=True)
    outbox = Text()
    encoding = OneOf("encoding", ("utf-8-sig", "utf-16", "cp932", "euc_jp", "cp949", "cp1252"))
    ids = Table(Text(CRM_NAME, "an export such as `deals`"), Text(CRM_NAME, "a column such as `ID`"))
    settle_seconds = Whole(0, 3600)
    done = Flag()


CONNECTIONS: Mapping[str, type[AnyConnection]] = {
    "salesforce": SalesforceConnection,
    "hubspot": HubspotConnection,
    "files": FilesConnection,
}


class Connection(fields.Field[Any]):
    """A connection, read by the words of its kind. Another's connector knows its own options; secrets stay outside."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **_: Any) -> Any:
        if not isinstance(value, dict):
            raise ValidationError([said("<key> must be a map that begins with `kind:`")])
        kind = OneOf("kind", kinds(), required=True)
        if "kind" not in value:
            raise ValidationError({"kind": ["Missing data for required field."]})
        try:
            name = str(kind.deserialize(value["kind"]))
        except ValidationError as error:
            raise ValidationError({"kind": error.messages}) from None
        return CONNECTIONS[name]().load(value) if name in CONNECTIONS else _with_secrets_outside(value)


def _with_secrets_outside(connection: Any) -> Any:
    """A connection of another's kind, if all of its `auth:` but flow and user name says where secrets are kept."""
    auth = connection.get("auth", {})
    if not isinstance(auth, dict):
        raise ValidationError({"auth": [said("<key> must be a map")]})
    errors: dict[str, Any] = {}
    for key, each in auth.items():
        try:
            (Text() if key in ("flow", "username") else Secret()).deserialize(each)
        except ValidationError as error:
            errors[key] = error.messages
    if errors:
        raise ValidationError({"auth": errors})
    return connection


class SourceWords(Words):
    """Who may post statements."""

    partner = Line(most=200)
    vendor = Flag()
    secrets = Many(Secret(), one=True, most=4)
    basic_key = Secret()

    @validates_schema
    def speaks_for_one(self, data: Any, **_: Any) -> None:
        """A source speaks for a partner or for the vendor, and proves it."""
        if ("partner" in data) == bool(data.get("vendor")):
            raise ValidationError([said("a source needs either `partner: KEY` or `vendor: true`")])
        if "secrets" not in data and "basic_key" not in data:
            raise ValidationError([said("a source needs `secrets:` (signed hooks) or `basic_key:` (xAPI)")])


class UserWords(Words):
    """One vendor user."""

    name = Line(required=True, most=200)
    role = OneOf("role", ROLES, required=True)


class ServeWords(Words):
    """Where the doors are."""

    partner = host_and_port()
    vendor = host_and_port()
    partner_url = Address()
    vendor_url = Address()


class MailWords(Words):
    """The SMTP server that mails go through."""

    host = Text(required=True)
    port = Whole(1, 65535)
    sender = Text(EMAIL, EMAIL_FORM, most=254, required=True)
    security = OneOf("security", ("starttls", "tls", "none"))
    username = Text()
    password = Secret()


class LedgerWords(Words):
    """The disclosure ledger."""

    keep_years = Whole(1, 100)


class SudareWords(Words):
    """sudare.yaml."""

    vendor = Line(required=True, most=200)
    database = Database()
    timezone = Zone(required=True)
    fiscal_year_starts = Whole(1, 12)
    languages = Many(OneOf("language", LANGUAGES))
    serve = Inner(ServeWords)
    connections = Table(Text(NAME, "a plain name such as `sf`"), Connection(), required=True)
    sources = Table(Text(NAME, "a plain name such as `learning`"), Inner(SourceWords))
    # INVARIANT: who agrees to what partners see is told by an address, so two spellings of one box are not two people.
    vendor_users = Table(Text(EMAIL, EMAIL_FORM, most=254), Inner(UserWords))
    mail = Inner(MailWords)
    four_eyes = Flag()
    ledger = Inner(LedgerWords)
