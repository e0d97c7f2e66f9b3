"""Writes to HubSpot: each logged action once, as far as the account lets us, and text fields of records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from connectors.base import BadRecord, CrmError, LoggedAction, NeedsAdmin, Receipt, TryAgain, Unknown, stamp_of
from connectors.hubspot.associations import ids_of, read_links
from connectors.hubspot.errors import Fault, Gone, Misfit, Taken, check_faults, hubspot_problems, reason
from connectors.hubspot.notes import is_ours, key_in, render
from connectors.hubspot.session import Session
from connectors.hubspot.ways import OBJECTS, Way

BATCH = 100
LONGEST_ROUND = 20.0  # seconds after which no further note is begun, so that one call ends within a minute


@dataclass(frozen=True, slots=True)
class Standing:
    """A logged action as it stands in HubSpot."""

    id: str
    key: str
    body: str


class _Row(msgspec.Struct, frozen=True):
    id: int | str
    properties: dict[str, Any]


class _Rows(msgspec.Struct, frozen=True):
    results: tuple[_Row, ...]
    errors: tuple[Fault, ...] = ()


class _Written(msgspec.Struct, frozen=True):
    id: int | str


class _Updated(msgspec.Struct, frozen=True):
    results: tuple[_Written, ...] = ()
    errors: tuple[Fault, ...] = ()


def log_actions(session: Session, way: Way, actions: Sequence[LoggedAction]) -> list[Receipt]:
    """Write or update one record per action. What went wrong stands in its receipt: raising would lose the ids of
    those that stand already, and they would be written again."""
    standing = _read(session, way, [one.receipt for one in actions if one.receipt])
    receipts: dict[str, Receipt] = {}
    stop: CrmError | None = None
    began = session.time.clock()
    for action in actions:
        if session.time.clock() - began > LONGEST_ROUND:
            stop = stop or TryAgain(f"{session.where(way.object)}: HubSpot is slow: not sent yet")
        if action.key not in receipts:
            receipts[action.key] = Receipt(action.key, None, stop) if stop else _log(session, way, action, standing)
            problem = receipts[action.key].problem
            # These would stop the next action as well; a lost answer, or one bad record, does not.
            if isinstance(problem, NeedsAdmin | TryAgain) and not isinstance(problem, Unknown):
                stop = problem
    return [receipts[action.key] for action in actions]


def _log(session: Session, way: Way, action: LoggedAction, standing: Mapping[str, Standing]) -> Receipt:
    try:
        if action.receipt is None:
            return Receipt(action.key, _create(session, way, action))
        if action.receipt in standing:
            _update(session, way, action, standing[action.receipt])
        # INVARIANT: what a CRM user deleted is not there any more and stays deleted.
        return Receipt(action.key, action.receipt)
    except CrmError as problem:
        return Receipt(action.key, None, problem)


def _create(session: Session, way: Way, action: LoggedAction) -> str:
    try:
        return _create_on(session, way, action, action.record_kind, action.record_id)
    except Taken as standing:
        # It stands already, whoever heard of it: only its text may be an older one.
        for known in _read(session, way, [standing.id]).values():
            _update(session, way, action, known)
        return standing.id
    except BadRecord as refused:
        kind, id = _instead(session, action, refused)
        return _create_on(session, way, action, kind, id)


def _instead(session: Session, action: LoggedAction, refused: BadRecord) -> tuple[str, str]:
    """Where an action goes whose record is not there any more: to the record that it was merged into, else to the
    partner's account. Raises the refusal where the record is there, so that something else is wrong."""
    survivor = _survivor(session, OBJECTS[action.record_kind], action.record_id)
    if survivor == action.record_id:
        raise refused
    if survivor:
        return action.record_kind, survivor
    account = _survivor(session, OBJECTS["account"], action.account_id or "")
    if not account or account == action.record_id:
        raise refused
    return "account", account


def _survivor(session: Session, object: str, id: str) -> str:
    """The id under which a record answers now; empty where it is gone."""
    if not id.isdecimal():
        return ""
    return next(iter(_rows(session, object, [id], [])), "")


def _create_on(session: Session, way: Way, action: LoggedAction, kind: str, id: str) -> str:
    properties = {way.body: render(action), way.at: stamp_of(action.done_at)}
    if way.key:
        properties[way.key] = action.key
    links = [{"to": {"id": id}, "types": [way.types[OBJECTS[kind]]]}]
    if action.owner_id is None:
        return _post(session, way, {"properties": properties, "associations": links})
    owned = {**properties, "hubspot_owner_id": action.owner_id}
    try:
        return _post(session, way, {"properties": owned, "associations": links})
    except BadRecord as refused:
        if "`hubspot_owner_id`" not in str(refused):
            raise
        # The owner left the account: what the partner did is worth more than whose note it is.
        return _post(session, way, {"properties": properties, "associations": links})


def _post(session: Session, way: Way, record: Mapping[str, Any]) -> str:
    # Not an upsert, which takes no associations: an action must never stand on no record. One call makes both.
    answer = session.send(session.objects.create, way.object, record)
    with hubspot_problems(session.where(way.object), writing=True):
        return str(msgspec.json.decode(answer.body, type=_Written).id)


