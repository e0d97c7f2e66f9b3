"""Signs in to HubSpot and makes every call: paths by version, time-outs, retries, the search's pace."""

from __future__ import annotations

import itertools
import time
from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec
import urllib3

from connectors.base import BadRecord, ConnectionSettings, Health, NeedsAdmin, TryAgain, Unknown
from connectors.hubspot.errors import TokenRefused, hubspot_problems

TIMEOUT = (5, 30)  # seconds to connect, to wait for an answer
TRIES = 3
PATIENCE = 12.0  # seconds: no try begins later, so that one call ends within a minute
SEARCHES_A_SECOND = 4  # HubSpot allows 5 to all apps of an account together

# The library knows v3 and v4 only. HubSpot's dated versions have the same calls under these paths.
_DATED = {
    "/crm/v3/objects": "/crm/objects/{version}",
    "/crm/v4/objects": "/crm/objects/{version}",
    "/crm/v4/associations": "/crm/associations/{version}",
    "/crm/v3/properties": "/crm/properties/{version}",
    "/crm/v3/pipelines": "/crm/pipelines/{version}",
    "/crm/v3/owners/": "/crm/owners/{version}",
    "/crm-object-schemas/v3/": "/crm-object-schemas/{version}/",
    "/oauth/v1/token": "/oauth/{version}/token",
}
PATHS: Mapping[str, Mapping[str, str]] = {
    "v3": {"/crm/v3/owners/": "/crm/v3/owners"},  # the library's last slash is not in HubSpot's specification
    **{dated: {old: new.format(version=dated) for old, new in _DATED.items()} for dated in ("2026-03", "2026-09")},
}


class Answer(NamedTuple):
    """One 2xx answer of HubSpot."""

    body: bytes
    headers: Mapping[str, str]

    @property
    def now(self) -> str:
        """The CRM's clock when it answered, as a stamp. Only this clock counts for a checkpoint."""
        try:
            return to_stamp(parsedate_to_datetime(self.headers["Date"]))
        except (KeyError, ValueError):
            raise TryAgain("HubSpot's answer has no date: a proxy in between may remove it") from None


