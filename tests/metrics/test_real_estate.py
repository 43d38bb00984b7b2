"""Real estate accuracy: facts of an answer against the record."""

import json
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.domain.datasets import Case
from assay.domain.errors import InvalidInput
from assay.domain.models import ModelResponse
from assay.domain.scores import MetricConfig, Sample
from assay.metrics.catalog import make_metric
from assay.metrics.property_record import read_record
from assay.metrics.property_rule_files import load_rules
from assay.metrics.real_estate import MAX_ANSWER_CHARS, check_answer

RECORD = {
    "address": "12 Smith Street", "suburb": "Richmond", "state": "VIC", "postcode": "3121",
        "price": 1_100_000,
    "bedrooms": 3, "bathrooms": 2, "car_spaces": 2, "land_area_sqm": 420, "property_type": "house",
    "year_built": 1935, "auction_date": "2026-03-14", "settlement_days": 60, "contract_date": "2026-02-02",
    "rent_per_week": 850, "strata_levies": "$1,200 per quarter", "features": ["swimming pool",
        "garage", "study"],
    "description": "Richmond station is 350 m away.",
}  # fmt: skip
RULES = load_rules()


def facts(answer: str, **changes: object) -> set[tuple[str, str]]:
    record = {key: value for key, value in (RECORD | changes).items() if value is not None}
    return {(fact.field, fact.verdict) for fact in check_answer(answer, read_record(record), RULES)}


def wrong(answer: str, **changes: object) -> set[tuple[str, str]]:
    return {each for each in facts(answer, **changes) if each[1] != "match"}


def score(answer: str, expected: object = None, finish="complete", **case_and_options):
    case = {key: case_and_options.pop(key) for key in ("vars", "metadata") if key in case_and_options}
    metric = make_metric(MetricConfig(name="m", type="real_estate_accuracy", options=case_and_options))
    sample = Sample(
        case=Case(key="1", expected=expected, **({"vars": {}} | case)),
        response=ModelResponse(text=answer, finish=finish),
    )
    (found,) = metric.score_batch([sample])
    return found


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("Price: $1.1m", {("price", "match")}),
        ("The price is $1,150,000.", {("price", "mismatch")}),
        ("Three bedrooms, one bathroom.", {("bedrooms", "match"), ("bathrooms", "mismatch")}),
        ("It has 4 bedrooms.", {("bedrooms", "mismatch")}),
        ("A 402 sqm block.", {("land_area_sqm", "mismatch")}),
        ("12 Smith St, Richmond VIC 3121", {(name, "match") for name in ("address", "suburb", "state",
            "postcode")}),
        ("14 Smith Street, Richmond", {("address", "mismatch"), ("suburb", "match")}),
        ("Auction on 21 March 2026.", {("auction_date", "mismatch")}),
        ("Rent of $900 per week.", {("rent_per_week", "mismatch")}),
        ("Strata is $4,800 a year.", {("strata_levies", "match")}),
        ("Council rates are $400 per quarter.", {("council_rates", "invented")}),
        ("A deposit of 10% is $110,000.", {("deposit", "match")}),
        ("A deposit of 10% is $101,000.", {("deposit", "mismatch")}),
        ("Gross yield: 4.02%", {("gross_yield_percent", "match")}),
        ("Gross yield: 4.2%", {("gross_yield_percent", "mismatch")}),
        ("Stamp duty is $60,500.", {("stamp_duty", "match")}),
        ("Stamp duty on $1,100,000 is $66,000.", {("price", "match"), ("stamp_duty", "mismatch")}),
        ("At $2,619 per sqm of land.", {("price_per_sqm", "match")}),
        ("Settlement is on 3 April 2026.", {("settlement_date", "match")}),
        ("Settlement falls on 7 April 2026.", {("settlement_date", "match")}),
        ("Settlement falls on 8 April 2026.", {("settlement_date", "mismatch")}),
        ("Ten business days of cooling-off.", {("cooling_off_days", "mismatch")}),
        ("It has ocean views and a pool.", {("features", "invented"), ("features", "match")}),
        ("There is no pool.", {("features", "mismatch")}),
        ("900 m from Richmond station.", {("distance", "mismatch")}),
        ("2 km to the beach.", {("distance", "invented")}),
        ("Zoned for Richmond High School.", {("schools", "invented")}),
        ("This townhouse is quiet.", {("property_type", "mismatch")}),
        ("It was built in 1953.", {("year_built", "mismatch")}),
        ("Located in Hawthorn.", {("suburb", "mismatch")}),
    ],
)  # fmt: skip
def test_a_stated_fact_gets_its_verdict(answer, expected):
    assert facts(answer) == expected


