"""What a partner may see of a world: the reference, naive and slow, written from the design and not from the code.

Only the fields that the policy's words can name are known here; the tables below are the design's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from nasty import LANGUAGES
from proofs.rungs import TRANSFORMS, Hidden
from proofs.versions import Ways, lower, words_of
from worlds import ON_DEAL, World

from mapping.values import Money
from policies.directory import directory_of
from policies.redaction import Others, hidden_of, redacted

RUNGS = {
    "money": ["hide", "band", "exact"],
    "date": ["hide", "year", "quarter", "month", "exact"],
    "person": ["hide", "pseudonym", "initials", "exact"],
    "email": ["hide", "pseudonym", "domain", "exact"],
    "text": ["hide", "redacted", "exact"],
}
MASKED = {"person": "person", "email": "email", "money": "money", "date": "day", "plain": "text"}
PLAIN = ["hide", "exact"]
ROLES = {"Referral": "sourced", "Helper": "co-sell"}
Truth = bool | None  # None: unknown


@dataclass(frozen=True)
class Past:
    """What is remembered of one share: it is ours, not the CRM's."""

    state: str
    since: datetime
    messages: tuple[tuple[str, str, str], ...] = ()  # direction, author, text


@dataclass(frozen=True)
class Observation:
    """All that one partner may see: its deals by CRM id, each with state, involvement, bytes and messages."""

    deals: Mapping[str, tuple[str, str, Mapping[str, Any], tuple[tuple[str, str, str], ...]]]
    said: tuple[tuple[str, str], ...] = ()  # its own statements
    called: str = ""  # its own name


_ANSWERS = {("pending", "accepted"), ("pending", "declined"), ("accepted", "declined")}


