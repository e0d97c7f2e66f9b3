"""Salesforce's error codes, row by row: what each asks for, and that no value leaves with it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from connectors.base import BadRecord, CrmError, NeedsAdmin, TryAgain
from connectors.salesforce.errors import MEANINGS, LocatorGone, Refusal, call_problem, record_problem, refusals

ROOT = Path(__file__).parents[3]
PRIVATE = "Hanako_Yamada@customer.example"


@pytest.mark.parametrize("code", MEANINGS)
def test_every_code_says_where_what_and_what_to_do(code: str) -> None:
    problem = record_problem([Refusal(code, "", ("Amount",))], "writing Opportunity")
    assert isinstance(problem, MEANINGS[code].kind)
    assert str(problem) == f"writing Opportunity: {code} `Amount`: {MEANINGS[code].advice}"


@pytest.mark.parametrize("code", [code for code, meaning in MEANINGS.items() if meaning.quotes])
def test_a_text_that_may_repeat_a_value_stays_inside(code: str) -> None:
    assert PRIVATE not in str(
        record_problem([Refusal(code, f"data value too large: {PRIVATE}", ("Email",))], "writing")
    )


@pytest.mark.parametrize(
    ("code", "message", "kind", "after"),
    [
        ("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", TryAgain, timedelta(hours=1)),
        ("REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests (Concurrent API Requests) Limit exceeded.", TryAgain, None),
        ("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "trigger: UNABLE_TO_LOCK_ROW", TryAgain, None),
        ("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "trigger: null pointer", BadRecord, None),
        ("INVALID_QUERY_LOCATOR", "invalid query locator", LocatorGone, None),
        ("SOMETHING_NEW", "the org says so", BadRecord, None),
    ],
)
def test_the_text_decides_where_the_code_does_not(
    code: str, message: str, kind: type[CrmError], after: timedelta | None
) -> None:
    problem = record_problem([Refusal(code, message)], "writing")
    assert isinstance(problem, kind)
    if after:
        assert isinstance(problem, TryAgain)
        assert problem.after == after


def test_of_several_reasons_the_most_lasting_one_decides_and_all_are_told() -> None:
    found = [Refusal("UNABLE_TO_LOCK_ROW", "locked"), Refusal("REQUIRED_FIELD_MISSING", "missing", ("StageName",))]
    problem = record_problem(found, "writing")
    assert isinstance(problem, BadRecord)
    assert "UNABLE_TO_LOCK_ROW" in str(problem)
    assert "`StageName`" in str(problem)


@pytest.mark.parametrize(
    ("content", "status", "told"),
    [
        ([{"errorCode": "INVALID_TYPE", "message": "sObject type 'Nope' is not supported."}], 400, "`Nope`"),
        ({"error": "invalid_grant", "error_description": "audience is invalid"}, 400, "audience is invalid"),
        ("<html>no</html>", 404, "answered 404 without a reason"),
        ([{"errorCode": "URI_TOO_LONG", "message": ""}], 414, "map fewer fields"),
    ],
)
def test_a_whole_call_that_is_refused_needs_an_admin(content: object, status: int, told: str) -> None:
    problem = call_problem(refusals(content), "reading Nope", status)
    assert isinstance(problem, NeedsAdmin)
    assert told in str(problem)


def test_what_the_org_shows_of_the_query_is_left_out() -> None:
    message = (
        "\nSELECT Id, Margin__c FROM Opportunity WHERE Name = 'x'\n           ^\nERROR at Row:1:Column:12\n"
        "No such column 'Margin__c' on entity 'Opportunity'. If you are attempting to use a custom field, be sure to "
        "append the '__c' after the custom field name."
    )
    text = str(call_problem([Refusal("INVALID_FIELD", message)], "reading Opportunity", 400))
    assert text.startswith("reading Opportunity: INVALID_FIELD No such column `Margin__c` on entity `Opportunity`: let")
