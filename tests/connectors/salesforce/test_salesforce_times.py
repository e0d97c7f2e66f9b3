"""Times of Salesforce's rows: one form for all, however an org writes them."""

from __future__ import annotations

import json

import pytest

from connectors.base import Stream
from connectors.salesforce.records import records_of
from connectors.salesforce.rows import layout

DEALS = Stream("opportunities", "Opportunity", ("Name",))
SAME = "2026-11-03T01:02:03.000Z"
ROWS = layout(DEALS.fields, ("IsDeleted", "CreatedDate"))


@pytest.mark.parametrize(
    "odd", ["2026-11-03T01:02:03.000+0000", SAME, "2026-11-03T10:02:03+0900", "2026-11-03T01:02:03Z"]
)
def test_times_of_one_page_look_alike_whatever_offset_one_of_them_has(odd: str) -> None:
    usual = {"SystemModstamp": "2026-11-03T01:02:03.000+0000", "CreatedDate": "2026-11-03T01:02:03.000+0000"}
    rows = [
        {"Id": "006A", "IsDeleted": False, "Name": "x", **usual},
        {"Id": "006B", "IsDeleted": True, "Name": "x", "SystemModstamp": odd, "CreatedDate": odd},
    ]
    page = ROWS.answer.decode(json.dumps({"totalSize": 2, "done": True, "records": rows}))
    records = records_of(page.records, ROWS, DEALS)
    assert [(one.id, one.stamp, one.created, one.deleted) for one in records] == [
        ("006A", SAME, SAME, False),
        ("006B", SAME, SAME, True),
    ]
    assert [one.fields is None for one in records] == [False, True]
    assert records_of([], ROWS, DEALS) == []
