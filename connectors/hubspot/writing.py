"""Writes to HubSpot: each logged action as one note that is found again by its marker, and text fields of records."""

from __future__ import annotations

import html
import re
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import msgspec

from connectors.base import BadRecord, CrmError, LoggedAction, NeedsAdmin, Receipt, TryAgain, Unknown
from connectors.hubspot.associations import ids_of, read_labels, read_links
from connectors.hubspot.errors import Fault, Gone, check_faults, hubspot_problems, reason
from connectors.hubspot.session import Session, to_stamp

BATCH = 100
LONGEST_NOTE = 65_536  # characters of HTML
LONGEST_ROUND = 20.0  # seconds after which no further note is begun, so that one call ends within a minute
KEY_PROPERTY = "sudare_key"
OBJECTS: Mapping[str, str] = {"opportunity": "deals", "account": "companies"}
# HubSpot's own association type of a note, where the account's list does not show it.
_KNOWN_TYPES: Mapping[str, int] = {"deals": 214, "companies": 190}
# The key, and a digest of the text above it: a text that no longer fits its digest was changed by a CRM user.
_MARKER = re.compile(r"sudare:([a-z0-9-]{1,64}):([0-9a-f]{8})")
_TAG = re.compile(r"<[^>]*>")
_NOT_TEXT = re.compile(r"\W+")


@dataclass(frozen=True, slots=True)
class NoteShape:
    """What this account's notes are like."""

    keyed: bool  # they have the property `sudare_key`
    types: Mapping[str, int]  # object -> association type of a note


class _Name(msgspec.Struct, frozen=True):
    name: str


class _Names(msgspec.Struct, frozen=True):
    results: tuple[_Name, ...]


class _NoteText(msgspec.Struct, frozen=True):
    hs_note_body: str | None = None
    sudare_key: str | None = None


class _Note(msgspec.Struct, frozen=True):
    id: int | str
    properties: _NoteText


class _Notes(msgspec.Struct, frozen=True):
    results: tuple[_Note, ...]
    errors: tuple[Fault, ...] = ()


class _Written(msgspec.Struct, frozen=True):
    id: int | str


class _Updated(msgspec.Struct, frozen=True):
    results: tuple[_Written, ...] = ()
    errors: tuple[Fault, ...] = ()


def learn_notes(session: Session) -> NoteShape:
    """Ask once what notes look like in this account."""
    answer = session.ask(session.properties.get_all, "notes")
    with hubspot_problems(session.where("notes")):
        names = {one.name for one in msgspec.json.decode(answer.body, type=_Names).results}
    return NoteShape(KEY_PROPERTY in names, {target: _note_type(session, target) for target in _KNOWN_TYPES})


def _note_type(session: Session, target: str) -> int:
    types = read_labels(session, "notes", target)[0]
    plain = (int(one.typeId) for one in types if one.category == "HUBSPOT_DEFINED" and not one.label)
    return next(plain, _KNOWN_TYPES[target])


