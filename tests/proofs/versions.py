"""Configurations that histories put in force: the nasty workspace, narrower in some ways and wider in others."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from typing import Any

import yaml
from agreed import masking
from nasty import FILES

from config.load import load
from sync.house import House
from sync.versions.applied import Draft, NeedsApproval, apply_files, put_in_force
from sync.versions.plans import make_plan

AUTHOR, SECOND = "sato", "admin@aozora.example"
POLICY, FIELDS = "policies/deal-share.yaml", "fields.yaml"
Ways = frozenset[str]
"""In which ways a configuration differs from the nasty workspace."""

NARROWER: Mapping[str, tuple[str, str, str]] = {  # file, text, what stands there instead
    "year": (POLICY, "fields: [deal.close], as: quarter", "fields: [deal.close], as: year"),
    "no industry": (POLICY, "[deal.close, account.industry]", "[deal.close]"),
    "no step": (
        POLICY,
        "approved: true, partner.tier: [gold, platinum, silver]",
        "approved: true, partner.tier: [gold, platinum]",
    ),
    "sealed": (POLICY, "partner.agreement: active, partner.tier: platinum", "partner.agreement: never"),
    "frozen": (POLICY, "fields: [deal.amount], at_most: hide", "fields: [deal.amount, deal.size], at_most: hide"),
}
WIDER: Mapping[str, tuple[str, str, str]] = {
    "stage": (POLICY, "when: {share.state: accepted}, fields: [deal.stage]", "when: always, fields: [deal.stage]"),
    "band": (
        POLICY,
        "when: {partner.tier: [gold, platinum]}, fields: [deal.amount]",
        "when: {partner.tier: [gold, platinum, silver]}, fields: [deal.amount]",
    ),
    "titles": (
        POLICY,
        'when: {partner.tier: gold}, fields: ["contacts[].title"]',
        'when: {partner.tier: [gold, silver]}, fields: ["contacts[].title"]',
    ),
}
OTHERS: Mapping[str, tuple[str, str, str]] = {
    "bands": (FIELDS, "JPY: [1M, 5M, 20M]", "JPY: [5M]"),  # no view of before is read any more
    "whole step": (POLICY, "fields: [deal.next_step], as: redacted", "fields: [deal.next_step], as: exact"),
}
"""Neither narrower nor wider alone."""
_ALL = {**NARROWER, **WIDER, **OTHERS}
MIXED: tuple[tuple[str, ...], ...] = (
    (),
    ("year",),
    ("no industry", "no step"),
    ("sealed", "frozen"),
    ("stage",),
    ("band", "titles"),
    ("year", "stage"),
    ("no step", "band"),
    ("sealed", "titles"),
)


@lru_cache(maxsize=64)
def files_of(ways: Ways) -> Mapping[str, str]:
    """The workspace that differs in these ways."""
    files = dict(FILES)
    for name in sorted(ways):
        file, text, instead = _ALL[name]
        assert files[file].count(text) == 1, name
        files[file] = files[file].replace(text, instead)
    return files


@lru_cache(maxsize=64)
def words_of(ways: Ways) -> Mapping[str, Any]:
    """The same, read."""
    return {name: yaml.safe_load(text) for name, text in files_of(ways).items()}


def lower(ways: Ways, before: Ways) -> Ways:
    """What one person alone may put in force over `before`: what is narrower in either, wider in both."""
    wider = frozenset(WIDER)
    return ((ways | before) - wider) | (ways & before & wider)


def put(house: House, kind: str, ways: Ways) -> None:
    """Plan this configuration, or put it in force as far as one person may, or as two may."""
    if kind == "plan":
        make_plan(house, files_of(ways), AUTHOR)
    elif kind == "together":
        with masking(), house.writing(alone=True) as tx:  # alone, it is all written in the commit that switches
            done = put_in_force(tx, house, Draft(load(files_of(ways)), AUTHOR, approved_by=SECOND))
        assert done.version is not None
        assert not done.waits
    else:
        with suppress(NeedsApproval):  # what is wider waits
            apply_files(house, files_of(ways), AUTHOR)
