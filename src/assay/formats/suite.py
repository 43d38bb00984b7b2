"""Reads suite files."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from assay.domain.suites import Suite
from assay.formats.decoding import read_text
from assay.formats.limits import MAX_YAML_FILE
from assay.formats.places import Place, Problems
from assay.formats.suite_check import check
from assay.formats.suite_judges import build_judges
from assay.formats.suite_parts import (
    build_dataset,
    build_metrics,
    build_models,
    build_prompts,
    build_race,
    parse_document,
)
from assay.formats.suite_paths import with_paths
from assay.formats.suite_schema import SCHEMA

SUITE_FILES = (".yaml", ".yml", ".json")
DEFAULT_NAME = "assay"
_NO_VARIABLES: Mapping[str, str] = MappingProxyType({})


def load_suite(
    path: Path, *, environment: Mapping[str, str], variables: Mapping[str, str] = _NO_VARIABLES
) -> Suite:
    """The suite of a YAML or JSON file, with all paths absolute and all names resolved.

    `environment` fills `${NAME}` in base_url, headers and options; `variables` win over the suite's own.
    Raises one InvalidInput that tells all problems, up to 20, the first with line and field.
    """
    path = path.absolute()
    if path.suffix.lower() not in SUITE_FILES:
        raise Place(str(path)).problem(
            f"a suite is one of {', '.join(SUITE_FILES)}, not {path.suffix or 'a file without extension'}"
        )
    value, lines = parse_document(read_text(path, "a suite", MAX_YAML_FILE), path)
    problems = Problems(str(path), lines)
    if not isinstance(value, Mapping):
        raise Place(str(path), 1).problem("a suite is a mapping with prompts, models and a dataset")
    check(value, SCHEMA, "", problems)
    problems.raise_any()
    suite = _build(value, path, environment, variables, problems)
    problems.raise_any()
    return suite


def _build(
    value: Mapping[str, Any],
    path: Path,
    environment: Mapping[str, str],
    variables: Mapping[str, str],
    problems: Problems,
) -> Suite:
    models = build_models(value["models"], path.parent, environment, problems)
    metrics = with_paths(build_metrics(value.get("metrics", ()), problems), path.parent)
    name = value.get("name") or (path.parent.name if path.stem == DEFAULT_NAME else path.stem) or DEFAULT_NAME
    return Suite(
        name=name,
        description=value.get("description", ""),
        prompts=build_prompts(value["prompts"], path.parent, problems),
        models=models,
        dataset=build_dataset(value, path.parent, name, problems),
        metrics=metrics,
        judges=build_judges(value, (models, metrics), path.parent, environment, problems),
        canaries=value.get("canaries", True),
        repeats=value.get("repeats", 1),
        seed=value.get("seed", 0),
        concurrency=value.get("concurrency"),
        budget_usd=value.get("budget_usd"),
        margin=value.get("margin"),
        race=build_race(value.get("race", False)),
        variables={**value.get("variables", {}), **variables},
        path=path,
        lines=problems.lines,
    )
