"""Every command as a sales admin types it."""

from __future__ import annotations

import json

import pytest
import sqlalchemy as sa
from demo_house import NAMES, crm_id

from sync import access
from sync.access import EVERYBODY
from sync.store import schema
from sync.store.identifiers import partner_id
from sync.webhooks.own import OFF, name_webhook
from webhook_app.partner.app import create_partner_app


def change(folder, name, old, new):
    path = folder / NAMES[name]
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.parametrize("crm", ["salesforce", "hubspot"])
def test_a_new_workspace_passes_its_check_can_be_applied_and_says_what_is_still_missing(sudare, tmp_path, crm):
    place = tmp_path / "mine"
    assert "is ready" in sudare("init", place, "--crm", crm).text
    checked = sudare("check", "--workspace", place)
    assert checked.code == 0
    assert "files are fine" in checked.text
    doctor = sudare("doctor", "--workspace", place)
    assert doctor.code == 1
    assert "sudare apply" in doctor.text
    assert sudare("apply", "--yes", "--workspace", place).text.endswith("Version 1 is in force.\n")
    again = sudare("init", place, "--crm", crm)
    assert again.code == 1
    assert "is not empty" in again.text


def test_a_workspace_that_works_is_healthy(sudare, folder):
    doctor = sudare("doctor", "--workspace", folder)
    assert doctor.code == 0, doctor.text
    for line in ("the files are in force", "sf: Opportunity", "hs: deals", "tables up to date"):
        assert line in doctor.text


def test_the_doctor_names_partners_whose_webhook_was_given_up(sudare, life, folder):
    name_webhook(life.house, partner_id("MINATO"), "https://crm.minato.example/a-path-of-theirs")
    assert "none was given up" in sudare("doctor", "--workspace", folder).text
    with life.house.writing() as tx:
        tx.execute(sa.update(schema.webhooks).values(state=OFF, status="410"))
    doctor = sudare("doctor", "--workspace", folder)
    assert doctor.code == 0, "the vendor's own house is healthy"
    assert "MINATO (crm.minato.example, last answer 410)" in doctor.text
    assert "a-path-of-theirs" not in doctor.text


def test_the_doctor_tells_the_address_for_notices_and_whether_the_crm_can_reach_it(sudare, folder):
    (folder / ".sudare" / "app_secret").write_text("c0ffee", encoding="utf-8")
    auth = "auth: {flow: token, token: file:.sudare/hubspot_token}\n"
    notices = f"{auth}    portal_id: '1'\n    notices: {{secret: file:.sudare/app_secret}}\n"
    change(folder, "settings", auth, notices)
    sudare("apply", "--yes", "--workspace", folder)
    doctor = sudare("doctor", "--workspace", folder)
    assert doctor.code == 1
    assert "set `serve.partner_url`" in doctor.text
    change(folder, "settings", "serve:\n", "serve:\n  partner_url: https://partners.aozora.example\n")
    doctor = sudare("doctor", "--workspace", folder)
    assert "enter `https://partners.aozora.example/notices/hs` in the CRM" in doctor.text
    (folder / ".sudare" / "app_secret").unlink()
    assert "secret `file:.sudare/app_secret` can't be read" in sudare("doctor", "--workspace", folder).text


def test_without_a_workspace_the_doctor_looks_at_the_installation(sudare, monkeypatch):
    monkeypatch.chdir("/")
    doctor = sudare("doctor")
    assert doctor.code == 0
    assert "none here" in doctor.text


def test_the_doctor_names_a_field_that_the_crm_hides(sudare, life, folder):
    life.faults.hide_field("Opportunity", "Region__c")
    doctor = sudare("doctor", "--workspace", folder)
    assert doctor.code == 1
    assert "the CRM shows no field `Opportunity.Region__c`" in doctor.text


def test_the_doctor_names_a_missing_secret_by_its_place_and_looks_on(sudare, folder):
    (folder / ".sudare" / "sf_client_secret").unlink()
    (folder / ".sudare" / "hubspot_token").unlink()
    doctor = sudare("doctor", "--workspace", folder)
    assert doctor.code == 1
    for name in ("sf_client_secret", "hubspot_token"):
        assert f"write the secret into the file `.sudare/{name}` of the workspace" in doctor.text
    assert "the rights of its user" not in doctor.text


def test_pull_says_the_next_step_by_who_must_take_it(sudare, life, folder):
    (folder / ".sudare" / "sf_client_secret").unlink()
    pulled = sudare("pull", "sf", "--workspace", folder)
    assert pulled.code == 1
    assert "next: write the secret into the file `.sudare/sf_client_secret` of the workspace" in pulled.text
    life.faults.hide_field("deals", "dealname")
    pulled = sudare("pull", "hs", "--workspace", folder)
    assert pulled.text.count("next: change what the line names") == 1
    life.sandbox.stop()
    pulled = sudare("pull", "hs", "--workspace", folder)
    assert "next: nothing to change" in pulled.text


