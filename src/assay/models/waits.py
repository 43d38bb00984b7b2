"""How long a provider asks to wait, in whichever way it says so."""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from assay.models.json_text import mapping

DAILY_QUOTA_WAIT_S = 3600.0
"""For a spent quota of the day: the provider's own hint is about the minute and would be asked in vain."""

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhd])")
_UNIT_S = {"ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_LIMITED = ("requests", "tokens", "input-tokens", "output-tokens")


def retry_after_s(headers: Mapping[str, str], document: Any) -> float | None:
    """The wait in seconds, or None if the answer names none.

    In this order: Google's RetryInfo in the body, retry-after-ms, Retry-After (seconds or a date), and the
    reset times of those limits of which nothing remains. Dates are compared with the answer's own Date
    header, so that no clock of this machine matters.
    """
    found = (
        _google_wait(document),
        _number(headers.get("retry-after-ms"), 1e-3),
        _seconds_or_date(headers.get("retry-after"), headers),
        _resets(headers),
    )
    return next((max(0.0, wait) for wait in found if wait is not None), None)


def _google_wait(document: Any) -> float | None:
    details = mapping(mapping(document).get("error")).get("details")
    wait = None
    for detail in details if isinstance(details, list) else ():
        kind = str(mapping(detail).get("@type", ""))
        if kind.endswith("QuotaFailure") and "PerDay" in str(detail.get("violations")):
            return DAILY_QUOTA_WAIT_S
        if kind.endswith("RetryInfo"):
            wait = _duration(str(detail.get("retryDelay")))
    return wait


def _resets(headers: Mapping[str, str]) -> float | None:
    waits = []
    for limited in _LIMITED:
        for remaining, reset in (
            (f"x-ratelimit-remaining-{limited}", f"x-ratelimit-reset-{limited}"),
            (f"anthropic-ratelimit-{limited}-remaining", f"anthropic-ratelimit-{limited}-reset"),
        ):
            if headers.get(remaining, "").strip() == "0":
                waits.append(_moment_or_wait(headers.get(reset), headers))
    waits.append(_moment_or_wait(headers.get("x-ratelimit-reset"), headers))
    return max((wait for wait in waits if wait is not None), default=None)


def _moment_or_wait(text: str | None, headers: Mapping[str, str]) -> float | None:
    """A duration (6m0s, 20ms, 12.5), a moment (RFC 3339) or an epoch in seconds or milliseconds."""
    value = _number(text)
    if text is None:
        return None
    if value is None:
        wait = _duration(text)
        return _since_date(_rfc3339(text), headers) if wait is None else wait
    if value < 1e9:
        return value
    epoch_s = value if value < 1e12 else value / 1e3
    return _since_date(datetime.fromtimestamp(epoch_s, UTC), headers) if epoch_s < 1e11 else None


def _seconds_or_date(text: str | None, headers: Mapping[str, str]) -> float | None:
    seconds = _number(text)
    if seconds is not None or text is None:
        return seconds
    return _since_date(_http_date(text), headers)


def _since_date(moment: datetime | None, headers: Mapping[str, str]) -> float | None:
    now = _http_date(headers.get("date", ""))
    return None if moment is None or now is None else (moment - now).total_seconds()


def _number(text: str | None, scale: float = 1.0) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value * scale if math.isfinite(value) else None


def _duration(text: str) -> float | None:
    found = _DURATION.findall(text)
    whole = "".join(amount + unit for amount, unit in found) == text.strip()
    return sum(float(amount) * _UNIT_S[unit] for amount, unit in found) if found and whole else None


def _http_date(text: str) -> datetime | None:
    try:
        return datetime.strptime(text.strip(), "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC)
    except ValueError:
        return None


def _rfc3339(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
