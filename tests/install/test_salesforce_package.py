"""Salesforce's own converter reads the package that `sudare install salesforce` makes. The tool comes by npm."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from connectors.salesforce import package

TOOL = Path(__file__).parent / "converter"
CONTENTS = package.Contents(
    version="63.0",
    key_field="Sudare_Key__c",
    texts={"Opportunity": ("Shared_With_Partners__c",)},
    objects={"Account": False, "Contact": False, "Opportunity": True, "OpportunityPartner": False},
    readable=("Account.BillingAddress", "Account.Industry", "Opportunity.Amount"),
    editable=("Opportunity.Shared_With_Partners__c", "Task.Description", "Task.Sudare_Key__c"),
)


@pytest.fixture(scope="session")
def converter(request) -> Path:
    """The tool, installed once from its lock file."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not (node and npm):
        pytest.skip("no node and npm here: the package is not read by Salesforce's own converter")
    place = Path(request.config.cache.mkdir("salesforce-converter"))
    for name in ("package.json", "package-lock.json", "convert.mjs"):
        if not (place / name).exists() or (place / name).read_bytes() != (TOOL / name).read_bytes():
            shutil.rmtree(place / "node_modules", ignore_errors=True)
            shutil.copyfile(TOOL / name, place / name)
    if not (place / "node_modules").exists():
        command = [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
        said = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=300)
        if said.returncode:
            shutil.rmtree(place / "node_modules", ignore_errors=True)
            pytest.skip("npm can't fetch Salesforce's converter here")
    return place


def converted(converter: Path, files: dict[str, bytes], tmp_path: Path) -> tuple[list[str], Path]:
    """What the converter found in a package, and the source that it wrote."""
    for path, content in files.items():
        file = tmp_path / "package" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    command = ["node", "convert.mjs", str(tmp_path / "package"), str(tmp_path / "source")]
    said = subprocess.run(command, cwd=converter, capture_output=True, text=True, timeout=120)
    assert said.returncode == 0, said.stderr
    return json.loads(said.stdout), tmp_path / "source" / "main" / "default"


def test_salesforces_own_converter_reads_the_package_and_finds_every_part(converter, tmp_path):
    parts, source = converted(converter, package.files(CONTENTS), tmp_path)
    assert sorted(parts) == ["CustomObject Activity", "CustomObject Opportunity", "PermissionSet Sudare_Integration"]
    key = (source / "objects/Activity/fields/Sudare_Key__c.field-meta.xml").read_text(encoding="utf-8")
    for line in ("<externalId>true</externalId>", "<unique>true</unique>", "<length>64</length>"):
        assert line in key
    assert (source / "objects/Opportunity/fields/Shared_With_Partners__c.field-meta.xml").exists()
    granted = (source / "permissionsets/Sudare_Integration.permissionset-meta.xml").read_text(encoding="utf-8")
    assert "<field>Task.Sudare_Key__c</field>" in granted
    assert "Activity." not in granted


def test_the_converter_does_not_find_a_part_that_stands_in_the_wrong_place(converter, tmp_path):
    files = package.files(CONTENTS)
    files["permissionsets/Sudare_Integration.permissions"] = files.pop(
        "permissionsets/Sudare_Integration.permissionset"
    )
    parts, _ = converted(converter, files, tmp_path)
    assert "PermissionSet Sudare_Integration" not in parts
