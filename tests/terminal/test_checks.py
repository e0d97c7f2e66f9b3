"""`sudare reconcile` and `sudare certificate` as a sales admin types them."""

from __future__ import annotations

import json


def test_before_any_check_the_certificate_says_that_nothing_is_proved(sudare, folder):
    told = sudare("certificate", "--workspace", folder)
    assert told.code == 1
    assert "sf: ids not compared yet, counts not compared yet" in told.text
    assert "hs: ids not compared yet, counts not compared yet" in told.text


def test_after_both_checks_the_certificate_names_them_and_their_times(sudare, folder):
    for ids in ([], ["--ids"]):
        done = sudare("reconcile", "sf", *ids, "--workspace", folder)
        assert done.code == 0, done.text
    told = sudare("certificate", "sf", "--workspace", folder)
    assert told.code == 0
    assert "sf: ids equal as of " in told.text
    assert ", counts equal as of " in told.text
    (one,) = json.loads(sudare("certificate", "sf", "--json", "--workspace", folder).text)
    assert one["says"] in told.text
    assert one["ids"]["state"] == one["counts"]["state"] == "equal"
    compared = {row["object"] for row in one["checks"] if row["kind"] == "ids"}
    assert compared == {"account", "contact", "opportunity", "relations:OpportunityPartner"}
    assert all(row["ours"] == row["theirs"] and row["calls"] > 0 for row in one["checks"])


def test_what_cannot_be_asked_is_told_with_its_reason(sudare, folder, life):
    life.faults.plan("FROM Contact", 99, status=503)
    told = sudare("reconcile", "sf", "--ids", "--workspace", folder)
    assert told.code == 1
    assert "ids could not be compared" in told.text
    assert "503" in told.text or "again" in told.text


def test_an_unknown_connection_is_named_with_those_that_there_are(sudare, folder):
    for command in ("reconcile", "certificate"):
        told = sudare(command, "nope", "--workspace", folder)
        assert told.code == 1
        assert told.text == "no connection `nope`; there is sf, hs\n"
