"""Leaks in what partners read: the reader, the API over it, lists, pages, feed and their own record."""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa
from leaks.leak import MAIN, QUIET, Leak, Maker
from leaks.planted import next_number
from nasty import PARTNERS
from proofs.twins import Wrong

from policies.view import DealView
from sync.projection import reader
from sync.projection.reader import Projection
from sync.projection.shown import BadQuery, Message
from sync.store.identifiers import partner_id
from sync.store.schema import messages, narrowed, plans, shares, views
from sync.store.unfiltered import mirror
from webhook_app.door import this_house
from webhook_app.partner import api

EVERYBODY = tuple(map(partner_id, PARTNERS))


def live_without(left_out: str) -> Maker:
    """Shares are read without one of the conditions under which they may be."""

    def make(_: Any) -> Any:
        def live(self: Any, tx: Any, force: Any) -> Any:
            conditions = {
                "suspended": ~shares.c.suspended,
                "overdue": sa.or_(shares.c.until.is_(None), shares.c.until > self._house.now()),
                "outdated": views.c.version >= force.floor,
            }
            hidden = sa.and_(narrowed.c.deal_id == shares.c.deal_id, narrowed.c.partner_id == shares.c.partner_id)
            return (
                sa.select(shares, views.c.body, views.c.people, narrowed.c.fields.label("hidden"))
                .join(views, sa.and_(views.c.deal_id == shares.c.deal_id, views.c.digest == shares.c.view))
                .outerjoin(narrowed, hidden)
                .where(shares.c.partner_id == self._id)
                .where(*(each for name, each in conditions.items() if name != left_out))
            )

        return live

    return make


def masks_are_left_out(_: Any) -> Any:
    return lambda body, fields: body


def waits_for_others(_: Any) -> Any:
    return lambda tx, partner_id: frozenset(
        field for row in tx.execute(sa.select(narrowed.c.fields)).scalars() for field in msgspec.json.decode(row)
    )


def offers_what_others_see(original: Any) -> Any:
    return lambda self, name: list(
        dict.fromkeys(text for id in EVERYBODY for text in original(Projection(self._house, id), name))
    )


def count_of_shares(house: Any) -> int:
    with house.reading() as tx:
        return int(tx.execute(sa.select(sa.func.count()).select_from(shares)).scalar_one())


def counts_in_menus(original: Any) -> Any:
    return lambda self, name: [f"{text} of {count_of_shares(self._house)}" for text in original(self, name)]


def cursor_that_counts(original: Any) -> Any:
    def deals(self: Any, *given: Any) -> Any:
        page = original(self, *given)
        longer = "~~~~" * count_of_shares(self._house)  # no character of a cursor, so it leads to the same place
        return type(page)(page.deals, page.next and page.next + longer)

    return deals


def _stamp_of(house: Any, public_id: str) -> str:
    wanted = sa.select(mirror.c.stamp).join(shares, shares.c.deal_id == mirror.c.id)
    with house.reading() as tx:
        return str(tx.execute(wanted.where(shares.c.public_id == public_id)).scalar())


def dated_by_the_record(original: Any) -> Any:
    def answer(deal: Any) -> Any:
        response = original(deal)
        response.headers["Last-Modified"] = _stamp_of(this_house(), deal.id)
        return response

    return answer


def events_at_the_records_time(original: Any) -> Any:
    return lambda self, force, event, *more: {
        **original(self, force, event, *more),
        "at": _stamp_of(self._house, event.public_id),
    }


def longer_by_what_is_hidden(original: Any) -> Any:
    return lambda self, rungs: original(self, rungs) + b" " * sum(each is not None for each in self.values.values())


def hidden_fields_are_named(original: Any) -> Any:
    def body(self: Any, rungs: bytes) -> bytes:
        named = sorted(name for name, value in self.values.items() if value is not None)
        return original(self, rungs)[:-1] + b',"others":' + msgspec.json.encode(named) + b"}"

    return body


def kept_by_the_deal_alone(original: Any) -> Any:
    known: dict[str, Any] = {}
    return lambda key, share, body: known.setdefault(share.public_id, original(key, share, body))


