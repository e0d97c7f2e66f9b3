"""Salesforce's outbound messages: a secret in the address proves them, and no XML of anybody's does harm."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.base import Call, ConnectionSettings, Forged, NeedsAdmin, Notice
from connectors.salesforce.notices import read_notices

SECRET = "Zr8_kU2vQm4-xT6bN0sWcE1y"
URL = f"https://partners.example.com/notices/sf/{SECRET}"
ORG = "00D5g000000SudxEAC"
NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
NOTIFICATION = """
   <Notification>
    <Id>{key}</Id>
    <sObject xsi:type="sf:{object}" xmlns:sf="urn:sobject.enterprise.soap.sforce.com">
     <sf:Id>{id}</sf:Id>
     <sf:Name>北辰 &amp; Söhne</sf:Name>
     <sf:OwnerId>005000000000001AAA</sf:OwnerId>
    </sObject>
   </Notification>"""
# As the SOAP API Developer Guide prints it.
MESSAGE = """<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"
  xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
 <soapenv:Body>
  <notifications xmlns="http://soap.sforce.com/2005/09/outbound">
   <OrganizationId>{org}</OrganizationId>
   <ActionId>04k5g0000008OJhAAM</ActionId>
   <SessionId xsi:nil="true"/>
   <EnterpriseUrl>https://aozora.my.salesforce.com/services/Soap/c/63.0/00D5g000000Sudx</EnterpriseUrl>
   <PartnerUrl>https://aozora.my.salesforce.com/services/Soap/u/63.0/00D5g000000Sudx</PartnerUrl>{notifications}
  </notifications>
 </soapenv:Body>
