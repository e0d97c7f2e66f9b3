"""A demo house over a running sandbox CRM, once read, copied anew for every test: both lives over real HTTP."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa
from agreed import put_in_force
from doors import free_port

from config.connections import Connections
from config.folder import read_folder
from config.init import init_demo
from connectors.budget import Time
from connectors.sandbox.crm import Crm
from connectors.sandbox.seed import IDS
from connectors.sandbox.server import Sandbox, start
from sync.access import add_person
from sync.actions.kinds import Statement
from sync.actions.support_log import MOST_A_MINUTE, Recorded, record, say, take
from sync.actions.write_back import Written, write_back
from sync.house import House, open_house
from sync.mirror.pull import Pulled, pull
from sync.projection.reader import Projection
from sync.projection.shown import Deal, Message, Query
from sync.store import schema
from sync.store.identifiers import internal_id, partner_id, public_id
from sync.store.migrate import migrate
from sync.store.rows import batches
from sync.store.vault import vaults
from sync.versions.applied import apply_files

PEOPLE = {"MINATO": "tanto@minato.example", "HANBIT": "damdang@hanbit.example", "HOKUTO": "tanto@hokuto.example"}
ORGS = {"sf": "salesforce", "hs": "hubspot"}
DEAL = {"sf": "Opportunity", "hs": "deals"}
ACCOUNT = {"sf": "Account", "hs": "companies"}
CONTACT = {"sf": "Contact", "hs": "contacts"}
SIGNING = "whsec_" + base64.b64encode(b"a secret of the tests, 32 bytes!").decode()


@dataclass(slots=True)
class Clock:
    """The time of the house and of the CRM; tests let it pass."""

    ahead: timedelta = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def move(self, **by: float) -> None:
        """Let time pass: `clock.move(minutes=5)`."""
        self.ahead += timedelta(**by)


@dataclass(slots=True)
class Life:
    """One house and its CRM, with the sentences that tests are written in. `on` is a connection: sf or hs."""

    house: House
    sandbox: Sandbox
    clock: Clock
    opened: Connections = field(repr=False)

    @property
    def crm(self) -> Crm:
        """The CRM as its own users change it."""
        return self.sandbox.crm

    @property
    def faults(self) -> Any:
        """What is planned to fail in the CRM."""
        return self.sandbox.faults

    def edit(self, on: str, object: str, key: str, **fields: Any) -> None:
        """Change a record of the story, a second later."""
        self.clock.move(seconds=1)
        self.crm.edit(ORGS[on], object, crm_id(on, key), fields)

    def round(self, on: str) -> Pulled:
        """One round of pull, which must go well."""
        pulled = self.pull(on)
        assert not pulled.problems, pulled.problems
        return pulled

    def pull(self, on: str) -> Pulled:
        """One round of pull."""
        self.clock.move(seconds=1)
        return pull(self.house, on, self.opened[on])

    def write(self, on: str) -> Written:
        """One round of write-back."""
        return write_back(self.house, on, self.opened[on])

    def deal(self, partner: str, on: str, key: str) -> dict[str, Any] | None:
        """A deal as the partner has it; None where it has none."""
        found = self.found(partner, on, key)
        return found.body if found else None

    def found(self, partner: str, on: str, key: str) -> Deal | None:
        """The same with its bytes."""
        return self.projection(partner).deal(self.public(partner, on, key))

    def names(self, partner: str) -> set[str]:
        """The names of all deals that the partner has."""
        page = self.projection(partner).deals(Query(limit=100))
        return {deal.body["deal"].get("name", "") for deal in page.deals}

    def messages(self, partner: str, on: str, key: str) -> list[Message]:
        """What was written about the deal, as the partner reads it."""
        return self.projection(partner).messages(self.public(partner, on, key))

    def feed(self, partner: str) -> list[tuple[str, str]]:
        """The partner's feed: (kind, deal)."""
        return [(each["kind"], each["deal_id"]) for each in self.projection(partner).feed(None, 100).events]

    def projection(self, partner: str) -> Projection:
        """All that the partner can reach."""
        return Projection(self.house, partner_id(partner))

    def public(self, partner: str, on: str, key: str) -> str:
        """The deal's id as the partner knows it."""
        return public_id(self.house.partner_key(partner_id(partner)), self.id(on, key))

    def id(self, on: str, key: str) -> str:
        """Our id of a deal."""
        return internal_id(on, "opportunity", crm_id(on, key))

    def says(self, partner: str, kind: str, on: str = "", key: str = "", **fields: Any) -> Recorded:
        """The partner does something in the portal."""
        self.clock.move(seconds=1)
        who = person_of(self, partner)
        return say(self.house, partner_id(partner), who, kind, self.public(partner, on, key) if key else None, **fields)

    def posts(self, id: str, kind: str, **more: Any) -> Recorded:
        """A system posts a statement; of the vendor's where no `partner` is named."""
        return record(self.house, self.statement(id, kind, **more))

    def posts_many(self, count: int, statement: Callable[[int], Statement]) -> None:
        """A partner's system posts very many, as fast as they are taken: what it says at each turn."""
        for some in batches(range(count), MOST_A_MINUTE):
            self.clock.move(minutes=1)
            with self.house.writing() as tx:
                for number in some:
                    assert take(tx, self.house, statement(number)).status == "stored"

    def statement(self, id: str, kind: str, **more: Any) -> Statement:
        """A statement as a system tells it."""
        partner = more.pop("partner", None)
        told = {"person": None, "deal": None, "at": self.clock(), "source": "learning", **more}
        fields = told.pop("fields", {})
        seal = msgspec.json.encode([kind, told["person"], told["deal"], fields]).hex()
        own = partner_id(partner) if partner else None
        return Statement(id=id, kind=kind, partner_id=own, fields=fields, digest=seal, **told)

    def logged(self, on: str, key: str) -> list[str]:
        """What we logged on a record of the story, oldest first: subject and body, as a CRM user reads them."""
        rows = self.crm.timeline(ORGS[on], crm_id(on, key))
        return [f"{row.subject}\n{row.body}" for row in reversed(rows) if row.key or "sudare:" in row.body]

    def rows(self, table: sa.Table, **where: Any) -> list[Any]:
        """Rows of a table of ours."""
        with self.house.reading() as tx:
            return list(tx.execute(sa.select(table).filter_by(**where)))

    def apply(self, **changes: tuple[str, str]) -> int:
        """Change texts in files of the workspace and put them in force: `apply(fields=("old", "new"))`."""
        return put_in_force(self.house, self.draft(**changes))

    def draft(self, **changes: tuple[str, str]) -> Mapping[str, str]:
        """Change texts in files of the workspace; its files."""
        for name, (old, new) in changes.items():
            path = self.house.folder / NAMES[name]
            text = path.read_text(encoding="utf-8")
            assert old in text, f"{NAMES[name]} does not say {old}"
            path.write_text(text.replace(old, new), encoding="utf-8")
        return read_folder(self.house.folder)

    def reopen(self) -> None:
        """Connect to the CRM as a process that starts now would."""
        self.opened.close()
        rows, time = self.house.workspace().connections, Time(lambda: self.clock().timestamp())
        self.opened = Connections(rows, self.house.folder, vault=vaults(self.house), time=time)


