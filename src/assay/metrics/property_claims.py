"""What an answer claims of a property in numbers: amounts, shares, periods, dates, areas, rooms."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from assay.extract.areas import find_areas
from assay.extract.dates import Locale, find_dates
from assay.extract.finds import Find, Span
from assay.extract.money import Money, find_money
from assay.extract.periods import Period, find_percentages, find_periods
from assay.extract.phones import find_phones
from assay.extract.rooms import find_rooms
from assay.metrics.property_clauses import Clause, Clauses

MAX_FINDS = 2_000
"""How many finds of each kind are looked at; what follows in a longer answer is not checked."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One fact that an answer states: a field with a value, and where it is said."""

    field: str
    value: Any
    find: Find[Any]
    clause: Clause
    hedged: bool = False
    negated: bool = False

    @property
    def said(self) -> str:
        """The words, on one line."""
        return " ".join(self.find.quote.split())


_MONEY_CUES: Mapping[str, str] = {
    "price_per_sqm": r"(?:price|rate|cost|dollars)\s(?:per|a)\s(?:sq(?:m|uare\sm\w+|uare\sfoot)|m2|m²)",
    "rent_per_week": r"rent(?:s|ed|al|ing)?(?!\s?(?:bond|yield|return))|leased?|let(?:s|ting)?(?=\s(?:at|for|to|out))|tenant(?:s|ed)?|tenancy|weekly|lease",
    "stamp_duty": r"(?:stamp|transfer|conveyance|land\stransfer)[\s-]dut(?:y|ies)|dut(?:y|ies)",
    "strata_levies": r"strata|body\scorp(?:orate)?|owners?['\u2019]?\scorp(?:oration)?|lev(?:y|ies)|o\.?c\.?\sfees?|admin(?:istration)?\sfund|community\sfees",
    "council_rates": r"council|municipal|shire|(?<!water\s)(?<!interest\s)\brates",
    "water_rates": r"water",
    "land_tax": r"land\stax",
    "property_tax": r"(?:property|annual|real\sestate)\stax(?:es)?|taxes",
    "hoa_fees": r"h\.?o\.?a\.?|homeowners?['\u2019]?\sassociation",
    "bond": r"bond|security\sdeposit",
    "deposit": r"deposit",
    "last_sold_price": r"last\s(?:sold|traded|changed|purchased|bought)|previous(?:ly)?|former(?:ly)?|originally|original|purchased|bought|prior\ssale|"
    r"initial(?:ly)?|(?:down|up)\sfrom|(?:reduced|dropped|cut|lowered|revised|adjusted|slashed)(?:\s\w+){0,3}\sfrom|was\s(?:listed|priced|asking|advertised)|paid|prior",
    "sold_price": r"sold|fetched|changed\shands|sale\sprice|hammer|selling\sprice|knocked\sdown",
    "price": r"pric(?:e|ed|ing)|asking|guide|list(?:ed|ing)|for\ssale|offer(?:s|ed)?|on\sthe\smarket|valued|worth|expectations?|purchase|contract\sprice|quoted|buy|"
    r"marketed|advertised|from|range|sale",
    "": r"loan|borrow\w*|mortgage|repay\w*|grant|rebate|concession|sav(?:e|es|ing|ings)|discount|renovat\w*|upgrad\w*|spent|spend|insurance|legal(?:s)?|"
    r"conveyanc(?:er|ing)|budget|commission|penalt\w*|surcharge|registration|gst|lmi|lenders|(?:build(?:ing)?|construction|renovation|moving|repair|running|holding|total|upfront)\scosts?|reserve|profit|equity|income|turnover|"
    r"exemption|threshold|reduc\w*\sby|by\s(?=\$)|increase[ds]?\sof|cap(?:ped)?|median|average|inspection\scost|balance|remaining|holding\sfee|application|"
    r"land\svalue|site\svalue|unimproved|improvements?|insured|outgoings|expenses|maintenance|quote[ds]?\sfor|cost\sof|revenue|fund\sbalance|sinking|valuation|appraised|agent'?s?\sfee|utility|utilities|"
    r"electricity|pest|interest|shortfall|difference|more\sthan\sthe|less\sthan\sthe|above\sthe|below\sthe|per\smonth\son",
}
"""What an amount is, by the words near it; the empty name is something that no record has."""
_CUE = re.compile(
    "|".join(f"\\b(?P<c{number}>{cue})\\b" for number, cue in enumerate(_MONEY_CUES.values())), re.IGNORECASE
)
_CUE_NAMES = tuple(_MONEY_CUES)
_BASE_PHRASE = re.compile(
    r"\b(?:on|of|at|for)\s(?:the|a|that|this|your|its)\s(?:[\w-]+\s){0,2}?(?:price|value|guide|purchase|sale)\b", re.IGNORECASE
)
_TO_BUILD = re.compile(r"\b(?:build(?:ing)?|construction)\scosts?\b|\b(?:to|could|can\sbe)\s(?:build|built)\b", re.IGNORECASE)
_WEEKS_OF_RENT = re.compile(r"\b(?:weeks?|months?)['\u2019]?\s(?:of\s)?rent\b", re.IGNORECASE)
_BASE = re.compile(r"\bon\s(?:a\s|an\s|the\s|this\s|that\s|your\s)?(?:purchase\s|sale\s|contract\s|price\s|sum\s|of\s|value\s|asking\s|full\s)*[*_]{0,2}$", re.IGNORECASE)
"""What comes before the amount that a sum is of: "duty on $900,000"."""
_RESULT = re.compile(
    r"(?:\b(?:is|are|be|equals?|to|(?:out|calculated|assessed|estimated)\sat|means|totals?|costs?|gives|makes|attracts|adds|payable|come|=)|[:=(])\s?(?:about\s|around\s|approximately\s|roughly\s|only\s|a\s|an\s|just\s)?[*_]{0,2}$",
    re.IGNORECASE,
)
_DERIVED = re.compile(
    rf"\b(?:(?P<price_per_sqm>{_MONEY_CUES['price_per_sqm']})|(?P<stamp_duty>{_MONEY_CUES['stamp_duty']})|(?P<deposit>deposit))\b", re.IGNORECASE
)
_AT = re.compile(r"\b(?:at|for|of)\s(?:a\s|the\s)?(?:price\sof\s)?$", re.IGNORECASE)
_LOAN = re.compile(r"\s(?:home\s)?(?:loan|mortgage|deposit|budget|grant|salary|income)", re.IGNORECASE)
_EXEMPT = re.compile(r"\b(?:no\s(?:stamp|transfer)\sdut|exempt|threshold|up\sto|waive|abolish)", re.IGNORECASE)
"""Words that make an amount near "duty" a limit of a concession."""
MAX_CUE_DISTANCE = 130.0
SMALLEST_PRICE = 40_000.0
"""A smaller amount that no word explains is not taken for a price."""
_HEDGE = re.compile(
    r"(?:\b(?:approx(?:imately|\.)?|about|around|roughly|circa|nearly|almost|some|c\.|close\sto|just\s(?:over|under|shy\sof|above|below)|in\sthe\s(?:region|vicinity)\sof|"
    r"estimated(?:\sat)?|mid|low|high|ballpark|or\sso|say)|~|\u2248)[\s(]*(?:an?\s|the\s|of\s|at\s)?[*_]{0,2}$",
    re.IGNORECASE,
)
_NEGATED = re.compile(
    r"(?:\b(?:not|never|no\slonger|rather\sthan|instead\sof|as\sopposed\sto|nor|without)|n't|n\u2019t)\s(?:actually\s|really\s|have\s|the\s|a\s|an\s|for\s|at\s|be\s|any\s|priced\sat\s|listed\sat\s|in\s)*[*_\"(]{0,3}$",
    re.IGNORECASE,
)
_SUB_AREA = re.compile(
    r"\b(?:balcon(?:y|ies)|courtyard|terrace|garage|shed|deck|storage|minimum|verandah?|alfresco|patio|studio|workshop|pool|bedroom|rooftop|kitchen|garden|cellar|cage|"
    r"national\spark|reserve|parkland|loft|mezzanine|lounge|basement|showroom|office|granny\sflat|secondary\sdwelling|carport)\b",
    re.IGNORECASE,
)
_LAND = re.compile(
    r"\b(?:land|block|lots?|allotment|parcel|site|grounds|acre(?:s|age)?|hectares?|holding|land\ssize)\b", re.IGNORECASE
)
_FLOOR = re.compile(
    r"\b(?:floor(?:\s?plan|\sarea|\sspace)?|internal(?:ly)?|living(?:\sarea|\sspace)?|interior|house\ssize|building|footprint|under\sroof|residence|indoor|"
    r"living\sspace|build|finished|heated)\b",
    re.IGNORECASE,
)
_PARTIAL_BEFORE = re.compile(
    r"\b(?:further|additional|other|more|extra|upstairs|downstairs|remaining|secondary|minor|another|of\sthe|of\sits|includes?|ground-floor|first-floor|plus|children's|guest)\s$",
    re.IGNORECASE,
)
_PARTIAL_AFTER = re.compile(
    r"^\s?,?\s?(?:are\s|all\s|both\s|each\s|is\s)?(?:upstairs|downstairs|on\s(?:the|each|this)\s(?:\w+\s)?(?:level|floor|storey)|with\s(?:built|a\sbuilt|their|private|en|wal)|"
    r"have|has|feature|share|overlook|open|at\sthe\s(?:rear|front|back)|include|come|enjoy|located|being|off)\b",
    re.IGNORECASE,
)
_PERCENT_CUES = re.compile(
    r"\b(?:(?P<net_yield_percent>net\s(?:rental\s)?(?:yields?|returns?))|(?P<gross_yield_percent>(?:gross\s|rental\s)*(?:yield(?:s|ing)?)|(?:rental|gross)\sreturns?)"
    r"|(?P<deposit_percent>deposit)|(?P<other>interest|growth|discount|commission|vacancy|lvr|loan|mortgage|grew|rose|fell|increase\w*|decrease\w*|clearance|"
    r"gst|cpi|surcharge|rates?|tax|duty|off|above|below|higher|lower|share|ownership|occupancy))\b",
    re.IGNORECASE,
)
_DATE_CUES = (
    ("auction_date", r"auction(?:ed|s)?|under\sthe\shammer"),
    ("inspection_date", r"inspect(?:ion|ions|ed)?|open\s(?:home|house|for)|viewings?"),
    ("settlement_date", r"settle(?:s|d|ment)?|completion|closing|closes"),
    ("available_date", r"available|vacant\sfrom|move\sin|commenc(?:e|es|ing)"),
    ("contract_date", r"contracts?|exchang(?:e|ed|es)|signed|dated"),
    ("", r"expression|eoi|offers?\sclose|listed|built|renovat\w+|sold|lease|tenan\w+|approved|updated|today|as\s(?:of|at)|valid|inspection\sreport|offers"),
)
_DATE_CUE = re.compile(
    "|".join(f"\\b(?P<d{number}>{cue})\\b" for number, (_, cue) in enumerate(_DATE_CUES)), re.IGNORECASE
)
_BEGINS = re.compile(r"\b(?:from|after|since|starting|beginning)\s(?:the\s)?$", re.IGNORECASE)
_SETTLEMENT = re.compile(r"\bsettle(?:s|d|ment)?\b|\bclosing\b|\bcompletion\b", re.IGNORECASE)
_COOLING = re.compile(r"\bcooling[\s-]off\b", re.IGNORECASE)


