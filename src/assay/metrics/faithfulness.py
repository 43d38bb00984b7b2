"""Whether an answer says only what its source says."""

from collections.abc import Mapping, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from assay.domain.scores import Sample
from assay.judging.panel import Opinion, Procedure
from assay.judging.questions import Question, Unanswered
from assay.judging.seat import Seat
from assay.judging.templates import get_template
from assay.judging.weighing import Weigh
from assay.metrics.entry import MetricSpec
from assay.metrics.grounding import grounded_value, grounding
from assay.metrics.judged_metric import BYTES_A_CHAR, AskingMetric, answering, asking_metric
from assay.metrics.judged_texts import context_documents, judged_texts
from assay.metrics.quotations import find_quotation
from assay.metrics.sample_metric import Unscored, quote

CLAIMS, VERIFY, VERDICT = "faithfulness_claims", "faithfulness_verify", "faithfulness_verdict"
YES = Weigh(worth={"yes": 1.0, "no": 0.0})
CLAIM_CHARS = 200
"""How long a claim may be on the average."""
TOKENS_A_CLAIM = 60
TOKENS_A_CHECK = 150
WORD_TOKENS = 8


Item = TypeVar("Item")


class Listed(NamedTuple, Generic[Item]):
    """What a judge listed, and whether its reply had to be repaired."""

    items: list[Item]
    repaired: bool


