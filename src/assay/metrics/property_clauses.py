"""The clauses of an answer, and how each speaks: of this property or another, surely or not."""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from assay.metrics.property_speech import (
    ANSWER,
    CARRIES,
    FOLLOWS,
    GENERIC,
    HEADING,
    ITEM,
    OF_THE_POSSIBLE,
    OTHER,
    OTHER_BEHIND,
    PAST,
    PAST_BEHIND,
    POSSIBLE,
    POSSIBLE_AFTER,
    PRONOUN,
    SELF,
    SOME_HOME,
    SUPPOSED,
    TOLD,
    UNSURE,
    WAS,
)

MAX_CLAUSE_CHARS = 600
"""A longer clause is cut, so that looking round a find takes bounded time."""
_ABBREVIATIONS = (
    r"(?<!\bapprox)(?<!\bSt)(?<!\bRd)(?<!\bAve)(?<!\bNo)(?<!\bno)(?<!\bMt)(?<!\bsq)(?<!\bp\.a)"
    r"(?<!\bp\.w)(?<!\be\.g)(?<!\bi\.e)(?<!\bc)(?<!\bCct)(?<!\bDr)(?<!\bvs)"
)
_SENTENCE = re.compile(
    rf"{_ABBREVIATIONS}[.!?]+[\"')*_]{{0,3}}\s+(?=[\"'(*_\-\u2022]{{0,3}}[A-Z0-9$~])|\n+|\s?[\u2022\u00b7\u2713\u2714\u2705]\s"
    r"|\s?[\U0001F300-\U0001FAFF]\ufe0f?\s+(?=[\"'(]?[A-Z0-9$])"
    r"|\s?[\U0001F600-\U0001F64F]\s+(?=[a-z])"
)
_CLAUSE = re.compile(
    r";\s|\s[\u2013\u2014]\s(?!\$)|,?\s(?:while|whereas|(?<!everything\s)(?<!all\s)(?<!anything\s)but|although|though|whilst|yet|"
    r"however|compared\s(?:to|with)|versus|unlike|as\sagainst)\b"
    r"|,\s(?:and\s)?(?=(?:a|an|the|other|another|one)\s(?:\w+\s){0,3}?(?:comparable|similar|"
    r"neighbouring|nearby|median|average|house\snext))",
    re.IGNORECASE,
)
_STEP = re.compile(r",\s(?:and|but|so)\s(?=the|it|there|a|an|you)")
"""Where a clause goes on to another statement."""


@dataclass(frozen=True, slots=True)
class Clause:
    """A part of a sentence that says one thing; positions are those of the whole text."""

    start: int
    end: int
    text: str
    asked: bool
    follows_other: bool
    refused: bool = False
    """Whether it is a question that is answered with no."""

    def before(self, position: int, chars: int = 200) -> str:
        """The clause's text up to a position of the whole text, its last characters."""
        return self.text[max(0, position - self.start - chars) : max(0, position - self.start)]

    def after(self, position: int, chars: int = 200) -> str:
        """The clause's text from a position of the whole text on."""
        return self.text[max(0, position - self.start) : max(0, position - self.start) + chars]

    def of_another(self, start: int, end: int) -> bool:
        """Whether what stands at [start, end) is said of other properties."""
        ahead = self.before(start, MAX_CLAUSE_CHARS)
        other, own = _last(OTHER, ahead), _last(SELF, ahead)
        if other >= 0 or own >= 0:
            return other > own
        if self.follows_other and (
            ITEM.match(self.text) or FOLLOWS.match(self.text) or CARRIES.match(self.text)
        ):
            return True
        return bool(OTHER_BEHIND.search(self.after(end, 70)) or GENERIC.match(self.text))

    def unsure(self, start: int) -> bool:
        """Whether the clause says, before `start`, that it does not know."""
        return bool(UNSURE.search(self.before(start, MAX_CLAUSE_CHARS)))

    @property
    def may_be_of_another(self) -> bool:
        """Whether it speaks of some home, without saying that it is this one."""
        return bool(SOME_HOME.search(self.text)) and not SELF.search(self.text)

    @property
    def says_unknown(self) -> bool:
        """Whether the clause says anywhere that something is not known."""
        return bool(UNSURE.search(self.text))

    def supposed(self, start: int) -> bool:
        """Whether it is an assumption, or what somebody is looking for."""
        return bool(SUPPOSED.search(self.before(start, MAX_CLAUSE_CHARS)))

    def past(self, start: int) -> bool:
        """Whether it says before `start` how things were once, and not how they are now."""
        ahead = self.before(start, MAX_CLAUSE_CHARS)
        return bool(PAST.search(ahead) or (WAS.search(ahead) and PAST_BEHIND.match(self.after(start, 120))))

    def possible(self, start: int, end: int) -> bool:
        """Whether what stands at [start, end) could be, and is not."""
        ahead = _STEP.split(self.before(start, 55))[-1]
        return bool(POSSIBLE.search(ahead) or POSSIBLE_AFTER.match(self.after(end, 60)))


