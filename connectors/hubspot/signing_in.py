"""HubSpot's tokens: a key as it is kept, or access tokens that are signed in for and end."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from connectors.base import ConnectionSettings, NeedsAdmin
from connectors.tokens import AccessToken, Grant, spend

EARLY = 60.0  # seconds before its end at which an access token is renewed
FLOWS: Mapping[str, tuple[str, ...]] = {
    "token": ("token",),
    "refresh_token": ("client_id", "client_secret", "refresh_token"),
}


class Granted(msgspec.Struct):
    """The answer of the sign-in. Its repr shows none of it."""

    access_token: str
    expires_in: float = 1800
    refresh_token: str = ""

    def __repr__(self) -> str:
        return "Granted()"


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

    def works(self, token: str) -> None:
        """Nothing to note."""


class RefreshedToken:
    """An OAuth access token, renewed shortly before its end and when HubSpot refuses it."""

    def __init__(self, token: AccessToken) -> None:
        self._token = token
        self.works = token.works

    def value(self) -> str:
        """A token that should still hold."""
        return self._token.current().token

    def renew(self, used: str) -> bool:
        """Another one than was refused; many threads may come with the same one and it is renewed once."""
        return self._token.renewed(used).token != used


def token_of(
    settings: ConnectionSettings, sign_in: Callable[[Mapping[str, str]], Granted]
) -> FixedToken | RefreshedToken:
    """The token of a connection by its `auth`; NeedsAdmin where a part of it is missing."""
    auth = settings.options.get("auth") or {}
    asked = FLOWS.get(str(auth.get("flow")))
    if asked is None:
        raise NeedsAdmin(
            f"connection `{settings.name}`: auth: flow `{auth.get('flow')}` is unknown; use token or refresh_token"
        )
    missing = [name for name in asked if name not in auth]
    if missing:
        raise NeedsAdmin(f"connection `{settings.name}`: auth: `{missing[0]}` is missing")
    if auth["flow"] == "token":
        return FixedToken(lambda: _clean(settings, "token"))
    return RefreshedToken(
        AccessToken(
            lambda: _signed_in(settings, sign_in),
            lambda: tuple(_clean(settings, name) for name in asked),
            settings.time,
        )
    )


def _signed_in(settings: ConnectionSettings, sign_in: Callable[[Mapping[str, str]], Granted]) -> Grant:
    form = {"grant_type": "refresh_token", **{name: _clean(settings, name) for name in FLOWS["refresh_token"]}}

    def ask(token: str) -> tuple[str, Granted]:
        granted = sign_in(form | {"refresh_token": token})
        return granted.refresh_token, granted

    first = form["refresh_token"]
    # HubSpot gives the same refresh token back each time; where that changes, the new one is kept like Salesforce's.
    granted = ask(first)[1] if settings.vault is None else spend(settings.vault, first, ask)
    return Grant(granted.access_token, settings.time.clock() + granted.expires_in - EARLY)


def _clean(settings: ConnectionSettings, name: str) -> str:
    """A secret fit for a header: http.client would quote an unfit one, the token itself, in its error."""
    reference = str(settings.options["auth"][name])
    literal = name == "client_id" and not reference.startswith(("env:", "file:"))
    secret = reference if literal else settings.secret(reference).strip()
    if not secret or not secret.isascii() or not secret.isprintable():
        raise NeedsAdmin(f"connection `{settings.name}`: auth: `{name}` is empty or not one line of plain characters")
    return secret
