"""The gate's promises: a candidate that is worse by its margin seldom passes, whatever is missing."""

import numpy as np
import pytest

from assay.stats.errors import StatisticsError
from assay.stats.gates import GateRule, SideScores, decide, weigh, worst_of
from assay.stats.paired import noninferiority, paired_difference, paired_scores
from assay.stats.ratios import relative_difference

BINARY = GateRule(kind="binary", margin=0.02)
DEARER = GateRule(kind="real", margin=0.1, relative=True, lower_is_better=True)


def side(values, missing=None):
    """One score a case; where `missing` says so, none."""
    values = np.asarray(values, dtype=float)
    lost = np.zeros(values.size, dtype=bool) if missing is None else np.asarray(missing)
    return SideScores(
        total=np.where(lost, 0.0, values), scored=(~lost).astype(np.intp), missing=lost.astype(np.intp)
    )


def outcome_of(baseline, candidate, rule=BINARY, clusters=None):
    (decision,) = decide([weigh(baseline, candidate, rule, clusters)], [rule])
    return decision


def with_discordance(draw, n, losses, gains):
    """A baseline and a candidate whose pass rate differs by gains - losses."""
    u = draw.random(n)
    base = np.where(u < losses, 1.0, np.where(u < losses + gains, 0.0, 1.0))
    return base, np.where(u < losses, 0.0, np.where(u < losses + gains, 1.0, base))


def test_one_metric_decides_as_the_noninferiority_test_does():
    draw = np.random.default_rng(1)
    for losses, n in ((0.02, 400), (0.05, 1500), (0.2, 300)):
        base, cand = with_discordance(draw, n, losses, 0.02)
        single = noninferiority(base, cand, kind="binary", margin=0.02)
        found = outcome_of(side(base), side(cand))
        assert found.outcome == single.outcome
        assert found.p_pass == pytest.approx(single.p)
        if single.outcome == "inconclusive":
            assert found.cases_needed == single.cases_needed


def test_a_gate_of_five_metrics_seldom_passes_what_is_worse_on_one():
    """The others pass nearly always, so that all rests on the one: 5% and what 600 draws add."""
    draw, passed = np.random.default_rng(2), 0
    for _ in range(400):
        worse = with_discordance(draw, 500, 0.07, 0.05)
        good = [with_discordance(draw, 500, 0.01, 0.2) for _ in range(4)]
        evidence = [weigh(side(a), side(b), BINARY) for a, b in (worse, *good)]
        outcomes = [each.outcome for each in decide(evidence, [BINARY] * 5)]
        passed += worst_of(outcomes) == "pass"
    assert passed / 400 <= 0.05 + 3 * (0.05 * 0.95 / 400) ** 0.5


def test_a_gate_of_five_metrics_seldom_fails_what_is_just_within_the_margin():
    """Failing is corrected over the checks: without it a fifth of the draws would."""
    draw, failed, naive = np.random.default_rng(3), 0, 0
    for _ in range(400):
        pairs = [with_discordance(draw, 500, 0.07, 0.05) for _ in range(5)]
        evidence = [weigh(side(a), side(b), BINARY) for a, b in pairs]
        failed += "fail" in [each.outcome for each in decide(evidence, [BINARY] * 5)]
        naive += any(each.p_fail <= 0.05 for each in evidence)
    assert failed / 400 <= 0.05 + 3 * (0.05 * 0.95 / 400) ** 0.5
    assert naive / 400 > 0.12


def test_failures_that_hide_losses_do_not_pass():
    """The candidate's calls fail exactly where it would have been wrong: what is left looks perfect."""
    base, lost = np.ones(600), np.arange(600) < 60
    hidden = outcome_of(side(base), side(base, lost))
    assert (hidden.outcome, hidden.doubt) == ("inconclusive", "failures")
    few = outcome_of(side(base), side(base, np.arange(600) < 3))
    assert few.outcome == "pass"


def test_failures_that_could_mend_a_loss_do_not_fail():
    """Of 60 answers 6 are worse; had the other 140 calls been good, that would be 3%."""
    base = np.ones(200)
    cand = np.where(np.arange(200) < 6, 0.0, 1.0)
    assert outcome_of(side(base[:60]), side(cand[:60])).outcome == "fail"
    found = outcome_of(side(base), side(cand, np.arange(200) >= 60))
    assert (found.outcome, found.doubt) == ("inconclusive", "failures")
    assert outcome_of(side(base), side(cand, np.arange(200) >= 100)).outcome == "inconclusive"
    many = np.where(np.arange(200) < 30, 0.0, 1.0)
    assert outcome_of(side(base), side(many, np.arange(200) >= 100)).outcome == "fail"


def test_the_bounds_hold_the_change_whatever_the_missing_scores_are():
    draw = np.random.default_rng(4)
    base, cand = with_discordance(draw, 300, 0.05, 0.05)
    lost = draw.random(300) < 0.1
    evidence = weigh(side(base), side(cand, lost), BINARY)
    assert evidence.bounds is not None
    for fill in (np.zeros(300), np.ones(300), (draw.random(300) < 0.5).astype(float)):
        whole = paired_difference(paired_scores(base, np.where(lost, fill, cand), "binary"), cautious=True)
        interval = whole.interval(0.9)
        assert evidence.bounds[0] <= interval.low + 1e-9
        assert interval.high - 1e-9 <= evidence.bounds[1]


def test_any_loss_fails_only_where_it_is_asked_for():
    base, cand = np.ones(2000), np.where(np.arange(2000) < 15, 0.0, 1.0)
    assert outcome_of(side(base), side(cand)).outcome == "pass"
    strict = GateRule(kind="binary", margin=0.02, fail_on_any_loss=True)
    assert outcome_of(side(base), side(cand), strict).outcome == "fail"