def test_check_tells_every_problem_of_every_file_at_once(sudare, folder):
    change(folder, "policy", "as: quarter", "as: quartr")
    change(folder, "fields", "ladder: picklist}\n  deal.amount", "laddr: picklist}\n  deal.amount")
    change(folder, "settings", "fiscal_year_starts: 4", "fiscal_year_starts: 13")
    checked = sudare("check", "--workspace", folder)
    assert checked.code == 1
    for name in ("policies/deal-share.yaml:", "fields.yaml:", "sudare.yaml:"):
        assert name in checked.text
    assert "problems" in checked.text.splitlines()[-1]


def test_check_lists_each_field_that_is_read_with_its_reason(sudare, folder):
    checked = sudare("check", "--fields", "--workspace", folder)
    assert checked.code == 0
    for word in ("read from sf", "read from hs", "Amount", "closedate", "partner.tier"):
        assert word in checked.text
    assert "Internal_Notes__c" not in checked.text


def test_apply_shows_what_changes_for_partners_asks_and_takes_no_for_an_answer(sudare, folder):
    change(folder, "policy", "deal.stage, deal.region,", "deal.stage,")
    asked = sudare("apply", "--workspace", folder, answer="n\n")
    assert asked.code == 1
    assert "Changed files: policies/deal-share.yaml" in asked.text
    assert "deal.region" in asked.text
    assert "Put this in force?" in asked.text
    agreed = sudare("apply", "--workspace", folder, answer="y\n")
    assert "Version 2 is in force." in agreed.text
    seen = sudare("view-as", "MINATO", "--json", "--workspace", folder)
    assert "region" not in json.loads(seen.raw)["deals"][0]["deal"]
    assert "Nothing changed" in sudare("apply", "--workspace", folder).text


@pytest.mark.parametrize("name", ["[urgent] 横浜", "[/] 横浜", "[link=https://evil.example]横浜[/link]"])
def test_what_a_crm_or_a_person_wrote_is_printed_to_the_letter(sudare, life, folder, name):
    life.edit("sf", "Opportunity", "YOKOHAMA_CORE", Name=name)
    life.round("sf")
    assert name in sudare("view-as", "MINATO", "--workspace", folder).text
    change(folder, "policy", "deal.stage, deal.region,", "deal.stage,")
    assert sudare("apply", "--yes", "--why", name, "--workspace", folder).code == 0
    assert name in sudare("versions", "--workspace", folder).text


def test_pull_reads_a_round_and_names_what_it_could_not_read(sudare, life, folder):
    life.edit("sf", "Opportunity", "YOKOHAMA_CORE", Name="端末からの一巡")
    pulled = sudare("pull", "sf", "--workspace", folder)
    assert pulled.code == 0
    assert "sf: " in pulled.text
    assert "端末からの一巡" in life.names("MINATO")
    life.faults.revoke_tokens()
    pulled = sudare("pull", "--workspace", folder)
    assert pulled.code == 1
    assert "opportunities: " in pulled.text
    assert "sf: " in pulled.text


def test_write_back_writes_what_partners_did(sudare, life, folder):
    life.says("MINATO", "deal.accepted", "sf", "YOKOHAMA_CORE")
    life.clock.ahead *= 0
    with life.house.writing() as tx:
        tx.execute(schema.actions.update().values(next_at=life.house.now()))
    written = sudare("write-back", "--workspace", folder)
    assert written.code == 0
    assert "sf: 1 written" in written.text
    assert len(life.logged("sf", "YOKOHAMA_CORE")) == 1


def test_an_unknown_connection_is_refused_with_those_that_there_are(sudare, folder):
    for command in ("pull", "write-back", "settle"):
        refused = sudare(command, "sg", "--workspace", folder)
        assert refused.code == 1
        assert "no connection `sg`; there is sf, hs" in refused.text


@pytest.mark.parametrize("name", ["MINATO", crm_id("sf", "MINATO"), "みなと情報システム"])
def test_view_as_knows_a_partner_by_key_account_or_name(sudare, folder, name):
    seen = sudare("view-as", name, "--workspace", folder)
    assert seen.code == 0
    assert "横浜精機 保守契約更新" in seen.text


