"""A contract made ready for clause packs: folded, placeholders marked, split into headed sections.

Headings are Markdown, numbered ("4.", "4.2", "Clause 4"), in capitals, bold, underlined, labels ("Deposit: ..."),
table rows, schedules and annexures, and short lines that a pack knows as a heading. Every copy of the text has the
same length, so that offsets are those of the text that was given.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from assay.metrics.clause_terms import BLANK
from assay.metrics.rule_phrases import fold

IsTitle = Callable[[str], bool]
MAX_LINES = 60_000
MAX_TITLE_CHARS = 80
MAX_TITLE_WORDS = 9
ANNEXURE_LEVEL, CAPITALS_LEVEL, NUMBER_LEVEL, BARE_LABEL_LEVEL, LABEL_LEVEL = 10, 20, 20, 30, 40
_WORDS_OF_PLACEHOLDERS = (
    "insert|enter|names?|date|amount|address|number|tbc|tba|tbd|to be|specify|details?|describe|complete|fill|blank|"
    "price|deposit|title|reference|month|day|year|county|city|suburb|postcode|bank|company|agency|licen[cs]e|"
    "vendor|seller|purchaser|buyer|landlord|tenant|lessor|lessee|agent|client|provider|contractor|state|period|"
    "method|percent(?:age)?|email|phone|premises|x+%?|rent|term|fee|rate|holder"
)
PLACEHOLDERS = re.compile(
    rf"\[(?:[^\]\n]{{0,60}}?\b)?(?:{_WORDS_OF_PLACEHOLDERS})s?\b[^\]\n]{{0,80}}\](?!\()|"
    r"\[(?:\s{3,}|\s*[*.$_#?-]{1,20}\s*(?:%\s*)?)\]|\[\$?\s?[.xX_]{1,12}%?\]|"
    rf"<(?:[^>\n]{{0,40}}?\b)?(?:{_WORDS_OF_PLACEHOLDERS})\b[^>\n]{{0,40}}>|\{{\{{[^}}\n]{{1,60}}\}}\}}|"
    r"(?P<line>_{3,}|\.{6,}|(?:\. ){5,})|\bTB[ACDN]\b|\bT\.B\.[ACDN]\b|\b[xX]{3,}\b|\$\s?(?:[xX]{2,}|-{2,})|"
    r"\bto be (?:advised|confirmed|inserted|notified|filled in|supplied later|decided)\b|"
    r"\bto be (?:agreed|determined|negotiated|completed|finalised|finalized)"
    r"(?=\s*(?:[.;,)|\n]|$|(?:later|between|at a|before|upon|on|prior)\b))|\bnot yet (?:agreed|known|determined)\b|"
    r"\b(?:is|are|:)\s{0,3}(?=left blank)left blank\b",
    re.IGNORECASE,
)
_STRUCK = re.compile(r"~~[^~\n]{1,4000}~~")
_SIGNING = re.compile(r"\b(?:sign(?:ed|atures?|ing|atory|atories)?|executed|execution|witness)\b", re.IGNORECASE)
_SIGNING_BLOCK = re.compile(
    r"^[\W\d]*(?:the\s+)?(?:sign(?:ed|atures?|ing|atories)\b|execut(?:ed|ion)\b|in witness\b|by signing\b)", re.IGNORECASE | re.MULTILINE
)
_ROLES = re.compile(
    r"[\W_]*(?:(?:the|by|name|date|vendor|seller|purchaser|buyer|landlord|lessor|tenant|lessee|renter|rental provider|"
    r"owner|agent|client|principal|provider|contractor|consultant|customer|company|supplier|and|for|s)(?:\b|(?=_))[\W_]*)*$",
    re.IGNORECASE,
)
_MARKDOWN = re.compile(r"\s{0,3}(#{1,6})\s+(\S.*?)[\s#]*$")
_BOLD = re.compile(r"\s*(?:[-*+]\s+)?(?:\*\*|__)(?=\S)([^*_\n]{1,90}?)(?:\*\*|__)\s*(.*)$")
_NUMBERED = re.compile(
    r"\s*(?:[-*+]\s+)?(?P<word>(?:special\s+)?(?:clause|section|article|item|paragraph|condition|term)\s+)?\(?"
    r"(?P<number>\d{1,3}(?:\.\d{1,3}){0,4}|(?:[A-Z]|[IVX]{1,5})(?=[.):]))(?P<mark>[.):]*)(?:\s+|\s*[-:]\s*)(?P<rest>\S.*)$",
    re.IGNORECASE,
)
_LONE_NUMBER = re.compile(r"\s*(?:clause|section|article|item)\s+(\d{1,3}(?:\.\d{1,3})*)\s*[.:-]?\s*$", re.IGNORECASE)
_ANNEXURE = re.compile(
    r"\s*(?:the\s+)?(schedule|annexure|appendix|exhibit|attachment|annex|addendum)(?:\s+[\"(]?([A-Z]|\d{1,2}|[IVX]{1,4})[\")]?)?"
    r"\s*(?:$|[-:.(]\s*(.*)$|([A-Z].*)$)",
    re.IGNORECASE,
)
_LABEL = re.compile(
    r"\s*(?:[-*+>]\s+|\(?(?:[a-z]|[ivx]{1,4}|\d{1,2})[.)]\s+|\|\s*)?(?:\*{1,3}|__?)?([A-Za-z][A-Za-z0-9'()/&.,% -]{1,58}?)(?:\*{1,3}|__?)?\s*(?:\||:(?!//))\s*(?:\*\*|__)?\s*(.*?)\s*\|?\s*$"
)
_SPACED_LABEL = re.compile(r"\s*([A-Z][A-Za-z0-9'()/& -]{1,40}?)(?:\t+| {3,}|\.{4,}\s*)(\S.*)$")
_CAPITALS_LABEL = re.compile(r"\s*([A-Z][A-Z()'/& -]{2,40}[A-Z)])\s+([^\sA-Z].*|[A-Z$(][a-z0-9\d].*|[A-Z]+[a-z].*)$")
_SPLIT = re.compile(r"(?P<title>[A-Z][^.:;\n]{1,70}?)\s*(?::|\.|\s-{1,2})\s+(?P<body>\S.*)$")
_CAPITALS_FIRST = re.compile(r"(?P<title>[A-Z][A-Z/&'(), -]{3,60}[A-Z)])\s+(?P<body>[A-Z(][a-z ].*)$")
_PLURAL = re.compile(r"\((?:s|es)\)", re.IGNORECASE)
_ENDS_BLOCK = re.compile(r"\n(?=[ \t]*(?:\n|[-*+>] |\(?(?:[a-z]|[ivx]{1,4}|\d{1,2})[.)] |\|))")
_UNDERLINE = re.compile(r"\s*(?:=|-){3,}\s*$")
_FIGURE = re.compile(r"\d{3,}|\$|\d,\d")
_TITLE_END = re.compile(r"[.;,?!]$")
_MARKUP = re.compile(r"[*_#`|]+")
_SENTENCE_END = re.compile(r"(?<!\b[A-Z])(?<!\bNo)(?<!\bno)(?<!\bSt)(?<!\bDr)(?<!\bMr)(?<!\bMs)(?<!Pty)(?<!Inc)[.!?][\"')\]*]*\s|\n")


class Heading(NamedTuple):
    """What a line says as a heading: `body` is where the rest of the line begins."""

    level: int
    number: str
    title: str
    body: int
    inline: bool = False
    """Whether text follows on the line itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading and what stands under it, up to the next heading. `extent` ends after its subsections."""

    level: int
    number: str
    title: str
    start: int
    body: int
    end: int
    extent: int


@dataclass(frozen=True, slots=True)
class Contract:
    """A contract: as given, folded (flat: line ends inside a section are spaces), in bytes, in sections."""

    raw: str
    flat: str
    data: bytes
    sections: tuple[Section, ...]

    def section_at(self, place: int) -> Section | None:
        """The innermost section that holds a place."""
        found = bisect_right(self.sections, place, key=lambda section: section.start) - 1
        return self.sections[found] if found >= 0 else None

    def sentence(self, start: int, end: int) -> tuple[int, int]:
        """The sentence around a span, within its section and paragraph."""
        low, high = self.paragraph(start, end)
        first, last = low, high
        for boundary in _SENTENCE_END.finditer(self.flat, low, start):
            first = boundary.end()
        after = _SENTENCE_END.search(self.flat, max(start, end - 1), high)
        if after is not None:
            last = after.end()
        return first, last

    def paragraph(self, start: int, end: int, reach: int = 2000) -> tuple[int, int]:
        """The paragraph around a span, at most `reach` characters to each side."""
        section = self.section_at(start)
        low, high = (section.start, section.end) if section else (0, len(self.flat))
        low, high = max(low, start - reach), min(high, end + reach)
        before = self.raw.rfind("\n\n", low, start)
        after = self.raw.find("\n\n", end, high)
        return (low if before < 0 else before + 2), (high if after < 0 else after)


def read_contract(text: str, is_title: IsTitle) -> Contract:
    """The text split into sections; `is_title` says of a short line whether a pack knows it as a heading."""
    folded = mark_placeholders(fold(text))
    heads = list(_headings(folded, is_title))
    sections = tuple(_sections(heads, folded))
    flat = _flatten(folded, sections)
    return Contract(text, flat, flat.encode("latin-1", "replace"), sections)


def mark_placeholders(folded: str) -> str:
    """Each character of a placeholder as BLANK, of struck-out text as a space; the length stays."""
    blocks = [found.start() for found in _SIGNING_BLOCK.finditer(folded, len(folded) // 3)]
    signing = blocks[-1] if blocks else len(folded)

    def mark(found: re.Match[str]) -> str:
        if found["line"]:
            line = _line_around(folded, found.start())
            if found.start() >= signing or _SIGNING.search(line):
                return found.group()
            if not blocks and found.start() > len(folded) * 4 // 5 and _ROLES.match(line):
                return found.group()
            if found["line"].startswith(".") and _follows(folded, found.end()):
                return found.group()
        return BLANK * len(found.group())

    marked = PLACEHOLDERS.sub(mark, folded)
    return _STRUCK.sub(lambda found: " " * len(found.group()), marked)


def _line_around(text: str, place: int) -> str:
    start, end = text.rfind("\n", 0, place) + 1, text.find("\n", place)
    return text[max(start, place - 200) : min(end if end >= 0 else len(text), place + 200)]


def _follows(text: str, place: int) -> bool:
    """Whether words follow on the line, as after the dots of a table of particulars."""
    following = text[place : place + 12].split("\n", 1)[0].strip(" :.")
    return bool(following)


def _headings(text: str, is_title: IsTitle) -> Iterator[tuple[int, int, Heading]]:
    """Line start, body start and heading of each line that is one."""
    place = 0
    lines = text.split("\n", MAX_LINES)
    previous, last = "", None
    for number, line in enumerate(lines[:MAX_LINES]):
        following = lines[number + 1] if number + 1 < len(lines) else ""
        heading = read_heading(line, previous, following, is_title) if line.strip() else None
        if heading is not None:
            if heading.level == BARE_LABEL_LEVEL and last is not None and last.level == LABEL_LEVEL and (
                previous.strip() or not following.strip()
            ):
                heading = heading._replace(level=LABEL_LEVEL)
            heading = heading._replace(inline=bool(line[heading.body :].strip(" *_|")))
            if last is None and _is_document_title(heading, line, text[:place]):
                heading = heading._replace(title="")
            yield place, place + heading.body, heading
            last = heading
        previous = line
        place += len(line) + 1


def _is_document_title(heading: Heading, line: str, before: str) -> bool:
    """The first line of all, when it is a title of several words, heads the contract and no clause of it."""
    if before.strip() or heading.number or ":" in line.rstrip(": "):
        return False
    return len(line.split()) > 1 and (not heading.inline or len(line.split()) <= 12)


def read_heading(line: str, previous: str, following: str, is_title: IsTitle) -> Heading | None:
    """The heading that a line is or begins with; None for a line of text."""
    markdown = _MARKDOWN.match(line)
    if markdown:
        return _markdown(line, markdown)
    return (
        _annexure(line)
        or _numbered(line, is_title)
        or _bold(line)
        or _capitals(line, is_title)
        or _label(line, is_title)
        or _title_line(line, previous, following, is_title)
    )


def _plain(text: str) -> str:
    """A title without markup, marks at its ends and plurals in brackets."""
    return _PLURAL.sub("", _MARKUP.sub("", text)).strip(" \t:.-")


def _markdown(line: str, found: re.Match[str]) -> Heading:
    rest = found[2]
    annexure = _annexure(_plain(rest))
    if annexure:
        return annexure._replace(body=len(line))
    numbered = _number_of(_MARKUP.sub("", rest))
    number, title = (numbered["number"], numbered["rest"]) if numbered else ("", rest)
    return Heading(len(found[1]), number, _plain(title), len(line))


def _number_of(text: str, start: int = 0) -> re.Match[str] | None:
    """The number that a heading begins with; "Section 32 statement" names a statute's section."""
    found = _NUMBERED.match(text, start)
    if found and found["word"] and not found["mark"] and found["rest"][:1].islower():
        return None
    return found


