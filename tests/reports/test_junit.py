"""JUnit XML for continuous integration."""

import io
import tracemalloc
from xml.etree import ElementTree

import pytest

from assay.domain.models import ModelResponse
from assay.domain.scores import Score
from assay.reports.junit import write_junit


def parsed(summary, results, **more):
    out = io.StringIO()
    write_junit(out, summary, results, **{"dataset": "cases", "receipt": {}, **more})
    return ElementTree.fromstring(out.getvalue().encode())  # noqa: S314 - our own output


@pytest.fixture
def two(run):
    return run([1.0] * 3 + [0.0], [0.0] * 4)


def cells(result, count=4):
    for number in range(count):
        for prompt in ("prompt-0", "prompt-1"):
            yield result(number, prompt=prompt, passed=prompt == "prompt-0" and number % 4 != 3)


def test_a_suite_is_a_candidate_and_a_test_case_a_cell(two, result):
    root = parsed(two, cells(result))
    assert root.tag == "testsuites"
    assert [suite.get("name") for suite in root] == ["prompt-0 · small", "prompt-1 · small"]
    assert [(s.get("tests"), s.get("failures")) for s in root] == [("4", "1"), ("4", "4")]
    assert (root.get("tests"), root.get("failures"), root.get("errors"), root.get("time")) == (
        "8", "5", "0", "12.000",
    )  # fmt: skip
    first = root[0].findall("testcase")
    assert [case.get("name") for case in first] == ["case-0", "case-1", "case-2", "case-3"]
    assert {(case.get("classname"), case.get("time")) for case in first} == {("cases", "1.500")}
    failure = first[3].find("failure")
    assert failure.get("type") == "assertion" and failure.get("message") == "exact 0"
    assert "compared as text" in failure.text


def test_what_is_no_failure_is_an_error_or_skipped(two, result):
    broken = (Score("judge", "failed", None, "the judge gave no verdict"),)
    both = (*broken, Score("exact", "scored", 0.0, "differs", passed=False))
    results = [
        result(0, state="failed", response=None, scores=(), error_code="model_timeout", error_message="60 s"),
        result(1, state="dead", response=None, scores=()),
        result(2, scores=broken),
        result(3, scores=both),
        result(4, state="cancelled", response=None, scores=()),
        result(5, state="ready", response=None, scores=()),
        result(6, scores=(Score("judge", "abstained", None, "unsure"),)),
        result(7, repeat=1, response=ModelResponse(text="", latency_ms=900.0, cached=True)),
    ]
    suite = parsed(two, results)[0]
    found = [[child.tag for child in case] for case in suite.findall("testcase")]
    assert found == [["error"], ["error"], ["error"], ["failure"], ["skipped"], ["skipped"], [], []]
    assert [suite.get(name) for name in ("tests", "failures", "errors", "skipped")] == ["8", "1", "3", "2"]
    assert suite.find("testcase/error").get("message") == "model_timeout"
    assert "no verdict" in suite.findall("testcase")[3].find("failure").text
    last = suite.findall("testcase")[7]
    assert (last.get("name"), last.get("time")) == ("case-7 (repeat 2)", "0.000")


def test_properties_carry_interval_n_and_receipt(two, result):
    root = parsed(two, cells(result), receipt={"Seed": "17"})
    assert root.find("properties/property").attrib == {"name": "Seed", "value": "17"}
    properties = {p.get("name"): p.get("value") for p in root[1].iter("property")}
    assert properties["exact.mean"] == "0.75"
    assert properties["exact.mean.interval"] == "0.300642 to 0.954413"
    assert properties["exact.mean.method"] == "wilson 95%"
    assert (properties["exact.n"], properties["exact.scored"]) == ("4", "4 of 4")
    assert properties["cost_usd"] == "0.005"


def test_hostile_text_stays_text_in_valid_xml(run, result, payloads):
    rows = [[1.0, 0.0]] * len(payloads)
    summary = run(*rows, names=[(payload, payload) for payload in payloads], title=payloads[15])
    results = [
        result(
            case=payload, prompt=payload, model=payload, passed=False,
            scores=(Score(payload, "scored", 0.0, payload, passed=False),),
        )
        for payload in payloads
    ]  # fmt: skip
    root = parsed(summary, results, dataset=payloads[1], receipt={payload: payload for payload in payloads})
    tags = {"testsuites", "testsuite", "testcase", "failure", "properties", "property"}
    assert {element.tag for element in root.iter()} == tags
    failures = [failure.text for failure in root.iter("failure")]
    assert len(failures) == len(payloads)
    assert payloads[0] in failures[0] and payloads[10] in failures[10]
    assert "\x00" not in failures[15] and "[31mred" in failures[15]


def test_a_run_without_results_is_valid(run):
    assert parsed(run([1.0]), [])[0].get("tests") == "0"
    assert len(parsed(run(), [])) == 0


def test_a_result_of_nobody_is_left_out(two, result):
    assert parsed(two, [result(prompt="unknown")]).get("tests") == "0"


def test_fifty_thousand_results_stay_in_order_and_out_of_memory(two, result, tmp_path):
    path = tmp_path / "junit.xml"
    tracemalloc.start()
    with path.open("w", encoding="utf-8") as out:
        write_junit(out, two, cells(result, 25_000), dataset="cases", receipt={})
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16_000_000
    root = ElementTree.parse(path).getroot()  # noqa: S314 - our own output
    assert [suite.get("tests") for suite in root] == ["25000", "25000"]
    assert [case.get("name") for case in root[1].iter("testcase")] == [f"case-{n}" for n in range(25_000)]
