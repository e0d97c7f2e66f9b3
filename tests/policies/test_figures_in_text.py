"""Figures in free text: which amounts people write, and which numbers name somebody by their shape or check digit."""

from __future__ import annotations

from decimal import Decimal

import pytest

from policies.amounts import amounts_in, says
from policies.folding import fold
from policies.identifiers import digits_of, identifiers


@pytest.mark.parametrize(
    ("written", "comes_to"),
    [
        ("one hundred and twenty five million", 125_000_000),
        ("one hundred and twenty-five thousand", 125_000),
        ("nineteen", 19),
        ("eighty", 80),
        ("ninety nine", 99),
        ("two hundred", 200),
        ("5k", 5_000),
        ("2 grand", 2_000),
        ("1.5 mn", 1_500_000),
        ("3.25bn", 3_250_000_000),
        ("12 mio", 12_000_000),
        ("298 345", 298_345),
        ("1 234 567", 1_234_567),
        ("1 234 567 890 123", 1_234_567_890_123),
        ("12'345'678", 12_345_678),
        ("640.000,00", 640_000),
        ("1.234.567", 1_234_567),
        ("1.234.567,5", Decimal("1234567.5")),
        ("1,234.5", Decimal("1234.5")),
        ("0.5", Decimal("0.5")),
        ("十万", 100_000),
        ("百", 100),
        ("万", 10_000),
        ("千二百", 1_200),
        ("三五", 35),
        ("二千三百四十五万六千七百八十九", 23_456_789),
        ("2兆3億4万5", 2_000_300_040_005),
        ("壱億弐千万", 120_000_000),
        ("3億5千万", 350_000_000),
        ("삼억이천만", 320_000_000),
        ("오십만", 500_000),
        ("35百万", 35_000_000),
        ("3万5千", 35_000),
    ],
)
def test_an_amount_comes_to_what_its_reader_understands(written, comes_to):
    found = list(amounts_in(fold(written).text))
    assert [each.value for each in found if each.span == (0, len(written))] == [comes_to]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("fifty fifty", [50, 50]),
        ("thirty fifteen", [30, 15]),
        ("five five", [5, 5]),
        ("12 34", [12, 34]),
        ("twenty ten", [20, 10]),
        ("百百", [100, 100]),
        ("123 45", [123, 45]),
        ("we met one man of 3", [1, 3]),
        ("no figures", []),
        ("", []),
    ],
)
def test_numbers_that_only_follow_each_other_are_read_apart(written, read):
    assert [int(each.value) for each in amounts_in(fold(written).text)] == read


@pytest.mark.parametrize(
    ("written", "wanted", "told"),
    [
        # Within five in a hundred, where it is written with a unit or with four figures.
        ("105万", 1_000_000, True),
        ("106万", 1_000_000, False),
        ("95万", 1_000_000, True),
        ("94万", 1_000_000, False),
        ("1050", 1_000, True),
        ("1051", 1_000, False),
        # A few bare figures have to be the very ones, or to leave out a unit that people leave out.
        ("100", 100, True),
        ("101", 100, False),
        ("99", 100, False),
        ("350", 350_000, True),
        ("350", 3_500_000, True),
        ("350", 350_000_000, True),
        ("350", 35_000_000, False),
        ("351", 350_000, False),
        ("35", 350_000, False),
        ("35", 35_000, False),
        ("3500", 35_000_000, True),
        ("350円", 350_000, True),
        # What is said shorter than it is meant, or as it is written in Berlin.
        ("3億5千", 350_000_000, True),
        ("3億5千", 300_005_000, True),
        ("3億5千", 320_000_000, False),
        ("3万5千", 350_000_000, False),
        ("2兆5千", 2_500_000_000_000, True),
        ("640.000", 640_000, True),
        ("640.000", 650_000, True),
        ("640.000", 640, True),
        # Nothing and less than nothing is in every text.
        ("0", 0, False),
        ("0円", 0, False),
        ("5", -5, False),
        ("1", 1, True),
    ],
)
def test_a_number_tells_an_amount_where_a_reader_would_take_it_for_that(written, wanted, told):
    assert any(says(each, Decimal(wanted)) for each in amounts_in(fold(written).text)) == told


def named(text: str) -> list[str]:
    """The parts of a text that name somebody; those inside of others left out."""
    spans = set(identifiers(fold(text).text))
    widest = [
        each for each in spans if not any(one != each and one[0] <= each[0] and each[1] <= one[1] for one in spans)
    ]
    return [text[start:stop] for start, stop in sorted(widest)]


@pytest.mark.parametrize(
    "text",
    [
        "+12345678", "+123456789012345", "+81 90 1234 5678", "(+44) 20 7946 0958", "+(44) 20 7946 0958",
        "012-345-678", "03 5555 0123", "0123456789", "09012345678", "0312-345678",
        "415-555-0123", "1-415-555-0123", "1588-1234", "1600-1234", "1899-1234",
        "4111 1111 1111 1111", "4222222222222", "378282246310005", "3782-822463-10005", "30569309025904",
        "3056-930902-5904", "6304000000000000000", "6304 0000 0000 0000 000", "2223003122003222",
        "123456789018", "1234-5678-9018", "7000012050002", "7-0000-1205-0002",
        "800101-1234560", "800101-1234567", "8001011234560", "010101-3234567", "000229-4234567", "040229-1234567",
        "120-81-47521",
        "1208147521", "120-81-00000",
        "a@b.example", "a.b+c%d'e@x-y.co.jp",
        "a(at)b.example", "a [at] b[dot]example", "a (@) b.example", "a@b(dot)c.d",
        "〒100-0001", "〒 1000001", "100-0001", "우편번호: 04524", "우)04524", "zip 94105", "zip code: 94105-1234",
    ],
)  # fmt: skip
def test_a_number_or_address_that_names_somebody_is_found_as_a_whole(text):
    found = named(f"to: {text} now")
    assert [each.strip("(+") for each in found] == [text.strip("(+")]


@pytest.mark.parametrize(
    "text",
    [
        "+1234567", "+1234567890123456", "00-123-45678", "0-123-4567", "012345678", "0123456789012",
        "415-5555-012", "2-415-555-012", "1488-1234", "1700-1234", "1588-12345", "5588-1234",
        "4012 8888 8888 1882", "411111 1111111111", "1111111111111117", "7111111111111111", "411111111116",
        "123456789019", "12345-6789018", "7000012050003", "70000-12050002",
        "800101-9234567", "801301-1234567", "800132-1234567", "010229-3234567", "000229-1234567", "8001011234561",
        "80010-11234560",
        "1208147522", "12-081-47521", "120-8-147521",
        "a@b", "@b.example", "a at b.example", "100-00012", "1100-0001", "100-0001-1", "a100-0001", "zip 9410", "04524",
        "version 2.10.3", "2026-11-25", "12:30:45", "1,234,567", "abc123456789018",
    ],
)  # fmt: skip
def test_a_number_that_names_nobody_stays(text):
    assert named(f"to: {text} now") == []


def test_what_begins_a_number_belongs_to_it() -> None:
    text = "(03) 5555-0123, +81 90 1234 5678, t7000012050002; 100 (415) 555-0123"
    assert named(text) == ["(03) 5555-0123", "+81 90 1234 5678", "t7000012050002", "(415) 555-0123"]


def test_the_digits_of_a_text_are_those_of_all_its_groups():
    assert digits_of("+81 (3) 5555-0123 ext. 9") == "813555501239"
