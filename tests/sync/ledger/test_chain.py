"""Whatever is done to the ledger behind its back is found, at the right row."""

from __future__ import annotations

import hashlib
import random
import secrets
import shutil
from dataclasses import asdict, replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from nasty import CONNECTION, START, build_house, deal_of, first_world, let_people_in
from proofs.channels import Door
from worlds import Clock, WorldConnector

from sync.house import House, instant, open_engine
from sync.ledger.chain import Entry, add, row_digest
from sync.ledger.heads import heads_of, seal
from sync.ledger.retention import drop_old
from sync.ledger.tables import ledger, ledger_heads, ledger_links
from sync.ledger.verify import Fault, verify, walk
from sync.mirror.pull import pull
from webhook_app.partner.app import create_partner_app

MONTHS = 4
TAMPERINGS, DEEP_TAMPERINGS = 300, 10_000


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """Some months of a ledger, on a database that is copied for each tampering."""
    folder = tmp_path_factory.mktemp("kept")
    clock = Clock(START)
    house = build_house(f"sqlite:///{folder / 'kept.db'}", folder, clock)
    world = first_world()
    for month in range(MONTHS):
        world.put("Contact", f"N{month}", AccountId="C2", Name=f"Somebody {month}", Email=f"n{month}@nordwind.example")
        assert not pull(house, CONNECTION, WorldConnector(world)).problems
        if month == 0:
            let_people_in(house)
        app = create_partner_app(house)
        for key in ("GOLD", "SILV", "PLAT"):
            door = Door(app, house, key)
            for _ in range(3):
                door.api("/api/v1/deals")
                door.page(f"/deals/{deal_of(key, 'D1')}", "ja")
                clock.move(days=1)
        clock.move(days=28)
        seal(house)
    assert verify(house).fault is None
    with house.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    house.engine.dispose()
    return house


def _copied(kept: House, folder, number: int) -> House:
    file = folder / f"{number}.db"
    shutil.copyfile(kept.engine.url.database or "", file)
    return House(open_engine(f"sqlite:///{file}", folder), folder, kept.key, kept.clock)


def _rows(house: House) -> list[dict[str, object]]:
    with house.reading() as tx:
        found = tx.execute(sa.select(ledger).order_by(ledger.c.link, ledger.c.place))
        return [dict(row._mapping) for row in found]


def test_a_ledger_that_nobody_touched_adds_up_on_each_database(life):
    door = life.door("GOLD")
    for _ in range(3):
        door.api("/api/v1/deals")
        life.clock.move(days=20)
        life.read()
        seal(life.house)
    verdict = verify(life.house, heads_of(life.house))
    assert verdict.fault is None
    assert verdict.rows == len(_rows(life.house)) > 5
    assert verdict.links == life.count(ledger_links)
    assert verdict.months >= 2


def _changed(tx: sa.Connection, dice: random.Random, rows: list[dict[str, object]]) -> tuple[int, int | None]:
    row, name = (
        dice.choice(rows),
        dice.choice(("subject_id", "partner_id", "items", "basis", "day", "version", "channel")),
    )
    value = row[name]
    other = value + 1 if isinstance(value, int) else f"{value}x"
    tx.execute(sa.update(ledger).where(*_here(row)).values({name: other}))
    return row["link"], row["place"]  # type: ignore[return-value]


def _deleted(tx: sa.Connection, dice: random.Random, rows: list[dict[str, object]]) -> tuple[int, int | None]:
    row = dice.choice(rows)
    tx.execute(sa.delete(ledger).where(*_here(row)))
    return row["link"], row["place"]  # type: ignore[return-value]


def _added(tx: sa.Connection, dice: random.Random, rows: list[dict[str, object]]) -> tuple[int, int | None]:
    """A row for a provision that never was, with a digest that is right for its place."""
    row = dict(
        dice.choice(rows), day=f"2026-12-{dice.randint(10, 28)}", channel="page", subject_id=secrets.token_hex(10)
    )
    last = max(int(each["place"]) for each in rows if each["link"] == row["link"])  # type: ignore[call-overload]
    row["place"] = dice.choice((row["place"], last + 1))
    entry = Entry(*(row[name] for name in Entry._fields))  # type: ignore[arg-type]
    row["digest"] = row_digest(row["link"], row["place"], entry)  # type: ignore[arg-type]
    tx.execute(sa.insert(ledger).values(row))
    return row["link"], row["place"]  # type: ignore[return-value]


def _moved(tx: sa.Connection, dice: random.Random, rows: list[dict[str, object]]) -> tuple[int, int | None]:
    row = dice.choice(rows)
    links = sorted({int(each["link"]) for each in rows} - {row["link"]})  # type: ignore[call-overload]
    to = dice.choice([*links, max(links) + 7, 0])
    tx.execute(sa.update(ledger).where(*_here(row)).values(link=to))
    return (min(to, row["link"]), row["place"]) if to < row["link"] else (row["link"], row["place"])  # type: ignore[return-value, type-var, operator]


def _link_changed(tx: sa.Connection, dice: random.Random, rows: list[dict[str, object]]) -> tuple[int, int | None]:
    links = tx.execute(sa.select(ledger_links).order_by(ledger_links.c.number)).all()
    link = dice.choice(links[:-1])
    here = ledger_links.c.number == link.number
    kind = dice.randrange(4)
    if kind == 0:
        tx.execute(sa.update(ledger_links).where(here).values(at=link.at[:-2] + "9Z"))
    elif kind == 1:
        tx.execute(sa.update(ledger_links).where(here).values(digest=hashlib.sha256(link.digest.encode()).hexdigest()))
    elif kind == 2:
        tx.execute(sa.update(ledger_links).where(here).values(rows=link.rows + 1))
        return link.number, link.rows
    else:
        tx.execute(sa.delete(ledger_links).where(here))
        return link.number, 0  # its rows are of a link that is not there, or it is missed itself
    return link.number, None


