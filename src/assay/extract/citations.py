"""Legal citations in text: Australian Acts and cases, law reports, United States statutes and regulations.

`find_citations` finds them, `check_citation` says of each whether the register knows it:

- ok          the Act is known, with this year and jurisdiction, and the section can exist
- wrong       the title is known but not of that year or jurisdiction, or the section cannot exist
- unverified  nothing is known against it, and nothing for it

Forms: the Australian Guide to Legal Citation, 4th ed (2018), chapters 2 and 3, with the looser forms that
people write ("section 32 of the ..."); for the United States the Bluebook, rules 12 and 14.2. The register is
`legislation_au.tsv`; its bounds of sections leave room, so that `wrong` is said of what cannot be and not of
what is new. Time is linear in the text.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from itertools import islice
from typing import Literal, NamedTuple

CitationKind = Literal["legislation", "case", "report", "us_code", "us_regulation"]
Standing = Literal["ok", "wrong", "unverified"]
MAX_CITATIONS = 200
MAX_INSTRUMENTS = 2000
"""Times that the word Act or Regulation is looked at in one text."""
REACH = 160
"""How far before the word Act its title may begin, in characters."""
JURISDICTIONS: Mapping[str, str] = {
    "cth": "Cth", "commonwealth": "Cth", "nsw": "NSW", "new south wales": "NSW", "vic": "Vic",
    "victoria": "Vic", "qld": "Qld", "queensland": "Qld", "sa": "SA", "south australia": "SA", "wa": "WA",
    "western australia": "WA", "tas": "Tas", "tasmania": "Tas", "act": "ACT",
    "australian capital territory": "ACT", "nt": "NT", "northern territory": "NT",
}  # fmt: skip
FIRST_YEARS: Mapping[str, int] = {
    "HCA": 1903, "FCA": 1977, "FCAFC": 2002, "FCCA": 2013, "FedCFamC2G": 2021, "FamCA": 1976, "NSWCA": 1966,
    "NSWSC": 1824, "NSWLEC": 1980, "NSWDC": 1973, "NSWCATAP": 2014, "NSWCATCD": 2014, "NSWCATAD": 2014,
    "VSC": 1852, "VSCA": 1995, "VCC": 1852, "VCAT": 1998, "QSC": 1861, "QCA": 1991, "QDC": 1959, "QCAT": 2009,
    "QCATA": 2009, "SASC": 1837, "SASCFC": 2010, "SASCA": 2021, "SADC": 1969, "SACAT": 2015, "WASC": 1861,
    "WASCA": 2001, "WADC": 1970, "WASAT": 2005, "TASSC": 1824, "TASFC": 1938, "TASCAT": 2021, "ACTSC": 1934,
    "ACTCA": 2001, "ACAT": 2009, "NTSC": 1911, "NTCA": 1986, "NTCAT": 2014,
}  # fmt: skip
"""Courts and tribunals by their designator, with the first year from which a decision can be."""
REPORTS = ("CLR", "ALR", "ALJR", "FCR", "FLR", "NSWLR", "VR", "QdR", "Qd R", "SASR", "WAR", "ACTLR", "NTLR")
_REPORT_WORDS = "|".join(name.replace(" ", r"\s") for name in REPORTS)
_JURISDICTION = r"\(\s*(?P<jurisdiction>" + "|".join(JURISDICTIONS) + r")\s*\)"
_PLAIN = r"(?:\s+(?P<plain>(?-i:NSW|Vic|VIC|Qld|QLD|SA|WA|Tas|TAS|NT|Cth))\b)?"
_YEAR = r"(?:,?\s+(?:of\s+)?\(?(?P<{}>1[89]\d\d|20\d\d)\b\)?)?"
_INSTRUMENT = re.compile(
    r"\b(?P<word>Act|Regulations?|Rules)\b"
    + _YEAR.format("year")
    + rf"(?:\s+No\.?\s?\d+)?(?:\s*{_JURISDICTION})?{_YEAR.format('later')}{_PLAIN}",
    re.IGNORECASE,
)
_WHOSE = re.compile(
    r"\b(?P<whose>NSW|New South Wales|Vic(?:toria)?|Qld|Queensland|SA|South Australia|WA|Western Australia|"
    r"Tas(?:mania)?|NT|Northern Territory|Commonwealth)(?:n|['\u2019]s?)?\s+$"
)
"""What stands before a title: "Queensland's Property Law Act", "the NSW Conveyancing Act"."""
_DENIED_BEFORE = re.compile(
    r"\b(?:no|not)\s+(?:such\s+\w+\s+as\s+)?(?:the\s+)?['\"\u2018\u201c]?$", re.IGNORECASE
)
_DENIED_AFTER = re.compile(
    r"['\"\u2019\u201d]?,?\s+(?:does not|doesn['\u2019]t|never|did not|didn['\u2019]t) exist", re.IGNORECASE
)
"""Round a title that is said not to be: "there is no Privacy Act 1998", "... doesn't exist"."""
_CONSUMER_LAW = re.compile(rf"\bAustralian Consumer Law\b(?:\s*{_JURISDICTION})?|\bACL\b", re.IGNORECASE)
_UNIT = (
    r"(?:sections?|secs?\.?|\u00a7{1,2}|ss?\.?|regulations?|regs?\.?|schedules?|sch\.?|clauses?|cl\.?|"
    r"part|pt\.?|division|div\.?)"
)
_NUMBER = r"\d{1,5}(?:-\d{1,4})?[A-Z]{0,3}(?:\(\w{1,4}\))*"
_PROVISION = (
    rf"(?P<unit>{_UNIT})\s?(?P<numbers>{_NUMBER}(?:\s?(?:,|and|or|to|-|\u2013|&)\s?{_NUMBER}){{0,6}})"
)
_BEFORE = re.compile(
    rf"(?<![\w.]){_PROVISION}(?:\s+(?:of|in|under|to))?(?:\s+the)?(?:\s+\w+)?\s*$", re.IGNORECASE
)
_AFTER = re.compile(rf"\s*,?\s*\(?{_PROVISION}(?!\w)", re.IGNORECASE)
_NUMERAL = re.compile(r"(\d{1,5})(?:-\d{1,4})?[A-Z]{0,3}")
_MEDIUM_NEUTRAL = re.compile(
    r"\[(?P<year>\d{4})\]\s+(?P<court>[A-Z][A-Za-z]{1,9}\d?[A-Z]?)\s+(?P<number>\d{1,5})\b"
)
_REPORT = re.compile(
    rf"(?:\((?P<year>\d{{4}})\)\s+)?\b(?P<volume>\d{{1,3}})\s+({_REPORT_WORDS})\s+\d{{1,4}}\b"
)
_US_CODE = re.compile(
    r"\b(?P<title>\d{1,3})\s+(?:U\.?\s?S\.?\s?C\.?(?:A\.?)?|U\.?\s?S\.?\s?Code|United States Code),?\s*"
    r"(?:\u00a7{1,2}|sections?|sec\.)?\s*"
    r"(?P<section>\d{1,5})(?P<rest>[a-z]{0,2}(?:-\d+)?(?:\(\w{1,4}\))*)",
    re.IGNORECASE,
)
_US_REGULATION = re.compile(
    r"\b(?P<title>\d{1,3})\s+C\.?\s?F\.?\s?R\.?\s*(?:\u00a7{1,2}|sections?|sec\.|parts?)?\s*"
    r"(?P<part>\d{1,4})(?:\.(?P<section>\d{1,4}))?(?:\(\w{1,4}\))*",
    re.IGNORECASE,
)
_WORD = re.compile(r"\([^()\n]{1,60}\)|[\w'\u2019.,&-]+")
_SMALL = frozenset(("of", "and", "the", "for", "to", "in", "on", "&"))
_LEADING = frozenset(
    ("the", "under", "see", "in", "by", "and", "of", "to", "section", "sections", "an", "while", "both",
     "our", "this", "that", "with", "from", "for", "on", "but", "or", "new", "old", "if", "when", "as", "per")
)  # fmt: skip
FAIR_HOUSING = range(3601, 3632)
AFTER_FAIR_HOUSING = range(3632, 3701)
"""Sections of title 42 between chapters 45 (Fair Housing) and 46: there are none."""
US_CODE_TITLES, US_REGULATION_TITLES = range(1, 55), range(1, 51)
SECTION_UNITS = frozenset(("s", "ss", "sec", "secs", "section", "sections", "\u00a7", "\u00a7\u00a7"))
US_CODE_BOUNDS: Mapping[str, int] = {"24": 500, "42": 25000}
"""No section of these titles has a higher number: Hospitals and Asylums, and Public Health and Welfare."""
FAIR_HOUSING_REGULATIONS = (
    *(range(1, 30), range(50, 150), range(200, 230), range(300, 330)),
    *(range(400, 420), range(500, 520), range(600, 601)),
)
"""Sections of 24 CFR part 100, by subpart, with room after the last of each."""
REGULATION_BOUNDS: Mapping[tuple[str, str], int] = {("42", "100"): 20}
"""Last sections of parts that are taken for those on fair housing: 42 CFR part 100 is on vaccines."""
CONSUMER_LAW_BOUND = 300
STATE_BOUND = 1000
"""No Act of a State or Territory in the register has a section of this number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """What is cited and where it stands. `provisions` are the section numbers as written."""

    kind: CitationKind
    text: str
    start: int
    end: int
    title: str
    year: int | None = None
    jurisdiction: str | None = None
    unit: str | None = None
    provisions: tuple[str, ...] = ()


