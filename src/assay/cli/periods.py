"""Periods of time as options write them: 12h, 90d, 4w."""

import re
from datetime import timedelta

from assay.domain.errors import InvalidInput

PERIOD = re.compile(r"([1-9][0-9]{0,4})([hdw])")
UNITS = {"h": "hours", "d": "days", "w": "weeks"}


def parse_period(text: str, option: str) -> timedelta:
    """The period of a text; raises InvalidInput that names the option."""
    match = PERIOD.fullmatch(text)
    if match is None:
        raise InvalidInput(f"{text!r} is not a period", field=option, remedy="Write 12h, 90d or 4w.")
    return timedelta(**{UNITS[match.group(2)]: int(match.group(1))})
