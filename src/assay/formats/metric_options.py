"""Metrics and judges as the command line names them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from assay.domain.errors import InvalidInput
from assay.domain.models import ModelConfig
from assay.domain.scores import MetricConfig
from assay.formats.places import Place, Problems
from assay.formats.suite_check import check
from assay.formats.suite_judges import build_judges
from assay.formats.suite_parts import build_metrics
from assay.formats.suite_schema import DEFINITIONS, SCHEMA
from assay.formats.yaml_text import parse_yaml

COMMAND_LINE = "command line"


def parse_metrics(
    types: Sequence[str],
    *,
    options: Sequence[str] = (),
    name: str | None = None,
    threshold: float | None = None,
    judges: Sequence[str] = (),
) -> tuple[MetricConfig, ...]:
    """Metrics by their types; `options` are NAME=VALUE, the value in YAML; several judges are a jury.

    Raises InvalidInput that names the option.
    """
    values = [_metric(type_, options, (name, threshold), judges) for type_ in types]
    problems = Problems(COMMAND_LINE, {})
    check(values, SCHEMA["properties"]["metrics"], "metrics", problems)
    problems.raise_any()
    metrics = build_metrics(values, problems)
    problems.raise_any()
    return metrics


def _metric(
    type_: str, options: Sequence[str], named: tuple[str | None, float | None], judges: Sequence[str]
) -> dict[str, Any]:
    name, threshold = named
    chosen = dict(_option(text) for text in options)
    if len(judges) > 1:
        chosen["jury"] = list(judges)
    elif judges:
        chosen["judge"] = judges[0]
    metric: dict[str, Any] = {"type": type_, "options": chosen}
    if name is not None:
        metric["name"] = name
    if threshold is not None:
        metric["threshold"] = threshold
    return metric


def _option(text: str) -> tuple[str, Any]:
    name, sign, value = text.partition("=")
    if not sign or not name:
        raise InvalidInput(f"{text!r} is not NAME=VALUE", field="--option")
    parsed, _ = parse_yaml(value, Place(f"--option {name}"))
    return name, parsed


def parse_judges(
    ids: Sequence[str], metrics: Sequence[MetricConfig], environment: Mapping[str, str]
) -> tuple[ModelConfig, ...]:
    """Models that judge: those of `ids` (provider:model), and those that options of the metrics name.

    Raises InvalidInput for what is no id of a model.
    """
    problems = Problems(COMMAND_LINE, {})
    model_id = DEFINITIONS["model"]["properties"]["id"]
    check(list(ids), {"type": "array", "items": model_id}, "--judge", problems)
    problems.raise_any()
    judges = build_judges({"judges": list(ids)}, ((), metrics), Path(), environment, problems)
    problems.raise_any()
    return judges
