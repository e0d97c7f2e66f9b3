"""Writes into a Salesforce org: partner activity as closed tasks under their keys, and text fields of records."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import groupby
from typing import Any

import msgspec

from connectors.base import BadRecord, CrmError, LoggedAction, NeedsAdmin, Receipt, TryAgain, Unknown
from connectors.salesforce.asking import ask, describe
from connectors.salesforce.errors import AlreadyWritten, Refusal, TargetGone, record_problem, refusals
from connectors.salesforce.records import survivors
from connectors.salesforce.rows import checked, layout, quoted
from connectors.salesforce.session import Org

BATCH = 200  # records of one collections call
KEYS_PER_QUERY = 100  # of 64 characters, within the 16 KiB of a URL
TRIES = 4  # of a record whose parent is locked, or which is sent again without a refused field
MOST_ALONE = 10  # records that are sent one by one after that
SUBJECT, DESCRIPTION = 255, 32_000  # characters that a Task takes
# A task stands all the same where one of these is refused: an owner who has left, a field only a create may set.
SPARED = ("OwnerId", "TaskSubtype")
GONE = frozenset({"ENTITY_IS_DELETED", "NOT_FOUND", "INVALID_CROSS_REFERENCE_KEY"})
_SIGN = re.compile(r"\s*\bSudare ([0-9a-f]{8})\s*\Z")  # a digest of the text above it, in a task's last line
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_OUTCOMES = msgspec.json.Decoder(list[dict[str, Any]])


@dataclass(frozen=True, slots=True)
class Write:
    """One record to write."""

    key: str  # whose receipt it makes
    parent: str  # the record that Salesforce locks meanwhile
    fields: Mapping[str, Any]
    receipt: str | None = None  # the task's id where it was logged before


def log_actions(org: Org, actions: Sequence[LoggedAction], external_id: str, closed: str) -> list[Receipt]:
    """One receipt per action, in order. New ones are upserted by their key, known ones updated by id."""
    fresh = [_new_task(one, checked(external_id), closed) for one in actions if one.receipt is None]
    ours = _still_ours(org, [one.receipt for one in actions if one.receipt is not None])
    known = [_known_task(one) for one in actions if one.receipt in ours]
    calls = [(f"composite/sobjects/Task/{external_id}", batch) for batch in batches(fresh)]
    calls += [("composite/sobjects", batch) for batch in batches(known)]
    # INVARIANT: what a CRM user deleted stays deleted, and a text that one changed stays: both count as logged.
    receipts = {one.key: Receipt(one.key, one.receipt) for one in actions if one.receipt is not None}
    receipts |= _write(org, calls, "logging actions")
    receipts |= _moved(org, actions, receipts, external_id, closed)
    written = [one for one in actions if isinstance(receipts[one.key].problem, AlreadyWritten)]
    found = find_actions(org, written, external_id)
    return [
        Receipt(one.key, found[one.key]) if one.key in found and one in written else receipts[one.key]
        for one in actions
    ]


def _moved(
    org: Org, actions: Sequence[LoggedAction], receipts: Mapping[str, Receipt], external_id: str, closed: str
) -> dict[str, Receipt]:
    """Actions whose record is gone, written on what it was merged into, else on the partner's account."""
    lost = [one for one in actions if isinstance(receipts[one.key].problem, TargetGone)]
    wanted = {one.key: [*([one.record_id] if one.record_kind == "account" else []), one.account_id] for one in lost}
    heirs = survivors(org, "Account", {id for ids in wanted.values() for id in ids if id}) if lost else {}
    homes = {key: next((heirs[id] for id in ids if id in heirs), "") for key, ids in wanted.items()}
    again = [
        _new_task(replace(one, record_id=homes[one.key]), external_id, closed)
        for one in lost
        if homes[one.key] not in ("", one.record_id)
    ]
    calls = [(f"composite/sobjects/Task/{external_id}", batch) for batch in batches(again)]
    return _write(org, calls, "logging actions") if calls else {}


def check_writing(org: Org, external_id: str) -> str:
    """The promise that holds; NeedsAdmin where the org has no such key or the integration user may not see it."""
    if external_id not in describe(org, "Task").fields:
        raise NeedsAdmin(
            f"logging actions: Task has no {external_id} that the integration user sees: create it on Activity, "
            "Text(64), External ID and Unique, and give the user edit on it"
        )
    closed_status(org)
    return f"once: each action is upserted by Task.{external_id}"


