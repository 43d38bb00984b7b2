"""Live A/B tests: split traffic, units that send many requests, covariates, early looks."""

import numpy as np

from assay.stats.ab_tests import AbTest, Look, Units, ab_test, bucket, srm
from assay.stats.group_sequential import gs_bounds
from stats.rows import Check, Effort, Row, at_most, between, contrast, share


def sample_ratio(effort: Effort) -> Row:
    """Traffic that is split as planned."""
    draws, found = effort.draws(20_000), []
    for weights in ((0.5, 0.5), (0.7, 0.2, 0.1)):
        counts = effort.rng(f"srm {len(weights)}").multinomial(10_000, weights, size=draws)
        found.append(share([srm(row.tolist(), weights).mismatch for row in counts]))
    design = f"50/50 and 70/20/10 of 10,000 units, {draws:,} draws each"
    return at_most("sample ratio: false alarms", design, found, 0.002, effort.slack(0.002, 20_000))


def lost_units(effort: Effort) -> Row:
    """How often a split of 52/48 is found."""
    draws = effort.draws(2000)
    counts = effort.rng("lost").binomial(10_000, 0.52, size=draws)
    found = [share([srm([int(n), 10_000 - int(n)]).mismatch for n in counts])]
    return contrast("sample ratio: 52/48 is found", f"10,000 units, {draws:,} draws", found)


def hashed_shares(_: Effort) -> Row:
    """Buckets of one experiment are spread evenly."""
    numbers = np.sort([bucket("shares", f"user-{i}") for i in range(50_000)])
    steps = np.arange(1.0, numbers.size + 1.0) / numbers.size
    distance = float(np.abs(numbers - steps).max() * np.sqrt(numbers.size))
    return at_most("buckets: distance from uniform", "Kolmogorov, sqrt(n) D, 50,000 units", [distance], 1.63)


def cuped_variance(effort: Effort) -> Row:
    """What a covariate of correlation .6 leaves of the variance, 1 - .36 in theory."""
    found = [float(np.mean([test.variance_ratio or 1.0 for test in _with_covariate(effort)]))]
    design = f"correlation .6, 500 units an arm, {effort.draws(2000):,} draws"
    return between("CUPED: variance that is left", design, found, (0.58, 0.68))


def cuped_error(effort: Effort) -> Row:
    """The same test on equal arms."""
    found = [share([test.decision == "different" for test in _with_covariate(effort)])]
    design = f"correlation .6, 500 units an arm, {effort.draws(2000):,} draws"
    return at_most("CUPED: false alarms", design, found, 0.065, effort.slack(0.065, 2000))


def _with_covariate(effort: Effort) -> list[AbTest]:
    rng, found = effort.rng("cuped"), []
    units = Units(variant=np.repeat([0, 1], 500), control=0)
    for _ in range(effort.draws(2000)):
        before = rng.normal(size=1000)
        found.append(ab_test(units, 0.6 * before + 0.8 * rng.normal(size=1000), covariate=before))
    return found


def units_of_many_requests(effort: Effort) -> Row:
    """Users are randomised, requests are scored, users are counted."""
    found = [
        share([test.decision == "different" for test in _requests(effort, n, by_unit=True)])
        for n in (20, 200)
    ]
    design = f"20 and 200 users an arm, 1 to 19 requests each, {effort.draws(2000):,} draws each"
    return at_most("delta method: false alarms", design, found, 0.065, effort.slack(0.065, 2000))


def requests_contrast(effort: Effort) -> Row:
    """The same with requests counted."""
    found = [share([test.decision == "different" for test in _requests(effort, 200, by_unit=False)])]
    design = f"200 users an arm, 1 to 19 requests each, {effort.draws(2000):,} draws"
    return contrast("requests as units: false alarms", design, found)


def _requests(effort: Effort, users: int, *, by_unit: bool) -> list[AbTest]:
    rng, found = effort.rng(f"requests {users}"), []
    for _ in range(effort.draws(2000)):
        unit = np.repeat(np.arange(2 * users), rng.integers(1, 20, size=2 * users))
        passed = rng.random(unit.size) < rng.beta(3.5, 1.5, size=2 * users)[unit]
        units = Units(variant=unit % 2, control=0, unit=unit if by_unit else None)
        found.append(ab_test(units, passed.astype(np.float64)))
    return found


def looks_at_users(effort: Effort) -> Row:
    """Planned looks at skewed values, through the whole of ab_test."""
    full, plan, alarms = 1000, gs_bounds(5, 0.05), []
    rng = effort.rng("users looked at")
    for _ in range(effort.draws(full)):
        values = rng.lognormal(0.0, 1.0, size=(500, 2))
        tests = (
            ab_test(
                Units(variant=np.tile([0, 1], 100 * look), control=0),
                values[: 100 * look].ravel(),
                looks=Look(plan, look),
            )
            for look in range(1, 6)
        )
        alarms.append(any(test.decision == "different" for test in tests))
    design = f"through ab_test, log-normal values, 5 looks at 100 to 500 an arm, {effort.draws(full):,} draws"
    return at_most("A/A test, planned looks", design, [share(alarms)], 0.065, effort.slack(0.065, full))


CHECKS: tuple[Check, ...] = (
    sample_ratio,
    lost_units,
    hashed_shares,
    cuped_variance,
    cuped_error,
    units_of_many_requests,
    requests_contrast,
    looks_at_users,
)
