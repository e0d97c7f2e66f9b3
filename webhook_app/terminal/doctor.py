"""Says of everything that must work whether it does, and what to do where it does not."""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit

import sqlalchemy as sa

from config.connections import Connections, open_connections
from config.folder import read_folder
from config.init import TEMPLATES, init
from config.load import check, database_url
from config.second_person import could_agree
from config.secrets import SecretMissing, secret, workspace_key
from config.settings_words import LOOPBACK
from config.words import REFERENCE
from config.workspace import ConnectionRow, Workspace
from connectors.base import CrmError
from connectors.registry import kinds
from mapping.model import Broken
from sync.house import House, NotApplied, open_engine, utc_now
from sync.ledger.recalled import recalls_waiting
from sync.mirror.drift import compare
from sync.store.migrate import is_current, migrate
from sync.store.vault import vaults_at
from sync.versions.applied import drift, may_approve
from sync.webhooks.own import stopped_webhooks
from webhook_app.hooks.notices import notice_url
from webhook_app.terminal.commands import visited


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that must work."""

    what: str
    fine: bool
    state: str
    advice: str = ""


def examine(folder: Path) -> Iterator[Finding]:
    """All findings, the installation's first; those of a workspace where `folder` is one."""
    yield Finding("sudare", True, version("sudare"))
    yield Finding("connectors", bool(kinds()), ", ".join(kinds()), "" if kinds() else "install sudare again")
    for crm in TEMPLATES:
        yield _tried(f"template {crm}", partial(_template, crm), "install sudare again")
    yield _tried("tables", _tables, "install sudare again")
    if not (folder / "sudare.yaml").is_file():
        yield Finding(
            "workspace", True, "none here", "`sudare init DIR --crm salesforce` makes one; `--workspace DIR` names it"
        )
        return
    yield from _workspace(folder)


def _tried(what: str, test: Callable[[], str], advice: str) -> Finding:
    """What a test says; where it fails, why, and what to do."""
    try:
        return Finding(what, True, test())
    except SecretMissing as missing:
        return Finding(what, False, str(missing), missing.advice or advice)
    except (Broken, CrmError, NotApplied, OSError, ValueError, sa.exc.SQLAlchemyError) as problem:
        return Finding(what, False, str(problem).splitlines()[0][:300], advice)


def _template(crm: str) -> str:
    with tempfile.TemporaryDirectory() as place:
        init(Path(place) / "w", crm)
        check(Path(place) / "w", datetime.now(UTC))
    return "passes `sudare check`"


def _tables() -> str:
    with tempfile.TemporaryDirectory() as place:
        engine = open_engine("sqlite:///t.db", Path(place))
        migrate(House(engine, Path(place), b"", utc_now))
        engine.dispose()
    return "can be made"


def _workspace(folder: Path) -> Iterator[Finding]:
    files = _tried("files", lambda: _files(folder), "mend the files; `sudare check` lists everything")
    yield files
    yield _tried("key", lambda: _key(folder), "`sudare init` makes one; restore it from your backup")
    database = _tried(
        "database",
        lambda: _database(folder),
        "`sudare apply` makes it; if it should be there, start it or mend `database:`",
    )
    yield database
    if not files.fine:
        return
    workspace, _ = check(folder, datetime.now(UTC))
    yield _tried("in force", lambda: _in_force(folder), "run `sudare apply`")
    if database.fine:
        yield _recalls(folder)
        yield _webhooks(folder)
    for door, address in (
        ("partner door", workspace.serving.partner_address),
        ("console", workspace.serving.vendor_address),
    ):
        yield _tried(door, partial(_port, address), "if it is not `sudare serve`, choose another under `serve:`")
    with open_connections(workspace, folder, vaults_at(folder)) as opened:
        for name in opened:
            yield from _connection(workspace, opened, name, folder)


def _connection(workspace: Workspace, opened: Connections, name: str, folder: Path) -> Iterator[Finding]:
    row = workspace.connections[name]
    secrets = _tried(f"{name}: secrets", partial(_secrets, row, folder), "see sudare.yaml")
    yield secrets
    if not secrets.fine:
        return  # without them the CRM says nothing of its own
    if "notices" in row.options:
        yield _notices(workspace, name)
    advice = "mend the connection in sudare.yaml, or the rights of its user in the CRM"
    yield from _schema(workspace, opened, name, advice)
    yield _tried(f"{name}: logged actions", partial(_writes, opened, name), advice)


