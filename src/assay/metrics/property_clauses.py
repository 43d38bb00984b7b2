"""The clauses of an answer, and how each speaks: of this property or another, surely or not."""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

MAX_CLAUSE_CHARS = 600
"""A longer clause is cut, so that looking round a find takes bounded time."""
_ABBREVIATIONS = (
    r"(?<!\bapprox)(?<!\bSt)(?<!\bRd)(?<!\bAve)(?<!\bNo)(?<!\bno)(?<!\bMt)(?<!\bsq)(?<!\bp\.a)"
    r"(?<!\bp\.w)(?<!\be\.g)(?<!\bi\.e)(?<!\bc)(?<!\bCct)(?<!\bDr)(?<!\bvs)"
)
_SENTENCE = re.compile(
    rf"{_ABBREVIATIONS}[.!?]+[\"')*_]{{0,3}}\s+(?=[\"'(*_\-\u2022]{{0,3}}[A-Z0-9$~])|\n+|\s?[\u2022\u00b7\u2713\u2714\u2705]\s"
    r"|\s?[\U0001F300-\U0001FAFF]\ufe0f?\s+(?=[\"'(]?[A-Z0-9$])"
)
_CLAUSE = re.compile(
    r";\s|\s[\u2013\u2014]\s(?!\$)|,?\s(?:while|whereas|but|although|though|whilst|yet|"
    r"however|compared\s(?:to|with)|versus|unlike|as\sagainst)\b"
    r"|,\s(?:and\s)?(?=(?:a|an|the|other|another|one)\s(?:\w+\s){0,3}?(?:comparable|similar|"
    r"neighbouring|nearby|median|average|house\snext))",
    re.IGNORECASE,
)
_HOMES = (
    r"(?:homes?|houses?|propert(?:y|ies)|units?|apartments?|flats?|listings?|villas?|townhouses?|condos?|"
    r"places?|semis?|terraces?|blocks?|lots?|ones?)"
)
_OTHER = re.compile(
    r"\b(?:nearby(?!\s(?:school|shop|park|transport|amenit|caf|beach|train|station|bus|tram|restaurant))|"
    r"comparables?|comparatively|neighbou?r(?:ing|s|['\u2019]s)?|next[\s-]?door|doors?\s(?:down|up|along|away)|streets?\saway|"
    r"similar(?!\s(?:to\sthis|price))|"
    rf"(?:other|another|different|rival|competing|adjacent|adjoining|last|previous)\s(?:[\w-]+\s){{0,2}}?{_HOMES}|"
    r"(?:in|by)\scontrast|(?:also|I)\sfound|for\scomparison|(?:in|by)\scomparison|compared\swith|alternatives?|others|"
    r"(?:across|over|down|up)\sthe\s(?:road|street|hill)|around\sthe\scorner|"
    r"medians?|averages?|typical(?:ly)?|usually|recent(?:ly)?\s(?:sales?|sold)|"
    r"(?:last|latest|highest|record)\s(?:sales?|one\ssold)\s|sales?\sevidence|"
    r"same\s(?:street|building|block|complex)|elsewhere|over\sin|"
    r"(?<!of\s\d\s)(?<!of\s\d\d\s)(?:houses|homes|units|apartments|townhouses|properties|listings|sales|"
    r"villas|condos)(?!\s(?:corporation|entitlement))|"
    r"(?:unit|apartment|flat|one|level)\s(?:upstairs|downstairs|above|below|opposite)|"
    r"(?:number|no\.?)\s\d{1,4}[a-z]?|option\s(?:[b-z]|[2-9])|property\s(?:[b-z]|[2-9])|"
    rf"your\s(?:own|current|present|existing|other)\s(?:[\w-]+\s){{0,2}}?{_HOMES}|surrounding|market\s(?:rent|rate|value)|suburb['\u2019]s)\b",
    re.IGNORECASE,
)
_SELF = re.compile(
    r"\b(?:this\s(?:[\w-]+\s){0,3}?(?:property|home|house|apartment|unit|listing|"
    r"townhouse|villa|place|residence|block|condo|studio)|this\sone|subject\sproperty|"
    r"the\sproperty|the\srecord|the\slisting|this\sis|the\svendor|"
    r"price\sguide|our\slisting)\b",
    re.IGNORECASE,
)
_UNSURE = re.compile(
    r"\b(?:not\s(?:been\s)?(?:stated|specified|listed|disclosed|provided|mentioned|given|"
    r"recorded|confirmed|clear|known|noted|advertised|indicated|documented)|"
    r"(?:does|do|did)(?:\snot|n't|n\u2019t)\s(?:say|state|mention|specify|list|note|confirm|"
    r"indicate|disclose|refer|show|tell|reveal|record|describe|provide)|"
    r"no\s(?:information|mention|detail|details|record|indication|reference|data|evidence|"
    r"confirmation)|unknown|unclear|uncertain|unspecified|undisclosed|unconfirmed|"
    r"(?:cannot|can't|can\u2019t|could\snot|couldn't|unable\sto)\s(?:confirm|verify|find|say|"
    r"tell|see|determine)|not\ssure|(?:don't|don\u2019t|do\snot)\s(?:know|have)|silent|"
    r"ask\s(?:the|about|your|whether|if)|confirm\s(?:with|whether|if)|check\s(?:with|whether|"
    r"if)|verify\s(?:with|whether|if)|whether|to\sbe\sconfirmed|tbc|tba)\b",
    re.IGNORECASE,
)
_SUPPOSED = re.compile(
    r"\b(?:if|suppose|supposing|imagine|assuming|hypothetical(?:ly)?|for\s(?:example|"
    r"instance)|budget(?:s|ed|ing)?|say\swe|were\sto|"
    r"pre-?approv\w+|looking\sfor|searching\sfor|seeking|(?:you|i|we|they|he|she|buyers?|clients?)\s(?:want|need|prefer)\w*|"
    r"(?:might|may|could)\s(?:be|cost|fetch|sell|reach|rent|go\sfor)|suggest\w*|recommend\w*|"
    r"negotiat\w*|offered\s(?=\$)|you\s(?:said|mentioned|asked\sfor)|bidding\s(?:is|will|should|to)|opening\sbid|your\s(?:brief|wish|requirement|"
    r"criteria)\w*)\b|\be\.g\.",
    re.IGNORECASE,
)
_POSSIBLE = re.compile(
    r"(?:^|[,;:(]\s?|\b(?:is|\w+['\u2019]s|has|have|of|enough|ample|with|still|offers?|leaves?|the|more|and)\s)(?:room|space)\s(?:for|to)\b|"
    r"\b(?:potential|scope|possib\w+|stca|"
    r"subject\sto\s(?:council|approval)|could\s(?:add|be|build|fit|suit|have)|"
    r"would\s(?:suit|fit|allow)|(?:may|might)\s(?:add|be|fit|allow|have|suit)|opportunity\sto|"
    r"add(?:ing)?\sa|install(?:ing)?\sa|future|plans?\sfor|proposed|perfect\sfor\sa|"
    r"ideal\sfor\sa)\b",
    re.IGNORECASE,
)


