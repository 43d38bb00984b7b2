"""Real estate accuracy: which numbers are facts, which are sums of others, and which are of nobody's home."""

from collections import Counter

import pytest

from assay.metrics.property_layout import read_layout
from assay.metrics.property_record import read_record
from assay.metrics.property_rule_files import load_rules
from assay.metrics.real_estate import check_answer

RULES = load_rules()
HOUSE = {
    "address": "12 Smith Street", "suburb": "Richmond", "state": "VIC", "postcode": "3121",
    "price": 1_100_000, "last_sold_price": 640_000, "bedrooms": 3, "bathrooms": 2, "car_spaces": 2,
    "land_area_sqm": 420, "floor_area_sqm": 180, "property_type": "house", "year_built": 1935,
    "contract_date": "2026-02-02", "settlement_days": 60, "council_rates": "$1,640 per year",
    "water_rates": "$720 per year", "land_tax": "$2,310 per year", "tennis_court": False,
    "features": ["study", "timber floors"],
}  # fmt: skip
FLAT = {
    "address": "5/30 Bay Road", "suburb": "Waverton", "state": "NSW", "postcode": "2060",
    "property_type": "apartment", "price": 840_000, "bedrooms": 2, "bathrooms": 1, "car_spaces": 1,
    "rent_per_week": 620, "bond": 2480, "available_date": "2026-03-02", "pets_allowed": True,
    "strata_levies": "$1,150 per quarter", "council_rates": "$1,320 per year", "furnished": False,
    "contract_date": "2026-02-12", "settlement_days": 42, "features": ["balcony", "gym"],
    "description": "Strata title. Tenanted until 30 November 2026.",
}  # fmt: skip
AMERICAN = {
    "address": "1420 Maple Avenue", "city": "Austin", "state": "TX", "zip": "78704", "price": 565_000,
    "bedrooms": 4, "hoa_monthly": 45, "property_tax": "$9,870 per year", "property_type": "house",
}  # fmt: skip
BLOCK = {
    "address": "Lot 14 Harvest Way", "suburb": "Bacchus Marsh", "state": "VIC", "postcode": "3340",
    "property_type": "land", "price": 329_000, "land_area_sqm": 448, "features": ["dam"], "bore": False,
}  # fmt: skip


def wrong(answer: str, record: dict[str, object]) -> Counter[str]:
    found = check_answer(answer, read_record(record), RULES)
    return Counter(fact.field for fact in found if fact.verdict != "match")


@pytest.mark.parametrize(
    ("answer", "record"),
    [
        # The sum or difference of amounts beside it.
        ("Rent of $32,240 a year less levies of $4,600 and council of $1,320 leaves $26,320.", FLAT),
        ("Take off strata of $4,600 and rates of $1,320, and $26,320 of the $32,240 rent is left.", FLAT),
        (
            "Property tax is $9,870. With HOA of $540 you are at $10,410, a little under $870 a month.",
            AMERICAN,
        ),
        ("It last sold for $640,000. At $1,100,000 that is $460,000 more.", HOUSE),
        # A percentage of them, and the base of it.
        ("If you win at $1,200,000 you hand over $120,000; at $1,100,000 it is $110,000.", HOUSE),
        ("Stamp duty at $1,100,000: 5.5% of $1,100,000, so $60,500.", HOUSE),
        ("Duty on it: $2,870 plus 6% on $970,000 = $58,200, so $60,500.", HOUSE),
        # What the record has in another field.
        ("The HOA is small beside the tax bill, which runs to $9,870 a year.", AMERICAN),
        ("Duty when buying at $1,100,000:\n- to invest: $60,500", HOUSE),
        ("At 4% growth it would be worth $1,144,000 in a year.", HOUSE),
        ("A winning bid of $1,150,000 means $115,000 on the fall of the hammer.", HOUSE),
        # Operands of arithmetic, and steps of it.
        ("Duty is $2,870 and then 6% of the rate above $130,000.", HOUSE),
        ("Every extra $10,000 adds $550 of duty.", HOUSE),
        ("A loan of $900,000 at 6% costs $54,000 a year in interest.", HOUSE),
        ("Costs a year:\n- strata: 4 x $1,150 = $4,600", FLAT),
        ("They paid $640,000; the price is $460,000 above that.", HOUSE),
        # One amount for several periods.
        ("At $620 a week you'd pay $32,240 across the year.", FLAT),
        ("Strata is $1,150 a quarter, i.e. $88 a week or $383 a month.", FLAT),
        ("If you had paid $700,000 for it, $620 a week would give you 4.61% gross.", FLAT),
        # An amount without a name beside the right price.
        ("The price is $1,100,000. We would keep $85,000 back for works.", HOUSE),
    ],
)
def test_an_amount_that_others_make_is_no_fact(answer, record):
    assert wrong(answer, record) == Counter()


