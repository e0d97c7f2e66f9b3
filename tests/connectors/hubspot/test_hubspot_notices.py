"""HubSpot's webhooks: whose they are is proved on raw bytes, and of what they say only ids are taken."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hubspot.utils.signature import Signature
from hypothesis import given
from hypothesis import strategies as st

from connectors.base import Call, ConnectionSettings, Forged, NeedsAdmin
from connectors.hubspot.notices import read_notices

SECRET = "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy"
URL = "https://partners.example.com/notices/hs"
NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
# HubSpot's own example, as its documentation prints it, with the signature that belongs to it.
DOCUMENTED = (
    b'[{"eventId":1,"subscriptionId":12345,"portalId":62515,"occurredAt":1564113600000,'
    b'"subscriptionType":"contact.creation","attemptNumber":0,"objectId":123,"changeSource":"CRM",'
    b'"changeFlag":"NEW","appId":54321}]'
)
DOCUMENTED_V1 = "232db2615f3d666fe21a8ec971ac7b5402d33b9a925784df3ca654d05f4817de"
DOCUMENTED_V2 = "eee2dddcc73c94d699f5e395f4b9d454a069a6855fbfa152e91e88823087200e"


def settings(**notices: Any) -> ConnectionSettings:
    options = {"portal_id": "62515", "notices": {"secret": "env:S", "app_id": "54321", **notices}}
    return ConnectionSettings("hs", "hubspot", options, {"env:S": SECRET + "\n"}.__getitem__)


def signed(body: bytes, *, at: datetime = NOW, url: str = URL, secret: str = SECRET, **headers: str) -> Call:
    """A call as HubSpot makes it, signed by HubSpot's own library."""
    stamp = str(int(at.timestamp() * 1000))
    made = Signature.get_signature(secret, body.decode(), "v3", url, "POST", stamp)
    known = {"x-hubspot-signature-v3": made, "x-hubspot-request-timestamp": stamp, **headers}
    return Call("POST", url, {name: value for name, value in known.items() if value != "absent"}, body, NOW)


def event(**told: Any) -> dict[str, Any]:
    return {
        "eventId": 100,
        "subscriptionId": 7,
        "portalId": 62515,
        "appId": 54321,
        "occurredAt": 1764072000000,
        "subscriptionType": "deal.propertyChange",
        "attemptNumber": 0,
        "objectId": 501,
        "propertyName": "amount",
        "propertyValue": "100",
        "changeSource": "CRM_UI",
        **told,
    }


def heard(*events: Any, **notices: Any) -> list[tuple[str, str]]:
    told = read_notices(settings(**notices), signed(json.dumps(list(events)).encode())).notices
    return [(one.object, one.id) for one in told]


def refused(call: Call, **notices: Any) -> str:
    with pytest.raises(Forged) as caught:
        read_notices(settings(**notices), call)
    assert SECRET not in str(caught.value)
    return str(caught.value)


def test_a_call_that_hubspots_own_library_signed_is_taken():
    assert heard(event()) == [("deals", "501")]


def test_raw_bytes_are_verified_so_spaces_and_escapes_of_the_body_do_not_matter():
    body = (
        '[ {"portalId": 62515,\t"occurredAt":1, "subscriptionType":"deal.creation","objectId":9,"x":"商談"} ]'.encode()
    )
    assert [one.id for one in read_notices(settings(), signed(body)).notices] == ["9"]


@pytest.mark.parametrize("seconds", [-301, 301, -86_400, 86_400, 4_000_000_000])
def test_a_call_from_outside_the_five_minutes_is_refused_the_old_as_the_future_one(seconds: int):
    assert "five minutes" in refused(signed(DOCUMENTED, at=NOW + timedelta(seconds=seconds)))


@pytest.mark.parametrize("seconds", [-299, 0, 299])
def test_a_clock_that_differs_by_less_than_five_minutes_is_taken(seconds: int):
    assert read_notices(settings(), signed(DOCUMENTED, at=NOW + timedelta(seconds=seconds))).notices


@pytest.mark.parametrize(
    "call",
    [
        signed(DOCUMENTED, secret="another"),
        signed(DOCUMENTED, url=URL + "x"),
        signed(DOCUMENTED, **{"x-hubspot-signature-v3": "absent"}),
        signed(DOCUMENTED, **{"x-hubspot-signature-v3": ""}),
        signed(DOCUMENTED, **{"x-hubspot-signature-v3": "署名é\ud800"}),
        signed(DOCUMENTED, **{"x-hubspot-request-timestamp": "absent"}),
        signed(DOCUMENTED, **{"x-hubspot-request-timestamp": "-1"}),
        signed(DOCUMENTED, **{"x-hubspot-request-timestamp": "１７６４０７２０００００００"}),
        signed(DOCUMENTED, **{"x-hubspot-request-timestamp": "9" * 400}),
        signed(DOCUMENTED, **{"x-hubspot-request-timestamp": "nan"}),
    ],
)
def test_a_call_that_is_not_provably_hubspots_is_refused_and_never_breaks(call: Call):
    # What was signed for another address or secret comes here under ours.
    refused(Call(call.method, URL, call.headers, call.body, call.at))


