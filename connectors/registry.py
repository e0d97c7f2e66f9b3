"""Opens a connection's CRM folder: the only place that knows which kinds there are, and imports one when it is used."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points

from connectors.base import ConnectionSettings, Connector, NeedsAdmin, OpenConnection

GROUP = "sudare.connectors"


def kinds() -> tuple[str, ...]:
    """The kinds of CRM that are installed, as `kind:` in sudare.yaml names them, sorted."""
    return tuple(sorted(_installed()))


def open_connection(settings: ConnectionSettings) -> Connector:
    """A connector for these settings; it signs in at its first call. NeedsAdmin where its kind is not installed."""
    installed = _installed()
    if settings.kind not in installed:
        raise NeedsAdmin(
            f"connection `{settings.name}`: unknown kind `{settings.kind}`; known are {', '.join(sorted(installed))}"
        )
    opener: OpenConnection = installed[settings.kind].load()
    return opener(settings)


def _installed() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=GROUP)}