_OTHER_BEHIND = re.compile(
    r"^[^.]{0,40}\b(?:nearby|next[\s-]door|(?:down|up)\sthe\s(?:road|street)|doors?\s(?:down|up|along|away)|"
    r"in\sthe\s(?:same\s)?(?:area|suburb|street|building)|(?:around|across)\sthe\s(?:corner|road|street)|"
    r"on\saverage)\b|^[\s-]?(?:\w+\s)?(?:medians?|averages?)\b|^[\s-]?(?:[\w-]+\s)?(?:houses|homes|units|apartments|townhouses|properties)\b",
    re.IGNORECASE,
)
_SOME_HOME = re.compile(
    rf"(?<!is\s)(?<!as\s)(?<!for\s)\b(?:an?|one)\s(?:[\w-]+\s){{0,3}}?(?:{_HOMES}|weatherboard|cottage|bungalow|studio)\b|"
    r"\b(?:went\sfor|fetched|achieved|traded)\b",
    re.IGNORECASE,
)
_FOLLOWS = re.compile(
    r"[\s,;\u2013\u2014]*(?:(?:but|yet|though|although|while|and|or)\s)?(?:and|it|its|they|that|which|the\sone|has|have|"
    r"had|is|was|were|lacks?|sold|fetched|went|comes|came|offers|with|without|no)\b",
    re.IGNORECASE,
)
_CARRIES = re.compile(
    r"\s*(?:It|That(?:\s\w+)?|They|Both|Those|These|The\slatter)\s(?:had|was|were|sold|went|"
    r"featured|offered|fetched|achieved|came|included)\b"
)
"""How a sentence goes on about the other property that the one before it was about."""
_PRONOUN = re.compile(r"\s*(?:It|Its|That\s(?:home|house|property|one|sale|unit)|They)\b")
_HEADING = re.compile(r"\s*(?:#{1,6}\s.{0,120}|[^.\n]{0,160}:[*_]{0,2}|[*_]{2}[^\n]{0,120}[*_]{2})\s*$")
_ITEM = re.compile(r"[\s;,]*(?:[-*\u2022|]|\d{1,2}[.)]\s|\d+[A-Za-z]?\s[A-Z])")

