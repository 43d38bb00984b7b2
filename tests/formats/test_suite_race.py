"""How a suite asks for a race."""

import json
from pathlib import Path

import pytest

from assay.domain.errors import InvalidInput
from assay.domain.jobs import Plan, plan_from_json, plan_to_json
from assay.domain.races import RaceConfig
from assay.formats.suite import load_suite


def load(folder: Path, race: object) -> RaceConfig | None:
    suite = {"prompts": ["{{ q }}"], "models": ["echo:a"], "cases": [{"vars": {"q": "1"}}], "race": race}
    path = folder / "assay.json"
    path.write_text(json.dumps(suite, indent=1))
    return load_suite(path, environment={}).race


@pytest.mark.parametrize(
    ("race", "found"),
    [
        (True, RaceConfig()),
        (False, None),
        ({}, RaceConfig()),
        ({"within": 0}, RaceConfig(within=0.0)),
        (
            {"metric": "exact", "within": 0.1, "alpha": 0.01, "batch": 5},
            RaceConfig(metric="exact", within=0.1, alpha=0.01, batch=5),
        ),
    ],
)
def test_a_race_is_true_or_its_settings(tmp_path: Path, race: object, found: RaceConfig | None) -> None:
    assert load(tmp_path, race) == found


@pytest.mark.parametrize(
    ("race", "field"),
    [
        ("yes", "race"),
        ({"within": 1}, "race.within"),
        ({"alpha": 0}, "race.alpha"),
        ({"batch": 0}, "race.batch"),
        ({"metrik": "exact"}, "race.metrik"),
    ],
)
def test_what_cannot_be_meant_is_an_error_that_names_the_field(
    tmp_path: Path, race: object, field: str
) -> None:
    with pytest.raises(InvalidInput) as problem:
        load(tmp_path, race)
    assert problem.value.field == field


def test_a_plan_keeps_its_race_and_older_plans_have_none() -> None:
    plan = Plan(
        prompts=(), models=(), metrics=(), repeats=1, variables={}, race=RaceConfig(metric="exact", alpha=0.1)
    )
    document = json.loads(plan_to_json(plan))
    assert plan_from_json(document) == plan
    del document["race"]
    assert plan_from_json(document).race is None