class Checked(NamedTuple):
    """What the register says of a citation."""

    standing: Standing
    reason: str


class Act(NamedTuple):
    """A row of the register; `bound` is a number that no section exceeds, None when it is not known."""

    jurisdiction: str
    title: str
    year: int
    bound: int | None


@lru_cache(maxsize=1)
def load_register() -> Mapping[str, tuple[Act, ...]]:
    """Title in lower case -> the Acts of that title, from every jurisdiction."""
    text = (resources.files("assay.extract") / "legislation_au.tsv").read_text(encoding="utf-8")
    acts: dict[str, tuple[Act, ...]] = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            jurisdiction, title, year, bound = line.split("\t")
            act = Act(jurisdiction, title, int(year), _bound(jurisdiction, bound))
            acts[_key(title)] = (*acts.get(_key(title), ()), act)
    return acts


def _bound(jurisdiction: str, bound: str) -> int | None:
    if bound:
        return int(bound)
    return None if jurisdiction == "Cth" else STATE_BOUND


def _key(title: str) -> str:
    return " ".join(title.replace("\u2019", "'").lower().split())


def find_citations(text: str) -> list[Citation]:
    """The citations of a text in order of place, at most MAX_CITATIONS of them; spans do not overlap."""
    finders = (_legislation, _consumer_law, _cases, _reports, _us_code, _us_regulations)
    found = [citation for finder in finders for citation in _first(finder(text))]
    kept: list[Citation] = []
    for citation in sorted(found, key=lambda each: (each.start, -each.end)):
        if not kept or citation.start >= kept[-1].end:
            kept.append(citation)
    return kept[:MAX_CITATIONS]


