"""One cell: render, ask, price; and a batch of answers: score."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from assay.domain.errors import AccountStopped, AssayError, ModelError, RateLimited, StorageFailed
from assay.domain.jobs import Failure, KeptAnswer, Success, WorkItem
from assay.domain.models import ModelRequest, ModelResponse, Usage, WorkTag, request_key
from assay.domain.money import NANO
from assay.domain.prompts import Message, Prompt
from assay.domain.protocols import JudgedMetric, Metric, Model
from assay.domain.scores import Sample, Score
from assay.engine.attempts import Attempts
from assay.engine.judge_calls import JudgeLedger, Seat, Waits, judges_for

PARK_S = 60.0
"""How long a cell waits in the queue when its provider keeps refusing without saying for how long."""


class CellDefect(AssayError):
    """Our own code, or one of the user's, broke on this cell; the others go on."""

    code = "internal_error"


class Rendering(Protocol):
    """A compiled prompt."""

    def render(self, variables: Mapping[str, object]) -> tuple[Message, ...]:
        """The messages with their variables filled in."""


class Pricing(Protocol):
    """The price of one model."""

    @property
    def version(self) -> str:
        """The version of the table it comes from."""

    def cost_nanousd(self, usage: Usage) -> int | None:
        """Billionths of a US dollar, or None when the tokens are not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A model of the grid, ready to be asked. `pricings` are by the label of the model that answers."""

    model: Model
    pricings: Mapping[str, Pricing | None]
    takes_vars: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """A cell that was answered and waits to be scored."""

    item: WorkItem
    key: bytes
    response: ModelResponse
    cost_nanousd: int | None
    price_version: str | None
    judged: tuple[Score, ...] = ()
    """The scores of the metrics that asked models; the others come with the batch."""


@dataclass(frozen=True, slots=True)
class Bench:
    """The metrics that ask models, the models that they ask, and the ledger of that."""

    metrics: Sequence[JudgedMetric]
    seats: Mapping[str, Seat]
    ledger: JudgeLedger


class Evaluator:
    """Turns leased cells into outcomes. Knows nothing of queues and storage."""

    def __init__(
        self,
        *,
        prompts: Sequence[tuple[Prompt, Rendering]],
        candidates: Sequence[Candidate],
        metrics: Sequence[Metric],
        variables: Mapping[str, object],
        clock: Callable[[], float],
        bench: Bench | None = None,
    ) -> None:
        self._prompts, self._candidates, self._metrics = prompts, candidates, metrics
        self._bench = bench
        self._variables, self._clock = variables, clock

    def model_name(self, model_no: int) -> str:
        """The label of a model of the grid."""
        return self._candidates[model_no].model.config.name

    async def generate(self, item: WorkItem, attempts: Attempts) -> Answer | Failure:
        """Ask the model of this cell; a failure is a value, but for StorageFailed, which is raised."""
        candidate = self._candidates[item.model_no]
        started = self._clock()
        try:
            request = self._request(item, candidate)
            response = await candidate.model.generate(request)
        except StorageFailed:
            raise
        except AssayError as error:
            return _failure(item, error, attempts, (self._clock() - started) * 1000)
        except Exception as error:  # a defect must cost one cell, not the run
            defect = CellDefect(f"{type(error).__name__}: {error}")
            return _failure(item, defect, attempts, (self._clock() - started) * 1000)
        key = request_key(candidate.model.config, request)
        if response.cached:
            return Answer(item, key, response, 0, None)
        pricing = candidate.pricings[response.answered_by or candidate.model.config.name]
        if pricing is None:
            return Answer(item, key, response, None, None)
        return Answer(item, key, response, pricing.cost_nanousd(response.usage), pricing.version)

    async def judge(self, answer: Answer, attempts: Attempts) -> Answer | Failure:
        """Let the metrics that ask models score an answer; StorageFailed is raised.

        When a judge's account has stopped or its provider asks to wait, the cell waits: its answer is kept
        in the ledger, and found there when the cell comes round again.
        """
        if self._bench is None:
            return answer
        item, bench = answer.item, self._bench
        bench.ledger.begin(item.lease_token, attempts.call_no(item.lease_token), _kept(answer))
        waits: list[Waits] = []
        tag = WorkTag(
            item_no=item.item_no,
            lease_token=item.lease_token,
            prompt=self._prompts[item.prompt_no][0].name,
            case=item.case.key,
        )
        try:
            scores = await judge_sample(bench, _sample(answer), tag, waits)
        finally:
            bench.ledger.forget(item.lease_token)
        if waits:
            return _unjudged(answer, waits[0], attempts)
        return replace(answer, judged=scores)

    def score(self, answers: Sequence[Answer], attempts: Attempts) -> list[Success]:
        """Score a batch of answers with the other metrics. CPU work: call it off the event loop."""
        samples = [_sample(answer) for answer in answers]
        columns = [metric.score_batch(samples) for metric in self._metrics]
        rows: Sequence[tuple[Score, ...]] = (
            list(zip(*columns, strict=True)) if columns else [()] * len(answers)
        )
        return [
            Success(
                item=answer.item,
                request_key=answer.key,
                response=answer.response,
                scores=(*scores, *answer.judged),
                cost_nanousd=answer.cost_nanousd,
                price_version=answer.price_version,
                call_no=attempts.call_no(answer.item.lease_token),
            )
            for answer, scores in zip(answers, rows, strict=True)
        ]

    def _request(self, item: WorkItem, candidate: Candidate) -> ModelRequest:
        prompt, rendering = self._prompts[item.prompt_no]
        variables = {**self._variables, **item.case.vars} if self._variables else item.case.vars
        return ModelRequest(
            messages=rendering.render(variables),
            tools=prompt.tools,
            response_format=prompt.response_format,
            repeat=item.repeat,
            vars=variables if candidate.takes_vars else {},
            tag=WorkTag(
                item_no=item.item_no, lease_token=item.lease_token, prompt=prompt.name, case=item.case.key
            ),
        )


