"""Opens the workspace's connections, each when it is first asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from threading import Lock

from config.secrets import secret
from config.workspace import ConnectionRow, Workspace
from connectors.base import ConnectionSettings, Connector
from connectors.registry import open_connection


class Connections(Mapping[str, Connector]):
    """Connection name -> its connector. Thread-safe; nothing is imported or signed in before its first use."""

    def __init__(self, rows: Mapping[str, ConnectionRow], folder: Path) -> None:
        self._rows, self._folder = rows, folder
        self._open: dict[str, Connector] = {}
        self._lock = Lock()

    def __getitem__(self, name: str) -> Connector:
        row = self._rows[name]
        with self._lock:
            if name not in self._open:
                self._open[name] = open_connection(_settings(row, self._folder))
            return self._open[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def close(self) -> None:
        """Give back the sockets of those that were opened."""
        with self._lock:
            opened, self._open = self._open, {}
        for connector in opened.values():
            connector.close()


def open_connections(workspace: Workspace, folder: Path) -> Connections:
    """The workspace's connections; files and secrets are looked for in its folder."""
    return Connections(workspace.connections, folder)


def _settings(row: ConnectionRow, folder: Path) -> ConnectionSettings:
    return ConnectionSettings(
        name=row.name,
        kind=row.kind,
        options=row.options,
        secret=lambda reference: secret(reference, folder),
        folder=str(folder),
    )
