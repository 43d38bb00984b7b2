"""Many pairs at once say what each pair alone says."""

import numpy as np
import pytest

from assay.stats.comparison import compare_paired
from assay.stats.comparisons import ScoreTable, compare_many
from assay.stats.errors import StatisticsError
from assay.stats.permutation import FLIPS, sign_flip
from assay.stats.repeat_rates import flake_rate_by_case, pass_at_k_by_case, pass_hat_k_by_case
from assay.stats.repeats import pass_at_k, pass_hat_k
from assay.stats.shared_flips import Flippable, shared_sign_flips

EXACT = ("n", "clusters", "mean_a", "mean_b", "difference", "interval", "equivalence", "resolution", "test")
PAIRS = [(0, 1), (0, 2), (1, 2), (2, 3), (3, 0)]


def draws(seed: int = 3) -> np.random.Generator:
    return np.random.default_rng(seed)


def scores(kind: str, cases: int = 60, missing: float = 0.0) -> np.ndarray:
    rng = draws(cases)
    graded = np.clip(rng.random(cases) + rng.normal(0, 0.3, (4, cases)) + 0.04 * np.arange(4)[:, None], 0, 1)
    table = (graded > 0.5).astype(float) if kind == "binary" else graded * (900 if kind == "real" else 1)
    table[rng.random(table.shape) < missing] = np.nan
    return table


