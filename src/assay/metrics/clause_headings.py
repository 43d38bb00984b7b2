"""Lines of a contract that are headings.

Markdown, numbered ("4.", "4.2", "Clause 4"), in capitals, bold, underlined, labels ("Deposit: ..."), table
rows, schedules and annexures, and short lines that a pack knows as a heading.
"""

import re
from collections.abc import Callable
from itertools import islice
from typing import NamedTuple

from assay.metrics.clause_terms import BLANK

IsTitle = Callable[[str], bool]
MAX_TITLE_CHARS = 80
MAX_TITLE_WORDS = 9
MAX_LABEL_WORDS = 5
ANNEXURE_LEVEL, CAPITALS_LEVEL, NUMBER_LEVEL, BARE_LABEL_LEVEL, LABEL_LEVEL = 10, 20, 20, 30, 40
_MARKDOWN = re.compile(r"\s{0,3}(#{1,6})\s+(\S.*?)[\s#]*$")
_BOLD = re.compile(r"\s*(?:[-*+]\s+)?(?:\*\*|__)(?=\S)([^*_\n]{1,90}?)(?:\*\*|__)\s*(.*)$")
_NUMBERED = re.compile(
    r"\s*(?:[-*+]\s+)?(?P<word>(?:special\s+)?(?:clause|section|article|item|paragraph|condition|"
    r"term|particular|detail|entry|row|line|point|part)\s+)?\(?"
    r"(?P<number>\d{1,3}(?:\.\d{1,3}){0,4}|(?:[A-Z]|[IVX]{1,5}|(?-i:[A-Z]{1,2})\d{1,2})(?=[.):]))(?P<mark>[.):]*)(?:\s*[-:]\s*|\s+)"
    r"(?P<rest>\S.*)$",
    re.IGNORECASE,
)
_LONE_NUMBER = re.compile(
    r"\s*(?:clause|section|article|item)\s+(\d{1,3}(?:\.\d{1,3})*)\s*[.:-]?\s*$", re.IGNORECASE
)
ORDINALS = ("first", "second", "third", "fourth", "fifth")
_WORDS = ("one", "two", "three", "four", "five")
_ANNEXURE = re.compile(
    rf"\s*(?:the\s+)?(?:({'|'.join(ORDINALS)}|reference|item|fee|lease)\s+)?"
    r"(schedule|annexure|appendix|exhibit|attachment|annex|addendum|rider)"
    r"(?:\s+[\"(]?([A-Z]|\d{1,2}|[IVX]{1,4}|one|two|three|four|five)\b[\")]?)?\s*(?:$|[-:.(]\s*(.*)$|"
    r"([A-Z].*)$)",
    re.IGNORECASE,
)
_LABEL = re.compile(
    r"\s*(?:[-*+>]\s+|\(?(?:[a-z]|[ivx]{1,4}|\d{1,2})[.)]\s+|"
    r"\|\s*(?:(?:item\s+)?\d{1,2}(?:\.\d)?[.)]?\s*\|\s*)?)?(?:\*{1,3}|__?)?"
    r"([A-Za-z][A-Za-z0-9'()/&.,% -]{1,58}?)(?:\*{1,3}|__?)?\s*(?:\||:(?!//))\s*(?:\*\*|__)?\s*(.*?)\s*\|"
    r"?\s*$"
)
_SPACED_LABEL = re.compile(r"\s*([A-Z][A-Za-z0-9'()/& -]{1,40}?)(?:\t+| {2,}|\s?\.{3,}\s*| = )(\S.*)$")
_CAPITALS_LABEL = re.compile(
    r"\s*([A-Z][A-Z()'/& -]{2,40}[A-Z)])\s+([^\sA-Z].*|[A-Z$(][a-z0-9\d].*|[A-Z]+[a-z].*)$"
)
_SPLIT = re.compile(r"(?P<title>[A-Z][^.:;\n]{1,70}?)\s*(?::|\.|\s-{1,2})\s+(?P<body>\S.*)$")
_CAPITALS_FIRST = re.compile(r"(?P<title>[A-Z][A-Z/&'(), -]{3,60}[A-Z)])\s+(?P<body>[A-Z(][a-z ].*)$")
_CELLS = re.compile(r"(?P<title>[A-Z][A-Za-z'/&(), -]{1,50}?)(?:\t+| {2,}|\s*\|\s*)(?P<body>\S.*)$")
_FIGURE_NEXT = re.compile(rf"(?<=[A-Za-z)])\s+(?=[$\d(\[{BLANK}])")
_PLURAL = re.compile(r"\((?:s|es)\)", re.IGNORECASE)
_UNDERLINE = re.compile(r"\s*(?:=|-){3,}\s*$")
_INDENTED = re.compile(r"(?:\t| {2,}|: )(?=[^\s*|-])")
_FIGURE = re.compile(r"\d{3,}|\$|\d,\d")
_STRUCTURE = re.compile(
    r"(?:[a-z'&]+ ){0,3}(?:terms|conditions|provisions|part|background|recitals|details|particulars|"
    r"definitions|notes|annexures|attachments|items|matters|clauses|obligations)(?: and conditions)?$|"
    r"(?:obligations|rights|duties|responsibilities) of [a-z ]+$",
    re.IGNORECASE,
)
"""Titles that part a contract and head no clause."""
_TITLE_END = re.compile(r"[.;,?!]$")
_MARKUP = re.compile(r"[*_#`|]+")


