"""Keeps refresh tokens that their CRM replaces at each use: sealed, one holder at a time on all machines."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from pathlib import Path

import sqlalchemy as sa

from config.secrets import derive
from connectors.base import NeedsAdmin, TryAgain, Vault
from connectors.budget import Time
from sync.house import House, open_house
from sync.leases import lease
from sync.store.migrate import has_tables
from sync.store.rows import upsert
from sync.store.unfiltered import tokens

LEASE_SECONDS = 60.0  # longer than a sign-in takes; kept up while one runs
LOOKS, LOOK_SECONDS = 40, 0.25  # how often and how far apart it is looked whether another holder is done


@dataclass(frozen=True, slots=True)
class TokenVault:
    """The vault of one connection, in the table `tokens`."""

    house: House
    connection: str
    time: Time = field(default_factory=Time)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """The right to spend the token. TryAgain where another process has it for ten seconds."""
        if not has_tables(self.house):
            raise NeedsAdmin(
                f"connection `{self.connection}`: sign-in: there is no database yet that can keep the refresh token "
                "which replaces this one: run `sudare apply` first"
            )
        for _ in range(LOOKS):
            with lease(self.house, f"sign-in {self.connection}", LEASE_SECONDS) as fence:
                if fence is not None:
                    yield
                    return
            self.time.sleep(LOOK_SECONDS)
        raise TryAgain(f"connection `{self.connection}`: sign-in: another process of ours is signing in")

    def kept(self, first: str) -> str:
        """The last token kept of those that came of `first`, else `first`: a person has put a new one there."""
        from cryptography.fernet import Fernet, InvalidToken  # a tenth of a second, for this alone

        with self.house.reading() as tx:
            row = tx.execute(sa.select(tokens.c.sealed).where(tokens.c.connection == self.connection)).first()
        origin, _, sealed = row.sealed.partition(":") if row else ("", "", "")
        if origin != _origin(first):
            return first
        try:
            return Fernet(self._key()).decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise NeedsAdmin(
                f"connection `{self.connection}`: its refresh token was sealed with another workspace key: restore "
                "that key, or put a new token where auth.refresh_token points"
            ) from None

    def keep(self, token: str, first: str) -> None:
        """Seal it and store it; durable when this returns."""
        from cryptography.fernet import Fernet

        # INVARIANT: a token stands in the database only sealed, with a key that is not in the database.
        sealed = Fernet(self._key()).encrypt(token.encode()).decode()
        with self.house.writing() as tx:
            row = {"connection": self.connection, "sealed": f"{_origin(first)}:{sealed}", "at": self.house.now()}
            upsert(tx, tokens, [row])

    def _key(self) -> bytes:
        return base64.urlsafe_b64encode(derive(self.house.key, f"vault {self.connection}"))


def _origin(first: str) -> str:
    return sha256(first.encode()).hexdigest()[:16]


def vaults(house: House) -> Callable[[str], Vault]:
    """The vault of each connection of this house, by its name."""
    return partial(TokenVault, house)


def vaults_at(folder: Path) -> Callable[[str], Vault]:
    """The same for a workspace whose database may not be there yet: it is opened when a token is to be kept."""
    return lambda connection: TokenVault(open_house(folder), connection)