def test_a_body_that_was_changed_on_its_way_is_refused():
    call = signed(DOCUMENTED)
    refused(Call(call.method, call.url, call.headers, call.body.replace(b"123", b"124"), call.at))


@pytest.mark.parametrize(
    ("called", "as_signed"),
    [
        ("/a%3Ab%2Fc%3Fd%40e%21f%24g%27h%28i%29j%2Ak%2Cl%3Bm", "/a:b/c?d@e!f$g'h(i)j*k,l;m"),
        ("/a%20b%25c%26d%2Be%3Df", "/a%20b%25c%26d%2Be%3Df"),
        ("/a%253Ab", "/a%253Ab"),
    ],
)
def test_exactly_twelve_percent_codes_of_the_address_are_decoded_before_it_is_compared(called: str, as_signed: str):
    whole = URL + called
    call = signed(DOCUMENTED, url=URL + as_signed)
    assert read_notices(settings(), Call("POST", whole, call.headers, call.body, NOW)).notices


def test_the_documented_v1_signature_is_taken_where_the_workspace_asks_for_it():
    headers = {"x-hubspot-signature": DOCUMENTED_V1, "x-hubspot-signature-version": "v1"}
    call = Call("POST", URL, headers, DOCUMENTED, NOW)
    (notice,) = read_notices(settings(signature="v1", app_id="1"), call).notices
    assert (notice.object, notice.id) == ("contacts", "123")
    refused(call)  # and nowhere else: it can be played again


def test_a_wrong_v3_signature_is_not_made_good_by_an_older_one_beside_it():
    headers = {"x-hubspot-signature": DOCUMENTED_V1, "x-hubspot-signature-version": "v1"}
    refused(signed(DOCUMENTED, secret="another", **headers), signature="v1")
    refused(signed(DOCUMENTED, **{**headers, "x-hubspot-signature-v3": ""}), signature="v1")


def test_the_documented_v2_signature_of_workflows_and_cards_is_no_webhook_of_an_app():
    address = "https://www.example.com/webhook_uri"
    assert hashlib.sha256(f"{SECRET}GET{address}".encode()).hexdigest() == DOCUMENTED_V2
    headers = {"x-hubspot-signature": DOCUMENTED_V2, "x-hubspot-signature-version": "v2"}
    refused(Call("GET", address, headers, b"", NOW), signature="v1")


def test_events_of_other_accounts_in_the_same_batch_are_left_out_and_ours_are_taken():
    theirs = [event(portalId=number, objectId=number) for number in range(1, 50)]
    ours = [event(objectId=number) for number in range(51, 101)]
    assert heard(*theirs, *ours) == [("deals", str(number)) for number in range(51, 101)]


@pytest.mark.parametrize(
    ("told", "ids"),
    [
        ({"subscriptionType": "deal.creation"}, [("deals", "501")]),
        ({"subscriptionType": "", "eventType": "company.propertyChange"}, [("companies", "501")]),
        ({"subscriptionType": "contact.deletion"}, [("contacts", "501")]),
        ({"subscriptionType": "contact.privacyDeletion"}, [("contacts", "501")]),
        ({"subscriptionType": "deal.restore"}, [("deals", "501")]),
        ({"subscriptionType": "object.creation", "objectTypeId": "0-3"}, [("deals", "501")]),
        ({"subscriptionType": "object.creation", "objectTypeId": "0-5"}, []),
        ({"subscriptionType": "ticket.creation"}, []),
        ({"subscriptionType": "conversation.newMessage"}, []),
        ({"subscriptionType": ""}, []),
        ({"objectId": "501"}, [("deals", "501")]),
        ({"objectId": None}, []),
        ({"objectId": -1}, []),
        ({"objectId": "501 OR 1=1"}, []),
        ({"objectId": 10**400}, []),
        ({"portalId": "62515"}, [("deals", "501")]),
        ({"portalId": [62515]}, []),
        (
            {"subscriptionType": "deal.merge", "primaryObjectId": 1, "mergedObjectIds": [2, 3], "newObjectId": 4},
            [("deals", "4")],
        ),
        (
            {"subscriptionType": "deal.merge", "objectId": None, "primaryObjectId": 1, "mergedObjectIds": [2]},
            [("deals", "1"), ("deals", "2")],
        ),
    ],
)
def test_each_kind_of_event_names_the_records_to_read_again(told: dict[str, Any], ids: list[tuple[str, str]]):
    assert heard(event(**told)) == ids


