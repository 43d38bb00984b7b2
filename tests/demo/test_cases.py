"""The demo's cases: the expected answers follow from the documents and from the source records."""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from assay import demo

CASES: list[dict[str, Any]] = [
    json.loads(line) for line in (Path(demo.__file__).parent / "cases.jsonl").read_text().splitlines()
]
IDS = [case["id"] for case in CASES]
STATES = {"NSW", "VIC", "QLD", "SA", "WA", "TAS", "ACT", "NT"}
# Numbers that the Australian regulator (ACMA) keeps for use in fiction.
FICTION_MOBILES = re.compile(
    r"0491 (570 (006|156|157|158|159|110|313|737)|571 (266|491|804)|572 (549|665|983))"
)
DERIVED: dict[tuple[str, str], Callable[[dict[str, Any]], float]] = {
    ("vic-gst", "deposit"): lambda record: (
        record["price"]["aud"] * record["deposit_percent"]["percent"] / 100
    ),
    ("nsw-tenancy", "fortnightly_rent"): lambda record: record["weekly_rent"]["aud"] * 2,
}
"""Answers that the document does not hold: (cluster, field) -> the arithmetic on the record."""
each_case = pytest.mark.parametrize("case", CASES, ids=IDS)


def as_answer(value: Any) -> str:
    """The canonical answer for a field of a source record: one rule for each shape of value.

    Nothing: "Not stated". True, false: "Yes", "No". Amounts: "$1,234" (cents if any) with " per <period>".
    Ranges: "$1 - $2". Percentages: "4%", with the period. Measures: number and unit. Dates: "6 March 2027".
    Numbers and texts: themselves.
    """
    match value:
        case None:
            return "Not stated"
        case bool():
            return "Yes" if value else "No"
        case {"aud": amount, **rest}:
            return f"{as_dollars(amount)}{as_period(rest)}"
        case {"low": low, "high": high, **rest}:
            return f"{as_dollars(low)} - {as_dollars(high)}{as_period(rest)}"
        case {"percent": percent, **rest}:
            return f"{percent:g}%{as_period(rest)}"
        case {"value": number, "unit": unit}:
            return f"{number:g} {unit}"
        case str() if re.fullmatch(r"\d{4}-\d\d-\d\d", value):
            day = date.fromisoformat(value)
            return f"{day.day} {day:%B %Y}"
        case _:
            return str(value)


def as_dollars(amount: float) -> str:
    return f"${amount:,.0f}" if amount == int(amount) else f"${amount:,.2f}"


def as_period(rest: dict[str, str]) -> str:
    return f" per {rest['per']}" if "per" in rest else ""


def field_value(case: dict[str, Any]) -> Any:
    return case["metadata"]["record"][case["metadata"]["field"]]


def test_there_are_enough_cases_of_both_kinds_from_enough_documents() -> None:
    kinds = Counter(case["metadata"]["kind"] for case in CASES)
    assert len(CASES) >= 72
    assert kinds["listing"] >= 36
    assert kinds["contract"] >= 36
    assert set(kinds) == {"listing", "contract"}
    assert len({case["cluster"] for case in CASES}) >= 24


def test_ids_are_unique_and_name_the_kind() -> None:
    assert len(set(IDS)) == len(IDS)
    assert all(case["id"].startswith(case["metadata"]["kind"] + "-") for case in CASES)


def test_every_state_and_territory_is_there_in_both_kinds() -> None:
    for kind in ("listing", "contract"):
        states = {case["metadata"]["jurisdiction"] for case in CASES if case["metadata"]["kind"] == kind}
        assert states == STATES


def test_hard_cases_of_each_sort_are_there() -> None:
    tags = Counter(tag for case in CASES for tag in case["tags"])
    assert tags["hard"] >= len(CASES) // 3
    for sort in ("distractor", "range", "two-dates", "units", "absent", "derived"):
        assert tags[sort] >= 2, sort


