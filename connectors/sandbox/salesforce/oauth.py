"""Sign-in to the Salesforce org: client credentials, JWT bearer, and refresh tokens that are used once."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import jwt

from connectors.sandbox.crm import Crm

USERNAME = "integration@aozora.example"
_AUDIENCES = ("https://login.salesforce.com", "https://test.salesforce.com")
_JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
SESSION = timedelta(hours=2)
Reply = tuple[int, dict[str, Any]]


class SalesforceSignIn:
    """The org's token endpoint and its sessions."""

    def __init__(self, crm: Crm, public_key: str) -> None:
        self._crm = crm
        self._public_key = public_key
        self._used: dict[str, datetime] = {}  # token -> its last use: a session ends when it is not used
        self.client_id = crm.secret("client_id", lambda: "3MVG9" + secrets.token_urlsafe(48))
        self.client_secret = crm.secret("client_secret", lambda: secrets.token_hex(32).upper())
        if not self.refresh_token:
            self._issue("refresh")

    @property
    def refresh_token(self) -> str:
        """The refresh token that is good now; each use replaces it."""
        found = self._crm.select("SELECT value FROM token WHERE kind = 'refresh' AND live = 1")
        return str(found[0][0]) if found else ""

    def connect_again(self) -> str:
        """A new family of refresh tokens, as when a person connects the app; its first one."""
        self._crm.execute("UPDATE token SET live = 0 WHERE kind = 'refresh'")
        return self._issue("refresh")

    def accepts(self, token: str) -> bool:
        """Whether this is the token of a live session."""
        found = self._crm.select("SELECT 1 FROM token WHERE value = ? AND kind = 'salesforce' AND live = 1", (token,))
        now = self._crm.clock()
        if not found or now - self._used.get(token, now) > SESSION:
            return False
        self._used[token] = now
        return True

    def token(self, form: Mapping[str, str], url: str) -> Reply:
        """Answer the token endpoint at `url`."""
        grants: dict[str, Callable[[Mapping[str, str], str], Reply]] = {
            "client_credentials": self._client_credentials,
            "refresh_token": self._refresh,
            _JWT_GRANT: self._jwt_bearer,
        }
        grant = grants.get(form.get("grant_type", ""))
        return grant(form, url) if grant else _refused("unsupported_grant_type", "grant type not supported")

    def _client_credentials(self, form: Mapping[str, str], url: str) -> Reply:
        return self._wrong_client(form) or self._session(url)

    def _refresh(self, form: Mapping[str, str], url: str) -> Reply:
        wrong = self._wrong_client(form)
        if wrong:
            return wrong
        old = form.get("refresh_token", "")
        with self._crm.batch():
            known = self._crm.select("SELECT live FROM token WHERE value = ? AND kind = 'refresh'", (old,))
            # A token used twice may be stolen: the whole family ends.
            self._crm.execute("UPDATE token SET live = 0 WHERE kind = 'refresh' AND ? ", (bool(known),))
            if not known or not known[0][0]:
                return _refused("invalid_grant", "expired access/refresh token")
            fresh = self._issue("refresh")
        status, body = self._session(url)
        return status, {**body, "refresh_token": fresh}

    def _jwt_bearer(self, form: Mapping[str, str], url: str) -> Reply:
        try:
            claims = jwt.decode(
                form.get("assertion", ""), self._public_key, algorithms=["RS256"], audience=[*_AUDIENCES, url]
            )
        except jwt.InvalidAudienceError:
            return _refused("invalid_grant", "audience is invalid")
        except jwt.ExpiredSignatureError:
            return _refused("invalid_grant", "expired authorization code")
        except jwt.InvalidTokenError:
            return _refused("invalid_grant", "invalid assertion")
        if claims.get("iss") != self.client_id:
            return _refused("invalid_client_id", "client identifier invalid")
        if claims.get("sub") != USERNAME:
            return _refused("invalid_grant", "user hasn't approved this consumer")
        return self._session(url)

    def _wrong_client(self, form: Mapping[str, str]) -> Reply | None:
        if form.get("client_id") != self.client_id:
            return _refused("invalid_client_id", "client identifier invalid")
        if not hmac.compare_digest(form.get("client_secret", "").encode(), self.client_secret.encode()):
            return _refused("invalid_client", "invalid client credentials")
        return None

    def _issue(self, kind: str) -> str:
        value = f"00D5g000000Sudx!{secrets.token_urlsafe(60)}"
        self._crm.execute("INSERT INTO token (value, kind) VALUES (?, ?)", (value, kind))
        return value

    def _session(self, url: str) -> Reply:
        # No expires_in: the real one gives none.
        return 200, {
            "access_token": self._issue("salesforce"),
            "scope": "api refresh_token",
            "instance_url": url,
            "id": f"{url}/id/00D5g000000SudxEAC/0055g0000000001AAA",
            "token_type": "Bearer",
            "issued_at": str(int(self._crm.clock().timestamp() * 1000)),
        }


def _refused(error: str, description: str) -> Reply:
    return 400, {"error": error, "error_description": description}
