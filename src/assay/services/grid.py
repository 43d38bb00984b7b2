"""From a plan to models that can be asked, prompts that can be rendered and metrics that can score."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeVar

from assay.domain.errors import InvalidInput
from assay.domain.jobs import Plan
from assay.domain.models import ModelConfig
from assay.domain.prompts import Message, Prompt
from assay.domain.protocols import AttemptLedger, JudgeBook, JudgedMetric, Metric, Model, ResponseCache
from assay.domain.suites import Suite
from assay.engine.evaluate import Bench, Candidate, Evaluator
from assay.engine.judge_calls import Booked, JudgeLedger, Seat
from assay.engine.policy import Slots
from assay.engine.render import CompiledPrompt, compile_prompt
from assay.metrics.catalog import make_any_metric
from assay.metrics.custom_http import services_of
from assay.models.cache import Cached
from assay.models.catalog import make_model
from assay.models.estimate import linear_bound, output_limit
from assay.models.fallback import Fallback
from assay.models.gate import Gate
from assay.models.limit import Limited, Limiter, limiters_for
from assay.models.prices import PriceTable, Pricing
from assay.models.retry import Retried
from assay.models.surroundings import Surroundings
from assay.models.transport import Transport
from assay.services.context import World
from assay.services.judging import Judging, make_judging

Value = TypeVar("Value")
Made = TypeVar("Made")

TAKES_VARS = frozenset({"http"})
"""Providers that are sent the case's variables as well as the messages."""

LOCAL_ANSWERS = frozenset({"echo", "replay"})
"""Providers that make up their answers here: a cache would only hide that their file changed."""

EMBEDDINGS = "openai-embeddings"
"""The provider that gives vectors, and cannot judge."""