def make_faithfulness(spec: MetricSpec) -> AskingMetric:
    """Share of the claims that the context supports; by mode, the probability that all is supported."""
    if spec.options["mode"] in ("verdict", "grounded"):
        return answering(asking_metric(spec, _by_verdict(spec.options), (VERDICT,)), WORD_TOKENS)
    most: int = spec.options["max_claims"]
    extra = most * CLAIM_CHARS * BYTES_A_CHAR
    metric = asking_metric(spec, _by_claims(spec.options, most), (CLAIMS, VERIFY), extra_bytes=extra)
    return answering(metric, (_claims_tokens(most) + _checks_tokens(most)) // 2 + 1)


def _claims_tokens(most: int) -> int:
    return 200 + TOKENS_A_CLAIM * most


def _checks_tokens(claims: int) -> int:
    return TOKENS_A_CHECK * (1 + claims)


def _texts(sample: Sample, options: Mapping[str, Any]) -> dict[str, str] | Unscored:
    texts = judged_texts(sample, options, ("question", "answer", "context"), ("context",))
    if isinstance(texts, dict) and not texts["answer"].strip():
        return Unscored("abstained", "the answer is empty: it claims nothing")
    return texts


def _by_verdict(options: Mapping[str, Any]) -> Any:
    template = get_template(VERDICT)

    def procedure_of(sample: Sample) -> Procedure | Unscored:
        texts = _texts(sample, options)
        if isinstance(texts, Unscored):
            return texts
        data = {name: texts[name] for name in template.data}
        question = Question(template=template, data=data, weigh=YES, max_tokens=WORD_TOKENS)
        if options["mode"] == "verdict":
            return _verdict(question)
        return _verdict(question, grounding(texts["answer"], [texts["context"]]))

    return procedure_of


def _verdict(question: Question, share: float | None = None) -> Procedure:
    async def procedure(seat: Seat) -> Opinion | Unanswered:
        answer = await seat.put(question)
        if isinstance(answer, Unanswered):
            return answer
        word, weighted = answer.verdict["word"], answer.weighted
        value = weighted.value if weighted else YES.worth[word]
        evidence: dict[str, Any] = {"verdict": word, "weighting": "logprobs" if weighted else "none"}
        if weighted:
            evidence["probabilities"] = weighted.shares
        if answer.repaired:
            evidence["repaired"] = True
        how = f", P(yes) {value:.2f}" if weighted else ""
        if share is not None:
            evidence |= {"supported": value, "grounding": share}
            how += f"; {share:.0%} of its words stand there"
            value = grounded_value(value, share)
        return Opinion(value=value, reason=f"supported by the context: {word}{how}", evidence=evidence)

    return procedure


def _by_claims(options: Mapping[str, Any], most: int) -> Any:
    template = get_template(CLAIMS)

    def procedure_of(sample: Sample) -> Procedure | Unscored:
        texts = _texts(sample, options)
        documents = context_documents(sample, options)
        if isinstance(texts, Unscored):
            return texts
        if isinstance(documents, Unscored):
            return documents
        question = claims_question({name: texts[name] for name in template.data if name in texts}, most)
        return _claims(question, texts["context"], documents)

    return procedure_of


def _check_claims(verdict: Mapping[str, Any], most: int) -> str | None:
    claims = verdict["claims"]
    if len(claims) > most:
        return f"it lists {len(claims)} claims, not {most} at most"
    if sum(map(len, claims)) > CLAIM_CHARS * most:
        return f"the claims have more than {CLAIM_CHARS * most} characters together"
    return None


def _claims(
    question: Question, context: str, documents: Sequence[str], whose: str = "the answer"
) -> Procedure:
    """Extract the claims, then have all of them checked in one call."""

    async def procedure(seat: Seat) -> Opinion | Unanswered:
        listed = await list_claims(seat, question, whose)
        if isinstance(listed, Unanswered):
            return listed
        checked = await check_claims(seat, listed.items, context, documents)
        if isinstance(checked, Unanswered):
            return checked
        opinion = _opinion(checked.items)
        if listed.repaired or checked.repaired:
            return Opinion(
                value=opinion.value, reason=opinion.reason, evidence={**opinion.evidence, "repaired": True}
            )
        return opinion

    return procedure


async def list_claims(seat: Seat, question: Question, whose: str) -> "Listed[str] | Unanswered":
    """The different claims of a text, one call; abstained when it makes none."""
    extracted = await seat.put(question)
    if isinstance(extracted, Unanswered):
        return extracted
    stated = (" ".join(claim.split()) for claim in extracted.verdict["claims"])
    claims = [claim for claim in dict.fromkeys(stated) if claim]
    if not claims:
        return Unanswered(state="abstained", reason=f"{whose} makes no claims")
    return Listed(claims, extracted.repaired)


async def check_claims(
    seat: Seat, claims: Sequence[str], context: str, documents: Sequence[str]
) -> "Listed[dict[str, Any]] | Unanswered":
    """Each claim with its verdict, quotation and the places of that in the documents, one call."""
    checked = await seat.put(_verification(claims, context))
    if isinstance(checked, Unanswered):
        return checked
    found = [_claim(claims[check["claim"] - 1], check, documents) for check in checked.verdict["checks"]]
    return Listed(found, checked.repaired)


def _verification(claims: Sequence[str], context: str) -> Question:
    numbered = "\n".join(f"{number}. {claim}" for number, claim in enumerate(claims, 1))
    return Question(
        template=get_template(VERIFY),
        data={"context": context, "claims": numbered},
        check=lambda verdict: _check_checks(verdict, len(claims)),
        max_tokens=_checks_tokens(len(claims)),
    )


def _check_checks(verdict: Mapping[str, Any], count: int) -> str | None:
    """Each claim once, and no other."""
    numbers = [check["claim"] for check in verdict["checks"]]
    for number in range(1, count + 1):
        if numbers.count(number) != 1:
            return f"claim {number} is {'missing' if number not in numbers else 'checked more than once'}"
    return None if len(numbers) == count else f"there are {count} claims only"


def _opinion(shown: Sequence[Mapping[str, Any]]) -> Opinion:
    """supported / claims; "supported" by a quotation that is not there is unverified: not counted."""
    unsupported = [each for each in shown if each["verdict"] != "supported"]
    reason = f"{len(shown) - len(unsupported)} of {len(shown)} claims supported"
    if unsupported:
        reason += f"; {unsupported[0]['verdict']}: {quote(unsupported[0]['claim'], 120)}"
    value = (len(shown) - len(unsupported)) / len(shown)
    return Opinion(value=value, reason=reason, evidence={"claims": shown})


def _claim(claim: str, check: Mapping[str, Any], documents: Sequence[str]) -> dict[str, Any]:
    spans = find_quotation(check["quote"], documents)
    verdict = check["verdict"]
    if verdict == "supported" and not spans:
        verdict = "unverified"
    found = [{"document": span.document, "start": span.start, "end": span.end} for span in spans]
    return {"claim": claim, "verdict": verdict, "quote": check["quote"][:500], "spans": found}


def claims_question(data: Mapping[str, str], most: int) -> Question:
    """Which claims does a text make? `data` has it as `answer`, with the `question` where there is one."""
    return Question(
        template=get_template(CLAIMS),
        data=data,
        settings={"most": str(most)},
        check=lambda verdict: _check_claims(verdict, most),
        max_tokens=_claims_tokens(most),
    )


def check_by_context(question: Question, context: str, documents: Sequence[str], *, whose: str) -> Procedure:
    """Put the question for the claims of a text, then have the context show all of them in one call."""
    return _claims(question, context, documents, whose)
