"""From tables of scores to a comparison: which pairs, which family, what is said of it, and how it looks."""

import io
from collections.abc import Sequence
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from rich.console import Console

from assay.domain.errors import InvalidInput
from assay.reports.comparing import Wish, compare_contest
from assay.reports.comparison_html import write_comparison_html
from assay.reports.comparison_markdown import write_comparison_markdown
from assay.reports.comparison_text import render_comparison
from assay.reports.comparison_values import ComparisonReport
from assay.reports.contest import Contest, cost_table, merge_candidates, metric_table
from assay.reports.picture import comparison_picture
from assay.stats.front import pareto
from assay.stats.ranking import rank
from assay.stats.regression import case_regressions

CASES = 60


@pytest.fixture
def contest(candidate, metric):
    """Candidates c0, c1, ... of one job, or with `jobs` of several, with one row of scores each."""

    def make(
        rows: Sequence[Sequence[float]],
        kind: str = "unit",
        jobs: Sequence[int] = (),
        names: Sequence[tuple[str, str]] = (),
        **more: object,
    ) -> Contest:
        count, cases = len(rows), len(rows[0])
        groups = [(number,) for number in range(count)]
        pairs = list(names) or [(f"c{number}", "small") for number in range(count)]
        labels = [(f"c{number}", *pair) for number, pair in enumerate(pairs)]
        data = []
        for number, row in enumerate(rows):
            known = [case for case, value in enumerate(row) if not np.isnan(value)]
            data.append(metric(number, [row[case] for case in known], kind=kind, case_no=known))
        values = {
            "candidates": merge_candidates([candidate(planned=cases)] * count, groups, labels),
            "groups": tuple(groups),
            "members": tuple(label for label, _, _ in labels),
            "jobs": tuple(jobs) or (0,) * count,
            "cases": [f"case-{number}" for number in range(cases)],
            "takes": np.ones((count, cases), dtype=bool),
            "clusters": None,
            "metrics": (metric_table(data, groups, cases),),
        }
        return Contest(**{**values, **more})

    return make


def drawn(count: int, step: float = 0.02) -> np.ndarray:
    rng = np.random.default_rng(5)
    base = rng.uniform(0.1, 0.7, CASES)
    return np.clip(base + rng.normal(0, 0.05, (count, CASES)) + step * np.arange(count)[:, None], 0, 1)


def compared(contest: Contest, **more: object) -> ComparisonReport:
    return compare_contest(contest, Wish(rng=np.random.default_rng(0), **more), title="a comparison")


def sides(report: ComparisonReport) -> list[tuple[int, int]]:
    return [(pair.baseline, pair.candidate) for pair in report.metrics[0].pairs]


def test_up_to_eight_candidates_all_pairs_are_compared_the_better_one_with_the_worse(contest):
    report = compared(contest(drawn(8)))
    assert report.scheme == "all_pairs"
    assert len(sides(report)) == report.metrics[0].family.size == 28
    assert all(pair.comparison.difference >= 0 for pair in report.metrics[0].pairs)


def test_more_are_compared_with_the_leader_and_pay_for_all_pairs(contest):
    report = compared(contest(drawn(12, step=0.004)))
    family = report.metrics[0].family
    assert report.scheme == "leader"
    assert (family.size, family.tests) == (66, 11)
    assert {candidate for _, candidate in sides(report)} == {report.metrics[0].ranking.rows[0].candidate}
    closest = report.metrics[0].pairs[0].comparison
    assert closest.p_adjusted > 11 * closest.p or closest.p_adjusted == 1.0


def test_many_jobs_of_one_candidate_are_compared_with_the_first(contest):
    report = compared(contest(drawn(10), jobs=range(10)))
    assert (report.scheme, report.metrics[0].family.size) == ("baseline", 9)
    assert {baseline for baseline, _ in sides(report)} == {0}


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([("p", "m"), ("p", "n"), ("p", "n"), ("p", "m")], [(1, 2), (0, 3)]),
        ([("old", "m"), ("old", "n"), ("new", "m"), ("new", "n")], [(0, 2), (1, 3)]),
        ([("p", "old"), ("q", "old"), ("p", "new"), ("q", "new")], [(0, 2), (1, 3)]),
    ],
)
def test_namesakes_of_two_jobs_find_each_other(contest, names, expected):
    report = compared(contest(drawn(4), jobs=(0, 0, 1, 1), names=names))
    assert report.scheme == "counterparts"
    assert sides(report) == expected


