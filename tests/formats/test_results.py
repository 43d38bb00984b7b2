"""Result files are whole or not there, safe in a spreadsheet, and give back what was written."""

import csv
import dataclasses
import json
import tracemalloc
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.domain.errors import InvalidInput
from assay.domain.models import ModelResponse, Usage
from assay.domain.results import Result
from assay.domain.scores import Score
from assay.formats.result_files import ResultHeader
from assay.formats.result_rows import COLUMNS
from assay.formats.results import WRITERS, check_writable, open_writer, read_results
from assay.formats.spreadsheets import defuse

PARTS = ("value", "state", "passed", "reason", "evidence", "calls", "cost_usd")
METRICS = ("exact", "my.metric")
GOOD = Result(
    item_no=3,
    case_no=1,
    case="c-1",
    prompt="careful",
    model="cheap",
    repeat=2,
    state="succeeded",
    vars={"question": "Why?", "n": 2},
    expected=["So", "Thus"],
    tags=("x", "y"),
    cluster="k",
    response=ModelResponse(
        text="So\nit is",
        finish="truncated",
        finish_reason="length",
        tool_calls=({"name": "f"},),
        usage=Usage(input_tokens=10, output_tokens=5, cached_tokens=2, reasoning_tokens=0),
        latency_ms=12.5,
        ttft_ms=3.25,
        cached=True,
        answered_by="other",
    ),
    scores=(
        Score("exact", "scored", 1.0, "the same", True),
        Score("my.metric", "abstained", None, "no context"),
    ),
    cost_nanousd=1_234_567,
    attempts=2,
)
FAILED = Result(
    item_no=4,
    case_no=1,
    case="c-1",
    prompt="careful",
    model="cheap",
    repeat=3,
    state="failed",
    attempts=5,
    error_code="model_timeout",
    error_message="total time is over",
)


def write(path: Path, results: Sequence[Result], metrics: Sequence[str] = METRICS) -> Path:
    with open_writer(path, metrics=metrics, job={"id": "j1"}) as writer:
        for result in results:
            writer.write([result])
        writer.summary = {"n": len(results)}
    return path


@pytest.mark.parametrize("name", ["r.jsonl", "r.json", "R.JSONL"])
def test_results_come_back_as_they_were(tmp_path: Path, name: str) -> None:
    assert list(read_results(write(tmp_path / name, [GOOD, FAILED]))) == [GOOD, FAILED]
    assert list(read_results(write(tmp_path / name, []))) == []


def test_json_has_the_job_before_and_the_summary_after_the_results(tmp_path: Path) -> None:
    value = json.loads(write(tmp_path / "r.json", [GOOD, FAILED]).read_text())
    assert list(value) == ["job", "results", "summary"]
    assert value["job"] == {"id": "j1"}
    assert value["summary"] == {"n": 2}
    assert [row["repeat"] for row in value["results"]] == [2, 3]


def test_a_row_has_every_column_and_those_of_each_metric(tmp_path: Path) -> None:
    row = json.loads(write(tmp_path / "r.jsonl", [GOOD]).read_text())
    assert list(row)[: len(COLUMNS)] == list(COLUMNS)
    assert list(row)[len(COLUMNS) :] == [f"{metric}.{part}" for metric in METRICS for part in PARTS]
    assert row["cost_usd"] == 0.001234567
    assert row["vars"] == {"question": "Why?", "n": 2}
    assert (row["exact.value"], row["exact.passed"], row["my.metric.state"]) == (1.0, True, "abstained")


def test_csv_holds_the_same_as_text(tmp_path: Path) -> None:
    path = write(tmp_path / "r.csv", [GOOD, FAILED])
    with path.open(newline="", encoding="utf-8") as file:
        good, failed = csv.DictReader(file)
    assert good["output"] == "So\nit is"
    assert good["vars"] == '{"question":"Why?","n":2}'
    assert good["expected"] == '["So","Thus"]'
    assert (good["cached"], good["latency_ms"], good["exact.value"], good["my.metric.value"]) == (
        "true",
        "12.5",
        "1.0",
        "",
    )
    assert (failed["output"], failed["error_code"], failed["latency_ms"]) == ("", "model_timeout", "")


