"""Legal compliance: scope, verdicts, value, evidence, and what the labelled texts say of the rules."""

import json
from pathlib import Path

import pytest

from assay.domain.datasets import Case
from assay.domain.errors import InvalidInput
from assay.domain.models import ModelResponse
from assay.domain.scores import MetricConfig, Sample, Score
from assay.metrics.catalog import make_metric

GOLD = Path(__file__).parents[2] / "benchmarks" / "gold" / "legal.jsonl"
LABELLED = [json.loads(line) for line in GOLD.read_text(encoding="utf-8").splitlines()]
WORDINGS = [
    json.loads(line)
    for file in sorted((Path(__file__).parent / "legal_wordings").glob("*.jsonl"))
    for line in file.read_text(encoding="utf-8").splitlines()
]
"""The same faults in other words, and near misses: lists, tables, letters, questions, hints."""
ITEMS = [item for item in LABELLED if not item["split"].startswith("independent")]
"""Without those of other authors, of which the rules still miss some: the benchmark tells how many."""
FAULTS = ("violated", "missing")
LISTING = (
    "For sale in New South Wales: a light-filled Federation home with four bedrooms, a family room, a "
    "master bedroom with a walk-in robe, European appliances, black tapware and a white kitchen. Walking "
    "distance to the Catholic primary school, the Chinese supermarket and the children's playground, on a"
    " quiet street. Council rates $480 per quarter, strata levies from $1,250 per quarter, both "
    "approximate. Price guide $1,850,000 to $2,000,000. The contract for sale is available from the "
    "agent. Over $200,000 was spent on renovations. No smoking indoors at inspections, please. Assistance"
    " dogs are welcome."
)
GUIDE = (
    "# Buying a home in Victoria\n\n1. Speak to a broker about what you can borrow; approval depends on the"
    " lender.\n2. Ask your conveyancer to read the section 32 vendor statement before you sign "
    "anything.\n3. Sign the contract of sale. You have three clear business days to cool off, unless you "
    "bought at auction or within three clear business days of one. If you end the contract, the vendor "
    "may keep $100 or 0.2% of the price, whichever is greater.\n4. Pay the balance of the 10% deposit and "
    "settle, often after 60 days.\n\nRenters: rent is advertised as a fixed amount under s 30F of the "
    "Residential Tenancies Act 1997 (Vic), and nobody may invite a higher offer. An agent must not refuse"
    " a family because of its children.\n\nThis is general information and not legal advice."
)


def score(answer: str, metadata=None, threshold=None, **options) -> Score:
    config = MetricConfig(name="legal", type="legal_compliance", options=options, threshold=threshold)
    sample = Sample(case=Case(key="1", vars={}, metadata=metadata or {}), response=ModelResponse(text=answer))
    (found,) = make_metric(config).score_batch([sample])
    return found


def faults(found: Score) -> list[tuple[str, str]]:
    rules = (found.evidence or {}).get("rules", ())
    return sorted((rule["rule"], rule["verdict"]) for rule in rules if rule["verdict"] in FAULTS)


def sample_of(item) -> Sample:
    known = {name: item[name] for name in ("jurisdiction", "document", "date") if name in item}
    return Sample(
        case=Case(key=item["id"], vars={}, metadata=known), response=ModelResponse(text=item["text"])
    )


@pytest.mark.parametrize("items", [ITEMS, WORDINGS], ids=["gold", "wordings"])
def test_the_labelled_texts_are_judged_as_people_did(items):
    metric = make_metric(MetricConfig(name="legal", type="legal_compliance"))
    found = metric.score_batch([sample_of(item) for item in items])
    wrong = [
        (item["text"], faults(score))
        for item, score in zip(items, found, strict=True)
        if set(faults(score)) != {(label["rule"], label["verdict"]) for label in item["labels"]}
    ]
    assert wrong == []


def test_the_other_wordings_are_many_and_a_quarter_break_nothing():
    assert len(WORDINGS) >= 580
    assert sum(not item["labels"] for item in WORDINGS) >= len(WORDINGS) / 5


