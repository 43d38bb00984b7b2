"""Business days of the Australian states, by the public holidays of the library `holidays`."""

from datetime import date, timedelta
from functools import lru_cache

import holidays

ONE_DAY = timedelta(days=1)
STATES = frozenset(("NSW", "VIC", "QLD", "SA", "WA", "TAS", "ACT", "NT"))


@lru_cache(maxsize=256)
def public_holidays(state: str, year: int) -> frozenset[date]:
    """The public holidays of a state in a year; none for a state that is not Australian.

    Those of the whole state: local ones (show days of a city) that the library lists are among them.
    """
    if state not in STATES:
        return frozenset()
    return frozenset(holidays.country_holidays("AU", subdiv=state, years=[year]))


def is_business_day(day: date, state: str) -> bool:
    """Whether a day is neither Saturday, Sunday nor a public holiday of the state."""
    return day.weekday() < 5 and day not in public_holidays(state, day.year)


def next_business_day(day: date, state: str) -> date:
    """The day itself, or the first business day after it."""
    while not is_business_day(day, state):
        day += ONE_DAY
    return day


def add_business_days(day: date, count: int, state: str) -> date:
    """The business day that is `count` business days after a day."""
    for _ in range(count):
        day = next_business_day(day + ONE_DAY, state)
    return day