def _first(citations: Iterator[Citation]) -> list[Citation]:
    return [citation for citation, _ in zip(citations, range(MAX_CITATIONS), strict=False)]


def _legislation(text: str) -> Iterator[Citation]:
    floor = 0
    for found in islice(_INSTRUMENT.finditer(text), MAX_INSTRUMENTS):
        if not found["word"][0].isupper():
            continue
        low = max(floor, found.start() - REACH)
        has_year = bool(found["year"] or found["later"])
        start, title = _title_before(text, low, found.start(), found["word"], has_year)
        if title:
            floor = found.end()
            if not _is_denied(text, start, found.end()):
                yield _with_provisions(text, found, start, title)


def _is_denied(text: str, start: int, end: int) -> bool:
    """Whether a title is said not to exist, or not to be the one that is meant."""
    before = _DENIED_BEFORE.search(text, max(0, start - 40), start)
    return before is not None or _DENIED_AFTER.match(text, end) is not None


def _jurisdiction(text: str, found: re.Match[str], start: int) -> str | None:
    """What is named after the title, with or without brackets, else right before it."""
    named = found["jurisdiction"] or found["plain"]
    if named is None and (whose := _WHOSE.search(text, max(0, start - 30), start)) is not None:
        named = whose["whose"]
    return None if named is None else JURISDICTIONS[named.lower()]


