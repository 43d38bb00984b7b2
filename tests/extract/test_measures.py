"""Areas, dates, periods, shares and rooms in text."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.extract.areas import find_areas, stated_step
from assay.extract.dates import find_dates
from assay.extract.numbers import DIGITS
from assay.extract.periods import decimals_of, find_percentages, find_periods
from assay.extract.rooms import find_rooms


@pytest.mark.parametrize(
    ("text", "sqm"),
    [
        ("612 sqm", 612), ("612m²", 612), ("612 square metres", 612), ("612-sqm block", 612),
        ("2.5 ha", 25_000),
        ("0.25 acres", 1_011.7), ("half-acre", 2_023.4), ("quarter of an acre", 1_011.7),
        ("25 squares", 232.3),
        ("1,850 sq ft", 171.9),
    ],
)  # fmt: skip
def test_areas_are_square_metres(text, sqm):
    (find,) = find_areas(f"about {text} in all")
    assert find.value.low == pytest.approx(sqm, abs=0.05)


@pytest.mark.parametrize("text", ["$8,500 per sqm", "10m x 40m", "2nd floor", "612 metres", "section 66W"])
def test_prices_and_lengths_are_no_areas(text):
    assert find_areas(text) == []


def test_the_step_of_an_area_is_half_its_last_digit():
    (find,) = find_areas("2.5 ha")
    assert stated_step(find) == pytest.approx(500)


@pytest.mark.parametrize(
    ("text", "locale", "iso"),
    [
        ("14 March 2026", "AU", "2026-03-14"), ("14/03/2026", "AU", "2026-03-14"),
        ("03/14/2026", "US", "2026-03-14"), ("March 14, 2026", "US", "2026-03-14"),
        ("Sat 14 Mar 2026", "AU", "2026-03-14"), ("2026-03-14", "AU", "2026-03-14"),
        ("14th of March", "AU", "--03-14"), ("the twenty-first of March", "AU", "--03-21"),
        ("4/3/26", "AU", "2026-03-04"), ("4/3/26", "US", "2026-04-03"),
    ],
)  # fmt: skip
def test_dates_are_read_in_the_order_of_the_place(text, locale, iso):
    (find,) = find_dates(f"on {text}.", locale)
    assert str(find.value) == iso
    assert find.quote in f"on {text}."


@pytest.mark.parametrize(
    "text", ["10.30am", "in 2026", "31/02/2026", "1/2 Smith St", "14-16 High St", "you may 2"]
)
def test_times_years_and_numbers_of_houses_are_no_dates(text):
    assert find_dates(text) == []


@given(st.dates(date(1900, 1, 1), date(2099, 12, 31)))
@settings(max_examples=60, deadline=None)
def test_a_written_date_is_read_back(day):
    for text in (f"{day:%d %B %Y}", f"{day:%d/%m/%Y}", f"{day:%B} {day.day}, {day.year}", day.isoformat()):
        (find,) = find_dates(f"on {text}, at noon")
        assert find.value.as_date == day


@pytest.mark.parametrize(
    ("text", "low", "high", "business"),
    [
        ("60-day settlement", 60, 60, False), ("in 6 weeks", 42, 42, False), ("30/60 days", 30, 60, False),
        ("five business days", 5, 5, True), ("two clear business days", 2, 2, True),
        ("ninety (90) days", 90, 90, False),
    ],
)  # fmt: skip
def test_lengths_of_time_are_days(text, low, high, business):
    (find,) = find_periods(text)
    assert (find.value.low, find.value.high, find.value.business) == (low, high, business)


def test_shares_are_read_in_digits_and_words():
    found = find_percentages("5.25%, 10 per cent and ten percent")
    assert [find.value.low for find in found] == [5.25, 10, 10]
    assert decimals_of("5.25%") == 2
    assert DIGITS


@pytest.mark.parametrize(
    ("text", "rooms"),
    [
        ("3 bed 2 bath 1 car", {"bedrooms": 3, "bathrooms": 2, "car_spaces": 1}),
        ("three-bedroom, two-bathroom", {"bedrooms": 3, "bathrooms": 2}),
        ("4BR/2BA", {"bedrooms": 4, "bathrooms": 2}),
        ("Beds: 3 Baths: 2 Cars: 1", {"bedrooms": 3, "bathrooms": 2, "car_spaces": 1}),
        ("Bedrooms 2 Bathrooms 1 Parking 1", {"bedrooms": 2, "bathrooms": 1, "car_spaces": 1}),
        ("| Bedrooms | 4 |", {"bedrooms": 4}),
        ("double lock-up garage", {"car_spaces": 2}),
        ("garage for two cars", {"car_spaces": 2}),
        ("3 beds, 2.5 baths", {"bedrooms": 3, "bathrooms": 2.5}),
        ("\U0001f6cf 4 \U0001f6c1 2", {"bedrooms": 4, "bathrooms": 2}),
        ("1 bath | 1 car | 82 sqm", {"bathrooms": 1, "car_spaces": 1}),
        ("bedroom 2", {}),
        ("the second bedroom", {}),
        ("double bedrooms", {}),
        ("the first bedroom is 4m wide", {}),
    ],
)
def test_rooms_are_counted_and_single_rooms_are_not(text, rooms):
    assert {find.unit: find.value for find in find_rooms(text)} == rooms


FINDERS = (find_areas, find_dates, find_periods, find_percentages, find_rooms)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60) | st.text("0123456789 bedroomsq/.-", max_size=60))
def test_every_find_stands_where_it_says(text):
    for finder in FINDERS:
        for find in finder(text):
            assert text[find.start : find.end] == find.quote


HOSTILE = ["9", "one ", "1/", "3 large ", "12 May ", "1-", "Beds: 3 ", " ", "half an ", "5 to ", "(0"]


@pytest.mark.parametrize("unit", HOSTILE)
def test_a_long_text_made_to_be_slow_is_read(unit):
    text = unit * (20_000 // len(unit))
    assert all(find.quote for finder in FINDERS for find in finder(text))
