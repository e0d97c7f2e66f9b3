"""Ids: made from the CRM's identity, never from a counter, and the partner's own from its own key."""

from __future__ import annotations

import hashlib
import hmac
import re

_TOKEN = re.compile("\ue000([0-9a-f]{16})\ue001")


def internal_id(connection: str, object: str, crm_id: str) -> str:
    """Our id of a CRM record: the hash of its first identity, 20 characters."""
    return _short(hashlib.sha256(f"{connection}\0{object}\0{crm_id}".encode()).digest())


def partner_id(key: str) -> str:
    """Our id of a partner, from its key."""
    return _short(hashlib.sha256(f"partner\0{key}".encode()).digest())


def public_id(partner_key: bytes, deal_id: str) -> str:
    """A deal's id as one partner knows it; two partners cannot join theirs."""
    # INVARIANT: made from the partner's key and the deal's identity, so it neither counts nor joins.
    return "d" + _short(hmac.digest(partner_key, f"deal {deal_id}".encode(), "sha256"))


def personal(partner_key: bytes, text: str) -> str:
    """Text of a view as one partner gets it: tokens become this partner's pseudonyms."""
    if "\ue000" not in text:
        return text
    return _TOKEN.sub(lambda token: _pseudonym(partner_key, token[1]), text)


def digest(content: bytes, key: bytes = b"") -> str:
    """A short hash of bytes, to compare them; with a key it tells nothing of what was hashed."""
    return hashlib.blake2b(content, digest_size=16, key=key).hexdigest()


def _pseudonym(partner_key: bytes, token: str) -> str:
    return "person-" + _short(hmac.digest(partner_key, f"person {token}".encode(), "sha256"))[:12]


def _short(hashed: bytes) -> str:
    return hashed[:10].hex()  # 80 bits: among ten million ids, one chance in 20 thousand million of two alike
