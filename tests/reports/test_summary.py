"""The numbers of a report and what is concluded from them."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.domain.errors import InvalidInput
from assay.domain.scores import MetricInfo
from assay.reports.summary import CandidateData, MetricData, summarise
from assay.stats.comparison import compare_paired
from assay.stats.proportions import wilson

RNG = np.random.default_rng


def test_a_binary_metric_has_its_share_with_wilsons_interval(run):
    summary = run([1.0] * 30 + [0.0] * 10)
    assert summary.metrics[0].mean == wilson(30, 40)
    assert summary.metrics[0].pass_rate == wilson(30, 40)
    assert summary.metrics[0].passed == 30
    assert summary.metrics[0].coverage == 1.0
    assert summary.headline == "prompt-0 · small scores 0.75 [0.60, 0.86] on exact over 40 cases."


def test_repeats_are_averaged_by_case_before_they_count(candidate, metric):
    data = metric(0, [1.0, 0.0, 1.0, 1.0], case_no=[7, 7, 9, 9])
    mean = summarise([candidate()], [data], rng=RNG(0)).metrics[0].mean
    assert (mean.n, mean.estimate, mean.method) == (2, 0.75, "plus_two_t")


def test_clusters_reach_the_interval_and_a_case_alone_is_its_own(candidate, metric):
    clusters = np.array([0, 0, 1, 1, -1, -1], dtype=np.int32)
    data = metric(0, [1.0, 1.0, 0.0, 1.0, 0.0, 1.0], cluster=clusters)
    mean = summarise([candidate()], [data], rng=RNG(0)).metrics[0].mean
    assert (mean.clusters, mean.method) == (4, "cr2_wilson")


def test_missing_scores_lower_the_coverage_and_open_the_bounds(candidate, metric):
    data = metric(0, [1.0] * 30, planned=40, failed=4, abstained=2, skipped=2)
    summary = summarise([candidate(succeeded=38, failed=2)], [data], rng=RNG(0))
    assert summary.metrics[0].coverage == 0.75
    assert summary.metrics[0].bounds == pytest.approx((30 / 38, 1.0))
    assert any("30 of 38 cells (79%) scored" in warning for warning in summary.warnings)


def test_a_measure_that_should_be_low_passes_below_its_threshold(candidate, metric, info):
    measure = info("measure", unit="ms", better="lower")
    data = metric(0, [100.0, 200.0, 900.0], name="latency_ms", info=measure, threshold=500.0)
    summary = summarise([candidate()], [data], rng=RNG(0))
    assert summary.metrics[0].passed == 2
    assert summary.metrics[0].bounds is None
    assert summary.verdicts == ()
    assert summary.headline == "No quality metric was scored: there is nothing to compare."


def test_a_real_difference_is_said_with_its_size_interval_and_p(run):
    summary = run([1.0] * 35 + [0.0] * 5, [1.0] * 10 + [0.0] * 30)
    (pair,) = summary.verdicts[0].pairs
    expected = compare_paired(
        [1.0] * 10 + [0.0] * 30, [1.0] * 35 + [0.0] * 5, kind="binary", rng=RNG(0)
    )  # the difference is that of the first candidate minus the second
    assert pair.comparison.interval == expected.interval
    assert pair.comparison.verdict == "better"
    assert summary.verdicts[0].best == 0
    low, high = expected.interval.low, expected.interval.high
    assert (
        summary.headline
        == f"prompt-0 beats prompt-1 on exact by +0.62 [{low:.2f}, {high:.2f}] (n=40, p<0.001)."
    )


def test_no_winner_is_named_where_no_difference_was_shown(run):
    summary = run([1.0] * 21 + [0.0] * 19, [0.0] * 20 + [1.0] * 20)
    assert summary.verdicts[0].best is None
    assert summary.headline.startswith("No difference between prompt-0 and prompt-1 could be shown on exact")
    assert "more cases would be needed to see 0.05" in summary.headline
    assert summary.verdicts[0].pairs[0].more_cases > 0


def test_equal_candidates_are_equivalent_within_a_margin(run):
    same = [1.0] * 700 + [0.0] * 300
    summary = run(same, same, margin=0.05)
    assert summary.verdicts[0].pairs[0].comparison.verdict == "equivalent"
    assert "equivalent on exact within ±0.05" in summary.headline


def test_the_comparison_rests_on_the_cases_that_both_have(candidate, metric):
    first = metric(0, [1.0] * 30, case_no=range(30))
    second = metric(1, [0.0] * 30, case_no=range(20, 50))
    summary = summarise([candidate("a"), candidate("b")], [first, second], rng=RNG(0))
    assert summary.verdicts[0].pairs[0].comparison.n == 10


def test_candidates_without_a_case_in_common_are_not_compared_but_told(candidate, metric):
    first, second = metric(0, [1.0] * 5, case_no=range(5)), metric(1, [0.0] * 5, case_no=range(5, 10))
    summary = summarise([candidate("a"), candidate("b")], [first, second], rng=RNG(0))
    assert summary.headline == "a and b cannot be compared on exact: no pairs (n=0)."


def test_p_values_are_adjusted_for_all_pairs_of_a_metric(run):
    rng = RNG(5)
    rows = [(rng.random(60) < share).astype(float) for share in (0.9, 0.7, 0.5, 0.3)]
    pairs = run(*rows).verdicts[0].pairs
    assert len(pairs) == 6
    smallest = min(pairs, key=lambda pair: pair.comparison.p).comparison
    assert smallest.p_adjusted == pytest.approx(min(1.0, 6 * smallest.p))


def test_many_candidates_are_compared_with_the_leader_and_pay_for_its_choice(run):
    rng = RNG(6)
    rows = [(rng.random(80) < 0.5).astype(float) for _ in range(12)]
    verdict = run(*rows).verdicts[0]
    assert len(verdict.pairs) == 11
    assert len({pair.first for pair in verdict.pairs}) == 1
    smallest = min(verdict.pairs, key=lambda pair: pair.comparison.p).comparison
    assert smallest.p_adjusted == pytest.approx(min(1.0, 66 * smallest.p))


def test_of_equal_candidates_one_is_hardly_ever_called_better():
    info = MetricInfo(type="exact", version="1", kind="binary", summary="", needs=(), source="")
    rng, wrong = RNG(7), 0
    numbers = np.arange(60, dtype=np.int32)
    for _ in range(100):
        metrics = [
            MetricData(
                candidate=number, metric="exact", info=info, case_no=numbers, planned=60,
                value=(rng.random(60) < 0.6).astype(float),
            )
            for number in range(10)
        ]  # fmt: skip
        people = [CandidateData(prompt=f"p{n}", model="m", planned=60, succeeded=60) for n in range(10)]
        verdict = summarise(people, metrics, rng=rng).verdicts[0]
        wrong += any(pair.comparison.verdict in ("better", "worse") for pair in verdict.pairs)
    assert wrong <= 11  # 5% nominal; 11 of 100 or fewer has probability 0.996 at exactly 5%


def test_more_than_two_candidates_get_a_leader_with_reservations(run):
    good = [1.0] * 38 + [0.0] * 2
    summary = run(good, [1.0] * 37 + [0.0] * 3, [1.0] * 5 + [0.0] * 35)
    assert summary.verdicts[0].best is None
    assert summary.headline == (
        "No winner on exact: prompt-0 leads, but that it is better than prompt-1 could not be shown. "
        "prompt-0 is better than prompt-2."
    )


def test_a_candidate_that_beats_all_others_is_called_best_with_the_closest_difference(run):
    summary = run([1.0] * 40, [1.0] * 20 + [0.0] * 20, [0.0] * 40)
    assert summary.verdicts[0].best == 0
    assert summary.headline.startswith(
        "prompt-0 is best on exact: better than each of the 2 others, by +0.50 ["
    )


def test_a_candidate_that_failed_everywhere_has_no_numbers_but_reasons(candidate, metric):
    dead = candidate(
        "b", succeeded=0, failed=30, dead=10, failures={"model_timeout": 30, "rate_limited": 10},
        cost_nanousd=0, input_tokens=0, output_tokens=0,
    )  # fmt: skip
    summary = summarise(
        [candidate("a"), dead], [metric(0, [1.0, 0.0] * 20), metric(1, [], planned=40)], rng=RNG(0)
    )
    assert summary.metrics[1].mean.estimate is None
    assert summary.metrics[1].bounds == (0.0, 1.0)
    assert summary.candidates[1].cost_usd is None
    assert summary.candidates[1].errors == 40
    assert summary.headline == "a scores 0.50 [0.35, 0.65] on exact over 40 cases."
    assert "b: 40 cells without an answer (model_timeout 30 and rate_limited 10)" in summary.warnings


def test_an_unknown_price_is_unknown_and_never_zero(candidate):
    people = [
        candidate("a", unknown_costs=40, cost_nanousd=0),
        candidate("b", unknown_costs=10, cost_nanousd=30_000_000),
        candidate("c", cost_nanousd=0),
    ]
    summary = summarise(people, [], rng=RNG(0))
    assert [each.cost_usd for each in summary.candidates] == [None, 0.03, 0.0]
    assert summary.candidates[1].cost_per_answer_usd == pytest.approx(0.001)
    assert any("no price is known for small" in warning for warning in summary.warnings)


def test_nothing_at_all_is_a_summary_too():
    summary = summarise([], [], rng=RNG(0))
    assert (summary.headline, summary.planned, summary.metric_names) == ("Nothing was planned.", 0, ())
    assert (
        summarise(
            [CandidateData(prompt="p", model="m", planned=3, succeeded=0, pending=3)], [], rng=RNG(0)
        ).headline
        == "No cell has an answer: there is nothing to compare."
    )


def test_constant_scores_keep_an_interval_and_are_called_saturated(run):
    summary = run([1.0] * 40, [1.0] * 40)
    assert summary.metrics[0].mean.low < 1.0
    assert "every case scores 1 on exact: it cannot tell candidates apart" in summary.warnings
    assert summary.verdicts[0].pairs[0].comparison.verdict == "inconclusive"


def test_few_cases_and_one_cluster_are_warned_of(candidate, metric):
    data = metric(0, [1.0, 0.0, 1.0], cluster=np.zeros(3, dtype=np.int32))
    warnings = summarise([candidate()], [data], rng=RNG(0)).warnings
    assert any(warning.startswith("only 3 cases on exact") for warning in warnings)
    assert any("one cluster" in warning for warning in warnings)


def test_latency_quantiles_come_with_bounds_and_say_when_there_are_none(candidate):
    many, few = np.arange(1.0, 101.0), np.arange(1.0, 11.0)
    summary = summarise([candidate("a", latency_ms=many), candidate("b", latency_ms=few)], [], rng=RNG(0))
    assert summary.candidates[0].p50_ms.estimate == 50.5
    assert summary.candidates[0].p95_ms.estimable
    assert not summary.candidates[1].p95_ms.estimable


def test_labels_are_as_short_as_the_run_allows(candidate):
    def labels(*names: tuple[str, str]) -> list[str]:
        summary = summarise([candidate(*name) for name in names], [], rng=RNG(0))
        return [each.label for each in summary.candidates]

    assert labels(("p", "m")) == ["p · m"]
    assert labels(("p", "m"), ("q", "m")) == ["p", "q"]
    assert labels(("p", "m"), ("p", "n")) == ["m", "n"]
    assert labels(("p", "m"), ("q", "n")) == ["p · m", "q · n"]


def test_the_same_seed_gives_the_same_summary(candidate, metric):
    rng = RNG(8)
    rows = [rng.random(60) for _ in range(3)]

    def once(seed: int):
        metrics = [metric(number, row, kind="unit") for number, row in enumerate(rows)]
        return summarise([candidate(f"p{n}") for n in range(3)], metrics, rng=RNG(seed))

    assert once(1) == once(1)


def test_a_metric_of_nobody_is_refused(candidate, metric):
    with pytest.raises(InvalidInput, match="not there"):
        summarise([candidate()], [metric(1, [1.0])], rng=RNG(0))


CELLS = st.lists(
    st.tuples(st.integers(0, 12), st.floats(0.0, 1.0), st.integers(-1, 3)), min_size=1, max_size=40
)


@given(cells=CELLS, missing=st.integers(0, 20), seed=st.integers(0, 1000))
def test_a_mean_lies_in_its_interval_and_the_order_of_cells_is_nothing(cells, missing, seed):
    # A case belongs to one cluster.
    cluster_of = {case: cluster for case, _, cluster in cells}
    data = MetricData(
        candidate=0,
        metric="f1",
        info=MetricInfo(type="f1", version="1", kind="unit", summary="", needs=(), source=""),
        case_no=np.array([case for case, _, _ in cells], dtype=np.int32),
        value=np.array([value for _, value, _ in cells]),
        cluster=np.array([cluster_of[case] for case, _, _ in cells], dtype=np.int32),
        planned=len(cells) + missing,
    )
    people = [CandidateData(prompt="p", model="m", planned=len(cells) + missing, succeeded=len(cells))]
    found = summarise(people, [data], rng=RNG(0)).metrics[0]
    order = RNG(seed).permutation(len(cells))
    mixed = replace(data, case_no=data.case_no[order], value=data.value[order], cluster=data.cluster[order])
    again = summarise(people, [mixed], rng=RNG(0)).metrics[0]
    assert -1e-12 <= found.bounds[0] <= found.bounds[1] + 1e-12 <= 1.0 + 2e-12
    assert found.mean.n == len(cluster_of)
    assert found.mean.estimate == pytest.approx(again.mean.estimate)
    if found.mean.estimable:
        assert 0.0 <= found.mean.low <= found.mean.estimate + 1e-12
        assert found.mean.estimate - 1e-12 <= found.mean.high <= 1.0
        assert found.mean.low == pytest.approx(again.mean.low, abs=1e-9)
