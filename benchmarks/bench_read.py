"""Reading 100,000 opportunities through each connector, against http.client with typed decoding."""

from __future__ import annotations

import http.client
import tempfile
from functools import partial
from pathlib import Path
from urllib.parse import quote, urlsplit

import msgspec
from org import HS_FIELDS, SF_FIELDS, SF_PAGE, SF_SYSTEM, Org, client_context, count_of, cpu, prebuilt, verdict

from connectors.base import ConnectionSettings, Connector, Stream
from connectors.registry import open_connection

COUNT = count_of(100_000)


def floor_salesforce(org: Org) -> int:
    """http.client, one connection, bytes straight into typed structs."""
    row = msgspec.defstruct(
        "Row",
        [
            ("Id", str),
            ("SystemModstamp", str),
            ("IsDeleted", bool),
            ("CreatedDate", str),
            *((name, (float if name == "Amount" else str) | None) for name in SF_FIELDS),
        ],
        gc=False,
    )
    answer = msgspec.defstruct("Answer", [("records", list[row])])
    decoder = msgspec.json.Decoder(answer)
    line = http.client.HTTPSConnection(urlsplit(org.salesforce).netloc, context=client_context(org))
    read, last = 0, ""
    while True:
        soql = (
            f"SELECT Id FROM Opportunity WHERE Id > '{last}' LIMIT 2000"
            if last
            else "SELECT Id FROM Opportunity LIMIT 2000"
        )
        line.request("GET", f"/services/data/v63.0/queryAll?q={quote(soql)}")
        records = decoder.decode(line.getresponse().read()).records
        read += len(records)
        if len(records) < 2000:
            line.close()
            return read
        last = records[-1].Id


def floor_hubspot(org: Org) -> int:
    """The same for HubSpot's list."""
    properties = msgspec.defstruct(
        "Properties",
        [(name, str | None) for name in sorted((*HS_FIELDS, "hs_object_id", "hs_lastmodifieddate"))],
        gc=False,
    )
    row = msgspec.defstruct("Row", [("id", str), ("properties", properties), ("updatedAt", str)], gc=False)
    after = msgspec.defstruct("After", [("after", str)])
    paging = msgspec.defstruct("Paging", [("next", after)])
    decoder = msgspec.json.Decoder(
        msgspec.defstruct("Answer", [("results", list[row]), ("paging", paging | None, None)])
    )
    line = http.client.HTTPConnection(urlsplit(org.hubspot).netloc)
    asked, cursor, read = ",".join(HS_FIELDS), "0", 0
    while True:
        line.request(
            "GET",
            f"/crm/v3/objects/deals?limit=100&after={cursor}&properties={asked}",
            headers={"Authorization": "Bearer t"},
        )
        page = decoder.decode(line.getresponse().read())
        read += len(page.results)
        if page.paging is None:
            line.close()
            return read
        cursor = page.paging.next.after


def through(connector: Connector, stream: Stream) -> int:
    """One whole round through a connector, as `pull` asks for it."""
    read, since = 0, None
    while True:
        page = connector.read(stream, since)
        read += len(page.records)
        since = page.checkpoint
        if not page.more:
            return read


def open_both(org: Org) -> tuple[Connector, Connector]:
    """Both connectors, signed in."""

    def settings(name: str, kind: str, options: dict[str, object]) -> Connector:
        return open_connection(ConnectionSettings(name, kind, options, lambda reference: "secret"))

    salesforce = settings(
        "sf",
        "salesforce",
        {
            "login_url": org.salesforce,
            "instance_url": org.salesforce,
            "ca_file": str(org.ca_file),
            "api_version": "63.0",
            "auth": {"flow": "client_credentials", "client_id": "env:A", "client_secret": "env:B"},
        },
    )
    hubspot = settings(
        "hs", "hubspot", {"base_url": org.hubspot, "api_version": "v3", "auth": {"flow": "token", "token": "env:A"}}
    )
    return salesforce, hubspot


def query_all_iter(org: Org) -> int:
    """The vendor library's own way to read all."""
    import requests
    from simple_salesforce import Salesforce

    with requests.Session() as session:
        session.trust_env = False
        session.verify = str(org.ca_file)
        client = Salesforce(session_id="t", instance_url=org.salesforce, session=session, version="63.0")
        asked = f"SELECT {', '.join(('Id', *SF_SYSTEM, *SF_FIELDS))} FROM Opportunity"
        return sum(1 for _ in client.query_all_iter(asked))


def get_pages(org: Org, count: int) -> int:
    """The vendor library's own way to read pages, as models."""
    from hubspot import HubSpot

    api = HubSpot(access_token="t", host=org.hubspot, base_url=org.hubspot).crm.deals.basic_api  # noqa: S106
    read, cursor = 0, "0"
    while read < count:
        page = api.get_page(limit=100, after=cursor, properties=[",".join(HS_FIELDS)])
        read += len(page.results)
        if page.paging is None:
            return read
        cursor = page.paging.next.after
    return read


def main() -> None:
    """Print the ratios."""
    deals = Stream("opportunities", "Opportunity", tuple(sorted(SF_FIELDS)))
    with tempfile.TemporaryDirectory() as place, prebuilt(COUNT, Path(place)) as org:
        salesforce, hubspot = open_both(org)
        listed = Stream("opportunities", "deals", tuple(sorted(HS_FIELDS)))
        for name, floor, connector, stream, most in (
            ("Salesforce", floor_salesforce, salesforce, deals, 1.6),
            ("HubSpot", floor_hubspot, hubspot, listed, 1.6),
        ):
            assert floor(org) == COUNT
            assert through(connector, stream) == COUNT
            base, ours = cpu(partial(floor, org)), cpu(partial(through, connector, stream))
            each = f"{base / COUNT * 1e6:.1f} -> {ours / COUNT * 1e6:.1f} us a record"
            verdict(
                f"read {COUNT:,} {name} deals / http.client + typed decoding", ours / base, most, most=True, unit=each
            )
            if name == "Salesforce":
                theirs = cpu(partial(query_all_iter, org), 1)
                floors = f"{theirs / base:.2f}x the floor"
                verdict("query_all_iter of the vendor's library / ours", theirs / ours, 5.0, most=False, unit=floors)
                by_stamp = base
            else:
                theirs = cpu(partial(get_pages, org, COUNT // 20), 1) * 20
                floors = f"{theirs / base:.2f}x the floor"
                verdict("get_page of the vendor's library / ours", theirs / ours, 22.0, most=False, unit=floors)
    with tempfile.TemporaryDirectory() as place, prebuilt(COUNT, Path(place), jobs=True) as org:
        salesforce, _ = open_both(org)
        assert through(salesforce, deals) in (COUNT, COUNT + SF_PAGE)  # before a job a first page comes by stamp
        ours = cpu(partial(through, salesforce, deals))
        each = f"{by_stamp / COUNT * 1e6:.1f} -> {ours / COUNT * 1e6:.1f} us a record"
        verdict(
            f"read {COUNT:,} Salesforce deals by a query job / the same floor",
            ours / by_stamp,
            3.0,
            most=True,
            unit=each,
        )


if __name__ == "__main__":
    main()
