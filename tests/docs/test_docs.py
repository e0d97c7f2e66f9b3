"""What the documents name exists: commands, files, functions, links; and what exists of these is documented."""

from __future__ import annotations

import ast
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from webhook_app.terminal.sudare import main

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
OURS = ("connectors", "mapping", "policies", "config", "sync", "webhook_app", "tests", "docs", "benchmarks")
GIVEN_BY_THE_READER = re.compile(r"\b(DIR|PARTNER|DEAL|CONNECTION|NAME)\b")
of_every_page = pytest.mark.parametrize("page", [each.relative_to(ROOT).as_posix() for each in PAGES])


def commands(group: click.Group = main, prefix: str = "sudare") -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, f"{prefix} {name}")
        else:
            yield f"{prefix} {name}", command


COMMANDS = dict(commands())


def test_every_command_has_a_section_and_every_section_is_a_command(documents: Any) -> None:
    told = re.findall(r"(?m)^## (sudare .+)$", documents["docs/commands.md"].text)
    assert sorted(told) == sorted(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_of_a_command_is_told_and_no_other(documents: Any, name: str) -> None:
    known = set()
    for each in COMMANDS[name].params:
        known.add(each.opts[0] if isinstance(each, click.Option) else (each.metavar or str(each.name)).upper())
    assert documents["docs/commands.md"].section(f"## {name}").named == known


@of_every_page
def test_command_lines_can_be_typed_as_they_stand(
    documents: Any, page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = [line.strip() for block in documents[page].blocks("sh") for line in block.splitlines()]
    for line in (each for each in blocks if each.startswith("sudare ")):
        command, typed = command_of(line)
        command.make_context("typed", typed).close()
    for line in re.findall(r"`(sudare [a-z][^`]*)`", documents[page].text):
        command, typed = command_of(line)
        if typed and not GIVEN_BY_THE_READER.search(line):
            command.make_context("typed", typed).close()


def command_of(line: str) -> tuple[click.Command, list[str]]:
    """The command that a line names, and what is typed after it; KeyError where there is none."""
    command: click.Command = main
    typed = shlex.split(line)[1:]
    while isinstance(command, click.Group) and typed:
        command, typed = command.commands[typed[0]], typed[1:]
    return command, typed


@of_every_page
def test_make_targets_exist(documents: Any, page: str) -> None:
    targets = set(re.findall(r"(?m)^([a-z-]+):", documents["Makefile"].text))
    assert set(re.findall(r"(?m)(?:`|^)make ([a-z-]+)", documents[page].text)) <= targets


@of_every_page
def test_every_file_and_function_that_is_named_exists(documents: Any, page: str) -> None:
    for path, name in re.findall(rf"`((?:{'|'.join(OURS)})/[\w./-]+\.\w+)(?::(\w+))?`", documents[page].text):
        if path.endswith((".yaml", ".pdf")):
            continue  # of a workspace, not of ours
        assert (ROOT / path).is_file(), path
        assert not name or name in defined_in(documents[path].text), f"{path}:{name}"


def defined_in(text: str) -> set[str]:
    """The functions, classes and tables of a Python file."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                found.add(name)
            case ast.AnnAssign(target=ast.Name(id=name)):
                found.add(name)
            case ast.Assign(targets=[ast.Name(id=name)]):
                found.add(name)
    return found


@of_every_page
def test_relative_links_lead_somewhere(documents: Any, page: str) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", documents[page].text):
        name, _, anchor = target.partition("#")
        if target.startswith("https://"):
            continue
        file = ((ROOT / page).parent / name).resolve() if name else ROOT / page
        assert file.exists(), target
        assert not anchor or anchor in anchors(file.read_text(encoding="utf-8")), target


def anchors(text: str) -> set[str]:
    """The anchors that headings have where the repository is read."""
    return {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in re.findall(r"(?m)^#+ (.+)$", text)}


@of_every_page
def test_pages_speak_of_the_project_alone(documents: Any, page: str) -> None:
    assert not re.search(r"(?<![\w.])/(?:tmp|work|root|home)/|pypi|pythonhosted", documents[page].text)


def test_pictures_are_small_and_shown(documents: Any) -> None:
    for picture in (DOCS / "pictures").iterdir():
        assert picture.stat().st_size < 200_000, picture.name
        shown = f"(docs/pictures/{picture.name})" in documents["README.md"].text
        assert shown or any(f"(pictures/{picture.name})" in page.read_text("utf-8") for page in DOCS.glob("*.md"))


def test_every_dependency_says_why_it_is_here(documents: Any) -> None:
    project = tomllib.loads(documents["pyproject.toml"].text)["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    known = {re.split(r"[\[<>=]", each)[0] for each in wanted}
    assert documents["CONTRIBUTING.md"].section("## Dependencies").named == known


def test_every_wall_of_the_import_linter_is_told(documents: Any) -> None:
    contracts = tomllib.loads(documents["pyproject.toml"].text)["tool"]["importlinter"]["contracts"]
    rows = documents["ARCHITECTURE.md"].section("## Floors").rows
    assert {row[0] for row in rows if not row[0].startswith("`")} == {each["name"] for each in contracts}
