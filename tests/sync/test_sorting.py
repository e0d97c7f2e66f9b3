"""Lists are sorted by indexes that a first load does without."""

from __future__ import annotations

import sqlalchemy as sa

from sync.projection.reader import Projection
from sync.projection.shown import Query
from sync.store.identifiers import partner_id
from sync.store.schema import SORTED_BY
from sync.store.sorting import drop_sorting, make_sorting

NAMES = {str(index.name) for index in SORTED_BY}


def _standing(life):
    return {str(each["name"]) for each in sa.inspect(life.house.engine).get_indexes("shares")} & NAMES


def _pages(life, key):
    projection = Projection(life.house, partner_id(key))
    sorts = (*projection.list_fields, "changed_at")
    return [projection.deals(Query(sort=name, descending=down)).deals for name in sorts for down in (False, True)]


def _partner(life):
    with life.house.reading() as tx:
        return tx.exec_driver_sql(
            "select partners.key from shares join partners on partners.id = shares.partner_id"
            " group by partners.key order by count(*) desc, partners.key limit 1"
        ).scalar_one()


def test_a_first_load_drops_the_indexes_and_has_made_them_when_it_ends(new_life):
    assert _standing(new_life) == NAMES
    drop_sorting(new_life.house)
    assert _standing(new_life) == set()
    new_life.round("sf")
    assert _standing(new_life) == NAMES


def test_a_connection_that_comes_later_leaves_the_lists_their_indexes(life):
    drop_sorting(life.house)
    assert _standing(life) == NAMES


def test_lists_are_the_same_while_their_indexes_are_not_there_yet(life):
    key = _partner(life)
    before = _pages(life, key)
    assert any(len(page) > 1 for page in before)
    with life.house.writing() as tx:
        for index in SORTED_BY:
            index.drop(tx)
    assert _pages(life, key) == before
    make_sorting(life.house)
    make_sorting(life.house)
    assert _standing(life) == NAMES
    assert _pages(life, key) == before
