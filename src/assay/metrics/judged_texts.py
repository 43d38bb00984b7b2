"""What of a sample is shown to judges: question, answer, reference and context, as texts."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from assay.domain.scores import Sample
from assay.domain.text import valid_text
from assay.metrics.sample_metric import Unscored, too_long

QUESTION_NAMES = ("question", "query", "input", "prompt")
"""Names of variables that hold the question, in this order, when no option says which."""


def judged_texts(
    sample: Sample, options: Mapping[str, Any], names: Sequence[str], needed: Sequence[str] = ()
) -> dict[str, str] | Unscored:
    """The texts of these names (question, answer, reference, context) that the sample has.

    Skipped when one of `needed` is not there; failed when all together are longer than the option
    `max_chars`: a text is never cut, because half a text is another text.
    """
    texts: dict[str, str] = {}
    for name in names:
        text = _text_of(name, sample, options)
        if isinstance(text, str):
            texts[name] = text
        elif name in needed:
            return text
    limit: int = options["max_chars"]
    length = sum(map(len, texts.values()))
    if length > limit:
        return too_long(f"{length:,} characters", limit, "set `max_chars` if the judge can read more")
    return texts


def numbered_context(documents: Sequence[str]) -> str:
    """The documents of a context under their numbers."""
    if len(documents) == 1:
        return documents[0]
    return "\n\n".join(f"[{number}]\n{text}" for number, text in enumerate(documents, 1))


def context_documents(sample: Sample, options: Mapping[str, Any]) -> tuple[str, ...] | Unscored:
    """The case's context, or the variable that the option `context` names: a text or a list of texts."""
    name = options.get("context")
    found = sample.case.context if name is None else sample.case.vars.get(name)
    documents = (found,) if isinstance(found, str) else found
    if not isinstance(documents, list | tuple) or not all(isinstance(each, str) for each in documents):
        return Unscored("skipped", f"the case has no variable {name!r} that is a text or a list of texts")
    documents = tuple(valid_text(each) for each in documents if each.strip())
    return documents or Unscored("skipped", "the case has no context")


def _text_of(name: str, sample: Sample, options: Mapping[str, Any]) -> str | Unscored:
    if name == "answer":
        return valid_text(sample.response.text)
    if name == "question":
        return _question(sample, options)
    if name == "reference":
        return _reference(sample.case.expected)
    documents = context_documents(sample, options)
    return documents if isinstance(documents, Unscored) else numbered_context(documents)


def _question(sample: Sample, options: Mapping[str, Any]) -> str | Unscored:
    """The variable that is named, one of the usual names, the only text; else all variables as JSON."""
    variables = sample.case.vars
    name = options.get("question")
    if name is not None:
        if name not in variables:
            return Unscored("skipped", f"the case has no variable {name!r}")
        return _as_text(variables[name])
    for usual in QUESTION_NAMES:
        if isinstance(variables.get(usual), str):
            return valid_text(variables[usual])
    texts = [value for value in variables.values() if isinstance(value, str)]
    if len(texts) == 1:
        return valid_text(texts[0])
    return _as_text(variables) if variables else Unscored("skipped", "the case has no variables")


def _reference(expected: Any) -> str | Unscored:
    """A text as it is, a list of acceptable texts as a list, anything else as JSON."""
    if expected is None or expected == []:
        return Unscored("skipped", "the case has no expected text")
    if isinstance(expected, list | tuple) and all(isinstance(each, str) for each in expected):
        return "\n".join(f"- {valid_text(each)}" for each in expected)
    return _as_text(expected)


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return valid_text(value)
    plain = dict(value) if isinstance(value, Mapping) else value
    return valid_text(json.dumps(plain, ensure_ascii=False, indent=1, default=str))
