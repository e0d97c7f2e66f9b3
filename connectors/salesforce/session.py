"""The one HTTP session that talks to a Salesforce org: patience, CA, sign-in, and the library's client over it."""

from __future__ import annotations

import random
import re
import threading
import time
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec
import requests
import urllib3
from requests.adapters import HTTPAdapter

from connectors.base import ConnectionSettings, Health, NeedsAdmin, TryAgain, Unknown
from connectors.budget import DAILY_SHARE, Budget, Time
from connectors.salesforce.errors import CONCURRENT, DAILY, retry_after, salesforce_problems
from connectors.salesforce.signing_in import TOKEN_PATH, access_token
from connectors.salesforce.watch import ended_by
from connectors.tokens import AccessToken

if TYPE_CHECKING:
    from simple_salesforce import Salesforce

CONNECT_SECONDS, READ_SECONDS = 5.0, 30.0
CALL_SECONDS = 50.0  # one request with its tries and pauses
PAUSES = (0.25, 0.5, 1.0)  # before the 2nd, 3rd and 4th try; up to as much again by chance
LONGEST_WAIT = 5.0  # a longer Retry-After is the scheduler's to wait for
LARGEST_BODY = 256 << 20  # bytes, unpacked
BUSY = frozenset({406, 420, 429, 500, 502, 503, 504})
GATEWAY = frozenset({502, 504})  # the answer was lost on its way: a write may be done
DATA_PATH = "/services/data/"
# A sign-in at one of these homes may name an org below the same one.
HOMES = ("salesforce.com", "salesforce.mil", "sfcrmproducts.cn")
_USAGE = re.compile(r"api-usage=(\d{1,12})/(\d{1,12})")


class Wire(HTTPAdapter):
    """One host's connections: our CA whatever the environment says, time-outs, a body read to its end."""

    def __init__(self, ca: str | bool, time: Time) -> None:
        super().__init__(pool_maxsize=16)
        self._ca, self._time = ca, time

    def send(self, request: requests.PreparedRequest, *_: Any, **how: Any) -> requests.Response:
        """Sends, within `timeout` seconds for the whole call; of what requests hands over, only the proxy is used."""
        deadline = self._time.clock() + (how.get("timeout") or CALL_SECONDS)
        return self.within(request, deadline, how.get("proxies"))

    def within(
        self, request: requests.PreparedRequest, deadline: float, proxies: Mapping[str, str] | None
    ) -> requests.Response:
        """One try, ended by `deadline` even where the body only drips."""
        left = max(deadline - self._time.clock(), 0.1)
        limits = (min(CONNECT_SECONDS, left), min(READ_SECONDS, left))
        answer = super().send(request, stream=True, timeout=limits, verify=self._ca, proxies=proxies)
        # The whole body at once costs half of what pieces cost; so a clock beside it ends a body that drips.
        try:
            with ended_by(time.monotonic() + max(deadline - self._time.clock(), 0.1), answer.raw):
                answer._content = _body(answer.raw)
        except BaseException:
            answer.close()
            raise
        return answer


def _body(body: Any) -> bytes:
    pieces: list[bytes] = []
    while piece := body.read(LARGEST_BODY, decode_content="content-encoding" in body.headers):
        pieces.append(piece)
        if sum(map(len, pieces)) >= LARGEST_BODY:
            raise TryAgain("the answer is larger than any of Salesforce's")
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


