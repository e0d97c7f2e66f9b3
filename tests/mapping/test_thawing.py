"""Stored fields read back in part are what reading them whole gives."""

from __future__ import annotations

from mapping.values import Money, Value, freeze, thaw, thawing


def test_some_fields_are_read_as_all_of_them_are() -> None:
    stored: dict[str, Value] = {
        "deal.amount": Money(12_000_000, "JPY"),
        "deal.tags": ["a", "b"],
        "deal.name": "横浜精機",
        "deal.seats": 2.5,
        "deal.won": True,
        "deal.close": None,
    }
    text = freeze(stored).decode()
    for names in (list(stored), ["deal.amount", "deal.missing"], ["deal.tags"], []):
        assert thawing(names)(text) == {name: thaw(text).get(name) for name in names}
    assert isinstance(thawing(["deal.amount"])(text)["deal.amount"], Money)
