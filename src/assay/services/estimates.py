"""What a suite would cost, before a cent is spent: calls, tokens and dollars."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from assay.domain.content import canonical_json
from assay.domain.datasets import Case
from assay.domain.models import ModelRequest
from assay.domain.money import NANO
from assay.domain.suites import Suite
from assay.models.estimate import CallEstimate, LinearBound, estimate_call, output_limit
from assay.services.context import Context, World
from assay.services.drawing import ReadCases, with_cases
from assay.services.grid import Grid, check_grid
from assay.services.judging import Judging
from assay.services.race_check import check_race
from assay.services.runs import check_cases, plan_of
from assay.services.selection import Filters, Selector, narrow_suite
from assay.services.stored_suites import resolve_suite
from assay.storage.dataset_versions import get_dataset_version


@dataclass(slots=True, kw_only=True)
class CandidateEstimate:
    """Sums over the calls of one prompt x model. Costs in nanousd; None is an unknown price."""

    prompt: str
    model: str
    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    output_tokens_max: int = 0
    cost_nanousd: int | None = 0
    cost_max_nanousd: int | None = 0
    output_limit_assumed: bool = False

    def add(self, one: CallEstimate, repeats: int) -> None:
        """Count one question, asked `repeats` times."""
        self.calls += repeats
        self.input_tokens += one.input_tokens * repeats
        self.output_tokens += one.expected_output_tokens * repeats
        self.output_tokens_max += one.output_tokens_max * repeats
        self.cost_nanousd = _plus(self.cost_nanousd, one.cost_nanousd, repeats)
        self.cost_max_nanousd = _plus(self.cost_max_nanousd, one.cost_max_nanousd, repeats)
        self.output_limit_assumed = one.output_limit_assumed


@dataclass(slots=True, kw_only=True)
class JudgesEstimate:
    """The most that the judges of a whole suite take: each reply repaired once, no answer abstained on.

    `canary_calls_max` of the calls are for canaries. What a judge reads depends on answers that are not there
    yet, so that there is no expectation.
    """

    calls_max: int = 0
    cost_max_nanousd: int | None = 0
    canary_calls_max: int = 0

    def add(self, calls: int, bounds: Sequence[LinearBound | None], case: Case, answers: int) -> None:
        """Count a case with `answers` by each model; one answer takes `calls` and, by its model, a bound."""
        judged = _judged_bytes(case)
        for bound in bounds:
            self.calls_max += answers * calls
            cost = None if bound is None else bound.base_nanousd + bound.per_byte_nanousd * judged
            self.cost_max_nanousd = _plus(self.cost_max_nanousd, cost, answers)

    def add_canaries(self, judging: Judging, case_bytes: int) -> None:
        """Count the canaries of a run, whose case has at most so many bytes."""
        self.canary_calls_max = judging.canary_calls_max
        self.calls_max += self.canary_calls_max
        bound = judging.canary_bound()
        cost = None if bound is None else bound.base_nanousd + bound.per_byte_nanousd * case_bytes
        self.cost_max_nanousd = _plus(self.cost_max_nanousd, cost, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteEstimate:
    """What a suite would take."""

    name: str
    cases: int
    candidates: tuple[CandidateEstimate, ...]
    budget_usd: float | None
    judges: JudgesEstimate | None = None

    @property
    def calls(self) -> int:
        """Calls of the whole grid, none of them cached."""
        return sum(candidate.calls for candidate in self.candidates)


async def estimate_stored_suite(suite: Suite, filters: Filters, context: Context) -> SuiteEstimate:
    """As `estimate_suite`, for a suite whose prompts or cases are in the store."""
    suite = await resolve_suite(context, narrow_suite(suite, filters))
    if suite.dataset.stored is None:
        return estimate_suite(suite, filters, context)
    async with context.database.transaction(context.organization_id) as connection:
        found = await get_dataset_version(connection, context.organization_id, suite.dataset.stored)
        return await with_cases(
            connection,
            context.organization_id,
            found.id,
            lambda read: estimate_suite(suite, filters, context, read),
        )


def estimate_suite(
    suite: Suite, filters: Filters, world: World, read: ReadCases | None = None
) -> SuiteEstimate:
    """Render every question and sum up; nothing is sent or stored. Raises as a run would before its calls.

    `read` gives the cases of the store, where the suite's are there.
    """
    suite = narrow_suite(suite, filters)
    filters = replace(filters, split=suite.dataset.split)
    grid = check_grid(world, check_race(suite, plan_of(suite)), suite)
    rows = [
        CandidateEstimate(prompt=prompt.name, model=model.name)
        for prompt in suite.prompts
        for model in suite.models
    ]
    selector = Selector(filters)
    deque(check_cases(suite, grid, selector, read and read()), maxlen=0)
    chosen = selector.finish()
    cases, longest, judges = 0, 0, JudgesEstimate() if grid.judging.metrics else None
    bounds = [grid.judging.bound(output_limit(config)[0]) for config in grid.plan.models]
    answers = grid.plan.repeats * len(grid.plan.prompts)
    for number, case in enumerate(check_cases(suite, grid, Selector(filters), read and read())):
        if chosen is None or any(first <= number < last for first, last in chosen):
            cases += 1
            _add_case(rows, grid, {**suite.variables, **case.vars})
            if judges is not None:
                judges.add(grid.judging.calls_max, bounds, case, answers)
                longest = max(longest, _judged_bytes(case))
    if judges is not None and suite.canaries:
        judges.add_canaries(grid.judging, longest)
    return SuiteEstimate(
        name=suite.name,
        cases=cases,
        candidates=tuple(rows),
        budget_usd=suite.budget_usd,
        judges=judges,
    )


def _judged_bytes(case: Case) -> int:
    """What a judge reads of a case, at most."""
    return sum(len(canonical_json(part)) for part in (case.vars, case.expected, case.context))


def _add_case(rows: list[CandidateEstimate], grid: Grid, variables: Mapping[str, object]) -> None:
    numbered = iter(rows)
    for prompt, compiled in zip(grid.plan.prompts, grid.prompts, strict=True):
        request = ModelRequest(
            messages=compiled.render(variables), tools=prompt.tools, response_format=prompt.response_format
        )
        for config in grid.plan.models:
            one = estimate_call(config, request, grid.pricings[config.name])
            next(numbered).add(one, grid.plan.repeats)


def _plus(total: int | None, one: int | None, times: int) -> int | None:
    return None if total is None or one is None else total + one * times


def estimate_lines(estimate: SuiteEstimate) -> list[list[str]]:
    """Header and rows of a table for people."""
    rows = [["prompt", "model", "calls", "tokens in", "tokens out", "cost", "at most"]]
    for each in estimate.candidates:
        out = f"{each.output_tokens:,}" + (" (limit assumed)" if each.output_limit_assumed else "")
        rows.append(
            [
                each.prompt,
                each.model,
                f"{each.calls:,}",
                f"{each.input_tokens:,}",
                out,
                _dollars(each.cost_nanousd),
                _dollars(each.cost_max_nanousd),
            ]
        )
    return rows


def estimate_document(estimate: SuiteEstimate) -> dict[str, object]:
    """The estimate for programs; US dollars, null where a price is unknown."""
    return {
        "name": estimate.name,
        "cases": estimate.cases,
        "calls": estimate.calls,
        "budget_usd": estimate.budget_usd,
        "judges": None if estimate.judges is None else _judges_document(estimate.judges),
        "candidates": [
            {
                "prompt": each.prompt,
                "model": each.model,
                "calls": each.calls,
                "input_tokens": each.input_tokens,
                "output_tokens": each.output_tokens,
                "output_tokens_max": each.output_tokens_max,
                "output_limit_assumed": each.output_limit_assumed,
                "cost_usd": None if each.cost_nanousd is None else each.cost_nanousd / NANO,
                "cost_max_usd": None if each.cost_max_nanousd is None else each.cost_max_nanousd / NANO,
            }
            for each in estimate.candidates
        ],
    }


def _judges_document(judges: JudgesEstimate) -> dict[str, object]:
    cost = judges.cost_max_nanousd
    return {
        "calls_max": judges.calls_max,
        "canary_calls_max": judges.canary_calls_max,
        "cost_max_usd": None if cost is None else cost / NANO,
    }


def judges_line(judges: JudgesEstimate) -> str:
    """For people: the most that judges take."""
    canaries = f" ({judges.canary_calls_max:,} for canaries)" if judges.canary_calls_max else ""
    return f"judges: at most {judges.calls_max:,} calls{canaries} and {_dollars(judges.cost_max_nanousd)}"


def _dollars(nanousd: int | None) -> str:
    return "unknown" if nanousd is None else f"${nanousd / NANO:,.4f}"