class OrgWire(Wire):
    """The org's own API: keeps to the budget, carries the token, repeats what may be repeated, signs in again once."""

    def __init__(self, ca: str | bool, token: AccessToken, budget: Budget) -> None:
        super().__init__(ca, budget.time)
        self._token, self._budget = token, budget

    def within(
        self, request: requests.PreparedRequest, deadline: float, proxies: Mapping[str, str] | None
    ) -> requests.Response:
        """Sends with patience, ended by `deadline`."""
        pauses = iter(PAUSES)
        while True:
            asked = None
            try:
                answer = self._signed(request, deadline, proxies)
                if answer.status_code not in BUSY:
                    return answer
                asked = retry_after(answer)
                problem: Exception = _busy(request, answer)
            except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
                problem = error
            wait = self._wait(request, next(pauses, None), asked, deadline)
            if wait is None or isinstance(problem, requests.exceptions.SSLError):
                raise problem
            self._time.sleep(wait)

    def _signed(
        self, request: requests.PreparedRequest, deadline: float, proxies: Mapping[str, str] | None
    ) -> requests.Response:
        token = self._token.current().token
        answer = self._carrying(token, request, deadline, proxies)
        if _expired(answer):
            # INVARIANT: one new sign-in for a refused token, however many threads hold it; a second refusal stands.
            token = self._token.renewed(token).token
            answer = self._carrying(token, request, deadline, proxies)
        if not _expired(answer):
            self._token.works(token)
        return answer

    def _carrying(
        self, token: str, request: requests.PreparedRequest, deadline: float, proxies: Mapping[str, str] | None
    ) -> requests.Response:
        if held := self._budget.take():
            raise TryAgain(str(held), after=timedelta(seconds=held.seconds))
        request.headers["Authorization"] = f"Bearer {token}"
        answer = super().within(request, deadline, proxies)
        self._note(answer)
        return answer

    def _note(self, answer: requests.Response) -> None:
        if counted := _USAGE.search(answer.headers.get("Sforce-Limit-Info", "")):
            self._budget.count_day(int(counted[1]), int(counted[2]))
        if answer.status_code == 403 and b"REQUEST_LIMIT_EXCEEDED" in answer.content:
            pause = CONCURRENT if b"Concurrent" in answer.content else DAILY
            self._budget.rest(pause.total_seconds())

    def _wait(
        self, request: requests.PreparedRequest, pause: float | None, asked: timedelta | None, deadline: float
    ) -> float | None:
        """How long to wait before trying again; None where this call must not or cannot be repeated."""
        # INVARIANT: only reads are repeated here; whether a write may be is decided where its key is known.
        least = asked.total_seconds() if asked else 0.0
        if request.method != "GET" or pause is None or least > LONGEST_WAIT:
            return None
        wait = max(least, pause * (1 + random.random()))  # noqa: S311 - spreads tries, guards nothing
        return wait if self._time.clock() + wait < deadline else None


def _busy(request: requests.PreparedRequest, answer: requests.Response) -> TryAgain:
    after = retry_after(answer)
    if request.method != "GET" and answer.status_code in GATEWAY:
        return Unknown(f"answered {answer.status_code}: look for the key before sending again", after=after)
    return TryAgain(f"answered {answer.status_code}: the org is busy or down", after=after)


def _expired(answer: requests.Response) -> bool:
    # "not valid for use with the REST API" means a wrong kind of token: a new one would be no better.
    said = answer.content if answer.status_code == 401 else b""
    return b"INVALID_SESSION_ID" in said and b"not valid for use" not in said


