"""Metrics in the user's own Python: trusted code, run in this process."""

import asyncio
import inspect
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

from assay.domain.errors import InvalidInput
from assay.domain.protocols import CallBound, Judge
from assay.domain.scores import MetricConfig, MetricInfo, Sample, Score
from assay.domain.text import valid_text
from assay.metrics.custom_result import Verdict, read_result, to_score
from assay.metrics.custom_target import ARGUMENTS, Target, load_target
from assay.metrics.entry import MetricSpec
from assay.metrics.sample_metric import UNANSWERED, Unscored

GIVEN: Mapping[str, Callable[[Sample], Any]] = {
    "output": lambda sample: valid_text(sample.response.text),
    "expected": lambda sample: deepcopy(sample.case.expected),
    "vars": lambda sample: deepcopy(sample.case.vars),
    "context": lambda sample: sample.case.context,
    "metadata": lambda sample: deepcopy(sample.case.metadata),
    "tool_calls": lambda sample: deepcopy(list(sample.response.tool_calls)),
    "case": lambda sample: deepcopy(sample.case),
    "response": lambda sample: deepcopy(sample.response),
}
"""Argument -> how it is read. What could be changed is a copy: metrics after it see the case as it was."""


def make_python(spec: MetricSpec) -> "PythonMetric | AsyncPythonMetric":
    """A metric of a callable: a function, a class with `score` or `__call__`, or with `score_batch`.

    The version has the hash of the callable's file. Raises InvalidInput when it cannot be loaded or needs
    arguments that are not there.
    """
    options = spec.options["options"]
    if isinstance(options, bool):
        raise InvalidInput("must be an object", field="options.options")
    target = load_target(spec.options["target"], options)
    version = f"{spec.info.version}+{target.version}" if target.version else spec.info.version
    info = replace(spec.info, version=version)
    caller = Caller(target, options or {}, spec.options["every_answer"])
    if target.is_async:
        return AsyncPythonMetric(info, spec.config, caller, float(spec.options["timeout_s"]))
    return PythonMetric(info, spec.config, caller)


@dataclass(frozen=True, slots=True)
class Caller:
    """How a callable is called, and what becomes of its results."""

    target: Target
    options: Mapping[str, Any]
    every_answer: bool

    def why_not(self, sample: Sample) -> Unscored | None:
        """Why there is no answer to score, if there is none."""
        why = None if self.every_answer else UNANSWERED.get(sample.response.finish)
        return None if why is None else Unscored("abstained", why)

    def call(self, sample: Sample) -> Any:
        """What the callable gives back for a sample: a result, or an awaitable of one."""
        return self.target.call(**self._arguments(sample, self.target.names))

    def call_batch(self, samples: Sequence[Sample]) -> list[Any]:
        """What it gives back for rows of all arguments; raises TypeError unless it is one result for each."""
        names = [name for name in ARGUMENTS if name in GIVEN]
        results = self.target.call([self._arguments(sample, names) for sample in samples])
        if isinstance(results, str | bytes | Mapping) or not hasattr(results, "__iter__"):
            raise TypeError(f"score_batch gave a {type(results).__name__} and no list")
        found = list(results)
        if len(found) != len(samples):
            raise TypeError(f"score_batch gave {len(found)} results for {len(samples)} answers")
        return found

    def read(self, result: Any) -> Verdict | Unscored:
        """The verdict of a result."""
        if inspect.isawaitable(result):
            getattr(result, "close", lambda: None)()
            return Unscored("failed", f"{self.target.name} gave an awaitable: declare it with `async def`")
        return read_result(result, self.target.name)

    def fault(self, error: BaseException) -> Unscored:
        """The failure of an error in the user's code."""
        return Unscored("failed", self.target.fault(error))

    def _arguments(self, sample: Sample, names: Sequence[str]) -> dict[str, Any]:
        return {name: deepcopy(self.options) if name == "options" else GIVEN[name](sample) for name in names}


@dataclass(frozen=True, slots=True)
class PythonMetric:
    """A metric of a synchronous callable."""

    info: MetricInfo
    config: MetricConfig
    caller: Caller

    def score_batch(self, samples: Sequence[Sample]) -> Sequence[Score]:
        """One score for each sample, in order; an error of the user's code costs that score."""
        found = [self.caller.why_not(sample) for sample in samples]
        asked = [sample for sample, why_not in zip(samples, found, strict=True) if why_not is None]
        answers = iter(self._ask_batch(asked) if self.caller.target.is_batch else map(self._ask, asked))
        verdicts = [next(answers) if why_not is None else why_not for why_not in found]
        return [
            to_score(self.config, verdict, sample.response.finish)
            for sample, verdict in zip(samples, verdicts, strict=True)
        ]

    def _ask(self, sample: Sample) -> Verdict | Unscored:
        try:
            return self.caller.read(self.caller.call(sample))
        except (Exception, SystemExit) as error:
            return self.caller.fault(error)

    def _ask_batch(self, samples: Sequence[Sample]) -> Sequence[Verdict | Unscored]:
        """All at once; if that fails, one by one, so that the fault of one answer is not that of all."""
        if not samples:
            return []
        try:
            return [self.caller.read(result) for result in self.caller.call_batch(samples)]
        except (Exception, SystemExit) as error:
            if len(samples) == 1:
                return [self.caller.fault(error)]
        return [verdict for sample in samples for verdict in self._ask_batch([sample])]


@dataclass(frozen=True, slots=True)
class AsyncPythonMetric:
    """A metric of an asynchronous callable: it runs in the event loop, and asks no model of ours."""

    info: MetricInfo
    config: MetricConfig
    caller: Caller
    timeout_s: float

    @property
    def judges(self) -> tuple[str, ...]:
        """None: what the user's code asks, it asks itself."""
        return ()

    @property
    def bound(self) -> CallBound:
        """No call that is ours to pay."""
        return CallBound(calls=0, fixed_bytes=0)

    async def judge(self, sample: Sample, judges: Mapping[str, Judge]) -> Score:  # noqa: ARG002  (the protocol's)
        """The score of one sample; an error of the user's code, or one that takes too long, is a failure."""
        found = self.caller.why_not(sample) or await self._ask(sample)
        return to_score(self.config, found, sample.response.finish)

    async def _ask(self, sample: Sample) -> Verdict | Unscored:
        limit = asyncio.timeout(self.timeout_s)
        try:
            async with limit:
                return self.caller.read(await self.caller.call(sample))
        except (Exception, SystemExit) as error:
            if isinstance(error, TimeoutError) and limit.expired():
                name = self.caller.target.name
                return Unscored("failed", f"{name} took longer than {self.timeout_s:g} seconds")
            return self.caller.fault(error)
