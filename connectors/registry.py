"""Opens a connection's CRM folder: the only place that knows which kinds there are, and imports one when it is used."""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import cast

from connectors.base import ConnectionSettings, Connector, NeedsAdmin, OpenConnection
from connectors.installing import Installer

GROUP = "sudare.connectors"


def kinds() -> tuple[str, ...]:
    """The kinds of CRM that are installed, as `kind:` in sudare.yaml names them, sorted."""
    return tuple(sorted(_installed()))


def open_connection(settings: ConnectionSettings) -> Connector:
    """A connector for these settings; it signs in at its first call. NeedsAdmin where its kind is not installed."""
    opener: OpenConnection = _entry(settings).load()
    return opener(settings)


def open_installer(settings: ConnectionSettings) -> Installer:
    """What puts into this connection's org what it must have. NeedsAdmin where its kind needs nothing of the sort."""
    # A CRM folder has always the same file names.
    module = f"{_entry(settings).module.rpartition('.')[0]}.install"
    try:
        opener = import_module(module).open_installer
    except ModuleNotFoundError as missing:
        if missing.name != module:
            raise
        raise NeedsAdmin(
            f"connection `{settings.name}`: there is nothing to install for kind {settings.kind}"
        ) from None
    return cast("Installer", opener(settings))


def _entry(settings: ConnectionSettings) -> EntryPoint:
    installed = _installed()
    if settings.kind not in installed:
        raise NeedsAdmin(
            f"connection `{settings.name}`: unknown kind `{settings.kind}`; known are {', '.join(sorted(installed))}"
        )
    return installed[settings.kind]


@lru_cache(maxsize=1)  # looking through all that is installed costs as much as reading a workspace
def _installed() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=GROUP)}
