"""JUnit XML: a test suite for each prompt x model, a test case for each cell."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from tempfile import TemporaryFile
from typing import BinaryIO, TextIO
from xml.sax.saxutils import escape, quoteattr

from assay.domain.results import Result
from assay.domain.scores import Score
from assay.reports.untrusted import one_line, xml_text
from assay.reports.values import MetricSummary, RunSummary
from assay.reports.wording import significant
from assay.stats.estimates import Interval

# Buffered cases of all suites together, in characters, before they go to the temporary file.
_BUFFER_LIMIT = 1_000_000
_TEXT_LIMIT = 4_000

_NOT_RUN = {"ready": "not run", "leased": "not finished", "cancelled": "cancelled"}


def write_junit(
    out: TextIO,
    summary: RunSummary,
    results: Iterable[Result],
    *,
    dataset: str,
    receipt: Mapping[str, str],
) -> None:
    """Write one `<testsuite>` a candidate; `results` may come in any order and are read one by one.

    A metric below its threshold is a `<failure>`, a call without answer or a metric that broke an `<error>`,
    a cell that did not run `<skipped>`. Means, intervals, n and coverage are properties. The cases wait in a
    temporary file, since a suite's totals stand before them and candidates alternate.
    """
    suites = [_Suite(f"{each.prompt} \N{MIDDLE DOT} {each.model}") for each in summary.candidates]
    numbers = {(each.prompt, each.model): n for n, each in enumerate(summary.candidates)}
    with TemporaryFile() as file:
        spool = _Spool(file)
        for result in results:
            number = numbers.get((result.prompt, result.model))
            if number is not None:
                spool.add(number, suites[number].take(result, dataset))
        out.write('<?xml version="1.0" encoding="UTF-8"?>\n')
        out.write(f"<testsuites name={_attribute(summary.title)} {_totals(suites)}>\n")
        out.writelines(_properties(receipt.items()))
        for number, suite in enumerate(suites):
            out.write(f"<testsuite name={_attribute(suite.name)} {_totals([suite])}>\n")
            out.writelines(_properties(_facts(summary, number)))
            out.writelines(spool.read(number))
            out.write("</testsuite>\n")
        out.write("</testsuites>\n")


@dataclass(slots=True)
class _Suite:
    """Totals of a candidate's cases, as they come."""

    name: str
    tests: int = 0
    failures: int = 0
    errors: int = 0
    skipped: int = 0
    time_s: float = 0.0

    def take(self, result: Result, dataset: str) -> str:
        """Count a result and give its `<testcase>`."""
        time_s = result.response.latency_ms / 1000 if result.response and not result.response.cached else 0.0
        name = result.case if not result.repeat else f"{result.case} (repeat {result.repeat + 1})"
        outcome = self._outcome(result)
        self.tests += 1
        self.time_s += time_s
        attributes = f'classname={_attribute(dataset)} name={_attribute(name)} time="{time_s:.3f}"'
        return f"<testcase {attributes}>{outcome}</testcase>\n" if outcome else f"<testcase {attributes}/>\n"

    def _outcome(self, result: Result) -> str:
        if result.state in _NOT_RUN:
            self.skipped += 1
            why = f": {result.error_message}" if result.error_message else ""
            return f"<skipped message={_attribute(_NOT_RUN[result.state] + why)}/>"
        if result.state != "succeeded":
            self.errors += 1
            code = result.error_code or result.state
            return _element("error", code, code, result.error_message or "")
        failing = [score for score in result.scores if score.passed is False]
        broken = [score for score in result.scores if score.state == "failed"]
        if failing:
            self.failures += 1
            message = "; ".join(f"{score.metric} {_value(score)}" for score in failing)
            return _element("failure", "assertion", message, _reasons([*failing, *broken]))
        if broken:
            self.errors += 1
            message = "; ".join(f"{score.metric} gave no score" for score in broken)
            return _element("error", "metric", message, _reasons(broken))
        return ""


@dataclass(slots=True)
class _Spool:
    """Texts by number in one file: written as they come, read back by number."""

    file: BinaryIO
    waiting: dict[int, list[str]] = field(default_factory=dict)
    size: int = 0
    places: dict[int, list[tuple[int, int]]] = field(default_factory=dict)

    def add(self, number: int, text: str) -> None:
        """Keep a text."""
        self.waiting.setdefault(number, []).append(text)
        self.size += len(text)
        if self.size > _BUFFER_LIMIT:
            self._flush()

    def read(self, number: int) -> Iterator[str]:
        """The texts of a number in their order, in pieces."""
        self._flush()
        for start, length in self.places.get(number, ()):
            self.file.seek(start)
            yield self.file.read(length).decode()

    def _flush(self) -> None:
        self.file.seek(0, 2)
        for number, texts in self.waiting.items():
            data = "".join(texts).encode()
            self.places.setdefault(number, []).append((self.file.tell(), len(data)))
            self.file.write(data)
        self.waiting.clear()
        self.size = 0


def _facts(summary: RunSummary, number: int) -> Iterator[tuple[str, str]]:
    candidate = summary.candidates[number]
    yield "prompt", candidate.prompt
    yield "model", candidate.model
    yield "planned", str(candidate.planned)
    if candidate.cost_usd is not None:
        yield "cost_usd", f"{candidate.cost_usd:.9f}".rstrip("0").rstrip(".")
    yield "unknown_costs", str(candidate.unknown_costs)
    for metric in summary.metrics:
        if metric.candidate == number:
            yield from _metric_facts(metric)


def _metric_facts(metric: MetricSummary) -> Iterator[tuple[str, str]]:
    yield from _interval_facts(f"{metric.metric}.mean", metric.mean)
    yield f"{metric.metric}.n", str(metric.mean.n)
    yield f"{metric.metric}.scored", f"{metric.scored} of {metric.planned}"
    if metric.pass_rate is not None:
        yield from _interval_facts(f"{metric.metric}.pass_rate", metric.pass_rate)


def _interval_facts(name: str, interval: Interval) -> Iterator[tuple[str, str]]:
    if interval.estimate is not None:
        yield name, f"{interval.estimate:.6g}"
    if interval.low is not None and interval.high is not None:
        yield f"{name}.interval", f"{interval.low:.6g} to {interval.high:.6g}"
        yield f"{name}.method", f"{interval.method} {100 * interval.level:g}%"


def _properties(items: Iterable[tuple[str, str]]) -> Iterator[str]:
    lines = [f"<property name={_attribute(name)} value={_attribute(value)}/>\n" for name, value in items]
    if lines:
        yield "<properties>\n"
        yield from lines
        yield "</properties>\n"


def _totals(suites: Iterable[_Suite]) -> str:
    found = list(suites)
    counts = " ".join(
        f'{name}="{sum(getattr(suite, name) for suite in found)}"'
        for name in ("tests", "failures", "errors", "skipped")
    )
    return f'{counts} time="{math.fsum(suite.time_s for suite in found):.3f}"'


def _element(tag: str, kind: str, message: str, text: str) -> str:
    cut = text[:_TEXT_LIMIT]
    return f"<{tag} type={_attribute(kind)} message={_attribute(message)}>{escape(xml_text(cut))}</{tag}>"


def _reasons(scores: Iterable[Score]) -> str:
    return "\n".join(f"{score.metric} ({score.state}, {_value(score)}): {score.reason}" for score in scores)


def _value(score: Score) -> str:
    return "no value" if score.value is None else significant(score.value)


def _attribute(text: str) -> str:
    """A quoted attribute; line breaks are spaces there in any case."""
    return quoteattr(one_line(xml_text(text), 1000))