def _head_forged(tx: sa.Connection, dice: random.Random, rows: list[dict[str, object]]) -> tuple[int, int | None]:
    head = dice.choice(tx.execute(sa.select(ledger_heads)).all())
    name = dice.choice(("digest", "signature", "month"))
    forged = {"digest": secrets.token_hex(32), "signature": secrets.token_hex(64), "month": "2025-01"}[name]
    tx.execute(sa.update(ledger_heads).where(ledger_heads.c.month == head.month).values({name: forged}))
    return head.number, None


def _here(row: dict[str, object]) -> list[sa.ColumnElement[bool]]:
    return [ledger.c[column.name] == row[column.name] for column in ledger.primary_key]


WAYS = (_changed, _deleted, _added, _moved, _link_changed, _head_forged)


def _tamper(kept: House, times: int, seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311 - a dice for tests, the same each time
    rows = _rows(kept)
    for number in range(times):
        way = WAYS[number % len(WAYS)]
        with kept.engine.connect() as tx:
            link, place = way(tx, dice, rows)
            fault = walk(tx, kept).fault
            tx.rollback()
        assert fault is not None, (number, way.__name__, link, place)
        assert fault.link == link, (number, way.__name__, link, place, fault)
        if way is not _link_changed:
            assert fault.place == place, (number, way.__name__, link, place, fault)
    assert verify(kept).fault is None


def test_each_tampering_is_found_at_the_right_row(kept):
    _tamper(kept, TAMPERINGS, seed=7)


@pytest.mark.long
def test_each_of_ten_thousand_tamperings_is_found_at_the_right_row(kept):
    _tamper(kept, DEEP_TAMPERINGS, seed=11)


def test_a_chain_that_was_made_anew_or_cut_short_does_not_pass_the_heads_that_were_kept_outside(kept, tmp_path):
    heads = heads_of(kept)
    house = _copied(kept, tmp_path, 1)
    last = heads[-1].number
    with house.writing() as tx:
        tx.execute(sa.delete(ledger).where(ledger.c.link == last))
        tx.execute(sa.delete(ledger_links).where(ledger_links.c.number == last))
        tx.execute(sa.delete(ledger_heads).where(ledger_heads.c.number == last))
    assert verify(house).fault is None, "nothing inside tells that the end was cut off"
    assert verify(house, heads).fault is not None
    with house.writing() as tx:
        tx.execute(sa.delete(ledger_heads))
        tx.execute(sa.delete(ledger_links))
        rows = [Entry(*(row[name] for name in Entry._fields)) for row in _rows(kept)]
        tx.execute(sa.delete(ledger))
        add(tx, rows[1:], house.now())
    assert verify(house).fault is None
    assert verify(house, heads).fault is not None
    house.engine.dispose()


def test_a_forged_head_is_told_from_ours_whoever_brings_it(kept):
    head = heads_of(kept)[0]
    fault = verify(kept, [replace(head, digest=secrets.token_hex(32))]).fault
    assert fault == Fault(head.number, None, f"the head of {head.month} is not signed by this workspace's key")


def test_a_month_kept_long_enough_goes_whole_and_the_chain_begins_at_its_signed_head(kept, tmp_path):
    house = _copied(kept, tmp_path, 2)
    before = verify(house)
    house = replace(house, clock=lambda: START + timedelta(days=3 * 365 - 40))
    assert drop_old(house) == 0
    house = replace(house, clock=lambda: START + timedelta(days=3 * 365 + 60))
    assert drop_old(house) == 2
    assert drop_old(house) == 0
    after = verify(house)
    assert after.fault is None
    assert after.since == "2026-12"
    assert 0 < after.rows < before.rows
    with house.writing() as tx:
        months = tx.execute(sa.select(ledger_heads).where(ledger_heads.c.dropped.is_not(None))).all()
        assert [row.month for row in months] == ["2026-11", "2026-12"]
        tx.execute(sa.update(ledger_heads).where(ledger_heads.c.month == "2026-12").values(number=1))
    assert verify(house).fault is not None, "the head from which the chain begins is vouched for as any other"
    house.engine.dispose()


@pytest.mark.parametrize("when", [timedelta(days=150), timedelta(days=-400), timedelta(days=4 * 365)])
def test_a_month_that_was_taken_away_before_its_time_is_missed_whatever_is_said_of_it(kept, tmp_path, when):
    house = _copied(kept, tmp_path, 3)
    house = replace(house, clock=lambda: START + timedelta(days=160))
    with house.writing() as tx:
        head = tx.execute(sa.select(ledger_heads).order_by(ledger_heads.c.number)).all()[1]
        tx.execute(sa.delete(ledger).where(ledger.c.link <= head.number))
        tx.execute(sa.delete(ledger_links).where(ledger_links.c.number <= head.number))
        said = sa.update(ledger_heads).where(ledger_heads.c.number <= head.number)
        tx.execute(said.values(dropped=instant(START + when)))
    fault = verify(house).fault
    assert fault is not None
    assert "before it was old enough" in fault.text
    house.engine.dispose()


def test_the_same_head_is_signed_whatever_process_signs_it(kept):
    assert [asdict(head) for head in heads_of(kept)] == [asdict(head) for head in heads_of(kept)]
