"""Gets access tokens from Salesforce: three flows; a refresh token is kept before what came with it is used."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import msgspec
import requests

from connectors.base import ConnectionSettings, CrmError, NeedsAdmin, TryAgain
from connectors.salesforce.errors import call_problem, refusals, retry_after, salesforce_problems
from connectors.tokens import AccessToken, Grant, spend

TOKEN_PATH = "/services/oauth2/token"  # noqa: S105 - a path
ASSERTION_SECONDS = 180
_REFERENCE = re.compile(r"(env|file):")


class Reply(msgspec.Struct, frozen=True):
    """What the token endpoint gives. Its repr shows none of it."""

    access_token: str
    instance_url: str = ""
    refresh_token: str = ""

    def __repr__(self) -> str:
        return "Reply()"


def access_token(settings: ConnectionSettings, http: requests.Session, login_url: str) -> AccessToken:
    """The org's access token, shared by all threads of a connection."""
    url = f"{login_url}{TOKEN_PATH}"
    return AccessToken(lambda: _sign_in(settings, http, url), lambda: _given(settings), settings.time)


def _given(settings: ConnectionSettings) -> tuple[str, ...]:
    auth: Any = settings.options.get("auth") or {}
    return tuple(settings.secret(text) if _REFERENCE.match(text) else text for text in map(str, auth.values()))


def _sign_in(settings: ConnectionSettings, http: requests.Session, url: str) -> Grant:
    flow = FLOWS.get(_word(settings, "flow"))
    if flow is None:
        raise NeedsAdmin(f"connection `{settings.name}`: auth.flow must be one of {', '.join(FLOWS)}")
    form = flow(settings)
    reply = _refreshed(settings, http, url, form) if "refresh_token" in form else _asked(http, url, form)
    return Grant(reply.access_token, address=reply.instance_url)


def _refreshed(settings: ConnectionSettings, http: requests.Session, url: str, form: dict[str, str]) -> Reply:
    if settings.vault is None:
        raise NeedsAdmin(
            f"connection `{settings.name}`: a refresh token can only be used where the database can keep the one "
            "that replaces it: run `sudare apply` first"
        )

    def ask(token: str) -> tuple[str, Reply]:
        reply = _asked(http, url, form | {"refresh_token": token})
        return reply.refresh_token, reply

    return spend(settings.vault, form["refresh_token"], ask)


def _asked(http: requests.Session, url: str, form: Mapping[str, str]) -> Reply:
    with salesforce_problems("sign-in"):
        answer = http.post(url, data=form, headers={"Accept": "application/json"})
    return _reply(answer, form)


def _reply(answer: requests.Response, form: Mapping[str, str]) -> Reply:
    if answer.status_code == 429 or answer.status_code >= 500:
        busy = f"sign-in: answered {answer.status_code}: Salesforce is busy or down"
        raise TryAgain(busy, after=retry_after(answer))
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
    return settings.secret(written) if secret or _REFERENCE.match(written) else written


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
