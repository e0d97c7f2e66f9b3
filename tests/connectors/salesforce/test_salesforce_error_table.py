"""Salesforce's error table, row by row over the wire: what each answer makes us do, and how often we ask."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from virtual import ByHand

from connectors.base import BadRecord, Connector, CrmError, NeedsAdmin, Stream, TryAgain, Unknown
from connectors.budget import Budget
from connectors.contract import Story, action_for, problems_of
from connectors.sandbox.server import Sandbox

DEALS = Stream("opportunities", "Opportunity", ("Name",))
HTML = "<html><body>Service is down for maintenance</body></html>"
VALUE = "田中 花子"


@dataclass(frozen=True)
class Asked:
    """One row about a whole call: what is answered, what it means, how many calls it costs, what we are told."""

    status: int
    code: str
    message: str
    kind: type[CrmError]
    calls: int
    told: str = ""
    after: timedelta | None = None
    retry_after: str = ""

    def body(self) -> str:
        return json.dumps([{"errorCode": self.code, "message": self.message}]) if self.code else HTML


HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
READING = (
    Asked(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", TryAgain, 1, "used up", HOUR),
    Asked(403, "REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests Limit exceeded.", TryAgain, 1, "", timedelta(seconds=15)),
    Asked(503, "SERVER_UNAVAILABLE", "Server temporarily unavailable", TryAgain, 4),
    Asked(503, "", "", TryAgain, 4),
    Asked(500, "UNKNOWN_EXCEPTION", "An unexpected error occurred", TryAgain, 4),
    *(Asked(status, "", "", TryAgain, 4) for status in (502, 504, 406)),
    Asked(429, "", "", TryAgain, 1, "", timedelta(seconds=60), "60"),
    Asked(400, "QUERY_TIMEOUT", "Your query request was running for too long.", TryAgain, 1, "busy", MINUTE),
    Asked(400, "OPERATION_TOO_LARGE", "exceeded 100000 distinct who/what's", NeedsAdmin, 1, "narrow"),
    Asked(400, "INVALID_QUERY_LOCATOR", "invalid query locator", TryAgain, 3, "cursor"),
    Asked(400, "MALFORMED_QUERY", f"unexpected token: {VALUE}", NeedsAdmin, 1, "check the field names"),
    Asked(400, "INVALID_FIELD", "No such column 'X__c' on entity 'Opportunity'", NeedsAdmin, 1, "`X__c`"),
    Asked(400, "INVALID_TYPE", "sObject type 'Opportunity' is not supported.", NeedsAdmin, 1, "permission set"),
    Asked(401, "INVALID_SESSION_ID", "Session expired or invalid", NeedsAdmin, 2, "auth"),
    Asked(401, "INVALID_AUTH_HEADER", "INVALID_HEADER_TYPE", NeedsAdmin, 1, "auth"),
    Asked(403, "API_DISABLED_FOR_ORG", "API is not enabled", NeedsAdmin, 1, "API Enabled"),
    Asked(414, "URI_TOO_LONG", "", NeedsAdmin, 1, "map fewer fields"),
    Asked(431, "", "", NeedsAdmin, 1, "map fewer fields"),
)


@pytest.fixture(autouse=True)
def known(connector: Connector) -> None:
    """What an org tells once has been asked, so that only the calls of the row are counted."""
    connector.describe("Opportunity")
    connector.check_writing()


@pytest.mark.parametrize("row", READING, ids=lambda row: f"{row.status} {row.code or 'HTML'} {row.message[:10]}")
def test_a_read_that_is_refused_is_asked_again_as_often_as_that_may_help(
    connector: Connector, sandbox: Sandbox, row: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.salesforce.session.PAUSES", (0.0, 0.0, 0.0))
    sandbox.calls.clear()
    headers = {"Retry-After": row.retry_after} if row.retry_after else {}
    sandbox.faults.plan("queryAll", times=50, status=row.status, body=row.body(), headers=headers)
    with pytest.raises(row.kind) as caught:
        connector.read(DEALS, None)
    assert sum("queryAll" in call.path for call in sandbox.calls) == row.calls
    assert row.told in str(caught.value)
    assert VALUE not in str(caught.value)
    assert row.after is None or getattr(caught.value, "after", None) == row.after


@dataclass(frozen=True)
class Refused:
    """One row about one record of a batch: why it is refused, what that means, how often it is sent."""

    code: str
    message: str
    kind: type[CrmError] | None
    sent: int = 1
    told: str = ""


WRITING = (
    Refused("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record", TryAgain, 4),
    Refused("ALL_OR_NONE_OPERATION_ROLLED_BACK", "Record rolled back", TryAgain, 4),
    Refused("PROCESSING_HALTED", "The transaction was rolled back", TryAgain, 4),
    Refused("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "Trigger: UNABLE_TO_LOCK_ROW", TryAgain, 4),
    Refused("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "Trigger: Apex CPU time limit exceeded", TryAgain, 4),
    Refused("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "Trigger: null pointer", BadRecord, 1, "null pointer"),
    Refused("REQUIRED_FIELD_MISSING", "Required fields are missing: [Region__c]", BadRecord, 1, "Region__c"),
    Refused("STRING_TOO_LONG", f"Subject: data value too large: {VALUE}", BadRecord, 1, "correct"),
    Refused("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", f"bad value: {VALUE}", BadRecord),
    Refused("FIELD_CUSTOM_VALIDATION_EXCEPTION", "A closed task needs a result", BadRecord, 1, "needs a result"),
    Refused("FIELD_FILTER_VALIDATION_EXCEPTION", "Value does not match the filter", BadRecord, 1, "lookup filter"),
    Refused("INVALID_EMAIL_ADDRESS", f"invalid email address: {VALUE}", BadRecord),
    Refused("JSON_PARSER_ERROR", f"Cannot deserialize {VALUE}", BadRecord),
    Refused("DUPLICATES_DETECTED", f"You're creating a duplicate of {VALUE}", BadRecord, 1, "duplicate rule"),
    Refused("ENTITY_IS_DELETED", "entity is deleted", BadRecord, 1, "deleted in Salesforce"),
    Refused("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", BadRecord, 1, "gone or hidden"),
    Refused("INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", "insufficient access rights", BadRecord, 1, "share"),
    Refused("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights", BadRecord, 1, "share"),
    Refused("INVALID_FIELD_FOR_INSERT_UPDATE", "Unable to create/update fields: Subject", NeedsAdmin, 1, "Subject"),
    Refused("INVALID_FIELD", "No such column 'Subject' on sobject of type Task", NeedsAdmin, 1, "Subject"),
    Refused("STORAGE_LIMIT_EXCEEDED", "storage limit exceeded", NeedsAdmin, 1, "free storage"),
    Refused("DUPLICATE_EXTERNAL_ID", "external id not unique", NeedsAdmin, 1, "key field unique"),
    Refused("SOMETHING_NEW", "the org's own words", BadRecord, 1, "the org's own words"),
)


@pytest.mark.parametrize("row", WRITING, ids=lambda row: f"{row.code} {row.message[-12:]}")
def test_a_record_that_is_refused_is_sent_as_often_as_that_may_help_and_told_in_the_orgs_words(
    connect: Callable[..., Connector], sandbox: Sandbox, story: Story, row: Refused
) -> None:
    connector = connect(budget=Budget(ByHand().time))
    connector.log_actions([action_for(story)])
    sandbox.calls.clear()
    error = {"statusCode": row.code, "message": row.message, "fields": []}
    body = json.dumps([{"success": False, "errors": [error]}])
    sandbox.faults.plan("PATCH /services/data", times=50, status=200, body=body)
    (receipt,) = connector.log_actions([action_for(story)])
    assert sum(call.method == "PATCH" for call in sandbox.calls) == row.sent
    assert row.kind is not None
    assert isinstance(receipt.problem, row.kind)
    assert not isinstance(receipt.problem, Unknown)
    assert row.told in str(receipt.problem)
    assert row.code in str(receipt.problem)
    assert VALUE not in str(receipt.problem)


def test_duplicate_value_means_that_it_is_written_already(connector: Connector, sandbox: Sandbox, story: Story) -> None:
    action = action_for(story)
    (known,) = connector.log_actions([action])
    error = {"statusCode": "DUPLICATE_VALUE", "message": "duplicate value found", "fields": []}
    sandbox.faults.plan("PATCH", status=200, body=json.dumps([{"success": False, "errors": [error]}]))
    assert connector.log_actions([action]) == [known]


@pytest.mark.parametrize(
    ("trouble", "kind"),
    [
        ({"mode": "reset"}, Unknown),
        ({"mode": "after"}, Unknown),
        ({"mode": "half"}, Unknown),
        ({"status": 502, "body": HTML}, Unknown),
        ({"status": 504, "body": HTML}, Unknown),
        ({"status": 503, "body": HTML}, TryAgain),
        ({"status": 429, "body": HTML}, TryAgain),
        ({"status": 403}, TryAgain),
        ({"status": 300, "body": '["/services/data/v63.0/sobjects/Task/1"]'}, NeedsAdmin),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_a_write_without_an_answer_is_unknown_and_never_sent_again_by_itself(
    connector: Connector, sandbox: Sandbox, story: Story, trouble: dict[str, object], kind: type[CrmError]
) -> None:
    connector.log_actions([action_for(story)])
    sandbox.calls.clear()
    sandbox.faults.plan("PATCH /services/data", times=50, **trouble)  # type: ignore[arg-type]
    (problem,) = problems_of(lambda: connector.log_actions([action_for(story)]))
    assert isinstance(problem, kind)
    assert isinstance(problem, Unknown) == (kind is Unknown)
    assert sum(call.method == "PATCH" for call in sandbox.calls) == 1


def test_an_innocent_record_is_written_though_its_batch_was_rolled_back(
    connector: Connector, sandbox: Sandbox, story: Story
) -> None:
    action = action_for(story)
    error = {"statusCode": "ALL_OR_NONE_OPERATION_ROLLED_BACK", "message": "rolled back", "fields": []}
    sandbox.faults.plan("PATCH", status=200, body=json.dumps([{"success": False, "errors": [error]}]))
    (receipt,) = connector.log_actions([action])
    assert receipt.id


def test_a_wrong_kind_of_token_is_not_renewed_again_and_again(
    connect: Callable[..., Connector], sandbox: Sandbox
) -> None:
    connector = connect()
    connector.describe("Opportunity")
    sandbox.calls.clear()
    body = '[{"errorCode":"INVALID_SESSION_ID","message":"This session is not valid for use with the REST API"}]'
    sandbox.faults.plan("queryAll", times=50, status=401, body=body)
    with pytest.raises(NeedsAdmin):
        connector.read(DEALS, None)
    assert len(sandbox.calls) == 1
