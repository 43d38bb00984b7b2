"""Partial correlations: what two series share beyond what others explain of both."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.stats.correlation import partial_pearson, pearson
from assay.stats.errors import StatisticsError


def by_inverse(*series):
    """The partial correlation of the first two given the others, from the inverse covariance matrix."""
    precision = np.linalg.inv(np.cov(np.array(series)))
    return -precision[0, 1] / math.sqrt(precision[0, 0] * precision[1, 1])


@given(seed=st.integers(0, 10_000), n=st.integers(8, 60), others=st.integers(0, 3))
@settings(max_examples=40, deadline=None)
def test_it_is_that_of_the_inverse_covariance(seed, n, others):
    rng = np.random.default_rng(seed)
    controls = rng.normal(size=(others, n))
    shared = controls.sum(axis=0) + rng.normal(size=n)
    x, y = shared + rng.normal(size=n), shared + rng.normal(size=n)
    found = partial_pearson(x, y, given=list(controls)).estimate
    assert found == pytest.approx(by_inverse(x, y, *controls), abs=1e-9)


def test_one_series_explains_as_the_recursion_says():
    rng = np.random.default_rng(5)
    z = rng.normal(size=40)
    x, y = z + rng.normal(size=40), z - rng.normal(size=40)
    xy, xz, yz = (np.corrcoef(*pair)[0, 1] for pair in ((x, y), (x, z), (y, z)))
    wanted = (xy - xz * yz) / math.sqrt((1 - xz**2) * (1 - yz**2))
    found = partial_pearson(x, y, given=[z])
    assert found.estimate == pytest.approx(wanted, abs=1e-12)
    half = 1.959963984540054 / math.sqrt(40 - 1 - 3)
    assert found.low == pytest.approx(math.tanh(math.atanh(wanted) - half), abs=1e-9)
    assert found.high == pytest.approx(math.tanh(math.atanh(wanted) + half), abs=1e-9)


def test_without_controls_it_is_pearsons():
    x, y = [1.0, 2.0, 4.0, 3.0, 7.0], [2.0, 1.0, 5.0, 3.0, 6.0]
    partial, plain = partial_pearson(x, y), pearson(x, y)
    assert (partial.estimate, partial.low) == pytest.approx((plain.estimate, plain.low))


def test_groups_take_out_that_better_models_do_better_in_both():
    models = ["good"] * 4 + ["bad"] * 4
    within = [0.1, -0.1, 0.1, -0.1]
    x = [10 + each for each in within] + list(within)
    y = [5 + each for each in (0.1, 0.1, -0.1, -0.1)] + [0.1, 0.1, -0.1, -0.1]
    assert pearson(x, y).estimate > 0.99
    assert partial_pearson(x, y, groups=models).estimate == pytest.approx(0.0, abs=1e-9)


def test_groups_are_the_same_as_their_indicators():
    rng = np.random.default_rng(8)
    labels = ["abc"[code] for code in rng.integers(0, 3, 50)]
    x, y = rng.normal(size=50), rng.normal(size=50)
    columns = [[float(label == name) for label in labels] for name in "bc"]
    by_label, by_column = partial_pearson(x, y, groups=labels), partial_pearson(x, y, given=columns)
    assert by_label.estimate == pytest.approx(by_column.estimate)
    assert (by_label.low, by_label.high) == pytest.approx((by_column.low, by_column.high))


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
def test_the_scale_of_a_series_does_not_matter(scale):
    rng = np.random.default_rng(2)
    z, noise = rng.normal(size=30), rng.normal(size=30)
    x, y = z + noise, z + rng.normal(size=30) + noise
    scaled = partial_pearson(x * scale, y, given=[z / scale]).estimate
    assert scaled == pytest.approx(partial_pearson(x, y, given=[z]).estimate)


def test_nothing_left_is_not_estimable():
    z = [1.0, 2.0, 3.0, 5.0, 8.0, 13.0]
    found = partial_pearson([2 * each + 1 for each in z], [3.0, 1.0, 4.0, 1.0, 5.0, 9.0], given=[z])
    assert not found.estimable
    assert "wholly" in found.reason


def test_too_few_cases_are_not_estimable():
    found = partial_pearson([1.0, 2.0, 3.0, 4.0], [2.0, 1.0, 4.0, 3.0], groups=["a", "b", "c", "d"])
    assert not found.estimable


def test_misaligned_controls_are_refused():
    with pytest.raises(StatisticsError, match=r"given\[0\]"):
        partial_pearson([1.0, 2.0, 3.0, 5.0], [1.0, 2.0, 3.0, 4.0], given=[[1.0, 2.0]])