def to_stamp(at: datetime) -> str:
    """An instant as base.Checkpoint wants it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


class Session:
    """One signed-in HubSpot account. Thread-safe; the API objects are made once and share one pool of sockets."""

    def __init__(self, settings: ConnectionSettings) -> None:
        options = settings.options
        self._name = settings.name
        self.base_url = _base_url(settings)
        self._paths = _paths(settings)
        self._pool = _pool(settings, self.base_url)
        self._health = Health(used_calls=None, daily_calls=None)
        self._searches = Pace(SEARCHES_A_SECOND)
        client = self._client()
        self.objects, self.batch = client.crm.objects.basic_api, client.crm.objects.batch_api
        self.links = client.crm.associations.v4.batch_api
        self.labels = client.crm.associations.v4.schema.definitions_api
        self.properties = client.crm.properties.core_api
        self.groups = client.crm.properties.groups_api
        self.pipelines = client.crm.pipelines.pipelines_api
        self.owners = client.crm.owners.owners_api
        self.schemas = client.crm.schemas.core_api
        self._search = client.crm.objects.search_api
        self._token = _token(settings, options.get("auth") or {}, lambda **form: self._sign_in(client, form))

    def where(self, what: str) -> str:
        """How an error's text begins."""
        return f"connection `{self._name}`: {what}"

    def ask(self, call: Callable[..., Any], *args: Any, **asked: Any) -> Answer:
        """Read something: tried again, a few times, where that may help."""
        return self._patiently(call, args, asked, writing=False)

    def list_page(self, object: str, query: str) -> Answer:
        """A page of records, tried again as `ask` does. Through the library's own REST layer, sockets and errors, but
        past its checks and copies of arguments, which cost as much as reading a page does."""
        client = self.objects.api_client
        url = f"{client.configuration.host}{self._versioned('/crm/v3/objects')}/{object}?{query}"

        def get(_: str, *, _headers: Mapping[str, str], **how: Any) -> Any:
            return client.rest_client.GET(url, headers={"User-Agent": client.user_agent, **_headers}, **how)

        return self.ask(get, object)

    def send(self, call: Callable[..., Any], *args: Any, **asked: Any) -> Answer:
        """Write something. Unknown when no answer came; sent again only where HubSpot said that it did nothing."""
        return self._patiently(call, args, asked, writing=True)

    def search(self, object: str, request: Mapping[str, Any]) -> Answer:
        """Search, no faster than the account allows."""
        self._searches.wait()
        return self.ask(self._search.do_search, object, request)

    def health(self) -> Health:
        """What the last answers said."""
        return self._health

    def close(self) -> None:
        """Give back sockets."""
        self._pool.close()

    def _client(self) -> Any:
        from hubspot import HubSpot

        # `host` rules the generated calls, `base_url` the library's own api_request: with one of them missing, a
        # token can go to api.hubapi.com whatever the other says.
        return HubSpot(host=self.base_url, base_url=self.base_url, api_factory=self._make_api)

    def _make_api(self, package: Any, api_name: str, config: Mapping[str, Any]) -> Any:
        # INVARIANT: the pool knows one host and the library is given paths, so no call can go to another.
        api_client = package.ApiClient(package.Configuration(host=urlsplit(config["host"]).path))
        api_client.rest_client.pool_manager, api_client.user_agent = self._pool, "sudare"
        call_api = api_client.call_api
        api_client.call_api = lambda path, *rest, **named: call_api(self._versioned(path), *rest, **named)
        return getattr(package, api_name)(api_client=api_client)

    def _versioned(self, path: str) -> str:
        for old, new in self._paths.items():
            if path.startswith(old):
                return new + path.removeprefix(old)
        return path

    def _patiently(self, call: Callable[..., Any], args: tuple[Any, ...], asked: Any, *, writing: bool) -> Answer:
        where = self.where(str(args[0]) if args else "owners")
        began, renewed = time.monotonic(), False
        for attempt in itertools.count(1):
            token = self._token.value()
            headers = {"Authorization": f"Bearer {token}"}
            try:
                return self._once(call, args, {**asked, "_headers": headers}, where, writing=writing)
            except TokenRefused:
                if renewed or not self._token.renew(token):
                    raise
                renewed = True
            except Unknown:
                raise
            except TryAgain as busy:
                pause = busy.after.total_seconds() if busy.after is not None else 0.5 * attempt
                if attempt >= TRIES or time.monotonic() - began + pause > PATIENCE:
                    raise
                time.sleep(pause)
        raise AssertionError("unreachable")

    def _once(self, call: Callable[..., Any], args: Any, asked: Any, where: str, *, writing: bool) -> Answer:
        with hubspot_problems(where, writing=writing):
            response = call(*args, **asked, _preload_content=False, _request_timeout=TIMEOUT)
            answer = Answer(response.data, response.headers)
        self._note_limit(answer.headers)
        return answer

    def _note_limit(self, headers: Mapping[str, str]) -> None:
        daily, left = (headers.get(f"X-HubSpot-RateLimit-Daily{end}", "") for end in ("", "-Remaining"))
        if daily.isdecimal() and left.isdecimal():
            self._health = Health(used_calls=int(daily) - int(left), daily_calls=int(daily))

    def _sign_in(self, client: Any, form: Mapping[str, str]) -> tuple[str, float]:
        where = self.where("signing in")
        try:
            answer = self._once(client.oauth.tokens_api.create, (), form, where, writing=False)
        except BadRecord as refused:
            raise NeedsAdmin(str(refused)) from None
        with hubspot_problems(where):
            granted = msgspec.json.decode(answer.body, type=Granted)
        return granted.access_token, time.monotonic() + granted.expires_in - 60


class Granted(msgspec.Struct):
    """The answer of the sign-in."""

    access_token: str
    expires_in: float = 1800


class Pace:
    """Lets no more than so many pass in any one second, whichever thread they come from."""

    def __init__(self, a_second: int) -> None:
        self._passed: deque[float] = deque([-1.0] * a_second, maxlen=a_second)
        self._lock = Lock()

    def wait(self) -> None:
        """Come back when it is our turn."""
        with self._lock:
            turn = max(time.monotonic(), self._passed[0] + 1)
            self._passed.append(turn)
        time.sleep(max(0.0, turn - time.monotonic()))