class Org:
    """One org, signed in at the first call: every request to it goes through here."""

    def __init__(self, settings: ConnectionSettings) -> None:
        options = settings.options
        self._login = origin(settings, "login_url", str(options.get("login_url", "")))
        self._settings = settings
        self._version = str(options.get("api_version", "63.0"))
        self._ca = _ca(settings)
        self._http = _http_session(settings)
        self.time = settings.time
        self._budget = _budget(settings)
        self._token = access_token(settings, self._http, self._login)
        self._lock = threading.Lock()
        self._client: Salesforce | None = None
        # INVARIANT: these two prefixes are all that this session can reach; the environment has no say.
        self._http.mount(f"{self._login}{TOKEN_PATH}", Wire(self._ca, self.time))

    def get(
        self, path: str, where: str, *, params: Mapping[str, str] | None = None, seconds: float = CALL_SECONDS
    ) -> requests.Response:
        """Reads `path` (below services/data/vNN.0/, or absolute) within so many seconds; `where` begins an error."""
        with salesforce_problems(where):
            return self._call("GET", path, params=params, timeout=seconds)

    def post(self, path: str, where: str, body: Any, *, seconds: float = CALL_SECONDS) -> requests.Response:
        """Asks with a body, as a query job is begun; what it makes may be made twice."""
        with salesforce_problems(where):
            return self._call("POST", path, data=msgspec.json.encode(body), timeout=seconds)

    def upload(self, path: str, where: str, body: bytes, kind: str) -> requests.Response:
        """Posts a form of this content type."""
        with salesforce_problems(where):
            return self._call("POST", path, data=body, headers={"Content-Type": kind}, timeout=CALL_SECONDS)

    def patch(self, path: str, where: str, body: Any) -> requests.Response:
        """Writes `body` as JSON. Unknown where it may have arrived but no answer came."""
        with salesforce_problems(where, writing=True):
            return self._call("PATCH", path, data=msgspec.json.encode(body), timeout=CALL_SECONDS)

    def health(self) -> Health:
        """The daily calls as the last answer counted them, and what the budget holds back."""
        return Health(self._budget.used_calls, self._budget.daily_calls, self._budget.held())

    def address(self) -> str:
        """The org's own address; signs in where the settings do not name it."""
        return f"https://{self._signed_in().sf_instance}"

    def close(self) -> None:
        """Closes all sockets."""
        self._http.close()

    def _call(self, method: str, path: str, **how: Any) -> requests.Response:
        client = self._signed_in()
        url = f"https://{client.sf_instance}{path}" if path.startswith("/") else f"{client.base_url}{path}"
        # The library's public calls build a dict per record (4 to 7 times the cost); this is the one below them.
        answer: requests.Response = client._call_salesforce(method, url, name=path.partition("?")[0], **how)
        return answer

    def _instance(self) -> str:
        named = str(self._settings.options.get("instance_url") or "")
        if named:
            return origin(self._settings, "instance_url", named)
        given = origin(self._settings, "the sign-in's instance_url", self._token.current().address)
        # INVARIANT: the token goes to the configured host alone; Salesforce's own sign-in may name an org of its own.
        if given != self._login and not any(_below(given, home) and _below(self._login, home) for home in HOMES):
            raise NeedsAdmin(
                f"connection `{self._settings.name}`: the sign-in names an org at another host than login_url: "
                "if it is yours, write its address as instance_url"
            )
        return given

    def _signed_in(self) -> Salesforce:
        with self._lock:
            if self._client is None:
                self._client = self._open(self._instance())
            return self._client

    def _open(self, instance: str) -> Salesforce:
        from simple_salesforce import Salesforce  # half a second: only when an org is really asked

        self._http.mount(f"{instance}{DATA_PATH}", OrgWire(self._ca, self._token, self._budget))
        client = Salesforce(
            session_id="(set by OrgWire)", instance_url=instance, session=self._http, version=self._version
        )
        del client.headers["X-PrettyPrint"]  # the library asks for indented JSON: a third more bytes
        return client


def origin(settings: ConnectionSettings, key: str, url: str) -> str:
    """Scheme, host and port of a configured address. NeedsAdmin where it is not https."""
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname or parts.username is not None:
        raise NeedsAdmin(f"connection `{settings.name}`: {key} must be an https address")
    return f"https://{parts.netloc.lower()}".removesuffix(":443")


def _below(address: str, home: str) -> bool:
    return (urlsplit(address).hostname or "").endswith(f".{home}")


def _budget(settings: ConnectionSettings) -> Budget:
    limits = settings.options.get("limits") or {}
    settings.budget.share = float(limits.get("daily_share", DAILY_SHARE)) / 100
    if "calls_per_second" in limits:  # Salesforce itself counts days and long calls, not seconds
        settings.budget.allow("calls", int(limits["calls_per_second"]), 1.0)
    return settings.budget


def _ca(settings: ConnectionSettings) -> str | bool:
    named = settings.options.get("ca_file")
    if not named:
        return True
    path = Path(settings.folder, str(named))
    if not path.is_file():
        raise NeedsAdmin(f"connection `{settings.name}`: ca_file `{named}` is not there")
    return str(path)


def _http_session(settings: ConnectionSettings) -> requests.Session:
    http = requests.Session()
    http.trust_env = False  # REQUESTS_CA_BUNDLE would win over ca_file, and .netrc over our token
    http.max_redirects = 0
    http.adapters.clear()
    http.headers.update({"User-Agent": "Sudare", "Sforce-Call-Options": "client=Sudare"})
    if proxy := str(settings.options.get("proxy") or ""):
        http.proxies["https"] = settings.secret(proxy) if re.match(r"(env|file):", proxy) else proxy
    return http
