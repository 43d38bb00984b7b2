"""How good the retrieved context is: rank-aware precision, recall of the expected answer, relevance."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import fsum
from typing import Any

from assay.domain.scores import Sample
from assay.judging.panel import Opinion, Procedure
from assay.judging.questions import Answer, Question, Unanswered
from assay.judging.seat import Seat
from assay.judging.templates import get_template
from assay.metrics.entry import MetricSpec
from assay.metrics.faithfulness import (
    CLAIM_CHARS,
    CLAIMS,
    TOKENS_A_CHECK,
    TOKENS_A_CLAIM,
    VERIFY,
    check_by_context,
    claims_question,
)
from assay.metrics.grades import reasoning_of
from assay.metrics.judged_metric import BYTES_A_CHAR, AskingMetric, answering, asking_metric
from assay.metrics.rag_documents import (
    Document,
    Shown,
    each_once,
    first_expected,
    numbered_documents,
    numbered_lines,
    quoted_spans,
    shown_texts,
)
from assay.metrics.sample_metric import Unscored
from assay.metrics.sentences import sentences

USEFULNESS, RELEVANCE = "context_usefulness", "context_relevance"
TOKENS_A_NUMBER = 6
NUMBER_BYTES = 12
"""More than a number takes before a sentence or document."""


def usefulness_tokens(documents: int) -> int:
    """The limit of a reply about so many documents."""
    return TOKENS_A_CHECK * (1 + documents)


def usefulness_question(shown: Shown, reference: str, documents: Sequence[Document]) -> Question:
    """Which of the documents are useful for the question, given its answer?"""
    wanted = [each.number for each in documents]
    return Question(
        template=get_template(USEFULNESS),
        data={
            "question": shown.texts["question"],
            "reference": reference,
            "documents": numbered_documents(documents),
        },
        check=lambda verdict: each_once(
            [each["document"] for each in verdict["documents"]], wanted, "document"
        ),
        max_tokens=usefulness_tokens(len(documents)),
    )


def useful_documents(
    verdict: Mapping[str, Any], documents: Sequence[Document]
) -> tuple[list[dict[str, Any]], set[int]]:
    """What is shown of each document, and the numbers of the useful ones; one without its passage is none."""
    by_number = {each.number: each for each in documents}
    listed, useful = [], set()
    for each in sorted(verdict["documents"], key=lambda entry: int(entry["document"])):
        document = by_number[each["document"]]
        spans = quoted_spans(each["quote"], document)
        said = "useful" if each["useful"] else "not useful"
        if each["useful"] and spans:
            useful.add(document.number)
        elif each["useful"]:
            said = "unverified"
        entry = {"document": document.number, "verdict": said, "quote": each["quote"][:500], "spans": spans}
        listed.append({**entry, **({"id": document.id} if document.id else {})})
    return listed, useful


def average_precision(useful: Sequence[bool]) -> float:
    """sum of precision@k over the ranks k of useful documents / their number; 0 without any."""
    hits = [rank for rank, each in enumerate(useful, 1) if each]
    return fsum(count / rank for count, rank in enumerate(hits, 1)) / len(hits) if hits else 0.0


def make_context_precision(spec: MetricSpec) -> AskingMetric:
    """Mean precision@k over the ranks of useful documents, by the expected answer, else by the answer."""

    def procedure_of(sample: Sample) -> Procedure | Unscored:
        by = "answer" if sample.case.expected in (None, []) else "expected"
        name = "answer" if by == "answer" else "reference"
        shown = shown_texts(sample, spec.options, ("question", name), ("question",))
        if isinstance(shown, Unscored):
            return shown
        reference = shown.texts[name]
        if not reference.strip():
            return Unscored("abstained", f"the {by} text is empty: nothing can be useful for it")
        return _precision(shown, usefulness_question(shown, reference, shown.filled), by)

    most: int = spec.options["max_documents"]
    metric = asking_metric(spec, procedure_of, (USEFULNESS,), extra_bytes=2 * most * NUMBER_BYTES)
    return answering(metric, usefulness_tokens(most))


def _precision(shown: Shown, question: Question, by: str) -> Procedure:
    async def procedure(seat: Seat) -> Opinion | Unanswered:
        answer = await seat.put(question)
        if isinstance(answer, Unanswered):
            return answer
        listed, useful = useful_documents(answer.verdict, shown.filled)
        value = average_precision([each.number in useful for each in shown.documents])
        ranks = f", at {', '.join(map(str, sorted(useful)))}" if useful else ""
        reason = f"{len(useful)} of {len(shown.documents)} documents useful by the {by} text{ranks}"
        return _opinion(value, reason, {"by": by, "documents": listed}, answer)

    return procedure


def make_context_recall(spec: MetricSpec) -> AskingMetric:
    """Share of the expected answer's claims that the context supports, each by a quotation that is there."""
    most: int = spec.options["max_claims"]

    def procedure_of(sample: Sample) -> Procedure | Unscored:
        first = first_expected(sample)
        shown = shown_texts(first, spec.options, ("question", "reference"), ("reference",))
        if isinstance(shown, Unscored):
            return shown
        reference = shown.texts["reference"]
        if not reference.strip():
            return Unscored("skipped", "the expected text is empty")
        data = {name: shown.texts[name] for name in ("question",) if name in shown.texts}
        documents = [each.text for each in shown.documents]
        question = claims_question({**data, "answer": reference}, most)
        return check_by_context(
            question, numbered_documents(shown.filled), documents, whose="the expected text"
        )

    extra = most * CLAIM_CHARS * BYTES_A_CHAR + 2 * spec.options["max_documents"] * NUMBER_BYTES
    metric = asking_metric(spec, procedure_of, (CLAIMS, VERIFY), extra_bytes=extra)
    return answering(metric, (200 + TOKENS_A_CLAIM * most + TOKENS_A_CHECK * (1 + most)) // 2 + 1)


def make_context_relevance(spec: MetricSpec) -> AskingMetric:
    """Share of the context's sentences, or documents, that help to answer the question."""
    unit: str = spec.options["unit"]
    most: int = spec.options["max_sentences"]

    def procedure_of(sample: Sample) -> Procedure | Unscored:
        shown = shown_texts(sample, spec.options, ("question",), ("question",))
        if isinstance(shown, Unscored):
            return shown
        parts = [(each, part.text) for each in shown.filled for part in sentences(each.text)]
        if len(parts) > most:
            return Unscored("failed", f"the context has {len(parts):,} sentences, over the limit of {most:,}")
        question = Question(
            template=get_template(RELEVANCE),
            data={
                "question": shown.texts["question"],
                "sentences": numbered_lines([text for _, text in parts]),
            },
            check=lambda verdict: _check_numbers(verdict["relevant"], len(parts)),
            max_tokens=_relevance_tokens(len(parts)),
        )
        return _relevance(question, shown, parts, unit)

    metric = asking_metric(spec, procedure_of, (RELEVANCE,), extra_bytes=2 * most * NUMBER_BYTES)
    return answering(metric, _relevance_tokens(most))


def _relevance_tokens(count: int) -> int:
    return 500 + TOKENS_A_NUMBER * count


def _check_numbers(numbers: Sequence[int], count: int) -> str | None:
    """Each number once, and none above the last."""
    if any(number > count for number in numbers):
        return f"there are {count} sentences only"
    return None if len(set(numbers)) == len(numbers) else "a sentence is listed more than once"


def _relevance(
    question: Question, shown: Shown, parts: Sequence[tuple[Document, str]], unit: str
) -> Procedure:
    async def procedure(seat: Seat) -> Opinion | Unanswered:
        answer = await seat.put(question)
        if isinstance(answer, Unanswered):
            return answer
        numbers = sorted(answer.verdict["relevant"])
        relevant = [parts[number - 1] for number in numbers]
        documents = {document.number for document, _ in relevant}
        count, total = (len(relevant), len(parts))
        if unit == "documents":
            count, total = len(documents), len(shown.documents)
        listed = [{"document": document.number, "sentence": text[:500]} for document, text in relevant]
        evidence = {"relevant": listed, "sentences": len(parts), "documents": sorted(documents)}
        reason = f"{count} of {total} {unit} relevant: {reasoning_of(answer.verdict)}"
        return _opinion(count / total, reason, evidence, answer)

    return procedure


def _opinion(value: float, reason: str, evidence: Mapping[str, Any], answer: Answer) -> Opinion:
    opinion = Opinion(value=value, reason=reason, evidence=evidence)
    return replace(opinion, evidence={**evidence, "repaired": True}) if answer.repaired else opinion
