"""What a metric of the user's own gave back, held to what a score may be."""

import json
from collections.abc import Mapping
from math import isfinite
from numbers import Real
from typing import Any, NamedTuple

from assay.domain.models import Finish
from assay.domain.scores import MetricConfig, Score
from assay.domain.text import valid_text
from assay.metrics.sample_metric import ROUNDING, Unscored, quote

LONGEST_REASON = 2000
WANTED = "a score is true, false, a number from 0 to 1, or an object with `score`"
_MISSING = object()


class Verdict(NamedTuple):
    """A value in [0, 1] with what was said of it; `passed` counts where there is no threshold."""

    value: float
    reason: str
    evidence: Mapping[str, Any] | None = None
    passed: bool | None = None


def read_result(result: Any, who: str) -> Verdict | Unscored:
    """A verdict from true, false, a number, an object with `score` (or `value`), `reason`, `evidence` and
    `passed`, or None, which abstains. Anything else, and a number outside [0, 1], is a failure."""
    if result is None:
        return Unscored("abstained", f"{who} abstained")
    if isinstance(result, Score) and result.state != "scored":
        return Unscored(result.state, result.reason)
    found = _field(result, "score")
    found = _field(result, "value") if found is _MISSING else found
    if found is _MISSING:
        if isinstance(result, Mapping):
            keys = ", ".join(map(str, result)) or "nothing"
            return Unscored("failed", f"{who} gave no `score`; it gave {quote(keys)}")
        return _read_fields(result, {}, who)
    names = ("reason", "evidence", "passed")
    given = {name: value for name in names if (value := _field(result, name)) is not _MISSING}
    return _read_fields(found, given, who)


def to_score(config: MetricConfig, found: Verdict | Unscored, finish: Finish = "complete") -> Score:
    """The score of a verdict: a threshold decides over `passed`."""
    if isinstance(found, Unscored):
        return Score(config.name, found.state, None, found.reason)
    passed = found.passed if config.threshold is None else found.value >= config.threshold
    cut = "; the answer was truncated" if finish == "truncated" else ""
    return Score(config.name, "scored", found.value, found.reason + cut, passed, found.evidence)


def _field(result: Any, name: str) -> Any:
    if isinstance(result, Mapping):
        return result.get(name, _MISSING)
    return getattr(result, name, _MISSING)


def _read_fields(found: Any, given: Mapping[str, Any], who: str) -> Verdict | Unscored:
    reason, evidence, passed = given.get("reason"), given.get("evidence"), given.get("passed")
    if reason is not None and not isinstance(reason, str):
        return _wrong(who, "reason", "a text", reason)
    if passed is not None and not isinstance(passed, bool):
        return _wrong(who, "passed", "true or false", passed)
    if found is None:
        return Unscored("abstained", _short(reason) or f"{who} abstained")
    value = _number(found)
    if value is None:
        return Unscored("failed", f"{who} gave {_kind(found)}; {WANTED}")
    if not isfinite(value):
        return Unscored("failed", f"{who} gave {value}, which is not a finite number")
    if not -ROUNDING <= value <= 1.0 + ROUNDING:
        return Unscored("failed", f"{who} gave {value:g}, which is outside [0, 1]")
    plain = None if evidence is None else _evidence(evidence, who)
    if isinstance(plain, Unscored):
        return plain
    said = str(found).lower() if isinstance(found, bool) else f"{value:g}"
    if passed is None and isinstance(found, bool):
        passed = found
    return Verdict(min(1.0, max(0.0, value)), _short(reason) or f"{who} gave {said}", plain, passed)


def _number(found: Any) -> float | None:
    """The float of a number or boolean, those of NumPy and its like included; None for all else."""
    if not isinstance(found, Real) and getattr(found, "ndim", None) == 0 and hasattr(found, "item"):
        found = found.item()
    try:
        return float(found) if isinstance(found, Real) else None
    except OverflowError:  # a whole number that no float can hold
        return float("inf")


def _evidence(evidence: Any, who: str) -> Mapping[str, Any] | Unscored:
    if not isinstance(evidence, Mapping):
        return _wrong(who, "evidence", "an object", evidence)
    try:
        plain: Mapping[str, Any] = json.loads(json.dumps(dict(evidence)))
    except (TypeError, ValueError, RecursionError) as error:
        return Unscored("failed", f"the evidence of {who} is not JSON: {error}"[:300])
    return plain


def _short(reason: str | None) -> str:
    if reason is None or not reason.strip():
        return ""
    text = valid_text(reason)
    return text if len(text) <= LONGEST_REASON else f"{text[:LONGEST_REASON]}…"


def _wrong(who: str, field: str, wanted: str, found: Any) -> Unscored:
    return Unscored("failed", f"{who} gave {_kind(found)} as {field}, which must be {wanted}")


def _kind(found: Any) -> str:
    """A value that is no score, in words."""
    if isinstance(found, str):
        return f"the text {quote(valid_text(found))}"
    return f"a value of type {type(found).__name__}"
