"""Real estate accuracy: how answers are laid out, of whom they speak, and what their sums are made of."""

from collections import Counter

import pytest

from assay.metrics.property_layout import read_layout
from assay.metrics.property_record import read_record
from assay.metrics.property_rule_files import load_rules
from assay.metrics.property_words import find_mentions
from assay.metrics.real_estate import check_answer

RULES = load_rules()
HOUSE = {
    "address": "12 Smith Street", "suburb": "Richmond", "state": "VIC", "postcode": "3121",
    "price": 1_100_000, "bedrooms": 3, "bathrooms": 2, "car_spaces": 2, "land_area_sqm": 420,
    "floor_area_sqm": 180, "property_type": "house", "year_built": 1935, "inspection_date": "2026-03-07",
    "contract_date": "2026-02-02", "settlement_days": 60, "council_rates": "$410 per quarter",
    "water_rates": "$720 per year", "features": ["study", "timber floors"],
    "description": "350 m to Richmond station. Zoned for Richmond High School.",
}  # fmt: skip
FLAT = {
    "address": "5/30 Bay Road", "suburb": "Waverton", "state": "NSW", "postcode": "2060",
    "property_type": "apartment", "bedrooms": 2, "bathrooms": 1, "car_spaces": 1, "rent_per_week": 620,
    "bond": 2480, "available_date": "2026-03-02", "pets_allowed": True, "furnished": False,
    "features": ["balcony", "gym"], "description": "Strata title.",
}  # fmt: skip


def wrong(answer: str, record: dict[str, object]) -> Counter[str]:
    found = check_answer(answer, read_record(record), RULES)
    return Counter(fact.field for fact in found if fact.verdict != "match")


@pytest.mark.parametrize(
    ("answer", "record", "fields"),
    [
        # Labels without colons, questions as labels, dots, tables that run across.
        ("- Beds 2\n- Bath 2\n- Suburb Waverton\n- State NSW", FLAT, ["bathrooms"]),
        ("- Suburb Waverton\n- State VIC", FLAT, ["state"]),
        ("Parking? Two cars. Bedrooms? Two.", FLAT, ["car_spaces"]),
        ("Beds........2\nBath........3", FLAT, ["bathrooms"]),
        ("| Beds | Baths | Car |\n|---|---|---|\n| 2 | 2 | 1 |", FLAT, ["bathrooms"]),
        ("A 3x1 on 420 sqm.", HOUSE, ["bathrooms"]),
        ("3/2/1 in Richmond.", HOUSE, ["car_spaces"]),
        ("Three and a half baths.", HOUSE, ["bathrooms"]),
        ("Three assigned garage spaces.", HOUSE, ["car_spaces"]),
        # Periods that stand above the amounts.
        (
            "| Cost | Per quarter | Per year |\n|---|---|---|\n| Council | $410 | $1,460 |",
            HOUSE,
            ["council_rates"],
        ),
        ("Costs per year:\n- Council: $1,640\n- Water: $270", HOUSE, ["water_rates"]),
        ("$620 a week is $2,800 per calendar month.", FLAT, ["rent_per_week"]),
        # Two wrong places are two errors, one that is said twice is one.
        ("This Fitzroy house sits in Carlton.", HOUSE, ["suburb", "suburb"]),
        ("12 Smith Street, Fitzroy VIC 3121. The house is in Fitzroy.", HOUSE, ["suburb"]),
        # Features in any words and order.
        ("Dogs are welcome and there are views right across the ocean.", HOUSE, ["features", "features"]),
        ("A rooftop with city views.", FLAT, ["features", "features"]),
        ("There is a backyard for the dog.", FLAT, ["features"]),
        ("Torrens title.", FLAT, ["features"]),
        ("It comes furnished.", FLAT, ["features"]),
        ("Sorry, no pets.", FLAT, ["features"]),
        # Distances with the place before them, schools without the word.
        ("Richmond station is 900 metres off.", HOUSE, ["distance"]),
        ("The walk to the train is 1.2 km.", HOUSE, ["distance"]),
        ("Zoned for Carlton High.", HOUSE, ["schools"]),
        # Years and days.
        ("The house went up in 1953.", HOUSE, ["year_built"]),
        ("A 1953 house.", HOUSE, ["year_built"]),
        ("Open Saturday 14 March.", HOUSE, ["inspection_date"]),
        ("Yours from 12 March 2026.", FLAT, ["available_date"]),
        # Sums.
        ("What is the duty? For this one I get $66,000.", HOUSE, ["stamp_duty"]),
        ("Put down 10 per cent ($101,000).", HOUSE, ["deposit"]),
        ("You'll need $620 for the first week plus a bond of $2,840.", FLAT, ["bond"]),
        ("Expect bidding around the price guide of $1,200,000.", HOUSE, ["price"]),
    ],
)
def test_what_is_wrong_is_found_in_other_words(answer, record, fields):
    assert wrong(answer, record) == Counter(fields)