def test_a_cluster_is_one_document_and_a_document_is_one_cluster() -> None:
    documents, clusters = defaultdict(set), defaultdict(set)
    for case in CASES:
        documents[case["cluster"]].add(case["vars"]["document"])
        clusters[case["vars"]["document"]].add(case["cluster"])
    assert all(len(texts) == 1 for texts in documents.values())
    assert all(len(names) == 1 for names in clusters.values())


def test_no_question_is_asked_twice_of_a_document() -> None:
    asked = Counter((case["cluster"], case["vars"]["question"]) for case in CASES)
    assert max(asked.values()) == 1


def test_phone_numbers_are_those_kept_for_fiction() -> None:
    text = " ".join(case["vars"]["document"] for case in CASES)
    numbers = re.findall(r"\b0\d{3} \d{3} \d{3}\b", text)
    assert numbers
    assert all(FICTION_MOBILES.fullmatch(number) for number in numbers)


@each_case
def test_the_case_has_every_part(case: dict[str, Any]) -> None:
    assert set(case) == {"id", "vars", "expected", "metadata", "tags", "cluster"}
    assert set(case["vars"]) == {"document", "question"}
    assert {"kind", "field", "jurisdiction", "record"} <= set(case["metadata"])
    assert case["tags"][:2] == [case["metadata"]["kind"], case["metadata"]["field"]]
    assert case["metadata"]["field"] in case["metadata"]["record"]


@each_case
def test_the_expected_answer_is_the_field_of_the_record(case: dict[str, Any]) -> None:
    assert case["expected"] == as_answer(field_value(case))


@each_case
def test_the_expected_answer_follows_from_the_document(case: dict[str, Any]) -> None:
    """Values stand in the text, whole. Answers that do not have the passage they follow from.

    Yes, No and parties: the passage is quoted. Derived amounts: the passage is quoted, and the amount is
    the arithmetic of the record. Not stated: the record has nothing.
    """
    document, expected = case["vars"]["document"], case["expected"]
    if expected == "Not stated":
        assert field_value(case) is None
    elif "evidence" in case["metadata"]:
        assert case["metadata"]["evidence"] in document
    else:
        assert re.search(rf"(?<![\w$.,]){re.escape(expected)}(?![\w%])(?!,\d)(?!\.\d)", document)


@each_case
def test_a_question_for_yes_or_no_or_a_party_offers_the_answer(case: dict[str, Any]) -> None:
    offered = re.search(r"Answer (\w+) or (\w+)\.$", case["vars"]["question"])
    has_evidence = "evidence" in case["metadata"] and "derived" not in case["tags"]
    assert bool(offered) == has_evidence
    if offered:
        assert case["expected"] in offered.groups()


def test_a_derived_amount_is_the_arithmetic_of_the_record() -> None:
    derived = [case for case in CASES if "derived" in case["tags"]]
    assert {(case["cluster"], case["metadata"]["field"]) for case in derived} == set(DERIVED)
    for case in derived:
        amount = DERIVED[case["cluster"], case["metadata"]["field"]](case["metadata"]["record"])
        assert case["expected"] == as_dollars(amount)
        assert case["expected"] not in case["vars"]["document"]


@each_case
def test_the_document_is_short_and_its_weekdays_are_right(case: dict[str, Any]) -> None:
    document = case["vars"]["document"]
    assert len(document.split()) <= 120
    for weekday, day in re.findall(r"\b(\w+day) (\d{1,2} \w+ \d{4})", document):
        assert f"{datetime.strptime(day, '%d %B %Y'):%A}" == weekday


@each_case
def test_what_the_record_holds_stands_in_the_document(case: dict[str, Any]) -> None:
    """All but flags and parties, which are judged by their passage, and derived amounts."""
    document = case["vars"]["document"].casefold()
    for name, value in case["metadata"]["record"].items():
        if value is None or isinstance(value, bool) or name.endswith("_party"):
            continue
        if (case["cluster"], name) not in DERIVED:
            assert as_answer(value).casefold() in document, name
