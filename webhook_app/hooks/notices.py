"""POST /notices/{connection}: a CRM says that a record changed. It is proved, kept, acknowledged, and read later."""

from __future__ import annotations

import logging
import time
from threading import Lock

from flask import Blueprint, Flask, Response, request

from config.connections import Connections, hearing_connections
from config.workspace import ConnectionRow, Workspace
from connectors.base import Call, Connector, Forged, NeedsAdmin
from sync.house import House
from sync.mirror.notices import Full, keep
from webhook_app.problems import problem

log = logging.getLogger(__name__)

FORGED = "this is no notice of a CRM that is connected here"
NOT_OPEN = "notices can't be taken now; send them again later"
QUIET_SECONDS = 60.0  # between two lines of the log about one connection's refused calls


def notice_url(workspace: Workspace, row: ConnectionRow) -> str:
    """The address that an admin enters in the CRM; `SECRET` stands for the secret that is its last part."""
    url = f"{workspace.serving.partner_url}/notices/{row.name}"
    return f"{url}/SECRET" if "organization_id" in row.options.get("notices", {}) else url


def register_notices(app: Flask, house: House) -> None:
    """Mount the door for what CRMs hint by themselves."""
    door, ears = Blueprint("notices", __name__), _Ears(house)

    @door.post("/notices/<connection>")
    @door.post("/notices/<connection>/<path_secret>")
    def hear(connection: str, path_secret: str = "") -> Response:
        """Prove, keep and acknowledge one call; the connector looks for the secret in the address itself."""
        # INVARIANT: the raw bytes are proved to be the CRM's before anything of them is parsed or written.
        call = _call(ears.workspace, house, request.get_data(cache=False))
        try:
            connector = ears.connector(connection)
            noticed = connector.read_notices(call)
            # INVARIANT: a notice is acknowledged when it is durable, and not before.
            keep(house, connection, noticed.notices)
        except Forged as forged:
            ears.tell(connection, str(forged))
            return problem(401, FORGED)
        except (Full, NeedsAdmin) as trouble:
            ears.tell(connection, str(trouble))
            return problem(503, NOT_OPEN, headers={"Retry-After": "300"})
        return Response(noticed.body, 200, content_type=noticed.content_type)

    app.register_blueprint(door)


def _call(workspace: Workspace, house: House, raw: bytes) -> Call:
    """The request under the address that the CRM was told: behind a proxy, `Host` says nothing that can be trusted."""
    query = request.query_string.decode("latin-1")
    url = workspace.serving.partner_url + request.path + (f"?{query}" if query else "")
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Call(request.method, url, headers, raw, house.clock())


class _Ears:
    """The connections of the configuration in force, as far as they have `notices:`."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._lock = Lock()
        self._opened: tuple[Workspace, Connections] | None = None
        self._told: dict[str, float] = {}

    @property
    def workspace(self) -> Workspace:
        """The configuration in force now."""
        return self._house.workspace()

    def connector(self, name: str) -> Connector:
        """The connection of this name. Forged where there is none that may send notices."""
        workspace = self.workspace
        if name not in workspace.connections or "notices" not in workspace.connections[name].options:
            raise Forged("no connection with `notices:` has this name")
        with self._lock:
            if self._opened is None or self._opened[0] is not workspace:
                # Nothing of the old ones was ever signed in: there is nothing to close.
                self._opened = (workspace, hearing_connections(workspace, self._house.folder))
            return self._opened[1][name]

    def tell(self, name: str, why: str) -> None:
        """Log why a call was refused, now and then: whoever sends it has no say over the size of our log."""
        known = name if name in self.workspace.connections else ""
        now = time.monotonic()
        with self._lock:
            if now - self._told.get(known, -QUIET_SECONDS) < QUIET_SECONDS:
                return
            self._told[known] = now
        log.warning("notices of %s refused: %s", f"connection `{known}`" if known else "no connection of ours", why)
