"""The documents of a case under their numbers, and what else of it a judge of retrieval is shown."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from assay.domain.scores import Sample
from assay.domain.text import valid_text
from assay.metrics.judged_texts import judged_texts
from assay.metrics.quotations import find_quotation
from assay.metrics.sample_metric import Unscored, too_long


class Document(NamedTuple):
    """A document of the context; `number` counts from 1, blank ones too."""

    number: int
    id: str | None
    text: str


class Shown(NamedTuple):
    """The texts of a sample by name, and its documents."""

    texts: Mapping[str, str]
    documents: tuple[Document, ...]

    @property
    def filled(self) -> tuple[Document, ...]:
        """The documents that are not blank."""
        return tuple(each for each in self.documents if each.text.strip())


def case_documents(sample: Sample, options: Mapping[str, Any]) -> tuple[Document, ...] | Unscored:
    """The case's context, or the variable that the option `context` names: texts, or objects with text.

    Skipped when there are none, when all are blank, or when there are more than `max_documents`.
    """
    name = options.get("context")
    found = sample.case.context if name is None else sample.case.vars.get(name)
    listed = (found,) if isinstance(found, str) else found
    items: Sequence[Any] = listed if isinstance(listed, list | tuple) else (None,)
    read = [_read(number, each) for number, each in enumerate(items, 1)]
    documents = tuple(each for each in read if each is not None)
    if len(documents) < len(read):
        return Unscored(
            "skipped", f"the case has no variable {name!r} that is a list of texts or {{id, text}}"
        )
    if not any(each.text.strip() for each in documents):
        return Unscored("skipped", "the case has no context")
    most: int = options["max_documents"]
    if len(documents) > most:
        return too_long(f"{len(documents):,} documents", most, "set `max_documents` for more")
    return documents


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple)


def _read(number: int, value: Any) -> Document | None:
    fields = value if isinstance(value, Mapping) else {"text": value}
    text, name = fields.get("text"), fields.get("id")
    if not isinstance(text, str):
        return None
    return Document(number, None if name is None else valid_text(str(name)), valid_text(text))


def shown_texts(
    sample: Sample, options: Mapping[str, Any], names: Sequence[str], needed: Sequence[str]
) -> Shown | Unscored:
    """Texts of these names and the documents; failed when all are longer than `max_chars` together."""
    documents = case_documents(sample, options)
    texts = judged_texts(sample, options, names, needed)
    if isinstance(texts, Unscored):
        return texts
    if isinstance(documents, Unscored):
        return documents
    limit: int = options["max_chars"]
    length = sum(map(len, texts.values())) + sum(len(each.text) for each in documents)
    if length > limit:
        return too_long(f"{length:,} characters", limit, "set `max_chars` if the judge can read more")
    return Shown(texts, documents)


def first_expected(sample: Sample) -> Sample:
    """The sample with the first of several acceptable texts as the only one."""
    expected = sample.case.expected
    several = _is_list(expected) and bool(expected) and all(isinstance(each, str) for each in expected)
    return replace(sample, case=replace(sample.case, expected=expected[0])) if several else sample


def numbered_documents(documents: Sequence[Document]) -> str:
    """The documents under their numbers."""
    return "\n\n".join(f"[{each.number}]\n{each.text}" for each in documents)


def numbered_lines(texts: Sequence[str]) -> str:
    """Texts as numbered lines, from 1."""
    return "\n".join(f"{number}. {text}" for number, text in enumerate(texts, 1))


def each_once(numbers: Sequence[Any], wanted: Sequence[Any], what: str) -> str | None:
    """What is wrong with numbers that must be the wanted ones, each once; None if nothing is."""
    for number in wanted:
        if numbers.count(number) != 1:
            return f"{what} {number} is {'missing' if number not in numbers else 'there more than once'}"
    return None if len(numbers) == len(wanted) else f"there are entries for no {what}"


def quoted_spans(quotation: str, document: Document) -> list[dict[str, int]]:
    """Where a quotation stands in a document; empty when it does not."""
    return [{"start": span.start, "end": span.end} for span in find_quotation(quotation, (document.text,))]
