"""Strengths of candidates that met two at a time, critical values for many comparisons, Friedman's test."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as oracle

from assay.stats.bradley_terry import bradley_terry, bradley_terry_strengths
from assay.stats.critical_values import dunnett_critical, studentized_range_critical
from assay.stats.errors import StatisticsError
from assay.stats.friedman import friedman


def generator():
    return np.random.default_rng(0)


def played(strengths, cases, seed=1, per_case=6):
    """Rows (first, second, result) and the case of each."""
    source = np.random.default_rng(seed)
    first = source.integers(0, len(strengths), size=cases * per_case)
    second = (first + source.integers(1, len(strengths), size=first.size)) % len(strengths)
    strengths = np.asarray(strengths)
    won = source.random(first.size) < 1 / (1 + np.exp(strengths[second] - strengths[first]))
    return np.column_stack([first, second, won]), np.repeat(np.arange(cases), per_case)


def test_strengths_are_found_again():
    truth = np.array([-1.0, -0.2, 0.2, 1.0])
    rows, cases = played(truth, 2000)
    found = bradley_terry(rows, cases, draws=200, rng=generator())
    assert [entry.strength for entry in found.entries] == pytest.approx(truth, abs=0.08)
    assert [(e.rank, e.rank_low, e.rank_high) for e in found.entries] == [
        (4,) * 3,
        (3,) * 3,
        (2,) * 3,
        (1,) * 3,
    ]
    assert all(e.interval.low < e.strength < e.interval.high for e in found.entries)
    assert (found.comparisons, found.cases, found.method, found.warnings) == (
        12_000,
        2000,
        "bradley_terry",
        (),
    )


@settings(deadline=None, max_examples=30)
@given(st.integers(2, 5), st.integers(1, 40), st.integers(0, 10_000))
def test_ranks_lie_in_their_intervals_and_strengths_sum_to_nothing(candidates, cases, seed):
    rows, labels = played(np.zeros(candidates), cases, seed)
    try:
        found = bradley_terry(rows, labels, draws=100, rng=generator())
    except StatisticsError as error:
        assert "never compared" in str(error)
        return
    assert sum(entry.strength for entry in found.entries) == pytest.approx(0.0, abs=1e-6)
    for entry in found.entries:
        assert 1 <= entry.rank_low <= entry.rank <= entry.rank_high <= len(found.entries)


def test_the_sides_and_the_order_of_comparisons_do_not_matter():
    rows, cases = played([0.0, 0.4, 0.8], 50)
    turned = np.column_stack([rows[:, 1], rows[:, 0], 1 - rows[:, 2]])
    order = np.random.default_rng(3).permutation(len(rows))
    first = bradley_terry(rows, cases, draws=100, rng=generator())
    second = bradley_terry(turned[order], cases[order], draws=100, rng=generator())
    expected = [entry.strength for entry in first.entries]
    assert [entry.strength for entry in second.entries] == pytest.approx(expected, abs=1e-9)


def test_a_tie_is_half_a_win_for_each():
    ties = bradley_terry([(0, 1, 0.5)] * 10 + [(0, 1, 1.0)] * 5, None, draws=100, rng=generator())
    halves = bradley_terry_strengths([[0.0, 10.0], [5.0, 0.0]])[0]
    assert [entry.strength for entry in ties.entries] == pytest.approx(halves, abs=1e-6)
    assert halves[0] - halves[1] == pytest.approx(math.log(2.0), abs=1e-5)


def test_errors_of_independent_comparisons_are_those_of_the_bootstrap():
    rows, _ = played([0.0, 0.5, 1.0], 1500, per_case=1)
    table = np.zeros((3, 3))
    for first, second, won in rows.astype(int):
        table[(first, second) if won else (second, first)] += 1
    errors = bradley_terry_strengths(table)[1]
    found = bradley_terry(rows, None, draws=2000, rng=generator())
    interval = found.entries[2].interval
    against_mean = math.sqrt((2 * errors[2, 0] ** 2 + 2 * errors[2, 1] ** 2 - errors[0, 1] ** 2) / 9)
    assert interval.high - interval.low == pytest.approx(2 * 1.96 * against_mean, rel=0.08)


def test_repeating_each_comparison_of_a_case_adds_no_evidence():
    rows, _ = played([0.0, 0.5], 100, per_case=1)
    cases = np.arange(100)
    once = bradley_terry(rows, cases, draws=400, rng=generator()).entries[0].interval
    repeated = (
        bradley_terry(np.repeat(rows, 10, axis=0), np.repeat(cases, 10), draws=400, rng=generator())
        .entries[0]
        .interval
    )
    assert (repeated.low, repeated.high) == pytest.approx((once.low, once.high), abs=1e-5)


def test_three_wins_in_a_row_prove_nothing_and_twenty_do():
    few, many = (bradley_terry([(0, 1, 1)] * n, None, draws=100, rng=generator()) for n in (3, 20))
    assert [(e.rank, e.rank_low, e.rank_high) for e in few.entries] == [(1, 1, 2), (2, 1, 2)]
    assert [(e.rank, e.rank_low, e.rank_high) for e in many.entries] == [(1, 1, 1), (2, 2, 2)]
    assert few.method == "bradley_terry_plus_half"
    assert any("half a win" in warning for warning in few.warnings)
    assert few.entries[0].interval.excludes(0.0) is False
    assert many.entries[0].interval.low > 0.0


@pytest.mark.parametrize(
    ("wins", "message"),
    [
        ([], "rows"),
        ([(0, 1)], "rows"),
        ([(0, 0, 1)], "itself"),
        ([(0, 1.5, 1)], "whole numbers"),
        ([(-1, 1, 1)], "whole numbers"),
        ([(0, np.nan, 1)], "whole numbers"),
        ([(0, 1, 2)], "result"),
        ([(0, 1, np.nan)], "result"),
        ([(0, 1, 1), (2, 3, 1)], "candidates 2, 3 were never compared"),
        ([("a", "b", 1)], "rows"),
    ],
)
def test_comparisons_that_give_no_strengths_are_refused(wins, message):
    with pytest.raises(StatisticsError, match=message):
        bradley_terry(wins, None, rng=generator())


def test_tables_without_finite_strengths_are_refused():
    with pytest.raises(StatisticsError, match="finite"):
        bradley_terry_strengths([[0, 3], [0, 0]])
    with pytest.raises(StatisticsError, match="square"):
        bradley_terry_strengths([[0, 3]])
    with pytest.raises(StatisticsError, match="draws"):
        bradley_terry([(0, 1, 1)], None, draws=5, rng=generator())


@pytest.mark.parametrize(("candidates", "df"), [(2, 5), (5, 10), (3, 1), (12, 60)])
def test_critical_values_of_all_pairs_are_those_of_the_studentized_range(candidates, df):
    expected = oracle.studentized_range.ppf(0.95, candidates, df) / math.sqrt(2)
    assert studentized_range_critical(candidates, df=df) == pytest.approx(expected, abs=1e-6)


def test_two_candidates_need_no_correction():
    assert studentized_range_critical(2) == pytest.approx(oracle.norm.ppf(0.975), abs=1e-8)
    assert dunnett_critical(1) == pytest.approx(oracle.norm.ppf(0.975), abs=1e-8)
    assert dunnett_critical(1, two_sided=False, df=7) == pytest.approx(oracle.t.ppf(0.95, 7), abs=1e-6)


@pytest.mark.parametrize(
    ("comparisons", "two_sided", "published"),
    [(3, False, 2.06), (7, False, 2.34), (3, True, 2.35), (2, True, 2.21), (9, False, 2.42)],
)
def test_dunnett_critical_values_are_those_of_his_table(comparisons, two_sided, published):
    assert dunnett_critical(comparisons, two_sided=two_sided) == pytest.approx(published, abs=0.005)


def test_dunnett_agrees_with_the_multivariate_normal():
    critical = dunnett_critical(4, two_sided=False, correlation=0.3)
    covariance = 0.3 + 0.7 * np.eye(4)
    inside = oracle.multivariate_normal.cdf(np.full(4, critical), cov=covariance, abseps=1e-7, rng=1)
    assert inside == pytest.approx(0.95, abs=1e-4)


@settings(deadline=None, max_examples=50)
@given(st.integers(3, 6), st.integers(3, 30), st.integers(0, 10_000))
def test_friedman_is_that_of_scipy_with_ties(candidates, cases, seed):
    matrix = np.random.default_rng(seed).integers(0, 3, size=(candidates, cases)).astype(float)
    found = friedman(matrix)
    if np.all(matrix == matrix[0]):
        assert found.p == 1.0
        return
    expected = oracle.friedmanchisquare(*matrix)
    assert (found.chi2, found.p) == pytest.approx((expected.statistic, expected.pvalue), abs=1e-9)


@pytest.mark.parametrize(
    "call",
    [
        lambda: studentized_range_critical(1),
        lambda: studentized_range_critical(3, df=0.5),
        lambda: studentized_range_critical(3, alpha=0.0),
        lambda: dunnett_critical(0),
        lambda: dunnett_critical(3, correlation=1.0),
        lambda: friedman([[1.0, 2.0]]),
    ],
)
def test_impossible_questions_are_refused(call):
    with pytest.raises(StatisticsError):
        call()
