"""Ranks, agreement and corrected means: the numbers of R, scikit-learn, statsmodels, glide and papers."""

import json
from pathlib import Path

import numpy as np
import pytest

from assay.stats.agreement import cohen_kappa, fleiss_kappa, krippendorff_alpha
from assay.stats.bradley_terry import bradley_terry_strengths
from assay.stats.corrected_means import ppi_mean, rogan_gladen_estimate
from assay.stats.correlation import kendall_tau_b, pearson, spearman
from assay.stats.critical_values import dunnett_critical, studentized_range_critical
from assay.stats.friedman import friedman
from assay.stats.regression import shipping_risk


@pytest.fixture(scope="module")
def golden():
    return json.loads(Path(__file__).with_name("golden_candidates.json").read_text(encoding="utf-8"))


def close(actual, test, key=None):
    expected = test["expected"] if key is None else test["expected"][key]
    return actual == pytest.approx(expected, abs=test["tolerance"], rel=0)


def test_the_studentized_range_is_that_of_the_table(golden):
    test = golden["studentized_range"]
    found = studentized_range_critical(test["inputs"]["k"], alpha=test["inputs"]["alpha"])
    assert close(found, test, "z")
    assert close(found * np.sqrt(2), test, "q")


def test_dunnett_is_that_of_his_tables(golden):
    test = golden["dunnett"]
    for key, two_sided in (("one_sided", False), ("two_sided", True)):
        assert close([dunnett_critical(m, two_sided=two_sided) for m in test["inputs"][key]], test, key)


def test_friedman_is_that_of_r(golden):
    test = golden["friedman_rounding"]
    found = friedman(np.array(test["inputs"]["data"]).T)
    assert close({"chi2": found.chi2, "p": found.p}, test)


def test_bradley_terry_is_that_of_r(golden):
    test = golden["bt_baseball"]
    expected = test["expected"]
    teams = list(expected["ability"])
    wins = np.zeros((len(teams), len(teams)))
    for game in test["inputs"]["data"]:
        home, away = teams.index(game["home.team"]), teams.index(game["away.team"])
        wins[home, away] += game["home.wins"]
        wins[away, home] += game["away.wins"]
    strengths, errors = bradley_terry_strengths(wins)
    reference = teams.index("Baltimore")
    found = dict(zip(teams, strengths - strengths[reference], strict=True))
    assert close(found, test, "ability")
    assert close(dict(zip(teams, errors[reference], strict=True)), test, "se")


@pytest.mark.parametrize("weights", ["none", "linear", "quadratic"])
def test_cohens_kappa_is_that_of_scikit_learn_and_its_error_that_of_statsmodels(golden, weights):
    test = golden["cohen_kappa"]
    found = cohen_kappa(test["inputs"]["first"], test["inputs"]["second"], weights=weights)
    assert close({"kappa": found.kappa, "se": found.error}, test, weights)


@pytest.mark.parametrize("scale", ["nominal", "ordinal", "interval"])
def test_krippendorffs_alpha_is_that_of_his_paper(golden, scale):
    test = golden["krippendorff_alpha"]
    ratings = [[np.nan if x is None else x for x in row] for row in test["inputs"]["data"]]
    found = krippendorff_alpha(ratings, scale=scale, rng=np.random.default_rng(0))
    assert close(found.estimate, test, scale)


def test_fleiss_kappa_is_that_of_statsmodels(golden):
    test = golden["fleiss_kappa"]
    assert close(fleiss_kappa(test["inputs"]["table"], rng=np.random.default_rng(0)).estimate, test)


def test_correlations_are_those_of_r(golden):
    test = golden["correlations_mtcars"]
    x, y = test["inputs"]["mpg"], test["inputs"]["wt"]
    found = pearson(x, y)
    assert close(found.estimate, test, "r")
    assert close([found.low, found.high], test, "r_ci")
    assert close(kendall_tau_b(x, y).estimate, test, "tau_b")
    assert close(spearman(x, y).estimate, test, "rho")


def error_of(found):
    """The standard error; its normal interval is what the references print."""
    z = 1.959963984540054
    mean = found.interval.estimate
    return {"mean": mean, "std": found.error, "lo": mean - z * found.error, "hi": mean + z * found.error}


@pytest.mark.parametrize(("key", "trust"), [("ppi", 1.0), ("ppipp", None)])
def test_prediction_powered_means_are_those_of_glide(golden, key, trust):
    test = golden["ppi_mean"]
    assert close(error_of(ppi_mean(**test["inputs"], trust=trust)), test, key)


def test_stratified_prediction_powered_means_are_those_of_glide(golden):
    given, test = golden["ppi_mean"]["inputs"], golden["ppi_stratified"]
    index = np.arange(len(given["y"]) + len(given["f_unlab"])) % 3
    strata = index[: len(given["y"])], index[len(given["y"]) :]
    assert close(error_of(ppi_mean(**given, strata=strata)), test)


@pytest.mark.parametrize(("key", "trust"), [("one", 1.0), ("tuned", None)])
def test_weighted_prediction_powered_means_are_those_of_glide(golden, key, trust):
    test = golden["ppi_weighted"]
    assert close(error_of(ppi_mean(**test["inputs"], trust=trust)), test, key)


def test_rogan_gladen_follows_its_formula(golden):
    test = golden["rogan_gladen"]
    given = test["inputs"]
    rates, sizes = (given["p_obs"], given["Se"], given["Sp"]), (given["n"], given["n1"], given["n0"])
    assert close(dict(zip(("estimate", "se"), rogan_gladen_estimate(rates, sizes), strict=True)), test)


def test_the_loss_of_a_regression_is_that_of_scipy(golden):
    test = golden["expected_regression_loss"]
    found = shipping_risk(test["inputs"]["d"], test["inputs"]["se"])
    assert close({"loss": found.expected_loss, "p_worse": found.chance_worse}, test)