@dataclass
class Watcher:
    """Observes every partner after every step of one history, remembering the shares."""

    draft: Ways = frozenset()  # the configuration that was put in force last
    ways: Ways = frozenset()  # what of it is in force
    newborn: str = "accepted"  # the state of a share that is born: of the first load, accepted; then pending
    shares: dict[tuple[str, str], Past] = field(default_factory=dict)
    told: dict[str, str | None] = field(default_factory=dict)  # deal -> what its message field said last
    said: dict[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    planned: list[tuple[str, Ways]] = field(default_factory=list)  # configurations, by all that was done with them

    @property
    def words(self) -> Mapping[str, Any]:
        """The YAML that is in force, read."""
        return words_of(self.ways)

    def switch(self, kind: str, ways: Ways) -> bool:
        """Put a configuration in force, alone or together; whether there is anything to put."""
        if ways == self.draft:
            return False
        self.planned.append((kind, ways))
        before = self.ways
        if kind == "together":
            self.ways = ways
        elif kind == "alone":
            self.ways = lower(ways, before)
        if kind == "together" or self.ways != before:
            self.draft = ways
        return True

    def answer(self, partner: str, deal: str, state: str) -> bool:
        """A partner's answer to a deal; whether it may be given: what was accepted may be given back."""
        past = self.shares.get((partner, deal))
        if past is None or (past.state, state) not in _ANSWERS:
            return False
        self.shares[partner, deal] = replace(past, state=state)
        self._say(partner, deal, f"deal.{state}")
        return True

    def comment(self, partner: str, deal: str, text: str) -> bool:
        """A partner's comment; whether there was a share to comment on."""
        past = self.shares.get((partner, deal))
        if past is None:
            return False
        self.shares[partner, deal] = replace(past, messages=(*past.messages, ("out", "", text)))
        self._say(partner, deal, "comment")
        return True

    def acknowledge(self, partner: str) -> None:
        """A partner says of all that was taken back from it that its copies are gone."""
        self._say(partner, "", "ack")

    def glance(self, world: World, now: datetime) -> dict[str, Observation]:
        """What each partner may see, before the deals have been decided anew: nothing is remembered of it."""
        return self.copy().look(world, now)

    def copy(self) -> Watcher:
        """Another one that remembers the same."""
        known = {"shares": dict(self.shares), "told": dict(self.told), "said": dict(self.said)}
        return replace(self, **known, planned=list(self.planned))

    def look(self, world: World, now: datetime) -> dict[str, Observation]:
        """What each partner may see now that this world has been read."""
        found = {key: observe(key, world, self.words, now, self.shares, self.newborn) for key in partners_of(world)}
        self.newborn = "pending"
        standing = {(key, deal): past for key, (_, pasts) in found.items() for deal, past in pasts.items()}
        self._tell(world, standing)
        self.shares = standing
        return {
            key: Observation(
                {deal: (*row, standing[key, deal].messages) for deal, row in rows.items()},
                self.said.get(key, ()),
                partners_of(world)[key][1]["Name"],
            )
            for key, (rows, _) in found.items()
        }

    def _say(self, partner: str, deal: str, kind: str) -> None:
        self.said[partner] = (*self.said.get(partner, ()), (deal, kind))

    def _tell(self, world: World, standing: dict[tuple[str, str], Past]) -> None:
        """What a CRM user wrote reaches the partners who had the deal before and have it still."""
        for deal, fields in world.living("Opportunity").items():
            text, before = fields.get("Message__c"), self.told.get(deal)
            self.told[deal] = text
            author = self.words["sudare.yaml"]["vendor"]
            if not text or text == before:
                continue
            for key in [key for key, mine in standing if mine == deal]:
                known, past = self.shares.get((key, deal)), standing[key, deal]
                # The same words again are no news.
                news = ("in", text) not in {(way, words) for way, _, words in past.messages}
                if news and known is not None and known.state in ("pending", "accepted"):
                    standing[key, deal] = replace(past, messages=(*past.messages, ("in", author, text)))


def observe(
    partner: str,
    world: World,
    words: Mapping[str, Any],
    now: datetime,
    shares: Mapping[tuple[str, str], Past],
    newborn: str,
) -> tuple[dict[str, tuple[str, str, Mapping[str, Any]]], dict[str, Past]]:
    """The partner's deals, and what is to be remembered of their shares. `shares` is what was remembered before."""
    policy = words["policies/deal-share.yaml"]
    rows: dict[str, tuple[str, str, Mapping[str, Any]]] = {}
    pasts: dict[str, Past] = {}
    for deal, fields in world.living("Opportunity").items():
        account = world.living("Account").get(fields.get("AccountId"))
        role = role_of(partner, deal, world)
        if account is None or role is None:
            continue
        past = shares.get((partner, deal)) or Past(newborn, now)
        past = replace(past, state=state_at(past, policy, now))
        situation = values_of(fields, account, partners_of(world)[partner][1], past.state, role)
        people = [person for person in world.living("Contact").values() if person["AccountId"] == fields["AccountId"]]
        shown = show(policy, words["fields.yaml"], situation, people, others_on(deal, world), now)
        if shown is not None:
            rows[deal], pasts[deal] = (past.state, role, shown), past
    return rows, pasts


def state_at(past: Past, policy: Mapping[str, Any], now: datetime) -> str:
    """The share's state now: an invitation that nobody answered expires."""
    days = policy["invitations"]["expire_after_days"]
    return "expired" if past.state == "pending" and past.since + timedelta(days=days) <= now else past.state


def partners_of(world: World) -> dict[str, tuple[str, Mapping[str, Any]]]:
    """Key -> (account, its fields) of those accounts that are partners."""
    found = world.living("Account").items()
    return {fields["Partner_Code__c"]: (id, fields) for id, fields in found if fields.get("IsPartner")}


def role_of(partner: str, deal: str, world: World) -> str | None:
    """As what the partner is on the deal: by a row, a lookup, or because it is one of a population."""
    account, terms = partners_of(world)[partner]
    fields = world.living("Opportunity")[deal]
    if account == fields["AccountId"]:
        return None
    row = world.living(ON_DEAL).get(f"{deal}-{account}")
    if row is not None:
        return ROLES.get(row["Role"], "influenced")
    if fields.get("PartnerAccountId") == account:
        return "resell"
    if fields.get("Channel__c") == "open" and terms["Tier__c"] in ("gold", "platinum"):
        return "influenced"
    return None


def others_on(deal: str, world: World) -> Others:
    """Whom a deal's free text does not name to anybody: all partners on it, their people, its owner; and all partners
    that there are, by their whole names."""
    found: list[tuple[Any, Any]] = []
    for key, (_, fields) in partners_of(world).items():
        if role_of(key, deal, world) is not None:
            found.append(("company", fields["Name"]))
            for language in LANGUAGES:
                found += [("person", f"{key} {language}"), ("email", f"{language}@{key.lower()}.example")]
    owner = world.living("User").get(world.living("Opportunity")[deal].get("OwnerId"), {})
    every = tuple(sorted(fields["Name"] for _, fields in partners_of(world).values()))
    return Others((*found, ("person", owner.get("Name"))), directory_of(every))


def values_of(
    deal: Mapping[str, Any], account: Mapping[str, Any], partner: Mapping[str, Any], state: str, role: str
) -> dict[str, Any]:
    """The situation in our words."""
    amount, currency = deal.get("Amount"), deal.get("CurrencyIsoCode")
    size = None
    if amount is not None and currency == "JPY":
        size = "large" if amount >= 20_000_000 else "normal"
    return {
        "deal.name": deal.get("Name"),
        "deal.stage": deal.get("StageName"),
        "deal.amount": None if amount is None else (amount, currency),
        "deal.close": deal.get("CloseDate"),
        "deal.region": deal.get("Region__c"),
        "deal.sealed": deal.get("Sealed__c"),
        "deal.approved": deal.get("Approved__c"),
        "deal.embargo": deal.get("Embargo__c"),
        "deal.freeze": deal.get("Freeze__c"),
        "deal.channel": deal.get("Channel__c"),
        "deal.margin": None if deal.get("Margin__c") is None else (deal["Margin__c"], currency),
        "account.revenue": None if account.get("Revenue__c") is None else (account["Revenue__c"], "JPY"),
        "deal.message": deal.get("Message__c"),
        "deal.next_step": deal.get("NextStep"),
        "deal.plan": deal.get("Plan__c"),
        "deal.size": size,
        "account.name": account.get("Name"),
        "account.industry": account.get("Industry"),
        "partner.tier": partner.get("Tier__c"),
        "partner.agreement": partner.get("Agreement__c"),
        "partner.nda": partner.get("Nda__c"),
        "partner.region": partner.get("Region__c"),
        "share.state": state,
        "share.involvement": role,
    }


def show(
    policy: Mapping[str, Any],
    table: Mapping[str, Any],
    situation: Mapping[str, Any],
    people: Sequence[Mapping[str, Any]],
    others: Others,
    now: datetime,
) -> Mapping[str, Any] | None:
    """The deal as it is shown; None where no `who` rule admits the partner."""
    if not any(truth(rule["when"], situation, now) is True for rule in policy["who"]):
        return None
    shows = [rule for rule in policy["show"] if truth(rule["when"], situation, now) is True]
    limits = [rule for rule in policy["limit"] if truth(rule["when"], situation, now) is not False]
    rungs = {name: rung_of(name, table, shows, limits) for name in table["fields"]}
    body: dict[str, Any] = {"deal": {}, "account": {}, "shown": {}}
    columns = {name: rung for name, rung in rungs.items() if name.startswith("contacts[].") and rung != "hide"}
    for name, rung in rungs.items():
        group, _, short = name.partition(".")
        if rung == "hide" or name in columns:
            continue
        if table["fields"][name]["ladder"] == "text":
            rung = "redacted"  # whole it is shown only where a person approved it, and nobody does here
            body[group][short] = masked(situation[name], rungs, table, situation, people, others)
            body["shown"][name] = rung
            continue
        try:
            body[group][short] = TRANSFORMS[rung](situation[name], table["fields"][name])
        except Hidden:
            continue
        body["shown"][name] = rung
    if columns:
        body["contacts"] = [row_of(person, columns, table) for person in people]
        body["contacts.length"] = len(people)
        body["shown"] |= {**columns, "contacts.length": "exact"}
    return body


def masked(
    text: str | None,
    rungs: Mapping[str, str],
    table: Mapping[str, Any],
    situation: Mapping[str, Any],
    people: Sequence[Mapping[str, Any]],
    others: Others,
) -> str | None:
    """Free text without what the partner does not see exactly, and without whoever else is on the deal: the redaction
    is part of what may be seen."""
    hidden: list[tuple[Any, Any]] = []
    known: list[tuple[Any, Any]] = []
    for name, row in table["fields"].items():
        kind = "company" if name == "account.name" else MASKED.get(row["ladder"])
        if kind is None or "expr" in row:
            continue
        values = known if rungs[name] == "exact" else hidden
        short = name.partition("[].")[2].capitalize()
        found = [person.get(short) for person in people] if short else [situation[name]]
        values += [(kind, Money(_minor(*each), each[1]) if isinstance(each, tuple) else each) for each in found]
    return None if text is None else redacted(text, hidden_of(hidden, others, known))


def _minor(amount: int, currency: str) -> int:
    return amount if currency == "JPY" else amount * 100


def row_of(person: Mapping[str, Any], columns: Mapping[str, str], table: Mapping[str, Any]) -> dict[str, Any]:
    """One person as a row of the columns that are shown."""
    row = {}
    for name, rung in columns.items():
        short = name.partition("[].")[2]
        try:
            row[short] = TRANSFORMS[rung](person.get(short.capitalize()), table["fields"][name])
        except Hidden:
            continue
    return row


def rung_of(
    name: str, table: Mapping[str, Any], shows: Sequence[Mapping[str, Any]], limits: Sequence[Mapping[str, Any]]
) -> str:
    """The highest rung of the shows that hold, but not above the lowest of the limits that may hold."""
    ladder = RUNGS.get(table["fields"][name]["ladder"], PLAIN)
    raised = [ladder.index(rule["as"]) for rule in shows if name in rule["fields"]]
    capped = [
        ladder.index(rule["at_most"])
        for rule in limits
        if name in rule.get("fields", ()) or classes_of(name, table) & set(rule.get("classes", ()))
    ]
    return ladder[min([max([0, *raised]), *capped])]


def classes_of(name: str, table: Mapping[str, Any]) -> set[str]:
    """A field's classes; a derived one has those of its inputs too."""
    row = table["fields"][name]
    own = row["class"] if isinstance(row["class"], list) else [row["class"]]
    inherited = {each for other in table["fields"] if other in row.get("expr", "") for each in classes_of(other, table)}
    return set(own) | inherited


def truth(when: Any, situation: Mapping[str, Any], now: datetime) -> Truth:
    """A condition's truth: all tests hold, or one is false, or nobody knows."""
    if when == "always":
        return True
    truths = [test(situation.get(name), each, situation, now) for name, each in when.items()]
    return False if False in truths else None if None in truths else True


def test(value: Any, wanted: Any, situation: Mapping[str, Any], now: datetime) -> Truth:
    """One field against what is wanted of it."""
    if isinstance(wanted, Mapping):
        ((word, other),) = wanted.items()
        other = situation.get(other) if isinstance(other, str) and "." in other else other
    else:
        word, other = ("in" if isinstance(wanted, list) else "is"), wanted
    if value is None or other is None:
        return None
    today = now.astimezone(ZoneInfo("Asia/Tokyo")).date().isoformat()
    tests: Mapping[str, Callable[[], bool]] = {
        "is": lambda: value == other,
        "is_not": lambda: value != other,
        "in": lambda: value in other,
        "before": lambda: value < today,
        "after": lambda: value > today,
    }
    return tests[word]()
