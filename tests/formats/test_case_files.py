"""Cases that are written can be read back as they were."""

import json
from pathlib import Path

import pytest

from assay.domain.datasets import Case
from assay.domain.errors import InvalidInput
from assay.domain.suites import DatasetSource
from assay.formats.case_files import check_case_file, write_cases
from assay.formats.cases import read_cases, stream_cases

CASES = [
    Case(
        key="whole",
        vars={"q": "ü\t\U0001f600\r\n", "list": [1, None, {"a": 1.5}], "split": "mine"},
        expected=["a", 2],
        context=("first", "second"),
        metadata={"source": "x", "id": 7},
        tags=("t1", "with, comma"),
        cluster="c",
        weight=0.25,
        split="validation",
    ),
    Case(key="least", vars={}),
    Case(key="empty", vars={"q": ""}, expected=[], split="test"),
    Case(key="formula", vars={"q": "=1+1"}, expected="=cmd()"),
]


def read(path: Path) -> list[Case]:
    source = DatasetSource(name="x", path=path, fields={"split": "split"})
    return [
        Case(**{name: getattr(case, name) for name in Case.__slots__} | {"line": None})
        for case in read_cases(source)
    ]


@pytest.mark.parametrize("name", ["cases.jsonl", "cases.JSON"])
def test_json_is_exact(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    assert write_cases(path, iter(CASES)) == len(CASES)
    found = read(path)
    assert found == CASES
    assert [case.content_hash for case in found] == [case.content_hash for case in CASES]


def test_a_table_is_harmless_and_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "cases.csv"
    write_cases(path, CASES)
    found = read(path)
    assert [case.key for case in found] == [case.key for case in CASES]
    assert found[0].vars == CASES[0].vars
    assert (found[0].tags, found[0].context, found[0].split) == (
        ("t1", "with, comma"),
        ("first", "second"),
        "validation",
    )
    assert found[3].expected == "'=cmd()"


def test_a_source_that_breaks_leaves_no_file(tmp_path: Path) -> None:
    path = tmp_path / "cases.jsonl"
    path.write_text("before")

    def broken() -> object:
        yield CASES[0]
        raise RuntimeError("the server went away")

    with pytest.raises(RuntimeError):
        write_cases(path, broken())  # type: ignore[arg-type]
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["cases.xlsx", "cases", "nowhere/cases.jsonl"])
def test_a_place_that_cannot_be_written_is_said_first(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_case_file(tmp_path / name)
    assert refused.value.remedy


@pytest.mark.parametrize("value", ["dev", "Train", 1, True, ["train"]])
def test_a_split_that_is_none_is_refused_with_its_place(tmp_path: Path, value: object) -> None:
    path = tmp_path / "cases.jsonl"
    path.write_text('{"q": 1, "fold": "test"}\n' + json.dumps({"q": 2, "fold": value}))
    source = DatasetSource(name="x", path=path, fields={"split": "fold"})
    with pytest.raises(InvalidInput, match="is no split") as refused:
        list(stream_cases(source))
    assert (refused.value.file, refused.value.line, refused.value.field) == (str(path), 2, "fold")
    assert "train, validation, test, holdout" in (refused.value.remedy or "")


def test_a_column_that_is_called_split_stays_a_variable_until_it_is_named(tmp_path: Path) -> None:
    path = tmp_path / "cases.csv"
    path.write_text("q,split\n1,fold-3\n")
    (case,) = read_cases(DatasetSource(name="x", path=path))
    assert (case.vars, case.split) == ({"q": "1", "split": "fold-3"}, None)
    path.write_text("q,split\n1,train\n2,\n")
    cases = list(stream_cases(DatasetSource(name="x", path=path, fields={"split": "split"})))
    assert [(each.vars, each.split) for each in cases] == [({"q": "1"}, "train"), ({"q": "2"}, None)]
