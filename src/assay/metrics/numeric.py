"""Numbers in answers: found in running text, compared with a tolerance."""

import re
from math import isfinite
from typing import Any, NamedTuple

from assay.domain.scores import Sample
from assay.domain.text import valid_text
from assay.metrics.entry import MetricSpec
from assay.metrics.sample_metric import (
    Finding,
    SampleMetric,
    Unscored,
    accepted_texts,
    quote,
    sample_metric,
)

CURRENCY = "$€£¥₹"
GROUPING = "'\u2019\u00a0\u2009\u202f"
"""Apostrophes and narrow spaces that separate thousands, beside comma or point."""
MULTIPLES = {
    "k": 1e3, "thousand": 1e3, "m": 1e6, "mn": 1e6, "million": 1e6, "b": 1e9, "bn": 1e9, "billion": 1e9,
    "t": 1e12, "tn": 1e12, "trillion": 1e12,
}  # fmt: skip
MARKS = re.compile(r"####|\\boxed\s*\{")
"""What comes before a final answer in GSM8K and in mathematical text."""


def _number_pattern(decimal: str) -> re.Pattern[str]:
    """A number with sign, currency, thousands separators, exponent, multiple and percent sign."""
    point = re.escape(decimal)
    group = f"[{'.' if decimal == ',' else ','}{GROUPING}]"
    return re.compile(
        rf"(?P<minus>(?<![\w)\]%])[-\u2212][{CURRENCY}]?(?={point}?\d)|[{CURRENCY}][-\u2212](?={point}?\d))?"
        rf"(?<![A-Za-z_\d])(?<!\d{point})"
        rf"(?P<digits>\d{{1,3}}(?:{group}\d{{3}})+(?!\d)|\d+|(?={point}\d))"
        rf"(?P<fraction>{point}\d+)?(?P<exponent>[eE][+-]?\d{{1,3}}(?![\w]))?"
        r"(?:\s?(?P<word>(?i:thousand|million|billion|trillion))\b|(?P<letters>(?i:k|mn?|bn?|tn?))\b)?"
        r"(?P<percent>\s?%|\s?(?i:percent|per cent)\b)?"
    )


PATTERNS = {decimal: _number_pattern(decimal) for decimal in ".,"}


class Reading(NamedTuple):
    """How numbers are read: the decimal mark, whether k/m/bn multiply, whether 5% is 0.05."""

    decimal: str
    multiples: bool
    percent_as_fraction: bool


class NoNumber(NamedTuple):
    """Why a text answers with no number."""

    reason: str


def find_numbers(text: str, reading: Reading) -> list[float]:
    """The finite numbers of a text, in order."""
    values = (_value(match, reading) for match in PATTERNS[reading.decimal].finditer(text))
    return [value for value in values if isfinite(value)]


def _value(match: re.Match[str], reading: Reading) -> float:
    digits = "".join(char for char in match["digits"] if char.isdigit())
    fraction = "." + match["fraction"][1:] if match["fraction"] else ""
    value = float((digits or "0") + fraction + (match["exponent"] or ""))
    multiple = match["word"] or match["letters"]
    if multiple and reading.multiples:
        value *= MULTIPLES[multiple.lower()]
    if match["percent"] and reading.percent_as_fraction:
        value /= 100.0
    return -value if match["minus"] else value


def answered_number(text: str, reading: Reading, extract: str) -> float | NoNumber:
    """The number that a text answers with, or why there is none.

    Behind a "####" or "\\boxed{" mark (the last of them) the first number counts, whatever `extract` says.
    """
    marks = list(MARKS.finditer(text))
    if marks:
        marked = find_numbers(text[marks[-1].end() :], reading)
        if marked:
            return marked[0]
    numbers = find_numbers(text, reading)
    if not numbers:
        return NoNumber("no number in the answer")
    if extract == "only" and len(numbers) > 1:
        return NoNumber(f"{len(numbers)} numbers where one was asked for")
    return numbers[0] if extract == "first" else numbers[-1]


def _expected_numbers(expected: Any, reading: Reading) -> list[float] | Unscored:
    """The acceptable numbers of a case: numbers as they are, texts read like answers."""
    items = expected if isinstance(expected, list | tuple) else [expected]
    numbers = []
    for item in items:
        if isinstance(item, int | float) and not isinstance(item, bool):
            numbers.append(float(item))
            continue
        texts = accepted_texts(item)
        if isinstance(texts, Unscored):
            return texts if item is None else Unscored("skipped", "expected is not a number")
        number = answered_number(texts[0], reading, "last")
        if isinstance(number, NoNumber):
            return Unscored("skipped", f"expected has no number: {quote(texts[0])}")
        numbers.append(number)
    if not numbers or not all(map(isfinite, numbers)):
        return Unscored("skipped", "expected is not a finite number")
    return numbers


def make_numeric(spec: MetricSpec) -> SampleMetric:
    """1 when the answer's number is within the tolerance of an expected one."""
    options = spec.options
    reading = Reading(options["decimal"], options["multiples"], options["percent"] == "fraction")
    absolute, relative = options["tolerance"], options["relative"]

    def measure(sample: Sample) -> Finding | Unscored:
        expected = _expected_numbers(sample.case.expected, reading)
        if isinstance(expected, Unscored):
            return expected
        number = answered_number(valid_text(sample.response.text), reading, options["extract"])
        if isinstance(number, NoNumber):
            return Finding(0.0, number.reason)
        nearest = min(expected, key=lambda each: abs(number - each))
        close = any(abs(number - each) <= max(absolute, relative * abs(each)) for each in expected)
        verdict = "is" if close else "is not"
        return Finding(float(close), f"{number:.12g} {verdict} {nearest:.12g} within the tolerance")

    return sample_metric(spec, measure)