def find_actions(org: Org, actions: Sequence[LoggedAction], external_id: str) -> dict[str, str]:
    """Key to task id of those that stand in the org, the recycle bin and the archive included."""
    rows = layout((external_id,))
    keys = [one.key for one in actions]
    found: dict[str, str] = {}
    for start in range(0, len(keys), KEYS_PER_QUERY):
        wanted = ", ".join(map(quoted, keys[start : start + KEYS_PER_QUERY]))
        query = f"SELECT {', '.join(rows.columns)} FROM Task WHERE {external_id} IN ({wanted})"  # noqa: S608 - quoted
        answer = ask(org, query, rows, "looking for logged actions")
        key_of = rows.readers[external_id]
        for row in sorted(answer.rows, key=lambda row: (row.deleted, row.id)):  # a living one before a deleted one
            found.setdefault(key_of(row).lower(), row.id)
    return found


def write_fields(org: Org, object: str, values: Mapping[str, Mapping[str, str]]) -> list[Receipt]:
    """Sets text fields of records by id; one receipt per record, in order."""
    writes = [
        Write(id, id, {"attributes": {"type": checked(object)}, "id": id, **_texts(fields)})
        for id, fields in values.items()
    ]
    receipts = _write(org, [("composite/sobjects", batch) for batch in batches(writes)], f"writing {object}")
    return [receipts[id] for id in values]


def closed_status(org: Org) -> str:
    """The org's own word for a task that is done."""
    rows = layout(("ApiName",), ())
    query = f"SELECT {', '.join(rows.columns)} FROM TaskStatus WHERE IsClosed = true ORDER BY SortOrder LIMIT 1"  # noqa: S608
    try:
        found = [rows.readers["ApiName"](row) for row in ask(org, query, rows, "reading TaskStatus").rows]
    except NeedsAdmin:
        found = []  # hidden from our user: the picklist is not
    status = describe(org, "Task").fields.get("Status") if not found else None
    options = found or (list(status.options) if status else [])
    if not options:
        raise NeedsAdmin("logging actions: Task.Status is hidden from the integration user: let it see and edit it")
    return "Completed" if "Completed" in options else options[-1]


def batches(writes: Sequence[Write]) -> Iterator[list[Write]]:
    """At most BATCH at a time, those of one parent together: two calls at once would lock each other out."""
    batch: list[Write] = []
    for _, group in groupby(sorted(writes, key=lambda one: one.parent), key=lambda one: one.parent):
        family = list(group)
        if batch and len(batch) + len(family) > BATCH:
            yield batch
            batch = []
        batch += family
        while len(batch) > BATCH:
            yield batch[:BATCH]
            batch = batch[BATCH:]
    if batch:
        yield batch


def _new_task(action: LoggedAction, external_id: str, closed: str) -> Write:
    fields = _text_of(action) | {
        external_id: action.key,
        "Status": closed,
        "WhatId": action.record_id,
        "TaskSubtype": "Task",
    }
    return Write(action.key, action.record_id, fields | ({"OwnerId": action.owner_id} if action.owner_id else {}))


def _known_task(action: LoggedAction) -> Write:
    # INVARIANT: by id and not by key, so that a task which a CRM user deleted is not made anew; owner, status and
    # record are the CRM user's once the task stands.
    return Write(action.key, action.record_id, {"id": action.receipt} | _text_of(action), action.receipt)


def _text_of(action: LoggedAction) -> dict[str, Any]:
    subject = _shortened(" ".join(_printable(action.subject).split()), SUBJECT)
    body = _shortened(_printable(action.body).rstrip(), DESCRIPTION - 20)
    return {
        "attributes": {"type": "Task"},
        "Subject": subject,
        "Description": f"{body}\n\nSudare {_digest(subject, body)}".lstrip(),
        "ActivityDate": action.day.isoformat(),
    }


def _digest(subject: str, body: str) -> str:
    # Salesforce changes line ends and trims: only the words count.
    return sha256(" ".join(f"{subject} {body}".split()).encode()).hexdigest()[:8]


def _still_ours(org: Org, ids: Sequence[str]) -> set[str]:
    """The tasks of these that stand, with the text that we wrote."""
    rows = layout(("Description", "Subject"))
    ours: set[str] = set()
    for start in range(0, len(ids), BATCH):
        wanted = ", ".join(map(quoted, ids[start : start + BATCH]))
        query = f"SELECT {', '.join(rows.columns)} FROM Task WHERE Id IN ({wanted})"  # noqa: S608 - quoted
        for row in ask(org, query, rows, "looking at logged actions").rows:
            body, subject = rows.readers["Description"](row) or "", rows.readers["Subject"](row) or ""
            sign = _SIGN.search(body)
            if not row.deleted and sign and sign[1] == _digest(subject, body[: sign.start()]):
                ours.add(row.id)
    return ours


