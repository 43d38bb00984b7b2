"""Real estate accuracy: one statement in many wordings, and the near misses that say nothing.

Each line of `real_estate_wordings/*.jsonl` has a text, the name of a record of `records.json`, and the fields
that are wrong in it, one entry for each wrong fact.
"""

import json
from collections import Counter
from pathlib import Path

import pytest

from assay.extract.areas import find_areas
from assay.extract.money import find_money
from assay.extract.rooms import find_ordinals, find_rooms
from assay.metrics.property_record import read_record
from assay.metrics.property_rule_files import load_rules
from assay.metrics.real_estate import check_answer

FOLDER = Path(__file__).parent / "real_estate_wordings"
RULES = load_rules()
RECORDS = {
    name: read_record(value)
    for name, value in json.loads((FOLDER / "records.json").read_text(encoding="utf-8")).items()
}
TEXTS = [
    json.loads(line)
    for path in sorted(FOLDER.glob("*.jsonl"))
    for line in path.read_text(encoding="utf-8").splitlines()
]


def test_ids_of_wordings_are_unique():
    assert len({text["id"] for text in TEXTS}) == len(TEXTS)


@pytest.mark.parametrize("record", sorted(RECORDS))
def test_wordings_are_read_as_they_are_labelled(record):
    differing = {}
    for text in TEXTS:
        if text["record"] == record:
            facts = check_answer(text["text"], RECORDS[record], RULES)
            found = Counter(fact.field for fact in facts if fact.verdict != "match")
            if found != Counter(text["wrong"]):
                differing[text["id"]] = (text["text"], dict(found))
    assert differing == {}


def test_money_in_words_is_read_in_millions():
    def amounts(text: str) -> list[float]:
        return [find.value.low for find in find_money(text, bare=True)]

    assert amounts("two and a half million") == [2_500_000]
    assert amounts("asking one point three eight five") == [1_385_000]
    assert amounts("asking 1.245m") == [1_245_000]
    assert amounts("one point three is made by the vendor; a 1.245m fence") == []


def test_areas_in_words_and_rooms_of_two_parts_are_read():
    assert [find.value.low for find in find_areas("four hundred and twenty square metres")] == [420]
    assert [find.value.low for find in find_areas("two and a half hectares, eighty-four hectares")] == [
        25_000,
        840_000,
    ]
    assert [find.value for find in find_rooms("How many bedrooms? Four.")] == [4]
    assert [find.value for find in find_rooms("from 13 August, one bathroom")] == [1]
    assert [find.value for find in find_rooms("3+2 bedrooms")] == [5]
    assert [find.value for find in find_rooms("single garage x 2")] == [2]
    assert [(find.unit, find.value) for find in find_ordinals("a second bathroom")] == [("bathrooms", 2)]
    assert find_ordinals("the second bathroom") == []
