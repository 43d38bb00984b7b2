"""Which sentences of an answer cite which documents, found by rules."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from assay.metrics.rag_documents import Document
from assay.metrics.sentences import sentences

_NUMBERS = r"\^?\d{1,3}(?:\s*(?:[,;]|[-–])\s*\^?\d{1,3})*"
_MARKS = re.compile(
    rf"\[(?P<square>{_NUMBERS})\]|【(?P<wide>\d{{1,3}})(?:[:†][^】\n]{{0,80}})?】"
    r"|(?<=[.,;:!?)\"”»。])(?P<raised>[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,3})"
    r"|[(\[](?:doc(?:ument)?|source|passage|ref(?:erence)?)[ ._#-]{0,2}(?P<named>\d{1,3})[)\]]",
    re.IGNORECASE,
)
_BRACKETS = re.compile(r"[(\[]([^()\[\]\n]{1,200})[)\]]")
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.DOTALL)
_NOTES = re.compile(r"^\[\^?\w{1,20}\]:.*$", re.MULTILINE)
_LIST = re.compile(
    r"^[#*_ ]{0,6}(?:references|sources|citations|bibliography|footnotes|quellen|fuentes|fonti)"
    r"[*_ ]{0,3}:?[*_ ]{0,3}$",
    re.IGNORECASE | re.MULTILINE,
)
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
_SPAN = re.compile(r"(\d+)\s*[-–]\s*(\d+)")
_BEFORE_MARK = re.compile(r" +(?=[.,;:!?])")
WIDEST_SPAN = 50


class Citation(NamedTuple):
    """A citation as it is written, where it stands in the answer, and its document; None if it has none."""

    mark: str
    start: int
    end: int
    document: int | None


class Sentence(NamedTuple):
    """A sentence of the answer without its marks, where it stands, and what it cites."""

    text: str
    start: int
    end: int
    citations: tuple[Citation, ...]


def find_citations(text: str, documents: Sequence[Document]) -> tuple[Citation, ...]:
    """The citations of a text: [1], [1, 3], [2-4], [^1], 【1】, ¹ after a mark, (doc 3), and ids in brackets.

    A number means the document with that id, else the document at that place. Code, notes ([^1]: ...) and
    what follows a line such as "Sources:" cite nothing.
    """
    places = {str(each.number): each.number for each in documents}
    ids = {each.id.strip().casefold(): each.number for each in documents if each.id and each.id.strip()}
    known = {**({} if any(name.isdecimal() for name in ids) else places), **ids}
    read = _blanked(text)
    taken: list[Citation] = []
    for match in _BRACKETS.finditer(read):
        names = [name.strip() for name in re.split(r"[,;]", match[1])]
        if all(name.casefold() in ids for name in names):
            taken += [Citation(name, *match.span(), ids[name.casefold()]) for name in names]
    spans = {(each.start, each.end) for each in taken}
    for match in _MARKS.finditer(read):
        if match.span() not in spans:
            taken += [Citation(name, *match.span(), known.get(name)) for name in _numbers(match)]
    return tuple(sorted(taken, key=lambda each: each.start))


def cited_sentences(text: str, documents: Sequence[Document]) -> tuple[Sentence, ...]:
    """The sentences of an answer with what each cites; marks after a full stop belong to the one before."""
    citations = find_citations(text, documents)
    plain = list(_blanked(text))
    for each in citations:
        plain[each.start : each.end] = " " * (each.end - each.start)
    parts = sentences("".join(plain))
    starts = [part.start for part in parts]
    found: list[Sentence] = []
    for number, part in enumerate(parts):
        low = part.start if number else 0
        high = starts[number + 1] if number + 1 < len(parts) else len(text)
        own = tuple(each for each in citations if low <= each.start < high)
        shown = _BEFORE_MARK.sub("", " ".join(part.text.split()))
        found.append(Sentence(shown, part.start, part.end, own))
    return tuple(found)


def _blanked(text: str) -> str:
    """The text, as long as before, with spaces in place of code, notes and lists of sources."""
    listed = list(_LIST.finditer(text))
    end = listed[-1].start() if listed else len(text)
    text = text[:end] + " " * (len(text) - end)
    for pattern in (_CODE, _NOTES):
        text = pattern.sub(lambda match: " " * len(match[0]), text)
    return text


def _numbers(match: re.Match[str]) -> Iterator[str]:
    """The numbers that a mark names, without leading zeros; a span that is too wide counts as its ends."""
    groups: Mapping[str, str | None] = match.groupdict()
    said = next(value for value in groups.values() if value).translate(_RAISED).replace("^", "")
    for piece in re.split(r"[,;]", said):
        span = _SPAN.fullmatch(piece.strip())
        low, high = (int(span[1]), int(span[2])) if span else (int(piece), int(piece))
        if low <= high <= low + WIDEST_SPAN:
            yield from map(str, range(low, high + 1))
        else:
            yield from (str(low), str(high))