def render(action: LoggedAction) -> str:
    """The note's HTML: subject, text, marker. The partner's words are escaped and cut where they don't fit."""
    words = action.body
    while True:
        said = html.escape(words).replace("\n", "<br>")
        text = f"<p><strong>{html.escape(action.subject)}</strong></p><p>{said}</p>"
        note = f"{text}<p><small>sudare:{action.key}:{_digest(text)}</small></p>"
        if len(note) <= LONGEST_NOTE:
            return note
        words = words[: len(words) * LONGEST_NOTE // len(note) - 1]


def _digest(text: str) -> str:
    """Eight digits of what a reader reads: HubSpot may rewrite the markup, not the words."""
    words = _NOT_TEXT.sub("", html.unescape(_TAG.sub(" ", text)))
    return sha256(words.encode(errors="replace")).hexdigest()[:8]


def _marker(body: str) -> re.Match[str] | None:
    """Our marker: the last one, since a partner can write one into the text above it."""
    return next(iter(deque(_MARKER.finditer(body), maxlen=1)), None)


def _key(note: _Note) -> str:
    marker = _marker(note.properties.hs_note_body or "")
    return note.properties.sudare_key or (marker[1] if marker else "")


def _is_ours(body: str) -> bool:
    """Whether the text still is what we wrote."""
    marker = _marker(body)
    return marker is not None and _digest(body[: marker.start()] + body[marker.end() :]) == marker[2]


def log_actions(session: Session, shape: NoteShape, actions: Sequence[LoggedAction]) -> list[Receipt]:
    """Write or update one note per action. What went wrong stands in its receipt: raising would lose the ids of
    the notes that stand already, and they would be written again."""
    standing = _read_notes(session, [one.receipt for one in actions if one.receipt])
    receipts: dict[str, Receipt] = {}
    stop: CrmError | None = None
    began = time.monotonic()
    for action in actions:
        if time.monotonic() - began > LONGEST_ROUND:
            stop = stop or TryAgain(f"{session.where('notes')}: HubSpot is slow: not sent yet")
        if action.key not in receipts:
            receipts[action.key] = Receipt(action.key, None, stop) if stop else _log(session, shape, action, standing)
            problem = receipts[action.key].problem
            # These would stop the next action as well; a lost answer, or one bad record, does not.
            if isinstance(problem, NeedsAdmin | TryAgain) and not isinstance(problem, Unknown):
                stop = problem
    return [receipts[action.key] for action in actions]


def _log(session: Session, shape: NoteShape, action: LoggedAction, standing: Mapping[str, _Note]) -> Receipt:
    try:
        if action.receipt is None:
            return Receipt(action.key, _create(session, shape, action))
        if action.receipt in standing:
            _update(session, action, action.receipt, standing[action.receipt].properties.hs_note_body or "")
        # INVARIANT: a note that a CRM user deleted is not there any more and stays deleted.
        return Receipt(action.key, action.receipt)
    except CrmError as problem:
        return Receipt(action.key, None, problem)


def _create(session: Session, shape: NoteShape, action: LoggedAction) -> str:
    properties = {"hs_note_body": render(action), "hs_timestamp": to_stamp(action.done_at)}
    if shape.keyed:
        properties[KEY_PROPERTY] = action.key
    note_type = {
        "associationCategory": "HUBSPOT_DEFINED",
        "associationTypeId": shape.types[OBJECTS[action.record_kind]],
    }
    links = [{"to": {"id": action.record_id}, "types": [note_type]}]
    if action.owner_id is None:
        return _post(session, {"properties": properties, "associations": links})
    owned = {**properties, "hubspot_owner_id": action.owner_id}
    try:
        return _post(session, {"properties": owned, "associations": links})
    except BadRecord as refused:
        if "`hubspot_owner_id`" not in str(refused):
            raise
        # The owner left the account: what the partner did is worth more than whose note it is.
        return _post(session, {"properties": properties, "associations": links})


def _post(session: Session, note: Mapping[str, Any]) -> str:
    answer = session.send(session.objects.create, "notes", note)
    with hubspot_problems(session.where("notes"), writing=True):
        return str(msgspec.json.decode(answer.body, type=_Written).id)


def _update(session: Session, action: LoggedAction, id: str, body: str) -> None:
    # INVARIANT: a text that a CRM user changed is not overwritten.
    text = render(action)
    if not _is_ours(body) or body == text:
        return
    try:
        session.send(session.objects.update, "notes", id, {"properties": {"hs_note_body": text}})
    except Gone:
        return


def find_actions(session: Session, actions: Sequence[LoggedAction]) -> dict[str, str]:
    """Key to note id, read by association from the primary store: the search would not know a note just written.

    A late twin, where HubSpot did take both tries, is archived; the lowest id stays.
    """
    ids: dict[str, None] = {}
    for kind, object in OBJECTS.items():
        records = sorted({one.record_id for one in actions if one.record_kind == kind})
        for rows in read_links(session, object, "notes", records).values():
            ids.update(dict.fromkeys(ids_of(rows)))
    wanted, found = {action.key for action in actions}, dict[str, str]()
    for id, note in sorted(_read_notes(session, list(ids)).items(), key=lambda one: int(one[0])):
        key = _key(note)
        if key not in wanted:
            continue
        if found.setdefault(key, id) != id and _is_ours(note.properties.hs_note_body or ""):
            _archive(session, id)
    return found


def _archive(session: Session, id: str) -> None:
    try:
        session.send(session.objects.archive, "notes", id)
    except Gone:
        return


def _read_notes(session: Session, ids: Sequence[str]) -> dict[str, _Note]:
    notes: dict[str, _Note] = {}
    for some in _chunks(ids, BATCH):
        body = {
            "properties": ["hs_note_body", KEY_PROPERTY],
            "propertiesWithHistory": [],
            "inputs": [{"id": id} for id in dict.fromkeys(some)],
        }
        answer = session.ask(session.batch.read, "notes", body)
        with hubspot_problems(session.where("notes")):
            page = msgspec.json.decode(answer.body, type=_Notes)
        check_faults(page.errors, session.where("notes"))
        notes.update((str(one.id), one) for one in page.results)
    return notes


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
    except BadRecord as refused:
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
