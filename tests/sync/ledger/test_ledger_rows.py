"""What a partner could see, and what it received: a row for each, before the bytes are there to be seen."""

from __future__ import annotations

import json

import sqlalchemy as sa
from nasty import deal_of
from sqlalchemy import event

from sync.deciding.project import mark
from sync.ledger.tables import deliveries, ledger, ledger_links, shown, subjects
from sync.store.identifiers import partner_id
from sync.store.schema import shares

NAME, EMAIL, TITLE = "contacts[].name", "contacts[].email", "contacts[].title"


def _fields(**rungs: str) -> str:
    return json.dumps(rungs, separators=(",", ":"), sort_keys=True)


def test_what_a_partner_could_see_of_whom_is_on_record_with_its_basis_once_the_deal_is_shared(life):
    rows = [row for row in life.rows() if row[1] in ("GOLD", "SILV")]
    gold = _fields(**{NAME: "initials", EMAIL: "domain", TITLE: "exact"})
    assert rows == [
        ("김민수", "GOLD", gold, "available", "2026-11-20", "consent, entrustment"),
        ("김민수", "SILV", _fields(**{NAME: "pseudonym"}), "available", "2026-11-20", "entrustment"),
    ]
    assert "LAPS" not in {row[1] for row in life.rows()}, "a partner without a deal could see nobody"


def test_the_basis_is_that_of_the_rule_which_gave_the_rung(life):
    row = next(row for row in life.rows() if row[:2] == ("Jane Doe", "PLAT"))
    assert (row[2], row[5]) == (_fields(**{NAME: "exact", EMAIL: "exact"}), "consent")


def test_where_nothing_newly_opens_of_anybody_the_ledger_is_neither_asked_nor_written(life):
    asked: list[str] = []
    event.listen(life.house.engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
    life.world.put("Opportunity", "D1", Amount=5_000_000, StageName="won", Name="Other")
    life.read()
    assert any("shares" in text for text in asked)
    assert not [text for text in asked if "ledger" in text or "subjects" in text]


def test_a_person_who_joins_is_a_row_for_each_partner_and_the_others_get_none(life):
    before = life.rows()
    life.clock.move(days=1)
    life.world.put("Contact", "P9", AccountId="C2", Name="佐藤 花子", Title=None, Email=None)
    life.read()
    fresh = [row for row in life.rows() if row not in before]
    assert {row[0] for row in fresh} == {"佐藤 花子"}
    assert {row[2] for row in fresh} == {_fields(**{NAME: rung}) for rung in ("pseudonym", "initials", "exact")}
    assert {row[4] for row in fresh} == {"2026-11-21"}


def test_another_person_of_the_same_name_is_another_person_though_no_byte_moves(life):
    door = life.door("SILV")
    life.world.put("Contact", "P3", Name="Same Name", Email=None)
    life.read()
    before = door.api("/api/v1/deals")
    life.world.drop("Contact", "P3")
    life.world.put("Contact", "P8", AccountId="C2", Name="Same Name", Title=None, Email=None)
    life.read()
    assert door.api("/api/v1/deals")[2] == before[2]
    named = [row for row in life.rows() if row[1] == "SILV" and row[3] == "api"]
    assert {row[0] for row in named} == {"김민수", "Same Name"}, "each is on record by the name that was read first"


def test_what_is_read_is_on_record_as_received_once_a_day_and_channel(life):
    door = life.door("GOLD")
    assert not [row for row in life.rows() if row[3] != "available"]
    first = deal_of("GOLD", "D1")
    for _ in range(3):
        door.api(f"/api/v1/deals/{first}")
    once = [row for row in life.rows() if row[3] == "api"]
    assert {row[0] for row in once} == {"김민수"}
    assert len(once) == 1
    assert (once[0][1], once[0][5]) == ("GOLD", "consent, entrustment")
    life.clock.move(days=1)
    door.api(f"/api/v1/deals/{first}")
    assert [row[4] for row in life.rows() if row[3] == "api"] == ["2026-11-20", "2026-11-21"]
    door.page(f"/deals/{first}", "ja")
    door.api("/api/v1/feed")
    assert {row[3] for row in life.rows()} == {"available", "api", "page", "feed"}


def test_a_list_page_gives_its_columns_alone_and_a_list_by_api_whole_deals(life):
    door = life.door("GOLD")
    status, _, body = door.page("/", "en")
    assert status == 200
    assert "김".encode() not in body
    assert not [row for row in life.rows() if row[3] == "page"]
    assert life.count(deliveries) > 0
    door.api("/api/v1/deals")
    assert {row[0] for row in life.rows() if row[3] == "api"} == {"김민수"}


def test_what_holds_no_deal_is_no_disclosure(life):
    door, deal = life.door("GOLD"), deal_of("GOLD", "D1")
    door.api("/api/v1/statements")
    door.api(f"/api/v1/deals/{deal}/messages")
    door.client.post(f"/api/v1/deals/{deal}/comments", json={"text": "了解です"}, headers=door.auth)
    door.client.head(f"/api/v1/deals/{deal}", headers=door.auth)
    assert life.count(deliveries) == 0
    tag = dict(door.api(f"/api/v1/deals/{deal}")[1])["ETag"]
    life.clock.move(days=1)
    assert door.api(f"/api/v1/deals/{deal}", **{"If-None-Match": tag})[0] == 304
    assert {row[4] for row in life.rows() if row[3] == "api"} == {"2026-11-20"}


def test_what_cannot_be_put_on_record_does_not_leave(life):
    with life.house.engine.begin() as tx:
        tx.exec_driver_sql("alter table deliveries rename to elsewhere")
    door = life.door("GOLD")
    for status, headers, body in (door.api("/api/v1/deals"), door.page("/", "ja"), door.api("/api/v1/feed")):
        assert status == 503
        assert ("Retry-After", "5") in headers
        assert b"Deal 1" not in body
    with life.house.engine.begin() as tx:
        tx.exec_driver_sql("alter table elsewhere rename to deliveries")
    assert door.api("/api/v1/deals")[0] == 200


def test_a_view_of_an_older_release_is_not_given_until_it_is_known_whom_it_shows(life):
    with life.house.engine.begin() as tx:
        tx.exec_driver_sql("update views set people = null, crowd = null")
    door = life.door("GOLD")
    assert door.api("/api/v1/deals")[0] == 503
    with life.house.writing() as tx:
        mark(tx, tx.execute(sa.select(shares.c.deal_id)).scalars())
    life.read()
    assert door.api("/api/v1/deals")[0] == 200


def test_one_commit_is_one_link_and_who_saw_what_ends_when_the_share_does(life):
    assert life.count(ledger_links) >= 1
    with life.house.reading() as tx:
        assert tx.execute(sa.select(sa.func.sum(ledger_links.c.rows))).scalar_one() == life.count(ledger)
        open_rows = tx.execute(sa.select(sa.func.count()).where(shown.c.ended.is_(None))).scalar_one()
        assert open_rows == life.count(shares)
    life.world.unrelate("D1", "A-GOLD")
    life.read()
    with life.house.reading() as tx:
        mine = sa.select(shown.c.ended).where(shown.c.partner_id == partner_id("GOLD"), shown.c.ended.is_not(None))
        assert len(tx.execute(mine).all()) == 1


def test_names_stand_nowhere_in_the_ledger_in_clear(life):
    with life.house.reading() as tx:
        for table in (subjects, ledger, shown):
            assert "田中" not in str(tx.execute(sa.select(table)).all())