NAMES = {
    "settings": "sudare.yaml",
    "fields": "fields.yaml",
    "policy": "policies/deal-share.yaml",
    "trial": "policies/tests/deal-share.test.yaml",
    "writeback": "writeback.yaml",
    "documents": "documents.yaml",
    "salesforce": "mappings/salesforce.yaml",
    "hubspot": "mappings/hubspot.yaml",
}


def crm_id(on: str, key: str) -> str:
    """The CRM's id of a record of the story; any other text is an id already."""
    return IDS[ORGS[on]].get(key, key)  # type: ignore[index] # the two orgs


def person_of(life: Life, partner: str) -> str | None:
    """The partner's own user, where it has one."""
    rows = life.rows(schema.people, partner_id=partner_id(partner))
    return rows[0].id if rows else None


@dataclass(frozen=True, slots=True)
class Furnished:
    """A house that has read its CRM once, on disk: what every test starts from."""

    crm: Path
    workspace: Path
    ports: tuple[int, int]
    database: str | None  # None: SQLite in the workspace


def furnish(place: Path, database: str | None) -> Furnished:
    """Plant the story, write the demo's workspace over it, apply, let people in, and read both CRMs once."""
    ports = (free_port(), free_port())  # the same in each copy
    sandbox = start(place / "crm", salesforce_port=ports[0], page_port=ports[1])
    workspace = write_workspace(place / "workspace", sandbox)
    with living(workspace, sandbox, database) as life:
        migrate(life.house)
        apply_files(life.house, read_folder(workspace), "admin")
        life.reopen()
        for on in ORGS:
            life.round(on)
        for key, email in PEOPLE.items():
            add_person(life.house, email, f"{key.title()} 担当", partner_id=partner_id(key), language="ja")
    sandbox.stop()
    return Furnished(place / "crm", workspace, ports, database)


