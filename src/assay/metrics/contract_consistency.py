"""What a contract contradicts in itself, as far as rules can decide it.

References to clauses, schedules and annexures that are not there; a deposit whose percentage and amount do
not agree with the price; two prices or two deposits; settlement before the contract's date; a term that
ends before it starts; capitalised terms that are used and nowhere defined, in contracts that define their
terms.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Any, NamedTuple

from assay.metrics.clause_references import REFERENCE, resolve
from assay.metrics.clause_text import Contract

MAX_ISSUES = 20
MAX_REFERENCES = 500
TOLERANCE = 0.005
"""By which share of the price an amount may be off for rounding."""
MIN_CLAUSES = 3
"""References to clauses are checked in contracts with at least so many numbered ones."""
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|"
    r"nov(?:ember)?|dec(?:ember)?)"
)
_DATE_TEXT = (
    rf"(?:\d{{1,2}}(?:st|nd|rd|th)?(?: day)?(?: of)? {_MONTH},? \d{{4}}|{_MONTH} \d{{1,2}}(?:st|nd|rd|"
    rf"th)?,? \d{{4}}|"
    r"\d{1,2}/\d{1,2}/\d{4}|\d{4}-\d{2}-\d{2})"
)
_AMOUNT = r"(?:A|AU|US)?\$\s?(\d[\d,]*(?:\.\d+)?)(\s?(?:million|m|k)\b)?"
_LEAD = r"[.:*| -]{0,6}"
_GAP = r"(?:[^.\n$]|\.\d){0,50}?"
_PRICE = re.compile(
    rf"\b(?:purchase|sale|contract|total purchase|agreed)?\s?price\b{_LEAD}{_GAP}{_AMOUNT}", re.IGNORECASE
)
_DEPOSIT = re.compile(rf"\b(?:deposit|earnest money)\b{_LEAD}{_GAP}{_AMOUNT}", re.IGNORECASE)
_PERCENT = re.compile(
    r"\b(?:deposit|earnest money)\b[.:*| -]{0,6}(?:[^.\n]|\.\d){0,60}?(\d+(?:\.\d+)?)\s?(?:%|per ?cent)|"
    r"(\d+(?:\.\d+)?)\s?(?:%|per ?cent)(?:[^.\n]|\.\d){0,40}?\bdeposit\b",
    re.IGNORECASE,
)
_NOT_WHOLE = re.compile(
    r"\b(?:balance|further|second|additional|remaining|instal|increase|initial|interest|default)",
    re.IGNORECASE,
)
_CONTRACT_DATE = re.compile(
    rf"\b(?:dated|date of (?:this )?(?:contract|agreement|lease)|contract date|made (?:on|this)|"
    rf"entered into on|effective)"
    rf"\b[\s:,*|a-z]{{0,20}}?({_DATE_TEXT})",
    re.IGNORECASE,
)
_SETTLEMENT = re.compile(
    rf"\b(?:settlement|completion|closing|close of escrow)\b(?:[^.\n]|\.\d){{0,60}}?({_DATE_TEXT})",
    re.IGNORECASE,
)
_SPAN = re.compile(
    rf"\b(?:from|commenc\w*|start\w*|begin\w*)\b(?:[^.\n]|\.\d){{0,30}}?({_DATE_TEXT})(?:[^.\n]|\.\d){{0,40}}?"
    rf"\b(?:to|until|ending|ends|expir\w*|through)\b(?:[^.\n]|\.\d){{0,20}}?({_DATE_TEXT})",
    re.IGNORECASE,
)
_DEFINED = re.compile(
    r"[\"*(]\s?(?:the\s)?[\"*]*([A-Z][A-Za-z]+(?: [A-Z][A-Za-z]+){0,3})[\"*]*\s?[\")*]|"
    r"\b([A-Z][A-Za-z]+(?: [A-Z][A-Za-z]+){0,3})\"?\*{0,2} (?:means|shall mean|has the meaning|includes|"
    r"refers to)\b"
)
_USED = re.compile(r"\b(?:[Tt]he|[Ee]ach|[Aa]ny|such) ([A-Z][a-z]+(?: [A-Z][a-z]+){0,2})\b(?!\s(?:[A-Z]|\d))")
_PROPER = re.compile(
    r"\b(?:Act|Acts|Regulation|Regulations|Code|Court|State|Territory|Tribunal|Registrar|Commissioner|Government|"
    r"Council|Authority|Institute|Society|Office|Commonwealth|Minister|Department|Road|Street|Avenue|Bank|January|"
    r"February|March|April|May|June|July|August|September|October|November|December|Fair Trading|Bureau|"
    r"Board|Register|"
    r"County|City|University|United|New South|Northern|Western|South|Australian|Federal|Form|Law|Consumer|"
    r"Revenue)\b"
)
MIN_DEFINITIONS = 3
MIN_USES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Inconsistency:
    """One contradiction, with the place that shows it."""

    check: str
    message: str
    start: int
    end: int
    quote: str

    def as_evidence(self) -> dict[str, Any]:
        """The contradiction for a score's evidence."""
        return {
            "check": self.check, "message": self.message, "quote": self.quote, "start": self.start,
            "end": self.end,
        }  # fmt: skip


class _Said(NamedTuple):
    value: float
    start: int
    end: int


def find_inconsistencies(contract: Contract) -> Sequence[Inconsistency]:
    """The first contradictions that are found, at most MAX_ISSUES."""
    found: list[Inconsistency] = []
    for check in (_references, _amounts, _dates, _terms):
        for issue in check(contract):
            found.append(issue)
            if len(found) >= MAX_ISSUES:
                return found
    return found


