"""Secrets are found where the workspace says, and never said."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from pathlib import Path

import pytest

from config.connections import open_connections
from config.load import load
from config.secrets import SecretMissing, derive, exposed, make_key, secret, workspace_key
from connectors.base import NeedsAdmin


def test_a_secret_is_read_from_the_environment_or_from_a_file_beside_the_workspace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRM_TOKEN", "hunter2")
    (tmp_path / "token").write_text("hunter3\n")
    assert secret("env:CRM_TOKEN", tmp_path) == "hunter2"
    assert secret("file:token", tmp_path) == "hunter3"
    assert secret(f"file:{tmp_path}/token", Path("/")) == "hunter3"


@pytest.mark.parametrize(
    ("reference", "advice"),
    [
        ("env:NOT_THERE", "set the variable `NOT_THERE` where `sudare` runs, or name another place in sudare.yaml"),
        ("file:not-there", "write the secret into the file `not-there` of the workspace and `chmod 600` it"),
    ],
)
def test_a_missing_secret_says_what_to_do(tmp_path: Path, reference: str, advice: str) -> None:
    with pytest.raises(SecretMissing) as missing:
        secret(reference, tmp_path)
    assert missing.value.advice == advice


@pytest.mark.parametrize(
    ("reference", "text"),
    [
        ("env:NOT_THERE", "secret `env:NOT_THERE` is missing or empty"),
        ("file:not-there", "secret `file:not-there` can't be read: No such file or directory"),
        ("file:.", "secret `file:.` can't be read: Is a directory"),
        ("file:empty", "secret `file:empty` is missing or empty"),
        ("file:binary", "secret `file:binary` can't be read: not a file of UTF-8 text"),
        ("file:large", "secret `file:large` is larger than 64 KiB: not a secret"),
        ("hunter2", "a secret's place must be written as `env:NAME` or `file:PATH`"),
    ],
)
def test_a_secret_that_is_not_there_is_named_by_its_place_alone(tmp_path: Path, reference: str, text: str) -> None:
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "binary").write_bytes(b"hunter2\xff")
    (tmp_path / "large").write_text("hunter2 " * 10_000)
    with pytest.raises(SecretMissing) as missing:
        secret(reference, tmp_path)
    assert str(missing.value) == text
    assert isinstance(missing.value, NeedsAdmin)
    assert missing.value.__cause__ is None
    assert missing.value.__suppress_context__ or missing.value.__context__ is None


def test_a_secret_file_that_everybody_can_read_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("hunter2")
    for mode, open_to_all in ((0o600, False), (0o640, False), (0o644, True)):
        (tmp_path / "token").chmod(mode)
        assert exposed("file:token", tmp_path) is open_to_all
    assert not exposed("env:HOME", tmp_path)
    assert not exposed("file:not-there", tmp_path)


def test_the_workspace_key_is_made_once_for_its_owner_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SUDARE_KEY", raising=False)
    make_key(tmp_path)
    file = tmp_path / ".sudare" / "key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert (tmp_path / ".sudare" / ".gitignore").read_text() == "*\n"
    key = workspace_key(tmp_path)
    assert len(key) == 32
    with pytest.raises(FileExistsError):
        make_key(tmp_path)
    assert workspace_key(tmp_path) == key
    file.chmod(0o640)
    with pytest.raises(SecretMissing, match="can be read by others; `chmod 600"):
        workspace_key(tmp_path)


def test_a_key_in_the_environment_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SUDARE_KEY", raising=False)
    make_key(tmp_path)
    other = (tmp_path / ".sudare" / "key").read_text()
    make_key(tmp_path / "elsewhere")
    monkeypatch.setenv("SUDARE_KEY", other)
    assert workspace_key(tmp_path / "elsewhere") == workspace_key(tmp_path)


@pytest.mark.parametrize("written", ["hunter2", "aHVudGVyMg==", "ひみつ"])
def test_a_key_that_is_none_is_refused_without_being_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: str
) -> None:
    monkeypatch.setenv("SUDARE_KEY", written)
    with pytest.raises(SecretMissing) as missing:
        workspace_key(tmp_path)
    assert str(missing.value) == "`$SUDARE_KEY` is not a workspace key; `sudare init` makes one"


def test_a_missing_key_is_said_with_the_place_where_it_should_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SUDARE_KEY", raising=False)
    with pytest.raises(SecretMissing, match=r"secret `file:\.sudare/key` can't be read: No such file or directory"):
        workspace_key(tmp_path)


def test_each_name_derives_a_key_of_its_own() -> None:
    key = bytes(32)
    assert derive(key, "sessions") == derive(key, "sessions")
    assert len({derive(key, "sessions"), derive(key, "session"), derive(bytes([1]) * 32, "sessions"), key}) == 4
    assert len(derive(key, "sessions")) == 32


def test_connections_are_opened_one_by_one_when_first_asked_for(good: Mapping[str, str], tmp_path: Path) -> None:
    connections = open_connections(load(good), tmp_path)
    assert list(connections) == ["sf", "hs"]
    assert len(connections) == 2
    for name, word in {"sf_client_id": "id", "sf_client_secret": "hunter2", "hubspot_token": "hunter2"}.items():
        (tmp_path / ".sudare").mkdir(exist_ok=True)
        (tmp_path / ".sudare" / name).write_text(word)
    first = connections["hs"]
    assert connections["hs"] is first
    connections.close()
    assert connections["hs"] is not first
    connections.close()
    with pytest.raises(KeyError):
        connections["not-there"]