@pytest.mark.parametrize(
    ("jurisdiction", "text", "found"),
    [
        ("VIC", "Price guide $700,000 - $790,000. Renovated throughout.", ["vic.price_range"]),
        ("VIC", "Price guide $700,000 - $770,000. Renovated throughout.", []),
        ("QLD", "You offered $40 over the advertised rent. We cannot take it, by law.", []),
        ("QLD", "Rent $500 a week, bond $2,500.", ["qld.bond"]),
        ("QLD", "Rent $500 a week, bond $2,000.", []),
        ("VIC", "Off the plan for $600,000: $90,000 deposit.", ["vic.deposit_off_plan"]),
        ("VIC", "The owners won't take less than $2m, so we say $1.8m in the ad.", ["au.underquoting"]),
        ("VIC", "The owners won't take less than $1.8m, so we say $1.8m in the ad.", []),
        ("US", "See 42 U.S.C. § 3650.", ["us.citations"]),
        ("US", "See 42 U.S.C. § 3605.", []),
        ("ACT", "See the Retirement Villages Act 2012 (ACT).", []),
    ],
)
def test_amounts_sentences_and_citations_are_read_as_they_stand(jurisdiction, text, found):
    assert [rule for rule, _ in faults(score(text, {"jurisdiction": jurisdiction}))] == found


def test_the_labelled_texts_are_many_and_from_everywhere():
    assert len(ITEMS) >= 210
    assert {code for item in ITEMS for code in item["jurisdiction"]} == {
        *("NSW", "VIC", "QLD", "SA", "WA", "TAS", "ACT", "NT", "AU", "US")
    }
    assert sum(not item["labels"] for item in ITEMS) > 100


@pytest.mark.parametrize("text", [LISTING, GUIDE])
def test_a_long_text_that_keeps_the_law_scores_one(text):
    found = score(text)
    assert (found.value, faults(found)) == (1.0, [])


def test_evidence_has_the_place_the_source_and_the_remedy():
    text = "In NSW the cooling-off period is 10 business days."
    found = score(text, {"date": "2025-03-01"})
    assert found.evidence is not None
    worst = found.evidence["rules"][0]
    assert worst["rule"] == "nsw.cooling_off_days" and worst["verdict"] == "violated"
    assert text[worst["start"] : worst["end"]] == worst["quote"]
    assert worst["source"] == "Conveyancing Act 1919 (NSW) s 66S"
    assert worst["jurisdiction"] == ["NSW"] and worst["remedy"]
    assert found.evidence["as_of"] == "2025-03-01"
    json.dumps(found.evidence)


def test_the_value_is_the_weighted_share_of_the_rules_that_apply(tmp_path):
    (tmp_path / "ours.yaml").write_text(
        "pack: ours\ntitle: Ours\nversion: '1'\n"
        "defaults: {jurisdictions: ['*'], source: House rules, kind: prohibited, message: No.}\nrules:\n"
        "  - {id: ours.a, title: A, severity: critical, patterns: [alpha]}\n"
        "  - {id: ours.b, title: B, severity: minor, patterns: [beta]}\n"
        "  - {id: ours.c, title: C, severity: major, patterns: [gamma], when: [delta]}\n"
        "  - {id: ours.d, title: D, severity: major, kind: required, needs_judge: true, question: Is it?}\n"
    )
    found = score("alpha", packs=[str(tmp_path / "ours.yaml")])
    assert found.value == pytest.approx(1 / 6)
    assert found.reason.startswith("1 of 2 rules hold; 1 critical; ours.a violated 'alpha'; 1 not checked; ")
    assert faults(score("alpha", packs=str(tmp_path / "ours.yaml"))) == [("ours.a", "violated")]


def test_nothing_that_applies_is_abstained_on():
    found = score("The sum of two and two is four.")
    assert (found.state, found.value) == ("abstained", None)
    assert "no rule applies" in found.reason and "Commonwealth" in found.reason


def test_passed_is_the_threshold_alone_and_critical_faults_are_told():
    text = "Flat for rent in Perth. No kids. $400 per week."
    assert score(text, threshold=0.5).passed is True
    assert "1 critical" in score(text).reason


@pytest.mark.parametrize(
    ("metadata", "options", "expected"),
    [
        ({"jurisdiction": "VIC"}, {}, ["VIC"]),
        ({"state": "New South Wales"}, {}, ["NSW"]),
        ({"state": "AU-QLD"}, {}, ["QLD"]),
        ({"jurisdiction": "US-CA"}, {}, ["US"]),
        ({"state": "VIC"}, {"jurisdiction": ["NSW", "SA"]}, ["NSW", "SA"]),
        ({"state": "nowhere"}, {}, ["WA"]),
        ({}, {}, ["WA"]),
        ({"state": 5}, {}, ["WA"]),
    ],
)
def test_the_jurisdiction_is_the_options_else_the_cases_else_the_texts(metadata, options, expected):
    found = score("House for rent in Perth, $500 per week.", metadata, **options)
    assert found.evidence is not None and found.evidence["jurisdictions"] == expected


