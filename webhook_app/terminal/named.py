"""What the arguments of a command name: a connection, a partner, a deal, a person of the ledger."""

from __future__ import annotations

import sys
from collections.abc import Collection

from sync.access import PartnerRow, find_partner
from sync.board import DealRow, find_deal
from sync.house import House
from sync.ledger.questions import Subject, find_people
from webhook_app.terminal.commands import Refused


def connections_named(connections: Collection[str], name: str | None) -> list[str]:
    """The connection of this name; without one, all. Raises Refused."""
    if name is None:
        return list(connections)
    if name not in connections:
        raise Refused(f"no connection `{name}`; there is {', '.join(connections)}")
    return [name]


def partner_named(house: House, name: str) -> PartnerRow:
    """The partner with this key, CRM account id or exact name. Raises Refused."""
    found = find_partner(house, name)
    if found is None:
        raise Refused(
            f"no partner `{name}`: give its key, the CRM's account id, or its exact name; `sudare pull` reads them"
        )
    return found


def deal_named(house: House, name: str) -> DealRow:
    """The deal with this CRM id or exact name. Raises Refused."""
    found = find_deal(house, name)
    if found is None:
        raise Refused(f"no deal `{name}`: give the CRM's id, or its exact name")
    return found


def person_named(house: House, asked: str) -> Subject:
    """The one person of the ledger who answers to this; `-` is read from the standard input. Raises Refused."""
    found = find_people(house, sys.stdin.readline() if asked == "-" else asked)
    if not found:
        raise Refused(
            "nobody answers to this in the ledger: no partner could see anything of such a person; "
            "try another spelling, the e-mail address or the CRM's id before you say so"
        )
    if len(found) > 1:
        told = ", ".join(f"{each.crm_id or each.id} ({called(each)})" for each in found[:10])
        raise Refused(f"{len(found)} persons answer to this: give the id of one: {told}")
    return found[0]


def called(subject: Subject) -> str:
    """The name, else the pseudonym."""
    return subject.name or subject.pseudonym