def feed_keeps_what_it_gave(original: Any) -> Any:
    known: dict[str, Any] = {}

    def event(self: Any, force: Any, event: Any, row: Any, *more: Any) -> Any:
        told = original(self, force, event, row, *more)
        if row is None and event.public_id in known:
            return {**told, "deal": known[event.public_id]}
        if "deal" in told:
            known[event.public_id] = told["deal"]
        return told

    return event


def messages_of_everybody(original: Any) -> Any:
    def read(self: Any, public_id: str) -> Any:
        if not original(self, public_id) and self.deal(public_id) is None:
            return []
        mine = sa.select(shares.c.deal_id).where(shares.c.public_id == public_id)
        with self._house.reading() as tx:
            rows = tx.execute(sa.select(messages).where(messages.c.deal_id.in_(mine))).all()
        return [Message(row.id, row.direction, row.author, row.text, row.at) for row in rows]

    return read


def rows_of_everybody(original: Any) -> Any:
    """Of a function of (house, partner) that gives rows."""
    return lambda house, _, *given, **more: [row for id in EVERYBODY for row in original(house, id, *given, **more)]


def record_of_everybody(original: Any) -> Any:
    def rows(tx: Any, _: str, place: Any, most: int) -> list[Any]:
        return sorted(row for id in EVERYBODY for row in original(tx, id, place, most))[:most]

    return rows


def recalls_of_everybody(original: Any) -> Any:
    def found(house: Any, partner_id: str, *given: Any) -> Any:
        pages = [original(house, id, *given) for id in EVERYBODY]
        return type(pages[0])(tuple(row for page in pages for row in page.rows), None)

    return found


def record_names_versions(original: Any) -> Any:
    def disclosure(row: Any) -> Any:
        house = this_house()
        with house.reading() as tx:
            return {**original(row), "version": house.in_force(tx).version}

    return disclosure


def plans_are_counted(original: Any) -> Any:
    def answer(*given: Any, **more: Any) -> Any:
        response = original(*given, **more)
        with this_house().reading() as tx:
            response.headers["X-Coming"] = str(tx.execute(sa.select(sa.func.count()).select_from(plans)).scalar())
        return response

    return answer


def errors_count(original: Any) -> Any:
    return lambda status, detail="", **more: original(
        status, f"{detail} (of {count_of_shares(this_house())} deals)", **more
    )


def unknown_sort_is_none(original: Any) -> Any:
    def column(self: Any, tx: Any, force: Any, name: str) -> Any:
        try:
            return original(self, tx, force, name)
        except BadQuery:
            return shares.c.changed_at

    return column


def broken_cursor_begins_anew(original: Any) -> Any:
    def place(*given: Any) -> int:
        try:
            return int(original(*given))
        except BadQuery:
            return 0

    return place


def recalls_are_numbered(_: Any) -> Any:
    return lambda *given: f"r{next_number():020d}"


