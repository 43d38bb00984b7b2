"""Placeholders of a contract: what its author left to be filled in.

Lines to sign on are none: those in the signing block, on a line that speaks of signing, or beside roles at
the very end.
"""

import re

from assay.metrics.clause_terms import BLANK

_WORDS_OF_PLACEHOLDERS = (
    "insert|enter|names?|date|amount|address|number|tbc|tba|tbd|to be|specify|details?|describe|complete|"
    "fill|"
    "blank|price|deposit|title|reference|month|day|year|county|city|suburb|postcode|bank|company|agency|licen[cs]e|"
    "vendor|seller|purchaser|buyer|landlord|tenant|lessor|lessee|agent|client|provider|contractor|state|period|"
    "method|percent(?:age)?|email|phone|premises|rent|term|fee|rate|holder"
)
PLACEHOLDERS = re.compile(
    rf"\[(?:[^\]\n]{{0,60}}?\b)?(?:{_WORDS_OF_PLACEHOLDERS})s?\b[^\]\n]{{0,80}}\](?!\()|"
    r"\[(?:\s{3,}|\s*[*.$_#?-]{1,20}\s*(?:%\s*)?)\]|\$\s?\[\s*\]|"
    r"\[\s*\](?=\s?(?:days?|%|per ?cent|weeks?|months?|years?|business)\b)|"
    r"\[\$?\s?[.xX_]{2,12}%?\]|\[[xX]%\]|"
    rf"<(?:[^>\n]{{0,40}}?\b)?(?:{_WORDS_OF_PLACEHOLDERS})\b[^>\n]{{0,40}}>|\{{\{{[^}}\n]{{1,60}}\}}\}}|"
    r"(?P<line>_{3,}|\.{6,}|(?:\. ){5,})|\bTB[ACDN]\b|\bT\.B\.[ACDN]\b|"
    r"\b[xX]{3,}\b|\$\s?(?:[xX]{2,}|-{2,})|"
    r"\bto be (?:advised|confirmed|inserted|notified|filled in|supplied later|decided)\b|"
    r"\bto be (?:agreed|determined|negotiated|completed|finalised|finalized)"
    r"(?=\s*(?:[.;,)|\n]|$|(?:later|between|at a|before|upon|on|prior)\b))|\bnot yet (?:agreed|known|"
    r"determined)\b|"
    r"\b(?:is|are|:)\s{0,3}(?=left blank)left blank\b",
    re.IGNORECASE,
)
_STRUCK = re.compile(r"~~[^~\n]{1,4000}~~")
_SIGNING = re.compile(
    r"\b(?:sign(?:ed|atures?|ing|atory|atories)?|executed|execution|witness)\b", re.IGNORECASE
)
_SIGNING_BLOCK = re.compile(
    r"^[\W\d]*(?:the\s+)?(?:sign(?:ed|atures?|ing|atories)\b|execut(?:ed|ion)\b|in witness\b|by signing\b)",
    re.IGNORECASE | re.MULTILINE,
)
_ROLES = re.compile(
    r"[\W_]*(?:(?:the|by|name|date|vendor|seller|purchaser|buyer|landlord|lessor|tenant|lessee|renter|"
    r"rental provider|owner|agent|client|principal|provider|contractor|consultant|customer|company|supplier|"
    r"and|for|s)(?:\b|(?=_))[\W_]*)*$",
    re.IGNORECASE,
)


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
