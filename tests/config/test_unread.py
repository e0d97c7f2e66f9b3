"""Of files that can't be read the settings are, as far as they go; nobody sees anything by them."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from config.second_person import approvers
from config.unread import rest_of

ADMIN = "admin@aozora.example"
USERS = "vendor_users:\n"


@pytest.mark.parametrize(
    ("old", "new", "four_eyes", "who"),
    [
        (USERS, "a_new_key: 1\n" + USERS, True, {ADMIN}),
        (USERS, "four_eyes: perhaps\n" + USERS, True, {ADMIN}),
        (USERS, "four_eyes: false\n" + USERS, False, {ADMIN}),
        (USERS, USERS + "  boss@a.example: {name: B, role: owner}\n", True, {ADMIN}),
        (USERS, USERS + "  you@a.example: {name: Y, role: approver}\n", True, {ADMIN, "you@a.example"}),
        (USERS, "vendor_users: [everybody]\nvendor_users_of_before:\n", True, set()),
        ("timezone: Asia/Tokyo", "timezone: Nowhere", True, {ADMIN}),
        ("connections:\n", "connections: none\nconnections_of_before:\n", True, {ADMIN}),
        ("vendor: ", "\tvendor: ", True, set()),
    ],
)
def test_who_has_to_agree_is_read_from_settings_that_can_not_be_read_as_a_whole(
    good: Mapping[str, str], old: str, new: str, four_eyes: bool, who: set[str]
) -> None:
    assert old in good["sudare.yaml"]
    rest = rest_of({**good, "sudare.yaml": good["sudare.yaml"].replace(old, new, 1)})
    assert (rest.four_eyes, approvers(rest)) == (four_eyes, who)
    assert not rest.policy.book.rules
    assert not rest.connections


def test_where_nothing_is_left_two_people_have_to_agree_and_nobody_can() -> None:
    rest = rest_of({})
    assert (rest.four_eyes, approvers(rest)) == (True, frozenset())
