"""A new workspace passes the check as it is, and an editor knows its words."""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from pypdf import PdfReader

from config.editor import schemas, write_schemas
from config.folder import read_folder
from config.init import TEMPLATES, FolderInUse, init, init_demo, write_template
from config.load import check, load
from config.positions import locate
from config.soundness import refusals
from mapping.model import Broken

NOW = datetime(2026, 11, 25, tzinfo=UTC)
WRONG = Path(__file__).parent / "wrong"
ADDRESSES = {
    "SALESFORCE_URL": "https://127.0.0.1:8443",
    "HUBSPOT_URL": "http://127.0.0.1:8650",
    "PAGE_URL": "http://127.0.0.1:8650",
    "CA_FILE": "ca.pem",
    "PARTNER_PORT": "8600",
    "VENDOR_PORT": "8601",
}
STANDARD = re.compile(r"^[A-Za-z_.]+$")


@pytest.fixture(params=[*TEMPLATES, "demo"])
def new(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A new workspace from each template."""
    folder = tmp_path / "workspace"
    if request.param == "demo":
        init_demo(folder, ADDRESSES)
    else:
        init(folder, request.param)
    return folder


def test_a_new_workspace_passes_the_check_without_a_remark(new: Path) -> None:
    workspace, said = check(new, NOW)
    assert said == []
    assert sum(len(policy.tests) for policy in workspace.policies) >= 3
    assert stat.S_IMODE((new / ".sudare" / "key").stat().st_mode) == 0o600


@pytest.mark.parametrize("crm", TEMPLATES)
def test_a_new_workspace_needs_no_field_that_a_new_crm_does_not_have(tmp_path: Path, crm: str) -> None:
    init(tmp_path, crm)
    (mapping,) = load(read_folder(tmp_path)).mappings.values()
    parts = (mapping.partners, mapping.accounts, mapping.contacts, mapping.opportunities, mapping.users)
    sources = {source for part in parts if part for field in part.fields for source in field.sources}
    assert not {source for source in sources if source.endswith("__c") or source.startswith("partner")}


STAGES = ("NDA", "contract", "consent", "registration")


@pytest.mark.parametrize("wanted", [*([one] for one in STAGES), STAGES], ids=lambda stages: " ".join(stages))
@pytest.mark.parametrize("crm", TEMPLATES)
def test_each_stage_of_disclosure_is_there_to_be_switched_on_alone_or_with_the_others(
    tmp_path: Path, crm: str, wanted: list[str]
) -> None:
    init(tmp_path, crm)
    before = load(read_folder(tmp_path))
    for path in (*tmp_path.rglob("*.yaml"),):
        path.write_text(switched_on(path.read_text(encoding="utf-8"), wanted), encoding="utf-8")
    workspace, said = check(tmp_path, NOW)
    assert said == []
    (mapping,), (old,) = workspace.mappings.values(), before.mappings.values()
    named = {name for name in workspace.policy.why if name not in before.policy.why}
    told = {
        "NDA": {"partner.nda"},
        "contract": {"partner.agreement_from", "partner.agreement_until"},
        "registration": {"deal.registration"},
    }
    assert named == set().union(*(told.get(each, set()) for each in wanted))
    assert mapping.contacts is not None
    assert old.contacts is not None
    assert (mapping.contacts.only != old.contacts.only) == ("consent" in wanted)
    assert not refusals(workspace, NOW)


def switched_on(text: str, stages: list[str]) -> str:
    """A template's file as somebody leaves it who follows its comments."""
    lines: list[str] = []
    for line in text.splitlines():
        found = re.fullmatch(r"( *)# (.*# stage (\w+)\b.*)", line)
        if found is None or found[3] not in stages:
            lines.append(line)
            continue
        if "in place of the line above" in line:
            lines.pop()
        lines.append(found[1] + found[2])
    return "\n".join(lines) + "\n"


def test_a_folder_that_is_in_use_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(FolderInUse, match="is not empty; choose a new one"):
        init(tmp_path, "salesforce")
    assert [each.name for each in tmp_path.iterdir()] == ["mine.txt"]


def test_every_place_in_a_template_must_be_given_a_value(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match=r"PAGE_URL|SALESFORCE_URL|HUBSPOT_URL|PORT|CA_FILE"):
        write_template("demo", tmp_path, {})


@pytest.mark.parametrize(("name", "pages"), [("price-list", 3), ("product-guide", 5)])
def test_the_demos_documents_are_small_and_real(tmp_path: Path, name: str, pages: int) -> None:
    init_demo(tmp_path, ADDRESSES)
    file = tmp_path / "documents" / f"{name}.pdf"
    assert file.stat().st_size < 120_000
    assert len(PdfReader(file).pages) == pages


def test_each_file_of_a_new_workspace_leads_an_editor_to_its_schema(new: Path) -> None:
    for path in new.rglob("*.yaml"):
        line = path.read_text(encoding="utf-8").splitlines()[0]
        found = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", line)
        assert found, path
        schema = json.loads((path.parent / found[1]).read_text(encoding="utf-8"))
        jsonschema_rs.meta.validate(schema)
        jsonschema_rs.Draft7Validator(schema).validate(locate(path.name, path.read_text(encoding="utf-8")).data)


def test_a_schema_offers_this_workspaces_own_fields_tiers_and_stages(good: Mapping[str, str], tmp_path: Path) -> None:
    write_schemas(load(good), tmp_path)
    policy = (tmp_path / ".sudare" / "schemas" / "policy.json").read_text(encoding="utf-8")
    for word in ("deal.margin", "platinum", "negotiation", "contacts[].email", "pending", "co-sell"):
        assert (f'"{word}"' in policy) == (word != "co-sell")
    assert '"co-sell"' in (tmp_path / ".sudare" / "schemas" / "mapping.json").read_text(encoding="utf-8")


def test_what_an_editor_underlines_the_loader_refuses(good: Mapping[str, str]) -> None:
    offered = schemas(load(good))
    for file, text in wrong_files(good):
        data = locate(file, text).data
        if data is not None and not jsonschema_rs.Draft7Validator(offered[kind_of(file)]).is_valid(data):
            with pytest.raises(Broken):
                load({**good, file: text})


def test_an_editor_underlines_more_than_half_of_what_is_refused(good: Mapping[str, str]) -> None:
    offered = schemas(load(good))
    read = [found for file, text in wrong_files(good) if not (found := locate(file, text)).problems]
    seen = [not jsonschema_rs.Draft7Validator(offered[kind_of(each.file)]).is_valid(each.data) for each in read]
    assert sum(seen) > 0.5 * len(seen)  # the rest is about what the files mean together


def wrong_files(good: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Each mistake of the tables as a whole file."""
    for table in sorted(WRONG.glob("*.txt")):
        for block in table.read_text(encoding="utf-8").strip().split("\n\n"):
            file, before, after = (line[6:].replace("\\n", "\n") for line in block.splitlines()[:3])
            if before in good[file]:
                yield file, good[file].replace(before, after, 1)


def kind_of(file: str) -> str:
    folders: dict[str, Any] = {"mappings": "mapping", "policies": "policy", "policies/tests": "policy-test"}
    folder, _, name = file.rpartition("/")
    return str(folders.get(folder, name.removesuffix(".yaml")))