def _issue(contract: Contract, check: str, message: str, span: tuple[int, int]) -> Inconsistency:
    start, end = span
    quote = " ".join(contract.raw[start:end].split())[:160]
    return Inconsistency(check=check, message=message, start=start, end=end, quote=quote)


def _references(contract: Contract) -> Iterator[Inconsistency]:
    """References to numbered clauses and to annexures that are not in the contract."""
    numbers = {section.number for section in contract.sections if section.number[:1].isdigit()}
    for found in islice(REFERENCE.finditer(contract.flat), MAX_REFERENCES):
        if found["clause"]:
            if len(numbers) < MIN_CLAUSES or (
                found["number"].split(".")[0] in numbers and "." in found["number"]
            ):
                continue
            kind = "clause"
        elif found["label"] and not _is_attached(contract, found):
            kind = "annexure"
        else:
            continue
        if resolve(contract, found) is None:
            name = " ".join(found.group().split()[:3])
            named = f"{found['clause'] or found['kind']} {found['number'] or found['label']}"
            message = f"{named} is referred to and is not in the contract"
            yield _issue(contract, f"missing_{kind}", message, (found.start(), found.start() + len(name)))


def _is_attached(contract: Contract, found: re.Match[str]) -> bool:
    start, end = contract.sentence(*found.span())
    words = contract.flat[start:end]
    return (
        re.search(
            r"attach|annex(?:ed|es)|enclos|accompan|appended|separate document|behind", words, re.IGNORECASE
        )
        is not None
    )


def _said(pattern: re.Pattern[str], contract: Contract) -> Iterator[_Said]:
    for found in pattern.finditer(contract.flat):
        words = contract.flat[found.start() : found.start(1)]
        if _NOT_WHOLE.search(words) or _NOT_WHOLE.search(
            contract.flat[max(0, found.start() - 15) : found.start()]
        ):
            continue
        number = (
            float(found[1].replace(",", ""))
            * {"m": 1e6, "k": 1e3, "": 1.0}[(found[2] or "").strip()[:1].lower()]
        )
        yield _Said(number, *found.span())


def _amounts(contract: Contract) -> Iterator[Inconsistency]:
    prices = [
        each
        for each in _said(_PRICE, contract)
        if "deposit" not in contract.flat[each.start : each.end].lower()
    ]
    deposits = [
        each
        for each in _said(_DEPOSIT, contract)
        if "price" not in contract.flat[each.start : each.end].lower()
    ]
    for name, said in (("price", prices), ("deposit", deposits)):
        other = next((each for each in said[1:] if each.value != said[0].value), None)
        if other is not None:
            message = f"two {name}s: ${said[0].value:,.0f} and ${other.value:,.0f}"
            yield _issue(contract, f"{name}_conflict", message, (other.start, other.end))
    share = _PERCENT.search(contract.flat)
    if prices and deposits and share:
        percent = float(share[1] or share[2])
        expected = prices[0].value * percent / 100
        if not any(abs(each.value - expected) <= TOLERANCE * prices[0].value for each in deposits):
            message = (
                f"{percent:g}% of ${prices[0].value:,.0f} is ${expected:,.0f}, not ${deposits[0].value:,.0f}"
            )
            yield _issue(contract, "deposit_amount", message, (deposits[0].start, deposits[0].end))


def _dates(contract: Contract) -> Iterator[Inconsistency]:
    made = _CONTRACT_DATE.search(contract.flat)
    settled = _SETTLEMENT.search(contract.flat)
    if made and settled:
        first, last = _day(made[1]), _day(settled[1])
        if first and last and last < first:
            message = f"settlement on {last} is before the contract of {first}"
            yield _issue(contract, "settlement_before_contract", message, settled.span())
    for found in _SPAN.finditer(contract.flat):
        first, last = _day(found[1]), _day(found[2])
        if first and last and last < first:
            yield _issue(contract, "term_ends_before_it_starts", f"{last} is before {first}", found.span())


def _day(text: str) -> date | None:
    """A date as it is written; of 3/4/2026 the day comes first, unless that is impossible."""
    year_first = re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)", text)
    if year_first:
        return _make_day(*map(int, year_first.groups()))
    numbers = [int(number) for number in re.findall(r"\d+", text)]
    name = re.search(_MONTH, text, re.IGNORECASE)
    if name and len(numbers) == 2:
        return _make_day(numbers[1], _MONTHS.index(name.group()[:3].lower()) + 1, numbers[0])
    if len(numbers) == 3:
        day, month = (numbers[0], numbers[1]) if numbers[1] <= 12 else (numbers[1], numbers[0])
        return _make_day(numbers[2], month, day)
    return None


def _make_day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _terms(contract: Contract) -> Iterator[Inconsistency]:
    """Capitalised terms that are used at least twice and defined nowhere."""
    text = contract.flat
    defined = {(found[1] or found[2]).lower() for found in _DEFINED.finditer(text)}
    if len(defined) < MIN_DEFINITIONS:
        return
    defined |= {section.title.lower() for section in contract.sections}
    used: Counter[str] = Counter()
    places: dict[str, tuple[int, int]] = {}
    for found in _USED.finditer(text):
        used[found[1]] += 1
        places.setdefault(found[1], found.span(1))
    for term, count in used.items():
        if count >= MIN_USES and not _is_defined(term.lower(), defined) and not _PROPER.search(term):
            yield _issue(
                contract, "undefined_term", f"{term!r} is used {count} times and not defined", places[term]
            )


def _is_defined(term: str, defined: set[str]) -> bool:
    forms = {term, term.removesuffix("s"), f"{term}s"}
    return any(form in defined for form in forms) or any(
        re.search(rf"\b{re.escape(form)}\b", title) for title in defined for form in forms
    )
