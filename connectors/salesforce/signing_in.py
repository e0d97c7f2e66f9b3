"""Gets access tokens from Salesforce: three flows, one sign-in at a time, no storms."""

from __future__ import annotations

import fcntl
import os
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import requests

from connectors.base import ConnectionSettings, CrmError, NeedsAdmin, TryAgain
from connectors.salesforce.errors import call_problem, refusals, salesforce_problems

TOKEN_PATH = "/services/oauth2/token"  # noqa: S105 - a path
ASSERTION_SECONDS = 180
QUIET_SECONDS = 30.0  # after a refusal the token endpoint is left alone for so long


class Reply(msgspec.Struct, frozen=True):
    """What the token endpoint gives. Its repr shows none of it."""

    access_token: str
    instance_url: str = ""
    refresh_token: str = ""

    def __repr__(self) -> str:
        return "Reply()"


class Tokens:
    """The org's access token: one sign-in at a time, however many threads ask."""

    def __init__(self, settings: ConnectionSettings, http: requests.Session, login_url: str) -> None:
        self._settings, self._http, self._url = settings, http, f"{login_url}{TOKEN_PATH}"
        self._lock = threading.Lock()
        self._reply: Reply | None = None
        self._doubted: float | None = None  # when it was renewed after a refusal; None once it has worked
        self._barred: tuple[float, str] | None = None  # until when the token endpoint is left alone, and why

    def current(self) -> str:
        """The token to use now; signs in where there is none."""
        return self._held().access_token

    def instance_url(self) -> str:
        """The org's own address, as the sign-in gave it."""
        return self._held().instance_url

    def works(self, token: str) -> None:
        """Notes that the org took this token."""
        if self._doubted is not None and self._reply and self._reply.access_token == token:
            self._doubted = None

    def renewed(self, refused: str) -> str:
        """Another token than the refused one. NeedsAdmin where the last new one was refused a moment ago."""
        with self._lock:
            if self._reply and self._reply.access_token != refused:
                return self._reply.access_token
            if self._doubted is not None and time.monotonic() - self._doubted < QUIET_SECONDS:
                raise NeedsAdmin("sign-in: the org refuses its own new token: check the integration user's policies")
            self._doubted = time.monotonic()
            self._reply = self._sign_in()
            return self._reply.access_token

    def _held(self) -> Reply:
        with self._lock:
            self._reply = self._reply or self._sign_in()
            return self._reply

    def _sign_in(self) -> Reply:
        # INVARIANT: a sign-in refused for good is not tried again at once; storms lock users out.
        if self._barred and time.monotonic() < self._barred[0]:
            raise NeedsAdmin(self._barred[1])
        try:
            return _ask(self._settings, self._http, self._url)
        except NeedsAdmin as problem:
            self._barred = (time.monotonic() + QUIET_SECONDS, str(problem))
            raise


def _ask(settings: ConnectionSettings, http: requests.Session, url: str) -> Reply:
    flow = FLOWS.get(_word(settings, "flow"))
    if flow is None:
        raise NeedsAdmin(f"connection `{settings.name}`: auth.flow must be one of {', '.join(FLOWS)}")
    with _alone(_token_file(settings)):
        form = flow(settings)
        with salesforce_problems("sign-in"):
            answer = http.post(url, data=form, headers={"Accept": "application/json"})
        reply = _reply(answer, form)
        if reply.refresh_token and reply.refresh_token != form.get("refresh_token"):
            _keep(settings, reply.refresh_token)
    return reply


def _reply(answer: requests.Response, form: Mapping[str, str]) -> Reply:
    if answer.status_code == 429 or answer.status_code >= 500:
        raise TryAgain(f"sign-in: answered {answer.status_code}: Salesforce is busy or down")
    if answer.status_code != 200:
        raise _refused(answer, form)
    try:
        return msgspec.json.decode(answer.content, type=Reply)
    except msgspec.DecodeError:
        raise NeedsAdmin("sign-in: the answer holds no token: check login_url") from None


