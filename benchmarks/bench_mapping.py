"""From a page's bytes to mapped, validated rows, against `json.loads` of the same bytes alone."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from org import SF_PAGE, count_of, cpu, salesforce_deal, verdict
from workspace import new_house

from connectors.base import ConnectionSettings, FieldShape, ObjectShape
from connectors.registry import open_connection
from connectors.salesforce.queries import layout_of
from connectors.salesforce.records import records_of
from sync.mirror.reading import Reader, prepare

COUNT = count_of(100_000)


def reader() -> Reader:
    """The benchmark's mapping of deals, compiled as `pull` compiles it."""
    with tempfile.TemporaryDirectory() as place:
        house = new_house(Path(place))
        options = {"login_url": "https://127.0.0.1:1", "auth": {"flow": "client_credentials"}}
        connector = open_connection(ConnectionSettings("sf", "salesforce", options, lambda reference: ""))
        made = prepare(house.workspace(), "sf", connector).readers["opportunity"]
        house.engine.dispose()
        return made


def mapped(made: Reader) -> Callable[[bytes], list[dict[str, Any]]]:
    """Bytes of a page -> rows in our words."""
    system = ("IsDeleted", "CreatedDate", "SystemModstamp")
    fields = {name: FieldShape(name, name, "string") for name in (*system, *made.stream.fields)}
    rows = layout_of(made.stream, ObjectShape("Opportunity", "Opportunity", fields))

    def read(page: bytes) -> list[dict[str, Any]]:
        records = records_of(rows.answer.decode(page).records, rows, made.stream)
        return [made.fields(record.fields) for record in records]

    return read


def page_of(deals: list[dict[str, Any]]) -> bytes:
    """One answer."""
    body = {"totalSize": len(deals), "done": True, "records": deals}
    return json.dumps(body, ensure_ascii=False).encode()


def main() -> None:
    """Print the ratio."""
    pages = [page_of([salesforce_deal(start + each) for each in range(SF_PAGE)]) for start in range(0, COUNT, SF_PAGE)]
    read = mapped(reader())
    # Both let go of a page before the next: keeping 100,000 records would cost either more than making them.
    floor = cpu(lambda: [json.loads(page) and None for page in pages])
    ours = cpu(lambda: [read(page) and None for page in pages])
    each = f"{floor / COUNT * 1e6:.1f} -> {ours / COUNT * 1e6:.1f} us a record"
    verdict(f"{COUNT:,} deals, bytes to mapped rows / json.loads alone", ours / floor, 0.5, most=True, unit=each)


if __name__ == "__main__":
    main()
