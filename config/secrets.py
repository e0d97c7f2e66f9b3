"""Finds secrets where sudare.yaml says they are kept, and derives every key of ours from one."""

from __future__ import annotations

import base64
import binascii
import os
import secrets
import stat
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from connectors.base import NeedsAdmin

KEY_FILE = Path(".sudare", "key")
KEY_VARIABLE = "SUDARE_KEY"
KEY_BYTES = 32
MOST_BYTES = 64 << 10


class SecretMissing(NeedsAdmin):
    """A secret is not where the workspace says. The text names the place, never a value; so does what to do."""

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message)
        self.advice = advice


def secret(reference: str, folder: Path) -> str:
    """The secret that `env:NAME` or `file:PATH` (relative to the workspace) stands for."""
    kind, _, name = reference.partition(":")
    if kind == "env" and name:
        found = os.environ.get(name, "")
    elif kind == "file" and name:
        found = _file(reference, folder / name)
    else:
        raise SecretMissing("a secret's place must be written as `env:NAME` or `file:PATH`")
    if not found.strip():
        raise SecretMissing(f"secret `{reference}` is missing or empty", _advice(reference))
    return found


def _advice(reference: str) -> str:
    kind, _, name = reference.partition(":")
    if kind == "env":
        return f"set the variable `{name}` where `sudare` runs, or name another place in sudare.yaml"
    return f"write the secret into the file `{name}` of the workspace and `chmod 600` it"


def exposed(reference: str, folder: Path) -> bool:
    """Whether a secret's file can be read by every user of this machine."""
    kind, _, name = reference.partition(":")
    try:
        return kind == "file" and bool((folder / name).stat().st_mode & stat.S_IROTH)
    except OSError:
        return False


def _file(reference: str, path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        text = content.decode("utf-8")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "not a file of UTF-8 text"
        raise SecretMissing(f"secret `{reference}` can't be read: {reason}", _advice(reference)) from None
    if len(content) > MOST_BYTES:
        raise SecretMissing(f"secret `{reference}` is larger than 64 KiB: not a secret")
    return text.rstrip("\r\n")


def make_key(folder: Path) -> None:
    """Write a new workspace key, readable by its owner alone. FileExistsError where there is one."""
    home = folder / KEY_FILE.parent
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    (home / ".gitignore").write_text("*\n", encoding="utf-8")  # keys don't belong into a repository
    file = os.open(folder / KEY_FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(file, "w", encoding="ascii") as out:
        out.write(base64.urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)).decode() + "\n")


def workspace_key(folder: Path) -> bytes:
    """The key from which all others derive: `SUDARE_KEY`, else `.sudare/key`."""
    written = os.environ.get(KEY_VARIABLE, "")
    where = f"${KEY_VARIABLE}" if written else KEY_FILE.as_posix()
    if not written:
        path = folder / KEY_FILE
        # INVARIANT: a key that others on this machine can read is not used.
        if path.exists() and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise SecretMissing(f"`{where}` can be read by others; `chmod 600 {where}` closes it")
        written = _file(f"file:{where}", path)
    try:
        key = base64.urlsafe_b64decode(written.strip())
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise SecretMissing(f"`{where}` is not a workspace key; `sudare init` makes one")
    return key


def derive(key: bytes, name: str) -> bytes:
    """The key of this name, 32 bytes (HKDF-SHA256): one name, one key, and none tells of another."""
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=f"sudare {name}".encode()).derive(key)
