"""From cells to the evidence of a race."""

import numpy as np

from assay.domain.jobs import Plan
from assay.domain.races import RaceCell, RaceConfig
from assay.services.race_field import Field, lay_course
from tenants import Shape, make_plan


def plan(**shape: int) -> Plan:
    return make_plan(Shape(**shape))


def test_the_course_is_a_shuffle_that_the_seed_decides() -> None:
    cases = [2, 3, 5, 8, 13, 21, 34]
    course = lay_course(plan(models=2), cases)
    assert sorted(course.order) == cases
    assert list(lay_course(plan(models=2), cases).order) == list(course.order)
    orders = {tuple(lay_course(plan_with(seed), cases).order) for seed in range(40)}
    assert len(orders) > 30


def plan_with(seed: int) -> Plan:
    return Plan(prompts=(), models=(), metrics=(), repeats=1, variables={}, seed=seed)


def test_the_shuffle_is_uniform() -> None:
    """Where case 0 of 8 goes: 4,000 seeds, each place 500 times but for chance."""
    places = [int(lay_course(plan_with(seed), range(8)).position[0]) for seed in range(4_000)]
    assert np.abs(np.bincount(places, minlength=8) - 500).max() < 90


def test_cells_and_places_belong_together() -> None:
    course = lay_course(plan(prompts=2, models=3, repeats=2), range(5))
    seen = set()
    for candidate in range(6):
        for position in range(5):
            items = course.items(candidate, position, position + 1)
            assert len(items) == 2
            assert {course.place(item) for item in items} == {(candidate, position)}
            seen.update(items)
    assert seen == set(range(60))


def test_repeats_are_averaged_and_failures_bounded() -> None:
    field = Field(RaceConfig(metric="exact"), lay_course(plan(models=2, repeats=4), range(3)))
    first, second = field.course.items(0, 0, 1), field.course.items(1, 0, 1)
    for item, state, value in zip(
        first, ("scored", "scored", "failed", "skipped"), (1.0, 0.0, None, None), strict=True
    ):
        assert field.race.result().standings[0].seen == 0
        field.take(RaceCell(item, state, value))
    standing = field.race.result().standings[0]
    assert (standing.seen, standing.missing) == (1, 1)
    assert standing.mean == 0.5  # between 1/3 and 2/3
    for item in second:
        field.take(RaceCell(item, "skipped"))
    assert field.race.result().standings[1].mean is None
    assert field.race.result().standings[1].seen == 1
