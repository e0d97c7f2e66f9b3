"""Makes Standard Webhooks signatures (v1), and verifies them on raw bytes before anything of a body is parsed."""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Iterable
from datetime import datetime

WINDOW_SECONDS = 300
SHORTEST_SECRET, LONGEST_SECRET = 24, 64  # bytes, as the standard says
_ID = re.compile(r"[!-\-/-~]{1,255}", re.ASCII)  # printable, and no dot: it would blur where the timestamp starts
_TIMESTAMP = re.compile(r"[0-9]{1,11}", re.ASCII)
_MOST_SIGNATURES = 16


def open_secret(secret: str) -> bytes:
    """The key inside a `whsec_` secret; ValueError, which never quotes it, where it isn't one."""
    try:
        key = base64.b64decode(secret.strip().removeprefix("whsec_").encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        raise ValueError("a signing secret is `whsec_` and base64") from None
    if not SHORTEST_SECRET <= len(key) <= LONGEST_SECRET:
        raise ValueError(f"a signing secret holds {SHORTEST_SECRET} to {LONGEST_SECRET} bytes")
    return key


def sign(key: bytes, id: str, timestamp: int, body: bytes) -> str:
    """The `webhook-signature` header for a body: what a sender does, and a receiver compares with."""
    return "v1," + base64.b64encode(_mac(key, id, str(timestamp), body)).decode()


def verified(keys: Iterable[bytes], id: str, timestamp: str, signature: str, body: bytes, now: datetime) -> bool:
    """Whether any of the keys made any of the signatures for this id, time and body; never raises.

    The three texts are the headers webhook-id, webhook-timestamp and webhook-signature as they came.
    """
    if not _ID.fullmatch(id) or not _TIMESTAMP.fullmatch(timestamp):
        return False
    # INVARIANT: the window has two sides, so neither an old message nor one from the future is taken.
    if abs(now.timestamp() - int(timestamp)) > WINDOW_SECONDS:
        return False
    offered = [mac for mac in map(_offered, signature.split(" ")[:_MOST_SIGNATURES]) if mac]
    expected = [_mac(key, id, timestamp, body) for key in keys]
    # Every pair is compared, so time tells nothing about which key or signature came close.
    return True in [hmac.compare_digest(mac, ours) for mac in offered for ours in expected]


def _mac(key: bytes, id: str, timestamp: str, body: bytes) -> bytes:
    return hmac.digest(key, f"{id}.{timestamp}.".encode() + body, "sha256")


def _offered(one: str) -> bytes | None:
    version, _, text = one.partition(",")
    if version != "v1" or len(text) != 44:
        return None
    try:
        return base64.b64decode(text.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        return None