def test_variables_of_the_case_tell_the_jurisdiction_too():
    metric = make_metric(MetricConfig(name="legal", type="legal_compliance"))
    sample = Sample(
        case=Case(key="1", vars={"state": "SA"}), response=ModelResponse(text="House, $500 per week.")
    )
    (found,) = metric.score_batch([sample])
    assert found.evidence is not None and found.evidence["jurisdictions"] == ["SA"]


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("2025-07-31", []),
        ("2025-08-01", [("qld.seller_disclosure_denied", "violated")]),
        (None, [("qld.seller_disclosure_denied", "violated")]),
        ("next week", [("qld.seller_disclosure_denied", "violated")]),
    ],
)
def test_a_rule_counts_on_the_days_on_which_it_holds(date, expected):
    found = score("Buyer beware still applies in Queensland.", {"date": date} if date else {})
    assert faults(found) == expected
    assert "date" in found.reason or date in found.reason


def test_the_option_dates_cases_that_have_no_date():
    text = "Buyer beware still applies in Queensland."
    assert faults(score(text, as_of="2024-01-01")) == []
    assert faults(score(text, {"date": "2026-01-01"}, as_of="2024-01-01")) != []


def test_in_a_text_about_several_states_each_statement_is_held_to_its_own():
    right = (
        "New South Wales: five business days to cool off. Victoria: three clear business days to cool off."
    )
    assert faults(score(right)) == []
    wrong = right.replace("three clear", "five")
    assert faults(score(wrong)) == [("vic.cooling_off_days", "violated")]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Ballarat: three clear business days to cool off. Mount Gambier: two.", []),
        (
            "Ballarat: two clear business days to cool off. Mount Gambier: two.",
            [("vic.cooling_off_days", "violated")],
        ),
        ("Victoria and SA let you cool off. The periods are three and two clear business days.", []),
        ("Victoria and SA give three and two business days to cool off respectively.", []),
    ],
)
def test_towns_tell_the_state_and_two_states_at_once_tell_none(text, found):
    assert faults(score(text, jurisdiction=["VIC", "SA"])) == found


def test_a_kind_of_document_that_a_rule_is_not_for_is_left_alone():
    text = "2 bedroom unit in Canberra, $500,000, open home on Saturday."
    assert faults(score(text, document="listing")) == [("act.energy_rating", "missing")]
    assert faults(score(text, {"document": "advert"})) == [("act.energy_rating", "missing")]
    assert faults(score(text, document="email")) == []


@pytest.mark.parametrize(
    ("strict", "state", "expected"),
    [(False, "abstained", []), (True, "scored", [("au.citations", "violated")])],
)
def test_an_unknown_act_is_unverified_and_a_violation_only_if_strict(strict, state, expected):
    found = score("The Fairness of Widgets Act 2011 (Cth) says so.", strict=strict)
    assert (found.state, faults(found)) == (state, expected)


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"jurisdiction": "Mars"}, "options.jurisdiction"),
        ({"as_of": "soon"}, "options.as_of"),
        ({"document": "poem"}, "options.document"),
        ({"packs": ["legal_zz"]}, "options.packs"),
    ],
)
def test_options_that_cannot_be_used_are_refused_before_a_run(options, field):
    with pytest.raises(InvalidInput) as caught:
        score("x", **options)
    assert caught.value.field == field


@pytest.mark.parametrize(
    "part",
    [
        "No kids. ",
        "cooling off 5 business days ",
        "s 32 of the Sale of Land Act 1962 (Vic) ",
        "$1,000,000 to $2,000,000 ",
        "refuse not never no ",
        "\ud800é “kids” ",
    ],
)
def test_a_million_characters_of_anything_take_bounded_work_and_give_bounded_evidence(part):
    found = score(part * (1_000_000 // len(part)), jurisdiction=["NSW", "VIC", "US"])
    assert found.state in ("scored", "abstained")
    assert len(found.reason) < 1000
    assert len((found.evidence or {"rules": []})["rules"]) < 2000


def test_a_longer_text_is_refused_with_the_limit():
    found = score("a" * 1_000_001)
    assert found.state == "failed" and "over the limit of 1,000,000" in found.reason
