"""What quality.yaml says of the files connector is shown by a test, or says why not."""

from __future__ import annotations

import ast
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[3]


def test_every_rule_in_quality_yaml_is_shown_by_a_test_that_exists_or_says_why_not() -> None:
    rules = yaml.safe_load((ROOT / "connectors/files/quality.yaml").read_text())["rules"]
    files = [*(ROOT / "connectors").glob("contract*.py"), *Path(__file__).parent.glob("test_*.py")]
    trees = [ast.parse(file.read_text(encoding="utf-8")) for file in files]
    tests = {node.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    for rule, said in rules.items():
        assert said.get("by") in tests if said["met"] is True else said["why"], rule
