"""Where a contract belongs: codes of jurisdictions, and their signs in a text."""

import re
from collections.abc import Mapping

COUNTRIES: Mapping[str, frozenset[str]] = {
    "AU": frozenset({"NSW", "VIC", "QLD", "SA", "WA", "TAS", "ACT", "NT"}),
    "US": frozenset({"US-CA", "US-TX", "US-FL", "US-NY"}),
}
_NAMES = {
    "NSW": r"\bNSW\b|New South Wales|N\.S\.W",
    "VIC": r"\bVIC(?:\s+\d{4})?\b|\bVic\b\.?(?=[\s,)])|\bVictoria\b(?!\s(?:Street|St|Road|Rd|Avenue|Ave|"
    "Parade|Square))",
    "QLD": r"\bQLD\b|\bQld\b|Queensland",
    "SA": r"\bSA\s+5\d{3}\b|\(SA\)|South Australian?\b",
    "WA": r"\bWA\s+6\d{3}\b|\(WA\)|Western Australian?\b",
    "TAS": r"\bTAS\b|\bTas\b|Tasmanian?\b",
    "ACT": r"\bACT\s+2\d{3}\b|\(ACT\)|Australian Capital Territory|\bCanberra\b",
    "NT": r"\bNT\s+0\d{3}\b|\(NT\)|Northern Territory",
    "US-CA": r"\bCalifornia\b|\bCA\s+9\d{4}\b|Cal\.\s?Civ",
    "US-TX": r"\bTexas\b|\bTX\s+7\d{4}\b|Tex\.\s?Prop",
    "US-FL": r"\bFlorida\b|\bFL\s+3\d{4}\b|Fla\.\s?Stat",
    "US-NY": r"State of New York|\bNY\s+1\d{4}\b|New York (?:State|law|Real Property)|,\s*New York\b",
    "US": (
        r"\b(?:AL|AZ|CO|CT|GA|IL|IN|MA|MD|MI|MN|MO|NC|NJ|NV|OH|OR|PA|SC|TN|UT|VA|WI|WA)\s+\d{5}\b|U\.?S\.?C\.?\b|"
        r"\b(?:Ohio|Illinois|Georgia|Pennsylvania|Michigan|Arizona|Colorado|Oregon|Nevada|Virginia|Massachusetts|"
        r"New Jersey|North Carolina|Minnesota|Wisconsin|Maryland|Missouri|Tennessee|Washington State|"
        r"United States)\b|"
        r"earnest money|\bescrow\b"
    ),
    "AU": r"\bAustralian?\b|\bABN\b|\bACN\b|\bPty\b",
}
_SIGNS = {code: re.compile(pattern) for code, pattern in _NAMES.items()}
_ALIASES = {
    "NEW SOUTH WALES": "NSW", "VICTORIA": "VIC", "QUEENSLAND": "QLD", "SOUTH AUSTRALIA": "SA",
    "WESTERN AUSTRALIA": "WA", "TASMANIA": "TAS", "AUSTRALIAN CAPITAL TERRITORY": "ACT",
    "NORTHERN TERRITORY": "NT", "AUSTRALIA": "AU", "USA": "US", "UNITED STATES": "US", "CALIFORNIA": "US-CA",
    "TEXAS": "US-TX", "FLORIDA": "US-FL", "NEW YORK": "US-NY",
}  # fmt: skip
_CODE = re.compile(r"US-[A-Z]{2}\Z")


def read_jurisdiction(value: str) -> str | None:
    """The code of a jurisdiction, from a code ("NSW", "AU-NSW", "US-CA") or a name; None for others."""
    text = " ".join(value.upper().split())
    code = _ALIASES.get(text, text.removeprefix("AU-"))
    if code in COUNTRIES or code in COUNTRIES["AU"] or _CODE.match(code):
        return code
    return None


def find_jurisdiction(text: str) -> str | None:
    """The State with the most signs in a text, else the country, else None. A tie between States is the
    country.
    """
    counts = {code: sum(1 for _ in sign.finditer(text)) for code, sign in _SIGNS.items()}
    states = {code: count for code, count in counts.items() if code not in COUNTRIES and count}
    if not states:
        countries = {code: counts[code] for code in COUNTRIES if counts[code]}
        return max(countries, key=lambda code: countries[code]) if countries else None
    ranked = sorted(states.items(), key=lambda item: -item[1])
    best = ranked[0][0]
    if len(ranked) > 1 and ranked[1][1] == ranked[0][1]:
        countries_of = {_country(ranked[0][0]), _country(ranked[1][0])}
        return countries_of.pop() if len(countries_of) == 1 else None
    return best


def _country(code: str) -> str:
    return "US" if code.startswith("US") else "AU"