def _texts(fields: Mapping[str, str]) -> dict[str, str]:
    return {checked(name): _printable(text) for name, text in fields.items()}


def _printable(text: str) -> str:
    return _UNPRINTABLE.sub("", text)


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _write(org: Org, calls: Sequence[tuple[str, list[Write]]], where: str) -> dict[str, Receipt]:
    receipts: dict[str, Receipt] = {}
    for path, batch in calls:
        try:
            receipts |= _batch(org, path, batch, where)
        except CrmError as problem:
            # What was written before is told; a first call that fails has nothing to tell but its error.
            if not receipts:
                raise
            receipts |= {one.key: Receipt(one.key, None, problem) for one in batch}
            break
    unsent = TryAgain(f"{where}: not sent, since a call before it failed")
    return {one.key: Receipt(one.key, None, unsent) for _, batch in calls for one in batch} | receipts


def _batch(org: Org, path: str, batch: list[Write], where: str) -> dict[str, Receipt]:
    try:
        return _settled(org, path, batch, where)
    except BadRecord as problem:
        # The whole call was refused for one of its records: halve until it stands alone.
        if len(batch) == 1:
            return {batch[0].key: Receipt(batch[0].key, None, problem)}
        middle = len(batch) // 2
        return _batch(org, path, batch[:middle], where) | _batch(org, path, batch[middle:], where)


def _settled(org: Org, path: str, batch: list[Write], where: str) -> dict[str, Receipt]:
    receipts: dict[str, Receipt] = {}
    left = batch
    for attempt in range(TRIES):
        # Those still locked may lock each other out: the last time, a few of them go one by one.
        alone = attempt == TRIES - 1 and len(left) <= MOST_ALONE
        parcels = [[one] for one in left] if alone else [left]
        outcomes = [outcome for parcel in parcels for outcome in _sent(org, path, parcel, where)]
        receipts |= {one.key: _receipt(one, outcome, where) for one, outcome in zip(left, outcomes, strict=True)}
        left = [again for one, outcome in zip(left, outcomes, strict=True) if (again := _again(one, outcome))]
        if not left:
            break
        org.time.sleep((attempt + random.random()) / 4)  # noqa: S311 - lets the other writer go first
    return receipts


def _sent(org: Org, path: str, batch: list[Write], where: str) -> list[dict[str, Any]]:
    body = {"allOrNone": False, "records": [one.fields for one in batch]}
    answer = org.patch(path, where, body)
    try:
        outcomes = _OUTCOMES.decode(answer.content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Unknown(f"{where}: the answer broke off: look for the key before sending again") from None
    if len(outcomes) != len(batch):
        raise Unknown(f"{where}: answered for {len(outcomes)} of {len(batch)} records: look for each key")
    return outcomes


def _receipt(one: Write, outcome: Mapping[str, Any], where: str) -> Receipt:
    if outcome.get("success"):
        return Receipt(one.key, str(outcome["id"]))
    refused = refusals(outcome.get("errors"))
    if one.receipt and any(refusal.code in GONE for refusal in refused):
        return Receipt(one.key, one.receipt)
    return Receipt(one.key, None, record_problem(refused, where))


def _again(one: Write, outcome: Mapping[str, Any]) -> Write | None:
    """The record as it should be sent again, where that may help."""
    refused = refusals(outcome.get("errors")) if not outcome.get("success") else []
    spared = {name for name in SPARED if name in one.fields and any(_names(refusal, name) for refusal in refused)}
    if spared:
        return replace(one, fields={name: value for name, value in one.fields.items() if name not in spared})
    locked = refused and all(isinstance(record_problem([refusal], ""), TryAgain) for refusal in refused)
    return one if locked else None


def _names(refusal: Refusal, field: str) -> bool:
    if field in refusal.fields:
        return True
    # A user who is gone for good is refused without a field's name.
    vague = refusal.code == "INVALID_CROSS_REFERENCE_KEY" and not refusal.fields
    return field == "OwnerId" and (vague or refusal.code == "INACTIVE_OWNER_OR_USER")
