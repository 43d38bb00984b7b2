"""Which candidates are worth their price."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.stats.errors import StatisticsError
from assay.stats.front import pareto
from assay.stats.paired import paired_difference, paired_scores


def generator():
    return np.random.default_rng(0)


def scored(rates, cases=400, seed=1):
    source = np.random.default_rng(seed)
    hard = 0.2 * source.normal(size=cases)
    return (source.random((len(rates), cases)) < np.asarray(rates)[:, None] + hard).astype(float)


def priced(costs, cases=400):
    return np.tile(np.asarray(costs, dtype=float)[:, None], (1, cases))


def by_definition(scores, costs):
    """The front of a few points, written as its definition reads."""
    return [
        not any(
            s >= score and c <= cost and (s > score or c < cost) for s, c in zip(scores, costs, strict=True)
        )
        for score, cost in zip(scores, costs, strict=True)
    ]


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=7))
def test_the_front_is_what_its_definition_says(points):
    scores, costs = ([float(p[i]) for p in points] for i in (0, 1))
    found = pareto(priced(scores, 3), priced(costs, 3), draws=100, rng=generator())
    expected = by_definition(scores, costs)
    assert [entry.on_front for entry in found.entries] == expected
    assert [entry.front_probability for entry in found.entries] == [float(on) for on in expected]
    assert any(expected)


def test_a_dearer_and_clearly_worse_candidate_is_dominated():
    found = pareto(scored([0.8, 0.5, 0.9]), priced([1.0, 2.0, 3.0]), rng=generator())
    assert [entry.dominated_by for entry in found.entries] == [(), (0,), ()]
    assert [entry.on_front for entry in found.entries] == [True, False, True]
    assert found.entries[1].front_probability == 0.0
    assert found.entries[0].front_probability == 1.0
    assert found.entries[2].front_probability > 0.99
    assert found.warnings == ()


def test_what_could_be_chance_is_neither_on_the_front_for_sure_nor_dominated():
    source = np.random.default_rng(3)
    scores = source.random((2, 200))
    scores += np.array([[0.02], [0.0]]) - scores.mean(axis=1, keepdims=True)
    worse = pareto(scores, priced([1.0, 2.0], 200), rng=generator()).entries[1]
    assert not worse.on_front
    assert worse.dominated_by == ()
    assert 0.1 < worse.front_probability < 0.4


def test_equals_share_the_front():
    one = scored([0.7])
    found = pareto(np.vstack([one, one]), priced([1.0, 1.0]), rng=generator())
    assert [(e.on_front, e.front_probability, e.dominated_by) for e in found.entries] == [(True, 1.0, ())] * 2


def test_a_dominating_candidate_is_shown_better_by_its_paired_lower_bound():
    scores = scored([0.75, 0.65])
    interval = paired_difference(paired_scores(scores[1], scores[0], "real")).interval(0.90)
    found = pareto(scores, priced([1.0, 1.1]), rng=generator())
    assert (found.entries[1].dominated_by == (0,)) == (interval.low > 0.0)
    assert interval.low > 0.0


def test_a_lead_that_never_varies_dominates_too():
    found = pareto([[1.0] * 40, [0.0] * 40], priced([1.0, 1.0], 40), rng=generator())
    assert found.entries[1].dominated_by == (0,)
    assert found.entries[0].dominated_by == ()


def test_cases_of_one_document_are_drawn_together():
    source = np.random.default_rng(4)
    documents = np.repeat(np.arange(10), 20)
    scores = 0.4 * source.normal(size=(2, 10))[:, documents]
    scores += np.array([[0.1], [0.0]]) - scores.mean(axis=1, keepdims=True)
    costs = priced([1.0, 2.0], 200)
    alone, by_document = (pareto(scores, costs, clusters=c, rng=generator()) for c in (None, documents))
    assert alone.entries[1].dominated_by == (0,)
    assert by_document.entries[1].dominated_by == ()
    assert by_document.entries[1].front_probability > alone.entries[1].front_probability


def test_a_candidate_with_an_unknown_cost_is_left_out_and_named():
    costs = priced([1.0, 2.0, 3.0])
    costs[1, 7] = np.nan
    found = pareto(scored([0.5, 0.9, 0.8]), costs, rng=generator())
    assert [entry.index for entry in found.entries] == [0, 2]
    assert found.warnings == ("rows 1 are left out: some of their costs are unknown",)
    nothing = pareto([[1.0]], [[np.nan]], rng=generator())
    assert nothing.entries == ()
    assert "none is left" in nothing.warnings[0]


def test_rows_keep_their_numbers_when_another_is_left_out():
    costs = priced([np.nan, 1.0, 2.0])
    found = pareto(scored([0.5, 0.9, 0.4]), costs, rng=generator())
    assert found.entries[1].dominated_by == (1,)


@pytest.mark.parametrize(
    ("scores", "costs", "message"),
    [
        ([[1.0, np.nan]], [[1.0, 1.0]], "missing"),
        ([[1.0, 0.0]], [[1.0, -1.0]], "negative"),
        ([[1.0, 0.0]], [[1.0, np.inf]], "infinite"),
        ([[1.0, 0.0]], [[1.0]], "shape"),
        ([[1.0, 0.0]], [["a", "b"]], "must be numbers"),
    ],
)
def test_tables_that_make_no_front_are_refused(scores, costs, message):
    with pytest.raises(StatisticsError, match=message):
        pareto(scores, costs, rng=generator())


def test_too_few_draws_are_refused():
    with pytest.raises(StatisticsError, match="too few"):
        pareto([[1.0]], [[1.0]], draws=10, rng=generator())
