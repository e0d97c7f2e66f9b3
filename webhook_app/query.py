"""Reads what a list of deals is asked for: the same parameters at the portal and the API, checked the same way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sync.house import instant, moment
from sync.projection.reader import LIMIT
from sync.projection.shown import BY_CHANGE, STATE, BadQuery, Query

FIXED = ("sort", STATE, "q", "after", "limit")
_LONGEST = 300  # characters of a value


def read_query(parameters: Mapping[str, str], list_fields: Sequence[str]) -> Query:
    """The query that these parameters ask for; BadQuery names the first one that is wrong."""
    for name, value in parameters.items():
        # INVARIANT: an unknown parameter is refused; ignoring a filter would show more than was asked for.
        if name not in FIXED and name not in list_fields:
            raise BadQuery(name, f"unknown parameter; known are {', '.join([*FIXED, *list_fields])}")
        if len(value) > _LONGEST and name != "after":
            raise BadQuery(name, f"at most {_LONGEST} characters")
    sort = parameters.get("sort", "-" + BY_CHANGE)
    return Query(
        sort=sort.removeprefix("-"),
        descending=sort.startswith("-"),
        filters={name: parameters[name] for name in (STATE, *list_fields) if name in parameters},
        search=parameters.get("q", ""),
        after=parameters.get("after") or None,
        limit=read_limit(parameters.get("limit", "50")),
    )


def read_before(text: str | None) -> str | None:
    """Where the support log goes on: an instant as it was given. BadQuery for anything else."""
    try:
        if text is None or instant(moment(text)) == text:
            return text
    except (ValueError, OverflowError):
        pass
    raise BadQuery("before", "not the `next` of a page of the log")


def read_limit(text: str) -> int:
    """How many to give at once: 1 to 100."""
    if not (text.isascii() and text.isdigit() and len(text) < 4 and 1 <= int(text) <= LIMIT):
        raise BadQuery("limit", f"a whole number from 1 to {LIMIT}")
    return int(text)