def _annexure(line: str) -> Heading | None:
    bare = _MARKUP.sub("", line)
    found = _ANNEXURE.match(bare)
    if not found or len(bare) > 120:
        return None
    rest = found[3] or found[4] or ""
    if not found[2] and rest:
        return None
    if rest and (rest[0].islower() or len(rest.split()) > 10):
        return None
    name = " ".join(part for part in (found[1].lower(), (found[2] or "").lower()) if part)
    return Heading(ANNEXURE_LEVEL, name, _plain(rest) or name, len(line))


def _numbered(line: str, is_title: IsTitle) -> Heading | None:
    alone = _LONE_NUMBER.match(line)
    if alone:
        return Heading(NUMBER_LEVEL + 1, alone[1], "", len(line))
    start = len(line) - len(line.lstrip(" \t*_"))
    found = _number_of(line, start)
    if not found:
        return None
    number, rest = found["number"], found["rest"]
    marked = bool(found["mark"] or found["word"] or "." in number)
    if not number[0].isdigit() and not (found["word"] or (found["mark"] and number.isupper())):
        return None
    if not marked and not (rest[:1].isupper() and is_title(_plain(rest)) and len(rest.split()) <= MAX_TITLE_WORDS):
        return None
    level = NUMBER_LEVEL + 1 + number.count(".")
    title, offset = _split_title(rest, is_title)
    return Heading(level, number, title, found.start("rest") + offset if offset is not None else len(line))