@pytest.mark.parametrize("missing", [0.0, 0.15])
@pytest.mark.parametrize("clusters", [None, [n // 4 for n in range(60)]])
@pytest.mark.parametrize("kind", ["binary", "unit", "real"])
def test_every_pair_is_what_it_is_alone(kind, clusters, missing):
    table = scores(kind, missing=missing)
    margin = None if kind == "real" else 0.05
    asked = ScoreTable(scores=table, kind=kind, pairs=PAIRS, margin=margin)
    (found,) = compare_many([asked], clusters=clusters, rng=draws())
    for (a, b), comparison in zip(PAIRS, found, strict=True):
        both = ~np.isnan(table[a]) & ~np.isnan(table[b])
        own = None if clusters is None else np.asarray(clusters)[both]
        alone = compare_paired(
            table[a][both], table[b][both], kind=kind, clusters=own, margin=margin, rng=draws(9)
        )
        for name in EXACT:
            assert getattr(comparison, name) == getattr(alone, name), name
        # Two sets of 10,000 random flips: four standard errors of the difference of their shares.
        spread = 4 * np.sqrt(2 * max(alone.p * (1 - alone.p), 1 / FLIPS) / FLIPS)
        assert comparison.p == pytest.approx(alone.p, abs=spread + 2 / FLIPS)


def test_all_patterns_are_tried_where_few_cases_differ():
    table = np.zeros((2, 500))
    table[1, :9] = [0.5, 0.25, 1, 1, 0.75, 0.5, 0.5, 0.25, 1]
    table[0, 9:12] = 0.25
    (found,) = compare_many([ScoreTable(scores=table, kind="unit", pairs=[(0, 1)])], rng=draws())
    alone = compare_paired(table[0], table[1], kind="unit", rng=draws(5))
    assert found[0] == alone
    assert found[0].test == "sign_flip_exact"


def test_ties_count_as_hits_in_spite_of_rounding():
    # Every flipped sum of 40 times 0.1 ties or not with the observed 4.0 by whole steps of 0.2.
    rng = draws()
    base = rng.random(40)
    steps = np.where(np.arange(40) < 26, 0.1, -0.1)
    table = np.stack([base * 0.8 + 0.1, base * 0.8 + 0.1 + steps])
    (found,) = compare_many([ScoreTable(scores=np.clip(table, 0, 1), kind="unit", pairs=[(0, 1)])], rng=rng)
    # 26 of 40 heads or a result as far from even: the two-sided binomial p.
    assert found[0].p == pytest.approx(0.0807, abs=0.012)


def test_gaps_change_neither_difference_nor_test():
    rng = draws()
    rows = rng.normal(0, 1, (3, 200))
    cut = Flippable(
        rows=np.where(np.arange(200) < 20, 0.0, rows),
        baselines=np.array([0, 1]),
        candidates=np.array([1, 2]),
        gaps=np.arange(20),
        gap_differences=np.stack([rows[1, :20] - rows[0, :20], rows[2, :20] - rows[1, :20]]),
    )
    (found,) = shared_sign_flips([cut], rng=draws(1))
    for pair, each in enumerate(found):
        alone = sign_flip(rows[pair + 1] - rows[pair], rng=draws(2))
        assert each.p == pytest.approx(alone.p, abs=0.025)
        assert (each.resolution, each.exact) == (alone.resolution, alone.exact)


def test_swapping_the_sides_mirrors_the_comparison():
    table = scores("unit")
    asked = ScoreTable(scores=table, kind="unit", pairs=[(0, 1), (1, 0)])
    (found,) = compare_many([asked], rng=draws())
    there, back = found
    assert there.p == back.p
    assert there.difference == -back.difference
    assert (there.interval.low, there.interval.high) == (-back.interval.high, -back.interval.low)


def test_a_lower_measure_is_the_better_one():
    slow = np.stack([np.full(50, 900.0) + draws().normal(0, 5, 50), np.full(50, 300.0)])
    asked = ScoreTable(scores=slow, kind="real", pairs=[(0, 1)], lower=True)
    ((found,),) = compare_many([asked], rng=draws())
    assert found.verdict == "better"


def test_false_alarms_of_shared_flips_stay_at_their_level():
    alarms, tests = 0, 0
    for seed in range(60):
        rng = draws(seed)
        table = np.clip(rng.random(40) + rng.normal(0, 0.2, (5, 40)), 0, 1)
        asked = ScoreTable(scores=table, kind="unit", pairs=[(0, 1), (2, 3)])
        (found,) = compare_many([asked], rng=rng)
        alarms += sum(each.p <= 0.05 for each in found)
        tests += 2
    assert alarms / tests < 0.05 + 3 * np.sqrt(0.05 * 0.95 / tests)


@pytest.mark.parametrize("missing_of", [0, 1])
def test_nothing_in_common_is_no_number(missing_of):
    table = scores("unit")
    table[missing_of] = np.nan
    asked = ScoreTable(scores=table, kind="unit", pairs=[(0, 1)])
    ((found,),) = compare_many([asked], rng=draws())
    assert (found.n, found.difference, found.verdict) == (0, None, "inconclusive")
    assert found.interval.reason == "no pairs"


@pytest.mark.parametrize(
    ("table", "kind"),
    [([[0.5, 1.0]], "binary"), ([[0.5, 1.5]], "unit"), ([[0.5, np.inf]], "real"), ([0.5, 1.0], "unit")],
)
def test_scores_that_cannot_be_are_refused(table, kind):
    with pytest.raises(StatisticsError):
        compare_many([ScoreTable(scores=np.array(table), kind=kind, pairs=[])], rng=draws())


def test_tables_of_different_cases_are_refused():
    tables = [ScoreTable(scores=np.zeros((2, n)), kind="unit", pairs=[(0, 1)]) for n in (3, 4)]
    with pytest.raises(StatisticsError, match="same cases"):
        compare_many(tables, rng=draws())


def test_chances_by_case_are_those_of_each_case():
    cases = [(n, c) for n in range(1, 7) for c in range(n + 1)]
    answers, passes = (np.array(column, dtype=float) for column in zip(*cases, strict=True))
    for k in range(1, 7):
        any_of, all_of = pass_at_k_by_case(answers, passes, k), pass_hat_k_by_case(answers, passes, k)
        for place, (n, c) in enumerate(cases):
            if n < k:
                assert np.isnan(any_of[place]) and np.isnan(all_of[place])
            else:
                assert any_of[place] == pytest.approx(pass_at_k(n, c, k))
                assert all_of[place] == pytest.approx(pass_hat_k(n, c, k))


def test_the_flake_rate_is_unbiased():
    rng = draws()
    truth = np.repeat([0.1, 0.5, 0.8], 20_000)
    answers, passes = np.full(truth.size, 3.0), rng.binomial(3, truth).astype(float)
    found = flake_rate_by_case(answers, passes).reshape(3, -1).mean(axis=1)
    assert found == pytest.approx([0.18, 0.5, 0.32], abs=0.01)
    assert np.isnan(flake_rate_by_case(np.array([1.0]), np.array([1.0])))[0]
