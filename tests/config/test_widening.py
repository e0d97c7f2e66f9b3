"""What of a change needs a second person: everything that may show a partner more, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.folder import read_folder
from config.init import write_template
from config.load import load
from config.widening import WIDER, change_of

ADDRESSES = {
    "SALESFORCE_URL": "https://127.0.0.1:1",
    "HUBSPOT_URL": "https://127.0.0.1:2",
    "PAGE_URL": "http://127.0.0.1:3",
    "CA_FILE": "ca.pem",
    "PARTNER_PORT": "8600",
    "VENDOR_PORT": "8601",
}
POLICY, FIELDS, SETTINGS = "policies/deal-share.yaml", "fields.yaml", "sudare.yaml"
SALESFORCE, DOCUMENTS, WRITEBACK = "mappings/salesforce.yaml", "documents.yaml", "writeback.yaml"


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, str]:
    place = tmp_path_factory.mktemp("widening") / "w"
    write_template("demo", place, ADDRESSES)
    return dict(read_folder(Path(place)))


def changed(files, name, old, new):
    assert old in files[name], f"{name} does not say {old}"
    before = load(files)
    return change_of(before, before.policy, load({**files, name: files[name].replace(old, new)}))


@pytest.mark.parametrize(
    ("name", "old", "new", "kinds"),
    [
        (POLICY, "fields: [deal.amount], as: band", "fields: [deal.amount], as: exact", {"fields"}),
        (POLICY, "{partner.agreement: active}", "always", {"deals"}),
        (POLICY, "expire_after_days: 30", "expire_after_days: 31", {"expires_after_days"}),
        (FIELDS, "JPY: [1M, 5M, 20M, 100M]", "JPY: [1M, 2M, 5M, 20M, 100M]", {"bands"}),
        (FIELDS, ">= 20M JPY then", ">= 10M JPY then", {"expr"}),
        (SALESFORCE, "otherwise: influenced", "otherwise: resell", {"mapping"}),
        (SETTINGS, "fiscal_year_starts: 4", "fiscal_year_starts: 1", {"days"}),
        (SETTINGS, "    kind: hubspot\n", "    kind: hubspot\n    timezone: Asia/Seoul\n", {"days"}),
        (SETTINGS, "vendor_users:\n", "four_eyes: false\nvendor_users:\n", {"four_eyes"}),
        (SETTINGS, "https://127.0.0.1:2", "https://127.0.0.1:4", {"connections"}),
        (SETTINGS, "hubspot_token}", "another_token}", {"connections"}),
        (DOCUMENTS, "{partner.tier: [gold, platinum], partner.agreement: active}", "always", {"document"}),
        (SETTINGS, "sources:\n", "sources:\n  new: {vendor: true, secrets: ['env:NEW']}\n", {"source"}),
        (
            SETTINGS,
            "vendor_users:\n",
            "vendor_users:\n  t@minato.example: {name: 港, role: auditor}\n",
            {"console"},
        ),
        (SETTINGS, "vendor_users:\n", "ledger: {keep_years: 2}\nvendor_users:\n", {"ledger"}),
    ],
)
def test_what_may_show_more_is_wider_and_says_how(files, name, old, new, kinds):
    found = changed(files, name, old, new)
    assert {each.kind for each in found.widens} == kinds
    assert all(str(each) for each in found.widens)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        (POLICY, "deal.stage, deal.region,", "deal.stage,"),
        (POLICY, "expire_after_days: 30", "expire_after_days: 29"),
        (FIELDS, "JPY: [1M, 5M, 20M, 100M]", "JPY: [5M, 20M, 100M]"),
    ],
)
def test_what_only_shows_less_is_not_wider(files, name, old, new):
    found = changed(files, name, old, new)
    assert found.decides
    assert found.widens == ()


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        (POLICY, "policy: deal-share", "# a remark\npolicy: deal-share"),
        (WRITEBACK, "しました", "されました"),
        (SETTINGS, "name: 管理 担当", "name: 別の担当"),
    ],
)
def test_what_moves_nothing_for_partners_is_neither(files, name, old, new):
    found = changed(files, name, old, new)
    assert (found.decides, found.widens, found.narrows) == (False, (), False)


def test_who_is_in_the_console_already_is_no_new_person_by_another_spelling(files):
    user = "  approver@aozora.example: {name: 承認 担当, role: approver}\n"
    assert not changed(files, SETTINGS, user, user.replace("approver@aozora", "Approver@Aozora")).widens


def test_a_change_of_who_may_approve_is_told_by_itself(files):
    user = "  approver@aozora.example: {name: 承認 担当, role: approver}\n"
    found = changed(files, SETTINGS, user, user.replace("role: approver", "role: auditor"))
    assert {each.kind for each in found.approvers} == {"approver gone"}
    assert not found.widens


@pytest.mark.parametrize(
    ("old", "new", "way"),
    [
        ("vendor_users:\n", "mail: {host: mx.evil.example, sender: a@b.example}\nvendor_users:\n", "mail"),
        ("  # partner_url:", "  vendor_url: https://evil.example\n  #", "vendor_url"),
        ("  # partner_url:", "  partner_url: https://evil.example\n  #", "partner_url"),
    ],
)
def test_who_gets_sign_in_links_could_be_the_second_person_so_another_way_of_theirs_is_told(files, old, new, way):
    found = changed(files, SETTINGS, old, new)
    assert {(each.kind, each.about) for each in found.approvers} == {("sign-in", way)}


def test_bytes_that_are_open_to_few_do_not_go_out_as_a_new_edition_of_what_more_may_open(files):
    before = load(files)
    opens = {repr(each.who): each for each in before.documents}
    assert len(opens) == 2
    narrow, wide = sorted(opens.values(), key=lambda each: each.id == "product-guide")
    swapped = change_of(before, before.policy, load({**files, wide.file: files[narrow.file]}))
    assert {(each.kind, each.about) for each in swapped.widens} == {("document", wide.id)}
    newer = files[wide.file][:-1] + ("0" if files[wide.file][-1] != "0" else "1")
    assert not change_of(before, before.policy, load({**files, wide.file: newer})).widens


def test_a_limit_that_closed_documents_too_is_missed_by_them(files):
    rule = '  - {name: "No NDA, no prices", when: {partner.nda: {is_not: signed}}, classes: [price], at_most: hide}\n'
    found = changed(files, POLICY, rule, "")
    assert "document" in {each.kind for each in found.widens}
    assert not found.alone


def test_only_rules_and_fields_can_be_split(files):
    both = {**files, POLICY: files[POLICY].replace("deal.stage, deal.region,", "deal.stage,")}
    both[POLICY] = both[POLICY].replace("fields: [deal.amount], as: band", "fields: [deal.amount], as: exact")
    before = load(files)
    assert change_of(before, before.policy, load(both)).splits
    both[SALESFORCE] = files[SALESFORCE].replace("otherwise: influenced", "otherwise: resell")
    assert not change_of(before, before.policy, load(both)).splits


def test_every_way_of_being_wider_has_its_words():
    assert all("{}" in words or kind in ("four_eyes", "days", "deals") for kind, words in WIDER.items())