@dataclass(frozen=True, slots=True)
class Clauses:
    """The clauses of a text, found by position."""

    items: tuple[Clause, ...]
    starts: tuple[int, ...]

    def about(self, position: int) -> Iterator[Clause]:
        """The clause at a position, and those after it that go on about the same by a pronoun."""
        index = max(0, bisect_right(self.starts, position) - 1)
        yield self.items[index]
        for clause in self.items[index + 1 : index + 6]:
            if not PRONOUN.match(clause.text):
                return
            yield clause

    def ahead_of(self, clause: Clause) -> str:
        """The text of the clause before one; of the first there is none."""
        index = bisect_right(self.starts, clause.start) - 2
        return self.items[index].text if index >= 0 else ""

    def question(self, clause: Clause) -> str:
        """The question that a clause answers, the one before it; else nothing."""
        index = bisect_right(self.starts, clause.start) - 2
        return self.items[index].text if index >= 0 and self.items[index].asked else ""

    def at(self, position: int) -> Clause:
        """The clause that holds a position."""
        return self.items[max(0, bisect_right(self.starts, position) - 1)]


def split_clauses(text: str) -> Clauses:
    """The clauses of a text; together they are all of it."""
    items: list[Clause] = []
    headed = after_other = False
    for start, end in _pieces(text, _SENTENCE, 0, len(text)):
        line = text[start : min(end, start + MAX_CLAUSE_CHARS)]
        asked = text[start:end].rstrip(" \n\"')*_").endswith("?") and not TOLD.match(line)
        answer = _answer(line, text[end : end + 40]) if asked else ""
        asked = asked and not answer
        headed = _is_heading_of_others(line, text[end : end + 4]) or (headed and bool(ITEM.match(line)))
        follows = headed or (after_other and bool(CARRIES.match(line)))
        for first, last in _pieces(text, _CLAUSE, start, end):
            for cut in range(first, max(last, first + 1), MAX_CLAUSE_CHARS):
                piece = text[cut : min(last, cut + MAX_CLAUSE_CHARS)]
                items.append(Clause(cut, cut + len(piece), piece, asked, follows, answer == "no"))
            follows = bool(OTHER.search(text, first, min(last, first + MAX_CLAUSE_CHARS)))
        after_other = follows or (after_other and bool(CARRIES.match(line)))
    if not items:
        items.append(Clause(0, 0, "", False, False))
    return Clauses(tuple(items), tuple(item.start for item in items))


def _answer(question: str, following: str) -> str:
    """ "yes" or "no" where a question of what is there is answered so; else nothing."""
    match = None if OF_THE_POSSIBLE.match(question) else ANSWER.match(following)
    return (match.lastgroup or "") if match else ""


def _is_heading_of_others(line: str, following: str) -> bool:
    """Whether a line such as "Comparable sales:" begins a list of other properties."""
    over_list = len(line) < 60 and bool(ITEM.match(following)) and not ITEM.match(line)
    return bool((over_list or HEADING.match(line)) and OTHER.search(line))


def _pieces(text: str, mark: re.Pattern[str], start: int, end: int) -> list[tuple[int, int]]:
    """The parts of [start, end), cut where marks begin; the mark of a sentence stays with it."""
    pieces, begin = [], start
    for match in mark.finditer(text, start, end):
        cut = match.end() if mark is _SENTENCE else match.start()
        if cut > begin:
            pieces.append((begin, cut))
            begin = cut
    if begin < end:
        pieces.append((begin, end))
    return pieces


def _last(pattern: re.Pattern[str], text: str) -> int:
    position = -1
    for match in pattern.finditer(text):
        position = match.start()
    return position
