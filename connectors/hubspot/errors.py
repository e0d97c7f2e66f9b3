"""HubSpot's refusals, sorted by what to do next; nothing of the vendor's leaves the folder past here."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import msgspec
import urllib3.exceptions as lost

from connectors.base import BadRecord, CrmError, NeedsAdmin, TryAgain, Unknown


class Gone(BadRecord):
    """HubSpot has no such record or object (404)."""


class Taken(BadRecord):
    """Another record has this value of a property that takes each value once: the record's id stands in `id`."""

    def __init__(self, message: str, id: str) -> None:
        super().__init__(message)
        self.id = id


class LimitReached(TryAgain):
    """HubSpot counts too many calls (429)."""


class TokenRefused(NeedsAdmin):
    """HubSpot does not take the token (401); a refreshed one may do."""


class Misfit(NeedsAdmin):
    """HubSpot can't take this write before a setting of it or of the mapping is changed, but may take others."""


class Fault(msgspec.Struct, frozen=True):
    """One item of an error body, or of the `errors` of a 207."""

    category: str | None = None
    subCategory: Any = None  # noqa: N815 - HubSpot's spelling
    code: str | None = None
    message: str | None = None
    context: Any = None

    def named(self, what: str) -> tuple[str, ...]:
        """The texts that the context holds under a name, such as `ids`."""
        found = self.context.get(what, []) if isinstance(self.context, dict) else []
        return tuple(map(str, found if isinstance(found, list) else [found]))


class Refusal(Fault, frozen=True):
    """A whole error body; every part may be absent, and 5xx are HTML."""

    policyName: str | None = None  # noqa: N815 - HubSpot's spelling
    errors: tuple[Fault, ...] = ()


# Seconds to wait where no Retry-After says it. The day's limit ends at midnight of the account's zone, which we
# don't know: an hour is a fair next try.
PAUSES: Mapping[str, int] = {"SECONDLY": 1, "TEN_SECONDLY_ROLLING": 10, "DAILY": 3600}
LONGEST_PAUSE = 24 * 3600

# status -> (what to do, advice). A status that is not here: 5xx is "again", another 4xx is the record's fault.
STATUSES: Mapping[int, tuple[type[CrmError], str]] = {
    **dict.fromkeys(range(300, 400), (NeedsAdmin, "it points to another address: set `base_url` to the final one")),
    401: (TokenRefused, "the token is not taken: make a new key and put it where `auth` points"),
    403: (NeedsAdmin, "the key lacks a permission: add the scope in HubSpot; the sign-in itself still holds"),
    404: (Gone, "there is no such record"),
    408: (TryAgain, "it waited too long"),
    414: (NeedsAdmin, "too many fields are asked in one address: map fewer"),
    423: (TryAgain, "the record is locked for a moment"),
    429: (LimitReached, "its rate limit is reached"),
    477: (TryAgain, "the account is being moved"),
}
# Codes whose cure is a setting, whatever the status says.
_SETTINGS: Mapping[str, str] = {
    "MISSING_SCOPES": STATUSES[403][1],
    "PROPERTY_DOESNT_EXIST": "there is no such property, or the key may not see it: correct the mapping",
    "READ_ONLY_VALUE": "the property is read-only in HubSpot: map another",
    "MISSING_REQUIRED_PROPERTY": "the account's own rules ask for a property that is not written",
    "MISSING_CONDITIONAL_REQUIRED_PROPERTY": "the account's own rules ask for a property that is not written",
    "BAD_REFRESH_TOKEN": "the refresh token is not taken: connect the app again",
    "invalid_grant": "the refresh token is not taken: connect the app again",
}
# Only names are taken from HubSpot's sentences: the sentences themselves repeat values of the record.
_NAME = re.compile(r'"name"\s*:\s*"([a-z0-9_]+)"|[Pp]roperty \\?["\'`]([a-z0-9_]+)\\?["\'`]')
_CODE = re.compile(r'"error"\s*:\s*"(\w+)"|"(BAD_REFRESH_TOKEN|invalid_grant)"')
_TAKEN = re.compile(r"\b(\d+) already has that value")
_refusal = msgspec.json.Decoder(Refusal)


