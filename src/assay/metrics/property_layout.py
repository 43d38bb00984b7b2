"""Lists of labels without marks ("- Beds 2", "State NSW"), read as if each had its colon."""

import re

_LABELS = (
    r"(?P<label>bed(?:room)?s?|bath(?:room)?s?|car(?:\s?(?:spaces?|parks?)|s|ports?)?|parking|garages?"
    r"|suburb|state|city|post\s?code|zip(?:\scode)?|address|(?:property\s)?type|year(?:\sbuilt)?|built"
    r"|(?:asking\s|list\s|sale\s)?price|(?:price\s)?guide|(?:weekly\s)?rent|bond|deposit|(?:stamp|transfer)\sduty"
    r"|land(?:\s(?:size|area))?|block|lot(?:\ssize)?|(?:internal|floor|living)(?:\s(?:area|size))?"
    r"|strata(?:\slevies)?|body\scorp(?:orate)?|owners\scorporation|(?:council|water)(?:\srates)?|hoa(?:\s(?:dues|fees))?"
    r"|auction(?:\sdate)?|inspections?|open(?:\s(?:home|house))?|settlement|available|exchange)"
)
_LINE = re.compile(
    rf"^(?P<head>[ \t]*(?:[-*\u2022\u2013\u2192\u2713\u2714\u2705>]|\d{{1,2}}[.)])?[ \t]*[*_]{{0,2}}{_LABELS}[*_]{{0,2}})"
    r"(?P<gap>[ \t]*(?:\.{2,20}|[\u2013\u2014\u2192=~-]|[ \t])[ \t]*)"
    r"(?P<value>(?:from\s)?[$\d~][^\n]{0,36}|[A-Z][\w' ]{1,24}|\d[^\n]{0,30})$",
    re.IGNORECASE | re.MULTILINE,
)
_PLACES = ("suburb", "state", "city", "address", "type", "property type")
_ROOMS = ("bed", "bath", "car", "garage", "parking")
_COUNT = re.compile(r"\d{1,2}(?:\.5)?\s*$")


_ASKED = re.compile(rf"(?:^|(?<=[.!?\n]\s)|(?<=\n)){_LABELS.replace('?P<label>', '?:')}\?(?=\s(?:[$\d~]|one|two|three|four|five|no\b|yes\b))", re.IGNORECASE)
"""A label that is put as a question: "Parking? Two cars."."""


def with_colons(text: str) -> str:
    """The text, of the same length, with a colon behind each label that stands in a line with its value alone."""
    return _ASKED.sub(lambda match: match.group()[:-1] + ":", _LINE.sub(_marked, text))


def _marked(match: re.Match[str]) -> str:
    label, value = match["label"].lower(), match["value"]
    digits = value.lower().removeprefix("from ")[:1] in "$~0123456789"
    alone = _COUNT.match(value) if label.startswith(_ROOMS) else digits != (label in _PLACES) or label == "address"
    return f"{match['head']}:{' ' * (len(match['gap']) - 1)}{value}" if alone else match.group()