@pytest.mark.parametrize(
    ("answer", "record", "fields"),
    [
        (
            "Levies of $4,600 and council of $1,320 a year come off a rent of $640 a week.",
            FLAT,
            ["rent_per_week"],
        ),
        ("Duty working: $2,870 plus 6% on $970,000 = $58,200. Duty: $61,070.", HOUSE, ["stamp_duty"]),
        ("Stamp duty at $1,100,000 is $66,000.", HOUSE, ["stamp_duty"]),
        ("Duty as an investor: $1,100,000 x 5% = $55,000.", HOUSE, ["stamp_duty"]),
        ("Will I owe duty? I make that $55,140 on the $1,100,000 price.", HOUSE, ["stamp_duty"]),
        ("Budget for $2,480 a month in rent.", FLAT, ["rent_per_week"]),
        ("The HOA is $45 annually.", AMERICAN, ["hoa_fees"]),
        ("The association costs you $5,120 per year.", AMERICAN, ["hoa_fees"]),
        ("Guided at $640,000.", HOUSE, ["price"]),
        ("Expect to pay about $1.2 million.", HOUSE, ["price"]),
        ("It went above the guide of $1,200,000.", HOUSE, ["price"]),
        ("$620 a week comes to $34,240 over a year.", FLAT, ["rent_per_week"]),
        ("Strata is $1,150 a quarter, so roughly $3,450 a year.", FLAT, ["strata_levies"]),
        ("Council is $365 a quarter, which is $1,460 a year.", HOUSE, ["council_rates"]),
        ("Ten per cent on signing is $101,000.", HOUSE, ["deposit"]),
        ("VIC stamp duty? At this level you'd hand over $65,000.", HOUSE, ["stamp_duty"]),
        (
            "If you had paid $700,000 for it, $620 a week would give you 5.2% gross.",
            FLAT,
            ["gross_yield_percent"],
        ),
        ("Did you know that it last sold for $690,000?", HOUSE, ["last_sold_price"]),
    ],
)
def test_an_amount_that_its_field_names_stays_a_fact(answer, record, fields):
    assert wrong(answer, record) == Counter(fields)


@pytest.mark.parametrize(
    ("answer", "record"),
    [
        ("A 384 sqm lot in stage 7 is on for $305,000 and a 512 sqm corner lot for $352,000.", BLOCK),
        ("Set it beside the home on Larkspur Lane. Larkspur: 5 beds, a pool, $589,000.", AMERICAN),
        ("To compare: a renovated terrace in Hampden Road with a pool sold for $1.24m.", HOUSE),
        ("The ad last year for a three-bedroom unit in this complex was $740 a week.", FLAT),
        ("There is room for a four-bedroom house with a double garage.", BLOCK),
        ("There is nothing in the listing about a house or a permit.", BLOCK),
        ("There's no tennis court, though there'd be room for one.", HOUSE),
        ("It would be wrong to say this house has a sauna; it doesn't.", HOUSE),
        ("There's no bore, so water comes from the dam.", BLOCK),
        ("| Price | $1,100,000 |\n| Duty (VIC) | $60,500 |", HOUSE),
        ("The vendor signs on 4 May. The place is neat.", {**HOUSE, "contract_date": "2026-05-04"}),
        ("It is in the heart of Richmond. High ceilings.", {**HOUSE, "features": ["high ceilings"]}),
        ("| Beds / baths / cars | 3 / 2 / 2 |", HOUSE),
        ("12 Smith Street: 3 bed, $1.1m.\n18 Green Street: 4 bed, 3 bath, pool, $1.24m.", HOUSE),
        (
            "| | 12 Smith Street | 18 Green Street |\n|---|---|---|\n| Beds | 3 | 4 |\n| Pool | no | yes |",
            HOUSE,
        ),
        ("The house on Cedar has a pool and lists at $699,000, which is $50,000 more.", AMERICAN),
        ("My sister's place in Carlton has four bedrooms and a sauna.", HOUSE),
        ("The 512 sqm corner lot is dearer.", BLOCK),
        ("A correction to the flyer: it said five bedrooms and a pool. The home has three.", HOUSE),
        ("According to a reviewer there is a sauna.", FLAT),
        ("It was a two-bedroom cottage before the rebuild.", HOUSE),
        ("You asked about a pool. There isn't one.", HOUSE),
        ("There isn't a spa, but there may well be room for a plunge pool.", HOUSE),
        ("Not on offer: a garage, solar panels or a pool.", HOUSE),
        ("It lacks a fireplace, heating and a dishwasher.", HOUSE),
        ("Gym and balcony, yes. Pool, no.", FLAT),
        ("The tennis courts at Citizens Park are close.", {**HOUSE, "tennis_court": None}),
        ("Email me by Friday 6 March and I'll send the contract.", HOUSE),
        ("The building report is dated 24 February 2026.", HOUSE),
        ("Applications close on 3 April.", FLAT),
        ("What you wouldn't get: a sauna, a spa or a pool.", HOUSE),
        ("Comps: 71 Birch (3bd/3ba, $689k), 80 Birch (3bd/2ba, $632k).", AMERICAN),
        ("The house dates from 1935 and the furnace from 2016.", {**HOUSE, "features": ["gas heating"]}),
        ("The bedroom is 4.2 x 3.6 m and the second is 3 x 3.", HOUSE),
        ("512 m of fence. 420 m² of land, 180 m² inside.", HOUSE),
        ("Deposit due on signing 2 February 2026. The rest falls due at settlement.", HOUSE),
    ],
)
def test_what_is_said_of_others_or_by_chance_is_no_error(answer, record):
    assert wrong(answer, record) == Counter()


