"""How fast calls may start: quotas a minute, and what the provider says is left of its own."""

import re
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime

BURST_S = 5.0
"""Unused quota is kept for this long: a full minute kept would allow two minutes' worth in one."""
MAX_INTERVAL_S = 60.0
"""Headers are a hint: they never hold a call back for longer than this."""

_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?")
_UNITS_S = (86400.0, 3600.0, 60.0, 1.0, 0.001)
_ALLOWANCES = (
    ("x-ratelimit-remaining-requests", "x-ratelimit-reset-requests", False),
    ("x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens", True),
    ("anthropic-ratelimit-requests-remaining", "anthropic-ratelimit-requests-reset", False),
    ("anthropic-ratelimit-tokens-remaining", "anthropic-ratelimit-tokens-reset", True),
    ("anthropic-ratelimit-input-tokens-remaining", "anthropic-ratelimit-input-tokens-reset", True),
    ("anthropic-ratelimit-output-tokens-remaining", "anthropic-ratelimit-output-tokens-reset", True),
)


class MinuteQuota:
    """A token bucket: `per_minute` units flow in evenly, at most BURST_S of them are kept.

    It starts with the credit of one second (or one unit), so that a restart is no free burst. Taking
    more than it holds leaves a debt, which later calls wait off.
    """

    __slots__ = ("_at", "_capacity", "_level", "_rate")

    def __init__(self, per_minute: float, now: float) -> None:
        self._rate = per_minute / 60.0
        self._capacity = max(1.0, self._rate * BURST_S)
        self._level = min(self._capacity, max(1.0, self._rate))
        self._at = now

    def delay_s(self, now: float, units: float) -> float:
        """Seconds until so many units can be taken; more than it can ever hold needs a full bucket."""
        self._refill(now)
        return max(0.0, (min(units, self._capacity) - self._level) / self._rate)

    def take(self, now: float, units: float) -> None:
        """Take units, into debt if need be."""
        self._refill(now)
        self._level -= units

    def give_back(self, units: float) -> None:
        """Return what was taken too much; negative units are what was taken too little."""
        self._level = min(self._capacity, self._level + units)

    def _refill(self, now: float) -> None:
        if now > self._at:
            self._level = min(self._capacity, self._level + (now - self._at) * self._rate)
            self._at = now


class ProviderPace:
    """Spreads the calls that a provider still allows over the time until its allowance is full again.

    Only when few are left. Providers with a refilling bucket and providers with fixed windows both come
    out at their full rate, without a 429.
    """

    __slots__ = ("_call_tokens", "_last_start", "interval_s")

    def __init__(self) -> None:
        self.interval_s = 0.0
        self._last_start = float("-inf")
        self._call_tokens = 0.0

    def delay_s(self, now: float) -> float:
        """Seconds until the next call may start."""
        return self._last_start + self.interval_s - now

    def started(self, now: float) -> None:
        """A call starts now."""
        self._last_start = now

    def observe(self, headers: Mapping[str, str], tokens: int, low: float) -> None:
        """Read a response's headers (lower-case names); `low` is how many calls left count as few."""
        if tokens:
            known = self._call_tokens
            self._call_tokens = known + 0.1 * (tokens - known) if known else float(tokens)
        interval_s = 0.0
        for remaining_name, reset_name, counts_tokens in _ALLOWANCES:
            remaining = headers.get(remaining_name)
            if remaining is None:
                continue
            calls_left = self._calls(remaining, counts_tokens)
            if calls_left is not None and calls_left < low:
                reset_s = seconds_until_reset(headers.get(reset_name, ""), headers.get("date"))
                interval_s = max(interval_s, reset_s / max(calls_left, 1.0))
        self.interval_s = min(interval_s, MAX_INTERVAL_S)

    def _calls(self, remaining: str, counts_tokens: bool) -> float | None:
        try:
            left = float(remaining)
        except ValueError:
            return None
        if not counts_tokens:
            return left
        return left / self._call_tokens if self._call_tokens else None


def seconds_until_reset(text: str, date: str | None = None) -> float:
    """The seconds that a reset header means: "1m30.5s", "120ms", "7.5", or an RFC 3339 time.

    A time is measured from the response's own `date` header, so that no clock has to agree; both are cut
    to whole seconds, so one is added. What cannot be read is 0: the headers are a hint, the 429 that may
    follow is the law.
    """
    text = text.strip()
    try:
        return max(0.0, float(text))
    except ValueError:
        pass
    match = _DURATION.fullmatch(text)
    if match and text:
        return sum(float(part) * unit for part, unit in zip(match.groups(), _UNITS_S, strict=True) if part)
    try:
        until = datetime.fromisoformat(text)
        return max(0.0, (until - parsedate_to_datetime(date or "")).total_seconds() + 1.0)
    except (ValueError, TypeError):
        return 0.0
