"""The walk that all metrics share which ask models: one sample at a time."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from assay.domain.errors import AssayError, InvalidInput
from assay.domain.protocols import CallBound, Judge
from assay.domain.scores import MetricConfig, MetricInfo, Sample, Score
from assay.judging.panel import Procedure, Ruling, convene
from assay.judging.questions import ANSWER_TOKENS, REPAIR_CHARS
from assay.judging.refusals import Refusals
from assay.judging.shared_texts import FORM, REPAIR
from assay.judging.templates import Template, get_template
from assay.judging.verdicts import sent_schema
from assay.metrics.entry import MetricSpec
from assay.metrics.sample_metric import UNANSWERED, Unscored, has_passed

MARKS_BYTES = 1_000
"""More than the fences of one prompt take."""
BYTES_A_CHAR = 4


@dataclass(frozen=True, slots=True)
class AskingMetric:
    """A metric that asks models. `procedure_of` says what is done at each judge's seat for one sample.

    Answers that were withheld are abstained on; a truncated one is judged, and the reason says so.
    """

    info: MetricInfo
    config: MetricConfig
    judges: tuple[str, ...]
    bound: CallBound
    samples: int
    procedure_of: Callable[[Sample], Procedure | Unscored]
    prompts: tuple[Template, ...]
    refusals: Refusals = field(default_factory=Refusals)

    async def judge(self, sample: Sample, judges: Mapping[str, Judge]) -> Score:
        """The score of one sample; raises only what `Judge.ask` raises beside a ModelError."""
        why_not = UNANSWERED.get(sample.response.finish)
        if why_not is not None:
            return Score(self.config.name, "abstained", None, why_not)
        try:
            procedure = self.procedure_of(sample)
            if isinstance(procedure, Unscored):
                return Score(self.config.name, procedure.state, None, procedure.reason)
            asked = {label: judges[label] for label in self.judges}
            ruling = await convene(asked, procedure, samples=self.samples, refusals=self.refusals)
        except AssayError:
            raise
        except Exception as error:  # a fault on one answer costs that score, never the run
            return Score(self.config.name, "failed", None, f"{type(error).__name__}: {error}"[:300])
        return self._score(sample, ruling)

    def _score(self, sample: Sample, ruling: Ruling) -> Score:
        reason = ruling.reason
        if sample.response.finish == "truncated":
            reason += "; the answer was truncated"
        prompts = [
            {"name": each.name, "version": each.version, "hash": each.hash[:16]} for each in self.prompts
        ]
        value = ruling.value
        return Score(
            metric=self.config.name,
            state=ruling.state,
            value=value,
            reason=reason,
            passed=None if value is None else has_passed(self.info, self.config, value),
            evidence={**ruling.evidence, "prompts": prompts},
            calls=ruling.calls,
            cost_nanousd=ruling.cost_nanousd,
        )


def asking_metric(
    spec: MetricSpec,
    procedure_of: Callable[[Sample], Procedure | Unscored],
    prompts: Sequence[str],
    *,
    questions: int | None = None,
    extra_bytes: int = 0,
    copies: int = 1,
) -> AskingMetric:
    """A metric that puts `questions` (default: one a prompt) at each seat, each repaired once at most.

    Its bound leaves out requests that a provider refuses for what it cannot do: they cost nothing.
    `extra_bytes` is what the answers to the first half of the questions add to the others. Raises
    InvalidInput for a jury that names one judge twice.
    """
    if len(set(spec.judges)) != len(spec.judges):
        raise InvalidInput("names a judge twice", field="options.jury")
    templates = tuple(get_template(name) for name in prompts)
    samples: int = spec.options["samples"]
    bytes_a_question = sum(map(question_bytes, templates)) // len(templates)
    bound = CallBound(
        calls=2 * samples * (questions or len(templates)),
        fixed_bytes=(bytes_a_question + extra_bytes) // 2 + _settings_bytes(spec) + 1,
        copies=copies,
        output_tokens=ANSWER_TOKENS,
    )
    return AskingMetric(spec.info, spec.config, spec.judges, bound, samples, procedure_of, templates)


def answering(metric: AskingMetric, output_tokens: int) -> AskingMetric:
    """The metric with another limit of a reply in its bound: the mean of the limits of its questions."""
    return replace(metric, bound=replace(metric.bound, output_tokens=output_tokens))


def question_bytes(template: Template) -> int:
    """Of a question and its repair together: texts and marks twice, the schema five times, the bad reply."""
    texts = 2 * len((template.system + template.user).encode()) + len((REPAIR + FORM).encode())
    schema = 5 * len(json.dumps(sent_schema(template.schema) if template.schema else "").encode())
    return texts + schema + BYTES_A_CHAR * REPAIR_CHARS + 2 * MARKS_BYTES


def _settings_bytes(spec: MetricSpec) -> int:
    """What the options add: each text once in the prompt and, as names of criteria, in the schemas."""
    return 4 * len(json.dumps(dict(spec.options), ensure_ascii=False, default=str).encode())
