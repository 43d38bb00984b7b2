"""Races: evidence as its formula says, a promise that holds, a result that is a function of the scores."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.stats.errors import StatisticsError
from assay.stats.pair_evidence import STAKES, PairEvidence
from assay.stats.racing import Race, RaceResult


def evidence_by_hand(differences, n_cases: int, eps: float) -> tuple[list[float], list[float]]:
    """The two processes one case at a time, as in the module's formula."""
    total, wealth, wealth_close = 0.0, [1.0] * 4, [1.0] * 4
    path, path_close = [], []
    for seen, d in enumerate(differences):
        left = n_cases - seen
        null = -total / left
        for number, stake in enumerate(STAKES):
            bet = min(stake * n_cases / left, 0.95 / (1 + null))
            wealth[number] *= 1 + bet * (d - null)
            wealth_close[number] *= 1 + bet * (d - null + eps * n_cases / left)
        total += d
        path.append(math.log(sum(wealth) / 4))
        path_close.append(math.log(sum(wealth_close) / 4))
    return path, path_close


def race_on(scores: np.ndarray, order: np.random.Generator | None = None, **settings: float) -> RaceResult:
    """Run a race to its end; the scores that were asked for come in random order when `order` is given."""
    race = Race(*scores.shape, **settings)
    while stretches := race.next():
        asked = [(s.candidate, p) for s in stretches for p in range(s.first, s.last)]
        if order is not None:
            order.shuffle(asked)
        for candidate, position in asked:
            race.update(candidate, position, scores[candidate, position])
    return race.result()


def standing(result: RaceResult) -> tuple[object, ...]:
    """All of a result but what rounding can touch."""
    rows = [(s.ending, s.seen, s.missing, s.beaten_by, s.beaten_after) for s in result.standings]
    return result.winner, result.leader, result.exact, rows


def pass_or_fail(rates: list[float], n: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    hard = rng.random(n)
    return (0.5 * hard + 0.5 * rng.random((len(rates), n)) < np.asarray(rates)[:, None]).astype(float)


@pytest.mark.parametrize("eps", [0.0, 0.02])
@pytest.mark.parametrize("steps", [[200], [1, 2, 40, 41, 199, 200]])
def test_evidence_is_that_of_the_formula_however_it_comes(eps: float, steps: list[int]) -> None:
    rng = np.random.default_rng(3)
    scores = np.round(rng.random((2, 400)), 2)
    pairs = PairEvidence(2, 400, eps=eps, log_threshold=1e9)
    low, high = evidence_by_hand((scores[0] - scores[1])[:200], 400, eps)
    for seen in steps:
        pairs.extend(scores, scores, np.array([seen, seen]))
        assert pairs.log_e[0, 1] == pytest.approx(low[seen - 1], abs=1e-9)
        assert pairs.log_e_close[0, 1] == pytest.approx(high[seen - 1], abs=1e-9)
        assert pairs.log_e_close[0, 1] >= pairs.log_e[0, 1] - 1e-12


def test_a_lead_that_the_rest_cannot_undo_is_certain() -> None:
    scores = np.vstack([np.ones(100), np.zeros(100)])
    pairs = PairEvidence(2, 100, eps=0.0, log_threshold=1e9)
    pairs.extend(scores, scores, np.array([49, 49]))
    assert math.isfinite(pairs.log_e[0, 1])
    pairs.extend(scores, scores, np.array([60, 60]))
    assert pairs.log_e[0, 1] == math.inf
    assert pairs.beaten_at[0, 1] == 50


@given(
    scores=st.integers(2, 5).flatmap(
        lambda k: st.lists(
            st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]), min_size=k, max_size=k), min_size=1, max_size=80
        )
    ),
    batch=st.integers(1, 30),
    seed=st.integers(0, 9),
)
@settings(max_examples=60, deadline=None)
def test_a_race_ends_with_a_winner_and_never_asks_more_than_there_is(scores, batch: int, seed: int) -> None:
    table = np.asarray(scores).T
    result = race_on(table, np.random.default_rng(seed), batch=batch, eps=0.0)
    assert result.winner is not None
    assert all(each.seen <= result.n_cases for each in result.standings)
    assert 0.0 <= result.saved <= 1.0
    assert [each.ending for each in result.standings].count("won") == 1
    if all(each.seen == result.n_cases for each in result.standings):
        means = table.sum(axis=1)
        assert result.winner == int(np.flatnonzero(means >= means.max() - 1e-9)[0])


@given(seed=st.integers(0, 2**32 - 1), batch=st.integers(1, 40))
@settings(max_examples=40, deadline=None)
def test_the_order_in_which_scores_arrive_does_not_matter(seed: int, batch: int) -> None:
    scores = pass_or_fail([0.5, 0.6, 0.7, 0.72], 150, seed)
    plain = race_on(scores, batch=batch)
    assert race_on(scores, np.random.default_rng(seed), batch=batch) == plain