_OTHERS = ((("relate", "D5", "SILV", "Other"),),)
_HIDDEN = (((*MAIN, "Channel__c", None),),)
_BLIND_TO_OTHERS = (((*MAIN, "Amount", 12_340_000),),)
_ENDED = (QUIET, (*MAIN, "Plan__c", "win"), ("unrelate", "D1", "SILV"))
_ENDED_FOR_TWO = ((), (("unrelate", "D1", "REGI"),), ())
_SOME = ("year", "no step")
READ = (
    Leak(
        "what is suspended is read",
        Projection,
        "_live",
        live_without("suspended"),
        caught=Wrong,
        steps=((*MAIN, "Sealed__c", True), ("together", "sealed")),
    ),
    Leak(
        "what is overdue is read",
        Projection,
        "_live",
        live_without("overdue"),
        caught=Wrong,
        steps=(("relate", "D4", "PLAT", "Other"), ("wait", 31)),
    ),
    Leak(
        "what meant something else is read",
        Projection,
        "_live",
        live_without("outdated"),
        caught=Wrong,
        steps=(("together", "bands"),),
    ),
    Leak("masks are left out", reader, "masked", masks_are_left_out, caught=Wrong, steps=(("together", "year"),)),
    Leak(
        "a 503 tells of others' deals",
        reader,
        "masked_fields",
        waits_for_others,
        ("deals by deal.close, 2",),
        steps=(QUIET, ("together", "year")),
        twin=((*(("unrelate", f"D{n}", key) for n in range(1, 5) for key in ("SILV", "REGI")),), ()),
    ),
    Leak(
        "menus offer what others see",
        Projection,
        "facets",
        offers_what_others_see,
        ("list in en",),
        twin=((("Opportunity", "D4", "CloseDate", "2027-03-31"),),),
    ),
    Leak("menus count others' deals", Projection, "facets", counts_in_menus, ("list in en",), twin=_OTHERS),
    Leak("a cursor counts", Projection, "deals", cursor_that_counts, ("deals by deal.name, 1",), twin=_OTHERS),
    Leak("dated by the record", api, "_deal_answer", dated_by_the_record, ("deal D1",), twin=_HIDDEN),
    Leak("an event at the record's time", Projection, "_event", events_at_the_records_time, twin=_HIDDEN),
    Leak(
        "bytes are longer by what is hidden",
        DealView,
        "body",
        longer_by_what_is_hidden,
        twin=(((*MAIN, "Plan__c", None),),),
    ),
    Leak("hidden fields are named", DealView, "body", hidden_fields_are_named, twin=(((*MAIN, "Plan__c", None),),)),
    Leak(
        "a cache by the deal alone",
        reader,
        "as_given",
        kept_by_the_deal_alone,
        caught=Wrong,
        steps=(QUIET, (*MAIN, "Name", "alpha")),
    ),
    Leak(
        "the feed keeps what it gave",
        Projection,
        "_event",
        feed_keeps_what_it_gave,
        ("feed",),
        Wrong,
        steps=(QUIET, ("unrelate", "D1", "SILV")),
    ),
    Leak(
        "messages of everybody",
        Projection,
        "messages",
        messages_of_everybody,
        caught=Wrong,
        steps=(("comment", "GOLD", "D1", "Which plan?"),),
    ),
    Leak(
        "the log of everybody",
        api,
        "log_of",
        rows_of_everybody,
        ("/api/v1/statements",),
        twin=((("comment", "GOLD", "D1", "Which plan?"),),),
    ),
    Leak(
        "one's own record is everybody's",
        "sync.ledger.own",
        "_rows",
        record_of_everybody,
        ("/api/v1/disclosures",),
        twin=_BLIND_TO_OTHERS,
    ),
    Leak(
        "the sheet goes further than the record",
        api,
        "all_received",
        rows_of_everybody,
        ("/api/v1/disclosures.csv",),
        twin=_BLIND_TO_OTHERS,
    ),
    Leak(
        "the record names the version",
        api,
        "_disclosure",
        record_names_versions,
        ("/api/v1/disclosures",),
        twin=((("together", "no step"),),),
    ),
    Leak(
        "a plan that waits shows",
        api,
        "_json",
        plans_are_counted,
        ("deals by deal.name, 2",),
        twin=((("plan", "band"),),),
    ),
    Leak("an error counts", api, "problem", errors_count, ("wrong /api/v1/deals?deal.margin",), twin=_OTHERS),
    Leak(
        "an unknown order is any",
        Projection,
        "_column",
        unknown_sort_is_none,
        ("wrong /api/v1/deals?sort=deal.margin",),
        Wrong,
    ),
    Leak(
        "of two parameters the last counts",
        "webhook_app.guard",
        "repeated_parameter",
        lambda original: lambda: None,
        ("wrong /api/v1/deals?sort=deal.name&sort",),
        Wrong,
    ),
    Leak(
        "a broken cursor begins anew",
        reader,
        "place_in_feed",
        broken_cursor_begins_anew,
        ("wrong /api/v1/feed?after",),
        Wrong,
    ),
    Leak(
        "recalls are numbered over all partners",
        "sync.projection.recalls",
        "_id",
        recalls_are_numbered,
        ("feed", "/api/v1/recalls"),
        steps=_ENDED,
        twin=_ENDED_FOR_TWO,
    ),
    Leak(
        "recalls of everybody",
        api,
        "own_recalls",
        recalls_of_everybody,
        ("feed", "/api/v1/recalls"),
        steps=_ENDED,
        twin=_ENDED_FOR_TWO,
    ),
    Leak(
        "mails about others' recalls",
        "sync.reminding",
        "_due",
        lambda original: lambda house, reason: EVERYBODY if original(house, reason) else (),
        ("mails",),
        steps=_ENDED,
        twin=_ENDED_FOR_TWO,
    ),
)
