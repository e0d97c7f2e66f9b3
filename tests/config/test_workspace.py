"""A good workspace is read into the nouns that every process works from."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from config.folder import read_folder
from config.load import check, database_url, load
from config.workspace import PLACEHOLDERS, Workspace
from connectors.base import RelationSource
from mapping.model import Broken, Place
from mapping.values import Money

NOW = datetime(2026, 11, 25, tzinfo=UTC)
GOOD = Path(__file__).parent / "good"


@pytest.fixture(scope="module")
def workspace(good: Mapping[str, str]) -> Workspace:
    return load(good)


def test_settings_have_what_sudare_yaml_says_and_defaults_for_the_rest(workspace: Workspace) -> None:
    assert workspace.vendor == "青空ソフトウェア"
    assert workspace.timezone.key == "Asia/Tokyo"
    assert workspace.fiscal_year_starts == 4
    assert workspace.languages == ("ja", "ko", "en")
    assert workspace.serving.partner_url == "http://127.0.0.1:8600"
    assert workspace.sources["minato"].partner == "MINATO"
    assert workspace.sources["learning"].vendor
    assert workspace.vendor_users == {"admin@aozora.example": ("管理 担当", "admin")}
    assert workspace.mail == {}


def test_a_connection_keeps_its_options_as_written_and_its_secrets_as_references(workspace: Workspace) -> None:
    row = workspace.connections["sf"]
    assert (row.kind, row.language, row.timezone.key) == ("salesforce", "ja", "Asia/Tokyo")
    assert row.options["auth"]["client_secret"] == "file:.sudare/sf_client_secret"
    assert row.options["api_version"] == "63.0"


def test_a_mapping_names_the_crm_fields_of_ours(workspace: Workspace) -> None:
    mapping = workspace.mappings["hs"]
    fields = {each.name: each for each in mapping.contacts.fields} if mapping.contacts else {}
    assert fields["contacts[].name"].sources == ("lastname", "firstname")
    assert fields["contacts[].name"].join == " "
    assert mapping.partners.only == {"is_partner": ("true",)}
    assert mapping.partner_key == "partner_code"
    assert mapping.reply_fields == ("deal.message",)
    assert [each.via for each in mapping.relations] == ["label", "label", "label", "key"]
    child = workspace.mappings["sf"].relations[0]
    assert child.source == RelationSource(
        via="child", object="OpportunityPartner", deal="OpportunityId", account="AccountToId", role="Role"
    )
    assert child.roles["Referral"] == "sourced"


def test_a_field_has_its_class_ladder_bands_and_the_type_that_its_mapping_gives(workspace: Workspace) -> None:
    rows = {row.name: row for row in workspace.fields.rows}
    assert rows["deal.amount"].type == "money"
    assert rows["deal.amount"].bands["USD"][0] == Money(1_000_000, "USD")
    assert rows["deal.amount"].bands["JPY"][0] == Money(1_000_000, "JPY")
    assert rows["deal.margin"].classes == {"price", "internal"}
    assert rows["deal.close"].type == "date"


def test_a_field_that_nobody_classified_is_internal(good: Mapping[str, str]) -> None:
    workspace = load({**good, "fields.yaml": without(good["fields.yaml"], "deal.next_step")})
    row = next(row for row in workspace.policy.rows if row.name == "deal.next_step")
    assert row.classes == {"internal"}
    assert "internal" in workspace.fields.never_share


def test_internal_can_never_be_shared_even_where_fields_yaml_does_not_say_so(good: Mapping[str, str]) -> None:
    files = {**good, "fields.yaml": good["fields.yaml"].replace("never_share: [internal]\n", "")}
    assert load(files).fields.never_share == {"internal"}


def test_where_two_connections_map_a_field_the_one_listed_first_wins(good: Mapping[str, str]) -> None:
    settings = good["sudare.yaml"]
    start, middle = settings.index("  sf:\n"), settings.index("  hs:\n")
    end = settings.index("\nsources:")
    swapped = settings[:start] + settings[middle:end] + settings[start:middle] + settings[end:]
    assert list(load(good).mappings) == ["sf", "hs"]
    assert list(load({**good, "sudare.yaml": swapped}).mappings) == ["hs", "sf"]


def test_a_test_file_speaks_of_the_policy_that_it_is_named_after(workspace: Workspace) -> None:
    tests = workspace.policies[0].tests
    assert tests[0].name == "Gold sees a band"
    assert tests[2].given["partner"] == {"tier": "silver", "nda": "signed", "agreement": "active"}
    assert tests[1].vary == ("deal.margin",)


def test_a_rule_knows_the_place_of_each_of_its_words(workspace: Workspace) -> None:
    rule = next(rule for rule in workspace.policies[0].rules if rule.name == "No NDA, no prices")
    assert rule.places["at_most"].line == rule.place.line
    assert isinstance(rule.places["when.partner.nda"], Place)
    assert rule.places["price"].column > rule.places["classes"].column


@pytest.mark.parametrize(
    ("document", "partner", "opens"),
    [
        ("price-list", {"partner.tier": "gold", "partner.nda": "signed"}, True),
        ("price-list", {"partner.tier": "silver", "partner.nda": "signed"}, False),
        ("price-list", {"partner.tier": "gold", "partner.nda": "none"}, False),
        ("price-list", {"partner.tier": "gold", "partner.nda": None}, False),
        ("price-list", {}, False),
        ("product-guide", {"partner.agreement": "active"}, True),
        ("product-guide", {"partner.agreement": None}, False),
    ],
)
def test_a_document_opens_by_its_own_condition_and_the_policys_limits_on_its_class(
    workspace: Workspace, document: str, partner: Mapping[str, str | None], opens: bool
) -> None:
    found = next(each for each in workspace.documents if each.id == document)
    assert found.opens_for(partner) is opens


def test_a_document_is_known_by_the_fingerprint_of_its_bytes(tmp_path: Path, good: Mapping[str, str]) -> None:
    first = load(good).documents[0]
    assert len(first.sha256) == 64
    assert first.version == first.sha256[:12]
    copy(good, tmp_path)
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "price-list.pdf").write_bytes(b"another")
    (tmp_path / "documents" / "product-guide.pdf").write_bytes((GOOD / "documents" / "product-guide.pdf").read_bytes())
    changed = load(read_folder(tmp_path)).documents
    assert (changed[0].version != first.version, changed[1].version) == (True, load(good).documents[1].version)


def test_a_link_that_leads_out_of_the_documents_folder_is_no_document(tmp_path: Path, good: Mapping[str, str]) -> None:
    copy(good, tmp_path)
    (tmp_path / "documents").mkdir()
    (tmp_path / "secret").write_text("hunter2")
    (tmp_path / "documents" / "price-list.pdf").symlink_to(tmp_path / "secret")
    with pytest.raises(Broken, match=r"price-list\.pdf` is not there"):
        load(read_folder(tmp_path))


def test_check_runs_the_policy_tests_and_remarks_on_what_may_surprise(tmp_path: Path, good: Mapping[str, str]) -> None:
    workspace, said = check(GOOD, NOW)
    assert workspace.files["fields.yaml"] == good["fields.yaml"]
    assert said == []
    copy({**good, "documents.yaml": "", "fields.yaml": without(good["fields.yaml"], "deal.next_step")}, tmp_path)
    (tmp_path / "documents.yaml").unlink()
    _, said = check(tmp_path, NOW)
    assert [str(each) for each in said] == [
        "mappings/salesforce.yaml:42:5 `deal.next_step` is not listed in fields.yaml, so it is internal"
    ]


def test_check_remarks_on_a_filter_of_deals_that_tells_what_is_never_shared(
    tmp_path: Path, good: Mapping[str, str]
) -> None:
    shutil.copytree(GOOD / "documents", tmp_path / "documents")
    filtered = "via: population, deals: {deal.margin: [1]}, partners: {partner.tier: gold}"
    mapping = good["mappings/hubspot.yaml"].replace("via: key, field: partner_code", filtered)
    copy({**good, "mappings/hubspot.yaml": mapping}, tmp_path)
    told = [each.message for each in check(tmp_path, NOW)[1]]
    assert any("knows which values deal.margin may have, and its class is internal" in each for each in told)


def test_check_says_which_texts_wait_for_a_person(tmp_path: Path, good: Mapping[str, str]) -> None:
    name, rule = "policies/deal-share.yaml", "{name: Next step, when: always, fields: [deal.next_step], as: exact}"
    copy({**good, name: good[name].replace("show:\n", f"show:\n  - {rule}\n", 1), "documents.yaml": ""}, tmp_path)
    (tmp_path / "documents.yaml").unlink()
    workspace, said = check(tmp_path, NOW)
    assert [str(each) for each in said] == [
        "policies/deal-share.yaml:6:67 rule `Next step`: each text of deal.next_step waits for a person's approval in "
        "the console; until then it is redacted"
    ]
    assert workspace.policy.why["deal.margin"] == "hidden value, to be masked in deal.next_step"


def test_check_fails_with_the_policy_tests_that_fail(tmp_path: Path, good: Mapping[str, str]) -> None:
    name = "policies/tests/deal-share.test.yaml"
    copy({**good, name: good[name].replace("5M-20M JPY", "20M-100M JPY"), "documents.yaml": ""}, tmp_path)
    (tmp_path / "documents.yaml").unlink()
    with pytest.raises(Broken, match=r"deal-share\.test\.yaml:4:5 test `Gold sees a band`: "):
        check(tmp_path, NOW)


def test_the_address_of_the_database_may_be_kept_outside(
    tmp_path: Path, good: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUDARE_DATABASE", "postgresql+psycopg://sudare:hunter2@db/sudare")
    copy({**good, "sudare.yaml": good["sudare.yaml"].replace("sqlite:///sudare.db", "env:SUDARE_DATABASE")}, tmp_path)
    assert database_url(tmp_path) == "postgresql+psycopg://sudare:hunter2@db/sudare"
    assert database_url(GOOD) == "sqlite:///sudare.db"


def test_a_file_that_is_not_utf8_is_named_with_its_line(tmp_path: Path, good: Mapping[str, str]) -> None:
    copy(good, tmp_path)
    (tmp_path / "fields.yaml").write_bytes("classes:\n  price: 金額\n".encode("shift_jis"))
    with pytest.raises(Broken, match=r"fields\.yaml:2:1 not UTF-8 text; save the file as UTF-8"):
        read_folder(tmp_path)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("policies/limits.YAML", "policies/limits.yaml"),
        ("policies/limits.yaml.txt", "policies/limits.yaml"),
        ("policies/limits.yml", "policies/limits.yaml"),
        ("policies/emea/de/limits.yaml", "policies/limits.yaml"),
        ("policies/emea/de/fr/limits.Yml", "policies/limits.yaml"),
        ("Policies/limits.yaml", "policies/limits.yaml"),
        ("mappings/old/old/crm.yaml", "mappings/crm.yaml"),
    ],
)
def test_a_file_of_limits_that_nothing_reads_is_told_and_never_passed_over(
    tmp_path: Path, good: Mapping[str, str], name: str, meant: str
) -> None:
    copy(good, tmp_path)
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text("limit: []", encoding="utf-8")
    with pytest.raises(Broken) as broken:
        load(read_folder(tmp_path))
    said = f"{name}:1:1 nothing reads this file; did you mean `{meant}`?"
    assert said in [str(each) for each in broken.value.problems]


def test_a_policy_that_is_a_link_to_nothing_or_no_file_is_told(tmp_path: Path, good: Mapping[str, str]) -> None:
    copy(good, tmp_path)
    (tmp_path / "policies" / "limits.yaml").symlink_to(tmp_path / "nothing.txt")
    os.mkfifo(tmp_path / "policies" / "pipe.yaml")
    (tmp_path / "policies" / "kept.yaml").mkdir()
    with pytest.raises(Broken) as broken:
        read_folder(tmp_path)
    assert {each.place.file for each in broken.value.problems} == {"policies/limits.yaml", "policies/pipe.yaml"}


@pytest.mark.parametrize("secret", ["../.sudare/smtp", "../../elsewhere.yaml"])
def test_a_link_to_what_is_no_file_of_the_workspace_is_named_and_nothing_of_it_is_repeated(
    tmp_path: Path, good: Mapping[str, str], secret: str
) -> None:
    home = tmp_path / "workspace"
    home.mkdir()
    copy(good, home)
    link = home / "policies" / "limits.yaml"
    link.symlink_to(secret)
    (home / ".sudare").mkdir(exist_ok=True)
    (link.parent / secret).write_text("hunter2: [", encoding="utf-8")
    with pytest.raises(Broken) as refused:
        read_folder(home)
    (problem,) = map(str, refused.value.problems)
    assert problem.startswith("policies/limits.yaml:1:1 a link out of the workspace")
    assert "hunter2" not in problem


def test_no_rule_hides_behind_a_return_in_what_looks_like_a_comment(tmp_path: Path, good: Mapping[str, str]) -> None:
    copy(good, tmp_path)
    policy, rule = (
        tmp_path / "policies" / "deal-share.yaml",
        "  - {name: x, when: always, fields: [deal.size], as: exact}",
    )
    text = policy.read_text(encoding="utf-8").replace("show:\n", f"show: # as agreed\r{rule}\n")
    policy.write_bytes(text.encode())
    with pytest.raises(Broken, match=r"policies/deal-share\.yaml:5:1 a return without a line feed"):
        read_folder(tmp_path)
    policy.write_bytes(good["policies/deal-share.yaml"].replace("\n", "\r\n").encode())
    load({**good, **read_folder(tmp_path)})


def test_what_is_no_yaml_or_begins_with_a_dot_is_left_alone(tmp_path: Path, good: Mapping[str, str]) -> None:
    beside = ("policies/README.md", "policies/deal-share.yaml~", "policies/.draft.yaml", "compose.yaml", "notes.txt")
    copy(good, tmp_path)
    for name in beside:
        (tmp_path / name).write_text("x", encoding="utf-8")
    yaml = {name for name in good if name.endswith(".yaml")}
    assert read_folder(tmp_path).keys() == {*yaml, "compose.yaml"}


def test_every_placeholder_of_the_good_templates_is_explained(workspace: Workspace) -> None:
    assert all(PLACEHOLDERS.values())
    assert {"partner.name", "user.name", "lines"} <= set(PLACEHOLDERS)


def copy(files: Mapping[str, str], folder: Path) -> None:
    for name, text in files.items():
        if name.endswith(".yaml"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")


def without(text: str, word: str) -> str:
    return "\n".join(line for line in text.splitlines() if word not in line) + "\n"
