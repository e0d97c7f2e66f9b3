"""Asks a Salesforce org: all rows of a query within one call's time, the org's clock, what an object has."""

from __future__ import annotations

import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec
import requests

from connectors.base import FieldShape, ObjectShape, TryAgain, stamp_of
from connectors.salesforce.errors import LocatorGone
from connectors.salesforce.rows import Layout, checked, decoded
from connectors.salesforce.session import CALL_SECONDS, DATA_PATH, Org

RESTARTS = 3


@dataclass(frozen=True, slots=True)
class Rows:
    """All rows of one query, and the CRM's clock when it began to answer."""

    rows: list[Any]
    clock: str


def ask(org: Org, query: str, rows: Layout, where: str, *, deleted: bool = True) -> Rows:
    """All rows of a query, deleted ones too unless told otherwise, within one call's time."""
    deadline = time.monotonic() + CALL_SECONDS
    for _ in range(RESTARTS):
        try:
            return _follow(org, "queryAll" if deleted else "query", query, rows, where, deadline)
        except LocatorGone:
            continue
    raise TryAgain(f"{where}: the query's cursor ended {RESTARTS} times")


def _follow(org: Org, path: str, query: str, rows: Layout, where: str, deadline: float) -> Rows:
    answer = org.get(path, where, params={"q": query}, seconds=left_of(deadline, where))
    clock = crm_clock(answer, where)
    page = decoded(rows.answer, answer, where)
    found = page.records
    while not page.done:
        if not page.nextRecordsUrl.startswith(DATA_PATH):
            raise TryAgain(f"{where}: the answer does not say where it goes on")
        answer = org.get(page.nextRecordsUrl, where, seconds=left_of(deadline, where))
        page = decoded(rows.answer, answer, where)
        found += page.records
    if len(found) != page.totalSize:
        raise TryAgain(f"{where}: {len(found)} rows came where {page.totalSize} were announced")
    return Rows(found, clock)


def left_of(deadline: float, where: str) -> float:
    """The seconds until a deadline (monotonic). TryAgain where it has passed."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TryAgain(f"{where}: the org took longer than {CALL_SECONDS:.0f} s")
    return left


def crm_clock(answer: requests.Response, where: str) -> str:
    """The CRM's own clock, from its answer. Our clock never counts."""
    try:
        moment = parsedate_to_datetime(answer.headers["Date"])
    except (KeyError, ValueError):
        raise TryAgain(f"{where}: the answer has no Date: something between us and Salesforce takes it out") from None
    return stamp_of(moment)


class _Option(msgspec.Struct):
    value: str


class _Field(msgspec.Struct, rename="camel"):
    name: str
    label: str
    type: str
    picklist_values: list[_Option] = []
    reference_to: list[str] = []
    filterable: bool = True
    calculated: bool = False


class _Object(msgspec.Struct):
    name: str
    label: str
    fields: list[_Field]


_DESCRIBED = msgspec.json.Decoder(_Object)


def describe(org: Org, object: str) -> ObjectShape:
    """An object as the org describes it to our user: fields it may not see are absent."""
    where = f"describing `{object}`"
    found: _Object = decoded(_DESCRIBED, org.get(f"sobjects/{checked(object)}/describe", where), where)
    return ObjectShape(
        found.name,
        found.label,
        {
            one.name: FieldShape(
                one.name,
                one.label,
                one.type,
                tuple(option.value for option in one.picklist_values),
                tuple(one.reference_to),
                one.filterable,
                one.calculated,
            )
            for one in found.fields
        },
    )
