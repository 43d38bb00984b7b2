"""A gate as JUnit XML: a test case for each metric, with its numbers as properties."""

from collections.abc import Iterator
from typing import TextIO
from xml.etree import ElementTree

from assay.reports.gate import GateCheck, GateReport, cautions_of, reason_of, remedy_of
from assay.reports.untrusted import xml_text


def write_gate_junit(out: TextIO, report: GateReport) -> None:
    """Write one suite: failed checks are `<failure>`, inconclusive ones `<skipped>` with the reason."""
    outcomes = [check.outcome for check in report.checks]
    totals = {
        "tests": str(len(outcomes)),
        "failures": str(outcomes.count("fail")),
        "errors": "0",
        "skipped": str(outcomes.count("inconclusive")),
    }
    root = ElementTree.Element("testsuites", {"name": "assay gate", **totals})
    suite = ElementTree.SubElement(root, "testsuite", {"name": _text(report.candidate), **totals})
    _add_properties(suite, _facts(report))
    for check in report.checks:
        _add_check(suite, check)
    ElementTree.indent(root, "")
    out.write('<?xml version="1.0" encoding="UTF-8"?>\n')
    out.write(ElementTree.tostring(root, encoding="unicode"))
    out.write("\n")


def _add_check(suite: ElementTree.Element, check: GateCheck) -> None:
    case = ElementTree.SubElement(
        suite, "testcase", {"classname": _text(check.candidate), "name": _text(check.metric)}
    )
    _add_properties(case, _check_facts(check))
    reason, remedy = reason_of(check), remedy_of(check)
    message = _text(f"{check.metric}: {reason}")
    if check.outcome == "fail":
        ElementTree.SubElement(case, "failure", {"type": "gate", "message": message})
    elif check.outcome == "inconclusive":
        said = message if remedy is None else f"{message}. {remedy}"
        ElementTree.SubElement(case, "skipped", {"message": f"inconclusive: {said}"})
    ElementTree.SubElement(case, "system-out").text = "\n".join([message, *map(_text, cautions_of(check))])


def _facts(report: GateReport) -> Iterator[tuple[str, str]]:
    yield "verdict", report.outcome
    yield "sentence", report.sentence
    yield "baseline", report.baseline
    yield "alpha", f"{report.alpha:g}"
    yield "fail_on", report.fail_on
    for number, note in enumerate(report.notes, start=1):
        yield f"note {number}", note


def _check_facts(check: GateCheck) -> Iterator[tuple[str, str]]:
    change = check.change
    yield "verdict", check.outcome
    yield "n", str(change.n)
    if change.clusters is not None:
        yield "clusters", str(change.clusters)
    yield "margin", f"{check.margin:.6g}{' of the baseline' if check.relative else ''}"
    for name, side in (("baseline", check.baseline), ("candidate", check.tested)):
        if side.mean is not None:
            yield name, f"{side.mean:.6g}"
        yield f"{name}.scored", f"{side.scored} of {side.planned}"
    if change.estimate is not None:
        yield "change", f"{change.estimate:.6g}"
    if change.low is not None and change.high is not None:
        yield "interval", f"{change.low:.6g} to {change.high:.6g}"
        yield "method", f"{change.method} {100 * change.level:g}%"
    if check.cases_needed is not None:
        yield "cases_needed", str(check.cases_needed)


def _add_properties(element: ElementTree.Element, facts: Iterator[tuple[str, str]]) -> None:
    properties = ElementTree.SubElement(element, "properties")
    for name, value in facts:
        ElementTree.SubElement(properties, "property", {"name": _text(name), "value": _text(value)})


def _text(text: str) -> str:
    """What XML can hold, in one line."""
    return " ".join(xml_text(text).split())
