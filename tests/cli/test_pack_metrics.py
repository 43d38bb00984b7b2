"""Metrics of rules in runs: scores by other rules are told apart."""

from typing import Any

import pytest
from bench import Bench
from provider import Provider

SCORES = """
select s.metric, s.version, s.state::text, s.value from assay.metric_scores s
 where s.organization_id = %(org)s order by s.metric, s.version
"""
PACK = """\
pack: ours
title: Ours
version: "1"
defaults: {jurisdictions: ["*"], source: House rules, kind: prohibited, severity: major, message: No.}
rules:
  - {id: ours.a, title: A, patterns: [alpha]}
"""
LEGAL = {"type": "legal_compliance", "options": {"packs": "ours.yaml"}}


@pytest.fixture
def house(bench: Bench) -> Bench:
    """A bench with rules of its own and a suite that holds answers to them."""
    bench.write("ours.yaml", PACK)
    bench.suite([{"id": "c1", "vars": {"q": "alpha beta"}}], metrics=[LEGAL])
    return bench


def versions(bench: Bench) -> list[Any]:
    return [job["receipt"]["metrics"]["legal_compliance"] for job in bench.jobs()]


def test_rules_that_changed_score_cached_answers_anew_under_another_version(
    house: Bench, provider: Provider
) -> None:
    assert house.run("run").code == 0
    house.write("ours.yaml", PACK.replace("alpha", "gamma"))
    assert house.run("run").code == 0
    assert provider.count == 1, "the answer is of the cache"
    first, second = versions(house)
    assert first != second
    assert {row[1:] for row in house.rows(SCORES)} == {(first, "scored", 0.0), (second, "scored", 1.0)}
    jobs = [job["id"] for job in house.jobs()]
    compared = house.run("compare", *jobs)
    assert compared.code == 1
    assert f"metric legal_compliance has version {first} in one and {second} in the other" in compared.err


def test_stored_answers_are_scored_by_changed_rules_under_another_name(house: Bench) -> None:
    assert house.run("run").code == 0
    house.write("ours.yaml", PACK.replace("alpha", "gamma"))
    again = ("score", "last", "--metric", "legal_compliance", "--option", "packs=ours.yaml")
    done = house.run(*again, "--name", "anew")
    assert done.code == 0, done.err
    (old, new) = sorted(house.rows(SCORES), key=lambda row: row[3])
    assert (old[0], new[0]) == ("legal_compliance", "anew")
    assert old[1] != new[1]
    assert house.broken() == []