@given(seed=st.integers(0, 2**32 - 1), cut=st.integers(1, 12))
@settings(max_examples=40, deadline=None)
def test_a_race_that_is_taken_up_again_ends_as_if_it_had_gone_on(seed: int, cut: int) -> None:
    scores = pass_or_fail([0.5, 0.6, 0.7, 0.72], 150, seed)
    first = Race(4, 150, batch=10)
    rounds = 0
    while rounds < cut and (stretches := first.next()):
        for s in stretches:
            for position in range(s.first, s.last):
                first.update(s.candidate, position, scores[s.candidate, position])
        rounds += 1
    second = Race(4, 150, batch=10)
    for candidate, opened in enumerate(first.opened):
        for position in reversed(range(opened)):
            second.note_opened(candidate, position)
            second.update(candidate, position, scores[candidate, position])
    assert standing(second.result()) == standing(first.result())
    while stretches := second.next():
        assert stretches == first.next()
        for s in stretches:
            for position in range(s.first, s.last):
                for race in (first, second):
                    race.update(s.candidate, position, scores[s.candidate, position])
    assert standing(second.result()) == standing(first.result()) == standing(race_on(scores, batch=10))


def test_a_decided_race_stays_decided_whatever_comes_late() -> None:
    scores = pass_or_fail([0.4, 0.8], 400, 1)
    race = Race(2, 400)
    while stretches := race.next():
        for s in stretches:
            for position in range(s.first, s.last):
                race.update(s.candidate, position, scores[s.candidate, position])
    seen = race.result().standings[1].seen
    assert race.result().winner == 1 and seen < 200
    for position in range(seen, seen + 60):
        race.update(0, position, 1.0)
        race.update(1, position, 0.0)
    assert race.result().winner == 1


def test_many_may_be_asked_ahead_and_nobody_twice() -> None:
    race, asked = Race(3, 100, batch=10), set()
    while stretches := race.next():
        new = {(s.candidate, position) for s in stretches for position in range(s.first, s.last)}
        assert not new & asked
        asked |= new
    assert len(asked) == 300
    assert race.result().winner is None


def test_the_earlier_of_two_equal_candidates_wins() -> None:
    scores = np.tile(np.arange(40) % 2.0, (3, 1))
    result = race_on(scores, eps=0.0)
    assert (result.winner, result.exact, result.saved) == (0, True, 0.0)
    assert [each.ending for each in result.standings] == ["won", "beaten", "beaten"]


def test_constant_scores_are_decided_within_eps_before_the_end() -> None:
    result = race_on(np.ones((3, 400)), eps=0.05)
    assert result.winner is not None and not result.exact
    assert result.saved > 0.1


def test_a_failed_case_counts_with_the_worst_for_what_is_claimed() -> None:
    scores = pass_or_fail([0.6, 0.9], 200, 5)
    race = Race(2, 200, eps=0.0)
    for position in range(200):
        race.update(0, position, scores[0, position])
        if position % 2:
            race.update(1, position, scores[1, position])
        else:
            race.update(1, position, 0.0, 1.0)
    # With every second answer of the better one missing, its lead may be none: nothing is claimed.
    result = race.result()
    assert result.winner is None
    assert race.next() == ()
    assert result.standings[1].missing == 100
    assert result.leader == 1


def test_failures_do_not_save_the_worse_one_when_they_cannot_matter() -> None:
    race = Race(2, 100, eps=0.0)
    for position in range(100):
        race.update(0, position, 1.0)
        race.update(1, position, *((0.0, 1.0) if position < 5 else (0.0,)))
    assert race.result().winner == 0


def test_a_race_of_failures_alone_has_no_winner() -> None:
    race = Race(3, 30, batch=7)
    while stretches := race.next():
        for s in stretches:
            for position in range(s.first, s.last):
                race.update(s.candidate, position, 0.0, 1.0)
    result = race.result()
    assert result.winner is None
    assert [each.seen for each in result.standings] == [30, 30, 30]


def test_cases_that_all_skip_are_draws() -> None:
    race = Race(2, 60, eps=0.0)
    for position in range(60):
        for candidate in (0, 1):
            if position % 3:
                race.update(candidate, position, float(candidate))
            else:
                race.skip(candidate, position)
    result = race.result()
    assert result.winner == 1
    assert [each.mean for each in result.standings] == [0.0, 1.0]


@pytest.mark.parametrize("score", [-0.1, 1.1, math.nan, math.inf])
def test_scores_without_bounds_are_refused(score: float) -> None:
    with pytest.raises(StatisticsError, match=r"\[0, 1\]"):
        Race(2, 10).update(0, 0, score)


@pytest.mark.parametrize(
    ("k", "n", "more"),
    [(1, 10, {}), (2, 0, {}), (2, 10, {"alpha": 0.0}), (2, 10, {"eps": 1.0}), (2, 10, {"batch": 0})],
)
def test_impossible_races_are_refused(k: int, n: int, more: dict[str, float]) -> None:
    with pytest.raises(StatisticsError):
        Race(k, n, **more)


def test_the_promise_holds_where_it_is_hardest() -> None:
    """The best leads three rivals, exactly tied, by one case of 200: wrong in at most 5% but for chance."""
    wrong = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        scores = np.zeros((4, 200))
        for candidate in range(4):
            scores[candidate, rng.choice(200, 140 + (candidate == 2), replace=False)] = 1.0
        wrong += race_on(scores, eps=0.0).winner != 2
    assert wrong <= 19  # 5% of 200, and three standard errors
