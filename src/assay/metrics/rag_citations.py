"""Whether the documents that an answer cites support what it says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from assay.domain.scores import Sample
from assay.judging.panel import Opinion, Procedure
from assay.judging.questions import Question, Unanswered
from assay.judging.seat import Seat
from assay.judging.templates import get_template
from assay.metrics.citations import Sentence, cited_sentences
from assay.metrics.entry import MetricSpec
from assay.metrics.judged_metric import AskingMetric, answering, asking_metric
from assay.metrics.rag_documents import (
    Document,
    each_once,
    numbered_documents,
    numbered_lines,
    quoted_spans,
    shown_texts,
)
from assay.metrics.sample_metric import Unscored, quote

SUPPORT = "citation_support"
TOKENS_A_CITATION = 120
LINE_BYTES = 300
"""More than the number of a sentence and the numbers of its documents take."""
MOST_CITED = 10
"""Different documents that one sentence may cite."""
NO_CITATION = "the answer cites nothing; `measure: recall` counts that"


@dataclass(frozen=True, slots=True)
class _Cited:
    """Sentences by number from 1, and the pairs (sentence, document) that they cite; wrong ones apart."""

    sentences: Mapping[int, Sentence]
    pairs: tuple[tuple[int, int], ...]
    wrong: tuple[tuple[int, str], ...]
    documents: Mapping[int, Document]

    def of(self, sentence: int) -> tuple[int, ...]:
        """The documents that a sentence cites."""
        return tuple(document for number, document in self.pairs if number == sentence)

    @property
    def bare(self) -> tuple[int, ...]:
        """The sentences that cite nothing, not even wrongly."""
        return tuple(number for number, each in self.sentences.items() if not each.citations)


def make_citation_support(spec: MetricSpec) -> AskingMetric:
    """Citation precision, or recall, of the answer (ALCE)."""
    measure: str = spec.options["measure"]
    most: int = spec.options["max_sentences"]

    def procedure_of(sample: Sample) -> Procedure | Unscored:
        shown = shown_texts(sample, spec.options, ("answer",), ("answer",))
        if isinstance(shown, Unscored):
            return shown
        if not shown.texts["answer"].strip():
            return Unscored("abstained", "the answer is empty: it cites nothing")
        cited = _cited(cited_sentences(shown.texts["answer"], shown.documents), shown.documents)
        if problem := _over_limit(cited, most):
            return Unscored("failed", problem)
        if measure == "precision" and not cited.pairs:
            return _wrong_only(cited) if cited.wrong else Unscored("abstained", NO_CITATION)
        return _asked(cited, measure)

    metric = asking_metric(spec, procedure_of, (SUPPORT,), extra_bytes=2 * most * LINE_BYTES)
    return answering(metric, _tokens(2 * most, most))


def _cited(listed: Sequence[Sentence], documents: Sequence[Document]) -> _Cited:
    """A blank document supports nothing: to cite it is wrong."""
    filled = {each.number: each for each in documents if each.text.strip()}
    pairs: dict[tuple[int, int], None] = {}
    wrong: dict[tuple[int, str], None] = {}
    for number, sentence in enumerate(listed, 1):
        for each in sentence.citations:
            if each.document in filled:
                pairs[number, each.document] = None
            else:
                wrong[number, each.mark] = None
    return _Cited(dict(enumerate(listed, 1)), tuple(pairs), tuple(wrong), filled)


def _over_limit(cited: _Cited, most: int) -> str | None:
    if len(cited.sentences) > most:
        return f"the answer has {len(cited.sentences):,} sentences, over the limit of {most:,}"
    if len(cited.pairs) > 2 * most or any(len(cited.of(number)) > MOST_CITED for number in cited.sentences):
        return f"the citations are over the limit of {MOST_CITED} a sentence and {2 * most:,} in all"
    return None


def _tokens(citations: int, count: int) -> int:
    return 300 + TOKENS_A_CITATION * citations + 12 * count


def _asked(cited: _Cited, measure: str) -> Procedure:
    documents = [cited.documents[number] for number in sorted({document for _, document in cited.pairs})]
    lines = []
    for number, sentence in cited.sentences.items():
        names = ", ".join(map(str, cited.of(number)))
        said = (
            f"cites {names}"
            if names
            else "cites what is not there"
            if sentence.citations
            else "cites nothing"
        )
        lines.append(f"{sentence.text} ({said})")
    question = Question(
        template=get_template(SUPPORT),
        data={
            "documents": numbered_documents(documents) or "(none is cited)",
            "sentences": numbered_lines(lines),
        },
        check=lambda verdict: _check(verdict, cited),
        max_tokens=_tokens(len(cited.pairs), len(lines)),
    )

    async def procedure(seat: Seat) -> Opinion | Unanswered:
        answer = await seat.put(question)
        if isinstance(answer, Unanswered):
            return answer
        return _opinion(answer.verdict, cited, measure, answer.repaired)

    return procedure


def _check(verdict: Mapping[str, Any], cited: _Cited) -> str | None:
    """Each citation once; what is supported cites, what needs a citation cites nothing; full is supported."""
    given = [(each["sentence"], each["document"]) for each in verdict["citations"]]
    if problem := each_once(given, cited.pairs, "citation (sentence, document)"):
        return problem
    supported, needing = verdict["supported"], verdict["needing"]
    citing = {number for number, _ in cited.pairs}
    if not citing.issuperset(supported) or len(set(supported)) < len(supported):
        return "supported lists a sentence that cites no document, or one more than once"
    if not set(cited.bare).issuperset(needing) or len(set(needing)) < len(needing):
        return "needing lists a sentence that cites something, or one more than once"
    for each in verdict["citations"]:
        if each["support"] == "full" and each["sentence"] not in supported:
            return f"it contradicts itself: sentence {each['sentence']} has full support and is not supported"
    return None


def _opinion(verdict: Mapping[str, Any], cited: _Cited, measure: str, repaired: bool) -> Opinion | Unanswered:
    listed = [_citation(each, cited) for each in verdict["citations"]]
    held = {(each["sentence"], each["document"]): each["support"] for each in listed}
    shown = {number for (number, _), support in held.items() if support in ("full", "partial")}
    supported = shown & {*verdict["supported"]}
    for each in listed:
        each["precise"] = _precise(each["sentence"], each["document"], held, supported)
    wrong = [{"sentence": number, "mark": mark, "precise": False} for number, mark in cited.wrong]
    citing = {number for number, each in cited.sentences.items() if each.citations}
    total, needed = len(listed) + len(wrong), len(citing) + len(verdict["needing"])
    if not needed:
        return Unanswered(state="abstained", reason="no sentence of the answer needs a citation")
    precise = sum(bool(each["precise"]) for each in listed)
    precision, recall = (precise / total if total else None), len(supported) / needed
    evidence = {
        "citations": listed, "wrong": wrong, "citation_precision": precision, "citation_recall": recall,
        "cited_share": len(citing) / needed,
        "uncited": [cited.sentences[number].text[:500] for number in sorted(verdict["needing"])],
        **({"repaired": True} if repaired else {}),
    }  # fmt: skip
    value = recall if measure == "recall" or precision is None else precision
    reason = f"{precise} of {total} citations support their sentence; {len(supported)} of {needed} sentences"
    reason += " that need support have it" + _worst(listed, wrong)
    return Opinion(value=value, reason=reason, evidence=evidence)


def _citation(each: Mapping[str, Any], cited: _Cited) -> dict[str, Any]:
    """A citation with its passage; support by a passage that is not there is unverified."""
    document = cited.documents[each["document"]]
    sentence = cited.sentences[each["sentence"]]
    spans = quoted_spans(each["quote"], document)
    support = each["support"] if spans or each["support"] == "none" else "unverified"
    return {
        "sentence": each["sentence"], "text": sentence.text[:500],
        "start": sentence.start, "end": sentence.end,
        "document": document.number, "support": support, "quote": each["quote"][:500], "spans": spans,
    }  # fmt: skip


def _precise(number: int, document: int, held: Mapping[tuple[int, int], str], supported: set[int]) -> bool:
    """ALCE: the sentence is supported, and the document supports it alone or is needed beside the others."""
    own = held[number, document]
    if number not in supported or own not in ("full", "partial"):
        return False
    others = [support for (other, each), support in held.items() if other == number and each != document]
    return own == "full" or "full" not in others


def _worst(listed: Sequence[Mapping[str, Any]], wrong: Sequence[Mapping[str, Any]]) -> str:
    if wrong:
        return f"; [{wrong[0]['mark']}] points to no document"
    bad = next((each for each in listed if not each["precise"]), None)
    return f"; {bad['support']} by {bad['document']}: {quote(bad['text'], 120)}" if bad else ""


def _wrong_only(cited: _Cited) -> Procedure:
    async def procedure(seat: Seat) -> Opinion | Unanswered:  # noqa: ARG001 - nothing is to be asked
        wrong = [{"sentence": number, "mark": mark, "precise": False} for number, mark in cited.wrong]
        reason = f"0 of {len(wrong)} citations support their sentence" + _worst((), wrong)
        evidence = {"citations": [], "wrong": wrong, "citation_precision": 0.0}
        return Opinion(value=0.0, reason=reason, evidence=evidence)

    return procedure
