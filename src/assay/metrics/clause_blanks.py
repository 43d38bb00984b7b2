"""Placeholders of a contract: what its author left to be filled in.

Lines to sign on are none: those in the signing block, on a line that speaks of signing, or beside roles at
the very end.
"""

import re

from assay.metrics.clause_terms import BLANK

MAX_SIGNING_WORDS = 24
MAX_OTHER_WORDS = 2
_REMARK = re.compile(
    r"\b(?:sic|redacted|withheld|seal|l\.s\.|sign\w*|stamp\w*|note|page|end of|see|refer|clause|section|"
    r"electronic\w*|e-sign\w*|attached|annexed|optional|deleted|omitted|excluded|reserved|struck|n/?a|"
    r"not (?:used|applicable))\b|^\[(?:NSW|VIC|QLD|SA|WA|TAS|ACT|NT|CTH)\]$",
    re.IGNORECASE,
)
"""What in square brackets is no placeholder, as "[insert]", "[open / sole - select]" and "[STATE]" are."""
_LETTERS = re.compile(r"[^\W\d_]{2}")
_WORDS_OF_PLACEHOLDERS = (
    "insert|enter|names?|date|amount|address|number|to be|specify|details?|describe|complete|fill|"
    "blank|price|deposit|title|reference|month|day|year|county|city|suburb|postcode|bank|company|agency|licen[cs]e|"
    "vendor|seller|purchaser|buyer|landlord|tenant|lessor|lessee|agent|client|provider|contractor|state|period|"
    "method|percent(?:age)?|email|phone|premises|rent|term|fee|rate|holder"
)
_UNIT = r"(?:days?|%|per ?cent|weeks?|months?|years?|business|calendar)"
_NOT_YET = (
    r"agreed|known|determined|fixed|settled|decided|confirmed|set|chosen|selected|finali[sz]ed|"
    r"completed|inserted|advised"
)
PLACEHOLDERS = re.compile(
    r"\[(?:\s{3,}|\s*[*.$_#?-]{1,20}\s*(?:%\s*)?)\]|\$\s?\[\s*\]|"
    rf"\[\s*\](?=\s?{_UNIT}\b)|\[\$?\s?[.xX_]{{2,12}}%?\]|\[[xX]%\]|"
    r"(?P<bracket>\[[^\[\]\n]{2,80}\](?![(\w]))|"
    rf"<{{1,2}}(?:[^>\n]{{0,40}}?\b)?(?:{_WORDS_OF_PLACEHOLDERS})\b[^>\n]{{0,40}}>{{1,2}}|"
    rf"\{{\{{[^}}\n]{{1,60}}\}}\}}|"
    rf"\((?:insert|enter|specify|fill in|to be (?:advised|confirmed|inserted|completed|agreed|filled|"
    rf"specified|entered|"
    r"determined|decided|nominated|supplied)|tb[acdn]\b|amount|date|name)[^)\n]{{0,60}}\)|"
    r"(?P<line>_{3,}|\.{6,}|(?:\. ){5,}|(?<=\d)__(?!\w)|(?<![\w*])__(?=\s?/))|\bTB[ACDN]\b|\bT\.B\.[ACDN]\b|"
    r"\b[xX]{3,}\b|\$\s?(?:[xX]{2,}|-{2,})|\$[ \t]{0,20}(?=[.;,)]?[ \t]{0,20}(?:\n|$|\|))|"
    r"\$[ \t]+(?=(?:per|a|each|plus|payable|which|held|on|to|by|and|being|inclusive|weekly|in|is|will|shall|"
    r"must|for|at|due|then|within)\b)|\?{2,}|"
    rf"\b(?:within|for|of|at|than|least)[ \t]{{3,}}(?={_UNIT}\b)|"
    r"\bto be (?:advised|confirmed|inserted|notified|filled in|supplied later|decided|finali[sz]ed|"
    r"entered)\b|"
    r"\bto be (?:agreed|determined|negotiated|completed|fixed|settled|set|chosen|discussed)"
    r"(?=\s*(?:[.;,)|\n]|$|(?:later|between|at a|before|upon|on|prior|separately)\b))|"
    rf"\b(?:not|yet to be|still to be|has to be|remains? to be|"
    rf"left to be) (?:yet )?(?:been )?(?:{_NOT_YET})\b(?=\s*(?:[.;,)|\n]|$|yet\b))|"
    rf"\b(?:not yet|yet to be|still to be) (?:been )?(?:{_NOT_YET})\b|"
    r"\b(?:select|choose|circle|tick|strike out|delete) (?:one|whichever|which(?:ever)? (?:does )?not|"
    r"as (?:applicable|appropriate|required))\b|"
    r"\b(?:is|are|:)\s{0,3}(?=left blank)left blank\b|"
    r"\b(?:to follow|to come|pending)(?=\s*[.;)]{0,2}\s*(?:\n|$))",
    re.IGNORECASE,
)
_STRUCK = re.compile(r"~~[^~\n]{1,4000}~~")
_SIGNING = re.compile(
    r"\b(?:sign(?:s|ed|atures?|ing|atory|atories)?|executed|execution|witness(?:ed)?)\b", re.IGNORECASE
)
_SIGNING_BLOCK = re.compile(
    r"^[\W\d]{0,20}(?:the\s+)?(?:sign(?:ed|atures?|ing|atories|atory)\b|execut(?:ed|ion)\b|in witness\b|"
    r"by signing\b|"
    r"(?:agreed|accepted|acknowledged)(?: (?:and|&) (?:agreed|accepted|acknowledged))?(?: by\b.{0,60})?\W*$|"
    r"(?:i|we) (?:accept|agree)\b|"
    r"(?:yours|kind regards|best regards|regards|sincerely|very truly|for and on behalf of)\b)",
    re.IGNORECASE | re.MULTILINE,
)
_RUN = re.compile(r"_{3,}|\.{6,}|(?:\. ){5,}")
_ROLE_WORDS = frozenset(
    {
        "the", "by", "its", "name", "print", "full", "date", "dated", "day", "place", "position",
        "capacity", "title", "vendor", "seller", "transferor", "purchaser", "buyer", "transferee",
        "landlord", "lessor", "tenant", "lessee", "renter", "rental", "owner", "agent", "licensee",
        "client", "principal", "provider", "contractor", "consultant", "customer", "company", "supplier",
        "designer", "developer", "director", "secretary", "manager", "attorney", "broker",
        "representative", "officer", "authorised", "authorized", "sole", "member", "president", "partner",
        "trustee", "executor", "per", "of", "in", "presence", "and", "or", "for", "on", "behalf", "s",
        "x", "1", "2", "at", "this", "both", "parties", "party", "sign", "signs", "signature", "a", "an",
        "licensed", "registered", "duly", "under", "section", "act", "corporations", "acting",
        "proprietor", "we", "i", "accept", "accepted", "agree", "agreed", "acknowledged", "kind", "best",
        "regards", "yours", "faithfully", "sincerely", "truly", "very", "witness", "electronically",
        "signed", "esq", "common", "seal", "affixed",
    }
)  # fmt: skip
_MATTERS = re.compile(
    r"\b(?:settlement|completion|closing|price|deposit|rent|bond|fees?|term|commission|property|premises|"
    r"address|"
    r"licen[cs]e|start|end|commencement|expiry|use|amount|number|period|holder|bank|insurance|rate)\b|[$%]",
    re.IGNORECASE,
)
"""Words of what is to be filled in and not signed."""


