"""The same numbers as the reference implementations: golden.json names R, scipy or the paper for each."""

import numpy as np
import pytest

from assay.stats.arrays import finite_numbers
from assay.stats.bootstrap import bca_acceleration, bca_bootstrap, jackknife_means
from assay.stats.clusters import icc_anova
from assay.stats.comparison import bonett_price_interval, mcnemar_exact, mcnemar_midp, tango_interval
from assay.stats.intervals import clopper_pearson, plus_two_t, t_interval, wilson, wilson_effective_n
from assay.stats.means import effective_n
from assay.stats.multiplicity import bh, by, hochberg, holm
from assay.stats.paired import noninferiority, paired_difference, paired_scores
from assay.stats.permutation import sign_flip
from assay.stats.power import PairedVariance, cases_needed, detectable_difference, exact_cases_needed
from assay.stats.proportions import beta_bounds
from assay.stats.repeats import group_repeats, pass_at_k, pass_hat_k, variance_components


def close(actual, test):
    return actual == pytest.approx(test["expected"], abs=test["tolerance"], rel=0)


@pytest.mark.parametrize("name", ["wilson_81_263", "wilson_15_148", "wilson_0_20"])
def test_wilson_is_that_of_r(golden, name):
    test = golden[name]
    found = wilson(test["inputs"]["successes"], test["inputs"]["n"], level=test["inputs"]["conf"])
    assert close([found.low, found.high], test)


@pytest.mark.parametrize("name", ["clopper_pearson_81_263", "clopper_pearson_0_20"])
def test_clopper_pearson_is_that_of_r(golden, name):
    test = golden[name]
    found = clopper_pearson(**test["inputs"])
    assert close([found.low, found.high], test)


def test_uniform_prior_bounds_are_those_of_r(golden):
    test = golden["beta_uniform_8_10"]
    assert close(list(beta_bounds(8, 10, prior=1.0)), test)
    assert test["inputs"] == {"successes": 8, "n": 10}


@pytest.mark.parametrize(("name", "function"), [("t_mean20", t_interval), ("plus_two_t_mean20", plus_two_t)])
def test_intervals_of_a_mean_match(golden, name, function):
    test = golden[name]
    found = function(test["inputs"]["scores"])
    assert close([found.low, found.high], test)


def test_wilson_with_effective_n_matches(golden):
    test = golden["wilson_neff_mean20"]
    scores = np.array(test["inputs"]["scores"])
    found = wilson_effective_n(scores)
    count = effective_n(scores.mean(), scores.std(ddof=1) / np.sqrt(scores.size), fallback=20)
    assert count == pytest.approx(test["expected"]["n_eff"], abs=test["tolerance"])
    assert [found.low, found.high] == pytest.approx(test["expected"]["ci"], abs=test["tolerance"])


def test_bca_is_that_of_r(golden):
    test = golden["bca_mean20"]
    found = bca_bootstrap(
        test["inputs"]["scores"],
        rng=np.random.default_rng(20),
        resamples=test["inputs"]["min_resamples"],
    )
    assert close([found.low, found.high], test)


def test_bca_acceleration_is_that_of_r(golden):
    test = golden["bca_acceleration"]
    assert close(bca_acceleration(jackknife_means(finite_numbers(test["inputs"]["scores"]))), test)


def test_intraclass_correlation_is_that_of_r(golden):
    test = golden["icc_anova"]
    found = icc_anova(test["inputs"]["scores"], test["inputs"]["cluster"])
    expected = [test["expected"][key] for key in ("MSB", "MSW", "n0", "icc")]
    assert [found.ms_between, found.ms_within, found.n0, found.icc] == pytest.approx(
        expected, abs=test["tolerance"]
    )


def test_cases_needed_follow_miller(golden):
    test = golden["power_miller_969"]
    given = test["inputs"]
    variance = PairedVariance(omega2=given["omega2"], sigma2_a=given["sigma2_A"], sigma2_b=given["sigma2_B"])
    settings = {"delta": given["delta"], "alpha": given["alpha"], "power": given["power"]}
    exact = exact_cases_needed(variance, **settings)
    assert exact == pytest.approx(test["expected"]["n_exact"], abs=test["tolerance"])
    assert cases_needed(variance, **settings) == test["expected"]["n"]
    assert detectable_difference(variance, cases=exact) == pytest.approx(given["delta"], abs=1e-12)


