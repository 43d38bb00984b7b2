"""Grades by the suite author's own words: rubric and G-Eval."""

import json
from collections.abc import Mapping
from typing import Any

from assay.domain.errors import InvalidInput
from assay.domain.scores import Sample
from assay.judging.panel import Procedure
from assay.judging.questions import Question
from assay.judging.templates import get_template
from assay.judging.verdicts import with_range
from assay.metrics.entry import MetricSpec
from assay.metrics.grades import Scale, graded, scale_of
from assay.metrics.judged_metric import AskingMetric, asking_metric
from assay.metrics.judged_texts import judged_texts
from assay.metrics.sample_metric import Unscored

STEPS = (
    "Read the criteria, and note what each part of them asks for.",
    "Read the answer, and note for each part what fulfils it and what does not.",
    "Weigh the notes against the whole scale.",
)
"""The steps of G-Eval where the suite gives none."""


def make_rubric(spec: MetricSpec) -> AskingMetric:
    """(grade - low) / (high - low) by the rubric in the options."""
    scale = scale_of(spec.options)
    settings = {
        "rubric": spec.options["rubric"],
        "levels": _levels(spec.options["levels"] or {}, scale),
        "examples": _examples(spec.options["examples"] or [], scale),
    }
    return _graded_by(spec, "rubric", settings, scale)


def make_g_eval(spec: MetricSpec) -> AskingMetric:
    """(expected grade - low) / (high - low) by the criteria and steps in the options."""
    steps = spec.options["steps"] or STEPS
    steps = (steps,) if isinstance(steps, str) else steps
    settings = {
        "criteria": spec.options["criteria"],
        "steps": "\n".join(f"{number}. {step}" for number, step in enumerate(steps, 1)),
    }
    return _graded_by(spec, "g_eval", settings, scale_of(spec.options))


def _graded_by(spec: MetricSpec, name: str, settings: Mapping[str, str], scale: Scale) -> AskingMetric:
    template = get_template(name)
    schema = with_range(template.schema or {}, "score", scale.low, scale.high)
    settings = {**settings, "low": str(scale.low), "high": str(scale.high)}

    def procedure_of(sample: Sample) -> Procedure | Unscored:
        texts = judged_texts(sample, spec.options, template.data)
        if isinstance(texts, Unscored):
            return texts
        question = Question(
            template=template, data=texts, settings=settings, schema=schema, weigh=scale.weigh
        )
        return graded(question, scale)

    return asking_metric(spec, procedure_of, (name,))


def _levels(levels: Any, scale: Scale) -> str:
    """What each grade means, best first; raises InvalidInput for a grade that is not on the scale."""
    if not isinstance(levels, Mapping):
        raise InvalidInput("must be an object of grade: description", field="options.levels")
    read: dict[int, str] = {}
    for grade, text in levels.items():
        if not str(grade).lstrip("-").isdecimal() or not scale.low <= int(grade) <= scale.high:
            raise InvalidInput(
                f"must be a grade from {scale.low} to {scale.high}", field=f"options.levels.{grade}"
            )
        read[int(grade)] = str(text)
    return "\n".join(f"{grade}: {read[grade]}" for grade in sorted(read, reverse=True))


def _examples(examples: Any, scale: Scale) -> str:
    """Graded examples as JSON lines; raises InvalidInput for one without answer or with a foreign score."""
    if not isinstance(examples, list):
        raise InvalidInput("must be a list of objects with answer and score", field="options.examples")
    lines = []
    for number, example in enumerate(examples):
        place = f"options.examples.{number}"
        if not isinstance(example, Mapping) or not isinstance(example.get("answer"), str):
            raise InvalidInput("needs an answer", field=place)
        score = example.get("score")
        if type(score) is not int or not scale.low <= score <= scale.high:
            raise InvalidInput(f"needs a score from {scale.low} to {scale.high}", field=place)
        lines.append(json.dumps(dict(example), ensure_ascii=False))
    return "Examples of grades:\n" + "\n".join(lines) if lines else ""
