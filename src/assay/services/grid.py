"""From a plan to models that can be asked, prompts that can be rendered and metrics that can score."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeVar

from assay.domain.errors import InvalidInput
from assay.domain.jobs import Plan
from assay.domain.models import ModelConfig
from assay.domain.prompts import Message, Prompt
from assay.domain.protocols import AttemptLedger, Metric, Model, ResponseCache
from assay.domain.suites import Suite
from assay.engine.evaluate import Candidate, Evaluator
from assay.engine.policy import Slots
from assay.engine.render import CompiledPrompt, compile_prompt
from assay.metrics.catalog import make_metric
from assay.models.cache import Cached
from assay.models.catalog import make_model
from assay.models.estimate import linear_bound
from assay.models.fallback import Fallback
from assay.models.gate import Gate
from assay.models.limit import Limited, limiters_for
from assay.models.prices import PriceTable, Pricing
from assay.models.retry import Retried
from assay.models.surroundings import Surroundings
from assay.models.transport import Transport
from assay.services.context import World

Value = TypeVar("Value")
Made = TypeVar("Made")

TAKES_VARS = frozenset({"http"})
"""Providers that are sent the case's variables as well as the messages."""

LOCAL_ANSWERS = frozenset({"echo", "replay"})
"""Providers that make up their answers here: a cache would only hide that their file changed."""

Estimates = list[tuple[int, int, int | None, int | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """The checked parts of a plan. `pricings` are by model label; None is an unknown price."""

    plan: Plan
    prompts: tuple[CompiledPrompt, ...]
    metrics: tuple[Metric, ...]
    pricings: Mapping[str, Pricing | None]

    @property
    def metric_versions(self) -> dict[str, str]:
        """Label of each metric -> the version of its code."""
        return {metric.config.name: metric.info.version for metric in self.metrics}

    def estimates(self) -> Estimates:
        """(prompt_no, model_no, base, per byte): the upper bound of one attempt, in nanousd."""
        rows: Estimates = []
        for prompt_no, prompt in enumerate(self.plan.prompts):
            filled = _with_variables(prompt, self.plan.variables)
            for model_no, config in enumerate(self.plan.models):
                rows.append((prompt_no, model_no, *self._bound(filled, config)))
        return rows

    def _bound(self, prompt: Prompt, config: ModelConfig) -> tuple[int, int] | tuple[None, None]:
        """The dearest of a model and those that may answer in its place; unknown if any price is."""
        base, per_byte = 0, 0
        for each in (config, *(self._model(name) for name in config.fallbacks)):
            pricing = self.pricings[each.name]
            if pricing is None:
                return None, None
            bound = linear_bound(each, prompt, pricing)
            base, per_byte = max(base, bound.base_nanousd), max(per_byte, bound.per_byte_nanousd)
        return base, per_byte

    def _model(self, name: str) -> ModelConfig:
        return next(config for config in self.plan.models if config.name == name)


def check_grid(world: World, plan: Plan, suite: Suite | None = None) -> Grid:
    """Compile and check everything that a run needs, before any call.

    Raises InvalidInput for a bad template, model, metric or option, MissingKey for a key that is not set;
    both name the suite's file and line where the suite is given.
    """
    lines = _Lines(suite)
    prompts = [
        lines.of(f"prompts.{number}", compile_prompt, prompt) for number, prompt in enumerate(plan.prompts)
    ]
    metrics = [
        lines.of(f"metrics.{number}", make_metric, config) for number, config in enumerate(plan.metrics)
    ]
    transport = Transport(clock=world.clock)
    for number, config in enumerate(plan.models):
        lines.of(f"models.{number}", partial(_provider, world, transport=transport), config)
    table = PriceTable(world.now)
    pricings = {config.name: table.resolve(config) for config in plan.models}
    return Grid(plan=plan, prompts=tuple(prompts), metrics=tuple(metrics), pricings=pricings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What a run asks its models through: one transport, one set of slots, one cache, one ledger.

    `credentials` are the keys of the stored credentials that its models name.
    """

    transport: Transport
    slots: Slots
    ledger: AttemptLedger
    cache: ResponseCache | None
    concurrency: int
    credentials: Mapping[str, str] = field(repr=False)


def build_evaluator(world: World, grid: Grid, bench: Bench) -> Evaluator:
    """An evaluator over models wrapped as Cache(Fallback(Retry(Limit(Gate(provider)))))."""
    plan = grid.plan
    around = Surroundings(clock=world.clock, sleep=world.sleep, rng=world.rng, emit=world.emit)
    limiters = limiters_for([_within(config, bench.concurrency) for config in plan.models], around)
    single: dict[str, Model] = {}
    for config in plan.models:
        provider = _provider(world, config, bench.transport, bench.credentials)
        gated = Gate(provider, bench.slots.gate, bench.slots.sent)
        single[config.name] = Retried(Limited(gated, limiters[config.name], around), bench.ledger, around)
    candidates = []
    for config in plan.models:
        model = single[config.name]
        if config.fallbacks:
            model = Fallback([model, *(single[name] for name in config.fallbacks)], bench.ledger)
        if bench.cache is not None and config.provider not in LOCAL_ANSWERS:
            model = Cached(model, bench.cache)
        takes_vars = config.provider in TAKES_VARS
        candidates.append(Candidate(model=model, pricings=grid.pricings, takes_vars=takes_vars))
    return Evaluator(
        prompts=list(zip(plan.prompts, grid.prompts, strict=True)),
        candidates=candidates,
        metrics=grid.metrics,
        variables=plan.variables,
        clock=world.clock,
    )


def _within(config: ModelConfig, slots: int) -> ModelConfig:
    """The model with no more calls at once than the run has slots.

    A call that its limiter let go would else wait for a slot, and leave although the provider has asked
    for a pause meanwhile.
    """
    wanted = min(config.limits.max_concurrency or slots, slots)
    return replace(config, limits=replace(config.limits, max_concurrency=wanted))


def _provider(
    world: World, config: ModelConfig, transport: Transport, credentials: Mapping[str, str] | None = None
) -> Model:
    return make_model(
        config,
        environment=world.environment,
        transport=transport,
        clock=world.clock,
        sleep=world.sleep,
        credentials=credentials,
    )


class _Lines:
    """Adds file and line of the suite to what is refused."""

    def __init__(self, suite: Suite | None) -> None:
        self._file = None if suite is None or suite.path is None else str(suite.path)
        self._lines: Mapping[str, int] = {} if suite is None else suite.lines

    def of(self, place: str, make: Callable[[Value], Made], value: Value) -> Made:
        try:
            return make(value)
        except InvalidInput as problem:
            field = f"{place}.{problem.field}" if problem.field else place
            # What lies in another file, such as a recording, is told with its own place.
            place_there = (problem.file, problem.line) if problem.file else ()
            where = ":".join(str(part) for part in place_there if part)
            raise InvalidInput(
                f"{where}: {problem.message}" if where else problem.message,
                file=self._file or problem.file,
                line=self._lines.get(field, self._lines.get(place, problem.line)),
                field=field,
                remedy=problem.remedy,
            ) from problem


def _with_variables(prompt: Prompt, variables: Mapping[str, object]) -> Prompt:
    """The prompt with a message more that is as long as the suite's own variables can make the others."""
    if not variables:
        return prompt
    templates = str(prompt.messages).count("{")
    texts = " ".join(str(value) for value in variables.values())
    return replace(prompt, messages=(*prompt.messages, Message("user", texts * max(1, templates))))
