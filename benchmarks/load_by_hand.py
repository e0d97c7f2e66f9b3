"""A whole load as one writes it by hand with the named libraries used well, into the same tables.

Used well: simple-salesforce's iterators without OrderedDict, one marshmallow schema for many, a lambda per field,
json.dumps, sqlite3's executemany, 200 deals a commit with `synchronous=FULL`, the same cache and checkpoint settings.
It keeps what a product has to keep: accounts, partners, relations and deals as mapped; views, shares and the feed with
its positions; and where it stands, so that a killed load goes on. Upserts and a look at the standing shares make that
safe. What it leaves out is to its advantage: no deal is compared with what stands, relations and accounts wait in
memory, nobody else may write meanwhile, and a change of a mapping or a policy is no concern of its.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import marshmallow
import requests
from bench_policy import dump, lambdas, render
from mapping_by_hand import Account, Deal
from org import SF_FIELDS, Org
from simple_salesforce import Salesforce

_DEALS = f"SELECT Id, SystemModstamp, {', '.join(SF_FIELDS)} FROM Opportunity"
_PARTNER_FIELDS = "IsPartner, Partner_Code__c, Partner_Tier__c, Partner_NDA__c, Partner_Region__c"
_ACCOUNTS = f"SELECT Id, SystemModstamp, Name, {_PARTNER_FIELDS} FROM Account"
_RELATIONS = "SELECT Id, OpportunityId, AccountToId, Role FROM OpportunityPartner"
_LISTED = ("deal.name", "deal.stage", "deal.amount", "deal.close", "account.name")


def load_by_hand(database: str, org: Org) -> int:
    """One whole load; how many shares it wrote."""
    crm, base = _signed_in(org), _opened(database)
    accounts, partners = _load_accounts(crm, base)
    on_deal = _load_relations(crm, base)
    rules, position, written = lambdas(), defaultdict[str, int](int), 0
    for batch in _batches(crm.query_all_iter(_DEALS), 200):
        now, deals, views, shares, events = datetime.now(UTC).isoformat(), [], {}, [], []
        for deal in Deal(many=True).load(batch, unknown=marshmallow.EXCLUDE):
            id = _hash(f"deal {deal['id']}")
            deals.append(_mirrored("opportunity", id, deal))
            deal["account.name"] = accounts[deal["account"]]
            for partner_id, key, partner in (partners[account] for account in on_deal[deal["id"]]):
                shown = {name: rung for name, rule in rules.items() if (rung := rule(deal, partner)) != "hide"}
                rendered = {name: render(deal[name], rung) for name, rung in shown.items()}
                body = dump(shown, rendered)
                view, public = _hash(body), _hash(f"{key} {id}")
                views[id, view] = (id, view, body)
                columns = [_sortable(rendered.get(name)) for name in _LISTED]
                words = "\n".join(str(rendered.get(name, "")) for name in ("deal.name", "deal.stage", "account.name"))
                shares.append((id, partner_id, public, now, view, now, *columns, words.casefold()))
                events.append((partner_id, public, now))
        base.execute("begin immediate")
        standing = _standing(base, [row[2] for row in deals])
        base.executemany(_MIRROR, deals)
        base.executemany(_VIEW, list(views.values()))
        base.executemany(_SHARE, shares)
        _tell(base, position, [event for event in events if event[:2] not in standing])
        _save(base, "opportunities", deals[-1][1])
        base.execute("commit")
        written += len(shares)
    base.close()
    return written


def _signed_in(org: Org) -> Salesforce:
    session = requests.Session()
    session.trust_env, session.verify = False, str(org.ca_file)
    return Salesforce(
        session_id="t", instance_url=org.salesforce, session=session, version="63.0", object_pairs_hook=None
    )


def _opened(database: str) -> sqlite3.Connection:
    base = sqlite3.connect(database, isolation_level=None)
    for line in ("synchronous=full", "cache_size=-65536", "wal_autocheckpoint=8000"):
        base.execute(f"pragma {line}")
    return base


def _load_accounts(
    crm: Salesforce, base: sqlite3.Connection
) -> tuple[dict[str, str], dict[str, tuple[str, str, dict[str, str]]]]:
    """Every account's name, and the partners: account -> id, key, what rules may ask."""
    names, partners = {}, {}
    for batch in _batches(crm.query_all_iter(_ACCOUNTS), 200):
        rows = Account(many=True).load(batch, unknown=marshmallow.EXCLUDE)
        names.update((row["id"], row["account.name"]) for row in rows)
        fresh = {row["id"]: (_hash(f"partner {row['key']}"), row["key"], row["partner"]) for row in rows if row["key"]}
        partners.update(fresh)
        base.execute("begin immediate")
        base.executemany(_MIRROR, [_mirrored("account", _hash(f"account {row['id']}"), row) for row in rows])
        base.executemany(
            "insert into partners (id, key, name, fields, feed_epoch) values (?, ?, ?, ?, 'e') on conflict do nothing",
            [(own, key, fields["partner.name"], json.dumps(fields)) for own, key, fields in fresh.values()],
        )
        base.executemany(
            "insert into partner_accounts (connection, account, partner_id, fields) values ('sf', ?, ?, ?)"
            " on conflict do update set fields = excluded.fields",
            [(account, own, json.dumps(fields)) for account, (own, _, fields) in fresh.items()],
        )
        _save(base, "accounts", rows[-1]["id"])
        base.execute("commit")
    return names, partners