def _split_title(rest: str, is_title: IsTitle) -> tuple[str, int | None]:
    """Title and where the body begins in the rest of a numbered line; None: the line is the title."""
    bold = _BOLD.match(rest)
    if bold:
        return _plain(bold[1]), (bold.start(2) if bold[2].strip(" :.-") else None)
    if len(rest.split()) <= MAX_TITLE_WORDS and len(rest) <= MAX_TITLE_CHARS:
        label = _SPLIT.match(rest)
        if label and len(label["title"].split()) <= 6:
            return _plain(label["title"]), label.start("body")
        if not _TITLE_END.search(rest.strip()) and rest[:1].isupper() and not re.search(r"\d", rest):
            return _plain(rest), None
        ended = rest.strip().endswith(".")
        if not ended and is_title(_plain(rest)) and len(rest.split()) <= 5 and not _FIGURE.search(rest):
            return _plain(rest), None
    for pattern, words in ((_CAPITALS_FIRST, 9), (_SPLIT, 7)):
        found = pattern.match(rest)
        if found and len(found["title"].split()) <= words:
            return _plain(found["title"]), found.start("body")
    return "", 0


def _bold(line: str) -> Heading | None:
    found = _BOLD.match(line)
    if not found:
        return None
    title, rest = found[1].strip(), found[2].strip()
    numbered = _number_of(title)
    number = numbered["number"] if numbered else ""
    name = _plain(numbered["rest"] if numbered else title)
    if not rest or rest in (":", "."):
        level = BARE_LABEL_LEVEL if line.lstrip().startswith(("- ", "* ", "+ ")) else CAPITALS_LEVEL
        return Heading(level, number, name, len(line))
    ends = title.endswith((":", ".")) or rest.startswith((":", "-", "."))
    if not ends and not number:
        return None
    return Heading(NUMBER_LEVEL + 1 if number else LABEL_LEVEL, number, name, found.start(2))


