"""Ranks of candidates and how sure they are."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from assay.stats.errors import StatisticsError
from assay.stats.paired import paired_difference, paired_scores
from assay.stats.ranking import compare_all_pairs, rank

matrices = hnp.arrays(
    np.float64,
    st.tuples(st.integers(1, 6), st.integers(1, 30)),
    elements=st.sampled_from([0.0, 0.25, 0.5, 1.0]),
)


def generator():
    return np.random.default_rng(0)


def correlated(candidates, cases, rates, seed=1):
    """Pass/fail scores of candidates that find the same cases hard."""
    source = np.random.default_rng(seed)
    hard = 0.25 * source.normal(size=cases)
    return (source.random((candidates, cases)) < np.asarray(rates)[:, None] + hard).astype(float)


@settings(deadline=None, max_examples=200)
@given(matrices)
def test_an_interval_of_ranks_holds_the_rank(matrix):
    found = rank(matrix, rng=generator())
    candidates = len(matrix)
    for entry in found.entries:
        assert 1 <= entry.rank_low <= entry.rank <= entry.rank_high <= candidates
        assert entry.mean == pytest.approx(matrix[entry.index].mean())
        assert entry.rank == 1 + sum(other.mean > entry.mean + 1e-11 for other in found.entries)
    assert [entry.index for entry in found.entries] == list(range(candidates))


@settings(deadline=None, max_examples=100)
@given(matrices, st.randoms(use_true_random=False))
def test_the_order_of_candidates_and_cases_changes_no_rank(matrix, random):
    rows, columns = list(range(matrix.shape[0])), list(range(matrix.shape[1]))
    random.shuffle(rows)
    random.shuffle(columns)
    first, second = rank(matrix, rng=generator()), rank(matrix[rows][:, columns], rng=generator())
    assert [first.entries[row].rank for row in rows] == [entry.rank for entry in second.entries]
    assert first.warnings == second.warnings


def test_the_order_of_candidates_changes_no_interval():
    matrix = correlated(6, 300, np.linspace(0.5, 0.7, 6))
    order = np.random.default_rng(2).permutation(6)
    first, second = rank(matrix, rng=generator()), rank(matrix[order], rng=generator())
    assert second.critical == pytest.approx(first.critical, abs=1e-9)
    expected = [(first.entries[row].rank_low, first.entries[row].rank_high) for row in order]
    assert [(entry.rank_low, entry.rank_high) for entry in second.entries] == expected


def test_two_candidates_are_judged_by_the_paired_t_test():
    matrix = np.random.default_rng(3).normal(size=(2, 40))
    student = paired_difference(paired_scores(*matrix, "real"))
    (pair,) = compare_all_pairs(matrix, rng=generator())
    interval = student.interval(0.95)
    assert (pair.interval.low, pair.interval.high) == pytest.approx((interval.low, interval.high))
    p = 2 * min(student.p_above(0.0), student.p_below(0.0))
    assert (pair.p, pair.p_holm) == pytest.approx((p, p))


def test_two_clustered_candidates_are_judged_by_cr2():
    source = np.random.default_rng(4)
    matrix, labels = source.normal(size=(2, 60)), source.integers(0, 12, size=60)
    student = paired_difference(paired_scores(*matrix, "real", labels))
    (pair,) = compare_all_pairs(matrix, clusters=labels, rng=generator())
    interval = student.interval(0.95)
    assert (pair.interval.low, pair.interval.high) == pytest.approx((interval.low, interval.high))
    assert pair.interval.df == pytest.approx(student.df)


def test_independent_candidates_need_the_critical_value_of_tukey():
    matrix = np.random.default_rng(5).normal(size=(8, 4000))
    assert rank(matrix, rng=generator()).critical == pytest.approx(3.0309, abs=0.06)


def test_eight_equal_candidates_are_seldom_told_apart():
    source = np.random.default_rng(8)
    wrong = 0
    for _ in range(400):
        found = rank(source.random((8, 200)) < source.beta(1.75, 0.75, size=200), rng=source)
        wrong += any((entry.rank_low, entry.rank_high) != (1, 8) for entry in found.entries)
    assert wrong / 400 <= 0.08


def test_clear_differences_leave_no_doubt_and_equal_candidates_all_of_it():
    clear = correlated(4, 2000, [0.2, 0.4, 0.6, 0.8])
    assert [(e.rank_low, e.rank_high) for e in rank(clear, rng=generator()).entries] == [
        (4, 4),
        (3, 3),
        (2, 2),
        (1, 1),
    ]
    equal = np.tile(clear[0], (4, 1))
    found = rank(equal, rng=generator())
    assert {(e.rank, e.rank_low, e.rank_high) for e in found.entries} == {(1, 1, 4)}
    assert found.warnings == ()


def test_questions_of_one_document_are_less_evidence_than_questions_of_many():
    source = np.random.default_rng(6)
    documents = np.repeat(np.arange(20), 20)
    matrix = 0.4 * source.normal(size=(2, 20))[:, documents] + 0.1 * source.normal(size=(2, 400))
    matrix += np.array([[0.0], [0.15]]) - matrix.mean(axis=1, keepdims=True)
    alone, by_document = (rank(matrix, clusters=c, rng=generator()) for c in (None, documents))
    assert alone.entries[1].rank_high == 1
    assert (by_document.entries[1].rank_low, by_document.entries[1].rank_high) == (1, 2)
    assert by_document.method == "max_t_cr2"


def test_a_candidate_that_always_wins_is_first_though_its_lead_never_varies():
    found = rank([[1.0] * 50, [0.0] * 50], rng=generator())
    assert [(e.rank_low, e.rank_high) for e in found.entries] == [(1, 1), (2, 2)]
    assert "spread is unknown" in found.warnings[0]
    short = rank([[1.0] * 3, [0.0] * 3], rng=generator())
    assert [(e.rank_low, e.rank_high) for e in short.entries] == [(1, 2), (1, 2)]
    unbounded = np.random.default_rng(7).normal(size=200)
    shifted = rank([unbounded, unbounded + 0.1], rng=generator())
    assert [(e.rank, e.rank_low, e.rank_high) for e in shifted.entries] == [(2, 1, 2), (1, 1, 2)]


def test_one_case_or_one_cluster_decides_nothing():
    for found in (
        rank([[1.0], [0.0]], rng=generator()),
        rank([[1.0, 1.0], [0.0, 0.0]], clusters=["a", "a"], rng=generator()),
    ):
        assert [(e.rank, e.rank_low, e.rank_high) for e in found.entries] == [(1, 1, 2), (2, 1, 2)]
        assert any("nothing can be concluded" in warning for warning in found.warnings)
        assert np.isfinite(found.critical)


def test_bands_of_all_pairs_hold_together_and_never_less_than_one_alone():
    matrix = correlated(5, 400, np.linspace(0.5, 0.6, 5))
    pairs = compare_all_pairs(matrix, rng=generator())
    assert [(p.first, p.second) for p in pairs][:5] == [(0, 1), (0, 2), (0, 3), (0, 4), (1, 2)]
    for pair in pairs:
        alone = paired_difference(paired_scores(matrix[pair.first], matrix[pair.second], "real"))
        interval = alone.interval(0.95)
        assert pair.interval.low < interval.low < interval.high < pair.interval.high
        assert pair.interval.estimate == pytest.approx(interval.estimate)
        assert pair.p_holm >= pair.p
    equal = compare_all_pairs(np.ones((2, 9)), rng=generator())[0]
    assert (equal.p, equal.interval.low) == (1.0, None)


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        ([[1.0, np.nan], [0.0, 1.0]], "missing or infinite"),
        ([[1.0, 0.0], [1.0]], "must be numbers"),
        ([1.0, 0.0], "shape"),
        ([[], []], "shape"),
        ([], "shape"),
    ],
)
def test_scores_that_cannot_be_ranked_are_refused(matrix, message):
    with pytest.raises(StatisticsError, match=message):
        rank(matrix, rng=generator())


def test_labels_and_alpha_are_checked():
    with pytest.raises(StatisticsError, match="cluster labels"):
        rank([[1.0, 0.0]], clusters=["a"], rng=generator())
    with pytest.raises(StatisticsError, match="alpha"):
        rank([[1.0, 0.0]], alpha=1.0, rng=generator())
