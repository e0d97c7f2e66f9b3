"""What Salesforce's refusals mean: its error codes, sorted by what to do next."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import requests
import urllib3

from connectors.base import BadRecord, CrmError, NeedsAdmin, TryAgain, Unknown


class LocatorGone(TryAgain):
    """The query's cursor has ended: ask the same query again from its start."""


class LimitReached(TryAgain):
    """No more of this kind of job today."""


class NotThere(NeedsAdmin):
    """Nothing is under this address."""


class TargetGone(BadRecord):
    """The record that it belongs to is deleted or hidden: another one may take its place."""


class AlreadyWritten(BadRecord):
    """The unique key is taken: the record stands."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """One error of an answer, whichever of Salesforce's spellings it came in."""

    code: str
    message: str
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one error code asks for."""

    kind: type[CrmError]
    advice: str
    quotes: bool = False  # the org's text may repeat a record's value or our query: it is left out
    after: timedelta | None = None


_ACCESS = "let the integration user see and edit it (permission set), or take it out of the mapping"
_SIGN_IN = "check `auth` of this connection and the External Client App in Setup"
_DATA = "correct the text or the org's rule, then send it again"

MEANINGS: Mapping[str, Meaning] = {
    # sign-in
    "INVALID_SESSION_ID": Meaning(NeedsAdmin, f"a new sign-in was refused too: {_SIGN_IN}"),
    "INVALID_AUTH_HEADER": Meaning(NeedsAdmin, _SIGN_IN),
    "invalid_grant": Meaning(NeedsAdmin, f"{_SIGN_IN}; check this machine's clock too"),
    "invalid_client": Meaning(NeedsAdmin, _SIGN_IN),
    "invalid_client_id": Meaning(NeedsAdmin, _SIGN_IN),
    "invalid_client_credentials": Meaning(NeedsAdmin, _SIGN_IN),
    "unsupported_grant_type": Meaning(NeedsAdmin, "allow this flow in the External Client App, or choose another"),
    "inactive_user": Meaning(NeedsAdmin, "activate the integration user"),
    "inactive_org": Meaning(NeedsAdmin, "ask Salesforce to unlock the org"),
    "API_DISABLED_FOR_ORG": Meaning(NeedsAdmin, "give the integration user the permission API Enabled"),
    "API_CURRENTLY_DISABLED": Meaning(NeedsAdmin, "give the integration user the permission API Enabled"),
    # mapping, schema, field-level security
    "INVALID_FIELD": Meaning(NeedsAdmin, _ACCESS),
    "INVALID_TYPE": Meaning(NeedsAdmin, _ACCESS),
    "INVALID_FIELD_FOR_INSERT_UPDATE": Meaning(NeedsAdmin, _ACCESS),
    "NOT_FOUND": Meaning(NotThere, f"not there, or hidden from the integration user: {_ACCESS}"),
    "MALFORMED_QUERY": Meaning(NeedsAdmin, "check the field names and `only:` values of the mapping", quotes=True),
    "INVALID_QUERY_FILTER_OPERATOR": Meaning(NeedsAdmin, "check the `only:` values of the mapping", quotes=True),
    "INVALIDENTITY": Meaning(NeedsAdmin, "this object cannot be asked for in this way"),
    "DUPLICATE_EXTERNAL_ID": Meaning(NeedsAdmin, "several tasks carry one key: make the key field unique"),
    "STORAGE_LIMIT_EXCEEDED": Meaning(NeedsAdmin, "free storage in the org"),
    "OPERATION_TOO_LARGE": Meaning(NeedsAdmin, "narrow `only:` of the mapping"),
    # wait
    "UNABLE_TO_LOCK_ROW": Meaning(TryAgain, "somebody else is saving the same record"),
    "QUERY_TIMEOUT": Meaning(TryAgain, "the org was too busy to answer", after=timedelta(minutes=1)),
    "SERVER_UNAVAILABLE": Meaning(TryAgain, "the org is busy"),
    "UNKNOWN_EXCEPTION": Meaning(TryAgain, "the org failed inside"),
    "LIMIT_EXCEEDED": Meaning(LimitReached, "the org's query jobs of this day are used up", after=timedelta(hours=1)),
    "INVALID_QUERY_LOCATOR": Meaning(LocatorGone, "the query starts again"),
    "ALL_OR_NONE_OPERATION_ROLLED_BACK": Meaning(TryAgain, "another record of its batch was refused"),
    "PROCESSING_HALTED": Meaning(TryAgain, "another record of its batch was refused"),
    # this record
    "REQUIRED_FIELD_MISSING": Meaning(BadRecord, "the org requires a field that is not written"),
    "STRING_TOO_LONG": Meaning(BadRecord, _DATA, quotes=True),
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": Meaning(BadRecord, _DATA, quotes=True),
    "INVALID_EMAIL_ADDRESS": Meaning(BadRecord, _DATA, quotes=True),
    "JSON_PARSER_ERROR": Meaning(BadRecord, _DATA, quotes=True),
    "FIELD_CUSTOM_VALIDATION_EXCEPTION": Meaning(BadRecord, "meet the org's validation rule or loosen it"),
    "FIELD_FILTER_VALIDATION_EXCEPTION": Meaning(BadRecord, "meet the org's lookup filter or loosen it"),
    "FIELD_INTEGRITY_EXCEPTION": Meaning(BadRecord, _DATA, quotes=True),
    "DUPLICATES_DETECTED": Meaning(BadRecord, "the org's duplicate rule stopped it", quotes=True),
    "DUPLICATE_VALUE": Meaning(AlreadyWritten, "another record has this value already", quotes=True),
    "ENTITY_IS_DELETED": Meaning(TargetGone, "the record is deleted in Salesforce"),
    "INVALID_CROSS_REFERENCE_KEY": Meaning(TargetGone, "the record it belongs to is gone or hidden"),
    "MALFORMED_ID": Meaning(BadRecord, "the record's id is not Salesforce's"),
    "INACTIVE_OWNER_OR_USER": Meaning(BadRecord, "the owner is not an active user", quotes=True),
    "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY": Meaning(BadRecord, "share the record with the integration user"),
    "INSUFFICIENT_ACCESS": Meaning(
        NeedsAdmin, "give the user the right; deploying needs Modify Metadata Through Metadata API Functions"
    ),
    "INSUFFICIENT_ACCESS_OR_READONLY": Meaning(BadRecord, "share the record with the integration user"),
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY": Meaning(BadRecord, "an automation of the org failed: see its debug log"),
}

DAILY, CONCURRENT = timedelta(hours=1), timedelta(seconds=15)  # how long the org is left alone after such a refusal
_DAILY = Meaning(TryAgain, "the org's calls of this day are used up", after=DAILY)
_CONCURRENT = Meaning(TryAgain, "too many long calls at once", after=CONCURRENT)
_NO_CALL = Meaning(NeedsAdmin, "see what the org says")
_NO_RECORD = Meaning(BadRecord, _DATA)
_LOCKS = ("UNABLE_TO_LOCK_ROW", "CPU time limit")
_TEXT_LIMIT = 300


def refusals(content: Any) -> list[Refusal]:
    """The errors of an answer's body: a list of them, one of them, OAuth's form, or a page that is none."""
    found = content if isinstance(content, list) else [content]
    return [_refusal(one) for one in found if isinstance(one, dict)]


def _refusal(one: Mapping[str, Any]) -> Refusal:
    code = one.get("errorCode") or one.get("statusCode") or one.get("error") or ""
    return Refusal(
        str(code),
        str(one.get("message") or one.get("error_description") or ""),
        tuple(str(name) for name in one.get("fields") or ()),
    )


def meaning(one: Refusal, otherwise: Meaning) -> Meaning:
    """What one refusal asks for; `otherwise` where the code is not known."""
    if one.code == "REQUEST_LIMIT_EXCEEDED":
        return _CONCURRENT if "Concurrent" in one.message else _DAILY
    if one.code == "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY" and any(lock in one.message for lock in _LOCKS):
        return MEANINGS["UNABLE_TO_LOCK_ROW"]
    return MEANINGS.get(one.code, otherwise)


def record_problem(found: Sequence[Refusal], where: str) -> CrmError:
    """Why one record of a batch was refused. Of several reasons the most lasting one decides."""
    return _problem(found, where, _NO_RECORD)


def call_problem(found: Sequence[Refusal], where: str, status: int) -> CrmError:
    """Why a whole call was refused."""
    if status in (414, 431):
        return NeedsAdmin(f"{where}: the query is longer than Salesforce takes: map fewer fields")
    if status == 300:
        return NeedsAdmin(f"{where}: several records carry one key: make the key field unique")
    if not found:
        return NeedsAdmin(f"{where}: answered {status} without a reason: check the addresses of this connection")
    return _problem(found, where, _NO_CALL)


def _problem(found: Sequence[Refusal], where: str, otherwise: Meaning) -> CrmError:
    known = [(one, meaning(one, otherwise)) for one in found] or [(Refusal("", ""), otherwise)]
    worst = min((what for _, what in known), key=lambda what: _lasting(what.kind))
    said = ", ".join(dict.fromkeys(_said(one, what) for one, what in known))
    text = f"{where}: {said}: {worst.advice}"
    return worst.kind(text, after=worst.after) if issubclass(worst.kind, TryAgain) else worst.kind(text)


def _lasting(kind: type[CrmError]) -> int:
    return next(rank for rank, one in enumerate((BadRecord, NeedsAdmin, TryAgain)) if issubclass(kind, one))


def _said(one: Refusal, what: Meaning) -> str:
    # INVARIANT: a text that may repeat a record's value never leaves; the fields it names do.
    text = "" if what.quotes else _plain(one.message)
    named = [f"`{name}`" for name in one.fields if name not in text]
    return " ".join(part for part in (one.code or "refused", *named, text) if part)


def _plain(message: str) -> str:
    # The org shows the query before it comes to the point, and gives advice after it.
    point = re.search(r"(No such column '[^']*' on entity '[^']*'|Didn't understand relationship '[^']*')", message)
    text = " ".join((point.group(1) if point else message).split())
    return re.sub(r"['\"]([A-Za-z0-9_.]+)['\"]", r"`\1`", text).rstrip(".")[:_TEXT_LIMIT]


def retry_after(answer: requests.Response) -> timedelta | None:
    """What the answer asks to wait, a day at most; None where it does not say."""
    text = answer.headers.get("Retry-After", "")
    return timedelta(seconds=min(int(text), 86_400)) if text.isascii() and text.isdigit() else None


@contextmanager
def salesforce_problems(where: str, *, writing: bool = False) -> Iterator[None]:
    """Turns what the library and its HTTP client raise into our errors; `where` begins their text."""
    from simple_salesforce.exceptions import SalesforceError

    try:
        yield
    except TryAgain as error:
        raise type(error)(f"{where}: {error}", after=error.after) from error.__cause__
    except SalesforceError as error:
        found = refusals(error.content)
        # The cause is kept for its type and status; what it quotes (query, values) must not reach a log.
        error.url, error.content = "(left out)", ", ".join(one.code for one in found)
        problem = call_problem(found, where, error.status)
        if isinstance(problem, BadRecord) and not writing:
            raise NeedsAdmin(str(problem)) from error
        raise problem from error
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        raise wire_problem(error, where, writing=writing) from None  # its text may hold a URL or a proxy's password


def wire_problem(error: Exception, where: str, *, writing: bool) -> CrmError:
    """What a failed connection means. A write that may have arrived is Unknown."""
    name = type(error).__name__
    if isinstance(error, requests.TooManyRedirects):
        return NeedsAdmin(f"{where}: redirects to another address: set login_url or instance_url to the right one")
    if isinstance(error, (requests.exceptions.SSLError, urllib3.exceptions.SSLError)):
        return NeedsAdmin(f"{where}: the server's certificate is not trusted: set ca_file to its CA")
    if isinstance(error, (requests.exceptions.InvalidSchema, requests.exceptions.InvalidURL)):
        return NeedsAdmin(f"{where}: the address is not this connection's: check login_url and instance_url")
    if isinstance(error, requests.exceptions.ProxyError):
        return TryAgain(f"{where}: the proxy did not connect: check `proxy` if this lasts")
    if writing and not never_sent(error):
        return Unknown(f"{where}: no answer came ({name}): look for the key before sending again")
    return TryAgain(f"{where}: no answer came ({name})")


def never_sent(error: Exception) -> bool:
    """True where the connection failed before anything was written to it."""
    if isinstance(error, requests.ConnectTimeout):
        return True
    return any(isinstance(cause, urllib3.exceptions.NewConnectionError) for cause in _causes(error))


def _causes(error: BaseException) -> Iterable[Any]:
    for one in error.args:
        yield one
        yield getattr(one, "reason", None)