@pytest.mark.parametrize(
    ("answer", "record"),
    [
        # Other homes.
        ("Number 31 went for $1.32m in May; it had a fourth bedroom and a plunge pool.", HOUSE),
        ("The Petersons' place down the block listed at $725,000 with a pool. They took $710,000.", HOUSE),
        ("Unit 14 sold for $842,000 with a roof deck.", FLAT),
        ("A one-bedder two floors down with a sauna is listed at $590,000.", FLAT),
        ("Four doors up, a five-bedder with a pool made $1.71m.", HOUSE),
        ("A two-bathroom flat with a double garage is $820 a week.", FLAT),
        ("Comparable sales\n- 8/30 Bay Road: $712,000, 3 bed, 2 bath", FLAT),
        ("The earlier brochure gave it five bedrooms; that was a mistake.", HOUSE),
        # What was.
        ("Before the extension in 2011 this was a two-bedroom, one-bathroom cottage.", HOUSE),
        ("The previous tenants paid $480 a week and had two car spaces.", FLAT),
        ("Previously leased at $580 a week.", FLAT),
        ("It was first offered at $1,150,000.", HOUSE),
        # What may be, what is wanted.
        ("You could take out a wall and the yard could take a pool.", HOUSE),
        ("You told me you want four bedrooms and a pool.", HOUSE),
        ("I'd open at $1,050,000 and walk away at $1,220,000.", HOUSE),
        ("Should the sellers come down to $1,000,000, talk to us.", HOUSE),
        ("An offer of $1,050,000 is suggested.", HOUSE),
        ("Rent goes up to $640 next year.", FLAT),
        # Parts of sums.
        ("Council $1,640 and water $720 make $2,360.", HOUSE),
        ("Four weeks' bond: 4 x $620 = $2,480.", FLAT),
        ("On a bid of $1.2m the deposit would be $120,000.", HOUSE),
        ("$620 a week is $2,687 per calendar month.", FLAT),
        ("The rates are $410 a quarter to council and $720 a year for water.", HOUSE),
        ("With 20% down ($220,000) you would borrow $880,000.", HOUSE),
        ("Contract 2 February 2026, 60 days, so you get the keys on 3 April 2026.", HOUSE),
        # What need not be said.
        ("No garage, but two cars fit off the street.", HOUSE),
        ("The backyard is small and the lawn needs work.", HOUSE),
        ("It covers 180 sqm on 420 sqm of land.", HOUSE),
        ("Zoned for Richmond High.", HOUSE),
        ("No dishwasher, only floorboards.", HOUSE),
        ("A flat lawn.", HOUSE),
    ],
)
def test_what_is_said_of_others_or_of_sums_is_no_error(answer, record):
    assert wrong(answer, record) == Counter()


def test_two_words_of_a_feature_may_stand_apart_but_not_in_other_things():
    def features(text: str) -> list[str]:
        return [mention.feature for mention in find_mentions(text)]

    assert features("ocean and city views") == ["ocean_views", "city_views"]
    assert "park_views" not in features("a garden and views")
    assert "park_views" not in features("a garden, views")
    assert features("benchtops of stone") == ["stone_benchtops"]
    assert "new_kitchen" not in features("a kitchen and new bathroom")
    assert features("stone walls. Benchtop space") == []


def test_quotes_and_places_are_those_of_the_answer_as_written():
    answer = (
        "Facts\n| Beds | Baths | Car |\n|---|---|---|\n| 4 | 2 | 2 |\n\nIt has a sauna.\n- Suburb Carlton"
    )
    found = check_answer(answer, read_record(HOUSE), RULES)
    shown = {(fact.field, fact.quote) for fact in found if fact.verdict != "match"}
    assert shown == {("bedrooms", "4"), ("features", "sauna"), ("suburb", "Carlton")}
    assert all(answer[fact.start : fact.end] == fact.quote for fact in found)


def test_a_layout_of_plain_text_is_the_text():
    text = "Three bedrooms.\n\nBuilt in 1935 | 420 sqm"
    layout = read_layout(text)
    assert (layout.text, layout.span(2, 9)) == (text, (2, 9))
