"""The loop: claim > generate > score > record, until nothing is left or someone stops it.

Cells are claimed a window ahead of the slots at the provider, so that a free slot never waits for the
database; what is answered is scored and stored in batches. The window bounds the memory of a run: it does
not grow with the number of cells. The same loop serves one process and many: all share the queue.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from assay.domain.errors import AccountStopped, ModelError, StorageFailed
from assay.domain.events import AccountPaused, CallFailed, ItemsRecorded, RunEnded, RunStarted
from assay.domain.jobs import Failure, Recorded, Success, Sweep, WorkItem
from assay.engine.attempts import LeaseLost
from assay.engine.evaluate import Answer
from assay.engine.policy import EndReason, RunContext
from assay.engine.tasks import end_tasks

DRAIN_POLL_S = 0.2
"""How often a drain looks for cells whose request came back and that would be sent again."""

MODEL_ERRORS = frozenset(kind.code for kind in ModelError.__subclasses__())


async def run(context: RunContext, *, planned: int, done: int) -> EndReason:
    """Work on a job until it ends or is stopped; every lease is recorded or handed back on return."""
    context.emit(RunStarted(job_id=context.job_id, planned=planned, done=done))
    reason = await _Run(context).work()
    context.emit(RunEnded(job_id=context.job_id, reason=reason))
    return reason


class _Run:
    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._model_of: dict[int, int] = {}
        self._asking: set[int] = set()
        self._answered: asyncio.Queue[Answer | Failure] = asyncio.Queue()
        self._gathered = asyncio.Event()
        self._scored: asyncio.Queue[list[Success | Failure]] = asyncio.Queue(maxsize=2)
        self._room = asyncio.Event()
        self._errors = 0
        self._skip: set[int] = set()
        self._parked_until: dict[int, float] = {}
        self._claimed_at = self._stored_at = context.clock()
        self._pace = float(context.policy.concurrency)
        self._refusals = 0
        self._broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._backlog = 0
        self._expanded = False
        self._reason: EndReason | None = None

    async def work(self) -> EndReason:
        steps = (self._score_batches, self._record_batches, self._beat, self._sweep_often, self._watch)
        background = [asyncio.create_task(step()) for step in steps]
        feeder = asyncio.create_task(self._feed())
        stored = True
        try:
            await self._until_stopped(feeder, background)
            await self._drain(feeder, background)
        except StorageFailed:
            stored = False  # the leases will run out: there is nobody to hand them back to
            raise
        finally:
            await end_tasks([*background, feeder, *self._tasks.values()])
            if stored:
                await self._release(list(self._tasks))
        return self._reason or "interrupted"

    # -- feeding

    async def _feed(self) -> None:
        """Claim whenever a quarter of the window is free; returns when nothing is left to claim."""
        policy = self._context.policy
        await self._expand()
        while self._reason is None and not self._context.stop.draining.is_set():
            self._room.clear()
            window = policy.window(self._pace)
            free = window - len(self._tasks)
            if free < max(1, window // 4):
                await self._room.wait()
                continue
            if not self._expanded and self._backlog < 4 * window:
                await self._expand()
            await self._steer(window)
            self._claimed_at = self._context.clock()
            items = await self._context.queue.claim(free, skip_models=tuple(self._skip))
            self._backlog -= len(items)
            if items and self._context.stop.draining.is_set():
                await self._context.queue.release([item.lease_token for item in items], [])
                return
            for item in items:
                self._start(item)
            if not items and await self._nothing_ready():
                return

    async def _expand(self) -> None:
        made = await self._context.queue.expand()
        self._backlog = max(0, self._backlog) + made
        self._expanded = made == 0

    async def _steer(self, window: int) -> None:
        """Let as many cells be claimed as the window holds; it can choose among all cells only."""
        if self._context.steering is not None:
            while not self._expanded:
                await self._expand()
            await self._context.steering.steer(window)

    async def _nothing_ready(self) -> bool:
        """Whether the run is over, told from a moment without work; waits for more otherwise."""
        if not self._expanded:
            await self._expand()
            return False
        if self._tasks:
            await self._wait_for_room(self._context.policy.poll_s)
            return False
        if await self._run_solo():
            return False
        sweep = await self._context.queue.sweep()
        self._reason = self._ended(sweep)
        if self._reason is None:
            waits = sweep.next_ready_s is not None and not sweep.leased and self._context.steering is None
            wait_s = (sweep.next_ready_s or 0.0) if waits else 0.0
            await self._wait_for_room(min(max(wait_s, self._context.policy.poll_s), 5.0))
        return self._reason is not None

    def _ended(self, sweep: Sweep) -> EndReason | None:
        states: dict[str, EndReason] = {
            "completed": "completed",
            "cancelled": "cancelled",
            "paused": "paused",
        }
        if sweep.state in states:
            return states[sweep.state]
        if sweep.leased or not sweep.ready:
            return None
        if self._skip:
            return None if self._others_wait() else "account_stopped"
        # A cell may come due, or come back, between claim and sweep: only a second refusal says "no money".
        due = sweep.next_ready_s is not None and sweep.next_ready_s <= 0
        self._refusals = self._refusals + 1 if due and not sweep.reclaimed else 0
        return "budget" if self._context.policy.capped and self._refusals > 1 else None

    def _others_wait(self) -> bool:
        """Whether cells of models that go on waited for their provider when work was last claimed."""
        waits = (until for model, until in self._parked_until.items() if model not in self._skip)
        return any(until >= self._claimed_at for until in waits)

    async def _run_solo(self) -> bool:
        """Run one suspect cell with nothing beside it; whether there was one."""
        items = await self._context.queue.claim(1, solo=True, skip_models=tuple(self._skip))
        for item in items:
            self._start(item)
        while self._tasks and not self._context.stop.draining.is_set():
            await self._wait_for_room(1.0)
        return bool(items)

    async def _wait_for_room(self, seconds: float) -> None:
        """Sleep, but wake when a cell is stored or the run is asked to stop."""
        waits = [asyncio.create_task(w) for w in (self._room.wait(), self._context.stop.draining.wait())]
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()

    # -- one cell

    def _start(self, item: WorkItem) -> None:
        self._refusals = 0
        self._model_of[item.lease_token] = item.model_no
        self._asking.add(item.lease_token)
        self._tasks[item.lease_token] = asyncio.create_task(self._generate(item))

    async def _generate(self, item: WorkItem) -> None:
        try:
            outcome = await self._context.evaluator.generate(item, self._context.attempts)
            if isinstance(outcome, Answer):
                outcome = await self._context.evaluator.judge(outcome, self._context.attempts)
        except StorageFailed as error:
            if not self._broken.done():
                self._broken.set_exception(error)
            return
        if isinstance(outcome, Failure) and outcome.code == LeaseLost.code:
            self._drop(item.lease_token)
            return
        self._answered.put_nowait(outcome)
        self._asked(item.lease_token)

    def _asked(self, token: int) -> None:
        """This cell's answer is no longer waited for; the next batch may be complete by that."""
        self._asking.discard(token)
        if not self._asking or self._answered.qsize() >= self._context.policy.batch_size:
            self._gathered.set()

    def _drop(self, token: int) -> None:
        if self._tasks.pop(token, None) is not None:
            self._model_of.pop(token, None)
            self._asked(token)
            self._context.slots.sent.discard(token)
            self._context.attempts.forget(token)
            self._room.set()

    # -- score and record

    async def _score_batches(self) -> None:
        policy, evaluator = self._context.policy, self._context.evaluator
        while True:
            batch = [await self._answered.get()]
            await self._gather()
            while len(batch) < 4 * policy.batch_size and not self._answered.empty():
                batch.append(self._answered.get_nowait())
            answers = [item for item in batch if isinstance(item, Answer)]
            failures = [item for item in batch if isinstance(item, Failure)]
            scored = await asyncio.to_thread(evaluator.score, answers, self._context.attempts)
            await self._scored.put([*scored, *failures])

    async def _gather(self) -> None:
        """Let a batch grow for a moment, unless it is large already or nothing more is on its way."""
        policy = self._context.policy
        if self._asking and self._answered.qsize() < policy.batch_size:
            self._gathered.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(policy.linger_s):
                    await self._gathered.wait()

    async def _record_batches(self) -> None:
        while True:
            outcomes = await self._scored.get()
            answers = await self._context.queue.record(outcomes)
            stopped = self._notice(outcomes, answers)
            self._keep_pace(len(outcomes))
            for outcome in outcomes:
                self._drop(outcome.item.lease_token)
            if stopped:
                await self._give_back([t for t in self._unsent() if self._model_of[t] in stopped])

    def _keep_pace(self, stored: int) -> None:
        """Follow how many cells a second are stored, by which the window is sized."""
        now = self._context.clock()
        seconds = max(now - self._stored_at, 0.001)
        self._pace += (stored / seconds - self._pace) / 2
        self._stored_at = now

    def _notice(self, outcomes: Sequence[Success | Failure], answers: Sequence[Recorded]) -> set[int]:
        """Count what was stored, tell the listeners, stop where the user asked for it; models to stop."""
        stored = [(o, a) for o, a in zip(outcomes, answers, strict=True) if a not in ("already", "fenced")]
        successes = [o for o, _ in stored if isinstance(o, Success)]
        failed = sum(1 for _, answer in stored if answer == "failed")
        stopped = {o.item.model_no for o, _ in stored if isinstance(o, Failure) and self._stops_model(o)}
        for outcome, answer in stored:
            if isinstance(outcome, Failure) and answer == "failed" and outcome.code not in MODEL_ERRORS:
                self._tell(outcome)
            if isinstance(outcome, Failure) and answer == "ready":
                until = self._context.clock() + (outcome.retry_after_s or 0.0)
                model_no = outcome.item.model_no
                self._parked_until[model_no] = max(self._parked_until.get(model_no, until), until)
        self._context.emit(
            ItemsRecorded(
                succeeded=len(successes),
                failed=failed,
                retried=sum(1 for _, answer in stored if answer == "ready"),
                cached=sum(1 for o in successes if o.response.cached),
                passed=sum(1 for o in successes if all(s.passed is not False for s in o.scores)),
                cost_nanousd=sum(o.paid_nanousd for o in successes),
                unpriced=sum(1 for o in successes if o.has_unknown_price),
            )
        )
        self._errors += failed
        most = self._context.policy.max_errors
        if most is not None and self._errors >= most and self._reason is None:
            self._reason = "errors"
            self._context.stop.drain()
        return stopped

    def _tell(self, outcome: Failure) -> None:
        """Of failed calls the models tell; of all else nobody has yet."""
        name = self._context.evaluator.model_name(outcome.item.model_no)
        message = f"case {outcome.item.case.key!r}: {outcome.message}"
        self._context.emit(
            CallFailed(model=name, code=outcome.code, message=message, attempt=outcome.call_no, wait_s=None)
        )

    def _stops_model(self, outcome: Failure) -> bool:
        """Whether this outcome is the first to say that a model's account is used up."""
        if outcome.code != AccountStopped.code or outcome.item.model_no in self._skip:
            return False
        self._skip.add(outcome.item.model_no)
        name = self._context.evaluator.model_name(outcome.item.model_no)
        self._context.emit(AccountPaused(model=name, message=outcome.message))
        return True

    # -- leases

    async def _beat(self) -> None:
        while True:
            await self._context.sleep(self._context.policy.heartbeat_s)
            tokens = list(self._tasks)
            if not tokens:
                continue
            held = await self._context.queue.heartbeat(tokens)
            lost = (token for token in tokens if token not in held and token in self._tasks)
            await self._give_back([token for token in lost if not self._tasks[token].done()])

    async def _watch(self) -> None:
        """Raises what a cell met that is not its own failure."""
        await self._broken

    async def _sweep_often(self) -> None:
        while True:
            await self._context.sleep(self._context.policy.sweep_s)
            await self._context.queue.sweep()

    # -- the end

    async def _until_stopped(
        self, feeder: asyncio.Task[None], background: Sequence[asyncio.Task[None]]
    ) -> None:
        """Until the feeder is done or a stop is asked for; a defect in a stage is raised here."""
        stopped = asyncio.create_task(self._context.stop.draining.wait())
        try:
            await asyncio.wait([feeder, stopped, *background], return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopped.cancel()
        _raise_first(feeder, *background)

    async def _drain(self, feeder: asyncio.Task[None], background: Sequence[asyncio.Task[None]]) -> None:
        """Hand back what is not at a provider, wait for what is, unless told to stop at once.

        The feeder ends by itself: cut off within a claim it could leave leases that nobody knows of.
        """
        stop = self._context.stop
        while stop.draining.is_set() and not stop.aborting.is_set():
            self._room.set()  # wakes the feeder
            await self._give_back(self._unsent())
            self._room.clear()
            if feeder.done() and not self._tasks:
                return
            waits = [asyncio.create_task(w) for w in (self._room.wait(), stop.aborting.wait())]
            await asyncio.wait(
                [*waits, *background], timeout=DRAIN_POLL_S, return_when=asyncio.FIRST_COMPLETED
            )
            for wait in waits:
                wait.cancel()
            _raise_first(feeder, *background)

    def _unsent(self) -> list[int]:
        """Leases without a request at the provider: not asked yet, or between two attempts."""
        sent = self._context.slots.sent
        return [token for token, task in self._tasks.items() if token not in sent and not task.done()]

    async def _give_back(self, tokens: Sequence[int]) -> None:
        for token in tokens:
            self._tasks[token].cancel()
        await self._release(tokens)

    async def _release(self, tokens: Sequence[int]) -> None:
        if tokens:
            sent = [token for token in tokens if token in self._context.slots.sent]
            await self._context.queue.release(list(tokens), sent)
            for token in tokens:
                self._drop(token)


def _raise_first(*tasks: "asyncio.Task[None]") -> None:
    for task in tasks:
        if task.done() and not task.cancelled() and (error := task.exception()) is not None:
            raise error