class Heading(NamedTuple):
    """What a line says as a heading: `body` is where the rest of the line begins."""

    level: int
    number: str
    title: str
    body: int
    inline: bool = False
    """Whether text follows on the line itself."""
    known: bool = False
    """Whether a pack knows the title."""


def read_heading(line: str, previous: str, following: str, is_title: IsTitle) -> Heading | None:
    """The heading that a line is or begins with; None for a line of text."""
    markdown = _MARKDOWN.match(line)
    if markdown:
        return _markdown(line, markdown)
    return (
        _annexure(line)
        or (_bold(line) if _BOLD.match(line) else None)
        or _numbered(line, is_title)
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
    rest = found[4] or found[5] or ""
    label = found[3] or (found[1] if found[1] and found[1].lower() in ORDINALS else "")
    if not label and rest:
        return None
    if rest and (rest[0].islower() or len(rest.split()) > 10):
        return None
    name = " ".join(part for part in (found[2].lower(), plain_label(label)) if part)
    return Heading(ANNEXURE_LEVEL, name, _plain(rest) or name, len(line))


def plain_label(label: str) -> str:
    """The label of an annexure, lower case; a number in words as figures."""
    lowered = label.lower()
    for words in (ORDINALS, _WORDS):
        if lowered in words:
            return str(words.index(lowered) + 1)
    return lowered


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
    level = NUMBER_LEVEL + 1 + number.count(".")
    title, offset = _split_title(rest, is_title)
    if not marked and not (rest[:1].isupper() and title and is_title(title)):
        return None
    return Heading(level, number, title, found.start("rest") + offset if offset is not None else len(line))


def _split_title(rest: str, is_title: IsTitle) -> tuple[str, int | None]:
    """Title and where the body begins in the rest of a numbered line; None: the line is the title."""
    bold = _BOLD.match(rest)
    if bold:
        return _plain(bold[1]), (bold.start(2) if bold[2].strip(" :.-") else None)
    cell = _CELLS.match(rest)
    if cell and is_title(_plain(cell["title"])):
        return _plain(cell["title"]), cell.start("body")
    if len(rest.split()) <= MAX_TITLE_WORDS and len(rest) <= MAX_TITLE_CHARS:
        label = _SPLIT.match(rest)
        if label and len(label["title"].split()) <= 6:
            return _plain(label["title"]), label.start("body")
        if not _TITLE_END.search(rest.strip()) and rest[:1].isupper() and not re.search(r"\d", rest):
            return _plain(rest), None
        if (
            rest.strip().endswith(".")
            and is_title(_plain(rest))
            and (rest.isupper() or len(rest.split()) <= 3)
        ):
            return _plain(rest), None
        ended = rest.strip().endswith(".")
        if not ended and is_title(_plain(rest)) and len(rest.split()) <= 5 and not _FIGURE.search(rest):
            return _plain(rest), None
    for pattern, words in ((_CAPITALS_FIRST, 9), (_SPLIT, 7)):
        found = pattern.match(rest)
        if found and len(found["title"].split()) <= words:
            return _plain(found["title"]), found.start("body")
    return _before_figures(rest, is_title)


def _before_figures(rest: str, is_title: IsTitle) -> tuple[str, int]:
    """The words of a title before a figure or a blank, as in "5 Deposit $50,000"."""
    for found in reversed(list(islice(_FIGURE_NEXT.finditer(rest), 4))):
        words = len(rest[: found.start()].split())
        if words <= MAX_LABEL_WORDS - 1 and is_title(_plain(rest[: found.start()])):
            return _plain(rest[: found.start()]), found.end()
    return "", 0


def _bold(line: str) -> Heading | None:
    found = _BOLD.match(line)
    if not found:
        return None
    title, rest = found[1].strip(), found[2].strip()
    numbered = _number_of(title)
    number = numbered["number"] if numbered else ""
    name = _plain(numbered["rest"] if numbered else title)
    if not any(map(str.isalpha, name)):
        return None
    if not rest or rest in (":", "."):
        level = BARE_LABEL_LEVEL if line.lstrip().startswith(("- ", "* ", "+ ")) else CAPITALS_LEVEL
        return Heading(level, number, name, len(line))
    ends = title.endswith((":", ".", "?", ",")) or rest.startswith((":", "-", "."))
    if not ends and not number:
        return None
    return Heading(NUMBER_LEVEL + 1 if number else LABEL_LEVEL, number, name, found.start(2))


def _capitals(line: str, is_title: IsTitle) -> Heading | None:
    text = line.strip()
    letters = sum(map(str.isalpha, text))
    if letters < 3 or text != text.upper() or len(text) > MAX_TITLE_CHARS or BLANK in text:
        return None
    if (
        any(map(str.isdigit, text))
        or text.endswith(":")
        or len(text.split()) > MAX_TITLE_WORDS
        or ":" in text
    ):
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
    dashed = re.match(
        r"\s*(?:[-*+]\s+|\(?(?:[a-z]|"
        r"[ivx]{1,4})[.)]\s+)?[*_]{0,3}([A-Z][A-Za-z'/& -]{2,40}?)[*_]{0,3}\s+-{1,2}\s+(\S.*)$",
        line,
    )
    if dashed and is_title(_plain(dashed[1])) and len(dashed[1].split()) <= 5:
        return Heading(LABEL_LEVEL, "", _plain(dashed[1]), dashed.start(2))
    lead = re.match(
        r"\s*(?:[-*+]\s+|\(?(?:[a-z]|[ivx]{1,4})[.)]\s+)?([A-Z][A-Za-z'/& -]{2,45}?)\.\s+(\S.*)$", line
    )
    if lead and len(lead[1].split()) <= 5 and is_title(_plain(lead[1])):
        return Heading(LABEL_LEVEL, "", _plain(lead[1]), lead.start(2))
    return None


def _title_line(line: str, previous: str, following: str, is_title: IsTitle) -> Heading | None:
    text = line.strip()
    if len(text) > MAX_TITLE_CHARS or not text[:1].isalpha() or len(text.split()) > MAX_TITLE_WORDS:
        return None
    if _UNDERLINE.match(following):
        return Heading(CAPITALS_LEVEL, "", _plain(text), len(line))
    if _TITLE_END.search(text):
        return None
    is_set_off = not previous.strip() or _UNDERLINE.match(previous) or _INDENTED.match(previous)
    if not is_set_off and not _is_label_line(text, previous, following, is_title):
        return None
    if any(map(str.isdigit, text)) or BLANK in text or not text[:1].isupper():
        return None
    if _INDENTED.match(following) and line[:1] == text[:1] and len(text.split()) <= MAX_LABEL_WORDS:
        return Heading(CAPITALS_LEVEL, "", _plain(text), len(line))
    if not is_title(_plain(text)) and not _STRUCTURE.match(text):
        return None
    return Heading(CAPITALS_LEVEL, "", _plain(text), len(line))


def _is_label_line(text: str, previous: str, following: str, is_title: IsTitle) -> bool:
    """Whether a line right below another is a heading: short, known, and not the text of the one above."""
    if len(text.split()) > MAX_LABEL_WORDS or not is_title(_plain(text)):
        return False
    below = following.strip()
    if is_title(_plain(previous)) and len(previous.split()) <= MAX_LABEL_WORDS:
        return bool(below) and not (is_title(_plain(below)) and len(below.split()) <= MAX_LABEL_WORDS)
    return True