@pytest.mark.parametrize(
    ("answer", "record", "fields"),
    [
        ("| Beds / baths / cars | 3 / 2 / 1 |", HOUSE, ["car_spaces"]),
        ("Beds/baths: 4/2", HOUSE, ["bedrooms"]),
        ("This home on Smith Street: 4 beds.", HOUSE, ["bedrooms"]),
        ("A trio of bedrooms and a single bathroom.", {**HOUSE, "bedrooms": 2}, ["bedrooms", "bathrooms"]),
        ("Exchange was 12 February 2026; be ready to complete on 9 April 2026.", FLAT, ["settlement_date"]),
        (
            "Settlement of 30 Bay Road takes place on 20 May 2026, after the contract.",
            FLAT,
            ["settlement_date"],
        ),
        ("It is ready Saturday 14 March.", FLAT, ["available_date"]),
        ("You have ten days to change your mind, then 42 days until settlement.", FLAT, ["cooling_off_days"]),
        ("All you need is a suitcase: it comes fully furnished.", FLAT, ["features"]),
        ("It is vacant and ready to move into.", FLAT, ["features"]),
        ("The owner does not take animals.", FLAT, ["features"]),
        (
            "WA lets you pull out of the Fremantle contract in the first five business days.",
            {**HOUSE, "state": "WA", "postcode": "6160", "suburb": "Fremantle"},
            ["cooling_off_days"],
        ),
        ("Should you get cold feet, you have ten business days.", HOUSE, ["cooling_off_days"]),
        ("Counting from Monday 2 February, you settle on 6 April 2026.", HOUSE, ["settlement_date"]),
        ("It was built just after Cyclone Tracy in 1975.", HOUSE, ["year_built"]),
        ("It's $795k tho \U0001f62c want me to book a look?", FLAT, ["price"]),
        ("Fur babies are welcome.", {**FLAT, "pets_allowed": False}, ["features"]),
        ("Gaze over the bay from your balcony.", FLAT, ["features"]),
        ("You can see the ocean.", FLAT, ["features"]),
        ("A block on a corner.", BLOCK, ["features"]),
        ("There is a house on it.", BLOCK, ["property_type"]),
        ("Horse stables are already in place.", {**BLOCK, "features": ["fenced paddocks"]}, ["features"]),
    ],
)
def test_other_words_for_dates_rooms_and_states_are_read(answer, record, fields):
    assert wrong(answer, record) == Counter(fields)


def test_several_labels_with_as_many_values_are_read_one_by_one():
    assert "cars: 1" in read_layout("Beds / baths / cars: 3 / 2 / 1").text
    assert read_layout("Beds / baths: 3 / 2 / 1").text == "Beds / baths: 3 / 2 / 1"
