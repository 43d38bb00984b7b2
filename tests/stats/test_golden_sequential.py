"""The same numbers as confseq, gsDesign, R and the papers, for looks at any time and for A/B tests."""

import numpy as np
import pytest

from assay.stats.ab_tests import bucket, cuped_theta, srm, welch
from assay.stats.confidence_sequences import (
    ConfidenceSequence,
    asymptotic_half_width,
    betting_interval,
    empirical_bernstein_sequence,
    mixture_rho2,
    normal_mixture_bound,
)
from assay.stats.eprocess import mcnemar_log_e
from assay.stats.group_sequential import gs_bounds

SCORES = {
    "seq37mod101": np.array([(i * 37 % 101) / 100 for i in range(200)]),
    "binary70": np.array([float(7 * i % 10 < 7) for i in range(200)]),
}


def test_sequential_mcnemar_is_the_integral(golden):
    test = golden["eproc_mcnemar_beta"]
    found = [mcnemar_log_e(gains, losses) for gains, losses in test["inputs"]["pairs"]]
    assert found == pytest.approx(test["expected"], abs=test["tolerance"])


def test_betting_sequence_is_that_of_confseq(golden):
    test = golden["betting_cs_seq37mod101"]
    for n, expected in test["expected"].items():
        sequence = ConfidenceSequence((0, 1), test["inputs"]["alpha"], running=False)
        found = sequence.extend(SCORES["seq37mod101"][: int(n)]).interval
        assert [found.low, found.high] == pytest.approx(expected, abs=test["tolerance"])


@pytest.mark.parametrize("name", SCORES)
def test_betting_interval_is_that_of_confseq(golden, name):
    test = golden[f"betting_ci_{name}"]
    found = betting_interval(SCORES[name], alpha=test["inputs"]["alpha"])
    assert [found.low, found.high] == pytest.approx(test["expected"], abs=test["tolerance"])


@pytest.mark.parametrize("name", SCORES)
def test_empirical_bernstein_is_that_of_confseq(golden, name):
    test = golden[f"predmix_eb_{name}"]
    low, high = empirical_bernstein_sequence(SCORES[name], alpha=test["inputs"]["alpha"])
    for n, expected in test["expected"].items():
        assert [low[int(n) - 1], high[int(n) - 1]] == pytest.approx(expected, abs=test["tolerance"])


def test_normal_mixture_is_that_of_confseq(golden):
    test = golden["normal_mixture_bound"]
    found = [
        normal_mixture_bound(100, best_at=100, two_sided=False),
        normal_mixture_bound(100, best_at=100),
        normal_mixture_bound(1000, best_at=100),
    ]
    assert found == pytest.approx(test["expected"], abs=test["tolerance"])


def test_asymptotic_sequence_follows_the_formula(golden):
    test = golden["asymptotic_cs"]
    given, expected = test["inputs"], test["expected"]
    assert mixture_rho2(500, given["alpha"]) == pytest.approx(expected["rho2"], abs=test["tolerance"])
    found = [asymptotic_half_width(n, given["sigma"], alpha=given["alpha"], best_at=500) for n in given["t"]]
    assert found == pytest.approx(expected["half"], abs=test["tolerance"])


def test_spending_bounds_are_the_published_ones(golden):
    test = golden["gs_lan_demets_obf5"]
    found = gs_bounds(test["inputs"]["K"], test["inputs"]["alpha"], "lan_demets_obrien_fleming")
    assert list(found.critical) == pytest.approx(test["expected"], abs=test["tolerance"])


@pytest.mark.parametrize(
    ("spending", "constants"),
    [
        ("pocock", {1: 1.960, 2: 2.178, 3: 2.289, 4: 2.361, 5: 2.413, 10: 2.555}),
        ("obrien_fleming", {1: 1.960, 2: 1.977, 3: 2.004, 4: 2.024, 5: 2.040, 10: 2.087}),
    ],
)
def test_constants_are_those_of_the_textbook(spending, constants):
    # Jennison and Turnbull (2000), tables 2.1 and 2.3, alpha = .05.
    for looks, constant in constants.items():
        assert gs_bounds(looks, 0.05, spending).critical[-1] == pytest.approx(constant, abs=6e-4)


@pytest.mark.parametrize("name", ["srm_5030_4870", "srm_821588_815482"])
def test_sample_ratio_is_that_of_r(golden, name):
    test = golden[name]
    found = srm(test["inputs"]["counts"])
    assert found.chi2 == pytest.approx(test["expected"]["chi2"], abs=test["tolerance"])
    assert found.p == pytest.approx(test["expected"]["p"], abs=test["tolerance"])
    assert found.mismatch == (found.p < 0.001)


def test_cuped_slope_is_that_of_least_squares(golden):
    test = golden["cuped_theta"]
    before, after = np.array(test["inputs"]["pre"]), np.array(test["inputs"]["post"])
    theta = cuped_theta(after, before)
    assert theta == pytest.approx(test["expected"]["theta"], abs=test["tolerance"])
    rest = np.var(after - theta * before) / np.var(after)
    assert rest == pytest.approx(test["expected"]["var_ratio"], abs=test["tolerance"])


def test_buckets_are_those_of_sha256(golden):
    test = golden["hash_bucket"]
    found = [bucket(*key) for key in test["inputs"]["keys"]]
    assert found == pytest.approx(test["expected"], abs=test["tolerance"])


def test_welch_is_that_of_r(golden):
    test = golden["sleep_welch"]
    interval, p = welch(test["inputs"]["g2"], test["inputs"]["g1"])
    expected, tolerance = test["expected"], test["tolerance"]
    assert [interval.low, interval.high] == pytest.approx(expected["ci"], abs=tolerance)
    assert interval.df == pytest.approx(expected["df"], abs=tolerance)
    assert p == pytest.approx(expected["p"], abs=tolerance)