Estimates = list[tuple[int, int, int | None, int | None, int | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """The checked parts of a plan. `pricings` are by model label; None is an unknown price."""

    plan: Plan
    prompts: tuple[CompiledPrompt, ...]
    metrics: tuple[Metric, ...]
    pricings: Mapping[str, Pricing | None]
    judging: Judging

    @property
    def metric_versions(self) -> dict[str, str]:
        """Label of each metric -> the version of its code."""
        made: tuple[Metric | JudgedMetric, ...] = (*self.metrics, *self.judging.metrics)
        return {metric.config.name: metric.info.version for metric in made}

    def estimates(self) -> Estimates:
        """(prompt_no, model_no, base, per byte, per judged byte): the upper bound of one attempt and of the
        judges of its answer, in nanousd."""
        rows: Estimates = []
        for prompt_no, prompt in enumerate(self.plan.prompts):
            filled = _with_variables(prompt, self.plan.variables)
            for model_no, config in enumerate(self.plan.models):
                rows.append((prompt_no, model_no, *self._bound_with_judges(filled, config)))
        return rows

    def _bound_with_judges(
        self, prompt: Prompt, config: ModelConfig
    ) -> tuple[int, int, int] | tuple[None, None, None]:
        base, per_byte = self._bound(prompt, config)
        judges = self.judging.bound(output_limit(config)[0])
        if base is None or per_byte is None or judges is None:
            return None, None, None
        return base + judges.base_nanousd, per_byte, judges.per_byte_nanousd

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
    lines = Lines(suite)
    prompts = [
        lines.of(f"prompts.{number}", compile_prompt, prompt) for number, prompt in enumerate(plan.prompts)
    ]
    table = PriceTable(world.now)
    metrics, judging = check_metrics(world, plan, table, lines)
    transport = Transport(clock=world.clock)
    for number, config in enumerate(plan.models):
        lines.of(f"models.{number}", partial(make_provider, world, transport=transport), config)
    return Grid(
        plan=plan,
        prompts=tuple(prompts),
        metrics=metrics,
        pricings={config.name: table.resolve(config) for config in plan.models},
        judging=judging,
    )


def check_metrics(
    world: World, plan: Plan, table: PriceTable, lines: "Lines | None" = None
) -> tuple[tuple[Metric, ...], Judging]:
    """The metrics of a plan: those that ask no model, and those that do with their judges, all checked.

    Raises like `check_grid`.
    """
    lines = lines or Lines(None)
    # Whoever names no judge gets one that can talk.
    asked = sorted(plan.judges, key=lambda config: config.provider == EMBEDDINGS)
    make = partial(make_any_metric, judges=[config.name for config in asked])
    made = [lines.of(f"metrics.{number}", make, config) for number, config in enumerate(plan.metrics)]
    judged = [metric for metric in made if isinstance(metric, JudgedMetric)]
    judging = make_judging(judged, (*plan.judges, *services_of(plan.metrics)), table)
    transport = Transport(clock=world.clock)
    places = {config.name: f"metrics.{number}" for number, config in enumerate(plan.metrics)}
    places |= {config.name: f"judges.{number}" for number, config in enumerate(plan.judges)}
    for config in judging.judges:
        lines.of(places[config.name], partial(make_provider, world, transport=transport), config)
    return tuple(metric for metric in made if not isinstance(metric, JudgedMetric)), judging


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    """What models and judges are asked through: one transport and one set of slots.

    `credentials` are the keys of the stored credentials that its models name; `judge_book` is the ledger of
    its judges, `judge_cache` holds what they answered earlier; `leased`: whether they judge cells under way.
    """

    transport: Transport
    slots: Slots
    concurrency: int
    judge_book: JudgeBook
    judge_cache: ResponseCache | None
    leased: bool = True
    credentials: Mapping[str, str] = field(repr=False)


def build_evaluator(
    world: World, grid: Grid, wiring: Wiring, ledger: AttemptLedger, cache: ResponseCache | None
) -> Evaluator:
    """An evaluator over models wrapped as Cache(Fallback(Retry(Limit(Gate(provider))))).

    The attempts of the models go to `ledger`; `cache` holds what they answered earlier.
    """
    plan = grid.plan
    around = Surroundings(clock=world.clock, sleep=world.sleep, rng=world.rng, emit=world.emit)
    limiters = _limiters(plan.models, grid.judging, wiring, around)
    single: dict[str, Model] = {}
    for config in plan.models:
        limited = Limited(_gated(world, config, wiring), limiters[config.name], around)
        single[config.name] = Retried(limited, ledger, around)
    candidates = []
    for config in plan.models:
        model = single[config.name]
        if config.fallbacks:
            model = Fallback([model, *(single[name] for name in config.fallbacks)], ledger)
        takes_vars = config.provider in TAKES_VARS
        model = _cached(model, cache)
        candidates.append(Candidate(model=model, pricings=grid.pricings, takes_vars=takes_vars))
    return Evaluator(
        prompts=list(zip(plan.prompts, grid.prompts, strict=True)),
        candidates=candidates,
        metrics=grid.metrics,
        variables=plan.variables,
        clock=world.clock,
        bench=_bench(world, grid.judging, wiring, (limiters, around)) if grid.judging.metrics else None,
    )


def build_bench(world: World, judging: Judging, wiring: Wiring) -> Bench:
    """The judges alone, for answers that are stored."""
    around = Surroundings(clock=world.clock, sleep=world.sleep, rng=world.rng, emit=world.emit)
    return _bench(world, judging, wiring, (_limiters((), judging, wiring, around), around))


def _bench(
    world: World, judging: Judging, wiring: Wiring, paced: tuple[Mapping[str, Limiter], Surroundings]
) -> Bench:
    """Judges wrapped as Cache(Booked(Retry(Limit(Gate(provider)))))."""
    limiters, around = paced
    ledger = JudgeLedger(wiring.judge_book, leased=wiring.leased)
    seats = {}
    for config in judging.judges:
        limited = Limited(_gated(world, config, wiring), limiters[_seat(config)], around)
        pricing = judging.pricings[config.name]
        booked = Booked(Retried(limited, ledger, around), ledger, pricing)
        seats[config.name] = Seat(_cached(booked, wiring.judge_cache), pricing)
    return Bench(metrics=judging.metrics, seats=seats, ledger=ledger)


def _gated(world: World, config: ModelConfig, wiring: Wiring) -> Gate:
    provider = make_provider(world, config, wiring.transport, wiring.credentials)
    return Gate(provider, wiring.slots.gate, wiring.slots.sent)


def _cached(model: Model, cache: ResponseCache | None) -> Model:
    if cache is None or model.config.provider in LOCAL_ANSWERS:
        return model
    return Cached(model, cache)


def _limiters(
    models: Sequence[ModelConfig], judging: Judging, wiring: Wiring, around: Surroundings
) -> Mapping[str, Limiter]:
    """By label of the model, and for judges by `_seat`: a judge may have the label of a candidate."""
    seats = [replace(config, name=_seat(config)) for config in judging.judges]
    return limiters_for([_within(config, wiring.concurrency) for config in (*models, *seats)], around)


def _seat(config: ModelConfig) -> str:
    return f"judge {config.name}"


def _within(config: ModelConfig, slots: int) -> ModelConfig:
    """The model with no more calls at once than the run has slots.

    A call that its limiter let go would else wait for a slot, and leave although the provider has asked
    for a pause meanwhile.
    """
    wanted = min(config.limits.max_concurrency or slots, slots)
    return replace(config, limits=replace(config.limits, max_concurrency=wanted))


def make_provider(
    world: World, config: ModelConfig, transport: Transport, credentials: Mapping[str, str] | None = None
) -> Model:
    """The provider's adapter of a model. Raises InvalidInput, MissingKey."""
    return make_model(
        config,
        environment=world.environment,
        transport=transport,
        clock=world.clock,
        sleep=world.sleep,
        credentials=credentials,
    )


class Lines:
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
