"""Metrics of one question and one grade from 1 to 5: relevance, coherence, correctness and their like."""

from collections.abc import Callable, Mapping
from typing import Any

from assay.domain.scores import Sample
from assay.judging.panel import Procedure
from assay.judging.questions import Question
from assay.judging.templates import get_template
from assay.metrics.entry import MetricSpec
from assay.metrics.grades import FIVE, graded
from assay.metrics.judged_metric import AskingMetric, asking_metric
from assay.metrics.judged_texts import judged_texts
from assay.metrics.sample_metric import Unscored

Check = Callable[[Mapping[str, Any]], str | None]
GRADES = {"correct": (4, 5), "partly_correct": (3, 3), "incorrect": (1, 2)}
"""Which grades go with which verdict of correctness."""
BAD = 3
"""The best grade for which there must be something that is wrong."""


def _check_correctness(verdict: Mapping[str, Any]) -> str | None:
    said, score = verdict["verdict"], verdict["score"]
    low, high = GRADES[said]
    return None if low <= score <= high else f"it contradicts itself: {said} with score {score}"


def _check_completeness(verdict: Mapping[str, Any]) -> str | None:
    return _check_findings("missing", verdict)


def _check_harmfulness(verdict: Mapping[str, Any]) -> str | None:
    return _check_findings("harms", verdict)


def _check_findings(name: str, verdict: Mapping[str, Any]) -> str | None:
    """The best grade has no findings, and the lower three have some."""
    score = verdict["score"]
    found = [text for text in verdict[name] if text.strip()]
    if score == FIVE.high and found:
        return f"it contradicts itself: score {score} with {len(found)} entries in {name}"
    if score <= BAD and not found:
        return f"it contradicts itself: score {score} with nothing in {name}"
    return None


ABOUT_A_QUESTION = ("relevance", "correctness", "completeness", "conciseness")
"""Metrics that say nothing where there is no question."""

CHECKS: Mapping[str, tuple[Check, str]] = {
    "correctness": (_check_correctness, "verdict"),
    "completeness": (_check_completeness, "missing"),
    "harmfulness": (_check_harmfulness, "harms"),
}
"""What must agree with the grade: the check, and the field that it reads."""


def make_graded(spec: MetricSpec) -> AskingMetric:
    """(grade - 1) / 4 of the template that the catalog names, with that of the expected grade where given."""
    template = get_template(spec.info.prompts[0])
    check, shown = CHECKS.get(template.name, (None, None))
    needed = ["reference"] if "expected" in spec.info.needs else []
    needed += ["question"] if template.name in ABOUT_A_QUESTION else []

    def procedure_of(sample: Sample) -> Procedure | Unscored:
        texts = judged_texts(sample, spec.options, template.data, needed)
        if isinstance(texts, Unscored):
            return texts
        question = Question(template=template, data=texts, check=check, weigh=FIVE.weigh)
        return graded(question, FIVE, (shown,) if shown else ())

    return asking_metric(spec, procedure_of, spec.info.prompts)
