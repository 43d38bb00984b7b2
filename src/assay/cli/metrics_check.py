"""assay metrics check."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import click

from assay.cli.session import load_settings
from assay.cli.tables import echo_json
from assay.domain.datasets import Case
from assay.domain.errors import InvalidInput, NotFound
from assay.domain.models import ModelConfig, ModelRequest
from assay.domain.protocols import Reply
from assay.domain.scores import MetricConfig
from assay.domain.suites import Suite
from assay.formats.cases import read_cases
from assay.formats.suite import load_suite
from assay.metrics.catalog import METRICS, asks_judge, get_info
from assay.metrics.custom_http import endpoint_of
from assay.models.catalog import make_model
from assay.models.transport import Transport
from assay.testing.contract import RULES, Violation, find_violations, judges_of, metric_of, shown_first
from assay.testing.probes import ORDINARY, probes_for


@click.command(name="check")
@click.argument("name")
@click.option(
    "--suite",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Take the metric NAME as this suite names it, and the suite's first case.",
)
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def check_command(name: str, suite: Path | None, as_json: bool) -> int:
    """Hold a metric to what all metrics promise: NAME is my_metrics.py:polite, or a metric of the catalog."""
    environment = load_settings().environment
    config, case = _asked(name, suite, environment)
    entry = METRICS.get(config.type)
    if entry is not None and asks_judge(config) and not entry.own_judge:
        raise InvalidInput(
            f"{config.type!r} asks a model to judge, and this check asks none",
            field="NAME",
            remedy="Check it in Python: assay.testing.check_metric(..., judges={...}).",
        )
    metric = metric_of(config, {})
    judges = {name: Endpoint(endpoint_of(config), environment) for name in judges_of(metric)}
    violations = find_violations(metric, case=case, judges=judges)
    if as_json:
        echo_json({"metric": config.name, "version": metric.info.version, "violations": violations})
    else:
        _show(config.name, violations)
    return 1 if violations else 0


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The scoring service of a metric, asked without a run: no retries, no cache, no ledger."""

    config: ModelConfig
    environment: Mapping[str, str]

    async def ask(self, request: ModelRequest) -> Reply:
        """Its answer, over a connection of its own. Raises a ModelError."""
        async with Transport(clock=time.monotonic) as transport:
            model = make_model(
                self.config,
                environment=self.environment,
                transport=transport,
                clock=time.monotonic,
                sleep=asyncio.sleep,
            )
            return Reply(await model.generate(request), None)


def _asked(name: str, suite: Path | None, environment: Mapping[str, str]) -> tuple[MetricConfig, Case]:
    """The metric that is meant, and a case that it is meant for."""
    if suite is not None:
        loaded = load_suite(suite, environment=environment)
        found = next((config for config in loaded.metrics if config.name == name), None)
        if found is None:
            names = ", ".join(config.name for config in loaded.metrics) or "no metric"
            raise NotFound(f"{suite} has no metric {name!r}", remedy=f"It has: {names}.")
        return found, _first_case(loaded)
    if name in METRICS or ":" not in name:
        get_info(name)
        return MetricConfig(name=name, type=name), ORDINARY
    return MetricConfig(name=name, type="python", options={"target": name}), ORDINARY


def _first_case(suite: Suite) -> Case:
    if suite.dataset.stored is not None:
        return ORDINARY
    return next(iter(read_cases(suite.dataset)), ORDINARY)


def _show(name: str, violations: list[Violation]) -> None:
    broken = {violation.rule for violation in violations}
    for rule, meaning in RULES.items():
        mark, colour = ("BROKEN", "red") if rule in broken else ("ok", "green")
        click.echo(f"{click.style(f'{mark:6}', fg=colour)} {meaning}")
        for line in shown_first([violation.found for violation in violations if violation.rule == rule]):
            click.echo(f"         {line}")
    verdict = f"breaks {len(broken)} of {len(RULES)} rules" if broken else "keeps all rules"
    click.echo(f"{name} {verdict}, on {len(probes_for())} answers")
