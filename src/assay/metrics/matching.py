"""Exact match, containment and regular expressions."""

import string
from collections.abc import Callable
from typing import Any

import re2  # type: ignore[import-untyped]  # google-re2 ships no types

from assay.domain.errors import InvalidInput
from assay.metrics.entry import MetricSpec
from assay.metrics.sample_metric import (
    Finding,
    SampleMetric,
    Unscored,
    answer_metric,
    quote,
    text_metric,
)

NO_PUNCTUATION = str.maketrans("", "", string.punctuation)
PATTERN_MEMORY_BYTES = 2 << 20
"""RE2 refuses a pattern whose automaton does not fit; it keeps up to 128 patterns compiled."""

EMPTY_NEEDLE = Unscored("skipped", "an expected text is empty, and every answer contains it")


def _normaliser(options: Any) -> Callable[[str], str]:
    """Case, punctuation and whitespace normalisation as the options ask for it."""
    ignore_case, ignore_punctuation = options["ignore_case"], options["ignore_punctuation"]
    whitespace = options["whitespace"]

    def normalise(text: str) -> str:
        if ignore_case:
            text = text.casefold()
        if ignore_punctuation:
            text = text.translate(NO_PUNCTUATION)
        if whitespace == "collapse":
            return " ".join(text.split())
        return text.strip() if whitespace == "trim" else text

    return normalise


def make_exact(spec: MetricSpec) -> SampleMetric:
    """1 when the answer is one of the acceptable texts."""
    normalise = _normaliser(spec.options)

    def compare(text: str, accepted: tuple[str, ...]) -> Finding:
        answer = normalise(text)
        for candidate in accepted:
            if answer == normalise(candidate):
                return Finding(1.0, "equal to the expected text")
        others = f" (nor {len(accepted) - 1} more)" if len(accepted) > 1 else ""
        return Finding(0.0, f"{quote(text)} is not {quote(accepted[0])}{others}")

    return text_metric(spec, compare)


def _folded(text: str, ignore_case: bool) -> str:
    return text.casefold() if ignore_case else text


def make_contains_any(spec: MetricSpec) -> SampleMetric:
    """1 when the answer contains one of the texts."""
    ignore_case: bool = spec.options["ignore_case"]

    def compare(text: str, accepted: tuple[str, ...]) -> Finding | Unscored:
        if "" in accepted:
            return EMPTY_NEEDLE
        answer = _folded(text, ignore_case)
        for needle in accepted:
            if _folded(needle, ignore_case) in answer:
                return Finding(1.0, f"contains {quote(needle)}")
        return Finding(0.0, f"contains none of: {_quoted(accepted)}")

    return text_metric(spec, compare)


def make_contains_all(spec: MetricSpec) -> SampleMetric:
    """1 when the answer contains every text."""
    ignore_case: bool = spec.options["ignore_case"]

    def compare(text: str, accepted: tuple[str, ...]) -> Finding | Unscored:
        if "" in accepted:
            return EMPTY_NEEDLE
        answer = _folded(text, ignore_case)
        missing = tuple(needle for needle in accepted if _folded(needle, ignore_case) not in answer)
        if not missing:
            return Finding(1.0, f"contains all {len(accepted)} texts")
        return Finding(0.0, f"lacks {len(missing)} of {len(accepted)}: {_quoted(missing)}")

    return text_metric(spec, compare)


def make_starts_with(spec: MetricSpec) -> SampleMetric:
    """1 when the answer, without leading whitespace, starts with one of the texts."""
    ignore_case: bool = spec.options["ignore_case"]

    def compare(text: str, accepted: tuple[str, ...]) -> Finding | Unscored:
        if "" in accepted:
            return EMPTY_NEEDLE
        answer = _folded(text.lstrip(), ignore_case)
        for prefix in accepted:
            if answer.startswith(_folded(prefix, ignore_case)):
                return Finding(1.0, f"starts with {quote(prefix)}")
        return Finding(0.0, f"{quote(text)} starts with none of: {_quoted(accepted)}")

    return text_metric(spec, compare)


def _quoted(texts: tuple[str, ...], shown: int = 5) -> str:
    more = f" and {len(texts) - shown} more" if len(texts) > shown else ""
    return ", ".join(quote(text) for text in texts[:shown]) + more


def compile_pattern(pattern: str, *, ignore_case: bool = False) -> Any:
    """The pattern compiled by RE2 over UTF-8 bytes: matching takes time linear in the text.

    Raises InvalidInput for what RE2 does not take (look-around, backreferences) or finds too large.
    """
    options = re2.Options()
    options.case_sensitive = not ignore_case
    options.log_errors = False
    options.max_mem = PATTERN_MEMORY_BYTES
    try:
        return re2.compile(pattern.encode(), options)
    except (re2.error, UnicodeEncodeError) as error:
        reason = error.args[0].decode(errors="replace") if _has_bytes(error) else str(error)
        raise InvalidInput(
            f"not a regular expression: {reason}",
            field="options.pattern",
            remedy="RE2 syntax is used, which has no look-around and no backreferences.",
        ) from error


def _has_bytes(error: Exception) -> bool:
    return bool(error.args) and isinstance(error.args[0], bytes)


def make_regex(spec: MetricSpec) -> SampleMetric:
    """1 when the pattern (or one of the expected patterns) matches the answer."""
    ignore_case: bool = spec.options["ignore_case"]
    whole: bool = spec.options["whole"]

    def match(text: bytes, regexp: Any, pattern: str) -> Finding | None:
        found = regexp.fullmatch(text) if whole else regexp.search(text)
        if found is None:
            return None
        return Finding(1.0, f"{quote(found.group(0).decode(errors='replace'))} matches {quote(pattern)}")

    def compare(text: str, patterns: tuple[str, ...]) -> Finding | Unscored:
        encoded = text.encode()
        for pattern in patterns:
            try:
                regexp = compile_pattern(pattern, ignore_case=ignore_case)
            except InvalidInput as error:
                return Unscored("failed", f"the expected pattern {quote(pattern)} is {error.message}")
            found = match(encoded, regexp, pattern)
            if found:
                return found
        return Finding(0.0, f"no match of {_quoted(patterns)}")

    pattern = spec.options["pattern"]
    if pattern is None:
        return text_metric(spec, compare)
    fixed = compile_pattern(pattern, ignore_case=ignore_case)
    nothing = Finding(0.0, f"no match of {quote(pattern)}")
    return answer_metric(spec, lambda text: match(text.encode(), fixed, pattern) or nothing)