def test_a_name_that_several_have_is_refused_with_what_tells_them_apart(sudare, life, folder):
    life.edit("sf", "Account", "HANBIT", Name="みなと情報システム")
    life.edit("hs", "deals", "TATESHINA_ERP", dealname="横浜精機 基幹システム刷新")
    life.pull("sf")
    life.pull("hs")
    for words in (("view-as", "みなと情報システム"), ("invite", "みなと情報システム", "a@b.example")):
        refused = sudare(*words, "--workspace", folder)
        assert refused.code == 1
        assert "2 partners answer to `みなと情報システム`: give the key of one: HANBIT, MINATO" in refused.text
    assert sudare("view-as", "MINATO", "--workspace", folder).code == 0
    refused = sudare("explain", "MINATO", "横浜精機 基幹システム刷新", "--workspace", folder)
    assert refused.code == 1
    assert "2 deals answer to `横浜精機 基幹システム刷新`: give the id of one: " in refused.text
    assert f"(sf {crm_id('sf', 'YOKOHAMA_CORE')})" in refused.text
    assert sudare("explain", "MINATO", crm_id("sf", "YOKOHAMA_CORE"), "--workspace", folder).code == 0


def test_a_code_that_was_set_in_the_crm_to_another_partners_name_does_not_pass_for_that_partner(sudare, life, folder):
    life.edit("sf", "Account", "HANBIT", Partner_Code__c="みなと情報システム")
    life.pull("sf")
    refused = sudare("pause", "みなと情報システム", "--workspace", folder)
    assert refused.code == 1
    assert "2 partners answer to `みなと情報システム`: give the id of one: " in refused.text
    assert partner_id("MINATO") in refused.text
    assert life.rows(schema.pauses) == []
    assert sudare("pause", partner_id("MINATO"), "--workspace", folder).code == 0
    assert [row.scope for row in life.rows(schema.pauses)] == [partner_id("MINATO")]


@pytest.mark.parametrize(
    "words",
    [
        ("resume", ""),
        ("pause", ""),
        ("user", "add", "tanto@minato.example", "--partner", ""),
        ("user", "end", "admin@aozora.example", "--partner", ""),
        ("recalls", "--partner", ""),
    ],
)
def test_an_empty_partner_as_of_a_variable_that_is_not_set_is_nobody_and_never_everybody_or_the_vendor(
    sudare, life, folder, words
):
    access.pause(life.house, EVERYBODY, "admin")
    people = life.rows(schema.people)
    refused = sudare(*words, "--workspace", folder)
    assert refused.code == 1
    assert "no partner ``" in refused.text
    assert [row.scope for row in life.rows(schema.pauses)] == [EVERYBODY]
    assert life.rows(schema.people) == people


@pytest.mark.parametrize("deal", [crm_id("sf", "YOKOHAMA_CORE"), "横浜精機 基幹システム刷新"])
def test_view_as_shows_one_deal_by_crm_id_or_name(sudare, life, folder, deal):
    shown = sudare("view-as", "MINATO", deal, "--workspace", folder)
    assert json.loads(shown.text) == life.deal("MINATO", "sf", "YOKOHAMA_CORE")
    shown = sudare("view-as", "MINATO", life.public("MINATO", "sf", "YOKOHAMA_CORE"), "--workspace", folder)
    assert json.loads(shown.text) == life.deal("MINATO", "sf", "YOKOHAMA_CORE")


def test_view_as_json_gives_the_very_bytes_of_the_api(sudare, life, folder):
    api = create_partner_app(life.house).test_client()
    head = {"Authorization": "Bearer " + access.make_api_key(life.house, partner_id("MINATO"), "erp")}
    pages = api.get("/api/v1/deals?limit=100", headers=head)
    assert sudare("view-as", "MINATO", "--json", "--workspace", folder).raw == pages.data + b"\n"
    one = life.public("MINATO", "sf", "YOKOHAMA_CORE")
    deal = api.get(f"/api/v1/deals/{one}", headers=head)
    given = sudare("view-as", "MINATO", crm_id("sf", "YOKOHAMA_CORE"), "--json", "--workspace", folder)
    assert given.raw == deal.data + b"\n"


def test_view_as_says_when_a_partner_or_its_deal_is_not_there(sudare, folder):
    unknown = sudare("view-as", "NOBODY", "--workspace", folder)
    assert unknown.code == 1
    assert "no partner `NOBODY`" in unknown.text
    for more in ((), ("--json",)):
        refused = sudare("view-as", "HARBOR", crm_id("sf", "YOKOHAMA_CORE"), *more, "--workspace", folder)
        assert refused.code == 1
        assert "has no deal" in refused.text


