"""The outbox: logged actions as rows of a CSV file that the sales system imports. The last row of a key counts."""

from __future__ import annotations

import csv
import fcntl
import io
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path

from connectors.base import LoggedAction, TryAgain
from connectors.spreadsheets import harmless

COLUMNS = ("key", "record", "kind", "subject", "body", "done_at", "day", "owner", "check")


class Outbox:
    """One CSV file, only ever added to by us: UTF-8 with a mark, so that Excel reads it."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def standing(self) -> dict[str, dict[str, str]]:
        """The row that counts, by key."""
        if not self._file.exists():
            return {}
        with self._file.open(encoding="utf-8-sig", newline="") as text:
            return {row["key"]: row for row in csv.DictReader(text) if row.get("key")}

    def write(self, actions: Sequence[LoggedAction]) -> None:
        """Add a row for each that is new or says something else. A row that a person removed or changed stays so."""
        with self._alone():
            standing = self.standing()
            rows = [row for action in actions if (row := _news(action, standing.get(action.key)))]
            self._append(rows)

    def _append(self, rows: Sequence[dict[str, str]]) -> None:
        if not rows:
            return
        text = io.StringIO()
        writer = csv.DictWriter(text, COLUMNS, lineterminator="\r\n")
        if not self._file.exists() or not self._file.stat().st_size:
            text.write("\ufeff")
            writer.writeheader()
        writer.writerows(rows)
        added = text.getvalue().encode()
        with self._file.open("ab") as out:
            before = out.tell()
            try:
                out.write(added)
                out.flush()
                os.fsync(out.fileno())
            except OSError:
                os.ftruncate(out.fileno(), before)
                raise TryAgain(f"{self._file.name}: could not be written; is the disk full?") from None

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._file.with_name(f"{self._file.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._mend()
            yield

    def _mend(self) -> None:
        # A crash may have cut a row: our rows end in CR LF, the lines inside a cell in LF alone.
        content = self._file.read_bytes() if self._file.exists() else b""
        if content and not content.endswith(b"\n") and b"\r\n" in content:
            os.truncate(self._file, content.rfind(b"\r\n") + 2)


def _news(action: LoggedAction, known: dict[str, str] | None) -> dict[str, str] | None:
    row = _row(action)
    if known is None:
        return None if action.receipt else row
    theirs = known["check"] != _check(known["subject"], known["body"])
    return None if theirs or row["check"] == known["check"] else row


def _row(action: LoggedAction) -> dict[str, str]:
    subject, body = _plain(action.subject), _plain(action.body)
    values = (action.key, action.record_id, action.record_kind, subject, body)
    when = (action.done_at.isoformat(), action.day.isoformat())
    return dict(zip(COLUMNS, (*values, *when, action.owner_id or "", _check(subject, body)), strict=True))


def _plain(text: str) -> str:
    return harmless(text.replace("\r\n", "\n").replace("\r", "\n"))


def _check(subject: str, body: str) -> str:
    return blake2b(f"{subject}\0{body}".replace("\r\n", "\n").encode(), digest_size=6).hexdigest()
