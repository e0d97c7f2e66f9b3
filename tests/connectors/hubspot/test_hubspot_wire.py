"""What goes over HubSpot's wire and what comes of its answers, against an address that answers as scripted."""

from __future__ import annotations

import json
import time
from datetime import UTC, date, datetime
from typing import Any

import pytest

from connectors.base import BadRecord, Health, LoggedAction, NeedsAdmin, Receipt, Stream, TryAgain, Unknown

TOKEN = "pat-na1-throw-away"
DEALS = Stream("opportunities", "deals", ("dealname",))
PROPERTIES = json.dumps({"results": [{"name": "dealname", "label": "Deal Name", "type": "string"}]})
NO_DEALS = json.dumps({"results": []})
RATE = {"status": "error", "errorType": "RATE_LIMIT", "message": "You have reached your secondly limit."}


def _action(key: str = "act-1", **changes: Any) -> LoggedAction:
    given = {"record_id": "1", "record_kind": "opportunity", "subject": "Opened", "body": "the price list"}
    at = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)
    return LoggedAction(key, **{**given, "done_at": at, "day": date(2026, 11, 25), **changes})


def test_the_token_goes_to_the_configured_address_only_even_where_that_redirects(place, elsewhere, connect):
    elsewhere.say(PROPERTIES)
    place.say("", 302, Location=f"{elsewhere.url}/crm/v3/properties/deals")
    with pytest.raises(NeedsAdmin, match="base_url"):
        connect(place.url).describe("companies")
    assert [call[2] for call in place.calls] == [f"Bearer {TOKEN}"]
    assert elsewhere.calls == []


@pytest.mark.parametrize(
    ("version", "paths"),
    [
        ("v3", ["/crm/v3/properties/deals", "/crm/v3/objects/deals", "/crm/v3/owners"]),
        ("2026-03", ["/crm/properties/2026-03/deals", "/crm/objects/2026-03/deals", "/crm/owners/2026-03"]),
        ("2026-09", ["/crm/properties/2026-09/deals", "/crm/objects/2026-09/deals", "/crm/owners/2026-09"]),
    ],
)
def test_each_version_of_the_api_is_called_under_its_own_paths(place, connect, version, paths):
    place.say(PROPERTIES)
    place.say(NO_DEALS)
    connector = connect(place.url, api_version=version)
    connector.read(DEALS, None)
    connector.read(Stream("users", "owners", ("email",)), None)
    assert [call[1].partition("?")[0] for call in place.calls] == paths


def test_a_version_that_we_do_not_know_is_refused_at_once(connect):
    with pytest.raises(NeedsAdmin, match="use one of v3, 2026-03, 2026-09"):
        connect("http://127.0.0.1:9", api_version="v5")


def test_a_token_is_never_sent_in_clear_text_over_a_network(connect):
    with pytest.raises(NeedsAdmin, match="must begin with https"):
        connect("http://crm.example.com")


def test_a_token_with_a_line_break_in_it_is_refused_without_repeating_it(connect):
    connector = connect("http://127.0.0.1:9", secrets={"env:HUBSPOT_TOKEN": "pat-one\npat-two"})
    with pytest.raises(NeedsAdmin, match="one line") as refused:
        connector.describe("deals")
    assert "pat-" not in str(refused.value)


@pytest.mark.parametrize("body", ["", "{", '{"results": [{"id": "1", "prop', "<html>busy</html>", '{"results": 7}'])
def test_a_200_that_is_no_whole_answer_is_asked_for_again_later_and_never_read_as_empty(place, connect, body):
    place.say(PROPERTIES)
    place.say(body)
    with pytest.raises(TryAgain, match="broken or cut off"):
        connect(place.url).read(DEALS, None)


def test_an_answer_that_ends_early_is_asked_for_again(place, connect):
    place.say(PROPERTIES[:30], Content_Length=str(len(PROPERTIES)), Connection="close")
    place.say(PROPERTIES)
    assert connect(place.url).describe("companies").fields["dealname"].label == "Deal Name"


def test_a_busy_hubspot_without_a_retry_after_is_given_the_time_that_its_policy_names(place, connect):
    place.say(json.dumps({**RATE, "policyName": "SECONDLY"}), 429)
    place.say(PROPERTIES)
    began = time.monotonic()
    connect(place.url).describe("companies")
    assert time.monotonic() - began > 0.9


def test_a_busy_hubspot_is_given_the_time_that_it_asks_for(place, connect):
    place.say(json.dumps({**RATE, "policyName": "TEN_SECONDLY_ROLLING"}), 429, Retry_After="1")
    place.say(PROPERTIES)
    began = time.monotonic()
    connect(place.url).describe("companies")
    assert 0.9 < time.monotonic() - began < 10  # what it asks for, and not the ten seconds of its policy


