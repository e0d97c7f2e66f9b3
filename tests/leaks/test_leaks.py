"""Planted leaks: the comparison that passes on the product catches each of them, within a bounded number of cases."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from leaks.leak import Leak
from leaks.planted import restart
from leaks.table import LEAKS
from proofs.histories import Group, groups
from proofs.twins import Leaked, Theatre, Wrong, compare, open_theatre

from config.load import _whole
from sync.house import _compiled_versions

LEAST = 60
MOST_GROUPS, TWINS = 12, 4  # of the search by chance
BY_CHANCE = 20  # at least so many are found by it

_took: dict[str, int] = {}


@pytest.fixture(scope="module")
def theatre(tmp_path_factory):
    theatre = open_theatre(tmp_path_factory.mktemp("theatre"))
    theatre.begin = restart
    yield theatre
    theatre.close()
    print(f"\n{'planted leak':<45} caught after")  # noqa: T201 - the catalogue, with `pytest -s`
    for name, cases in _took.items():
        print(f"{name:<45} {cases:>4} cases")  # noqa: T201


@contextmanager
def planted(leak: Leak) -> Iterator[None]:
    """The leak's function is swapped; a policy that remembers decisions is read anew."""
    owner = importlib.import_module(leak.owner) if isinstance(leak.owner, str) else leak.owner
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(owner, leak.attribute, leak.make(getattr(owner, leak.attribute)))
        _read_anew()
        yield
    _read_anew()


def _read_anew() -> None:
    _compiled_versions.cache_clear()
    _whole.cache_clear()


def play(theatre: Theatre, leak: Leak) -> None:
    """What shows the leak, where it is one."""
    theatre.focus, theatre.reference, theatre.cases = leak.focus, leak.caught is Wrong, 0
    if leak.scene is not None:
        leak.scene(theatre)
    else:
        compare(theatre, leak.example)


def search(theatre: Theatre, leak: Leak) -> None:
    """Whatever comes; the same each time."""
    theatre.focus, theatre.reference, theatre.cases = leak.focus, leak.caught is Wrong, 0

    @settings(
        max_examples=MOST_GROUPS,
        derandomize=True,
        database=None,
        deadline=None,
        phases=(Phase.generate,),
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    @given(groups(TWINS, 3))
    def histories(group: Group) -> None:
        compare(theatre, group)

    histories()


@pytest.mark.parametrize("leak", LEAKS, ids=lambda leak: leak.name)
def test_each_planted_leak_is_caught(theatre, leak):
    with planted(leak), pytest.raises((Leaked, Wrong)) as caught:
        play(theatre, leak)
    assert caught.type is leak.caught, caught.value
    _took[leak.name] = theatre.cases + 1


@pytest.mark.parametrize("leak", LEAKS, ids=lambda leak: leak.name)
def test_what_shows_a_leak_shows_nothing_in_the_product(theatre, leak):
    play(theatre, leak)


def test_at_least_sixty_different_leaks_are_planted():
    assert len({leak.name for leak in LEAKS}) >= LEAST
    assert len({(str(leak.owner), leak.attribute, leak.make) for leak in LEAKS}) >= LEAST


@pytest.mark.long
def test_many_leaks_are_found_by_chance_too(theatre):
    """Without being told how: so the histories that show them are not all that the comparison can see."""
    found = {}
    for leak in (leak for leak in LEAKS if leak.scene is None):
        with planted(leak):
            try:
                search(theatre, leak)
            except (Leaked, Wrong):
                found[leak.name] = theatre.cases + 1
    print(f"\nfound by chance: {found}")  # noqa: T201 - with `pytest -s`
    assert len(found) >= BY_CHANCE, found