@pytest.mark.parametrize(
    "answer",
    [
        "A comparable home nearby sold for $1.4m.",
        "The median price in Richmond is $1.5m.",
        "Next door there is a house with five bedrooms and a tennis court.",
        "Is the price $900,000?",
        "If you can borrow $900,000, repayments are $5,400 per month.",
        "The record does not mention air conditioning.",
        "There is room for a spa.",
        "It last sold for $640,000 in 2015.",
        "Call 0412 345 678.",
        "No tennis court.",
        "14 Smith Street sold for $1.3m. It has four bedrooms and a sauna.",
        "Comparable sales:\n- 5 Brown Road: $1.2m, 4 bedrooms, sauna\n- 7 Brown Road: $1.3m",
        "Units in this suburb rent for $500 per week.",
        "First home buyers pay no stamp duty up to $600,000.",
        "The bedroom at the front overlooks the park.",
    ],
)
def test_what_is_not_said_of_this_property_is_not_checked(answer):
    assert wrong(answer) == set()


def test_a_postcode_must_be_of_the_state_that_is_said_with_it():
    unknown = {"postcode": None, "state": None, "suburb": None, "address": None}
    assert wrong("It is in Carlton NSW 3053.", **unknown) == {("postcode", "mismatch")}
    assert wrong("It is in Carlton VIC 3053.", **unknown) == set()


def test_a_range_holds_what_is_inside_it():
    assert facts("Around $880,000.", price="$850,000 - $900,000") == {("price", "match")}
    assert facts("Guide $850k-$900k.", price=[850_000, 900_000]) == {("price", "match")}
    assert facts("$910,000", price={"min": 850_000, "max": 900_000}) == {("price", "mismatch")}


def test_hedges_widen_and_plain_amounts_do_not():
    assert facts("approximately $1,110,000") == {("price", "match")}
    assert facts("$1,110,000") == {("price", "mismatch")}
    assert facts("approximately $1,200,000") == {("price", "mismatch")}


def test_the_record_may_use_other_names_and_be_nested():
    record = {"listing": {"askingPrice": "$1.1m", "rooms": {"beds": 3}}, "landSize": "420 m²"}
    found = check_answer("$1,100,000, 3 bedrooms, 420 sqm", read_record(record), RULES)
    assert [fact.verdict for fact in found] == ["match"] * 3


def test_an_answer_in_json_is_checked_field_by_field():
    found = score('```json\n{"price": 1100000, "bedrooms": 4, "car spaces": "2"}\n```', RECORD)
    assert found.value == pytest.approx(2 / 3)


def test_evidence_quotes_the_answer_where_it_stands():
    answer = "It is priced at $1,150,000 and has a sauna."
    evidence = score(answer, RECORD).evidence["facts"]
    assert [each["verdict"] for each in evidence] == ["mismatch", "invented"]
    assert all(answer[each["start"] : each["end"]] == each["quote"] for each in evidence)
    assert evidence[0]["record"] == "1,100,000"
    json.dumps(evidence)


def test_the_value_is_the_share_of_facts_that_agree():
    found = score("Three bedrooms, two bathrooms, asking $1,200,000.", RECORD)
    assert (found.state, found.value) == ("scored", pytest.approx(2 / 3))
    assert found.reason == "2 of 3 facts agree with the record: price '$1,200,000' is wrong, not 1,100,000"


def test_required_fields_that_are_not_said_count_as_wrong():
    found = score("Three bedrooms.", RECORD, required=["price", "beds", "hoa"])
    assert found.value == 0.5
    assert "price is missing" in found.reason


def test_ignored_fields_are_not_checked():
    assert score("Three bedrooms and a sauna.", RECORD, ignore="features").value == 1


@pytest.mark.parametrize(
    "case", [{"vars": {"property": RECORD}}, {"vars": {"listing": RECORD}}, {"metadata": {"record": RECORD}}]
)
def test_the_record_is_found_in_its_usual_places(case):
    assert score("Three bedrooms.", **case).value == 1


