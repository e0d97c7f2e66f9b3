"""A CRM made of prebuilt bytes, in a process of its own: what it costs is not what is measured."""

from __future__ import annotations

import json
import multiprocessing
import os
import re
import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit
from urllib.request import urlopen

from connectors.sandbox.tls import CA_FILE, server_context

SF_PAGE, SF_JOB_PAGE, HS_PAGE = 2000, 5000, 100
MOST_BUILT = 100_000
PARTNERS, ACCOUNTS = 200, 1200
TIERS, REGIONS = ("platinum", "gold", "silver", "registered"), ("Japan", "Korea", "APAC", "EMEA")
STAGES = ("Prospecting", "Qualification", "Proposal/Price Quote", "Negotiation/Review", "Closed Won", "Closed Lost")
EXTRA = tuple(f"Extra_{number}__c" for number in range(1, 19))  # fields that only fill the record: 28 in all
# Sorted, as they are asked for: Salesforce answers in that order, HubSpot by name.
SF_FIELDS = tuple(
    sorted(("Name", "AccountId", "OwnerId", "StageName", "Amount", "CurrencyIsoCode", "CloseDate", "Region__c", *EXTRA))
)
SF_SYSTEM = ("SystemModstamp", "IsDeleted", "CreatedDate")
HS_FIELDS = (
    "dealname",
    "hubspot_owner_id",
    "dealstage",
    "amount",
    "deal_currency_code",
    "closedate",
    "region",
    *(each.lower() for each in EXTRA),
)


@dataclass(frozen=True)
class Org:
    """Where the prebuilt CRM answers."""

    salesforce: str  # https
    hubspot: str  # http
    ca_file: Path


def deal_id(number: int) -> str:
    """A Salesforce id that sorts by number."""
    return f"006B{number:011d}AAA"


