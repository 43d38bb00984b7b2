"""Result files as columns: the same table from every format, and nothing that only looks like a score."""

import dataclasses
import json
import tracemalloc
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from assay.domain.errors import InvalidInput
from assay.formats.result_sources import read_table
from assay.formats.result_tables import NO_ANSWER, SCORED, SKIPPED, STATES
from sides import cell, passes, write_side

KINDS = ("json", "jsonl", "csv", "parquet")
RESULTS = [
    cell(0, {"exact": 1.0, "f1": 0.25}, cluster="a"),
    cell(0, {"exact": 0.0, "f1": 0.5}, cluster="a", repeat=1, cached=True),
    cell(1, {"exact": None}, expected={"a": [1, 2.5, None]}),
    cell(2, {"exact": "skipped", "f1": "abstained"}, expected=3, vars={"n": 1, "t": "=SUM(1)"}),
    cell(3, {"exact": "failed", "f1": 1e-7}, expected=None, cost_usd=None, case="=odd", prompt="-p"),
]


@pytest.mark.parametrize("kind", KINDS)
def test_every_format_gives_the_same_table(tmp_path: Path, kind: str) -> None:
    table = read_table(write_side(tmp_path / f"side.{kind}", RESULTS))
    model = read_table(write_side(tmp_path / "model.jsonl", RESULTS))
    assert list(table.keys) == ["case-0", "case-1", "case-2", "=odd"]
    assert table.clusters == ("a", None, None, None)
    assert (table.contents, table.metrics) == (model.contents, model.metrics)
    assert len(set(table.contents)) == 4
    plain, odd = table.candidates
    assert (plain.prompt, odd.prompt, plain.model) == ("plain", "-p", "small")
    assert plain.scores["exact"].state.tolist() == [SCORED, SCORED, NO_ANSWER, SKIPPED]
    assert plain.scores["f1"].state.tolist() == [SCORED, SCORED, NO_ANSWER, STATES.index("abstained")]
    np.testing.assert_array_equal(plain.scores["f1"].value, [0.25, 0.5, np.nan, np.nan])
    assert odd.scores["f1"].value.tolist() == [1e-7]
    assert plain.cached.tolist() == [False, True, False, False]
    assert plain.answered.tolist() == [True, True, False, True]
    np.testing.assert_array_equal(plain.measures["cost_usd"], [0.001, 0.001, np.nan, 0.001])
    assert np.isnan(odd.measures["cost_usd"]).all()


def test_another_question_or_expectation_is_other_content(tmp_path: Path) -> None:
    first = read_table(write_side(tmp_path / "a.jsonl", [cell(0, {"exact": 1.0})]))
    for number, change in enumerate(({"vars": {"question": "other"}}, {"expected": "other"})):
        other = read_table(write_side(tmp_path / f"{number}.csv", [cell(0, {"exact": 1.0}, **change)]))
        assert other.contents != first.contents


def test_json_names_its_job(tmp_path: Path) -> None:
    job = {
        "id": "1",
        "dataset": "d",
        "dataset_version": 2,
        "dataset_hash": "ab",
        "margin": 0.1,
        "receipt": {"metrics": {"exact": "3", "old": "1"}},
        "metrics": [{"name": "exact", "type": "exact", "version": "3", "kind": "binary", "better": "higher"}],
    }
    facts = read_table(write_side(tmp_path / "a.json", passes(2, 0), job=job)).facts
    assert (facts.dataset, facts.dataset_hash, facts.margin) == ("d v2", "ab", 0.1)
    assert (facts.metrics["exact"].kind, facts.metrics["old"].version) == ("binary", "1")


def rows(tmp_path: Path, **change: object) -> Path:
    """A file of one row that was tampered with."""
    path = write_side(tmp_path / "a.jsonl", [cell(0, {"exact": 1.0})])
    row = json.loads(path.read_text())
    row.update(change)
    path.write_text(json.dumps({key: value for key, value in row.items() if value != "gone"}) + "\n")
    return path


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"exact.value": None}, "a score that has no value"),
        ({"exact.state": "failed"}, "has a value all the same"),
        ({"exact.state": "good"}, "no state of a score"),
        ({"exact.value": "nan"}, "not a finite number"),
        ({"exact.value": True}, "not a finite number"),
        ({"exact.value": [1]}, "not a finite number"),
        ({"latency_ms": "fast"}, "not a finite number"),
        ({"state": "fine"}, "no state of a result"),
        ({"repeat": 0.5}, "not the number of a repeat"),
        ({"repeat": -1}, "not the number of a repeat"),
        ({"repeat": "gone"}, "the field is missing"),
        ({"case": ""}, "must be a text"),
        ({"case": 7}, "must be a text"),
    ],
)
def test_what_is_no_result_is_refused_with_its_line(
    tmp_path: Path, change: dict[str, object], said: str
) -> None:
    with pytest.raises(InvalidInput, match=said) as caught:
        read_table(rows(tmp_path, **change))
    assert caught.value.line == 1
    assert caught.value.field is not None


def test_nan_is_refused_in_every_format(tmp_path: Path) -> None:
    jsonl = rows(tmp_path)
    jsonl.write_text(jsonl.read_text().replace('"exact.value": 1.0', '"exact.value": NaN'))
    csv = write_side(tmp_path / "a.csv", [cell(0, {"exact": 0.25})])
    csv.write_text(csv.read_text().replace("0.25", "inf"))
    parquet = write_side(tmp_path / "a.parquet", [cell(0, {"exact": 0.25})])
    table = pa.parquet.read_table(parquet)
    place = table.schema.get_field_index("exact.value")
    broken = table.set_column(place, "exact.value", pa.array([float("nan")], pa.float64()))
    pa.parquet.write_table(broken, parquet)
    for path in (jsonl, csv, parquet):
        with pytest.raises(InvalidInput):
            read_table(path)


@pytest.mark.parametrize("kind", KINDS)
def test_two_jobs_in_one_file_are_refused(tmp_path: Path, kind: str) -> None:
    twice = [cell(0, {"exact": 1.0}), cell(1, {"exact": 1.0}), cell(1, {"exact": 0.0})]
    with pytest.raises(InvalidInput, match="'case-1', repeat 0, is there twice"):
        read_table(write_side(tmp_path / f"a.{kind}", twice))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.jsonl", ""),
        ("a.jsonl", "\n\n"),
        ("a.jsonl", "[]"),
        ("a.json", "{}"),
        ("a.json", '{"results": []}'),
        ("a.json", '{"job": 7, "results": [3]}'),
        ("a.json", '{"job": {"receipt": []}, "results": []}'),
        ("a.json", '{"job": {"metrics": [1]}, "results": []}'),
        ("a.csv", ""),
        ("a.csv", "a,b\n1,2\n"),
        ("a.csv", "case,prompt,model,repeat,state\n"),
        ("a.parquet", "no"),
        ("a.txt", "x"),
    ],
)
def test_files_that_hold_no_results_are_refused(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(InvalidInput):
        read_table(tmp_path / name)


def test_memory_is_a_few_bytes_a_score(tmp_path: Path) -> None:
    """The outputs of the file are 40 MB; none is kept."""
    long = dataclasses.replace(cell(0, {"exact": 1.0}).response, text="x" * 20_000)
    path = write_side(
        tmp_path / "large.jsonl", [cell(number, {"exact": 1.0}, response=long) for number in range(2000)]
    )
    assert path.stat().st_size > 40_000_000
    tracemalloc.start()
    table = read_table(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(table.keys) == 2000
    assert peak < 4_000_000