def _capitals(line: str, is_title: IsTitle) -> Heading | None:
    text = line.strip()
    letters = sum(map(str.isalpha, text))
    if letters < 3 or text != text.upper() or len(text) > MAX_TITLE_CHARS or BLANK in text:
        return None
    if any(map(str.isdigit, text)) or text.endswith(":") or len(text.split()) > MAX_TITLE_WORDS or ":" in text:
        return None
    if not is_title(_plain(text)) and (len(text.split()) > 6 or text.endswith((".", ","))):
        return None
    return Heading(CAPITALS_LEVEL, "", _plain(text), len(line))


def _label(line: str, is_title: IsTitle) -> Heading | None:
    found = _LABEL.match(line)
    if found and len(found[1].split()) <= 7 and "." not in found[1].strip("."):
        body = found[2]
        if not body:
            return Heading(BARE_LABEL_LEVEL, "", _plain(found[1]), len(line))
        if found[1][:1].isupper() or is_title(_plain(found[1])):
            return Heading(LABEL_LEVEL, "", _plain(found[1]), found.start(2))
    spaced = _SPACED_LABEL.match(line) or _CAPITALS_LABEL.match(line)
    if spaced and is_title(_plain(spaced[1])):
        return Heading(LABEL_LEVEL, "", _plain(spaced[1]), spaced.start(2))
    dashed = re.match(r"\s*(?:[-*+]\s+|\(?(?:[a-z]|[ivx]{1,4})[.)]\s+)?[*_]{0,3}([A-Z][A-Za-z'/& -]{2,40}?)[*_]{0,3}\s+-{1,2}\s+(\S.*)$", line)
    if dashed and is_title(_plain(dashed[1])) and len(dashed[1].split()) <= 5:
        return Heading(LABEL_LEVEL, "", _plain(dashed[1]), dashed.start(2))
    lead = re.match(r"\s*(?:[-*+]\s+|\(?(?:[a-z]|[ivx]{1,4})[.)]\s+)?([A-Z][A-Za-z'/& -]{2,45}?)\.\s+(\S.*)$", line)
    if lead and len(lead[1].split()) <= 5 and is_title(_plain(lead[1])):
        return Heading(LABEL_LEVEL, "", _plain(lead[1]), lead.start(2))
    return None