def _title_before(text: str, low: int, end: int, word: str, has_year: bool) -> tuple[int, str]:
    """Where the title begins and what it is; a known title wins over the longest run of capitalised words."""
    starts = _candidate_starts(text, low, end)
    register = load_register()
    for start in starts:
        title = f"{text[start:end].strip()} {word}"
        if _key(title) in register:
            return start, " ".join(title.split())
    if not has_year or not starts:
        return end, ""
    return starts[0], " ".join(f"{text[starts[0] : end].strip()} {word}".split())


def _candidate_starts(text: str, low: int, end: int) -> list[int]:
    """Starts of runs of words before `end` that may be a title, the longest first."""
    words = list(_WORD.finditer(text, low, end))
    starts: list[int] = []
    for word in reversed(words[-12:]):
        value = word.group()
        capital = value[0].isupper() or (value[0] == "(" and value[1:2].isupper())
        if not capital and value.lower().rstrip(",") not in _SMALL:
            break
        if value.endswith(".") or (value.endswith(",") and not value[0].isupper()):
            break
        if capital and value.lower() not in _LEADING:
            starts.append(word.start())
    return starts[::-1]


def _with_provisions(text: str, found: re.Match[str], start: int, title: str) -> Citation:
    before = _BEFORE.search(text, max(0, start - 90), start)
    after = _AFTER.match(text, found.end()) if before is None else None
    provision = before or after
    end = after.end() if after else found.end()
    begin = before.start() if before else start
    year = found["year"] or found["later"]
    return Citation(
        kind="legislation", text=text[begin:end], start=begin, end=end, title=title,
        year=int(year) if year else None,
        jurisdiction=_jurisdiction(text, found, start),
        unit=provision["unit"].lower().rstrip(".") if provision else None,
        provisions=_numbers(provision["numbers"]) if provision else (),
    )  # fmt: skip


def _numbers(text: str) -> tuple[str, ...]:
    return tuple(re.findall(_NUMBER, text))


def _consumer_law(text: str) -> Iterator[Citation]:
    for found in _CONSUMER_LAW.finditer(text):
        before = _BEFORE.search(text, max(0, found.start() - 90), found.start())
        after = _AFTER.match(text, found.end()) if before is None else None
        provision = before or after
        if found.group().upper() == "ACL" and provision is None:
            continue
        start, end = before.start() if before else found.start(), after.end() if after else found.end()
        yield Citation(
            kind="legislation", text=text[start:end], start=start, end=end, title="Australian Consumer Law",
            unit=provision["unit"].lower().rstrip(".") if provision else None,
            provisions=_numbers(provision["numbers"]) if provision else (),
        )  # fmt: skip


def _cases(text: str) -> Iterator[Citation]:
    for found in _MEDIUM_NEUTRAL.finditer(text):
        yield Citation(
            kind="case", text=found.group(), start=found.start(), end=found.end(), title=found["court"],
            year=int(found["year"]), provisions=(found["number"],),
        )  # fmt: skip


def _reports(text: str) -> Iterator[Citation]:
    for found in _REPORT.finditer(text):
        year = found["year"]
        yield Citation(
            kind="report", text=found.group(), start=found.start(), end=found.end(),
            title=" ".join(found[3].split()), year=int(year) if year else None,
            provisions=(found["volume"],),
        )  # fmt: skip


def _us_code(text: str) -> Iterator[Citation]:
    for found in _US_CODE.finditer(text):
        yield Citation(
            kind="us_code", text=found.group(), start=found.start(), end=found.end(), title=found["title"],
            jurisdiction="US", provisions=(found["section"] + found["rest"],),
        )  # fmt: skip