def test_parquet_has_types(tmp_path: Path) -> None:
    table = pyarrow.parquet.read_table(write(tmp_path / "r.parquet", [GOOD, FAILED]))
    good, failed = table.to_pylist()
    assert good["tags"] == ["x", "y"]
    assert json.loads(good["vars"]) == {"question": "Why?", "n": 2}
    assert (good["cached"], good["latency_ms"], good["input_tokens"], good["exact.value"]) == (
        True,
        12.5,
        10,
        1.0,
    )
    assert (failed["output"], failed["error_code"], failed["exact.state"]) == (None, "model_timeout", None)
    assert pyarrow.parquet.read_table(write(tmp_path / "e.parquet", [])).num_rows == 0


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "|calc",
        "%0",
        "\tx",
        "\rx",
        "\nx",
        "\x00x",
        "=",
        " =1",
        "\ufeff=1",
        "\xa0 =1",
    ]
    + [f"{sign}1" for sign in "＝＋－＠｜％"],
)
def test_no_text_becomes_a_formula(tmp_path: Path, text: str) -> None:
    assert defuse(text) == f"'{text}"
    assert GOOD.response is not None
    row = dataclasses.replace(
        GOOD,
        case=text,
        cluster=text,
        expected=text,
        response=dataclasses.replace(GOOD.response, text=text),
        scores=(Score(text, "scored", -1.0, text),),
    )
    path = write(tmp_path / "r.csv", [row], [text])
    with path.open(newline="", encoding="utf-8") as file:
        (cells,) = csv.DictReader(file)
    for column in ("case", "cluster", "expected", "output", f"'{text}.reason"):
        assert cells[column] == f"'{text}"
    assert cells[f"'{text}.value"] == "-1.0"
    assert json.loads(write(tmp_path / "r.jsonl", [row], [text]).read_text())["output"] == text


@pytest.mark.parametrize("text", ["", " ", "plain", "a=1", "1-2", "'quoted", "0"])
def test_harmless_texts_stay_as_they_are(text: str) -> None:
    assert defuse(text) == text


def test_a_file_appears_when_it_is_whole(tmp_path: Path) -> None:
    probe = tmp_path / "probe"
    probe.touch()
    for name in ("r.jsonl", "r.json", "r.csv", "r.parquet"):
        path = tmp_path / name
        path.write_text("old")
        with pytest.raises(KeyError), open_writer(path, metrics=METRICS) as writer:
            writer.write([GOOD])
            raise KeyError("stop")
        assert path.read_text() == "old"
        with open_writer(path, metrics=METRICS) as writer:
            writer.write([GOOD])
            assert path.read_text() == "old"
        assert path.read_bytes() != b"old"
        assert path.stat().st_mode == probe.stat().st_mode
    probe.unlink()
    assert sorted(item.name for item in tmp_path.iterdir()) == ["r.csv", "r.json", "r.jsonl", "r.parquet"]


def test_what_cannot_be_written_is_known_before_the_first_call(tmp_path: Path) -> None:
    check_writable(tmp_path / "r.csv")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "file").write_text("")
    for path, words in [
        (tmp_path / "r.xlsx", "Known are .jsonl, .json, .csv, .parquet"),
        (Path("-"), "Known are .jsonl, .json, .csv, .parquet"),
        (tmp_path / ".csv", "Known are"),
        (tmp_path / "none" / "r.csv", "mkdir -p"),
        (tmp_path / "file" / "r.csv", "cannot be written"),
        (tmp_path / "folder.csv", "a folder"),
        (tmp_path / ("x" * 300 + ".csv"), "cannot be written"),
    ]:
        with pytest.raises(InvalidInput) as caught:
            check_writable(path)
        assert words in str(caught.value)
        with pytest.raises(InvalidInput):
            open_writer(path, metrics=[])


class Lines:
    """A further format, as reports have them."""

    def __init__(self, file: IO[bytes], header: ResultHeader) -> None:
        self.file = file
        file.write(f"{header.job['id']}\n".encode())

    def write(self, results: Sequence[Result]) -> None:
        self.file.writelines(f"{result.case}\n".encode() for result in results)

    def finish(self, summary: Any) -> None:
        self.file.write(f"{summary}".encode())


def test_further_formats_can_be_added_and_the_longest_end_counts(tmp_path: Path) -> None:
    writers = {**WRITERS, ".lines.csv": Lines}
    path = tmp_path / "r.lines.csv"
    check_writable(path, writers)
    with open_writer(path, metrics=[], job={"id": "j"}, writers=writers) as writer:
        writer.write([GOOD])
        writer.summary = {"n": 1}
    assert path.read_text() == "j\nc-1\n{'n': 1}"