@pytest.mark.parametrize(
    "ends",
    [
        {"associationType": "DEAL_TO_COMPANY"},
        {"associationType": "", "fromObjectTypeId": "0-3", "toObjectTypeId": "0-2"},
    ],
)
def test_an_association_names_both_ends_and_whose_relations_changed(ends: dict[str, Any]):
    told = {"subscriptionType": "deal.associationChange", "fromObjectId": 1, "toObjectId": 2, "objectId": None, **ends}
    told["associationRemoved"] = True
    body = json.dumps([event(**told)]).encode()
    assert [(one.object, one.id, one.relations) for one in read_notices(settings(), signed(body)).notices] == [
        ("deals", "1", False),
        ("companies", "2", False),
        ("companies", "2", True),
    ]


def test_what_our_own_app_wrote_is_no_news():
    own = {"changeSource": "INTEGRATION", "sourceId": "54321"}
    others = event(objectId=1, changeSource="INTEGRATION", sourceId="99")
    by_hand = event(objectId=2, changeSource="CRM_UI", sourceId="54321")
    assert heard(event(**own), others, by_hand) == [("deals", "1"), ("deals", "2")]
    assert heard(event(changeSource="INTEGRATION", sourceId=54321)) == []


def test_the_same_event_sent_again_has_the_same_key_and_another_change_has_another():
    def key(**told: Any) -> str:
        body = json.dumps([event(**told)]).encode()
        return read_notices(settings(), signed(body)).notices[0].key

    assert key() == key(attemptNumber=3, eventId=999)
    others = [{"occurredAt": 1764072000001}, {"objectId": 502}, {"propertyName": "dealname"}, {"subscriptionId": 8}]
    assert len({key(), *(key(**other) for other in others)}) == 5


@pytest.mark.parametrize("body", [b"", b"{}", b"null", b"[", b"\xff\xfe", b"[" * 100_000, b'"a"', b"[1, null, []]"])
def test_a_signed_body_that_says_nothing_is_acknowledged(body: bytes):
    assert read_notices(settings(signature="v1"), _v1(body)).notices == []


def test_notices_without_the_number_of_our_account_wait_for_an_admin():
    alone = ConnectionSettings("hs", "hubspot", {"notices": {"secret": "env:S"}}, {"env:S": SECRET}.__getitem__)
    with pytest.raises(NeedsAdmin, match="portal_id"):
        read_notices(alone, signed(DOCUMENTED))


def test_a_connection_without_notices_takes_none():
    deaf = ConnectionSettings("hs", "hubspot", {"portal_id": "62515"}, {}.__getitem__)
    with pytest.raises(Forged):
        read_notices(deaf, signed(DOCUMENTED))


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
IDS = "primaryObjectId mergedObjectIds newObjectId fromObjectId toObjectId sourceId"
TYPES = "objectTypeId associationType fromObjectTypeId toObjectTypeId"
TOLD = st.dictionaries(st.sampled_from([*event(), *IDS.split(), *TYPES.split()]), ANYTHING, max_size=6)
EVENTS = st.lists(TOLD.map(lambda told: event(**told)) | ANYTHING, max_size=5)


@given(events=EVENTS)
def test_whatever_shape_a_signed_event_has_it_is_read_or_left_out(events: list[Any]):
    for notice in read_notices(settings(), signed(json.dumps(events).encode())).notices:
        assert notice.object in ("deals", "companies", "contacts")
        assert notice.id.isdecimal()


@given(
    body=st.binary(max_size=200),
    headers=st.dictionaries(
        st.sampled_from(
            [
                "x-hubspot-signature-v3",
                "x-hubspot-request-timestamp",
                "x-hubspot-signature",
                "x-hubspot-signature-version",
            ]
        ),
        st.text(max_size=60),
    ),
    old=st.booleans(),
)
def test_whatever_an_unsigned_call_holds_it_is_refused_unread(body: bytes, headers: dict[str, str], old: bool):
    refused(Call("POST", URL, headers, body, NOW), signature="v1" if old else "v3")


def _v1(body: bytes) -> Call:
    made = hashlib.sha256(SECRET.encode() + body).hexdigest()
    return Call("POST", URL, {"x-hubspot-signature": made}, body, NOW)