def _us_regulations(text: str) -> Iterator[Citation]:
    for found in _US_REGULATION.finditer(text):
        number = found["part"] + (f".{found['section']}" if found["section"] else "")
        yield Citation(
            kind="us_regulation", text=found.group(), start=found.start(), end=found.end(),
            title=found["title"], jurisdiction="US", provisions=(number,),
        )  # fmt: skip


def check_citation(citation: Citation) -> Checked:
    """What is known of a citation; never a guess."""
    match citation.kind:
        case "legislation":
            return _check_legislation(citation)
        case "case":
            return _check_case(citation)
        case "us_code":
            return _check_us_code(citation)
        case "us_regulation":
            return _check_us_regulation(citation)
        case "report":
            return Checked("unverified", "reports are not in the register")


def _check_legislation(citation: Citation) -> Checked:
    if citation.title == "Australian Consumer Law":
        return _check_sections(citation, CONSUMER_LAW_BOUND, "the Australian Consumer Law")
    acts = load_register().get(_key(citation.title), ())
    if not acts:
        return Checked("unverified", f"{citation.title} is not in the register")
    known = "; ".join(f"{act.title} {act.year} ({act.jurisdiction})" for act in acts[:6])
    fitting = [
        act
        for act in acts
        if citation.year in (None, act.year) and citation.jurisdiction in (None, act.jurisdiction)
    ]
    if not fitting:
        return Checked("wrong", f"there is no such Act of that year and place; there is: {known}")
    if citation.year is None and len({act.bound for act in fitting}) > 1:
        return Checked("unverified", f"it may be any of: {known}")
    bounds = [act.bound for act in fitting]
    bound = None if None in bounds else max(bound for bound in bounds if bound is not None)
    return _check_sections(
        citation, bound, f"{fitting[0].title} {fitting[0].year} ({fitting[0].jurisdiction})"
    )


def _check_sections(citation: Citation, bound: int | None, name: str) -> Checked:
    is_section = citation.unit in SECTION_UNITS
    for provision in citation.provisions if is_section and bound is not None else ():
        numeral = _NUMERAL.match(provision)
        if numeral and bound is not None and not 1 <= int(numeral[1]) <= bound:
            return Checked("wrong", f"{name} has no section {provision}")
    return Checked("ok", f"{name} is in the register")


def _check_case(citation: Citation) -> Checked:
    first = FIRST_YEARS.get(citation.title)
    if first is not None and citation.year is not None and citation.year < first:
        return Checked("wrong", f"{citation.title} has no decisions before {first}")
    return Checked("unverified", "decisions are not in the register")


def _check_us_code(citation: Citation) -> Checked:
    if int(citation.title) not in US_CODE_TITLES:
        return Checked("wrong", f"the United States Code has no title {citation.title}")
    section = int(re.match(r"\d+", citation.provisions[0])[0])  # type: ignore[index]  # it begins with a digit
    if citation.title == "42" and section in FAIR_HOUSING:
        return Checked("ok", "a section of the Fair Housing Act")
    if citation.title == "42" and section in AFTER_FAIR_HOUSING:
        return Checked("wrong", f"title 42 has no section {section}: fair housing ends at 3631")
    if section > US_CODE_BOUNDS.get(citation.title, section):
        return Checked("wrong", f"title {citation.title} of the United States Code has no section {section}")
    return Checked("unverified", "the section is not in the register")


def _check_us_regulation(citation: Citation) -> Checked:
    if int(citation.title) not in US_REGULATION_TITLES:
        return Checked("wrong", f"the Code of Federal Regulations has no title {citation.title}")
    part, _, section = citation.provisions[0].partition(".")
    bound = REGULATION_BOUNDS.get((citation.title, part))
    if section and bound is not None and int(section) > bound:
        return Checked("wrong", f"{citation.title} CFR part {part} has no section {part}.{section}")
    if (citation.title, part) != ("24", "100"):
        return Checked("unverified", "the section is not in the register")
    if section and not any(int(section) in subpart for subpart in FAIR_HOUSING_REGULATIONS):
        return Checked("wrong", f"24 CFR part 100 has no section 100.{section}")
    return Checked("ok", "a section of the fair housing regulations")
