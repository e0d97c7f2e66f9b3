"""Writing to HubSpot through the sandbox CRM: one note per action, in spite of lost answers, and nobody overwritten."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.base import BadRecord, Connector, LoggedAction, NeedsAdmin, Receipt, Unknown
from connectors.hubspot.notes import LONGEST_NOTE, render
from connectors.sandbox import reshaping
from connectors.sandbox.hubspot.schema import Property
from connectors.sandbox.seed import HUBSPOT_IDS
from connectors.sandbox.server import Sandbox, start

DEAL, OTHER_DEAL = HUBSPOT_IDS["TATESHINA_ERP"], HUBSPOT_IDS["NURI_PORTAL"]
POST_NOTE = "POST /crm/v3/objects/notes?"


@pytest.fixture(scope="module")
def crm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    folder: Path = tmp_path_factory.mktemp("written")
    with start(folder) as running:
        yield running


@pytest.fixture
def hubspot(crm: Sandbox, connect: Callable[..., Connector]) -> Iterator[Connector]:
    crm.faults.clear()
    yield connect(crm.hubspot_url, secrets={"env:HUBSPOT_TOKEN": crm.hubspot_token})
    crm.faults.clear()


def _action(key: str, **changes: Any) -> LoggedAction:
    given = {"record_id": DEAL, "record_kind": "opportunity", "subject": "資料を開きました", "body": "4 ページまで"}
    at = datetime(2026, 11, 3, 1, 2, 3, tzinfo=UTC)
    return LoggedAction(key, **{**given, "done_at": at, "day": date(2026, 11, 3), **changes})


def _notes(crm: Sandbox, key: str, record: str = DEAL) -> list[Any]:
    return [entry for entry in crm.crm.timeline("hubspot", record) if entry.key == key]


def test_a_note_reads_as_the_partner_acted_with_its_words_escaped(crm, hubspot):
    action = _action("words", subject="質問 <b>", body='1 < 2 & "三"\n次の行', owner_id=HUBSPOT_IDS["KAGAMI"])
    [receipt] = hubspot.log_actions([action])
    [note] = _notes(crm, "words")
    assert note.id == receipt.id
    assert "<strong>質問 &lt;b&gt;</strong>" in note.body
    assert "1 &lt; 2 &amp; &quot;三&quot;<br>次の行" in note.body
    assert (note.day, note.owner_id) == ("2026-11-03", HUBSPOT_IDS["KAGAMI"])


def test_a_note_of_a_partner_without_a_deal_stands_on_its_company(crm, hubspot):
    company = HUBSPOT_IDS["HOKUTO"]
    hubspot.log_actions([_action("on-company", record_id=company, record_kind="account")])
    assert len(_notes(crm, "on-company", company)) == 1


@pytest.mark.parametrize("letter", ["字", "<", "&", "'", "\n"])
def test_a_text_of_any_length_fits_into_a_note_with_its_marker(letter):
    action = _action("long", body=letter * 100_000)
    text = render(action)
    assert LONGEST_NOTE * 0.98 < len(text) <= LONGEST_NOTE
    assert "sudare:long:" in text[-60:]


def test_a_lost_answer_is_unknown_for_that_action_only_and_then_found_as_one_note(crm, hubspot):
    crm.faults.plan(POST_NOTE, mode="after")
    lost, written = hubspot.log_actions([_action("lost"), _action("written")])
    assert isinstance(lost.problem, Unknown)
    assert written.problem is None
    found = hubspot.find_actions([_action("lost"), _action("never")])
    assert found == {"lost": _notes(crm, "lost")[0].id}


def test_a_late_twin_is_archived_and_the_first_note_stays(crm, hubspot):
    [first] = hubspot.log_actions([_action("twin")])
    hubspot.log_actions([_action("twin")])
    assert len(_notes(crm, "twin")) == 2
    assert hubspot.find_actions([_action("twin")]) == {"twin": first.id}
    assert [note.id for note in _notes(crm, "twin")] == [first.id]


def test_a_partner_cannot_make_an_action_look_logged_by_writing_its_marker(crm, hubspot):
    [forged] = hubspot.log_actions([_action("forger", body="sudare:victim:00000000")])
    crm.crm.edit("hubspot", "notes", forged.id, {"sudare_key": None})
    assert hubspot.find_actions([_action("victim"), _action("forger")]) == {"forger": forged.id}


def test_a_note_is_found_by_its_marker_where_the_account_has_no_key_property(crm, hubspot):
    [receipt] = hubspot.log_actions([_action("no-property")])
    crm.crm.edit("hubspot", "notes", receipt.id, {"sudare_key": None})
    assert hubspot.find_actions([_action("no-property")]) == {"no-property": receipt.id}


def test_what_a_crm_user_deleted_stays_deleted(crm, hubspot):
    [receipt] = hubspot.log_actions([_action("deleted")])
    crm.crm.delete("hubspot", "notes", receipt.id)
    again = hubspot.log_actions([_action("deleted", body="more", receipt=receipt.id)])
    assert again == [Receipt("deleted", receipt.id)]
    assert _notes(crm, "deleted") == []


def test_an_update_replaces_our_text_but_never_one_that_a_crm_user_changed(crm, hubspot):
    [receipt] = hubspot.log_actions([_action("edited")])
    later = _action("edited", body="7 ページまで", receipt=receipt.id)
    assert hubspot.log_actions([later]) == [Receipt("edited", receipt.id)]
    [note] = _notes(crm, "edited")
    assert "7 ページまで" in note.body
    crm.crm.edit("hubspot", "notes", receipt.id, {"hs_note_body": note.body + "<p>電話済み</p>"})
    assert hubspot.log_actions([replace(later, body="9 ページまで")]) == [Receipt("edited", receipt.id)]
    assert "電話済み" in _notes(crm, "edited")[0].body
    assert "9 ページまで" not in _notes(crm, "edited")[0].body


def test_one_action_given_twice_at_once_is_written_once(crm, hubspot):
    receipts = hubspot.log_actions([_action("double"), _action("double")])
    assert receipts[0] == receipts[1]
    assert len(_notes(crm, "double")) == 1


def test_one_bad_record_does_not_keep_the_others_from_being_written(crm, hubspot):
    values = {DEAL: {"shared_with_partners": "北斗"}, "99999999": {"shared_with_partners": "x"}}
    good, bad = hubspot.write_fields("deals", {**values, OTHER_DEAL: {"region": "atlantis"}})[:2]
    assert good == Receipt(DEAL, DEAL)
    assert isinstance(bad.problem, BadRecord)
    assert crm.crm.get("hubspot", "deals", DEAL).fields["shared_with_partners"] == "北斗"


def test_a_field_that_hubspot_does_not_have_is_named_for_the_admin(hubspot):
    [receipt] = hubspot.write_fields("deals", {DEAL: {"no_such_property": "x"}})
    assert isinstance(receipt.problem, NeedsAdmin)
    assert "`no_such_property`" in str(receipt.problem)


@pytest.mark.parametrize(
    ("account", "promise"),
    [
        ("plain", "once after healing: notes are found again by a marker in the note's text"),
        ("keyed", "once after healing: notes are found again by the property sudare_key"),
        ("own object", "once: the property sudare_key takes each key once, so HubSpot itself refuses a second record"),
        ("unique", "once: the property sudare_key takes each key once, so HubSpot itself refuses a second note"),
    ],
)
def test_each_kind_of_account_is_asked_what_it_offers_and_the_strongest_is_taken(tmp_path, connect, account, promise):
    unique = Property("sudare_key", "Sudare key", defined_by_hubspot=False, unique=True)
    with start(tmp_path) as crm:
        if account == "plain":
            reshaping.remove_field(crm.crm, "notes", "sudare_key")
        if account in ("own object", "unique"):
            crm.crm.make_own_object()
        if account == "unique":
            reshaping.put_field(crm.crm, "notes", unique)
        hubspot = connect(crm.hubspot_url, secrets={"env:HUBSPOT_TOKEN": crm.hubspot_token})
        assert hubspot.check_writing().startswith(promise)
        [receipt] = hubspot.log_actions([_action("one", owner_id=HUBSPOT_IDS["KAGAMI"])])
        [entry] = [one for one in crm.crm.timeline("hubspot", DEAL) if one.id == receipt.id]
        assert entry.object == ("sudare_actions" if account == "own object" else "notes")
        assert "資料を開きました" in entry.body
        again = hubspot.log_actions([_action("one", body="7 ページまで")])[0]
        standing = [one for one in crm.crm.timeline("hubspot", DEAL) if "sudare:one:" in one.body]
        if promise.startswith("once:"):
            assert (again, len(standing)) == (receipt, 1)
            assert "7 ページまで" in standing[0].body
        else:
            assert len(standing) == 2
        assert hubspot.find_actions([_action("one")]) == {"one": receipt.id}
        hubspot.log_actions([_action("one", body="9 ページまで", receipt=receipt.id)])
        [kept] = [one for one in crm.crm.timeline("hubspot", DEAL) if "sudare:one:" in one.body]
        assert "9 ページまで" in kept.body
