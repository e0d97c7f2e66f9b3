"""Putting into a CRM what Sudare needs there, as a person types it."""

from __future__ import annotations

import pytest

from connectors.sandbox import reshaping


@pytest.fixture
def bare(life):
    """Both CRMs as they were before anybody thought of Sudare."""
    reshaping.remove_field(life.crm, "Task", "Sudare_Key__c")
    reshaping.remove_field(life.crm, "Opportunity", "Shared_With_Partners__c")
    reshaping.remove_field(life.crm, "notes", "sudare_key")
    life.crm.execute("DELETE FROM label WHERE label = 'Distributor'")
    return life


def test_salesforce_from_nothing_to_a_doctor_that_is_content(sudare, bare, folder):
    assert sudare("doctor", "--workspace", folder).code == 1
    checked = sudare("install", "salesforce", "--check-only", "--workspace", folder)
    assert checked.code == 0
    assert checked.text.count("would be made") == 3
    assert sudare("doctor", "--workspace", folder).code == 1
    made = sudare("install", "salesforce", "--deploy", "--workspace", folder)
    assert made.code == 0
    assert "assign it to the integration user" in made.text
    bare.faults.assign("Sudare_Integration")
    assert sudare("install", "hubspot", "--deploy", "--workspace", folder).code == 0
    doctor = sudare("doctor", "--workspace", folder)
    assert doctor.code == 0, doctor.text


def test_hubspot_gets_the_key_and_the_label_that_the_mapping_names(sudare, bare, folder):
    assert sudare("check", "--online", "--workspace", folder).code == 1
    made = sudare("install", "hubspot", "--deploy", "--workspace", folder)
    assert made.code == 0, made.text
    assert "property notes.sudare_key" in made.text
    assert "label deals - companies: Distributor" in made.text
    reshaping.put_field(bare.crm, "Opportunity", reshaping.OBJECTS["Opportunity"]["Shared_With_Partners__c"])
    assert sudare("check", "--online", "--workspace", folder).code == 0


def test_write_makes_files_to_look_at_and_changes_nothing_there(sudare, bare, folder, tmp_path):
    before = len(bare.sandbox.calls)
    for crm in ("salesforce", "hubspot"):
        said = sudare("install", crm, "--write", tmp_path / crm, "--workspace", folder)
        assert said.code == 0, said.text
    assert (tmp_path / "salesforce" / "package.xml").is_file()
    assert (tmp_path / "hubspot" / "hsproject.json").is_file()
    asked = [call for call in bare.sandbox.calls[before:] if "/oauth2/token" not in call.path]
    assert {call.method for call in asked} <= {"GET"}


def test_what_the_crm_refuses_ends_the_command_with_1_and_its_words(sudare, bare, folder):
    refusal = '[{"message": "insufficient access rights", "errorCode": "INSUFFICIENT_ACCESS"}]'
    bare.faults.plan("metadata/deployRequest", status=403, body=refusal)
    said = sudare("install", "salesforce", "--deploy", "--workspace", folder)
    assert said.code == 1
    assert "Modify Metadata" in said.text


@pytest.mark.parametrize("words", [(), ("--check-only", "--deploy")])
def test_it_must_be_told_whether_to_look_or_to_do(sudare, folder, words):
    said = sudare("install", "salesforce", *words, "--workspace", folder)
    assert said.code == 2
    assert "say --check-only or --deploy" in said.text


def test_a_connection_that_is_not_of_this_crm_is_refused(sudare, folder):
    said = sudare("install", "salesforce", "--check-only", "--connection", "hs", "--workspace", folder)
    assert said.code == 1
    assert "no connection `hs` of kind salesforce" in said.text
