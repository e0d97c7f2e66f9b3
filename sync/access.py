"""Who may come in: people, one-time links, sessions, keys, and the pause that closes all doors."""

from __future__ import annotations

import hashlib
import secrets
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

import sqlalchemy as sa

from config.words import EMAIL, EMAIL_FORM
from sync.house import House, instant
from sync.ledger.closings import EVERYBODY as EVERYBODY  # what `pause` takes
from sync.ledger.closings import note_closed, note_opened
from sync.store.identifiers import internal_id
from sync.store.rows import among, upsert
from sync.store.schema import api_keys, links, mails, partners, pauses, people, sessions
from sync.store.unfiltered import partner_accounts

SESSION = timedelta(hours=12)
KEY_PREFIX = "sdr_live_"
SIGN_IN = "sign-in"  # why a mail is sent
MOST_LATELY, LATELY = 3, timedelta(minutes=10)  # sign-in mails to one person; each link lives for fifteen
LONGEST_EMAIL = 254  # characters
DEAL_PAGE = "/deals/"  # before a deal's public id: where a mail about it leads
Side = Literal["partner", "vendor"]


class Ambiguous(Exception):
    """Several answer to this name; the text says which, and by what each can be called."""


@dataclass(frozen=True, slots=True)
class Person:
    """A user: of a partner, or of the vendor where `partner_id` is None."""

    id: str
    partner_id: str | None
    email: str
    name: str
    role: str
    language: str


