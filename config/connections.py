"""Opens the workspace's connections, each when it is first asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Self

from config.secrets import secret
from config.workspace import ConnectionRow, Workspace
from connectors.base import ConnectionSettings, Connector, NeedsAdmin, Vault
from connectors.budget import Budget, Time
from connectors.installing import Installer
from connectors.registry import open_connection, open_installer


class Connections(Mapping[str, Connector]):
    """Connection name -> its connector. Thread-safe; nothing is imported or signed in before its first use."""

    def __init__(
        self,
        rows: Mapping[str, ConnectionRow],
        folder: Path,
        *,
        signs_in: bool = True,
        vault: Callable[[str], Vault] | None = None,
        time: Time | None = None,
    ) -> None:
        self._rows, self._folder, self._signs_in, self._vault = rows, folder, signs_in, vault
        self._budgets = {name: Budget(time) for name in rows}
        self._open: dict[str, Connector] = {}
        self._lock = Lock()

    def __getitem__(self, name: str) -> Connector:
        row = self._rows[name]
        with self._lock:
            if name not in self._open:
                self._open[name] = open_connection(self._settings(row))
            return self._open[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def installer(self, name: str) -> Installer:
        """What puts into this connection's org what it must have. NeedsAdmin where its kind needs nothing."""
        return open_installer(self._settings(self._rows[name]))

    def _settings(self, row: ConnectionRow) -> ConnectionSettings:
        def open_secret(reference: str) -> str:
            return secret(reference, self._folder)

        return ConnectionSettings(
            name=row.name,
            kind=row.kind,
            options=row.options,
            secret=open_secret if self._signs_in else partial(_without_sign_in, row, open_secret),
            folder=str(self._folder),
            budget=self._budgets[row.name],
            vault=self._vault(row.name) if self._vault else None,
        )

    def go_on_from(self, before: Connections) -> None:
        """Spend no more than if these connections had been open all along: what their orgs told of their day holds."""
        for name, row in self._rows.items():
            known = before._rows.get(name)  # asked of the rows: one that can't be opened is known as well
            if known is not None and known.org == row.org:
                self._budgets[name].go_on_from(before._budgets[name])

    def opened(self) -> Mapping[str, Connector]:
        """Those that are open now."""
        with self._lock:
            return dict(self._open)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give back the sockets of those that were opened."""
        with self._lock:
            opened, self._open = self._open, {}
        for connector in opened.values():
            connector.close()


def open_connections(workspace: Workspace, folder: Path, vault: Callable[[str], Vault] | None = None) -> Connections:
    """The workspace's connections; files and secrets are looked for in its folder.

    `vault` gives the vault of a connection by its name; without one a refresh token that is replaced can't be used.
    """
    return Connections(workspace.connections, folder, vault=vault)


def hearing_connections(workspace: Workspace, folder: Path) -> Connections:
    """The same, for `read_notices` alone: they are given no secret with which they could sign in to a CRM."""
    return Connections(workspace.connections, folder, signs_in=False)


def _without_sign_in(row: ConnectionRow, open_secret: Callable[[str], str], reference: str) -> str:
    # INVARIANT: the partners' process can hear a CRM, and can't ask one anything.
    signs_in = set(dict(row.options.get("auth", {})).values()) - set(dict(row.options.get("notices", {})).values())
    if reference in signs_in:
        raise NeedsAdmin(f"connection `{row.name}` is open for its notices alone and can't sign in")
    return open_secret(reference)
