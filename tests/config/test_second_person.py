"""Two people are two people, however one of them is spelled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from config.load import load
from config.second_person import approvers, could_agree, is_named, others_than, same_person
from config.workspace import Workspace

ME, OTHER = "me@aozora.example", "you@aozora.example"


@pytest.mark.parametrize(
    ("by", "same"),
    [
        (ME, True),
        ("me", True),
        ("ME", True),
        (" Me@AOZORA.example ", True),
        ("me+2@aozora.example", True),  # the same post box
        ("ｍｅ@aozora.example", True),  # full width
        ("me@aozora.example.evil", False),
        ("m", False),
        ("", False),
        ("root", False),
    ],
)
def test_who_made_a_plan_is_known_however_the_name_is_written(by: str, same: bool) -> None:
    assert same_person(by, ME) == same
    assert same_person(by, "me+approver@aozora.example") == same


@pytest.fixture
def people(good: Mapping[str, str]) -> Workspace:
    users = {ME: ("Me", "admin"), "me+2@aozora.example": ("Me", "approver"), "look@aozora.example": ("L", "auditor")}
    return replace(load(good), vendor_users=users)


def test_an_address_with_a_plus_is_no_second_person(people: Workspace) -> None:
    assert others_than(ME, people) == others_than("me", people) == frozenset()
    assert not could_agree("me", people, approvers(people))
    assert not could_agree("root", people, approvers(people))
    both = replace(people, vendor_users={**people.vendor_users, OTHER: ("You", "approver")})
    assert others_than(ME, both) == {OTHER}
    assert could_agree("me", both, approvers(both))
    assert could_agree("root", both, approvers(both))
    assert not could_agree("me", both, {ME})


def test_an_account_of_the_machine_is_somebody_only_where_the_settings_name_somebody_so(people: Workspace) -> None:
    assert is_named("look", people)
    for nobody in ("root", "uid 501", "me+3@aozora.example", "ｌｏｏｋ", ""):
        assert not is_named(nobody, people)
