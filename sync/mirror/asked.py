"""What is asked of each connection, why, and in which shape it is kept."""

from __future__ import annotations

from collections.abc import Mapping

from config.workspace import Workspace
from connectors.installing import Wanted
from mapping.compile import needed_by_mapping, reasons
from mapping.model import ConnectionMapping, FieldMapping, ObjectMapping
from sync.deciding.called import USER_NAME, is_named, partner_names
from sync.deciding.released import shows_text
from sync.store.identifiers import digest


def why_needed(workspace: Workspace) -> dict[str, str]:
    """Our fields that something needs, each with its reason. Nothing else is asked of a CRM."""
    # INVARIANT: what nothing needs is never read.
    why = {
        "partner.name": "names the partner on pages and records",
        "partner.language": "the partner's pages and mails",
        "partner.address": "stands in the records of what was provided",
        "partner.representative": "stands in the records of what was provided",
    }
    for action in workspace.writeback.actions:
        if any("{deal.name}" in template for template in (*action.subject.values(), *action.body.values())):
            why["deal.name"] = "stands in a logged action"
    return {**_masked(workspace), **why, **workspace.policy.why}


def _masked(workspace: Workspace) -> dict[str, str]:
    """Names of partners, their people and deals' owners, where free text is shown that must not tell them."""
    if not shows_text(workspace.policy):
        return {}
    partners = {name for mapping in workspace.mappings.values() for name in partner_names(mapping)}
    owners = {USER_NAME} if any(map(is_named, workspace.mappings.values())) else set()
    return {
        **dict.fromkeys(sorted(partners), "names a partner or its people, to be masked in free text"),
        **dict.fromkeys(owners, "names a deal's owner, to be masked in free text"),
    }


def needed_of(workspace: Workspace, mapping: ConnectionMapping) -> frozenset[str]:
    """Our fields that are asked of one connection."""
    return frozenset(why_needed(workspace)) | frozenset(needed_by_mapping(mapping))


def wanted_of(workspace: Workspace, connection: str) -> Wanted:
    """What a connection's CRM must have, and let our user do, for all that is read from it and written to it."""
    mapping = workspace.mappings[connection]
    reads: dict[str, set[str]] = {}
    for each in reasons(mapping, why_needed(workspace)):
        reads.setdefault(each.object, set()).add(each.crm_field)
    sources = [each.source for each in mapping.relations if each.source is not None]
    for child in (each for each in sources if each.via == "child"):
        reads.setdefault(child.object, set()).update(filter(None, (child.deal, child.account, child.role)))
    deal, summary = mapping.opportunities.object, workspace.writeback.summary_fields.get(connection)
    return Wanted(
        {object: tuple(sorted(fields)) for object, fields in reads.items()},
        {deal: (summary,)} if summary else {},
        tuple(dict.fromkeys(each.label for each in sources if each.via == "label")),
        deal,
    )


def meanings(workspace: Workspace, connection: str) -> dict[str, dict[str, str]]:
    """Object -> our field -> a digest of what it is read from; under "", what makes a record one of ours."""
    mapping = workspace.mappings[connection]
    needed = needed_of(workspace, mapping)
    # A relation that stands in the deals' own fields is read with them; partners are read with the accounts.
    own = [(each.via, each.field, sorted(each.deals.items())) for each in mapping.relations if each.source is None]
    partners = (sorted(mapping.partners.only.items()), mapping.partner_key)
    return {
        "account": {**_told(mapping.partners, needed), **_told(mapping.accounts, needed, partners)},
        "opportunity": _told(mapping.opportunities, needed, own),
        "contact": _told(mapping.contacts, needed) if mapping.contacts else {},
        "user": _told(mapping.users, needed) if mapping.users else {},
    }


def shape_of(told: Mapping[str, str]) -> str:
    """The name of one object's meanings: rows of one shape mean the same by the same fields."""
    return digest(repr(sorted(told.items())).encode())


def _told(source: ObjectMapping, needed: frozenset[str], more: object = ()) -> dict[str, str]:
    whole = (source.object, sorted(source.only.items()), source.account, source.owner, more)
    fields = {field.name: _meaning(field) for field in source.fields if field.name in needed}
    return {**fields, "": digest(repr(whole).encode())}


def _meaning(row: FieldMapping) -> str:
    """What a field is read from, without its place in the file."""
    told = (row.type, row.sources, sorted(row.values.items()), row.default, row.currency, row.join)
    return digest(repr(told).encode())
