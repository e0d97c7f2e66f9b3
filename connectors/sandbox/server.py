"""Starts the sandbox CRM: the Salesforce wire over TLS, the HubSpot wire and the record pages over plain http."""

from __future__ import annotations

import secrets
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from connectors.sandbox import seed as story
from connectors.sandbox.crm import Crm
from connectors.sandbox.faults import Faults
from connectors.sandbox.hubspot.wire import hubspot_app
from connectors.sandbox.limits import Limits
from connectors.sandbox.pages import add_pages
from connectors.sandbox.salesforce.oauth import USERNAME, SalesforceSignIn
from connectors.sandbox.salesforce.wire import salesforce_app
from connectors.sandbox.serving import Calls, Server
from connectors.sandbox.tls import CA_FILE, JWT_KEY_FILE, jwt_public_key, server_context

STATE_FILE = "sandbox.db"


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A running sandbox CRM, and what a connection needs to reach it."""

    salesforce_url: str
    hubspot_url: str
    page_url: str
    ca_file: Path
    client_id: str
    client_secret: str = field(repr=False)
    hubspot_token: str = field(repr=False)
    hubspot_refresh_token: str = field(repr=False)  # its client id and secret are the same as on the other wire
    jwt_key_file: Path
    username: str
    crm: Crm
    faults: Faults
    calls: Calls
    _sign_in: SalesforceSignIn
    _servers: tuple[Server, ...]

    @property
    def refresh_token(self) -> str:
        """The Salesforce refresh token that is good now; each use replaces it."""
        return self._sign_in.refresh_token

    def connect_again(self) -> str:
        """A person connects the app to the org again: a new family of refresh tokens, by its first one."""
        return self._sign_in.connect_again()

    @property
    def limits(self) -> Limits:
        """How many calls each org takes; may be set at any time."""
        return self.faults.limits

    def stop(self) -> None:
        """Hang up, and let go of the file; the state stays in the folder."""
        self.faults.end()
        for server in self._servers:
            server.end()
        self.crm.close()

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()


def start(folder: Path, *, salesforce_port: int = 0, page_port: int = 0, seed: bool = True) -> Sandbox:
    """Start both wires over the state in `folder`, which is made and seeded where it is new. Port 0 is any free one."""
    folder.mkdir(parents=True, exist_ok=True)
    crm = Crm(folder / STATE_FILE)
    story.plant(crm, whole=seed)
    faults, calls = Faults(crm), Calls()
    sign_in = SalesforceSignIn(crm, jwt_public_key(folder))
    token = crm.secret("hubspot_token", lambda: f"pat-na1-{secrets.token_hex(24)}")
    crm.execute("INSERT OR IGNORE INTO token (value, kind) VALUES (?, 'hubspot-key')", (token,))
    crm.secret("hubspot_refresh_token", lambda: secrets.token_hex(24))
    web = add_pages(hubspot_app(crm, faults), crm)
    with ExitStack() as undo:
        undo.callback(crm.close)
        tls = server_context(folder)
        salesforce = Server(salesforce_port, salesforce_app(crm, faults, sign_in), crm, faults, calls, tls)
        undo.callback(salesforce.server_close)
        hubspot = Server(page_port, web, crm, faults, calls, None)
        undo.pop_all()
    salesforce.begin()
    hubspot.begin()
    return Sandbox(
        salesforce_url=salesforce.url,
        hubspot_url=hubspot.url,
        page_url=hubspot.url,
        ca_file=folder / CA_FILE,
        client_id=sign_in.client_id,
        client_secret=sign_in.client_secret,
        hubspot_token=token,
        hubspot_refresh_token=crm.secret("hubspot_refresh_token", str),
        jwt_key_file=folder / JWT_KEY_FILE,
        username=USERNAME,
        crm=crm,
        faults=faults,
        calls=calls,
        _sign_in=sign_in,
        _servers=(salesforce, hubspot),
    )