def test_the_record_is_where_the_option_says():
    assert score("Three bedrooms.", vars={"home": RECORD}, record="vars.home").value == 1
    assert score("Three bedrooms.", vars={"home": RECORD}, record="vars.house").state == "skipped"
    assert score("Three bedrooms.", json.dumps(RECORD)).value == 1


def test_without_a_record_it_is_skipped_and_without_facts_abstained():
    assert score("Three bedrooms.").state == "skipped"
    assert score("Three bedrooms.", "text").state == "skipped"
    assert score("A lovely home.", RECORD).state == "abstained"


def test_withheld_answers_are_abstained_on_and_truncated_ones_say_so():
    assert score("Three bedrooms.", RECORD, finish="refused").state == "abstained"
    assert score("Three bedrooms.", RECORD, finish="truncated").reason.endswith("; the answer was truncated")


def test_a_contracts_date_chooses_the_table():
    sydney = {"state": "NSW", "price": 900_000, "contract_date": None, "auction_date": None}
    for day, amount in (("2025-06-30", "$35,029"), ("2025-07-01", "$34,912")):
        assert facts(f"Stamp duty is {amount}.", **sydney | {"contract_date": day}) == {
            ("stamp_duty", "match")
        }
    assert facts("Stamp duty is $35,029.", **sydney | {"contract_date": "2026-07-01"}) == set()
    record = read_record({"state": "NSW", "price": 900_000})
    assert check_answer("Stamp duty is $35,029.", record, RULES, date(2025, 6, 30))[0].verdict == "match"


@pytest.mark.parametrize(
    ("options", "field"),
    [({"required": ["pricee"]}, "options.required"), ({"date": "today"}, "options.date"),
    ({"rules": "x.yaml"}, "options.rules")],
)  # fmt: skip
def test_wrong_options_are_told_before_any_answer(options, field):
    with pytest.raises(InvalidInput) as caught:
        score("", RECORD, **options)
    assert caught.value.field == field


def test_a_text_over_the_limit_is_refused():
    found = score("x" * (MAX_ANSWER_CHARS + 1), RECORD)
    assert (found.state, "over the limit of" in found.reason) == ("failed", True)


@pytest.mark.parametrize(
    "unit", ["$9 ", "one ", "located in Foo Bar ", "12 Smith Street, ", "pool ", "Bedrooms 3 ", "**"]
)
def test_a_long_answer_made_to_be_slow_is_scored(unit):
    assert score(unit * (20_000 // len(unit)), RECORD).state in ("scored", "abstained")


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*RECORD, "beds",
        "min", "max", "x"]), inner, max_size=4),
    max_leaves=8,
)  # fmt: skip
PIECES = [
    "$1,100,000",
    "3 bedrooms",
    "no pool",
    "12 Smith St",
    "10%",
    "14 March 2026",
    " is ",
    "\n",
    "?",
    "auction",
    "420 sqm",
    "deposit ",
    "\ud800",
]


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.sampled_from(PIECES) | st.text(max_size=10), max_size=12),
    st.dictionaries(st.sampled_from([*RECORD]), ANY, min_size=1),
)
def test_any_answer_and_any_record_give_a_score(pieces, record):
    found = score("".join(pieces), record)
    assert found.state in ("scored", "abstained"), found.reason
    assert found.value is None or 0 <= found.value <= 1


@settings(max_examples=30, deadline=None)
@given(st.integers(100_000, 9_000_000), st.integers(1, 9), st.integers(50, 5_000))
def test_an_answer_that_repeats_the_record_is_right(price, bedrooms, land):
    record = {
        "price": price,
        "bedrooms": bedrooms,
        "land_area_sqm": land,
        "suburb": "Carlton",
        "state": "VIC",
    }
    answer = f"Asking ${price:,} for {bedrooms} bedrooms on {land} sqm of land in Carlton VIC."
    answer += f" A 10% deposit is ${price / 10:,.2f}."
    found = check_answer(answer, read_record(record), RULES)
    assert {fact.verdict for fact in found} == {"match"}
    assert {fact.field for fact in found} >= {
        "price",
        "bedrooms",
        "land_area_sqm",
        "suburb",
        "state",
        "deposit",
    }
