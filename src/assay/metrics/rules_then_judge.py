"""Metrics of rules that ask a judge about what their rules leave open, when a suite names one."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from assay.domain.errors import AssayError
from assay.domain.protocols import CallBound, Judge
from assay.domain.scores import MetricConfig, MetricInfo, Sample, Score
from assay.judging.refusals import Refusals
from assay.judging.seat import Seat
from assay.judging.templates import get_template
from assay.metrics.entry import MetricSpec
from assay.metrics.judged_metric import BYTES_A_CHAR, question_bytes
from assay.metrics.open_questions import (
    QUESTION_CHARS,
    QUESTIONS_A_CALL,
    Form,
    Heard,
    OpenQuestion,
    answer_tokens,
    ask_all,
    batches,
    check_questions,
)
from assay.metrics.sample_metric import UNANSWERED, Finding, Unscored, sample_metric

SCHEMA_COPIES = 5
"""How often the ids of questions are sent with a question and its repair together, at most."""


class Found(NamedTuple):
    """A value or why there is none, and evidence in both cases."""

    found: Finding | Unscored
    evidence: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Looked:
    """What rules make of one sample: the text, what they leave open, and what the answers make of both."""

    text: str
    questions: Sequence[OpenQuestion]
    finish: Callable[[Heard], Found]


Look = Callable[[Sample], Looked | Finding | Unscored]
"""The rules' part. A finding is what they can say alone: the judge is not asked."""


@dataclass(frozen=True, slots=True)
class RulesThenJudge:
    """Rules decide first; a judge is asked about the rest, and its failure takes nothing from them."""

    spec: MetricSpec
    form: Form
    look: Look
    bound: CallBound
    refusals: Refusals = field(default_factory=Refusals)

    @property
    def info(self) -> MetricInfo:
        """What the catalog says of it, and that a model is asked."""
        return replace(self.spec.info, judged=True)

    @property
    def config(self) -> MetricConfig:
        """What the suite asked for."""
        return self.spec.config

    @property
    def judges(self) -> tuple[str, ...]:
        """The label of the judge."""
        return self.spec.judges

    async def judge(self, sample: Sample, judges: Mapping[str, Judge]) -> Score:
        """The score of one sample; raises only what `Judge.ask` raises beside a ModelError."""
        if sample.response.finish in UNANSWERED:
            return self._score(sample, Unscored("abstained", "there is no answer"))
        try:
            looked = await asyncio.to_thread(self.look, sample)
            if not isinstance(looked, Looked):
                return self._score(sample, looked)
            return await self._ask(sample, looked, judges)
        except AssayError:
            raise
        except Exception as error:  # a fault on one answer costs that score, never the run
            return self._score(sample, Unscored("failed", f"{type(error).__name__}: {error}"[:300]))

    async def _ask(self, sample: Sample, looked: Looked, judges: Mapping[str, Judge]) -> Score:
        (label,) = self.judges
        seat = Seat(label=label, judge=judges[label], refusals=self.refusals)
        heard = await ask_all(seat, self.form, looked.text, looked.questions)
        found, evidence = looked.finish(heard)
        prompt = get_template(self.form.template)
        prompts = [{"name": prompt.name, "version": prompt.version, "hash": prompt.hash[:16]}]
        return replace(
            self._score(sample, found),
            evidence={**evidence, "judge": heard.evidence(seat), "prompts": prompts},
            calls=seat.calls,
            cost_nanousd=seat.cost_nanousd,
        )

    def _score(self, sample: Sample, found: Finding | Unscored) -> Score:
        (score,) = sample_metric(self.spec, lambda _: found).score_batch([sample])
        return score


def rules_then_judge(
    spec: MetricSpec, form: Form, look: Look, possible: Sequence[Sequence[OpenQuestion]]
) -> RulesThenJudge:
    """A metric whose rules leave open some of one of these lists of questions, for its judge.

    Raises InvalidInput for a question that no call has room for.
    """
    for questions in possible:
        check_questions(questions)
    return RulesThenJudge(spec, form, look, _bound(form, possible))


def _bound(form: Form, possible: Sequence[Sequence[OpenQuestion]]) -> CallBound:
    """Of the list that takes the most calls; a part of a list never takes more than the whole."""
    calls = max((len(list(batches(questions))) for questions in possible), default=0)
    chars = max((sum(len(each.line) + 1 for each in questions) for questions in possible), default=0)
    ids = max((len(json.dumps([each.id for each in questions])) for questions in possible), default=0)
    texts = 2 * BYTES_A_CHAR * min(chars, QUESTION_CHARS + QUESTIONS_A_CALL)
    schemas = SCHEMA_COPIES * BYTES_A_CHAR * min(ids, QUESTION_CHARS)
    return CallBound(
        calls=2 * calls,
        fixed_bytes=(question_bytes(get_template(form.template)) + texts + schemas) // 2 + 1,
        output_tokens=answer_tokens(QUESTIONS_A_CALL),
    )