@pytest.mark.parametrize(
    ("name", "content", "line", "words"),
    [
        ("r.jsonl", '{"case": "a"}', 1, "not a result of ours"),
        ("r.jsonl", "5", 1, "must be an object"),
        ("r.jsonl", "{", 1, "not JSON"),
        ("r.json", '{"job": {}}', 1, "'results'"),
        ("r.json", '{"results": [\n{"a": 1}]}', 2, "not a result of ours"),
        (
            "r.json",
            '{"results": [{"case":"a","prompt":"p","model":"m","repeat":0,"state":"x","tags":5}]}',
            1,
            "ours",
        ),
        ("r.csv", "a", None, "Known are .jsonl, .json"),
    ],
)
def test_other_files_are_not_results(
    tmp_path: Path, name: str, content: str, line: int | None, words: str
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(InvalidInput) as caught:
        list(read_results(tmp_path / name))
    assert words in str(caught.value)
    assert caught.value.line == line


@pytest.mark.parametrize("name", ["r.jsonl", "r.json", "r.csv", "r.parquet"])
def test_memory_does_not_grow_with_the_results(tmp_path: Path, name: str) -> None:
    assert GOOD.response is not None
    long = dataclasses.replace(GOOD, response=dataclasses.replace(GOOD.response, text="x" * 2_000))
    with open_writer(tmp_path / f"warm-{name}", metrics=METRICS) as writer:
        writer.write([long])
    tracemalloc.start()
    try:
        with open_writer(tmp_path / name, metrics=METRICS) as writer:
            for _ in range(120):
                writer.write([long] * 100)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 24_000_000


ANY_TEXT = st.text(st.characters(), max_size=20)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(ANY_TEXT, inner, max_size=2),
    max_leaves=4,
)
RESULTS = st.builds(
    dataclasses.replace,
    st.just(GOOD),
    case=ANY_TEXT,
    vars=st.dictionaries(ANY_TEXT, JSON_VALUES, max_size=2),
    expected=JSON_VALUES,
    cluster=st.none() | ANY_TEXT,
    tags=st.lists(ANY_TEXT, max_size=2).map(tuple),
    cost_nanousd=st.none() | st.integers(0, 10**15),
    response=st.none() | st.builds(ModelResponse, text=ANY_TEXT, latency_ms=st.floats(0, 1e9)),
    scores=st.builds(
        lambda value, reason: (Score("exact", "scored", value, reason),), st.floats(-1e9, 1e9), ANY_TEXT
    ),
)


def encodable(text: str) -> bool:
    return not any("\ud800" <= sign <= "\udfff" for sign in text)


@given(results=st.lists(RESULTS, max_size=3))
def test_whatever_a_model_says_comes_back_from_json(
    tmp_path_factory: pytest.TempPathFactory, results: list[Result]
) -> None:
    folder = tmp_path_factory.mktemp("any")
    results = [
        dataclasses.replace(result, vars={}, expected=None) if _has_large_integers(result) else result
        for result in results
    ]
    for name in ("r.jsonl", "r.json"):
        assert list(read_results(write(folder / name, results))) == results


def _has_large_integers(result: Result) -> bool:
    stack: list[Any] = [result.vars, result.expected]
    while stack:
        value = stack.pop()
        if isinstance(value, int) and not -(2**63) <= value < 2**64:
            return True
        stack.extend(value.values() if isinstance(value, dict) else value if isinstance(value, list) else ())
    return False


@given(results=st.lists(RESULTS, max_size=3))
def test_whatever_a_model_says_comes_back_from_tables(
    tmp_path_factory: pytest.TempPathFactory, results: list[Result]
) -> None:
    folder = tmp_path_factory.mktemp("any")
    with write(folder / "r.csv", results).open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    columns = pyarrow.parquet.read_table(write(folder / "r.parquet", results)).to_pylist()
    assert len(rows) == len(columns) == len(results)
    for result, row, column in zip(results, rows, columns, strict=True):
        if encodable(result.case):
            assert row["case"] == defuse(result.case)
            assert column["case"] == result.case
        if result.response is not None and encodable(result.response.text):
            assert row["output"] == defuse(result.response.text)
            assert column["output"] == result.response.text