def test_jobs_without_namesakes_are_compared_in_all_pairs_the_later_with_the_earlier(contest):
    names = [("a", "m"), ("b", "n"), ("c", "o"), ("d", "p")]
    report = compared(contest(drawn(4), jobs=(0, 0, 1, 1), names=names))
    assert report.scheme == "all_pairs"
    across = [(base, other) for base, other in sides(report) if (base < 2) != (other < 2)]
    assert sorted(across) == [(0, 2), (0, 3), (1, 2), (1, 3)]


def test_the_ranking_is_that_of_the_common_cases(contest):
    rows = drawn(4)
    rows[1, :7] = np.nan
    ranking = compared(contest(rows)).metrics[0].ranking
    alone = rank(rows[:, 7:], rng=np.random.default_rng(1))
    assert ranking.n == CASES - 7
    found = {row.candidate: row for row in ranking.rows}
    for each in alone.entries:
        row = found[each.index]
        assert (row.rank, row.low, row.high) == (each.rank, each.rank_low, each.rank_high)
        assert row.mean == pytest.approx(each.mean)


def test_the_front_leaves_out_what_has_no_cost(contest):
    rows, rng = drawn(3), np.random.default_rng(2)
    costs = rng.uniform(0.001, 0.002, (3, CASES)) * np.array([[1], [2], [3]])
    costs[2] = np.nan
    costs[0, :5] = np.nan
    front = compared(contest(rows, cost_usd=costs)).front
    alone = pareto(rows[:2, 5:], costs[:2, 5:], rng=np.random.default_rng(3))
    assert (front.n, front.left_out) == (CASES - 5, (2,))
    assert [row.on_front for row in front.rows] == [each.on_front for each in alone.entries]
    assert [row.cost_usd for row in front.rows] == [each.mean_cost for each in alone.entries]
    assert [row.probability for row in front.rows] == pytest.approx(
        [each.front_probability for each in alone.entries], abs=0.06
    )


def test_one_known_cost_makes_no_front(contest):
    costs = np.full((2, CASES), np.nan)
    costs[0] = 0.001
    front = compared(contest(drawn(2), cost_usd=costs)).front
    assert front.rows == ()
    assert front.reason == "fewer than two candidates have a known cost"


def test_a_group_has_a_score_only_where_all_its_members_have_one(metric):
    data = [
        metric(0, [1.0, 0.0, 1.0]),
        metric(1, [0.0, 1.0], case_no=[0, 2]),
        metric(2, [1.0, 1.0, 1.0]),
        None,
    ]
    table = metric_table(data, [(0, 1), (2,), (3,)], 3)
    assert table.kind == "unit"
    np.testing.assert_array_equal(table.value[0], [0.5, np.nan, 1.0])
    np.testing.assert_array_equal(table.value[1], [1.0, 1.0, 1.0])
    assert np.isnan(table.value[2]).all()
    costs = cost_table([(np.array([0, 0]), np.array([1.0, 3.0]))], [(0,)], 2)
    np.testing.assert_array_equal(costs, [[2.0, np.nan]])


def test_with_repeats_a_broken_case_is_told_from_a_flaky_one(contest, metric):
    rng = np.random.default_rng(4)
    cases, times = 12, 10
    case_no = np.repeat(np.arange(cases), times)
    before = rng.random(case_no.size) < np.where(case_no == 0, 1.0, 0.7)
    after = rng.random(case_no.size) < np.where(case_no == 0, 0.0, 0.7)
    data = [metric(n, values.astype(float), case_no=case_no) for n, values in enumerate((before, after))]
    made = contest(np.zeros((2, cases)), jobs=(0, 1))
    table = metric_table(data, made.groups, cases)
    (pair,) = compared(replace(made, metrics=(table,))).metrics[0].pairs
    alone = case_regressions((before, case_no), (after, case_no))
    assert pair.regressed == tuple(f"case-{each.case}" for each in alone.cases if each.regressed)
    assert "case-0" in pair.regressed
    assert pair.movement.worsened > len(pair.regressed)
    assert compared(contest(drawn(2))).metrics[0].pairs[0].regressed is None


