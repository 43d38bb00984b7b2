"""Amounts of money: what is found, where, and what is none."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.extract.money import find_money
from assay.extract.numbers import read_words
from assay.extract.phones import find_phones


def only(text: str):
    (find,) = find_money(text)
    assert text[find.start : find.end] == find.quote
    return find


@pytest.mark.parametrize(
    ("text", "low", "high", "per"),
    [
        ("A$850,000", 850_000, 850_000, None),
        ("$895k", 895_000, 895_000, None),
        ("$1.2m", 1_200_000, 1_200_000, None),
        ("$15.2m", 15_200_000, 15_200_000, None),
        ("$1,250,000", 1_250_000, 1_250_000, None),
        ("AUD 850,000", 850_000, 850_000, None),
        ("one million two hundred thousand dollars", 1_200_000, 1_200_000, None),
        ("1.2 million dollars", 1_200_000, 1_200_000, None),
        ("$850,000 - $900,000", 850_000, 900_000, None),
        ("$850-900k", 850_000, 900_000, None),
        ("$1.2 to $1.3 million", 1_200_000, 1_300_000, None),
        ("between $850,000 and $900,000", 850_000, 900_000, None),
        ("$690 per week", 690, 690, "week"),
        ("$690pw", 690, 690, "week"),
        ("$650/wk", 650, 650, "week"),
        ("$3,200 pcm", 3_200, 3_200, "month"),
        ("$35,000 p.a.", 35_000, 35_000, "year"),
        ("$1,200pq", 1_200, 1_200, "quarter"),
        ("$8,500/m²", 8_500, 8_500, "sqm"),
        ("$85/month", 85, 85, "month"),
    ],
)
def test_an_amount_has_its_value_and_what_it_is_paid_for(text, low, high, per):
    value = only(f"It is {text}, they say.").value
    assert (value.low, value.high, value.per) == (low, high, per)


@pytest.mark.parametrize(
    "text", ["0412 345 678", "612 sqm", "in 2026", "10.30am", "3 bedrooms", "4/27 Smith St", "1,850 sq ft"]
)
def test_what_has_no_currency_is_no_amount(text):
    assert find_money(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "reduced from $950,000 to $900,000", "strata of $1,200 and $1,400", "$900,000 and 3 bedrooms",
        "$900,000, 3 bed",
    ],
)  # fmt: skip
def test_two_amounts_that_are_no_range_stay_apart(text):
    assert all(not find.value.is_range for find in find_money(text))


def test_a_bare_multiple_counts_only_when_asked_for():
    assert find_money("around 895k") == []
    assert find_money("around 895k", bare=True)[0].value.low == 895_000


@pytest.mark.parametrize(
    "text",
    ["0412 345 678", "(02) 9876 5432", "03 9123 4567", "1300 123 456", "+61 412 345 678", "512-555-0134"],
)
def test_telephone_numbers_are_found(text):
    (find,) = find_phones(f"call {text} now")
    assert find.quote == text


def test_large_numbers_are_no_telephone_numbers():
    assert find_phones("$1,300,123 and 900,000 and 4,500 sqm") == []


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 99_999_999))
def test_an_amount_is_read_as_it_was_written(value):
    assert only(f"${value:,}").value.low == value
    assert only(f"priced at ${value} today").value.low == value


UNITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


@given(st.integers(1, 9), st.integers(1, 9))
def test_words_are_read_as_numbers(millions, hundreds):
    text = f"{UNITS[millions]} million {UNITS[hundreds]} hundred thousand"
    assert read_words(text) == millions * 1_000_000 + hundreds * 100_000


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=80) | st.text("$0123456789,.-km /to", max_size=80))
def test_every_find_stands_where_it_says(text):
    finds = find_money(text, bare=True)
    assert all(text[find.start : find.end] == find.quote for find in finds)
    assert all(one.end <= other.start for one, other in pairwise(finds))
    assert all(find.value.low <= find.value.high for find in finds)