_POSSIBLE_AFTER = re.compile(
    r"\s(?:\w+\s){0,3}?(?:potential|possib\w+|could|stca|subject\sto|opportunit\w+)\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Clause:
    """A part of a sentence that says one thing; positions are those of the whole text."""

    start: int
    end: int
    text: str
    asked: bool
    follows_other: bool

    def before(self, position: int, chars: int = 200) -> str:
        """The clause's text up to a position of the whole text, its last characters."""
        return self.text[max(0, position - self.start - chars) : max(0, position - self.start)]

    def after(self, position: int, chars: int = 200) -> str:
        """The clause's text from a position of the whole text on."""
        return self.text[max(0, position - self.start) : max(0, position - self.start) + chars]

    def of_another(self, start: int, end: int) -> bool:
        """Whether what stands at [start, end) is said of other properties."""
        ahead = self.before(start, MAX_CLAUSE_CHARS)
        other, own = _last(_OTHER, ahead), _last(_SELF, ahead)
        if other >= 0 or own >= 0:
            return other > own
        if self.follows_other and (
            _ITEM.match(self.text) or _FOLLOWS.match(self.text) or _CARRIES.match(self.text)
        ):
            return True
        return bool(_OTHER_BEHIND.search(self.after(end, 70)))

    def unsure(self, start: int) -> bool:
        """Whether the clause says, before `start`, that it does not know."""
        return bool(_UNSURE.search(self.before(start, MAX_CLAUSE_CHARS)))

    @property
    def may_be_of_another(self) -> bool:
        """Whether it speaks of some home, without saying that it is this one."""
        return bool(_SOME_HOME.search(self.text)) and not _SELF.search(self.text)

    @property
    def says_unknown(self) -> bool:
        """Whether the clause says anywhere that something is not known."""
        return bool(_UNSURE.search(self.text))

    def supposed(self, start: int) -> bool:
        """Whether it is an assumption, or what somebody is looking for."""
        return bool(_SUPPOSED.search(self.before(start, MAX_CLAUSE_CHARS)))

    def possible(self, start: int, end: int) -> bool:
        """Whether what stands at [start, end) could be, and is not."""
        return bool(_POSSIBLE.search(self.before(start, 55)) or _POSSIBLE_AFTER.match(self.after(end, 60)))


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
            if not _PRONOUN.match(clause.text):
                return
            yield clause

    def at(self, position: int) -> Clause:
        """The clause that holds a position."""
        return self.items[max(0, bisect_right(self.starts, position) - 1)]


def split_clauses(text: str) -> Clauses:
    """The clauses of a text; together they are all of it."""
    items: list[Clause] = []
    headed = after_other = False
    for start, end in _pieces(text, _SENTENCE, 0, len(text)):
        line = text[start : min(end, start + MAX_CLAUSE_CHARS)]
        asked = text[start:end].rstrip(" \n\"')*_").endswith("?")
        headed = _is_heading_of_others(line) or (headed and bool(_ITEM.match(line)))
        follows = headed or (after_other and bool(_CARRIES.match(line)))
        for first, last in _pieces(text, _CLAUSE, start, end):
            for cut in range(first, max(last, first + 1), MAX_CLAUSE_CHARS):
                piece = text[cut : min(last, cut + MAX_CLAUSE_CHARS)]
                items.append(Clause(cut, cut + len(piece), piece, asked, follows))
            follows = bool(_OTHER.search(text, first, min(last, first + MAX_CLAUSE_CHARS)))
        after_other = follows or (after_other and bool(_CARRIES.match(line)))
    if not items:
        items.append(Clause(0, 0, "", False, False))
    return Clauses(tuple(items), tuple(item.start for item in items))


def _is_heading_of_others(line: str) -> bool:
    """Whether a line such as "Comparable sales:" begins a list of other properties."""
    return bool(_HEADING.match(line)) and bool(_OTHER.search(line))


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