@pytest.mark.parametrize("rule", [BINARY, GateRule(kind="unit", margin=0.02)])
def test_too_little_is_never_a_pass(rule):
    ones = np.ones(40)
    assert outcome_of(side(ones), side(ones), rule).doubt == "noise"
    assert outcome_of(side(ones[:1]), side(ones[:1]), rule).doubt == "unknown"
    assert outcome_of(side(ones[:0]), side(ones[:0]), rule).doubt == "unknown"
    one_source = outcome_of(side(ones), side(ones), rule, np.zeros(40, dtype=np.intp))
    assert one_source.doubt == "unknown"
    nothing = outcome_of(side(ones), side(ones, np.ones(40, dtype=bool)), rule)
    assert nothing.outcome == "inconclusive"


def test_clusters_widen_the_answer():
    draw = np.random.default_rng(5)
    clusters = np.repeat(np.arange(30), 20)
    shift = draw.normal(0, 0.15, 30)[clusters]
    base = np.full(600, 0.5)
    cand = np.clip(base + shift, 0, 1)
    rule = GateRule(kind="unit", margin=0.02)
    alone, grouped = weigh(side(base), side(cand), rule), weigh(side(base), side(cand), rule, clusters)
    assert grouped.change.clusters == 30
    assert grouped.change.high - grouped.change.low > 2 * (alone.change.high - alone.change.low)


def test_a_relative_margin_knows_that_the_baseline_is_uncertain():
    """Fieller's bounds are where the test of mean(b) = (1 + r) mean(a) turns; and its level holds."""
    draw = np.random.default_rng(6)
    a = draw.gamma(4.0, 25.0, 80)
    b = 0.3 * a + draw.gamma(4.0, 20.0, 80)
    found = relative_difference(a, b)
    interval = found.interval(0.9)
    assert interval.estimate == pytest.approx(b.mean() / a.mean() - 1)
    for bound, p in ((interval.low, found.p_above), (interval.high, found.p_below)):
        assert p(bound) == pytest.approx(0.05)
        contrast = paired_difference(paired_scores((1 + bound) * a, b, "real"))
        assert min(contrast.p_above(0.0), contrast.p_below(0.0)) == pytest.approx(0.05)


def test_what_is_dearer_by_the_margin_seldom_passes():
    draw, passed = np.random.default_rng(7), 0
    for _ in range(1000):
        a = draw.gamma(4.0, 25.0, 60)
        b = 1.1 * a * draw.gamma(25.0, 1 / 25.0, 60)
        passed += outcome_of(side(a), side(b), DEARER).outcome == "pass"
    assert passed / 1000 <= 0.05 + 3 * (0.05 * 0.95 / 1000) ** 0.5


def test_a_measure_that_is_better_passes_and_one_that_is_worse_fails():
    draw = np.random.default_rng(8)
    a = draw.gamma(4.0, 25.0, 200)
    noise = draw.gamma(100.0, 0.01, 200)
    assert outcome_of(side(a), side(0.8 * a * noise), DEARER).outcome == "pass"
    assert outcome_of(side(a), side(1.4 * a * noise), DEARER).outcome == "fail"
    faster = GateRule(kind="real", margin=20.0, lower_is_better=True)
    assert outcome_of(side(a), side(a * noise), faster).outcome == "pass"
    assert outcome_of(side(a), side(a * noise + 60.0), faster).outcome == "fail"


def test_a_measure_needs_cases_and_coverage():
    draw = np.random.default_rng(9)
    a = draw.gamma(4.0, 25.0, 200)
    b = 0.5 * a * draw.gamma(100.0, 0.01, 200)
    assert outcome_of(side(a[:29]), side(b[:29]), DEARER).doubt == "small"
    assert outcome_of(side(a), side(b, np.arange(200) < 20), DEARER).doubt == "coverage"
    assert outcome_of(side(a), side(b), DEARER, np.repeat(np.arange(20), 10)).doubt == "small"
    assert outcome_of(side(a), side(a), DEARER).doubt == "unknown"
    assert outcome_of(side(0 * a), side(b), DEARER).doubt == "unknown"
    assert outcome_of(side(a), side(-b), DEARER).doubt == "unknown"


def test_a_relative_change_needs_a_baseline_that_is_not_nothing():
    base = np.zeros(40)
    base[0] = 1.0
    found = relative_difference(base, base + np.linspace(0, 1, 40)).interval(0.9)
    assert not found.estimable
    assert "not certainly above 0" in found.reason


def test_the_cases_needed_decide_it():
    """Planned from a pilot, so many cases decide in about 80% of the draws."""
    draw = np.random.default_rng(10)
    base, cand = with_discordance(draw, 300, 0.05, 0.05)
    needed = outcome_of(side(base), side(cand)).cases_needed
    assert needed is not None
    decided = 0
    for _ in range(200):
        a, b = with_discordance(draw, needed, 0.05, 0.05)
        decided += outcome_of(side(a), side(b)).outcome == "pass"
    assert 0.65 < decided / 200 <= 1.0


def test_repeats_are_averaged_and_their_failures_bounded():
    ones = np.ones(500)
    baseline = SideScores(total=3 * ones, scored=np.full(500, 3), missing=np.zeros(500, dtype=np.intp))
    candidate = SideScores(total=2 * ones, scored=np.full(500, 2), missing=np.ones(500, dtype=np.intp))
    found = outcome_of(baseline, candidate, GateRule(kind="binary", margin=0.05))
    assert (found.outcome, found.doubt) == ("inconclusive", "failures")


def test_sides_of_different_length_are_refused():
    with pytest.raises(StatisticsError, match="pair them first"):
        weigh(side([1.0]), side([1.0, 0.0]), BINARY)