def salesforce_deal(number: int) -> dict[str, object]:
    """One opportunity of 28 fields, about 1.1 kB, in the order in which they are asked for."""
    stamp = (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=number // 7)).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
    fields = {
        "Name": f"案件 {number} 基幹システム刷新",
        "AccountId": f"001B{PARTNERS + number % 1000:011d}AAA",
        "OwnerId": "005B00000000001AAA",
        "StageName": STAGES[number % len(STAGES)],
        "Amount": 1_000_000.0 + number * 137 % 90_000_000,
        "CurrencyIsoCode": "JPY",
        "CloseDate": f"2027-{number % 12 + 1:02d}-{number % 28 + 1:02d}",
        "Region__c": REGIONS[number % 4],
        **{name: f"{name} {number % 97}" for name in EXTRA},
    }
    return {
        "attributes": {"type": "Opportunity", "url": f"/services/data/v63.0/sobjects/Opportunity/{deal_id(number)}"},
        "Id": deal_id(number),
        "SystemModstamp": stamp,
        "IsDeleted": False,
        "CreatedDate": stamp,
        **{name: fields[name] for name in SF_FIELDS},
    }


def salesforce_account(number: int) -> dict[str, object]:
    """Accounts 0 to 199 are partners, the rest customers."""
    partner = number < PARTNERS
    fields = {
        "Partner_Code__c": f"P{number}" if partner else None,
        "Partner_Tier__c": TIERS[number % 4] if partner else None,
    }
    more = {
        "Partner_NDA__c": ("none", "signed", "signed")[number % 3],
        "Partner_Region__c": REGIONS[number % 4].lower(),
    }
    return {
        **_system("Account", f"001B{number:011d}AAA"),
        "Name": f"Company {number}",
        "IsPartner": partner,
        **fields,
        **more,
    }


def salesforce_relation(number: int) -> dict[str, object]:
    """Two partners on every deal."""
    deal, second = divmod(number, 2)
    partner = (deal * 7 + 3) % PARTNERS if second else deal % PARTNERS
    if second and partner == deal % PARTNERS:
        partner = (partner + 1) % PARTNERS
    fields = {"OpportunityId": deal_id(deal), "AccountToId": f"001B{partner:011d}AAA", "Role": "Reseller"}
    return {**_system("OpportunityPartner", f"00IB{number:011d}AAA"), **fields}


def _system(object: str, id: str) -> dict[str, object]:
    stamp = "2026-01-01T00:00:00.000+0000"
    return {
        "attributes": {"type": object, "url": f"/services/data/v63.0/sobjects/{object}/{id}"},
        "Id": id,
        "SystemModstamp": stamp,
        "IsDeleted": False,
        "CreatedDate": stamp,
    }


def hubspot_deal(number: int) -> dict[str, object]:
    """One deal of 28 properties, by name as HubSpot writes them."""
    stamp = "2026-01-01T00:00:00.000Z"
    values = (
        "案件",
        "1",
        "closedwon",
        str(number),
        "JPY",
        "2027-01-01T00:00:00Z",
        "japan",
        *(f"x {number % 97}" for _ in EXTRA),
    )
    known = dict(zip(HS_FIELDS, values, strict=True))
    own = {"hs_object_id": str(number + 1), "hs_lastmodifieddate": stamp, "createdate": stamp}
    properties = dict(sorted({**known, **own}.items()))
    return {"id": str(number + 1), "properties": properties, "createdAt": stamp, "updatedAt": stamp, "archived": False}


Pages = dict[tuple[str, int], bytes]
JOB_COLUMNS = ("Id", *SF_SYSTEM, *sorted(SF_FIELDS))  # of the one query job that is answered: all deals


def _built(count: int) -> tuple[Pages, dict[str, int], dict[int, bytes]]:
    """Salesforce's pages by (object, first row), its row counts, and HubSpot's pages by first row."""
    makers = {
        "Opportunity": (salesforce_deal, count),
        "OpportunityPartner": (salesforce_relation, 2 * count),
        "Account": (salesforce_account, ACCOUNTS),
    }
    salesforce: Pages = {}
    for object, (make, total) in makers.items():
        for start in range(0, total, SF_PAGE):
            rows = [make(number) for number in range(start, min(start + SF_PAGE, total))]
            salesforce[object, start] = json.dumps(rows, ensure_ascii=False).encode()
    hubspot = {}
    for start in range(0, count, HS_PAGE):
        rows = [hubspot_deal(number) for number in range(start, min(start + HS_PAGE, count))]
        hubspot[start] = json.dumps(rows, ensure_ascii=False).encode()
    return salesforce, {object: total for object, (_, total) in makers.items()}, hubspot


def _job_pages(count: int) -> dict[int, bytes]:
    """All deals as a query job gives them, by first row."""
    pages = {}
    for start in range(0, count, SF_JOB_PAGE):
        lines = [",".join(f'"{name}"' for name in JOB_COLUMNS)]
        for number in range(start, min(start + SF_JOB_PAGE, count)):
            deal = salesforce_deal(number)
            values = (str(deal[name]).replace(".000+0000", ".000Z").replace("False", "false") for name in JOB_COLUMNS)
            lines.append(",".join(f'"{value}"' for value in values))
        pages[start] = ("\n".join(lines) + "\n").encode()
    return pages


def _serve(count: int, folder: str, jobs: bool, ready: Callable[[tuple[int, int]], None]) -> None:
    built = min(count, MOST_BUILT) if jobs else count  # of a larger job the same pages come again and again
    salesforce, totals, hubspot = _built(built)
    totals["Opportunity"] = count
    by_job = _job_pages(built) if jobs else {}
    place = Path(folder)
    changed: list[dict[str, object]] = []  # what a poll of opportunities finds

    class Answers(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = parse_qs(parts.query)
            if parts.path == "/changed":
                changed[:] = _changed(query)
                return self.answer(b"{}")
            if parts.path.endswith("/describe"):
                return self.answer(_describe(parts.path.split("/")[-2]))
            if "/jobs/query/" in parts.path:
                return self.job(parts.path, int(query.get("locator", ["0"])[0]))
            if "/query" in parts.path:
                soql = query.get("q", [""])[0]
                polled = "SystemModstamp >=" in soql and " Id > " not in soql
                return self.answer(_poll(soql, changed) if polled else _page(parts.path, soql, salesforce, totals))
            if parts.path.startswith("/crm/v3/properties/deals"):
                return self.answer(_properties())
            if parts.path.startswith("/crm/v3/objects/deals"):
                archived = query.get("archived", ["false"])[0].lower() == "true"
                return (
                    self.listed(int(query.get("after", ["0"])[0])) if not archived else self.answer(b'{"results":[]}')
                )
            return self.answer(b'{"results":[]}')

        def do_POST(self) -> None:
            asked = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            host = f"https://{self.headers['Host']}"
            if not self.path.endswith("/jobs/query"):
                self.answer(json.dumps({"access_token": "t", "instance_url": host, "token_type": "Bearer"}).encode())
            elif by_job and b"FROM Opportunity" in asked:
                self.answer(b'{"id":"750B00000000001AAA","state":"UploadComplete"}')
            else:
                self.answer(b'[{"errorCode":"INVALIDENTITY","message":"is not supported by the Bulk API."}]', 400)

        def listed(self, start: int) -> None:
            following = start + HS_PAGE
            paging = b',"paging":{"next":{"after":"%d"}}' % following if following < count else b""
            return self.answer(b'{"results":' + hubspot[start % built] + paging + b"}")

        def job(self, path: str, start: int) -> None:
            if not path.endswith("/results"):
                return self.answer(b'{"id":"750B00000000001AAA","state":"JobComplete"}')
            following = start + SF_JOB_PAGE if start + SF_JOB_PAGE < count else None
            rows = {"Sforce-NumberOfRecords": str(min(SF_JOB_PAGE, count - start))}
            return self.answer(by_job[start % built], 200, **rows, **{"Sforce-Locator": str(following or "null")})

        def answer(self, body: bytes, status: int = 200, **headers: str) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json;charset=UTF-8")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Sforce-Limit-Info", "api-usage=1/100000")
            for name, value in (("Max", 10**9), ("Remaining", 10**9), ("Interval-Milliseconds", 10_000)):
                self.send_header(f"X-HubSpot-RateLimit-{name}", str(value))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    plain, tls = ThreadingHTTPServer(("127.0.0.1", 0), Answers), ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    tls.socket = server_context(place).wrap_socket(tls.socket, server_side=True)
    ready((tls.server_port, plain.server_port))
    import threading

    threading.Thread(target=plain.serve_forever, daemon=True).start()
    tls.serve_forever()


def _describe(object: str) -> bytes:
    kinds = {"Amount": "currency", "CloseDate": "date", "IsDeleted": "boolean", "IsPartner": "boolean"}
    kinds |= {"SystemModstamp": "datetime", "CreatedDate": "datetime"}
    more = (
        "IsPartner",
        "Partner_Code__c",
        "Partner_Tier__c",
        "Partner_NDA__c",
        "Partner_Region__c",
        "OpportunityId",
        "AccountToId",
        "Role",
    )
    names = ("Id", *SF_SYSTEM, *SF_FIELDS, *more)
    fields = [
        {
            "name": name,
            "label": name,
            "type": kinds.get(name, "string"),
            "filterable": True,
            "picklistValues": [],
            "referenceTo": [],
        }
        for name in names
    ]
    return json.dumps({"name": object, "label": object, "fields": fields}).encode()


def _properties() -> bytes:
    plain = {"type": "string", "fieldType": "text", "options": [], "groupName": "dealinformation", "description": ""}
    return json.dumps({"results": [{"name": name, "label": name, **plain} for name in HS_FIELDS]}).encode()


def _page(path: str, soql: str, pages: Pages, totals: dict[str, int]) -> bytes:
    """The answer to a keyset query, to a query by ids, or to the follow-up of a long one."""
    locator = path.rpartition("/")[2]
    if "COUNT(Id)" in soql:
        counted = {"expr0": totals[soql.partition(" FROM ")[2].split()[0]], "expr1": "2026-01-01T00:00:00.000+0000"}
        return json.dumps({"totalSize": 1, "done": True, "records": [counted]}).encode()
    if locator.startswith("01g"):
        _, object, number = locator.split("-")
        start, limited = int(number), False
    else:
        object = soql.partition(" FROM ")[2].split()[0]
        last = re.search(r"Id > '\w{4}(\d{11})AAA'", soql)
        start, limited = int(last[1]) + 1 if last else 0, "LIMIT" in soql
        if wanted := re.search(r"Id IN \((.*?)\)", soql):
            return _by_ids(object, wanted[1])
    if (object, start) not in pages:
        return b'{"totalSize":0,"done":true,"records":[]}'
    total = totals[object]
    done = limited or start + SF_PAGE >= total
    head = {"totalSize": min(SF_PAGE, total - start) if limited else total, "done": done}
    if not done:
        head["nextRecordsUrl"] = f"/services/data/v63.0/query/01g-{object}-{start + SF_PAGE}"
    return json.dumps(head).encode()[:-1] + b',"records":' + pages[object, start] + b"}"


def _changed(query: dict[str, list[str]]) -> list[dict[str, object]]:
    """Deals with another amount, saved just now."""
    stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000"
    more = {"SystemModstamp": stamp, "Amount": 1000.0 + int(query["amount"][0])}
    return [{**salesforce_deal(int(number)), **more} for number in query.get("deal", ())]


def _poll(soql: str, changed: list[dict[str, object]]) -> bytes:
    """The answer to a query for what has changed since a moment ago."""
    rows = changed if " FROM Opportunity " in soql else []
    return json.dumps({"totalSize": len(rows), "done": True, "records": rows}, ensure_ascii=False).encode()


def change(org: Org, numbers: Sequence[int], amount: int) -> None:
    """Have the next polls find these deals changed."""
    told = urlencode({"deal": list(numbers), "amount": amount}, doseq=True)
    with urlopen(f"{org.hubspot}/changed?{told}") as answer:  # noqa: S310 - our own server
        answer.read()


def _by_ids(object: str, wanted: str) -> bytes:
    make = {"Account": salesforce_account, "Opportunity": salesforce_deal}[object]
    rows = [make(int(each.strip(" '")[4:15])) for each in wanted.split(",")]
    return json.dumps({"totalSize": len(rows), "done": True, "records": rows}, ensure_ascii=False).encode()


@contextmanager
def prebuilt(count: int, folder: Path, *, jobs: bool = False) -> Iterator[Org]:
    """The prebuilt CRM, up while the block runs; Bulk takes its deals only where `jobs` says so."""
    folder.mkdir(parents=True, exist_ok=True)
    server_context(folder)
    inside, outside = multiprocessing.Pipe()
    process = multiprocessing.Process(target=_serve, args=(count, str(folder), jobs, outside.send), daemon=True)
    process.start()
    tls, plain = inside.recv()
    try:
        yield Org(f"https://127.0.0.1:{tls}", f"http://127.0.0.1:{plain}", folder / CA_FILE)
    finally:
        process.terminate()
        process.join()


def client_context(org: Org) -> ssl.SSLContext:
    """TLS that trusts the prebuilt CRM."""
    return ssl.create_default_context(cafile=str(org.ca_file))


def cpu(work: Callable[[], object], times: int = 3) -> float:
    """The least CPU seconds of this process over some runs."""
    best = float("inf")
    for _ in range(times):
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return best


def count_of(default: int) -> int:
    """How many records; SUDARE_BENCH makes it smaller for a quick look."""
    return int(os.environ.get("SUDARE_BENCH", default))


def verdict(name: str, ratio: float, bound: float, *, most: bool, unit: str = "") -> None:
    """One line of the table: the ratio, its bound, and whether it holds."""
    holds = ratio <= bound if most else ratio >= bound
    print(f"{'ok  ' if holds else 'MISS'} {name:<62} {ratio:6.2f}x  ({'<=' if most else '>='} {bound}x) {unit}")