def test_explain_says_which_rules_show_a_field_and_what_would_show_more(sudare, folder):
    told = sudare("explain", "HANBIT", crm_id("sf", "YOKOHAMA_CORE"), "deal.amount", "--workspace", folder)
    assert told.code == 0
    assert "deal.amount: hide" in told.text
    assert "No NDA, no prices" in told.text
    assert "policies/deal-share.yaml:" in told.text
    whole = sudare("explain", "HANBIT", crm_id("sf", "YOKOHAMA_CORE"), "--workspace", folder)
    assert "deal.margin" in whole.text
    unknown = sudare("explain", "HANBIT", crm_id("sf", "YOKOHAMA_CORE"), "deal.amuont", "--workspace", folder)
    assert unknown.code == 1
    assert "no field `deal.amuont`" in unknown.text
    assert sudare("explain", "HANBIT", "no such deal", "--workspace", folder).code == 1


def token_of(said):
    door, _, token = said.text.strip().rpartition("/l/")
    return door, token


def test_people_are_let_in_by_a_link_that_works_once_and_let_out_again(sudare, life, folder):
    door, token = token_of(sudare("user", "add", "chief@aozora.example", "--role", "admin", "--workspace", folder))
    assert door.endswith(":8601")
    _, person, _ = access.use_link(life.house, token)
    assert (person.role, person.partner_id) == ("admin", None)
    assert access.use_link(life.house, token) is None
    door, token = token_of(
        sudare("user", "add", "a@minato.example", "--partner", "MINATO", "--name", "新人", "--workspace", folder)
    )
    assert door.endswith(":8600")
    _, person, _ = access.use_link(life.house, token)
    assert (person.name, person.partner_id) == ("新人", partner_id("MINATO"))
    assert sudare("user", "end", "a@minato.example", "--partner", "MINATO", "--workspace", folder).code == 0
    ended = sudare("user", "end", "a@minato.example", "--partner", "MINATO", "--workspace", folder)
    assert ended.code == 1
    assert "a@minato.example" in ended.text


@pytest.mark.parametrize(
    "address",
    ["sato@", "sato@[", "sato,kim@minato.example", "hans@straße.example", "ｓａｔｏ@minato.example", "a b@c.d"],
)
def test_what_is_no_address_of_one_mailbox_is_not_invited(sudare, life, folder, address):
    before = life.rows(schema.people)
    for words in (("invite", "MINATO", address), ("user", "add", address, "--role", "admin")):
        refused = sudare(*words, "--workspace", folder)
        assert refused.code == 1
        assert f"`{address}` is not an e-mail address" in refused.text
    assert life.rows(schema.people) == before


def test_invite_speaks_the_partners_language(sudare, life, folder):
    _, token = token_of(sudare("invite", "HANBIT", "new@hanbit.example", "--workspace", folder))
    assert access.peek_link(life.house, token).language == "ko"


def test_pause_closes_and_resume_opens_one_partner_or_all(sudare, life, folder):
    assert "Closed for MINATO" in sudare("pause", "MINATO", "--workspace", folder).text
    assert life.names("MINATO") == set()
    assert life.names("HANBIT") != set()
    assert sudare("resume", "MINATO", "--workspace", folder).code == 0
    assert life.names("MINATO") != set()
    assert "everybody" in sudare("pause", "--workspace", folder).text
    assert [row.scope for row in life.rows(schema.pauses)] == [EVERYBODY]
    assert life.names("HANBIT") == set()
    assert sudare("resume", "--workspace", folder).code == 0
    assert sudare("pause", "NOBODY", "--workspace", folder).code == 1


def test_settle_ends_what_is_suspended(sudare, life, folder):
    with life.house.writing() as tx:
        tx.execute(
            schema.shares.update().where(schema.shares.c.partner_id == partner_id("HANBIT")).values(suspended=True)
        )
    assert "3 shares ended" in sudare("settle", "sf", "--workspace", folder).text
    assert [kind for kind, _ in life.feed("HANBIT")][-3:] == ["deal.ended"] * 3


def test_retry_takes_up_a_statement_whose_person_is_known_by_now(sudare, life, folder):
    told = {"person": "late@minato.example", "fields": {"course": "basics"}}
    assert life.posts("r-1", "training.completed", **told).status == "quarantined"
    sudare("invite", "MINATO", "late@minato.example", "--workspace", folder)
    assert "1 statements matched" in sudare("retry", "--workspace", folder).text
    assert life.rows(schema.quarantine) == []
    assert [row.id for row in life.rows(schema.statements)] == ["r-1"]


def test_every_command_has_help_that_says_what_it_is_for(sudare):
    listed = sudare("--help").text
    commands = ("init", "check", "apply", "pull", "write-back", "view-as", "explain", "user", "invite", "pause")
    for name in (*commands, "resume", "settle", "retry", "serve", "demo", "doctor"):
        assert name in listed
        assert len(sudare(name, "--help").text.splitlines()) > 4
