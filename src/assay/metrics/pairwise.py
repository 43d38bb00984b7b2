"""Which of two answers is better, asked in both orders."""

import asyncio
from typing import Any, NamedTuple

from assay.domain.scores import Sample
from assay.domain.text import valid_text
from assay.judging.panel import Opinion, Procedure
from assay.judging.questions import Answer, Question, Unanswered
from assay.judging.seat import Seat
from assay.judging.templates import get_template
from assay.metrics.entry import MetricSpec
from assay.metrics.grades import reasoning_of
from assay.metrics.judged_metric import AskingMetric, asking_metric
from assay.metrics.judged_texts import judged_texts
from assay.metrics.sample_metric import Unscored, accepted_texts, too_long

WORTH = {"answer": 1.0, "tie": 0.5, "other": 0.0}
ORDERS = (
    {"first": "answer", "second": "other", "tie": "tie"},
    {"first": "other", "second": "answer", "tie": "tie"},
)


class Rival(NamedTuple):
    """The text that the answer is compared with, and whose it is: `baseline` or `expected`."""

    text: str
    origin: str


def make_pairwise(spec: MetricSpec) -> AskingMetric:
    """1 when the answer wins in both orders, 0 when it loses in both, else 0.5."""
    template = get_template("pairwise")
    settings = {"criteria": spec.options["criteria"] or ""}

    def procedure_of(sample: Sample) -> Procedure | Unscored:
        rival = _rival(sample)
        if isinstance(rival, Unscored):
            return rival
        texts = judged_texts(sample, spec.options, ("question", "answer"))
        if isinstance(texts, Unscored):
            return texts
        limit: int = spec.options["max_chars"]
        length = sum(map(len, texts.values())) + len(rival.text)
        if length > limit:
            return too_long(f"{length:,} characters", limit, "set `max_chars` if the judge can read more")
        if texts["answer"].strip() == rival.text.strip():
            return _equal(rival)
        asked = {"question": texts["question"]} if "question" in texts else {}
        pairs = ((texts["answer"], rival.text), (rival.text, texts["answer"]))
        questions = [
            Question(template=template, data={**asked, "first": first, "second": second}, settings=settings)
            for first, second in pairs
        ]
        return _in_both_orders(questions, rival)

    return asking_metric(spec, procedure_of, ("pairwise",), questions=2, copies=2)


def _rival(sample: Sample) -> Rival | Unscored:
    if sample.baseline is not None:
        return Rival(valid_text(sample.baseline), "baseline")
    accepted = accepted_texts(sample.case.expected)
    if isinstance(accepted, Unscored):
        return Unscored("skipped", f"there is no baseline to compare with, and {accepted.reason}")
    return Rival(accepted[0], "expected")


def _equal(rival: Rival) -> Procedure:
    async def procedure(seat: Seat) -> Opinion | Unanswered:  # noqa: ARG001 - nothing is to be asked
        return Opinion(
            value=0.5, reason=f"the answer is the {rival.origin}", evidence={"against": rival.origin}
        )

    return procedure


def _in_both_orders(questions: list[Question], rival: Rival) -> Procedure:
    async def procedure(seat: Seat) -> Opinion | Unanswered:
        answers = await asyncio.gather(*(seat.put(question) for question in questions))
        verdicts = []
        for answer in answers:
            if isinstance(answer, Unanswered):
                return answer
            verdicts.append(answer)
        return _opinion(verdicts, rival)

    return procedure


def _opinion(answers: list[Answer], rival: Rival) -> Opinion:
    better = [names[answer.verdict["better"]] for names, answer in zip(ORDERS, answers, strict=True)]
    agreed = better[0] == better[1]
    winner = better[0] if agreed else "tie"
    evidence: dict[str, Any] = {
        "against": rival.origin,
        "agreed": agreed,
        "orders": [
            {"first": names["first"], "better": each, "reason": reasoning_of(answer.verdict)}
            for names, each, answer in zip(ORDERS, better, answers, strict=True)
        ],
    }
    if any(answer.repaired for answer in answers):
        evidence["repaired"] = True
    said = {"answer": "better than", "other": "worse than", "tie": "as good as"}[winner]
    why = reasoning_of(answers[0].verdict) if agreed else "the orders disagree, which counts as a tie"
    return Opinion(value=WORTH[winner], reason=f"{said} the {rival.origin}: {why}", evidence=evidence)