def _title_line(line: str, previous: str, following: str, is_title: IsTitle) -> Heading | None:
    text = line.strip()
    if len(text) > MAX_TITLE_CHARS or not text[:1].isalpha() or len(text.split()) > MAX_TITLE_WORDS:
        return None
    if _UNDERLINE.match(following):
        return Heading(CAPITALS_LEVEL, "", _plain(text), len(line))
    if _TITLE_END.search(text) or previous.strip() and not _UNDERLINE.match(previous):
        return None
    if any(map(str.isdigit, text)) or BLANK in text or not text[:1].isupper() or not is_title(_plain(text)):
        return None
    return Heading(CAPITALS_LEVEL, "", _plain(text), len(line))


def _sections(heads: Sequence[tuple[int, int, Heading]], text: str) -> Iterator[Section]:
    """Sections in order; what stands after the paragraph of a label is a section without a title."""
    ends = [*(head[0] for head in heads[1:]), len(text)][: len(heads)]
    extents = _extents(heads, len(text))
    for (start, body, heading), end, extent in zip(heads, ends, extents, strict=True):
        over = text.find("\n\n", body, end) if heading.inline and heading.level == LABEL_LEVEL else -1
        last = over + 1 if over >= 0 and text[over:end].strip() else end
        yield Section(
            level=heading.level, number=heading.number.lower(), title=heading.title, start=start,
            body=min(body, last), end=last, extent=last if last != end else extent,
        )  # fmt: skip
        if last != end:
            yield Section(level=LABEL_LEVEL, number="", title="", start=last, body=last, end=end, extent=end)


def _extents(heads: Sequence[tuple[int, int, Heading]], length: int) -> Sequence[int]:
    """For each section the start of the next one that is not below it; labels are below bare headings only."""
    extents = [length] * len(heads)
    open_sections: list[int] = []
    for index, (start, _, heading) in enumerate(heads):
        while open_sections and not _holds(heads[open_sections[-1]][2], heading):
            extents[open_sections.pop()] = start
        open_sections.append(index)
    return extents


def _holds(outer: Heading, inner: Heading) -> bool:
    if outer.inline and inner.level >= BARE_LABEL_LEVEL:
        return False
    return outer.level < inner.level


def _flatten(folded: str, sections: Sequence[Section]) -> str:
    """Line ends inside a section become spaces; those before a section and between paragraphs stay."""
    kept = {section.start - 1 for section in sections}
    paragraphs = {found.start() for found in _ENDS_BLOCK.finditer(folded)}
    pieces = folded.split("\n")
    place, out = -1, []
    for piece in pieces[:-1]:
        place += len(piece) + 1
        out += [piece, "\n" if place in kept or place in paragraphs else " "]
    return "".join([*out, pieces[-1]])