@contextmanager
def hubspot_problems(where: str, *, writing: bool = False) -> Iterator[None]:
    """Raise what HubSpot, its library or the network did as one of the contract's errors.

    `writing` tells that a lost answer may have done its work: it becomes Unknown.
    """
    lost_answer = Unknown if writing else TryAgain
    try:
        yield
    except CrmError:
        raise
    except lost.HTTPError as problem:
        raise _lost(problem, where, lost_answer) from None
    except msgspec.DecodeError:
        raise lost_answer(f"{where}: HubSpot's answer is broken or cut off") from None
    except Exception as problem:
        # 60 packages, each with an ApiException of its own: only `.status` is common to them. One that could not
        # decode its own error body stands behind the UnicodeDecodeError.
        for refused in (problem, problem.__context__):
            if isinstance(getattr(refused, "status", None), int):
                raise _refused(refused, where, writing) from None
        raise


def check_faults(faults: tuple[Fault, ...], where: str) -> None:
    """Refuse a partial answer unless all that is missing is records that don't exist."""
    for fault in faults:
        if fault.category != "OBJECT_NOT_FOUND":
            raise TryAgain(f"{where}: HubSpot answered in part: {fault.category or 'no category'}")


def refused_names(fault: Fault) -> list[str]:
    """The properties that a refusal is about, sorted."""
    names = {name for pair in _NAME.findall(fault.message or "") for name in pair if name}
    names.update(fault.named("propertyName"))
    for inner in getattr(fault, "errors", ()):
        names.update(refused_names(inner))
    return sorted(names)


def reason(fault: Fault) -> tuple[type[CrmError], str]:
    """What to do about one fault of one record, and why, without a value of the record."""
    codes = _codes(fault)
    names = "".join(f" `{name}`" for name in refused_names(fault))
    for code in codes:
        if code in _SETTINGS:
            return Misfit, f"{code}{names}: {_SETTINGS[code]}"
    return BadRecord, f"{(codes or ['it was refused'])[-1]}{names}: look at this record in HubSpot"


def _codes(fault: Fault) -> list[str]:
    """The category, then what says more."""
    inner: tuple[Fault, ...] = getattr(fault, "errors", ())
    said = [fault.category, fault.code, *(one.code for one in inner)]
    said += [code for pair in _CODE.findall(fault.message or "") for code in pair]
    return [code for code in said if code]


def _refused(refused: Any, where: str, writing: bool) -> CrmError:
    status: int = refused.status
    said = _read(refused.body)
    kind, text = STATUSES.get(status, (TryAgain, "it has a problem of its own") if status >= 500 else reason(said))
    if status == 403:
        text += "".join(
            f" `{scope}`" for part in (said, *said.errors) for scope in part.named("requiredGranularScopes")
        )
    answer = f"{where}: HubSpot answered {status}: {text}"
    if status in (400, 409) and (taken := _TAKEN.search(said.message or "")):
        return Taken(answer, taken[1])
    if not issubclass(kind, TryAgain):
        return kind(answer)
    if writing and status >= 500:
        return Unknown(answer)
    return kind(answer, after=_pause(status, refused.headers or {}, said.policyName))


def _read(body: Any) -> Refusal:
    try:
        said = _refusal.decode(body or b"{}")
    except (msgspec.DecodeError, TypeError):
        return Refusal()
    # The sign-in's own refusals carry their code under other names; the pattern for codes finds them as text.
    text = body.decode(errors="replace") if isinstance(body, bytes) else str(body)
    return msgspec.structs.replace(said, message=said.message if said.category else text)


def _pause(status: int, headers: Mapping[str, str], policy: str | None) -> timedelta | None:
    asked = str(headers.get("Retry-After", ""))
    if asked.isdecimal():
        return timedelta(seconds=min(int(asked), LONGEST_PAUSE))
    if status == 429:
        return timedelta(seconds=PAUSES.get(policy or "", PAUSES["TEN_SECONDLY_ROLLING"]))
    return timedelta(seconds=2) if status == 423 else None


def _lost(problem: lost.HTTPError, where: str, lost_answer: type[TryAgain]) -> CrmError:
    inner = problem.reason if isinstance(problem, lost.MaxRetryError) and problem.reason else problem
    if "CERTIFICATE_VERIFY_FAILED" in str(inner):
        return NeedsAdmin(f"{where}: HubSpot's certificate is not trusted: set `ca_file`, or correct `base_url`")
    # Refused before a byte was sent: nothing can have been done.
    if isinstance(inner, lost.NewConnectionError | lost.ConnectTimeoutError | lost.NameResolutionError):
        return TryAgain(f"{where}: HubSpot can't be reached")
    return lost_answer(f"{where}: HubSpot's answer was lost on the way")
