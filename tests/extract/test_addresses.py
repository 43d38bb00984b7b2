"""Addresses and places of Australia and the United States."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.extract.addresses import (
    STREET_TYPES,
    Address,
    find_addresses,
    find_places,
    read_address,
    state_of_postcode,
)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("3/45 Smith St", Address("3", "45", "smith", "street")),
        (
            "Unit 2, 14-16 High Street, Carlton VIC 3053",
            Address("2", "14-16", "high", "street", "carlton", "VIC", "3053"),
        ),
        ("1420 Maple Ave, Austin, TX 78704", Address("", "1420", "maple", "avenue", "austin", "TX", "78704")),
        ("12 Ocean View Road, Terrigal NSW 2260",
            Address("", "12", "ocean view", "road", "terrigal", "NSW", "2260")),
        ("42 The Esplanade, Glenelg SA 5045", Address("", "42", "the", "esplanade", "glenelg", "SA", "5045")),
        ("45 St Kilda Road, St Kilda, Victoria 3182",
            Address("", "45", "saint kilda", "road", "saint kilda", "VIC", "3182")),
        ("Lot 12 Banksia Drive, Byron Bay", Address("", "12", "banksia", "drive", "byron bay")),
        ("Level 3, 55 Pitt St", Address("", "55", "pitt", "street")),
        ("Apt 4B, 77 King St, Newtown", Address("4b", "77", "king", "street", "newtown")),
        ("123 Main St Unit 4, Boston, MA 02110",
            Address("4", "123", "main", "street", "boston", "MA", "02110")),
        ("41 Gladstone Street, Kew East VIC 3102",
            Address("", "41", "gladstone", "street", "kew east", "VIC", "3102")),
    ],
)  # fmt: skip
def test_an_address_is_read_in_parts(text, address):
    (find,) = find_addresses(f"It is at {text}.")
    assert find.value == address
    assert find.quote.rstrip(".") in text


@pytest.mark.parametrize(
    "text", ["4 bedrooms on Smith Street", "in 2026 the street", "$45 Smith Street", "12 smith"]
)
def test_what_lacks_a_number_or_a_street_is_no_address(text):
    assert find_addresses(text) == []


def test_abbreviated_streets_and_missing_units_agree():
    held = read_address("3/45 Smith Street")
    assert held is not None
    for same in ("3/45 Smith St", "45 Smith St", "Unit 3, 45 Smith Street"):
        other = read_address(same)
        assert other is not None and held.agrees_with(other)
    for different in ("4/45 Smith St", "3/54 Smith St", "3/45 Smith Road", "3/45 Smythe Street"):
        other = read_address(different)
        assert other is not None and not held.agrees_with(other)


@pytest.mark.parametrize(
    ("postcode", "state"),
    [
        ("2000", "NSW"), ("2601", "ACT"), ("2620", "NSW"), ("3053", "VIC"), ("4064", "QLD"), ("5067", "SA"),
        ("6160", "WA"), ("7005", "TAS"), ("0800", "NT"), ("0200", "ACT"), ("0100", None), ("78704", None),
    ],
)  # fmt: skip
def test_a_postcode_tells_its_state(postcode, state):
    assert state_of_postcode(postcode) == state


def test_places_need_a_state_that_is_written_as_one():
    assert [find.value.suburb for find in find_places("in Carlton VIC 3053 and Austin, TX")] == [
        "carlton",
        "austin",
    ]
    assert find_places("POOL OR SPA, Under NSW law, University of Tasmania") == []


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 9999), st.sampled_from(["Smith", "Banksia", "Old Coast"]),
    st.sampled_from([name for name in STREET_TYPES if name not in ("view", "ridge", "square")]),
)  # fmt: skip
def test_a_written_address_is_read_back(number, name, kind):
    (find,) = find_addresses(f"at {number} {name} {kind.title()}, close by")
    assert (find.value.number, find.value.street, find.value.street_type) == (str(number), name.lower(), kind)


@settings(max_examples=40, deadline=None)
@given(st.text("Aa1 /,StNSW", max_size=60) | st.text(max_size=60))
def test_every_find_stands_where_it_says(text):
    for find in (*find_addresses(text), *find_places(text)):
        assert text[find.start : find.end] == find.quote


@pytest.mark.parametrize("unit", ["A ", "1 A ", "Unit 1 ", "St ", "1 St ", "1/1/", "A-", "Aa Aa Aa St "])
def test_a_long_text_made_to_be_slow_is_read(unit):
    text = unit * (20_000 // len(unit))
    assert all(find.quote for find in (*find_addresses(text), *find_places(text)))
