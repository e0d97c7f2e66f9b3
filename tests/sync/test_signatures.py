"""Signatures against the standard's own library, and against 10,000 hostile messages."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from sync.signatures import open_secret, sign, verified

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
OTHER = "whsec_" + base64.b64encode(bytes(range(32, 64))).decode()
KEY = open_secret(SECRET)
BODY = '{"kind":"comment","text":"ご検討ください"}'.encode()


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC)


def _stamp(moment: datetime) -> int:
    return int(moment.timestamp())


def test_what_the_standards_own_library_signs_is_taken(now):
    signature = Webhook(SECRET).sign("msg_1", now, BODY.decode())
    assert verified([KEY], "msg_1", str(_stamp(now)), signature, BODY, now)


def test_what_we_sign_is_taken_by_the_standards_own_library(now):
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(_stamp(now)),
        "webhook-signature": sign(KEY, "msg_1", _stamp(now), BODY),
    }
    assert Webhook(SECRET).verify(BODY.decode(), headers) == json.loads(BODY)


def test_one_good_signature_among_several_is_enough_and_any_of_our_secrets_will_do(now):
    stamp = _stamp(now)
    signature = "v1a,bm90IG91cnM= v1,AAAA " + sign(open_secret(OTHER), "msg_1", stamp, BODY)
    assert not verified([KEY], "msg_1", str(stamp), signature, BODY, now)
    assert verified([KEY, open_secret(OTHER)], "msg_1", str(stamp), signature, BODY, now)


@pytest.mark.parametrize(("seconds", "taken"), [(-301, False), (-299, True), (299, True), (302, False)])
def test_the_clock_window_has_two_sides(now, seconds, taken):
    stamp = _stamp(now + timedelta(seconds=seconds))
    assert verified([KEY], "msg_1", str(stamp), sign(KEY, "msg_1", stamp, BODY), BODY, now) is taken


@pytest.mark.parametrize("body", [BODY + b" ", BODY[:-1], b"", b"\xff" + BODY])
def test_a_changed_body_is_refused(now, body):
    stamp = _stamp(now)
    assert not verified([KEY], "msg_1", str(stamp), sign(KEY, "msg_1", stamp, BODY), body, now)


def test_an_id_with_a_dot_is_refused_because_two_messages_would_share_a_signature(now):
    stamp = _stamp(now)
    assert not verified([KEY], "msg.1", str(stamp), sign(KEY, "msg.1", stamp, BODY), BODY, now)


@pytest.mark.parametrize(
    "header", ["", "v1", "v1,", "v1,====", "v1,ü", "é" * 44, "v1," + "A" * 10**6, " " * 9999, "\0"]
)
def test_a_malformed_signature_is_refused_quietly(now, header):
    assert verified([KEY], "msg_1", str(_stamp(now)), header, BODY, now) is False


@pytest.mark.parametrize("stamp", ["", "now", "-1", "1e9", "１７６４０００００００", " 1", "9" * 5000, "nan", "inf"])
def test_a_timestamp_that_is_no_count_of_seconds_is_refused(now, stamp):
    assert verified([KEY], "msg_1", stamp, sign(KEY, "msg_1", 0, BODY), BODY, now) is False


def test_no_secret_verifies_nothing(now):
    stamp = _stamp(now)
    assert not verified([], "msg_1", str(stamp), sign(b"", "msg_1", stamp, BODY), BODY, now)


@pytest.mark.parametrize("text", ["", "whsec_", "whsec_!!", "whsec_c2hvcnQ=", "whsec_" + "A" * 400, "whsec_é"])
def test_a_secret_that_is_none_is_named_as_such_without_its_text(text):
    with pytest.raises(ValueError, match="a signing secret") as problem:
        open_secret(text)
    assert text[6:] == "" or text[6:] not in str(problem.value)


def _mutated(good: str) -> st.SearchStrategy[str]:
    """The good text, cut, doubled, with something put in, or anything at all."""
    place = st.integers(0, len(good))
    return st.one_of(
        st.just(good),
        st.tuples(place, st.text(max_size=4)).map(lambda cut: good[: cut[0]] + cut[1] + good[cut[0] :]),
        st.tuples(place, place).map(lambda cut: good[: cut[0]] + good[cut[1] :]),
        st.text(st.characters(), max_size=80),
        st.binary(max_size=60).map(lambda raw: raw.decode("latin-1")),
    )


NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
STAMP = str(int(NOW.timestamp()))
GOOD = sign(KEY, "msg_1", int(STAMP), BODY)


@settings(max_examples=10_000, deadline=None, suppress_health_check=list(HealthCheck))
@given(_mutated("msg_1"), _mutated(STAMP), _mutated(GOOD), st.one_of(st.just(BODY), st.binary(max_size=60)))
def test_ten_thousand_hostile_messages_get_yes_or_no_and_yes_only_where_the_standard_says_so(id, stamp, header, body):
    verdict = verified([KEY], id, stamp, header, body, NOW)
    assert verdict in (True, False)
    assert verdict is False or _agrees(id, stamp, header, body)


def _agrees(id: str, stamp: str, header: str, body: bytes) -> bool:
    oracle = Webhook(SECRET)
    said = [one.partition(",")[2] for one in header.split(" ") if one.startswith("v1,")]
    return oracle.sign(id, datetime.fromtimestamp(int(stamp), UTC), body.decode()).removeprefix("v1,") in said


def test_the_oracle_itself_still_refuses_what_it_should(now):
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify("{}", {"webhook-id": "a", "webhook-timestamp": "0", "webhook-signature": "v1,AAAA"})
