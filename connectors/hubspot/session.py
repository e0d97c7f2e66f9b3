"""Signs in to HubSpot and makes every call: paths by version, time-outs, retries, the search's pace."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from datetime import timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec
import urllib3

from connectors.base import BadRecord, ConnectionSettings, Health, NeedsAdmin, TryAgain, Unknown, stamp_of
from connectors.budget import DAILY_SHARE, Budget
from connectors.hubspot.errors import LimitReached, TokenRefused, hubspot_problems
from connectors.hubspot.signing_in import Granted, token_of

TIMEOUT = (5, 30)  # seconds to connect, to wait for an answer
TRIES = 3
PATIENCE = 12.0  # seconds: no try begins later, so that one call ends within a minute
SEARCHES_A_SECOND = 4  # HubSpot allows 5 to all apps of an account together
CALLS, TEN_SECONDS = 10, 10.0  # a second, counted over ten: what the smallest account has; answers say what ours has
MARGIN = 0.9  # of it: our clock and the way to HubSpot make ten seconds longer or shorter

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
            return stamp_of(parsedate_to_datetime(self.headers["Date"]))
        except (KeyError, ValueError):
            raise TryAgain("HubSpot's answer has no date: a proxy in between may remove it") from None


class Session:
    """One signed-in HubSpot account. Thread-safe; the API objects are made once and share one pool of sockets."""

    def __init__(self, settings: ConnectionSettings) -> None:
        options = settings.options
        self._name = settings.name
        self.base_url = _base_url(settings)
        self._paths = _paths(settings)
        self._pool = _pool(settings, self.base_url)
        self.time = settings.time
        self._limits: Mapping[str, Any] = options.get("limits") or {}
        self._budget = _budget(settings)
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
        self._token = token_of(settings, lambda form: self._granted(client, form))

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
        return self._patiently(self._search.do_search, (object, request), {}, writing=False, window="searches")

    def health(self) -> Health:
        """What the last answers said."""
        return Health(self._budget.used_calls, self._budget.daily_calls, self._budget.held())

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

    def _patiently(
        self, call: Callable[..., Any], args: tuple[Any, ...], asked: Any, *, writing: bool, window: str = "calls"
    ) -> Answer:
        where = self.where(str(args[0]) if args else "owners")
        began, renewed = self.time.clock(), False
        for attempt in itertools.count(1):
            token = self._token.value()
            headers = {"Authorization": f"Bearer {token}"}
            if held := self._budget.take(window):
                raise TryAgain(f"{where}: {held}", after=timedelta(seconds=held.seconds))
            try:
                answer = self._once(call, args, {**asked, "_headers": headers}, where, writing=writing)
                self._token.works(token)
                return answer
            except TokenRefused:
                if renewed or not self._token.renew(token):
                    raise
                renewed = True
            except Unknown:
                raise
            except TryAgain as busy:
                pause = busy.after.total_seconds() if busy.after is not None else 0.5 * attempt
                if isinstance(busy, LimitReached):
                    self._budget.rest(pause)
                if attempt >= TRIES or self.time.clock() - began + pause > PATIENCE:
                    raise
                self.time.sleep(pause)
        raise AssertionError("unreachable")

    def _once(self, call: Callable[..., Any], args: Any, asked: Any, where: str, *, writing: bool) -> Answer:
        with hubspot_problems(where, writing=writing):
            response = call(*args, **asked, _preload_content=False, _request_timeout=TIMEOUT)
            answer = Answer(response.data, response.headers)
        self._note_limits(answer.headers)
        return answer

    def _note_limits(self, headers: Mapping[str, str]) -> None:
        daily, left = _number(headers, "Daily"), _number(headers, "Daily-Remaining")
        if daily is not None and left is not None:
            self._budget.count_day(daily - left, daily)
        most, left, span = (
            _number(headers, "Max"),
            _number(headers, "Remaining"),
            _number(headers, "Interval-Milliseconds"),
        )
        if most and left is not None and span:
            asked = int(self._limits.get("calls_per_second", most) * span / 1000)
            self._budget.allow("calls", min(int(most * MARGIN), asked), span / 1000)
            self._budget.note_left("calls", left, most)

    def _granted(self, client: Any, form: Mapping[str, str]) -> Granted:
        where = self.where("signing in")
        try:
            answer = self._once(client.oauth.tokens_api.create, (), form, where, writing=False)
        except BadRecord as refused:
            raise NeedsAdmin(str(refused)) from None
        with hubspot_problems(where):
            return msgspec.json.decode(answer.body, type=Granted)


def _number(headers: Mapping[str, str], name: str) -> int | None:
    text = headers.get(f"X-HubSpot-RateLimit-{name}", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 13 else None


def _budget(settings: ConnectionSettings) -> Budget:
    """The connection's budget, as far as it is known before the first answer."""
    limits, budget = settings.options.get("limits") or {}, settings.budget
    budget.share = float(limits.get("daily_share", DAILY_SHARE)) / 100
    asked = int(limits.get("calls_per_second", CALLS) * TEN_SECONDS)
    budget.allow("calls", min(int(CALLS * TEN_SECONDS * MARGIN), asked), TEN_SECONDS)
    budget.allow("searches", int(limits.get("searches_per_second", SEARCHES_A_SECOND)), 1.0)
    return budget


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