async def judge_sample(bench: Bench, sample: Sample, tag: WorkTag, waits: list[Waits]) -> tuple[Score, ...]:
    """One score for each metric that asks models, all at the same time.

    What keeps the whole cell waiting is put into `waits`; StorageFailed is raised.
    """

    async def score(metric: JudgedMetric) -> Score:
        name = metric.config.name
        judges = judges_for(bench.seats, metric.judges, replace(tag, metric=name), waits)
        try:
            return await metric.judge(sample, judges)
        except StorageFailed:
            raise
        except Exception as error:  # a fault on one answer costs that score, never the run
            return Score(name, "failed", None, f"{type(error).__name__}: {error}"[:300])

    return tuple(await asyncio.gather(*(score(metric) for metric in bench.metrics)))


def _unjudged(answer: Answer, error: Waits, attempts: Attempts) -> Failure:
    """The cell waits for its judges; what its answer cost is told."""
    return replace(
        _failure(answer.item, error, attempts, answer.response.latency_ms),
        message=f"a judge cannot be asked: {error.message}",
        response=answer.response,
        cost_nanousd=answer.cost_nanousd,
        price_version=answer.price_version,
    )


def _sample(answer: Answer) -> Sample:
    cost = None if answer.cost_nanousd is None else answer.cost_nanousd / NANO
    return Sample(case=answer.item.case, response=answer.response, cost_usd=cost)


def _kept(answer: Answer) -> KeptAnswer | None:
    """What the ledger keeps of an answer; nothing of one that is stored already."""
    if answer.response.cached:
        return None
    return KeptAnswer(
        item_no=answer.item.item_no,
        lease_token=answer.item.lease_token,
        request_key=answer.key,
        response=answer.response,
        cost_nanousd=answer.cost_nanousd,
        price_version=answer.price_version,
    )


def _failure(item: WorkItem, error: AssayError, attempts: Attempts, latency_ms: float) -> Failure:
    known = error if isinstance(error, ModelError) else None
    stopped = isinstance(error, AccountStopped)
    parked = stopped or isinstance(error, RateLimited)
    # A stopped account is not claimed for again in this run: whoever resumes it later need not wait.
    wait_s = 0.0 if stopped else (known.retry_after_s if known else None) or PARK_S
    return Failure(
        item=item,
        code=error.code,
        message=error.message,
        retry_after_s=wait_s if parked else None,
        counts=not parked,
        http_status=known.http_status if known else None,
        provider_request_id=known.provider_request_id if known else None,
        latency_ms=latency_ms,
        call_no=attempts.call_no(item.lease_token),
    )