def _notices(workspace: Workspace, name: str) -> Finding:
    """Where the CRM is to send its notices, and whether it can reach that."""
    url = notice_url(workspace, workspace.connections[name])
    reachable = urlsplit(url).hostname not in LOOPBACK
    advice = "set `serve.partner_url` to the https address at which the CRM reaches the partner door"
    return Finding(f"{name}: notices", reachable, f"enter `{url}` in the CRM", "" if reachable else advice)


def _files(folder: Path) -> str:
    _, remarks = check(folder, datetime.now(UTC))
    return "fine" + (f"; {len(remarks)} notes, see `sudare check`" if remarks else "")


def _key(folder: Path) -> str:
    try:
        return f"{len(workspace_key(folder))} bytes"
    except SecretMissing as missing:  # a new one would open nothing that the old one closed
        raise ValueError(str(missing)) from missing


def _database(folder: Path) -> str:
    url = database_url(folder)
    with visited(folder) as house:
        file = house.engine.url.database if url.startswith("sqlite") else None
        if file and not Path(file).exists():
            raise ValueError("not made yet")
        if not is_current(house):
            raise ValueError("reachable, but its tables are not those of this version")
    return url.partition(":")[0] + ", tables up to date"


def _in_force(folder: Path) -> str:
    _database(folder)  # where there are no tables yet, nothing is in force
    with visited(folder) as house:
        changed = drift(house, read_folder(folder))
        with house.reading() as tx:
            force = house.in_force(tx)
            enough = could_agree("", force.workspace, may_approve(tx, force.workspace))
    told = [f"files differ: {', '.join(changed)}" if changed else "the files are in force"]
    if force.bound is not None:
        told.append(f"bound by version {force.bound} until what widens is approved")
    if not force.workspace.four_eyes:
        told.append("four_eyes is off: one person alone can let partners see more")
    elif not enough:
        told.append("fewer than two may approve, so that partners can't be shown more: name them under `vendor_users:`")
    return "; ".join(told)


def _recalls(folder: Path) -> Finding:
    """Who has still to say that its copies of a deal are deleted; nothing of ours is broken by it."""
    with visited(folder) as house:
        waits = recalls_waiting(house)
    advice = "`sudare recalls --overdue` lists them; ask these partners" if waits.overdue else ""
    return Finding("recalls", True, f"{waits.overdue:,} overdue, {waits.open:,} open", advice)


def _webhooks(folder: Path) -> Finding:
    """Whether a partner that named a webhook is not told by it any more; nothing of ours is broken by it."""
    with visited(folder) as house:
        stopped = stopped_webhooks(house)
    told = ", ".join(f"{key} ({hook.host}, last answer {hook.status})" for key, hook in stopped)
    advice = "on its page `API` the partner can mend the address and try again: tell it" if stopped else ""
    return Finding("webhooks", True, f"given up: {told}" if stopped else "none was given up", advice)


def _port(address: str) -> str:
    host, _, port = address.rpartition(":")
    with socket.socket(socket.AF_INET) as probe:
        probe.settimeout(2)
        taken = probe.connect_ex((host, int(port))) == 0
    return f"{address} {'answers' if taken else 'is free'}"


def _secrets(row: ConnectionRow, folder: Path) -> str:
    told = [*row.options.get("auth", {}).values(), *row.options.get("notices", {}).values()]
    references = [each for each in told if REFERENCE.fullmatch(str(each))]
    for reference in references:
        secret(reference, folder)
    return f"{len(references)} found"


def _writes(opened: Connections, name: str) -> str:
    """Whether the CRM's user may log actions, how many of the day's calls are used and what is held back."""
    said, used = opened[name].check_writing(), opened[name].health()
    today = f"; {used.used_calls:,} of {used.daily_calls:,} calls today" if used.daily_calls else ""
    return said + today + (f"; held back: {', '.join(used.held)}" if used.held else "")


def _schema(workspace: Workspace, opened: Connections, name: str, advice: str) -> Iterator[Finding]:
    """Whether the CRM has every object as the mapping reads it, and its user sees it; an object each."""
    try:
        seen = compare(workspace, name, opened[name])
    except CrmError as problem:
        yield Finding(f"{name}: sign-in", False, str(problem), advice)
        return
    for object, fields in seen.read.items():
        wrong = [each for each in seen.drifts if each.object == object]
        state = "; ".join(str(each.problem()) for each in wrong) or f"{fields} fields"
        yield Finding(f"{name}: {object}", not wrong, state, advice if wrong else "")