def write_workspace(folder: Path, sandbox: Sandbox, **ports: str) -> Path:
    """The demo's workspace over a running sandbox, with its secrets."""
    addresses = {"SALESFORCE_URL": sandbox.salesforce_url, "HUBSPOT_URL": sandbox.hubspot_url}
    addresses |= {"PAGE_URL": sandbox.page_url, "CA_FILE": str(sandbox.ca_file)}
    init_demo(folder, {**addresses, "PARTNER_PORT": "8600", "VENDOR_PORT": "8601", **ports})
    for name, text in (
        ("sf_client_id", sandbox.client_id),
        ("sf_client_secret", sandbox.client_secret),
        ("hubspot_token", sandbox.hubspot_token),
        ("learning_secret", SIGNING),
        ("learning_basic", "learning:a-basic-key-of-the-tests"),
        ("minato_secret", SIGNING),
    ):
        secret = folder / ".sudare" / name
        secret.touch(mode=0o600)
        secret.write_text(text, encoding="utf-8")
    return folder


@contextmanager
def living(workspace: Path, sandbox: Sandbox, database: str | None, ahead: timedelta = timedelta()) -> Iterator[Life]:
    """The house of a workspace folder, over a running sandbox, under a clock of ours."""
    clock = Clock(ahead)
    house = open_house(workspace, database=database, clock=clock)
    sandbox.crm.clock = clock
    life = Life(house, sandbox, clock, Connections({}, workspace))
    try:
        yield life
    finally:
        life.opened.close()
        house.engine.dispose()


@contextmanager
def unread(place: Path) -> Iterator[Life]:
    """A house on SQLite whose configuration is in force, and which has read nothing yet."""
    with start(place / "crm") as sandbox:
        workspace = write_workspace(place / "workspace", sandbox)
        with living(workspace, sandbox, None) as life:
            migrate(life.house)
            apply_files(life.house, read_folder(workspace), "admin")
            life.reopen()
            yield life


@contextmanager
def copied(
    furnished: Furnished, place: Path, database: str | None, ahead: timedelta = timedelta(hours=1)
) -> Iterator[Life]:
    """A copy of a furnished house with its CRM running again on the same addresses, some time after it was read."""
    shutil.copytree(furnished.crm, place / "crm")
    shutil.copytree(furnished.workspace, place / "workspace")
    salesforce, page = furnished.ports
    with (
        start(place / "crm", salesforce_port=salesforce, page_port=page) as sandbox,
        living(place / "workspace", sandbox, database, ahead) as life,
    ):
        life.reopen()
        yield life


def copy_database(server: sa.URL, template: str, name: str) -> str:
    """The address of a database that is a copy of another one on this server, in place of one of that name."""
    engine = sa.create_engine(server.set(username="postgres", database="postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"drop database if exists {name} with (force)")
        connection.exec_driver_sql(f"create database {name} template {template} owner {server.username}")
    engine.dispose()
    return server.set(database=name).render_as_string(hide_password=False)