def _update(session: Session, way: Way, action: LoggedAction, standing: Standing) -> None:
    # INVARIANT: a text that a CRM user changed is not overwritten.
    text = render(action)
    if not is_ours(standing.body) or standing.body == text:
        return
    try:
        session.send(session.objects.update, way.object, standing.id, {"properties": {way.body: text}})
    except Gone:
        return


def find_actions(session: Session, way: Way, actions: Sequence[LoggedAction]) -> dict[str, str]:
    """Key to id of those that stand, read from the primary store: the search would not know one just written.

    Where HubSpot refuses no second one and did take both tries, the late twin is archived; the lowest id stays.
    """
    wanted, found = {action.key for action in actions}, dict[str, str]()
    if way.once:
        standing = _by_key(session, way, sorted(wanted))
    else:
        standing = list(_read(session, way, _noted_on(session, way, actions)).values())
    for one in sorted(standing, key=lambda each: int(each.id)):
        if one.key in wanted and found.setdefault(one.key, one.id) != one.id and is_ours(one.body):
            _archive(session, way, one.id)
    return found


def _noted_on(session: Session, way: Way, actions: Sequence[LoggedAction]) -> list[str]:
    """All notes of the records that these actions may stand on."""
    places = {(one.record_kind, one.record_id) for one in actions}
    places |= {("account", one.account_id) for one in actions if one.account_id}
    ids: dict[str, None] = {}
    for kind, object in OBJECTS.items():
        asked = sorted({id for known, id in places if known == kind and id.isdecimal()})
        # A merged record has its associations under the id that it answers as now.
        here = sorted({*_rows(session, object, asked, [])})
        for rows in read_links(session, object, way.object, here).values():
            ids.update(dict.fromkeys(ids_of(rows)))
    return list(ids)


def _archive(session: Session, way: Way, id: str) -> None:
    try:
        session.send(session.objects.archive, way.object, id)
    except Gone:
        return


def _read(session: Session, way: Way, ids: Sequence[str]) -> dict[str, Standing]:
    return _standing(way, _rows(session, way.object, ids, [way.body, *filter(None, [way.key])]))


def _by_key(session: Session, way: Way, keys: Sequence[str]) -> list[Standing]:
    rows = _rows(session, way.object, keys, [way.body, way.key], idProperty=way.key)
    return list(_standing(way, rows).values())


def _standing(way: Way, rows: Mapping[str, Mapping[str, Any]]) -> dict[str, Standing]:
    bodies = {id: str(said.get(way.body) or "") for id, said in rows.items()}
    return {id: Standing(id, str(rows[id].get(way.key or "") or key_in(body)), body) for id, body in bodies.items()}


def _rows(
    session: Session, object: str, ids: Sequence[str], names: Sequence[str], **how: str
) -> dict[str, Mapping[str, Any]]:
    """These records' properties by the id under which each answers; one that is gone is absent."""
    rows: dict[str, Mapping[str, Any]] = {}
    for some in _chunks(ids, BATCH):
        inputs = [{"id": id} for id in dict.fromkeys(some)]
        body = {"properties": list(names), "propertiesWithHistory": [], "inputs": inputs, **how}
        answer = session.ask(session.batch.read, object, body)
        with hubspot_problems(session.where(object)):
            page = msgspec.json.decode(answer.body, type=_Rows)
        check_faults(page.errors, session.where(object))
        rows.update((str(one.id), one.properties) for one in page.results)
    return rows


def write_fields(session: Session, object: str, values: Mapping[str, Mapping[str, str]]) -> list[Receipt]:
    """Set text fields of records, 100 a call."""
    problems: dict[str, CrmError] = {}
    for some in _chunks(list(values), BATCH):
        problems.update(_write(session, object, {id: values[id] for id in some}))
    return [Receipt(id, None if id in problems else id, problems.get(id)) for id in values]


def _write(session: Session, object: str, values: Mapping[str, Mapping[str, str]]) -> dict[str, CrmError]:
    inputs = [{"id": id, "properties": dict(said), "objectWriteTraceId": id} for id, said in values.items()]
    try:
        answer = session.send(session.batch.update, object, {"inputs": inputs})
    except (BadRecord, Misfit) as refused:
        if len(values) == 1:
            return dict.fromkeys(values, refused)
        # HubSpot may refuse a whole batch for one record: halve it until that one stands alone.
        return {key: one for part in _halves(values) for key, one in _write(session, object, part).items()}
    where = session.where(object)
    with hubspot_problems(where, writing=True):
        page = msgspec.json.decode(answer.body, type=_Updated)
    return dict(_blamed(page, values, where))


def _blamed(page: _Updated, values: Mapping[str, Any], where: str) -> Iterator[tuple[str, CrmError]]:
    """Whom the faults of a partial answer are about; one that names nobody is about all that did not come back."""
    done = {str(one.id) for one in page.results}
    for fault in page.errors:
        kind, text = reason(fault)
        named = {*fault.named("ids"), *fault.named("id"), *fault.named("objectWriteTraceId")} & set(values)
        for id in named or set(values) - done:
            yield id, kind(f"{where}: {text}")


def _halves(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    ids = list(values)
    return [{id: values[id] for id in some} for some in _chunks(ids, (len(ids) + 1) // 2)]


def _chunks(ids: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    return (ids[start : start + size] for start in range(0, len(ids), size))
