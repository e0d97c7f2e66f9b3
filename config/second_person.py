"""Who may agree that partners see more: two people whom sudare.yaml names, however one of them is spelled."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from config.workspace import Workspace

APPROVERS = ("admin", "approver")


def approvers(workspace: Workspace) -> frozenset[str]:
    """E-mail addresses of those who may approve what lets partners see more."""
    # INVARIANT: of an address that stands there twice the last role counts, as it does for who comes in.
    roles = {email.strip().casefold(): role for email, (_, role) in workspace.vendor_users.items()}
    return frozenset(email for email, role in roles.items() if role in APPROVERS)


def is_named(by: str, workspace: Workspace) -> bool:
    """Whether who made something (an e-mail, or an account of the machine) is somebody whom sudare.yaml names."""
    # INVARIANT: to be somebody a name has to be spelled as it stands there; to be the same person it need not.
    named = {email.strip().casefold() for email in workspace.vendor_users}
    return by.strip().casefold() in named | {email.partition("@")[0] for email in named}


def others_than(by: str, workspace: Workspace) -> frozenset[str]:
    """Who may approve what this person made, by e-mail."""
    return frozenset(email for email in approvers(workspace) if not same_person(by, email))


def could_agree(by: str, workspace: Workspace, let_in: Iterable[str]) -> bool:
    """Whether those who are let in are enough for two people to agree on what `by` made."""
    if is_named(by, workspace):
        return not others_than(by, workspace).isdisjoint(let_in)
    # INVARIANT: an account of the machine that nobody is named by is no person: then both have to be signed in.
    return len({mailbox(email) for email in let_in}) > 1


def same_person(by: str, email: str) -> bool:
    """Whether who made a plan (an e-mail, or an account of the machine) has this address, as far as names tell."""
    name, address = mailbox(by), mailbox(email)
    return name in (address, address.partition("@")[0])


def mailbox(address: str) -> str:
    """An address as a post office reads it: neither case nor what follows a `+` makes it another box."""
    local, at, domain = unicodedata.normalize("NFKC", address).strip().casefold().partition("@")
    return local.partition("+")[0] + at + domain