@pytest.mark.parametrize(("repeats", "key"), [(1, "K1"), (10, "K10")])
def test_cases_needed_fall_with_repeats_as_miller_says(golden, repeats, key):
    test = golden["power_miller_K"]
    noise = test["inputs"]["sigma2"]
    variance = PairedVariance(
        omega2=test["inputs"]["omega2"],
        sigma2_a=noise,
        sigma2_b=noise,
        repeats_a=repeats,
        repeats_b=repeats,
    )
    exact = exact_cases_needed(variance, delta=test["inputs"]["delta"])
    assert exact == pytest.approx(test["expected"][key], abs=test["tolerance"])


@pytest.mark.parametrize("name", ["mcnemar_agresti", "mcnemar_12_2", "mcnemar_5_5"])
def test_mcnemar_is_that_of_r(golden, name):
    test = golden[name]
    b, c = test["inputs"]["b"], test["inputs"]["c"]
    assert mcnemar_exact(b, c) == pytest.approx(test["expected"]["exact_p"], abs=test["tolerance"])
    assert mcnemar_midp(b, c) == pytest.approx(test["expected"]["midp"], abs=test["tolerance"])


@pytest.mark.parametrize("name", ["paired_diff_36_12_2_0", "paired_diff_agresti"])
def test_intervals_of_paired_pass_rates_match(golden, name):
    test = golden[name]
    given = test["inputs"]
    n = given.get("n") or sum(given.values())
    for function, key in ((tango_interval, "tango"), (bonett_price_interval, "bonett_price")):
        found = function(given["b"], given["c"], n)
        assert [found.low, found.high] == pytest.approx(test["expected"][key], abs=test["tolerance"])
        assert found.estimate == pytest.approx((given["b"] - given["c"]) / n)


def test_paired_t_is_that_of_r(golden):
    test = golden["sleep_paired_t"]
    expected, tolerance = test["expected"], test["tolerance"]
    found = paired_difference(paired_scores(test["inputs"]["g2"], test["inputs"]["g1"], "real"))
    interval = found.interval(0.95)
    assert interval.estimate == pytest.approx(expected["mean"], abs=tolerance)
    assert [interval.low, interval.high] == pytest.approx(expected["ci"], abs=tolerance)
    assert interval.df == pytest.approx(expected["df"], abs=tolerance)
    assert 2 * min(found.p_above(0.0), found.p_below(0.0)) == pytest.approx(expected["p"], abs=tolerance)
    assert found.centre / found.error == pytest.approx(expected["t"], abs=tolerance)


def test_exact_sign_flip_is_that_of_r(golden):
    test = golden["sleep_signflip_exact"]
    differences = np.array(test["inputs"]["g1"]) - np.array(test["inputs"]["g2"])
    found = sign_flip(differences, rng=np.random.default_rng(0))
    assert found.exact
    assert close(found.p, test)


def test_noninferiority_is_that_of_r(golden):
    test = golden["noninferiority_sleep"]
    given = test["inputs"]
    found = noninferiority(given["g2"], given["g1"], kind="real", margin=-given["margin"])
    assert found.p == pytest.approx(test["expected"]["p"], abs=test["tolerance"])
    assert found.low == pytest.approx(test["expected"]["lower95"], abs=test["tolerance"])
    assert found.outcome == "pass"
    assert found.proven_worse


@pytest.mark.parametrize("method", [holm, hochberg, bh, by])
def test_adjusted_p_values_are_those_of_r(golden, method):
    test = golden["padjust_bh1995"]
    expected = test["expected"][method.__name__]
    shuffled = np.random.default_rng(5).permutation(len(expected))
    found = method(np.array(test["inputs"]["p"])[shuffled])
    assert found == pytest.approx(np.array(expected)[shuffled], abs=test["tolerance"])


@pytest.mark.parametrize(("name", "function"), [("pass_at_k", pass_at_k), ("pass_hat_k", pass_hat_k)])
def test_pass_rates_of_k_answers_match(golden, name, function):
    test = golden[name]
    given = test["inputs"]
    assert close([function(given["n"], given["c"], k) for k in given["k"]], test)


def test_variance_components_match(golden):
    test = golden["variance_components"]
    matrix = np.array(test["inputs"]["matrix"])
    cases = np.repeat(np.arange(len(matrix)), matrix.shape[1])
    found = variance_components(group_repeats(matrix.ravel(), cases))
    expected = [test["expected"][key] for key in ("within", "between", "se_mean")]
    assert [found.within, found.between, found.error] == pytest.approx(expected, abs=test["tolerance"])