def _load_relations(crm: Salesforce, base: sqlite3.Connection) -> dict[str, list[str]]:
    """The partner accounts on each deal."""
    on_deal = defaultdict(list)
    for batch in _batches(crm.query_all_iter(_RELATIONS), 2000):
        for row in batch:
            on_deal[row["OpportunityId"]].append(row["AccountToId"])
        base.execute("begin immediate")
        base.executemany(
            "insert into relations values ('sf', 'OpportunityPartner', ?, ?, ?, ?)"
            " on conflict do update set deal = excluded.deal, account = excluded.account, role = excluded.role",
            [(row["Id"], row["OpportunityId"], row["AccountToId"], row["Role"]) for row in batch],
        )
        _save(base, "relations", batch[-1]["Id"])
        base.execute("commit")
    return on_deal


_MIRROR = (
    "insert into mirror (connection, object, crm_id, id, stamp, shape, digest, account, fields)"
    " values ('sf', ?, ?, ?, ?, '', ?, ?, ?) on conflict do update set"
    " stamp = excluded.stamp, digest = excluded.digest, account = excluded.account, fields = excluded.fields"
)
_VIEW = "insert into views (deal_id, digest, body, version) values (?, ?, ?, 1) on conflict do update set version = 1"
_SHARE = (
    "insert into shares (deal_id, partner_id, public_id, connection, state, involvement, since, view, version,"
    " changed_at, c1, c2, c3, c4, c5, words) values (?, ?, ?, 'sf', 'accepted', 'resell', ?, ?, 1, ?, ?, ?, ?, ?, ?, ?)"
    " on conflict do update set view = excluded.view, c1 = excluded.c1, c2 = excluded.c2, c3 = excluded.c3,"
    " c4 = excluded.c4, c5 = excluded.c5, words = excluded.words"
)


def _mirrored(object: str, id: str, row: dict[str, Any]) -> tuple[Any, ...]:
    fields = json.dumps({name: value for name, value in row.items() if "." in name}, ensure_ascii=False)
    return object, row["id"], id, row["stamp"].isoformat(), _hash(fields), row.get("account"), fields


def _standing(base: sqlite3.Connection, deals: Sequence[str]) -> set[tuple[str, str]]:
    """The shares that these deals have already, as (partner, public id)."""
    marks = ", ".join("?" * len(deals))
    return set(base.execute(f"select partner_id, public_id from shares where deal_id in ({marks})", deals))


def _tell(base: sqlite3.Connection, position: dict[str, int], events: Iterable[tuple[str, str, str]]) -> None:
    """Append to the partners' feeds, each numbered by itself."""
    rows = []
    for partner_id, public, now in events:
        position[partner_id] += 1
        rows.append((partner_id, position[partner_id], public, now))
    base.executemany("insert into feed values (?, ?, 'deal.shared', ?, 1, ?)", rows)
    moved = {row[0] for row in rows}
    base.executemany("update partners set feed_position = ? where id = ?", [(position[own], own) for own in moved])


def _save(base: sqlite3.Connection, stream: str, last: str) -> None:
    """Where the load stands: all up to this id is committed."""
    base.execute(
        "insert into streams (connection, stream, shape, checkpoint) values ('sf', ?, '', ?)"
        " on conflict do update set checkpoint = excluded.checkpoint",
        (stream, last),
    )


def _sortable(shown: Any) -> str:
    """What is shown, as text that sorts."""
    if isinstance(shown, dict):
        if "quarter" in shown:
            return f"{shown['fiscal_year']}-{shown['quarter']}"
        return f"{shown['currency']} {int(shown['at_least'] or 0):021d}"
    return (shown or "").casefold()


def _hash(content: str | bytes) -> str:
    raw = content if isinstance(content, bytes) else content.encode()
    return hashlib.blake2b(raw, digest_size=10).hexdigest()


def _batches(rows: Iterator[Any], size: int) -> Iterator[list[Any]]:
    batch: list[Any] = []
    for row in rows:
        batch.append(row)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
