"""Whether an answer is led astray by what was retrieved."""

from collections.abc import Mapping, Sequence
from typing import Any

from assay.domain.scores import Sample
from assay.judging.panel import Opinion, Procedure
from assay.judging.questions import Question, Unanswered
from assay.judging.seat import Seat
from assay.metrics.entry import MetricSpec
from assay.metrics.faithfulness import (
    CLAIM_CHARS,
    CLAIMS,
    TOKENS_A_CHECK,
    TOKENS_A_CLAIM,
    VERIFY,
    Listed,
    check_claims,
    claims_question,
    list_claims,
)
from assay.metrics.judged_metric import BYTES_A_CHAR, AskingMetric, answering, asking_metric
from assay.metrics.rag_context import (
    NUMBER_BYTES,
    USEFULNESS,
    useful_documents,
    usefulness_question,
    usefulness_tokens,
)
from assay.metrics.rag_documents import Shown, first_expected, numbered_documents, shown_texts
from assay.metrics.sample_metric import Unscored, quote

QUESTIONS = 4


def make_noise_sensitivity(spec: MetricSpec) -> AskingMetric:
    """1 - (claims that are wrong by the expected answer and stand in documents of a kind / claims)."""
    most: int = spec.options["max_claims"]
    kind: str = spec.options["documents"]

    def procedure_of(sample: Sample) -> Procedure | Unscored:
        names = ("question", "answer", "reference")
        shown = shown_texts(first_expected(sample), spec.options, names, ("question", "reference"))
        if isinstance(shown, Unscored):
            return shown
        if not shown.texts["answer"].strip():
            return Unscored("abstained", "the answer is empty: it claims nothing")
        if not shown.texts["reference"].strip():
            return Unscored("skipped", "the expected text is empty")
        return _noise(shown, kind, most)

    documents: int = spec.options["max_documents"]
    extra = 3 * most * CLAIM_CHARS * BYTES_A_CHAR + QUESTIONS * documents * NUMBER_BYTES
    prompts = (USEFULNESS, CLAIMS, VERIFY)
    metric = asking_metric(spec, procedure_of, prompts, questions=QUESTIONS, extra_bytes=extra)
    tokens = usefulness_tokens(documents) + 200 + TOKENS_A_CLAIM * most + 2 * TOKENS_A_CHECK * (1 + most)
    return answering(metric, tokens // QUESTIONS + 1)


def _noise(shown: Shown, kind: str, most: int) -> Procedure:
    """Which documents are useful, what the answer claims, what of it is wrong, and where that stands."""
    reference = shown.texts["reference"]
    usefulness = usefulness_question(shown, reference, shown.filled)
    data = {name: shown.texts[name] for name in ("question", "answer")}
    claims = claims_question(data, most)

    async def procedure(seat: Seat) -> Opinion | Unanswered:
        answer = await seat.put(usefulness)
        if isinstance(answer, Unanswered):
            return answer
        listed, useful = useful_documents(answer.verdict, shown.filled)
        found = await _claims_by_truth(seat, claims, shown)
        if isinstance(found, Unanswered):
            return found
        wanted = {each.number for each in shown.filled if (each.number in useful) == (kind == "relevant")}
        evidence: dict[str, Any] = {"kind": kind, "documents": listed}
        if answer.repaired or found.repaired:
            evidence["repaired"] = True
        return _opinion(found.items, wanted, evidence)

    return procedure


async def _claims_by_truth(
    seat: Seat, question: Question, shown: Shown
) -> Listed[dict[str, Any]] | Unanswered:
    """The claims of the answer: whether each is right by the expected text, and which documents say it."""
    listed = await list_claims(seat, question, "the answer")
    if isinstance(listed, Unanswered):
        return listed
    reference = shown.texts["reference"]
    truth = await check_claims(seat, listed.items, reference, [reference])
    if isinstance(truth, Unanswered):
        return truth
    texts = [each.text for each in shown.documents]
    told = await check_claims(seat, listed.items, numbered_documents(shown.filled), texts)
    if isinstance(told, Unanswered):
        return told
    correct = {each["claim"] for each in truth.items if each["verdict"] == "supported"}
    claims = [{**each, "correct": each["claim"] in correct} for each in told.items]
    return Listed(claims, listed.repaired or truth.repaired or told.repaired)


def _opinion(claims: Sequence[Mapping[str, Any]], wanted: set[int], evidence: dict[str, Any]) -> Opinion:
    """A claim counts against the answer when it is wrong and a document of the kind says it."""
    noisy = [each for each in claims if not each["correct"] and _stands_in(each, wanted)]
    kind = evidence["kind"]
    reason = f"{len(noisy)} of {len(claims)} claims are wrong and stand in {kind} documents"
    if noisy:
        reason += f": {quote(noisy[0]['claim'], 120)}"
    return Opinion(
        value=1 - len(noisy) / len(claims), reason=reason, evidence={**evidence, "claims": list(claims)}
    )


def _stands_in(claim: Mapping[str, Any], wanted: set[int]) -> bool:
    """Whether its quotation is in one of the documents, by number from 1."""
    if claim["verdict"] != "supported":
        return False
    return any(span["document"] + 1 in wanted for span in claim["spans"])