def numeric_claims(text: str, clauses: Clauses, locale: Locale) -> Iterator[Claim]:
    """The claims in numbers, those of other properties, questions and suppositions left out."""
    phones = [(find.start, find.end) for find in find_phones(text)[:MAX_FINDS]]
    money = [find for find in find_money(text, bare=True)[:MAX_FINDS] if not _inside(find, phones)]
    yield from _money_claims(money, clauses)
    yield from _percent_claims(find_percentages(text)[:MAX_FINDS], clauses)
    yield from _period_claims(find_periods(text)[:MAX_FINDS], clauses)
    yield from _date_claims(find_dates(text, locale)[:MAX_FINDS], clauses)
    areas = [find for find in find_areas(text)[:MAX_FINDS] if not _inside(find, phones)]
    yield from _area_claims(areas, clauses)
    rooms = [find for find in find_rooms(text)[:MAX_FINDS] if not _inside(find, phones)]
    yield from _room_claims(rooms, clauses)


def _inside(find: Find[Any], spans: list[tuple[int, int]]) -> bool:
    return any(start <= find.start < end for start, end in spans)


def states_fact(clause: Clause, find: Find[Any], *, supposed: bool = False) -> bool:
    """Whether a find is a fact about this property: not asked, not another's, not unknown.

    `supposed` lets conditions pass: "if you pay 10%, that is $85,000" is a sum that can be checked.
    """
    if clause.asked or clause.of_another(find.start, find.end) or clause.unsure(find.start):
        return False
    return supposed or not clause.supposed(find.start)


