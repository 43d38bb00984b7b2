"""What rules leave open, put to a judge: questions in batches, and answers that are held to the text.

An answer that finds something counts only with a quotation that stands in the text; so a judge can be wrong
about what words mean, but not about which words there are. Whatever else it says decides nothing.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from assay.domain.errors import InvalidInput
from assay.judging.questions import Question, Unanswered
from assay.judging.seat import Seat
from assay.judging.templates import get_template
from assay.judging.verdicts import Schema
from assay.metrics.quotations import find_quotation
from assay.metrics.sample_metric import quote

QUESTIONS_A_CALL = 12
QUESTION_CHARS = 6_000
"""The most characters of questions in one call."""
TEXT_CHARS = 100_000
"""The longest text that a judge is sent; a longer one is not cut, because half a text is another text."""
TOKENS_A_QUESTION = 200
REASON_CHARS = 300
QUOTE_CHARS = 200
"""How much of a quotation is kept; its end is told in full."""
SPREAD = 300
"""How many characters a quotation with an ellipsis may leave out."""
_PLAIN = str.maketrans(
    {
        **dict.fromkeys('"\u2018\u2019\u201a\u201c\u201d\u201e\u00ab\u00bb`', "'"),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014", "-"),
    }
)
"""Quotation marks are one, as judges write others inside JSON, and dashes are one."""


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """A question that rules leave open, under the id of its rule or clause."""

    id: str
    words: str

    @property
    def line(self) -> str:
        """As it is shown to the judge, on one line."""
        return " ".join(f"- {self.id}: {self.words}".split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How questions are put: by which template, which answer needs a quotation, and which need none.

    `key` is the field of an answer with its id, `setting` what the template calls the questions.
    """

    template: str
    key: str
    setting: str
    quoted: str
    plain: tuple[str, ...]


class Decision(NamedTuple):
    """What a judge's answer comes to; `answer` is None where it decides nothing, and `reason` says why."""

    answer: str | None
    reason: str
    quote: str = ""
    start: int | None = None
    end: int | None = None


@dataclass(slots=True)
class Heard:
    """What a judge said of the questions about one text."""

    decisions: dict[str, Decision] = field(default_factory=dict)
    failures: list[Unanswered] = field(default_factory=list)
    repaired: bool = False

    @property
    def failed(self) -> bool:
        """Whether questions stay open because the judge failed, not because it is unsure."""
        return any(failure.state == "failed" for failure in self.failures)

    @property
    def words(self) -> str:
        """For a score's reason: how many questions were decided, and the first failure."""
        decided = sum(decision.answer is not None for decision in self.decisions.values())
        said = f"the judge decided {decided} of {len(self.decisions)} questions"
        return f"{said}; {self.failures[0].reason[:REASON_CHARS]}" if self.failures else said

    def evidence(self, seat: Seat) -> dict[str, Any]:
        """For a score's evidence: who was asked what, and what went wrong."""
        made: dict[str, Any] = {"judge": seat.label, "asked": list(self.decisions)}
        if seat.model:
            made["model"] = seat.model
        if self.repaired:
            made["repaired"] = True
        if seat.cached:
            made["cached_calls"] = seat.cached
        if self.failures:
            made["failures"] = [
                {"state": each.state, "reason": each.reason, **({"reply": each.raw} if each.raw else {})}
                for each in self.failures
            ]
        return made


async def ask_all(seat: Seat, form: Form, text: str, questions: Sequence[OpenQuestion]) -> Heard:
    """Put the questions about a text, batch by batch; each has a decision when this returns.

    Raises what `Judge.ask` raises beside a ModelError.
    """
    heard = Heard()
    if len(text) > TEXT_CHARS:
        why = f"{len(text):,} characters are over the limit of {TEXT_CHARS:,} of a judge"
        _fail(heard, Unanswered(state="failed", reason=why), questions)
        return heard
    for batch in batches(questions):
        said = await seat.put(_question(form, text, batch))
        if isinstance(said, Unanswered):
            _fail(heard, said, batch)
            continue
        heard.repaired = heard.repaired or said.repaired
        answers = {answer[form.key]: answer for answer in said.verdict["answers"]}
        heard.decisions |= {each.id: _decide(form, text, answers.get(each.id)) for each in batch}
    return heard