def _refused(answer: requests.Response, form: Mapping[str, str]) -> CrmError:
    try:
        found = refusals(msgspec.json.decode(answer.content))
    except msgspec.DecodeError:
        found = []
    # INVARIANT: what we sent never comes back in an error text, not even where the server repeats it.
    sent = [value for key, value in form.items() if key != "grant_type"]
    return call_problem([replace(one, message=_without(one.message, sent)) for one in found], "sign-in", 400)


def _without(text: str, secrets: list[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, "…")
    return text


def _word(settings: ConnectionSettings, key: str, *, secret: bool = False) -> str:
    """An option of `auth`: a secret's value, or a plain word that may be a reference too."""
    auth: Any = settings.options.get("auth") or {}
    written = str(auth.get(key) or "")
    if not written:
        raise NeedsAdmin(f"connection `{settings.name}`: auth.{key} is missing")
    return settings.secret(written) if secret or re.match(r"(env|file):", written) else written


def _client_credentials(settings: ConnectionSettings) -> dict[str, str]:
    return {
        "grant_type": "client_credentials",
        "client_id": _word(settings, "client_id"),
        "client_secret": _word(settings, "client_secret", secret=True),
    }


def _jwt_bearer(settings: ConnectionSettings) -> dict[str, str]:
    import jwt  # with cryptography a tenth of a second, for this flow alone

    claims = {
        "iss": _word(settings, "client_id"),
        "sub": _word(settings, "username"),
        "aud": str(settings.options["login_url"]).rstrip("/"),
        "exp": int(time.time()) + ASSERTION_SECONDS,
    }
    try:
        assertion = jwt.encode(claims, _word(settings, "private_key", secret=True), algorithm="RS256")
    except (ValueError, TypeError, jwt.PyJWTError):
        raise NeedsAdmin(f"connection `{settings.name}`: auth.private_key is not an RSA key in PEM form") from None
    return {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": assertion}


def _refresh_token(settings: ConnectionSettings) -> dict[str, str]:
    form = {
        "grant_type": "refresh_token",
        "client_id": _word(settings, "client_id"),
        "refresh_token": _word(settings, "refresh_token", secret=True),
    }
    auth = settings.options["auth"]
    return form | ({"client_secret": _word(settings, "client_secret", secret=True)} if "client_secret" in auth else {})


FLOWS: Mapping[str, Callable[[ConnectionSettings], dict[str, str]]] = {
    "client_credentials": _client_credentials,
    "jwt_bearer": _jwt_bearer,
    "refresh_token": _refresh_token,
}


def _token_file(settings: ConnectionSettings) -> Path | None:
    """The file that holds a refresh token, where `auth` names one."""
    written = str((settings.options.get("auth") or {}).get("refresh_token") or "")
    return Path(settings.folder, written.removeprefix("file:")) if written.startswith("file:") else None


@contextmanager
def _alone(token_file: Path | None) -> Iterator[None]:
    """Keeps other processes from spending the same single-use refresh token meanwhile."""
    if token_file is None:
        yield
        return
    try:
        lock = os.open(f"{token_file}.lock", os.O_CREAT | os.O_RDWR, 0o600)
    except OSError:
        raise NeedsAdmin("sign-in: the folder of auth.refresh_token must be writable for Sudare") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _keep(settings: ConnectionSettings, token: str) -> None:
    # INVARIANT: a rotated refresh token is on disk before its access token is used; the old one is spent.
    path = _token_file(settings)
    if path is None:
        raise NeedsAdmin(
            f"connection `{settings.name}`: this org replaces the refresh token at each sign-in: "
            "put a new one into a file and name it as auth.refresh_token: file:PATH, so that Sudare can keep it"
        )
    fresh = path.with_name(f"{path.name}.new")
    descriptor = os.open(fresh, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(token)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
