"""A question to a judge, how it is written, and how the reply to it is read."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from assay.domain.models import ModelConfig, ModelRequest, ModelResponse
from assay.domain.prompts import Message
from assay.domain.scores import ScoreState
from assay.domain.text import valid_text
from assay.judging.defaults import judge_defaults
from assay.judging.fences import fence, fence_code
from assay.judging.shared_texts import FORM, REPAIR, WORD_FORM
from assay.judging.strict_json import UnusableReply, find_object
from assay.judging.templates import Template, fill_texts
from assay.judging.verdicts import Schema, read_verdict, sent_schema
from assay.judging.weighing import Weigh, Weighted, weighted_value
from assay.judging.words import read_word

Verdict = Mapping[str, Any]
REPAIR_CHARS = 2_000
"""How much of an unusable reply is shown to the judge again."""
EVIDENCE_CHARS = 2_000
"""How much of an unusable reply is kept as evidence."""
CANNOT_JUDGE = "cannot_judge"
"""The boolean field of every schema with which a judge abstains; the reasoning says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A template and what is put in: `data` is what others wrote, `settings` what the suite's author did.

    What the template names and is not given, or is an empty setting, is left out of the prompt.

    `schema` stands in place of the template's. `check` says what in a verdict contradicts itself or is
    missing, None if nothing does. `weigh` asks for probabilities of tokens.
    """

    template: Template
    data: Mapping[str, str]
    settings: Mapping[str, str] = field(default_factory=dict)
    schema: Schema | None = None
    check: Callable[[Verdict], str | None] | None = None
    weigh: Weigh | None = None
    max_tokens: int = 1024

    @property
    def form(self) -> Schema | None:
        """The schema of the verdict; None where a word is asked for."""
        return self.schema or self.template.schema


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A verdict of the schema that does not contradict itself; of a word template it is {"word": ...}.

    `weighted` is there when probabilities were wanted and given.
    """

    verdict: Verdict
    weighted: Weighted | None = None
    repaired: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Unanswered:
    """No verdict: `failed`, or `abstained` when the judge says it cannot judge; `raw` is what it said."""

    state: ScoreState
    reason: str
    raw: str = ""


def make_request(question: Question, config: ModelConfig, sample: int, samples: int) -> ModelRequest:
    """The request of the first attempt: the schema as the response format, defaults where none are set."""
    return ModelRequest(
        messages=_messages(question),
        response_format=_response_format(question),
        repeat=sample,
        parameters=judge_defaults(
            config, samples=samples, max_tokens=question.max_tokens, logprobs=question.weigh is not None
        ),
    )


def repair_text(question: Question, problem: str, reply: str) -> str:
    """What is added to the question when the reply to it cannot be used."""
    shown = valid_text(reply[:REPAIR_CHARS])
    code = fence_code(question.template.hash, {"problem": problem, "reply": shown})
    words = ", ".join(question.template.words)
    form = FORM if question.form else WORD_FORM.format(words=words)
    form = fill_texts(form, {"schema": _schema_text(question)})
    return REPAIR.format(problem=problem, reply=fence("your_reply", shown, code), form=form)


def read_reply(question: Question, response: ModelResponse) -> Answer | Unanswered:
    """The verdict in a reply. Raises UnusableReply when there is none."""
    if response.finish in ("refused", "filtered"):
        reason = f"judge_refused: the judge's answer was {response.finish}"
        return Unanswered(state="failed", reason=reason, raw=cut(response.text))
    form = question.form
    if form is None:
        verdict = {"word": read_word(response.text, question.template.words)}
    else:
        if response.finish == "truncated":
            raise UnusableReply("it was cut off before its end: be shorter")
        verdict = read_verdict(find_object(response.text), form)
    return _judged(question, verdict, response)


def cut(text: str) -> str:
    """What is kept of a reply, marked where it was cut."""
    text = valid_text(text[: EVIDENCE_CHARS + 1])
    return text if len(text) <= EVIDENCE_CHARS else f"{text[:EVIDENCE_CHARS]}…"


def _judged(question: Question, verdict: Verdict, response: ModelResponse) -> Answer | Unanswered:
    """The verdict if it is consistent. Raises UnusableReply."""
    abstains = verdict.get(CANNOT_JUDGE) is True or verdict.get("word") == "unknown"
    _check_abstention(question.form, verdict, abstains)
    if abstains:
        why = " ".join(str(verdict.get("reasoning", "")).split())[:300] or "no reason given"
        return Unanswered(state="abstained", reason=f"the judge cannot judge: {why}", raw=cut(response.text))
    problem = question.check(verdict) if question.check else None
    if problem:
        raise UnusableReply(problem)
    weigh = question.weigh
    if weigh is None:
        return Answer(verdict=verdict)
    said = str(verdict[weigh.field or "word"])
    return Answer(verdict=verdict, weighted=weighted_value(response.logprobs, weigh, said))


def _check_abstention(form: Schema | None, verdict: Verdict, abstains: bool) -> None:
    """A judge says that it cannot judge, or gives each value that may be null; never both, never neither."""
    for name, inner in (form or {}).get("properties", {}).items():
        if "null" not in inner["type"]:
            continue
        given = verdict.get(name) is not None
        if given and abstains:
            raise UnusableReply(f"it contradicts itself: {CANNOT_JUDGE} is true and {name} is given")
        if not given and not abstains:
            raise UnusableReply(f"{name} is missing although {CANNOT_JUDGE} is not true")


def _messages(question: Question) -> tuple[Message, ...]:
    template = question.template
    settings = {name: valid_text(text) for name, text in question.settings.items() if text}
    data = {name: valid_text(text) for name, text in question.data.items()}
    schema = _schema_text(question)
    code = fence_code(template.hash, {**settings, **data, "schema": schema})
    fenced = {name: fence(name, text, code) for name, text in data.items()}
    user = template.user
    for name in {*template.data, *template.settings} - settings.keys() - data.keys():
        user = re.sub(rf"\{{\{{ {name} \}}\}}\n*", "", user)
    user = fill_texts(user, {**settings, **fenced, "code": code, "schema": schema})
    return (Message("system", fill_texts(template.system, settings)), Message("user", user))


def _schema_text(question: Question) -> str:
    return json.dumps(sent_schema(question.form), ensure_ascii=False) if question.form else ""


def _response_format(question: Question) -> Mapping[str, Any] | None:
    if question.form is None:
        return None
    form = {"name": question.template.name, "strict": True, "schema": sent_schema(question.form)}
    return {"type": "json_schema", "json_schema": form}
