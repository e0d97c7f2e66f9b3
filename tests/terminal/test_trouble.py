"""What commands say when something is wrong: a sentence with what to do, never a traceback."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from agreed import put_in_force
from demo_house import NAMES

from config.folder import read_folder
from sync.house import open_house

COMMANDS = [
    ("check",),
    ("apply", "--yes"),
    ("pull",),
    ("write-back",),
    ("view-as", "MINATO"),
    ("explain", "MINATO", "x"),
    ("pause",),
    ("resume",),
    ("settle", "sf"),
    ("retry",),
    ("invite", "MINATO", "a@b.example"),
    ("user", "add", "a@b.example"),
    ("serve",),
]
ON_DATABASE = [words for words in COMMANDS if words[0] not in ("check", "serve")]
names = [" ".join(words[:1]) for words in COMMANDS]


@pytest.mark.parametrize("words", COMMANDS, ids=names)
def test_without_a_workspace_a_command_says_how_to_make_one(sudare, tmp_path, words):
    said = sudare(*words, "--workspace", tmp_path)
    assert said.code == 1
    assert "`sudare init` writes one" in said.text


@pytest.mark.parametrize("words", [w for w in COMMANDS if w[0] not in ("check", "apply", "pause", "resume")])
def test_before_the_first_apply_a_command_says_so(sudare, tmp_path, words):
    place = tmp_path / "new"
    sudare("init", place, "--crm", "salesforce")
    said = sudare(*words, "--workspace", place)
    if words[0] == "retry":
        assert said.code == 0  # nothing to retry
        return
    assert said.code == 1
    assert "sudare apply" in said.text or "no partner `MINATO`" in said.text


def test_a_key_that_is_gone_or_open_to_others_is_named(sudare, folder):
    key = folder / ".sudare" / "key"
    key.chmod(0o644)
    said = sudare("view-as", "MINATO", "--workspace", folder)
    assert said.code == 1
    assert "chmod 600" in said.text
    key.unlink()
    said = sudare("view-as", "MINATO", "--workspace", folder)
    assert said.code == 1
    assert ".sudare/key" in said.text


def test_a_missing_secret_stops_its_connection_and_no_other(sudare, folder):
    (folder / ".sudare" / "sf_client_secret").unlink()
    said = sudare("pull", "--workspace", folder)
    assert said.code == 1
    assert "sf_client_secret" in said.text
    assert "hs: " in said.text


def test_a_ca_file_that_is_gone_stops_its_connection_and_no_other(sudare, folder):
    path = folder / NAMES["settings"]
    lines = ["    ca_file: gone.pem" if "ca_file:" in line else line for line in path.read_text().splitlines()]
    path.write_text("\n".join(lines) + "\n")
    put_in_force(open_house(folder), read_folder(folder))
    for command in ("pull", "write-back"):
        said = sudare(command, "--workspace", folder)
        assert said.code == 1
        assert "gone.pem" in said.text
        assert "hs: " in said.text


def test_an_org_that_cannot_be_reached_is_told_for_what_could_not_be_read(sudare, life, folder):
    life.sandbox.stop()
    said = sudare("pull", "sf", "--workspace", folder)
    assert said.code == 1
    for stream in ("accounts: ", "opportunities: ", "contacts: "):
        assert stream in said.text


@pytest.mark.parametrize(("words", "waits"), [(("pause",), True), (("pull",), True), (("view-as", "MINATO"), False)])
def test_a_database_that_another_command_holds_is_told_and_no_matter_to_who_only_reads(sudare, folder, words, waits):
    with closing(sqlite3.connect(folder / "sudare.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        said = sudare(*words, "--workspace", folder)
    assert said.code == int(waits)
    assert ("the database is in use" in said.text) is waits


@pytest.mark.parametrize("words", ON_DATABASE, ids=lambda words: words[0])
def test_a_database_that_is_not_there_is_told_with_what_to_do_and_without_its_password(
    sudare, folder, words, monkeypatch
):
    monkeypatch.setenv("OUR_DATABASE", "postgresql+psycopg://sudare:opensesame@127.0.0.1:1/sudare")
    path = folder / NAMES["settings"]
    lines = [
        "database: env:OUR_DATABASE" if line.startswith("database:") else line for line in path.read_text().splitlines()
    ]
    path.write_text("\n".join(lines) + "\n")
    said = sudare(*words, "--workspace", folder)
    assert said.code == 1
    assert "the database can't be used" in said.text
    assert "opensesame" not in said.text