def make_claim(field: str, find: Find[Any], clause: Clause) -> Claim:
    """The claim with its hedges and negation."""
    ahead = clause.before(find.start, 60)
    behind = clause.after(find.end, 14).lower()
    hedged = bool(_HEDGE.search(ahead)) or behind.startswith(("+", " or so", " approx", " (approx", " odd"))
    return Claim(field, find.value, find, clause, hedged, bool(_NEGATED.search(ahead)))


def _money_claims(finds: list[Find[Money]], clauses: Clauses) -> Iterator[Claim]:
    for number, find in enumerate(finds):
        clause = clauses.at(find.start)
        before = finds[number - 1].end if number else 0
        after = finds[number + 1].start if number + 1 < len(finds) else find.end + 1_000
        field = _money_field(find, clause, before, after)
        derived = field in ("deposit", "stamp_duty", "price_per_sqm")
        if field and states_fact(clause, find, supposed=derived):
            yield make_claim(field, find, clause)


def _money_field(find: Find[Money], clause: Clause, before: int, after: int) -> str:
    """What an amount is: by its period, else by the nearest word that tells."""
    per = find.value.per
    if per in ("sqm", "sqft", "hectare", "acre"):
        return "price_per_sqm" if per in ("sqm", "sqft") else ""
    ahead = clause.before(find.start)
    if per is None and find.value.high >= SMALLEST_PRICE and _BASE.search(ahead) and not _LOAN.match(clause.after(find.end)):
        return "price"
    if per is None and before > clause.start:
        said = _in_sum(ahead, ahead[-(find.start - before) :])
        if said:
            return said
    cue = _nearest_cue(find, clause, before, after)
    if cue == "stamp_duty" and _EXEMPT.search(ahead):
        return ""
    if per in ("night", "day"):
        return ""
    if per is not None:
        if cue in ("price", "sold_price", "last_sold_price", None):
            return "rent_per_week" if per in ("week", "fortnight", "month") else ""
        return cue if cue not in ("deposit", "stamp_duty", "price_per_sqm") else ""
    if cue is None:
        return "price" if find.value.low >= SMALLEST_PRICE else ""
    if cue == "price" and find.value.high < SMALLEST_PRICE:
        return "rent_per_week" if find.value.low < 5_000 and "rent" in clause.text.lower() else ""
    return cue