def batches(questions: Iterable[OpenQuestion]) -> Iterator[list[OpenQuestion]]:
    """The questions in order, each batch within the limits of a call."""
    batch: list[OpenQuestion] = []
    for question in questions:
        chars = sum(len(each.line) for each in batch) + len(question.line)
        if batch and (len(batch) == QUESTIONS_A_CALL or chars > QUESTION_CHARS):
            yield batch
            batch = []
        batch.append(question)
    if batch:
        yield batch


def check_questions(questions: Iterable[OpenQuestion]) -> None:
    """Refuse a question that no call has room for. Raises InvalidInput."""
    for question in questions:
        if len(question.line) > QUESTION_CHARS:
            raise InvalidInput(
                f"the question of {question.id!r} is longer than {QUESTION_CHARS:,} characters",
                field="options.packs",
            )


def answer_tokens(questions: int) -> int:
    """The limit of a reply to so many questions."""
    return TOKENS_A_QUESTION * (1 + questions)


def _question(form: Form, text: str, batch: Sequence[OpenQuestion]) -> Question:
    template = get_template(form.template)
    return Question(
        template=template,
        data={"text": text},
        settings={form.setting: "\n".join(each.line for each in batch)},
        schema=_schema(template.schema or {}, form.key, [each.id for each in batch]),
        check=lambda verdict: _check(verdict, form.key),
        max_tokens=answer_tokens(len(batch)),
    )


def _schema(schema: Schema, key: str, ids: Sequence[str]) -> Schema:
    """The template's schema with the ids that may be answered."""
    answers = schema["properties"]["answers"]
    items = answers["items"]
    ids_only = {**items["properties"], key: {**items["properties"][key], "enum": list(ids)}}
    answers = {**answers, "items": {**items, "properties": ids_only}}
    return {**schema, "properties": {**schema["properties"], "answers": answers}}


def _check(verdict: Mapping[str, Any], key: str) -> str | None:
    """No id has two answers; one that has none stays open."""
    ids = [answer[key] for answer in verdict["answers"]]
    doubled = next((id_ for id_ in ids if ids.count(id_) > 1), None)
    return None if doubled is None else f"{doubled} is answered more than once"


def _fail(heard: Heard, failure: Unanswered, questions: Sequence[OpenQuestion]) -> None:
    heard.failures.append(failure)
    heard.decisions |= {each.id: Decision(None, failure.reason[:REASON_CHARS]) for each in questions}


def _decide(form: Form, text: str, answer: Mapping[str, Any] | None) -> Decision:
    if answer is None:
        return Decision(None, "the judge did not answer")
    said, reason = answer["answer"], " ".join(answer["reason"].split())[:REASON_CHARS]
    if said in form.plain:
        return Decision(said, reason)
    if said != form.quoted:
        return Decision(None, f"the judge is unsure: {reason}")
    place = find_passage(answer["quote"], text)
    if place is None:
        shown = quote(answer["quote"], 120) if answer["quote"].strip() else "nothing"
        return Decision(None, f"the judge says {said} and quotes {shown}, which is not in the text")
    start, end = place
    return Decision(said, reason, text[start : min(end, start + QUOTE_CHARS)], start, end)


def find_passage(quotation: str, text: str) -> tuple[int, int] | None:
    """Where a quotation stands; spaces, capitals and the form of quotation marks and dashes do not count."""
    spans = find_quotation(quotation.translate(_PLAIN), [text.translate(_PLAIN)])
    if not spans:
        return None
    start, end = spans[0].start, spans[-1].end
    return (start, end) if end - start <= len(quotation) + SPREAD or len(spans) == 1 else None