@dataclass(frozen=True, slots=True)
class PartnerRow:
    """A partner as the vendor's doors and commands name it."""

    id: str
    key: str
    name: str


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it can be shown after the first time."""

    hint: str
    label: str
    created: str
    used: str | None


def add_person(
    house: House, email: str, name: str, *, partner_id: str | None = None, role: str = "partner", language: str = "en"
) -> Person:
    """The person with this address on this side, made where new and let in again where ended.

    Raises ValueError where it is no address of one mailbox.
    """
    address = email.strip().casefold()
    # INVARIANT: a link goes to the box that was named: what reads as another one, or as several, is none.
    if not (len(address) <= LONGEST_EMAIL and email.isascii() and EMAIL.fullmatch(address)):
        raise ValueError(f"`{email}` is not {EMAIL_FORM}, in ASCII, a domain as `xn--...`")
    side = partner_id or "vendor"
    row = {
        "id": internal_id("people", side, address),
        "partner_id": partner_id,
        "email": address,
        "name": name.strip() or address,
        "role": role,
        "language": language,
    }
    with house.writing() as tx:
        known = tx.execute(sa.select(people.c.id).where(people.c.id == row["id"])).first()
        if known is None:
            tx.execute(sa.insert(people).values(**row, created=house.now()))
        else:
            tx.execute(
                sa.update(people).where(people.c.id == row["id"]).values(name=row["name"], role=role, ended=None)
            )
        return _person(tx.execute(sa.select(people).where(people.c.id == row["id"])).one())


def end_person(house: House, email: str, partner_id: str | None) -> bool:
    """Close the account of the person with this address on this side: sessions and links end with the commit."""
    person_id = internal_id("people", partner_id or "vendor", email.strip().casefold())
    with house.writing() as tx:
        open_one = sa.and_(people.c.id == person_id, people.c.ended.is_(None))
        ended = tx.execute(sa.update(people).where(open_one).values(ended=house.now())).rowcount
        tx.execute(sa.delete(sessions).where(sessions.c.person_id == person_id))
        tx.execute(sa.delete(links).where(links.c.person_id == person_id))
    return bool(ended)


def set_language(house: House, person_id: str, language: str) -> None:
    """The language this person reads."""
    with house.writing() as tx:
        tx.execute(sa.update(people).where(people.c.id == person_id).values(language=language))


def make_link(house: House, person_id: str, goes_to: str = "/", minutes: int = 15) -> str:
    """A one-time token for this person; only its hash is kept."""
    with house.writing() as tx:
        return _insert_link(tx, house, person_id, goes_to, minutes)


def peek_link(house: House, token: str) -> Person | None:
    """Whose link this is, while it can still be used. Looking does not use it up: mail scanners look."""
    with house.reading() as tx:
        row = tx.execute(
            sa.select(people)
            .join(links, links.c.person_id == people.c.id)
            .where(links.c.hash == _hash(token), links.c.used.is_(None), links.c.expires > house.now())
            .where(people.c.ended.is_(None))
        ).first()
        return _person(row) if row and not closed(tx, row.partner_id) else None


def use_link(house: House, token: str) -> tuple[str, Person, str] | None:
    """Use a link up: the session's token, the person, and where to go. None where it can't be used (any more)."""
    now = house.now()
    with house.writing() as tx:
        # INVARIANT: one statement marks the link as used, so of two clicks only one wins.
        used = tx.execute(
            sa.update(links)
            .where(links.c.hash == _hash(token), links.c.used.is_(None), links.c.expires > now)
            .values(used=now)
            .returning(links.c.person_id, links.c.goes_to)
        ).first()
        if used is None:
            return None
        row = tx.execute(sa.select(people).where(people.c.id == used.person_id, people.c.ended.is_(None))).first()
        if row is None or closed(tx, row.partner_id):
            return None
        session = secrets.token_urlsafe(32)
        expires = instant(house.clock() + SESSION)
        tx.execute(sa.insert(sessions).values(hash=_hash(session), person_id=row.id, expires=expires))
        return session, _person(row), used.goes_to


def person_of_session(house: House, token: str) -> Person | None:
    """Who is signed in with this session, where it, the person and the door are still open."""
    with house.reading() as tx:
        row = tx.execute(
            sa.select(people)
            .join(sessions, sessions.c.person_id == people.c.id)
            .where(sessions.c.hash == _hash(token), sessions.c.expires > house.now(), people.c.ended.is_(None))
        ).first()
        return _person(row) if row and not closed(tx, row.partner_id) else None


def end_session(house: House, token: str) -> None:
    """Sign out."""
    with house.writing() as tx:
        tx.execute(sa.delete(sessions).where(sessions.c.hash == _hash(token)))


def sign_in_link(house: House, email: str, door: Side) -> None:
    """Queue a sign-in mail for each person of this door with this address; the caller learns nothing."""
    sign_in_links(house, [email.strip().casefold()], door)


def sign_in_links(house: House, emails: Iterable[str], door: Side) -> None:
    """The same for all of these addresses, which are written small. Who was sent three of late is sent no more."""
    side = people.c.partner_id.is_(None) if door == "vendor" else people.c.partner_id.is_not(None)
    # INVARIANT: anybody can ask for anybody's link, so a person's mails are bounded; one of the last still opens then.
    lately = sa.and_(mails.c.next_at > instant(house.clock() - LATELY), mails.c.next_at <= house.now())
    went = sa.and_(mails.c.person_id == people.c.id, mails.c.reason == SIGN_IN, mails.c.state == "sent", lately)
    sent = sa.select(sa.func.count()).where(went).scalar_subquery()
    here = sa.and_(among(people.c.email, sorted(emails)), people.c.ended.is_(None), side)
    wanted = sa.select(people.c.id).where(here, sent < MOST_LATELY)
    with house.reading() as tx:  # strangers, of whom a flood is made, cost nobody the right to write
        found = tx.execute(wanted.order_by(people.c.id)).scalars().all()
    if found:
        with house.writing() as tx:
            for person_id in found:
                queue_mail(tx, house, person_id, SIGN_IN, "/")


def queue_mail(tx: sa.Connection, house: House, person_id: str, reason: str, goes_to: str) -> None:
    """A mail to send once this transaction commits; a waiting one for the same reason and place serves."""
    now = house.now()
    waiting = tx.execute(
        sa.select(mails.c.id).where(
            mails.c.person_id == person_id,
            mails.c.reason == reason,
            mails.c.goes_to == goes_to,
            mails.c.state == "due",
        )
    ).first()
    if waiting is None:
        row = {"id": secrets.token_hex(16), "person_id": person_id, "reason": reason, "goes_to": goes_to}
        tx.execute(sa.insert(mails).values(**row, state="due", next_at=now))


def make_api_key(house: House, partner_id: str, label: str) -> str:
    """A new key for a partner, shown once: prefix, secret, and a check sum that tells a typo from a revoked key."""
    secret = secrets.token_urlsafe(32)
    key = KEY_PREFIX + secret + _checksum(secret)
    row = {"hash": _hash(key), "partner_id": partner_id, "hint": key[:14], "label": label.strip()[:80] or "key"}
    with house.writing() as tx:
        tx.execute(sa.insert(api_keys).values(**row, created=house.now()))
    return key


def partner_of_key(house: House, key: str) -> str | None:
    """The partner that a live key speaks for; None for any other text, whatever it is."""
    secret = key.removeprefix(KEY_PREFIX)
    if secret == key or len(secret) != 51 or _checksum(secret[:43]) != secret[43:]:
        return None
    with house.reading() as tx:
        row = tx.execute(
            sa.select(api_keys.c.partner_id, api_keys.c.used).where(
                api_keys.c.hash == _hash(key), api_keys.c.ended.is_(None)
            )
        ).first()
        if row is None or closed(tx, row.partner_id):
            return None
    _note_use(house, key, row.used)
    return str(row.partner_id)


def list_api_keys(house: House, partner_id: str) -> list[ApiKey]:
    """A partner's live keys, newest first."""
    with house.reading() as tx:
        rows = tx.execute(
            sa.select(api_keys)
            .where(api_keys.c.partner_id == partner_id, api_keys.c.ended.is_(None))
            .order_by(api_keys.c.created.desc())
        )
        return [ApiKey(row.hint, row.label, row.created, row.used) for row in rows]


