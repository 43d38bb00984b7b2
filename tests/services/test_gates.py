"""From two result files to a verdict: what is compared, what is refused, and what is said."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.domain.errors import Conflict, InvalidInput
from assay.domain.results import Result
from assay.formats.result_sources import read_table
from assay.formats.result_tables import ResultTable
from assay.reports.gate import GateReport, reason_of, remedy_of
from assay.services.gates import GatePolicy, MetricMargin, gate_tables, metric_margin
from sides import cell, passes, write_side

DRAW = np.random.default_rng(11)


def table(folder: Path, name: str, results: Sequence[Result], **job: Any) -> ResultTable:
    document = {"receipt": {}, **job} if job else None
    kind = "json" if job else "jsonl"
    return read_table(write_side(folder / f"{name}.{kind}", results, job=document))


def gate(folder: Path, ours: Sequence[Result], theirs: Sequence[Result], **policy: Any) -> GateReport:
    return gate_tables(
        table(folder, "candidate", ours), table(folder, "baseline", theirs), GatePolicy(**policy)
    )


def only(report: GateReport) -> Any:
    (check,) = report.checks
    return check


def test_nothing_changed_and_enough_cases_pass(tmp_path: Path) -> None:
    report = gate(tmp_path, passes(400, 20), passes(400, 20))
    assert report.outcome == "pass"
    assert only(report).change.n == 400
    assert report.sentence == "Gate passed: the one check ruled out a loss of the margin or more."


def test_a_certain_loss_fails_and_a_doubtful_one_does_not(tmp_path: Path) -> None:
    assert gate(tmp_path, passes(400, 60), passes(400, 20)).outcome == "fail"
    doubtful = gate(tmp_path, passes(400, 26), passes(400, 20))
    assert doubtful.outcome == "inconclusive"
    assert only(doubtful).cases_needed > 400
    assert "would tell" in reason_of(only(doubtful))


def test_too_few_cases_are_inconclusive_however_good_they_look(tmp_path: Path) -> None:
    report = gate(tmp_path, passes(12, 0), passes(12, 0))
    assert (report.outcome, only(report).doubt) == ("inconclusive", "noise")


def test_the_suites_margin_counts_only_in_the_baseline(tmp_path: Path) -> None:
    wide = table(tmp_path, "wide", passes(400, 26), margin=0.5)
    narrow = table(tmp_path, "narrow", passes(400, 20), margin=0.01)
    assert only(gate_tables(wide, narrow, GatePolicy())).margin == 0.01
    assert only(gate_tables(narrow, wide, GatePolicy())).margin == 0.5
    assert only(gate_tables(wide, narrow, GatePolicy(margin=0.1))).margin == 0.1
    chosen = GatePolicy(margin=0.1, metrics=(MetricMargin("exact", 0.2),))
    assert only(gate_tables(wide, narrow, chosen)).margin == 0.2


def test_a_candidate_whose_calls_fail_does_not_pass_quietly(tmp_path: Path) -> None:
    candidate = [cell(n, {"exact": None if n < 60 else 1.0}) for n in range(400)]
    check = only(gate(tmp_path, candidate, passes(400, 0)))
    assert (check.outcome, check.doubt) == ("inconclusive", "failures")
    assert (check.tested.scored, check.tested.planned, check.tested.missing) == (340, 400, {"no answer": 60})
    assert "60 of 400 cells of the candidate have no score (60 no answer)" in reason_of(check)
    assert "assay retry" in remedy_of(check)


def test_a_candidate_without_any_answer_is_inconclusive(tmp_path: Path) -> None:
    nothing = [cell(n, {"exact": None}) for n in range(40)]
    check = only(gate(tmp_path, nothing, passes(40, 0)))
    assert (check.outcome, check.change.n) == ("inconclusive", 0)
    assert "40 of 40 cells of the candidate have no score" in reason_of(check)


def test_skipping_what_the_baseline_scored_is_no_way_out(tmp_path: Path) -> None:
    candidate = [cell(n, {"exact": "skipped" if n < 100 else 1.0}) for n in range(400)]
    check = only(gate(tmp_path, candidate, passes(400, 0)))
    assert (check.outcome, check.tested.missing) == ("inconclusive", {"skipped": 100})
    both = [cell(n, {"exact": "skipped" if n < 100 else 1.0}) for n in range(400)]
    check = only(gate(tmp_path, candidate, both))
    assert (check.outcome, check.tested.planned) == ("pass", 300)


def test_answers_from_the_cache_are_no_evidence_of_cost_or_time(tmp_path: Path) -> None:
    """They cost nothing: the second run of the same suite would always look cheaper."""
    baseline = [cell(n, {"exact": 1.0}, cost_usd=float(DRAW.gamma(4.0, 0.001))) for n in range(200)]
    cached = [cell(n, {"exact": 1.0}, cost_usd=0.0, cached=True) for n in range(200)]
    check = only(gate(tmp_path, cached, baseline, metrics=(MetricMargin("cost_usd", 0.1, True),)))
    assert (check.outcome, check.tested.missing) == ("inconclusive", {"from the cache": 200})
    assert "--no-cache" in remedy_of(check)


def test_dearer_answers_fail_a_relative_margin(tmp_path: Path) -> None:
    costs = DRAW.gamma(4.0, 0.001, 200)
    rise = DRAW.gamma(100.0, 0.01, 200)
    baseline = [cell(n, {"exact": 1.0}, cost_usd=float(costs[n])) for n in range(200)]
    asked = (metric_margin("cost_usd=10%"), metric_margin("exact"))
    for factor, outcome in ((1.0, "pass"), (1.3, "fail")):
        candidate = [cell(n, {"exact": 1.0}, cost_usd=float(factor * costs[n] * rise[n])) for n in range(200)]
        report = gate(tmp_path, candidate, baseline, metrics=asked)
        assert [check.outcome for check in report.checks] == [outcome, "pass"]
        assert report.outcome == outcome
    assert reason_of(report.checks[0]).startswith("+3")
    assert "certainly worse by more than 10%" in reason_of(report.checks[0])


def test_unknown_costs_are_not_cheap(tmp_path: Path) -> None:
    baseline = [cell(n, {"exact": 1.0}, cost_usd=0.01) for n in range(100)]
    unknown = [cell(n, {"exact": 1.0}, cost_usd=None) for n in range(100)]
    check = only(gate(tmp_path, unknown, baseline, metrics=(metric_margin("cost_usd=10%"),)))
    assert (check.outcome, check.tested.missing) == ("inconclusive", {"unknown": 100})


def test_a_metric_that_the_candidate_lost_is_inconclusive_and_a_new_one_is_named(tmp_path: Path) -> None:
    old = [cell(n, {"exact": 1.0, "f1": 0.5}) for n in range(400)]
    report = gate(tmp_path, passes(400, 0), old)
    assert [(check.metric, check.outcome) for check in report.checks] == [
        ("exact", "pass"),
        ("f1", "inconclusive"),
    ]
    assert "the candidate has no metric 'f1'" in reason_of(report.checks[1])
    assert report.outcome == "inconclusive"
    report = gate(tmp_path, old, passes(400, 0))
    assert [check.metric for check in report.checks] == ["exact"]
    assert report.notes == ("metric f1 is new: the baseline has none, so that it was not gated",)


def test_other_cases_are_refused_unless_forced(tmp_path: Path) -> None:
    with pytest.raises(Conflict, match="100 cases of the baseline are not in the candidate") as caught:
        gate(tmp_path, passes(300, 0), passes(400, 0))
    assert "--force" in str(caught.value)
    with pytest.raises(Conflict, match="1 case of the candidate is not in the baseline: case-400"):
        gate(tmp_path, passes(401, 0), passes(400, 0))
    changed = [cell(n, {"exact": 1.0}, expected="another" if n < 5 else f"={n}") for n in range(400)]
    with pytest.raises(Conflict, match="5 cases have other variables or expectations"):
        gate(tmp_path, changed, passes(400, 0))
    forced = gate(tmp_path, passes(300, 0), passes(400, 0), force=True)
    assert (forced.outcome, only(forced).change.n) == ("pass", 300)
    assert forced.notes[0].startswith("forced: 100 cases of the baseline")
    with pytest.raises(Conflict, match="no case is on both sides"):
        gate(tmp_path, [cell(1, {"exact": 1.0})], [cell(0, {"exact": 1.0})], force=True)


def test_other_versions_and_data_sets_are_refused_unless_forced(tmp_path: Path) -> None:
    def side(name: str, version: str, options: str, dataset: str) -> ResultTable:
        metric = {"name": "exact", "type": "exact", "version": version, "kind": "binary", "options": options}
        return table(tmp_path, name, passes(400, 0), metrics=[metric], dataset_hash=dataset)

    base = side("base", "1", "x", "aa")
    for other, said in (
        (side("a", "2", "x", "aa"), "metric exact has version 1 in the baseline, 2 in the candidate"),
        (side("b", "1", "y", "aa"), "metric exact has other options"),
        (side("c", "1", "x", "bb"), "the data sets differ"),
    ):
        with pytest.raises(Conflict, match=said):
            gate_tables(other, base, GatePolicy())
        assert said in gate_tables(other, base, GatePolicy(force=True)).notes[0]


def test_every_candidate_on_both_sides_is_gated_and_the_worst_counts(tmp_path: Path) -> None:
    def grid(bad: int) -> list[Result]:
        return [
            cell(n, {"exact": 0.0 if prompt == "b" and n < bad else 1.0}, prompt=prompt, model=model)
            for n in range(300)
            for prompt in ("a", "b")
            for model in ("m", "n")
        ]

    report = gate(tmp_path, grid(60), grid(0))
    assert [(check.candidate, check.outcome) for check in report.checks] == [
        ("a · m", "pass"),
        ("a · n", "pass"),
        ("b · m", "fail"),
        ("b · n", "fail"),
    ]
    assert report.outcome == "fail"
    assert gate(tmp_path, grid(60), grid(0), candidate="a").outcome == "pass"
    assert gate(tmp_path, grid(60), grid(0), candidate="b/n").outcome == "fail"
    with pytest.raises(InvalidInput, match="no candidate 'c'"):
        gate(tmp_path, grid(0), grid(0), candidate="c")
    swapped = gate(tmp_path, grid(60), grid(60), candidate="a/m", baseline_candidate="b/m")
    assert only(swapped).candidate == "a · m (against b/m)"
    part = gate(tmp_path, [each for each in grid(0) if each.prompt == "a"], grid(0))
    assert [check.candidate for check in part.checks] == ["m", "n"]
    assert part.notes == ("b/m of the baseline has no candidate", "b/n of the baseline has no candidate")


def test_one_candidate_on_each_side_may_have_another_name(tmp_path: Path) -> None:
    renamed = [cell(n, {"exact": 1.0}, prompt="new", model="larger") for n in range(400)]
    report = gate(tmp_path, renamed, passes(400, 0))
    assert (report.outcome, only(report).candidate) == ("pass", "new · larger (against plain/small)")


def test_candidates_that_do_not_meet_are_an_error_with_a_way_on(tmp_path: Path) -> None:
    ours = [cell(0, {"exact": 1.0}, prompt=p, model=p) for p in ("a", "b")]
    theirs = [cell(0, {"exact": 1.0}, prompt=p, model=p) for p in ("c", "d")]
    with pytest.raises(InvalidInput, match="no candidate is on both sides") as caught:
        gate(tmp_path, ours, theirs)
    assert "--baseline-candidate of c/c and d/d" in str(caught.value)


def test_clusters_count_by_source(tmp_path: Path) -> None:
    def grouped(failing: int, size: int) -> list[Result]:
        return [
            cell(n, {"exact": 0.0 if n < failing else 1.0}, cluster=f"doc-{n // size}") for n in range(400)
        ]

    alone = only(gate(tmp_path, passes(400, 34), passes(400, 20)))
    by_document = only(gate(tmp_path, grouped(34, 20), grouped(20, 20)))
    assert by_document.change.clusters == 20
    assert by_document.change.high > alone.change.high
    one = only(gate(tmp_path, grouped(0, 400), grouped(0, 400)))
    assert (one.outcome, one.doubt) == ("inconclusive", "unknown")
    assert "one cluster" in reason_of(one)


def test_the_baselines_clusters_count(tmp_path: Path) -> None:
    """A change cannot make its cases independent by leaving their source out."""
    grouped = [cell(n, {"exact": 1.0}, cluster=f"doc-{n // 20}") for n in range(400)]
    assert only(gate(tmp_path, passes(400, 0), grouped)).change.clusters == 20
    assert only(gate(tmp_path, grouped, passes(400, 0))).change.clusters is None


def test_cells_that_are_not_there_are_missing(tmp_path: Path) -> None:
    """Prompt b was cut short: its cases are in the file, its answers are not."""
    grid = [cell(n, {"exact": 1.0}, prompt=prompt) for n in range(400) for prompt in ("a", "b")]
    cut = [each for each in grid if each.prompt == "a" or each.case_no >= 60]
    report = gate(tmp_path, cut, grid)
    assert [(check.outcome, check.tested.missing) for check in report.checks] == [
        ("pass", {}),
        ("inconclusive", {"not there": 60}),
    ]


def test_repeats_are_averaged_by_case(tmp_path: Path) -> None:
    def repeated(share: int) -> list[Result]:
        return [
            cell(n, {"exact": 1.0 if (n + k) % 5 >= share else 0.0}, repeat=k)
            for n in range(300)
            for k in range(5)
        ]

    check = only(gate(tmp_path, repeated(1), repeated(1)))
    assert (check.change.n, check.tested.planned) == (300, 1500)
    assert check.baseline.mean == pytest.approx(0.8)


def test_margins_that_make_no_sense_are_refused(tmp_path: Path) -> None:
    results = passes(40, 0)
    for asked, said in (
        ("cost_usd", "is a measure \\(USD\\) and needs a margin"),
        ("exact=2%", "points, not in per cent"),
        ("exact=2", "allows every loss"),
        ("nothing", "no side has a metric 'nothing'"),
    ):
        with pytest.raises(InvalidInput, match=said):
            gate(tmp_path, results, results, metrics=(metric_margin(asked),))
    for text in ("exact=", "exact=-1", "exact=nan", "=2", "exact=1e999", "a=b"):
        with pytest.raises(InvalidInput, match="is not NAME or NAME=MARGIN"):
            metric_margin(text)


def test_a_measure_of_a_file_needs_its_direction(tmp_path: Path) -> None:
    def sized(shift: float) -> list[Result]:
        return [cell(n, {"size": shift + float(DRAW.normal(50, 1))}) for n in range(100)]

    asked = (metric_margin("size=2"),)
    with pytest.raises(InvalidInput, match="nothing says whether more of it is better"):
        gate(tmp_path, sized(0), sized(0), metrics=asked)
    fewer = gate(tmp_path, sized(-10), sized(0), metrics=asked, better={"size": "lower"})
    more = gate(tmp_path, sized(-10), sized(0), metrics=asked, better={"size": "higher"})
    assert (fewer.outcome, more.outcome) == ("pass", "fail")


def test_a_score_that_its_metric_cannot_have_is_refused(tmp_path: Path) -> None:
    facts = [{"name": "exact", "type": "exact", "kind": "binary"}]
    side, other = (
        table(tmp_path, name, [cell(n, {"exact": 1.5}) for n in range(40)], metrics=facts)
        for name in ("side", "other")
    )
    with pytest.raises(InvalidInput, match=r"metric exact cannot be gated: .* must lie in \[0, 1\]"):
        gate_tables(side, other, GatePolicy())


def test_nothing_is_held_against_itself(tmp_path: Path) -> None:
    """A baseline that is the candidate would pass whatever it is."""
    grid = [cell(n, {"exact": 1.0}, prompt=prompt) for n in range(400) for prompt in ("a", "b")]
    one, copy = (table(tmp_path, name, grid, id="job-1") for name in ("one", "copy"))
    for ours, theirs in ((one, one), (copy, one)):
        with pytest.raises(InvalidInput, match="held against itself"):
            gate_tables(ours, theirs, GatePolicy())
    chosen = GatePolicy(candidate="a", baseline_candidate="b")
    assert gate_tables(one, one, chosen).outcome == "pass"


def test_measures_alone_are_no_default(tmp_path: Path) -> None:
    words = [cell(n, {"length": 50.0 + n}) for n in range(40)]
    with pytest.raises(InvalidInput, match="no quality metric"):
        gate(tmp_path, words, words)
