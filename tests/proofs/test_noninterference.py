"""Two histories that a partner can't tell apart by what it may see give it the same bytes on every channel."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from nasty import PARTNERS
from proofs.histories import Group, groups
from proofs.twins import Theatre, compare, open_theatre

TWINS = 8
GROUPS, CASES = 88, 2_000
WEBHOOK_GROUPS, WEBHOOK_CASES = 20, 100
SERVER_GROUPS, SERVER_CASES = 24, 100
DEEP_GROUPS, DEEP_CASES = 1_400, 20_000


@pytest.fixture(scope="module")
def theatre(tmp_path_factory):
    """One stage for all histories: what is compiled once stays compiled."""
    theatre = open_theatre(tmp_path_factory.mktemp("theatre"))
    yield theatre
    theatre.close()


def play(theatre: Theatre, examples: int, *, twins: int = TWINS, whole: bool = False, most_steps: int = 4) -> int:
    """Play this many groups of histories, the same ones each time; how many cases were compared."""
    cases = 0

    @settings(
        max_examples=examples,
        derandomize=True,  # the seed is this function's name and strategy: every run replays the same histories
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
        print_blob=True,
    )
    @given(groups(twins, most_steps))
    def twins_are_told_apart_by_nothing(group: Group) -> None:
        nonlocal cases
        cases += compare(theatre, group, whole=whole)

    twins_are_told_apart_by_nothing()
    return cases


def test_a_partner_that_may_see_the_same_receives_the_same_bytes(theatre):
    assert play(theatre, GROUPS) >= CASES
    seldom = Counter({name: theatre.asked[name] for name in theatre.channels["PLAT"]}).most_common()[-1]
    assert seldom[1] >= 3, f"channel `{seldom[0]}` was compared {seldom[1]} times only"


def test_on_every_channel_at_once_twins_are_told_apart_by_nothing(theatre):
    assert play(theatre, 2, twins=2, whole=True, most_steps=3) >= 5


def test_a_webhook_is_called_after_the_same_steps_and_with_the_same_bytes(theatre):
    theatre.focus, before = ("webhook",), theatre.receiver.count
    try:
        assert play(theatre, WEBHOOK_GROUPS, twins=4) >= WEBHOOK_CASES
    finally:
        theatre.focus = ()
    assert theatre.receiver.count - before >= WEBHOOK_CASES, "it was seldom called at all"


def test_worlds_that_differ_in_the_name_of_another_partner_or_of_the_owner_are_one_to_who_reads_a_text(theatre):
    """The name stands in the deal's free text too, in each of its forms."""
    text = ("Opportunity", "D2", "NextStep")
    for first, edits, told_apart_by in (
        ((*text, "SILV 商会と(株)SILV商会、silv"),
         (("partner", "SILV", "Name", "株式会社銀河商事"), (*text, "銀河商事と(株)銀河商事、銀河")), {"SILV"}),
        ((*text, "PLAT 商会、㈱ＰＬＡＴ商会も提案"),  # it is not on this deal
         (("partner", "PLAT", "Name", "株式会社銀河商事"), (*text, "銀河商事、㈱銀河商事も提案")), {"PLAT"}),
        ((*text, "水原が訪問"), (("User", "U1", "Name", "鷺沼 玲子"), (*text, "鷺沼が訪問")), set()),
    ):  # fmt: skip
        alike = compare(theatre, Group((first,), ((edits,),)), whole=True)
        assert alike == len(PARTNERS) - len(told_apart_by)


@pytest.mark.long
def test_a_partner_that_may_see_the_same_receives_the_same_bytes_in_long_histories(theatre):
    assert play(theatre, DEEP_GROUPS, most_steps=6) >= DEEP_CASES


@pytest.mark.long
@pytest.mark.postgres
def test_a_partner_that_may_see_the_same_receives_the_same_bytes_on_postgresql(postgresql_server, tmp_path_factory):
    theatre = open_theatre(tmp_path_factory.mktemp("theatre"), postgresql_server)
    try:
        assert play(theatre, SERVER_GROUPS) >= SERVER_CASES
    finally:
        theatre.close()