class FixedToken:
    """A service key or private app's token, read where the workspace keeps it."""

    def __init__(self, read: Callable[[], str]) -> None:
        self._read = read
        self._token = ""

    def value(self) -> str:
        """The token."""
        self._token = self._token or self._read()
        return self._token

    def renew(self, used: str) -> bool:
        """Read again: a rotated key may lie there by now."""
        self._token = self._read()
        return self._token != used


class RefreshedToken:
    """An OAuth access token, renewed shortly before its end and when HubSpot refuses it."""

    def __init__(self, sign_in: Callable[[], tuple[str, float]]) -> None:
        self._sign_in = sign_in
        self._token, self._until = "", 0.0
        self._lock = Lock()

    def value(self) -> str:
        """A token that should still hold."""
        with self._lock:
            if time.monotonic() >= self._until:
                self._token, self._until = self._sign_in()
            return self._token

    def renew(self, used: str) -> bool:
        """Drop the token that was refused; many threads may come with the same one and it is dropped once."""
        with self._lock:
            if self._token == used:
                self._until = 0.0
        return True


def _token(
    settings: ConnectionSettings, auth: Mapping[str, str], sign_in: Callable[..., tuple[str, float]]
) -> FixedToken | RefreshedToken:
    flow = auth.get("flow")
    asked = {"token": ("token",), "refresh_token": ("client_id", "client_secret", "refresh_token")}.get(str(flow))
    if asked is None:
        raise NeedsAdmin(f"connection `{settings.name}`: auth: flow `{flow}` is unknown; use token or refresh_token")
    missing = [name for name in asked if name not in auth]
    if missing:
        raise NeedsAdmin(f"connection `{settings.name}`: auth: `{missing[0]}` is missing")
    if flow == "token":
        return FixedToken(lambda: _clean(settings, "token", auth["token"]))
    return RefreshedToken(
        lambda: sign_in(grant_type="refresh_token", **{name: _clean(settings, name, auth[name]) for name in asked})
    )


def _clean(settings: ConnectionSettings, name: str, reference: str) -> str:
    """A secret fit for a header: http.client would quote an unfit one, the token itself, in its error."""
    literal = name == "client_id" and not reference.startswith(("env:", "file:"))
    secret = reference if literal else settings.secret(reference).strip()
    if not secret or not secret.isascii() or not secret.isprintable():
        raise NeedsAdmin(f"connection `{settings.name}`: auth: `{name}` is empty or not one line of plain characters")
    return secret


def _base_url(settings: ConnectionSettings) -> str:
    url = str(settings.options.get("base_url") or "https://api.hubapi.com").rstrip("/")
    parts = urlsplit(url)
    # INVARIANT: a token never travels in clear text, except to this very machine.
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1")):
        raise NeedsAdmin(f"connection `{settings.name}`: base_url `{url}` must begin with https://")
    return url


def _paths(settings: ConnectionSettings) -> Mapping[str, str]:
    version = str(settings.options.get("api_version") or "v3")
    if version not in PATHS:
        known = ", ".join(PATHS)
        raise NeedsAdmin(f"connection `{settings.name}`: api_version `{version}` is unknown; use one of {known}")
    return PATHS[version]


def _pool(settings: ConnectionSettings, base_url: str) -> urllib3.HTTPConnectionPool:
    ca_file = settings.options.get("ca_file")
    trust = {"cert_reqs": "CERT_REQUIRED", "ca_certs": str(Path(settings.folder, str(ca_file))) if ca_file else None}
    # urllib3 would repeat GET, PUT and DELETE by itself, sleep through any Retry-After and follow a redirect.
    once = urllib3.Retry(total=0, raise_on_redirect=False, raise_on_status=False, respect_retry_after_header=False)
    return urllib3.connection_from_url(
        base_url, maxsize=16, retries=once, **(trust if base_url.startswith("https:") else {})
    )