@pytest.mark.parametrize(
    ("policy", "header", "seconds"), [("DAILY", {}, 3600), ("SECONDLY", {"Retry_After": "900"}, 900)]
)
def test_a_pause_that_is_too_long_to_wait_for_is_told_instead(place, connect, policy, header, seconds):
    place.say(json.dumps({**RATE, "policyName": policy}), 429, **header)
    with pytest.raises(TryAgain) as busy:
        connect(place.url).describe("companies")
    assert busy.value.after is not None
    assert busy.value.after.total_seconds() == seconds
    assert len(place.calls) == 1


def test_a_hubspot_that_stays_down_is_given_up_after_three_tries(place, connect):
    place.say("<html>Bad gateway \xe9</html>".encode("latin-1"), 502, Content_Type="text/html")
    with pytest.raises(TryAgain, match="502"):
        connect(place.url).describe("companies")
    assert len(place.calls) == 3


def test_a_missing_scope_is_the_admins_to_add_and_not_a_lost_sign_in(place, connect):
    scope = {"context": {"requiredGranularScopes": ["crm.objects.deals.read"]}, "message": "One or more scopes"}
    place.say(json.dumps({"status": "error", "category": "MISSING_SCOPES", "errors": [scope]}), 403)
    with pytest.raises(NeedsAdmin, match=r"crm\.objects\.deals\.read") as refused:
        connect(place.url).describe("companies")
    assert "still holds" in str(refused.value)


def test_a_dead_key_is_the_admins_to_replace_and_its_text_is_in_no_error(place, connect):
    place.say(json.dumps({"category": "INVALID_AUTHENTICATION", "message": f"bad {TOKEN}"}), 401)
    with pytest.raises(NeedsAdmin, match="make a new key") as refused:
        connect(place.url).describe("companies")
    assert TOKEN not in f"{refused.value!r} {refused.value.__cause__!r}"
    assert len(place.calls) == 1


def test_a_rotated_key_is_picked_up_where_it_is_kept_without_a_restart(place, connect):
    secrets = {"env:HUBSPOT_TOKEN": "old"}
    connector = connect(place.url, secrets=secrets)
    place.say(PROPERTIES)
    connector.describe("companies")
    secrets["env:HUBSPOT_TOKEN"] = "new"
    place.answers[:] = [(401, {}, b"{}"), (200, {}, PROPERTIES.encode())]
    connector.describe("companies")
    assert [call[2] for call in place.calls] == ["Bearer old", "Bearer old", "Bearer new"]


def test_an_address_where_nobody_answers_says_so(connect):
    with pytest.raises(TryAgain, match="can't be reached"):
        connect("http://127.0.0.1:9").describe("companies")


def test_a_certificate_is_trusted_by_the_named_file_only(sandbox, connect):
    with pytest.raises(NeedsAdmin, match="set `ca_file`"):
        connect(sandbox.salesforce_url).describe("companies")
    with pytest.raises(NeedsAdmin, match="the token is not taken"):
        connect(sandbox.salesforce_url, ca_file=str(sandbox.ca_file)).describe("companies")


def test_what_a_record_holds_is_in_no_error(place, connect):
    told = [{"isValid": False, "message": "田中 太郎 is not valid", "error": "INVALID_OPTION", "name": "region"}]
    said = f"Property values were not valid: {json.dumps(told, ensure_ascii=False)}"
    place.say(json.dumps({"status": "error", "category": "VALIDATION_ERROR", "message": said}), 400)
    [receipt] = connect(place.url).write_fields("deals", {"1": {"region": "田中 太郎"}})
    assert isinstance(receipt.problem, BadRecord)
    assert "INVALID_OPTION `region`" in str(receipt.problem)
    assert "田中" not in str(receipt.problem)


def test_an_expired_access_token_is_renewed_once_and_then_the_admin_is_asked(place, connect):
    grant = json.dumps({"access_token": "first", "refresh_token": "r", "expires_in": 1800, "token_type": "bearer"})
    place.say(grant)
    place.say(json.dumps({"category": "EXPIRED_AUTHENTICATION", "message": "expired"}), 401)
    place.say(grant.replace("first", "second"))
    place.say(PROPERTIES)
    auth = {"flow": "refresh_token", "client_id": "env:ID", "client_secret": "env:SECRET", "refresh_token": "env:R"}
    secrets = {"env:ID": "client", "env:SECRET": "hush hush", "env:R": "refresh-me"}
    connector = connect(place.url, auth=auth, secrets=secrets)
    assert connector.describe("companies").fields
    assert [call[1] for call in place.calls if "oauth" in call[1]] == ["/oauth/v1/token"] * 2
    assert [call[2] for call in place.calls if "oauth" not in call[1]] == ["Bearer first", "Bearer second"]
    place.answers[:] = [(400, {}, b'{"status":"BAD_REFRESH_TOKEN","message":"missing or unknown refresh token"}')]
    fresh = connect(place.url, auth=auth, secrets=secrets)
    with pytest.raises(NeedsAdmin, match="connect the app again") as refused:
        fresh.describe("companies")
    assert "hush" not in str(refused.value)