def end_api_key(house: House, partner_id: str, hint: str) -> bool:
    """Revoke one of a partner's keys by its first characters."""
    with house.writing() as tx:
        done = tx.execute(
            sa.update(api_keys)
            .where(api_keys.c.partner_id == partner_id, api_keys.c.hint == hint, api_keys.c.ended.is_(None))
            .values(ended=house.now())
        )
        return bool(done.rowcount)


def paused(tx: sa.Connection, partner_id: str | None) -> bool:
    """Whether this partner's doors are closed; a vendor user's never are."""
    if partner_id is None:
        return False
    return tx.execute(sa.select(pauses.c.scope).where(pauses.c.scope.in_([EVERYBODY, partner_id]))).first() is not None


def closed(tx: sa.Connection, partner_id: str | None) -> bool:
    """Whether nobody comes in for this partner: its doors are paused, or no CRM names it as a partner any more."""
    if partner_id is None:
        return False
    # INVARIANT: a partner without an account in any CRM is none of ours: no session, key or hook speaks for it.
    account = sa.select(partner_accounts.c.account).where(partner_accounts.c.partner_id == partner_id)
    return paused(tx, partner_id) or tx.execute(account.limit(1)).first() is None


def pause(house: House, scope: str, by: str) -> None:
    """Close all doors of one partner (its id), or of all (`*`), from the commit on; reading the CRM goes on."""
    with house.writing() as tx:
        upsert(tx, pauses, [{"scope": scope, "at": house.now(), "by": by}])
        note_closed(tx, [scope], "paused", house.now(), by)


def resume(house: House, scope: str, by: str) -> None:
    """Open the doors again."""
    with house.writing() as tx:
        tx.execute(sa.delete(pauses).where(pauses.c.scope == scope))
        note_opened(tx, [scope], "paused", house.now(), by)


def find_partner(house: House, name: str) -> PartnerRow | None:
    """The partner with this id, else with this key, CRM account id or exact name; Ambiguous where several have it."""
    with house.reading() as tx:
        found = sa.select(partners.c.id, partners.c.key, partners.c.name)
        account = sa.select(partner_accounts.c.partner_id).where(partner_accounts.c.account == name)
        answers = sa.or_(
            partners.c.key == name, partners.c.id == name, partners.c.name == name, partners.c.id.in_(account)
        )
        rows = [PartnerRow(row.id, row.key, row.name) for row in tx.execute(found.where(answers))]
    rows = [row for row in rows if name == row.id] or rows
    if len(rows) > 1:
        # INVARIANT: a code that was set in a CRM to another partner's name never passes for that partner.
        id_or_key = "id" if any(name == row.key for row in rows) else "key"
        told = ", ".join(sorted(getattr(row, id_or_key) for row in rows)[:10])
        raise Ambiguous(f"{len(rows)} partners answer to `{name}`: give the {id_or_key} of one: {told}")
    return rows[0] if rows else None


def _insert_link(tx: sa.Connection, house: House, person_id: str, goes_to: str, minutes: int) -> str:
    token = secrets.token_urlsafe(32)
    expires = instant(house.clock() + timedelta(minutes=minutes))
    tx.execute(sa.insert(links).values(hash=_hash(token), person_id=person_id, goes_to=goes_to, expires=expires))
    return token


def _note_use(house: House, key: str, used: str | None) -> None:
    # Once an hour is enough to see which key lives, and costs a poll nothing.
    now = house.now()
    if used is None or used[:13] != now[:13]:
        with house.writing() as tx:
            tx.execute(sa.update(api_keys).where(api_keys.c.hash == _hash(key)).values(used=now))


def _person(row: sa.Row[tuple[object, ...]]) -> Person:
    return Person(row.id, row.partner_id, row.email, row.name, row.role, row.language)


def _hash(token: str) -> str:
    # Tokens are 256 random bits, so a plain hash is enough.
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _checksum(secret: str) -> str:
    return f"{zlib.crc32(secret.encode('utf-8', 'surrogatepass')):08x}"