</soapenv:Envelope>"""
ONE = NOTIFICATION.format(key="04l5g00000A1b2CAAR", object="Opportunity", id="0065g00000XyZ12AAB")


def message(*notifications: str, org: str = ORG) -> bytes:
    return MESSAGE.format(org=org, notifications="".join(notifications or (ONE,))).encode()


def settings(secret: str = SECRET, **notices: Any) -> ConnectionSettings:
    options = {"notices": {"secret": "env:S", "organization_id": ORG, **notices}}
    return ConnectionSettings("sf", "salesforce", options, {"env:S": secret + "\n"}.__getitem__)


def call(body: bytes, url: str = URL) -> Call:
    return Call("POST", url, {"content-type": "text/xml; charset=UTF-8", "soapaction": '""'}, body, NOW)


def refused(asked: Call) -> str:
    with pytest.raises(Forged) as caught:
        read_notices(settings(), asked)
    assert SECRET not in str(caught.value)
    return str(caught.value)


def test_an_outbound_message_names_its_record_and_is_answered_with_the_ack_that_salesforce_waits_for():
    noticed = read_notices(settings(), call(message()))
    assert noticed.notices == [Notice("04l5g00000A1b2CAAR", "Opportunity", "0065g00000XyZ12AAB")]
    assert "<Ack>true</Ack>" in noticed.body
    assert 'xmlns="http://soap.sforce.com/2005/09/outbound"' in noticed.body
    assert noticed.content_type.startswith("text/xml")


def test_a_hundred_notifications_of_several_objects_are_taken_in_one_message():
    objects = ("Opportunity", "Account", "Contact", "Deal_Line__c")
    several = [
        NOTIFICATION.format(key=f"04l5g00000{n:05d}AAR", object=objects[n % 4], id=f"0065g00000{n:05d}AAB")
        for n in range(100)
    ]
    found = read_notices(settings(), call(message(*several))).notices
    assert len({one.key for one in found}) == 100
    assert {one.object for one in found} == set(objects)
    assert "100" in refused(call(message(*several, ONE)))


@pytest.mark.parametrize(
    "url", [URL[:-1], URL + "A", URL.replace(SECRET, ""), URL + "/", URL + "/é\ud800", "https://x"]
)
def test_without_the_secret_in_the_address_nothing_is_read(url: str):
    assert "secret" in refused(call(b"<!DOCTYPE x []><x/>", url))


@pytest.mark.parametrize("secret", ["", "short", "a" * 23, "with/slash/" + "a" * 24])
def test_a_secret_that_could_be_guessed_or_does_not_fit_an_address_waits_for_an_admin(secret: str):
    with pytest.raises(NeedsAdmin, match="24"):
        read_notices(settings(secret), call(message()))


def test_a_message_of_another_organization_is_refused_and_ours_is_known_by_both_lengths_of_its_id():
    refused(call(message(org="00D5g000000OtherAC")))
    refused(call(message(org="")))
    assert read_notices(settings(organization_id=ORG[:15]), call(message())).notices
    assert read_notices(settings(), call(message(org=ORG[:15]))).notices


BOMB = (
    '<!DOCTYPE lolz [<!ENTITY lol "lol">'
    + "".join(f'<!ENTITY lol{n} "{f"&lol{n - 1 or str()};" * 10}">' for n in range(1, 10))
    + "]>"
)


@pytest.mark.parametrize(
    "prologue",
    [
        BOMB,
        '<!DOCTYPE x [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE x [<!ENTITY x SYSTEM "http://127.0.0.1:1/x">]>',
        '<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd">',
        '<!DOCTYPE x [<!ENTITY % x SYSTEM "http://127.0.0.1:1/x">%x;]>',
        "<!DOCTYPE x>",
        '<?xml-stylesheet href="x"?>',
    ],
)
def test_entities_and_document_types_are_refused_before_anything_of_them_is_expanded(prologue: str):
    body = message().decode().replace('encoding="UTF-8"?>', f'encoding="UTF-8"?>{prologue}', 1)
    body = body.replace("北辰", "&lol9;" if prologue is BOMB else "北辰")
    assert "no outbound message does" in refused(call(body.encode()))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"<a>",
        b"<a/>",
        b"\xff\xfe<\x00a\x00",
        message()[:-20],
        message().replace("北辰".encode(), b"&undeclared;"),
        message().replace(b"2005/09/outbound", b"2005/09/inbound"),
        b"<a>" * 50_000,
        message()
        .replace(b"<sf:Name>", b"<sf:Name>" + b"<x>" * 20)
        .replace(b"</sf:Name>", b"</x>" * 20 + b"</sf:Name>"),
    ],
)
def test_what_is_no_outbound_message_is_refused_whatever_it_is(body: bytes):
    refused(call(body))


def test_a_notification_that_names_no_record_is_left_out_and_the_message_is_acknowledged():
    broken = [
        NOTIFICATION.format(key="04l5g00000A1b2CAAR", object="Opportunity", id="006'; DROP TABLE"),
        NOTIFICATION.format(key="?", object="Opportunity", id="0065g00000XyZ12AAB"),
        NOTIFICATION.format(key="04l5g00000A1b2CAAR", object="x y", id="0065g00000XyZ12AAB"),
        NOTIFICATION.format(key="04l5g00000A1b2CAAR", object="Opportunity", id="0" * 100_000),
        "<Notification/>",
    ]
    noticed = read_notices(settings(), call(message(*broken, ONE)))
    assert [one.id for one in noticed.notices] == ["0065g00000XyZ12AAB"]
    assert "<Ack>true</Ack>" in noticed.body


def test_a_record_inside_a_record_does_not_pass_for_it():
    inner = "<sf:Account><sf:Id>0015g00000EvilxAAB</sf:Id></sf:Account><sf:OwnerId>"
    noticed = read_notices(settings(), call(message(ONE.replace("<sf:OwnerId>", inner))))
    assert [one.id for one in noticed.notices] == ["0065g00000XyZ12AAB"]


@given(st.binary(max_size=300) | st.text(alphabet="<>/&;![]ax \"'=?-DOCTYPENI", max_size=200).map(str.encode))
def test_whatever_bytes_come_they_are_read_or_refused(body: bytes):
    refused(call(body))


@given(where=st.integers(0, len(message())), what=st.binary(max_size=8))
def test_a_message_with_anything_thrown_into_it_is_read_or_refused(where: int, what: bytes):
    body = message()[:where] + what + message()[where:]
    try:
        found = read_notices(settings(), call(body)).notices
    except Forged:
        return
    assert all(len(one.id) == 18 and len(one.key) == 18 for one in found)