def test_the_daily_limit_is_read_from_what_hubspot_says(place, connect):
    headers = {"X_HubSpot_RateLimit_Daily": "250000", "X_HubSpot_RateLimit_Daily_Remaining": "249000"}
    place.say(PROPERTIES, **headers)
    connector = connect(place.url)
    assert connector.health() == Health(None, None)
    connector.describe("companies")
    assert connector.health() == Health(1000, 250_000)


def _plain_account(place):
    """What an account without a key on notes says when it is asked how to write: properties, schemas, two lists."""
    for _ in range(4):
        place.say(json.dumps({"results": []}))


def test_a_note_whose_answer_is_lost_is_unknown_and_the_next_one_is_still_written(place, connect):
    _plain_account(place)
    place.say("<html>gateway timeout</html>", 504)
    place.say(json.dumps({"id": 77}), 201)
    first, second = connect(place.url).log_actions([_action("a"), _action("b")])
    assert isinstance(first.problem, Unknown)
    assert (second.id, second.problem) == ("77", None)


@pytest.mark.parametrize("status", [500, 502, 503, 504, 521, 524])
def test_after_any_failure_of_hubspot_itself_a_note_may_stand_and_is_not_sent_again(place, connect, status):
    _plain_account(place)
    place.say("<html>An error occurred</html>", status)
    [receipt] = connect(place.url).log_actions([_action("a")])
    assert isinstance(receipt.problem, Unknown)
    assert len(place.calls) == 5


@pytest.mark.parametrize("status", [423, 429, 477])
def test_a_note_that_hubspot_refused_for_now_did_not_stand_and_is_tried_again(place, connect, status):
    _plain_account(place)
    place.say("{}", status, Retry_After="0")
    place.say(json.dumps({"id": 77}), 201)
    [receipt] = connect(place.url).log_actions([_action("a")])
    assert (receipt.id, receipt.problem) == ("77", None)


def test_an_answer_that_the_library_does_not_know_is_read_all_the_same(place, connect):
    _plain_account(place)
    place.say(json.dumps({"id": 77}), 200)  # 2026-09 says 200 where the library knows 201
    [receipt] = connect(place.url, api_version="2026-09").log_actions([_action("a")])
    assert receipt.id == "77"


@pytest.mark.parametrize("body", ["", "{", '{"id"', "<html></html>", "null"])
def test_a_note_whose_answer_is_broken_may_stand(place, connect, body):
    _plain_account(place)
    place.say(body, 201)
    [receipt] = connect(place.url).log_actions([_action("a")])
    assert isinstance(receipt.problem, Unknown)


def test_an_account_that_may_not_show_its_own_objects_gets_notes(place, connect):
    place.say(json.dumps({"results": []}))
    place.say(json.dumps({"status": "error", "category": "MISSING_SCOPES"}), 403)
    place.say(json.dumps({"results": []}))
    assert "a marker in the note's text" in connect(place.url).check_writing()


def test_a_key_that_another_note_has_is_that_action_and_its_id_is_taken_from_what_hubspot_says(place, connect):
    unique = {"name": "sudare_key", "label": "Sudare key", "type": "string", "hasUniqueValue": True}
    place.say(json.dumps({"results": [unique]}))
    place.say(json.dumps({"results": []}))
    place.say(json.dumps({"results": []}))
    told = "Cannot set PropertyValueCoordinates{portalId=1, objectTypeId=0-46, propertyName=sudare_key, value=a} on 9."
    said = {"category": "VALIDATION_ERROR", "message": f"{told} 5 already has that value."}
    place.say(json.dumps({"status": "error", **said}), 400)
    place.say(json.dumps({"results": []}))
    assert connect(place.url).log_actions([_action("a")]) == [Receipt("a", "5")]


def test_a_refused_key_stops_the_notes_that_would_be_refused_as_well(place, connect):
    _plain_account(place)
    place.say(json.dumps({"id": "5"}), 201)
    place.say("{}", 401)
    one, two, three = connect(place.url).log_actions([_action("a"), _action("b"), _action("c")])
    assert one.id == "5"
    assert isinstance(two.problem, NeedsAdmin)
    assert isinstance(three.problem, NeedsAdmin)
    assert len(place.calls) == 6


def test_an_owner_who_left_does_not_keep_an_action_from_being_logged(place, connect):
    _plain_account(place)
    told = [
        {"isValid": False, "message": "Owner is not active", "error": "INVALID_OWNER_ID", "name": "hubspot_owner_id"}
    ]
    said = f"Property values were not valid: {json.dumps(told)}"
    place.say(json.dumps({"category": "VALIDATION_ERROR", "message": said}), 400)
    place.say(json.dumps({"id": "5"}), 201)
    [receipt] = connect(place.url).log_actions([_action(owner_id="9")])
    assert receipt.id == "5"
    bodies = [json.loads(call[3])["properties"] for call in place.calls[-2:]]
    assert ["hubspot_owner_id" in body for body in bodies] == [True, False]