def mark_placeholders(folded: str) -> str:
    """Each character of a placeholder as BLANK, of struck-out text as a space; the length stays."""
    blocks = [found.start() for found in _SIGNING_BLOCK.finditer(folded, len(folded) // 3)]
    signing = min(blocks[-1] if blocks else len(folded), _start_of_tail(folded))

    def mark(found: re.Match[str]) -> str:
        if found["bracket"] and (_REMARK.search(found.group()) or not _LETTERS.search(found.group())):
            return found.group()
        if found["line"]:
            if found.start() >= signing or _SIGNING.search(_line_around(folded, found.start())):
                return found.group()
            if found["line"].startswith(".") and _follows(folded, found.end()):
                return found.group()
        return BLANK * len(found.group())

    marked = PLACEHOLDERS.sub(mark, folded)
    return _STRUCK.sub(lambda found: " " * len(found.group()), marked)


def _start_of_tail(text: str) -> int:
    """Where the lines at the very end begin that are to be signed: beside, above or below names and roles."""
    start = place = len(text)
    while place > 0:
        begin = text.rfind("\n", 0, place - 1) + 1
        line = text[begin:place]
        if line.strip() and not _is_signed_by(line):
            return start
        if _RUN.search(line):
            start = begin
        place = begin
    return start


def _is_signed_by(line: str) -> bool:
    """Whether nothing but roles, names and dates stands on a line."""
    words = re.findall(r"[^\W_]+", line)
    if len(words) > MAX_SIGNING_WORDS or _MATTERS.search(line):
        return False
    other = sum(
        word.lower() not in _ROLE_WORDS and not word[0].isupper() and not word.isdigit() for word in words
    )
    return other <= (MAX_OTHER_WORDS if _RUN.search(line) else 0)


def _line_around(text: str, place: int) -> str:
    start, end = text.rfind("\n", 0, place) + 1, text.find("\n", place)
    return text[max(start, place - 200) : min(end if end >= 0 else len(text), place + 200)]


def _follows(text: str, place: int) -> bool:
    """Whether words follow on the line, as after the dots of a table of particulars."""
    following = text[place : place + 12].split("\n", 1)[0].strip(" :.")
    return bool(following)
