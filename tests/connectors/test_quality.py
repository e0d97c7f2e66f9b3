"""What quality.yaml says of each connector is shown by a test, or says why not."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
RULES = {file.parent.name: file for file in (ROOT / "connectors").glob("*/quality.yaml")}


@pytest.fixture(scope="module")
def tests() -> set[str]:
    """The names of all tests, those that connectors inherit too."""
    files = [*(ROOT / "connectors").glob("contract*.py"), *(ROOT / "tests").rglob("test_*.py")]
    trees = (ast.parse(file.read_text(encoding="utf-8")) for file in files)
    return {node.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("name", ["files", "hubspot", "salesforce"])
def test_every_rule_in_quality_yaml_is_shown_by_a_test_that_exists_or_says_why_not(name: str, tests: set[str]) -> None:
    told = yaml.safe_load(RULES[name].read_text(encoding="utf-8"))
    assert told["connector"] == name
    for rule, said in told["rules"].items():
        assert said.get("by") in tests if said["met"] is True else said["why"], rule