def test_what_a_metric_passes_over_is_not_missing(contest, metric):
    data = [metric(number, [1.0, 0.0, 1.0, 1.0], case_no=[0, 1, 2, 3]) for number in range(2)]
    skipping = [replace(each, skipped=2, skipped_case_no=np.array([4, 5], dtype=np.int32)) for each in data]
    made = contest(np.zeros((2, 7)))
    report = compared(replace(made, metrics=(metric_table(skipping, made.groups, 7),)))
    (pair,) = report.metrics[0].pairs
    assert (pair.comparison.n, pair.skipped, pair.unscored) == (4, 2, 1)


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([[0.5], [0.9]], "fewer than two pairs"),
        ([[np.nan] * 4, [0.5, 0.6, 0.7, 0.8]], "no pairs"),
        ([[np.nan] * 4, [np.nan] * 4], "no pairs"),
        ([[0.5, np.nan, np.nan], [np.nan, 0.5, 0.7]], "no pairs"),
    ],
)
def test_too_little_is_inconclusive_and_shows_no_number(contest, rows, reason):
    report = compared(contest(rows), margin=0.5)
    (pair,) = report.metrics[0].pairs
    assert (pair.comparison.verdict, pair.tested) == ("inconclusive", False)
    assert reason in report.headline
    shown = text_of(report)
    assert reason in shown and "p=" not in shown and "[" not in shown.partition("difference")[2]


def test_measures_without_spread_are_not_compared(contest):
    report = compared(contest([[100.0] * 20, [90.0] * 20], kind="measure"))
    assert report.metrics[0].family.tests == 0
    assert "all differences are equal" in report.headline


def test_infinite_scores_are_refused(contest):
    with pytest.raises(ValueError, match="finite"):
        compared(contest([[0.5, np.inf], [0.5, 0.5]], kind="measure"))


def test_one_candidate_alone_is_refused(contest):
    with pytest.raises(InvalidInput, match="one candidate only"):
        compared(contest(drawn(1)))


def test_the_same_seed_gives_the_same_report(contest):
    made = contest(drawn(4, step=0.004))
    assert compared(made, by_tag=True) == compared(made, by_tag=True)


def test_segments_are_the_pairs_on_their_cases(contest):
    rows = drawn(2)
    even = np.arange(CASES) % 2 == 0
    tagged = contest(rows, tags={"even": even, "none": np.zeros(CASES, dtype=bool)})
    whole, part = compared(tagged, by_tag=True), compared(contest(rows[:, even]))
    found = {row.tag: row.comparison for row in whole.metrics[0].segments.rows}
    assert list(found) == ["even", "none", None]
    assert found["even"].difference == part.metrics[0].pairs[0].comparison.difference
    assert found["even"].interval == part.metrics[0].pairs[0].comparison.interval
    assert (found["none"].n, found["none"].verdict) == (0, "inconclusive")
    assert whole.metrics[0].segments.family.tests == 2
    assert whole.metrics[0].pairs[0].comparison.p_adjusted == whole.metrics[0].pairs[0].comparison.p


def test_every_face_takes_hostile_names(contest, payloads):
    rows = drawn(len(payloads))
    names = [(payload, payload) for payload in payloads]
    made = contest(rows, names=names, cost_usd=np.abs(rows) * 0.001)
    people = tuple(
        replace(each, label=payload) for each, payload in zip(made.candidates, payloads, strict=True)
    )
    hostile = replace(
        made,
        candidates=people,
        members=payloads,
        cases=[payloads[number % len(payloads)] for number in range(CASES)],
        metrics=(replace(made.metrics[0], metric=payloads[0]),),
        tags={payloads[1]: np.arange(CASES) < 30},
    )
    report = replace(compared(hostile, by_tag=True), notes=payloads, title=payloads[2])
    picture = comparison_picture(report)
    ElementTree.fromstring(picture)  # noqa: S314 - our own file
    pages = [picture, html_of(report), markdown_of(report)]
    for page in pages:
        assert "<script" not in page and "<img" not in page and "\x1b" not in page
        assert "alert(1)" in page or "alert&#40;1&#41;" in page
        page.encode()
    assert "\x1b" not in text_of(report)


def test_a_terminal_of_eighty_columns_shows_every_verdict(contest):
    report = compared(contest(drawn(4), cost_usd=np.full((4, CASES), 0.001)), margin=0.01)
    shown = text_of(report, width=80)
    assert max(map(len, shown.splitlines())) <= 80
    verdicts = [pair.comparison.verdict for pair in report.metrics[0].pairs]
    assert sum(shown.count(f" {verdict}") for verdict in set(verdicts)) >= len(verdicts)


def text_of(report: ComparisonReport, width: int = 160) -> str:
    out = io.StringIO()
    render_comparison(report, Console(file=out, width=width, color_system=None))
    return out.getvalue()


def html_of(report: ComparisonReport) -> str:
    out = io.StringIO()
    write_comparison_html(out, report)
    return out.getvalue()


def markdown_of(report: ComparisonReport) -> str:
    out = io.StringIO()
    write_comparison_markdown(out, report)
    return out.getvalue()
