"""Runs over a real queue, with models that do what a test says."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from assay.domain.models import ModelConfig, ModelRequest, ModelResponse, Usage
from assay.domain.protocols import Model
from assay.engine.attempts import Attempts
from assay.engine.evaluate import Candidate, Evaluator
from assay.engine.policy import EndReason, RunContext, RunPolicy, Slots, StopSignal
from assay.engine.render import compile_prompt
from assay.engine.run import run
from assay.metrics.catalog import make_metric
from assay.models.gate import Gate
from assay.models.retry import Retried, RetryPolicy
from assay.models.surroundings import Surroundings
from assay.storage.queue import JobQueue
from tenants import ESTIMATE, VERSIONS, MadeJob, Tenant

Ask = Callable[[ModelRequest], Awaitable[ModelResponse]]
QUICK = RunPolicy(concurrency=4, batch_size=8, linger_s=0.005, heartbeat_s=0.05, sweep_s=0.05, poll_s=0.02)


class FlatPrice:
    """Every call costs the same."""

    version = "flat"

    def cost_nanousd(self, _: Usage) -> int:
        """Half of what is reserved for it."""
        return ESTIMATE // 2


async def yes(_: ModelRequest) -> ModelResponse:
    """An answer."""
    return ModelResponse(text="yes", usage=Usage(input_tokens=1, output_tokens=1))


@dataclass
class Scripted:
    """A provider that does what `ask` says; counts who is asked how often."""

    config: ModelConfig
    ask: Ask = yes
    asked: list[str] = field(default_factory=list)
    open: int = 0
    peak: int = 0

    async def generate(self, request: ModelRequest) -> ModelResponse:
        """Do as the test says."""
        assert request.tag is not None
        self.asked.append(request.tag.case)
        self.open += 1
        self.peak = max(self.peak, self.open)
        try:
            return await self.ask(request)
        finally:
            self.open -= 1

    async def close(self) -> None:
        """Nothing to give back."""


class Scene:
    """A job, its models, and a run over them."""

    def __init__(self, tenant: Tenant, job: MadeJob, policy: RunPolicy) -> None:
        self.tenant, self.job, self.policy = tenant, job, policy
        self.models = [Scripted(config) for config in job.plan.models]
        self.stop = StopSignal()
        self.events: list[Any] = []
        self.retry: RetryPolicy | None = None

    def context(self, queue: JobQueue | None = None, stop: StopSignal | None = None) -> RunContext:
        """What a run works with; `queue` in place of the job's own."""
        queue = queue or self.tenant.queue(self.job, "here")
        slots = Slots(self.policy.concurrency)
        attempts = Attempts(queue, slots.sent)
        around = Surroundings(
            clock=time.monotonic, sleep=asyncio.sleep, rng=Random(1), emit=self.events.append
        )
        plan = self.job.plan
        candidates = []
        for scripted in self.models:
            model: Model = Gate(scripted, slots.gate, slots.sent)
            if self.retry is not None:
                model = Retried(model, attempts, around, self.retry)
            candidates.append(Candidate(model=model, pricings={scripted.config.name: FlatPrice()}))
        evaluator = Evaluator(
            prompts=[(prompt, compile_prompt(prompt)) for prompt in plan.prompts],
            candidates=candidates,
            metrics=[make_metric(config) for config in plan.metrics if config.name in VERSIONS],
            variables={},
            clock=time.monotonic,
        )
        return RunContext(
            job_id=str(self.job.id),
            queue=queue,
            evaluator=evaluator,
            attempts=attempts,
            slots=slots,
            policy=self.policy,
            emit=self.events.append,
            clock=time.monotonic,
            sleep=asyncio.sleep,
            stop=stop or self.stop,
        )

    async def run(self, queue: JobQueue | None = None) -> EndReason:
        """Run to the end, which must come."""
        async with asyncio.timeout(120):
            return await run(self.context(queue), planned=self.job.shape.planned, done=0)

    async def states(self) -> dict[str, int]:
        """How many cells are in each state."""
        states = await self.tenant.items(self.job)
        return {state: states.count(state) for state in set(states)}

    async def calls(self) -> Sequence[tuple[Any, ...]]:
        """The ledger: cell, call number, state and outcome."""
        return await self.tenant.rows(
            """select item_no, call_no, state::text, outcome from assay.model_calls
                where job_id = %s order by item_no, lease_token, call_no""",
            [self.job.id],
        )
