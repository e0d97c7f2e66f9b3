"""Planted leaks: the comparison that passes on the product catches each of them, within a bounded number of cases."""

from __future__ import annotations

import importlib
import logging

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from leaks.planted import restart
from leaks.table import LEAKS, Leak
from proofs.histories import Group, groups
from proofs.twins import Leaked, Theatre, Wrong, compare, open_theatre

from sync.house import _compiled_versions

MOST_GROUPS = 25
TWINS = 4
MOST_CASES = 400  # the slowest to be caught so far took half of it

log = logging.getLogger(__name__)


@pytest.fixture(scope="module")
def theatre(tmp_path_factory):
    theatre = open_theatre(tmp_path_factory.mktemp("theatre"))
    theatre.begin = restart
    yield theatre
    theatre.stage.house.engine.dispose()


def play(theatre: Theatre, leak: Leak) -> None:
    """The leak's own history, then whatever comes; the same ones each time."""
    theatre.focus, theatre.reference, theatre.cases = leak.focus, leak.caught is Wrong, 0
    if leak.example is not None:
        compare(theatre, leak.example)

    @settings(
        max_examples=MOST_GROUPS,
        derandomize=True,
        database=None,
        deadline=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(groups(TWINS, 3))
    def histories(group: Group) -> None:
        compare(theatre, group)

    histories()


@pytest.mark.parametrize("leak", LEAKS, ids=lambda leak: leak.name)
def test_each_planted_leak_is_caught(theatre, leak, monkeypatch):
    owner = importlib.import_module(leak.owner) if isinstance(leak.owner, str) else leak.owner
    monkeypatch.setattr(owner, leak.attribute, leak.make(getattr(owner, leak.attribute)))
    _compiled_versions.cache_clear()  # a policy remembers its decisions
    try:
        with pytest.raises((Leaked, Wrong)) as caught:
            play(theatre, leak)
        assert caught.type is leak.caught, caught.value
        log.info("%s: caught after %d cases", leak.name, theatre.cases)
        assert theatre.cases <= MOST_CASES
    finally:
        _compiled_versions.cache_clear()


def test_the_histories_that_show_leaks_show_nothing_in_the_product(theatre):
    theatre.focus, theatre.reference = (), True
    for leak in LEAKS:
        if leak.example is not None:
            theatre.focus = leak.focus
            compare(theatre, leak.example)


def test_at_least_fourteen_different_leaks_are_planted():
    assert len({leak.name for leak in LEAKS}) >= 14
