"""The value that each check returns: what was measured, and what is accepted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from assay.stats.estimates import Interval

VERDICTS = ("passed", "ok", "pass")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """`ok` None: shown and not judged, or skipped; `note` then says why."""

    name: str
    value: str
    target: str = ""
    ok: bool | None = None
    note: str = ""


def row_of(found: Row | Mapping[str, Any]) -> Row:
    """A row as checks may also write it: a mapping with name, value and target, and where a target is no
    number that must be reached, with passed (or ok, or pass); note (or source) says more."""
    if isinstance(found, Row):
        return found
    value, target = found.get("value"), found.get("target")
    verdict = next((found[name] for name in VERDICTS if name in found), None)
    if verdict is None and isinstance(target, int | float):
        verdict = isinstance(value, int | float) and value >= target
    return Row(
        name=str(found["name"]),
        value=_shown(value),
        target=f">= {_shown(target)}" if isinstance(target, int | float) else _shown(target),
        ok=None if verdict is None else bool(verdict),
        note=str(found.get("note") or found.get("reason") or found.get("source") or ""),
    )


def _shown(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def bounds(interval: Interval) -> str:
    """The bounds for people to read."""
    if interval.low is None or interval.high is None:
        return "not known"
    return f"{interval.low:.3f} to {interval.high:.3f}"


def equal(name: str, found: Sequence[float], wanted: Sequence[float], digits: int, note: str = "") -> Row:
    """Whether all figures are those that are wanted, at so many digits after the point."""
    shown = [f"{value:.{digits}f}" for value in found]
    expected = [f"{value:.{digits}f}" for value in wanted]
    return Row(
        name=name, value=" / ".join(shown), target=" / ".join(expected), ok=shown == expected, note=note
    )


def at_least(name: str, found: float, bound: float, note: str = "") -> Row:
    """Whether a figure reaches its bound."""
    return Row(name=name, value=f"{found:.3f}", target=f">= {bound:g}", ok=found >= bound, note=note)


def count(name: str, found: int, total: int, wanted: int, note: str = "") -> Row:
    """Whether so many of the total are right."""
    return Row(
        name=name,
        value=f"{found:,} of {total:,}",
        target=f"{wanted:,} of {total:,}" if wanted <= total else f"{wanted:,}",
        ok=found == wanted,
        note=note,
    )


def skipped(name: str, reason: str) -> Row:
    """A check that could not be made."""
    return Row(name=name, value="skipped", note=reason)