def _in_sum(ahead: str, gap: str) -> str:
    """What the second amount of a sum is: "duty on $900,000 is $35,000", "duty is $35,000 at $900,000"."""
    subject = _DERIVED.search(ahead)
    if subject is None or any(_cue_name(match) not in ("price", "sold_price") for match in _CUE.finditer(gap)):
        return ""
    if _RESULT.search(ahead):
        return subject.lastgroup or ""
    return "price" if _AT.search(ahead) else ""


def _cue_name(match: re.Match[str]) -> str:
    return _CUE_NAMES[int((match.lastgroup or "c0")[1:])]


def _nearest_cue(find: Find[Money], clause: Clause, before: int, after: int) -> str | None:
    """The field of the nearest cue; words beyond another amount count less. None when there is no cue."""
    best: tuple[float, str] | None = None
    ahead, behind = clause.before(find.start), clause.after(find.end, 90)
    ahead = _WEEKS_OF_RENT.sub(lambda match: "#" * len(match.group()), ahead)
    if _DERIVED.search(ahead):
        ahead = _BASE_PHRASE.sub(lambda match: "#" * len(match.group()), ahead)
    for match in _CUE.finditer(ahead):
        distance = float(len(ahead) - match.end())
        if find.start - distance < before:
            distance += 60
        best = _nearer(best, distance, match)
    for match in _CUE.finditer(behind):
        between = behind[: match.start()]
        distance = match.start() + (1 if between.strip(" (") in ("", "in", "is the", "as the", "as", "of", "for", "for the", "in annual", "for annual", "for quarterly", "in quarterly", "annual") else 14)
        if find.end + match.start() > after:
            distance += 60
        if re.search(r"[,;.|]|\band\b|\bwith\b", between):
            if 0 <= after - (find.end + match.end()) < 40:
                continue
            distance += 40
        best = _nearer(best, distance, match)
    return best[1] if best and best[0] < MAX_CUE_DISTANCE else None


def _nearer(best: tuple[float, str] | None, distance: float, match: re.Match[str]) -> tuple[float, str]:
    name = _cue_name(match)
    weight = distance + (12 if name == "price" else 0)
    return (weight, name) if best is None or weight < best[0] else best


def _percent_claims(finds: list[Find[Span]], clauses: Clauses) -> Iterator[Claim]:
    for number, find in enumerate(finds):
        clause = clauses.at(find.start)
        before = finds[number - 1].end if number else 0
        after = finds[number + 1].start if number + 1 < len(finds) else find.end + 1_000
        field = _percent_field(find, clause, before, after)
        if field != "other" and states_fact(clause, find, supposed=True):
            yield make_claim(field, find, clause)


