"""Several criteria in one call."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

from assay.domain.errors import InvalidInput
from assay.domain.scores import Sample
from assay.judging.panel import Opinion, Procedure
from assay.judging.questions import Answer, Question, Unanswered
from assay.judging.seat import Seat
from assay.judging.templates import Template, get_template
from assay.judging.verdicts import with_range
from assay.metrics.entry import MetricSpec
from assay.metrics.grades import Scale, reasoning_of, scale_of
from assay.metrics.judged_metric import AskingMetric, answering, asking_metric
from assay.metrics.judged_texts import judged_texts
from assay.metrics.sample_metric import Unscored

TOKENS_A_CRITERION = 400
MOST = 30


@dataclass(frozen=True, slots=True)
class Criterion:
    """One criterion: what it asks for, and its weight in the mean."""

    name: str
    description: str
    weight: float = 1.0


def make_criteria(spec: MetricSpec) -> AskingMetric:
    """sum w_i (grade_i - low) / (high - low) / sum w_i over the criteria, all graded in one call."""
    template = get_template("criteria")
    scale = scale_of(spec.options)
    criteria = _criteria(spec.options["criteria"])
    schema = _schema(template, criteria, scale)
    max_tokens = TOKENS_A_CRITERION * (1 + len(criteria))
    settings = {
        "criteria": "\n".join(f"- {each.name}: {each.description}" for each in criteria),
        "low": str(scale.low),
        "high": str(scale.high),
    }

    def procedure_of(sample: Sample) -> Procedure | Unscored:
        texts = judged_texts(sample, spec.options, template.data)
        if isinstance(texts, Unscored):
            return texts
        question = Question(
            template=template,
            data=texts,
            settings=settings,
            schema=schema,
            check=lambda verdict: _check(verdict, criteria),
            max_tokens=max_tokens,
        )
        return _procedure(question, criteria, scale)

    return answering(asking_metric(spec, procedure_of, ("criteria",)), max_tokens)


def _procedure(question: Question, criteria: tuple[Criterion, ...], scale: Scale) -> Procedure:
    async def procedure(seat: Seat) -> Opinion | Unanswered:
        answer = await seat.put(question)
        return answer if isinstance(answer, Unanswered) else _opinion(answer, criteria, scale)

    return procedure


def _opinion(answer: Answer, criteria: tuple[Criterion, ...], scale: Scale) -> Opinion | Unanswered:
    """The weighted mean; abstained when one criterion was not judged: a mean of others is another mean."""
    grades = {each["criterion"]: each for each in answer.verdict["grades"]}
    unjudged = [name for name, grade in grades.items() if grade["score"] is None]
    if unjudged:
        why = reasoning_of(grades[unjudged[0]])
        return Unanswered(state="abstained", reason=f"the judge cannot judge {', '.join(unjudged)}: {why}")
    values = {each.name: scale.value(grades[each.name]["score"]) for each in criteria}
    mean = sum(each.weight * values[each.name] for each in criteria) / sum(each.weight for each in criteria)
    worst = min(criteria, key=lambda each: values[each.name])
    shown = {
        each.name: {
            "score": grades[each.name]["score"],
            "value": values[each.name],
            "weight": each.weight,
            "reason": reasoning_of(grades[each.name]),
        }
        for each in criteria
    }
    reason = ", ".join(f"{each.name} {grades[each.name]['score']}" for each in criteria)
    reason += f" of {scale.high}; lowest {worst.name}: {reasoning_of(grades[worst.name], 200)}"
    evidence: dict[str, Any] = {"criteria": shown}
    if answer.repaired:
        evidence["repaired"] = True
    return Opinion(value=mean, reason=reason, evidence=evidence)


def _check(verdict: Mapping[str, Any], criteria: tuple[Criterion, ...]) -> str | None:
    """Each criterion once; what is missing or doubled is named."""
    names = [grade["criterion"] for grade in verdict["grades"]]
    for each in criteria:
        if names.count(each.name) != 1:
            how = "missing" if each.name not in names else "graded more than once"
            return f"the criterion {each.name!r} is {how}"
    return None


def _schema(template: Template, criteria: tuple[Criterion, ...], scale: Scale) -> dict[str, Any]:
    """The template's schema with the names of the criteria and the scale."""
    schema = dict(template.schema or {})
    grades = schema["properties"]["grades"]
    item = with_range(grades["items"], "score", scale.low, scale.high)
    names = {"type": "string", "enum": [each.name for each in criteria]}
    item["properties"] = {**item["properties"], "criterion": names}
    return {**schema, "properties": {**schema["properties"], "grades": {**grades, "items": item}}}


def _criteria(option: Any) -> tuple[Criterion, ...]:
    """The criteria of the option: name -> description, or name -> {description, weight}."""
    if not isinstance(option, Mapping) or not 0 < len(option) <= MOST:
        raise InvalidInput(
            f"must be an object of 1 to {MOST} criteria, name: description", field="options.criteria"
        )
    if len({str(name).strip().casefold() for name in option}) != len(option):
        raise InvalidInput("has two names that differ in capitals only", field="options.criteria")
    return tuple(_criterion(str(name).strip(), value) for name, value in option.items())


def _criterion(name: str, value: Any) -> Criterion:
    place = f"options.criteria.{name}"
    inner = value if isinstance(value, Mapping) else {"description": value}
    description, weight = inner.get("description"), inner.get("weight", 1.0)
    if not name or not isinstance(description, str) or not description.strip():
        raise InvalidInput("needs a name and a description", field=place)
    if set(inner) - {"description", "weight"}:
        raise InvalidInput("has only description and weight", field=place)
    numeric = isinstance(weight, int | float) and not isinstance(weight, bool)
    if not (numeric and weight > 0 and isfinite(weight)):
        raise InvalidInput("needs a weight above 0", field=f"{place}.weight")
    return Criterion(name, description.strip(), float(weight))
