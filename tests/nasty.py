"""A workspace that is small and nasty, the world it reads, and houses over it that are copied, not built."""

from __future__ import annotations

import hashlib
import shutil
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa
from worlds import CONNECTION, ON_DEAL, SUMMARY, Clock, World, WorldConnector

from config.folder import read_folder
from sync.house import House, open_engine
from sync.mirror.pull import pull
from sync.store.identifiers import internal_id as our_id
from sync.store.identifiers import partner_id, public_id
from sync.store.memory import forget
from sync.store.migrate import migrate
from sync.store.schema import api_keys, people, sessions
from sync.versions.applied import apply_files

KEY = hashlib.sha256(b"a key for proofs").digest()
START = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
LANGUAGES = ("ja", "ko", "en")

FILES = read_folder(Path(__file__).parent / "nasty_workspace")

PARTNERS = {  # key: account, tier, agreement, nda, region
    "PLAT": ("A-PLAT", "platinum", "active", "signed", "japan"),
    "GOLD": ("A-GOLD", "gold", "active", "signed", "japan"),
    "GONE": ("A-GONE", "gold", "active", "none", "korea"),
    "SILV": ("A-SILV", "silver", "active", "signed", "korea"),
    "REGI": ("A-REGI", "registered", "active", "none", "japan"),
    "LAPS": ("A-LAPS", "silver", "expired", "signed", "japan"),
}
CUSTOMERS = {"C1": "北辰製作所", "C2": "Nordwind GmbH", "C3": "남강물산"}
ON = {  # deal: who is on it
    "D1": ("PLAT", "GOLD", "GONE", "SILV", "REGI", "LAPS"),
    "D2": ("GOLD", "SILV"),
    "D3": ("PLAT", "REGI", "LAPS"),
    "D4": ("SILV", "REGI", "GONE"),
    "D5": (),
}


def first_world() -> World:
    """Six partners, three customers with people, five deals."""
    world = World()
    world.put("User", "U1", Name="水原 あおい")
    for key, (account, tier, agreement, nda, region) in PARTNERS.items():
        terms = {"Tier__c": tier, "Agreement__c": agreement, "Nda__c": nda, "Region__c": region, "Language__c": "ja"}
        world.put("Account", account, Name=f"{key} 商会", IsPartner=True, Partner_Code__c=key, **terms)
    for id, name in CUSTOMERS.items():
        world.put("Account", id, Name=name, IsPartner=False, Industry="製造", Revenue__c=987_654_321)
    world.put("Contact", "P1", AccountId="C1", Name="田中 一郎", Title="部長", Email="tanaka@hokushin.example")
    world.put("Contact", "P2", AccountId="C1", Name="Jane Doe", Title="CIO", Email="doe@hokushin.example")
    world.put("Contact", "P3", AccountId="C2", Name="김민수", Title="팀장", Email="kim@nordwind.example")
    for number, (deal, keys) in enumerate(ON.items(), start=1):
        world.put("Opportunity", deal, **first_deal(number))
        for key in keys:
            world.relate(deal, PARTNERS[key][0], "Referral")
    return world


def first_deal(number: int) -> dict[str, object]:
    """The fields of a new deal."""
    return {
        "Name": f"Deal {number} 刷新",
        "StageName": "proposal",
        "AccountId": f"C{number % 3 + 1}",
        "OwnerId": "U1",
        "Amount": number * 4_321_000,
        "CurrencyIsoCode": "JPY",
        "CloseDate": f"2026-{number + 6:02d}-15",
        "Region__c": "japan",
        "Channel__c": "direct",
        "Sealed__c": False,
        "Approved__c": number % 2 == 0,
        "Embargo__c": "2026-12-01" if number % 2 else "2026-11-10",
        "Freeze__c": "2026-11-01",
        "NextStep": f"step {number}",
        "Plan__c": f"plan {number}",
        "Margin__c": number * 111_111,
        "Code__c": f"code-{number}",
        "Message__c": None,
    }


def build_house(url: str, folder: Path, clock: Clock) -> House:
    """A house over this database with the nasty workspace in force; nothing is read yet."""
    house = House(open_engine(url, folder), folder, KEY, clock)
    migrate(house)
    apply_files(house, FILES, "admin@aozora.example")
    return house


def let_people_in(house: House) -> None:
    """Three people per partner, one a language, signed in for good; and an API key each. Tokens are known."""
    with house.writing() as tx:
        for key in PARTNERS:
            id = partner_id(key)
            for language in LANGUAGES:
                person = {"id": f"{key}-{language}", "partner_id": id, "email": f"{language}@{key.lower()}.example"}
                more = {"name": f"{key} {language}", "role": "partner", "language": language, "created": house.now()}
                tx.execute(sa.insert(people).values(**person, **more))
                hashed = hashlib.sha256(session_of(key, language).encode()).hexdigest()
                tx.execute(sa.insert(sessions).values(hash=hashed, person_id=person["id"], expires="9999"))
            api_key = api_key_of(key)
            row = {"hash": hashlib.sha256(api_key.encode()).hexdigest(), "partner_id": id, "hint": api_key[:14]}
            tx.execute(sa.insert(api_keys).values(**row, label="proof", created=house.now()))


def session_of(key: str, language: str) -> str:
    """The session's token of one person."""
    return f"session-{key}-{language}"


def api_key_of(key: str) -> str:
    """A partner's API key, in the form that keys have."""
    secret = hashlib.sha256(key.encode()).hexdigest()[:43]
    return f"sdr_live_{secret}{zlib.crc32(secret.encode()):08x}"


def deal_of(key: str, deal: str) -> str:
    """A deal's id as a partner knows it."""
    own = House.partner_key(_Keyed, partner_id(key))  # type: ignore[arg-type]
    return public_id(own, our_id(CONNECTION, "opportunity", deal))


class _Keyed:
    key = KEY


@dataclass
class Stage:
    """One house whose database is put back to a template again and again; the engine keeps what it compiled."""

    house: House
    file: Path
    clock: Clock

    def reset(self, template: Path, now: datetime) -> None:
        """The database as the template has it, at this instant; what is remembered of another is forgotten."""
        self.house.engine.dispose()
        forget(self.house.engine)
        for suffix in ("-wal", "-shm"):
            self.file.with_name(self.file.name + suffix).unlink(missing_ok=True)
        shutil.copyfile(template, self.file)
        self.clock.now = now

    def keep(self, file: Path) -> None:
        """The database as it stands, as a template of its own."""
        self.house.engine.dispose()  # who closes last puts all into the one file
        shutil.copyfile(self.file, file)


def open_stage(folder: Path, name: str) -> Stage:
    """A stage with nothing on it yet. What is written on it need not outlive the machine."""
    clock, file = Clock(START), folder / f"{name}.db"
    engine = open_engine(f"sqlite:///{file}", folder)
    sa.event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
    return Stage(House(engine, folder, KEY, clock), file, clock)


def make_template(folder: Path, world: World) -> Path:
    """A database in which this world has been read once."""
    file = folder / "template.db"
    house = build_house(f"sqlite:///{file}", folder, Clock(START))
    assert not pull(house, CONNECTION, WorldConnector(world)).problems
    let_people_in(house)
    with house.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    house.engine.dispose()
    return file


__all__ = [
    "CONNECTION", "FILES", "KEY", "LANGUAGES", "ON_DEAL", "PARTNERS", "START", "SUMMARY", "Stage", "api_key_of",
    "build_house", "deal_of", "first_deal", "first_world", "let_people_in", "make_template", "open_stage", "session_of",
]  # fmt: skip