def _percent_field(find: Find[Span], clause: Clause, before: int, after: int) -> str:
    """What a share is, by the nearest word on either side that tells."""
    ahead, behind = clause.before(find.start, 70), clause.after(find.end, 45)
    best = (60.0, "other")
    for match in _PERCENT_CUES.finditer(ahead):
        distance = float(len(ahead) - match.end())
        distance += 50 if find.start - distance < before else 0
        best = min(best, (distance, match.lastgroup or "other"))
    for match in _PERCENT_CUES.finditer(behind):
        distance = match.start() + (0.0 if match.start() < 3 else 12.0)
        distance += 50 if find.end + match.start() > after else 0
        distance += 15 if re.search(r"[,;.|]|\band\b", behind[: match.start()]) else 0
        best = min(best, (distance, match.lastgroup or "other"))
    return best[1]


def _period_claims(finds: list[Find[Period]], clauses: Clauses) -> Iterator[Claim]:
    for find in finds:
        clause = clauses.at(find.start)
        near = clause.before(find.start, 80) + " # " + clause.after(find.end, 60)
        if _COOLING.search(near):
            field = "cooling_off_days"
        elif _SETTLEMENT.search(near):
            field = "settlement_days"
        else:
            continue
        if states_fact(clause, find):
            yield make_claim(field, find, clause)


def _date_claims(finds: list[Find[Any]], clauses: Clauses) -> Iterator[Claim]:
    for find in finds:
        clause = clauses.at(find.start)
        field = _date_field(find, clause)
        if field and states_fact(clause, find):
            yield make_claim(field, find, clause)


def _date_field(find: Find[Any], clause: Clause) -> str:
    ahead, behind = clause.before(find.start, 120), clause.after(find.end, 60)
    best = (1e9, "")
    for match in _DATE_CUE.finditer(ahead):
        best = min(best, (float(len(ahead) - match.end()), _date_name(match)))
    for match in _DATE_CUE.finditer(behind):
        best = min(best, (match.start() + 20.0, _date_name(match)))
    begins = best[1] == "settlement_date" and _BEGINS.search(ahead)
    return "contract_date" if begins else best[1]


def _date_name(match: re.Match[str]) -> str:
    return _DATE_CUES[int((match.lastgroup or "d0")[1:])][0]


def _area_claims(finds: list[Find[Span]], clauses: Clauses) -> Iterator[Claim]:
    for find in finds:
        clause = clauses.at(find.start)
        field = _area_field(find, clause)
        if field and states_fact(clause, find):
            yield make_claim(field, find, clause)


def _area_field(find: Find[Span], clause: Clause) -> str:
    """land_area_sqm, floor_area_sqm, area (either), or nothing for a part of the property."""
    ahead, behind = clause.before(find.start, 50), clause.after(find.end, 32)
    behind = re.split(r"[,.;(|]|\sand\s|\swith\s|\son\s(?:an?|its)\s", behind)[0]
    near = re.split(r"[,;|](?!\d)|\sand\s|\swith\s|\son\s(?:an?|its|the)\s(?=\w*\s?$)", ahead)[-1]
    places = [
        (match.start() if side else len(near) - match.end(), name)
        for name, pattern in (("", _SUB_AREA), ("land_area_sqm", _LAND), ("floor_area_sqm", _FLOOR))
        for side, part in ((0, near), (1, behind))
        for match in pattern.finditer(part)
    ]
    if places:
        return min(places)[1]
    wide = re.search(r"(?:land|block|lot|floor|internal|living|building)[^\d$]{0,20}(?:area|size)?\W{0,8}$", ahead, re.IGNORECASE)
    if wide:
        return "floor_area_sqm" if _FLOOR.search(wide.group()) else "land_area_sqm"
    return "land_area_sqm" if find.unit in ("acre", "ha") else "area"


def _room_claims(finds: list[Find[float]], clauses: Clauses) -> Iterator[Claim]:
    for find in finds:
        clause = clauses.at(find.start)
        if not states_fact(clause, find) or clause.possible(find.start, find.end) or _TO_BUILD.search(clause.text):
            continue
        if find.unit != "car_spaces" and _PARTIAL_BEFORE.search(clause.before(find.start, 24)):
            continue
        yield make_claim(find.unit, find, clause)


def is_partial(claim: Claim) -> bool:
    """Whether a count may be of some of the rooms only: "three bedrooms have built-in robes"."""
    return bool(_PARTIAL_AFTER.search(claim.clause.after(claim.find.end, 40)))
