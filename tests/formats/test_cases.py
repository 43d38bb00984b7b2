"""Data files become cases, whatever tool wrote them; what cannot be used is named with its place."""

import csv
import datetime
import io
import itertools
import json
import tracemalloc
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.domain.datasets import Case
from assay.domain.errors import InvalidInput
from assay.domain.suites import DatasetSource
from assay.formats.cases import read_cases


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def read(path: Path, format: str | None = None, **fields: str) -> list[Case]:
    return list(read_cases(DatasetSource(name="data", path=path, format=format, fields=fields)))


def refused(path: Path, format: str | None = None, **fields: str) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        read(path, format, **fields)
    assert caught.value.file == str(path)
    return caught.value


def test_every_format_gives_the_same_cases(tmp_path: Path) -> None:
    rows = [
        {
            "id": "a",
            "question": "Why, then?",
            "expected": "So\nit is",
            "tags": ["x", "y"],
            "context": ["d1", "d2"],
        },
        {"id": "b", "question": "é", "expected": "ü", "tags": [], "context": []},
    ]
    cells = [
        {key: value if isinstance(value, str) else json.dumps(value) for key, value in row.items()}
        for row in rows
    ]
    for name, delimiter in (("c.csv", ","), ("s.csv", ";"), ("t.tsv", "\t")):
        text = io.StringIO()
        writer = csv.DictWriter(text, list(rows[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(cells)
        write(tmp_path, name, text.getvalue())
    write(tmp_path, "l.jsonl", "\n".join(map(json.dumps, rows)) + "\n\n")
    write(tmp_path, "n.ndjson", "\r\n".join(map(json.dumps, rows)))
    write(tmp_path, "j.json", json.dumps(rows, indent=1))
    write(tmp_path, "o.json", json.dumps({"name": "x", "n": {"cases": 1}, "cases": rows}))
    write(tmp_path, "y.yaml", json.dumps(rows))
    write(tmp_path, "z.yml", json.dumps({"cases": rows}))
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "p.parquet")
    seen = [read(path) for path in sorted(tmp_path.iterdir())]
    assert len(seen) == 10
    for cases in seen:
        assert [case.content_hash for case in cases] == [case.content_hash for case in seen[0]]
    assert seen[0][0].vars == {"question": "Why, then?", "context": ["d1", "d2"]}
    assert (seen[0][0].expected, seen[0][0].tags, seen[0][0].context) == (
        "So\nit is",
        ("x", "y"),
        ("d1", "d2"),
    )


ROWS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"vars": {"a": 1}, "expected": 5}, {"vars": {"a": 1}, "expected": 5}),
    ({"inputs": {"a": 1}, "outputs": {"b": 2}}, {"vars": {"a": 1}, "expected": {"b": 2}}),
    ({"input": {"a": 1}, "expectedOutput": "x"}, {"vars": {"a": 1}, "expected": "x"}),
    ({"input": "hi", "expected_output": "x"}, {"vars": {"input": "hi"}, "expected": "x"}),
    (
        {"input": [{"role": "user", "content": "hi"}], "ideal": ["a", "b"]},
        {"vars": {"input": [{"role": "user", "content": "hi"}]}, "expected": ["a", "b"]},
    ),
    ({"input": "q", "target": "x", "id": 7}, {"vars": {"input": "q"}, "expected": "x", "key": "7"}),
    (
        {"user_input": "q", "reference": "x", "retrieved_contexts": ["d"]},
        {"vars": {"user_input": "q", "retrieved_contexts": ["d"]}, "expected": "x", "context": ("d",)},
    ),
    (
        {"question": "q", "contexts": ["d"], "answer": "model's", "ground_truth": "x"},
        {
            "vars": {"question": "q", "contexts": ["d"], "answer": "model's"},
            "expected": "x",
            "context": ("d",),
        },
    ),
    ({"question": "q", "answer": "x"}, {"vars": {"question": "q"}, "expected": "x"}),
    ({"name": "n1", "input": "q"}, {"key": "n1", "vars": {"input": "q"}}),
    ({"name": "n1", "inputs": {"a": 1}}, {"key": "n1", "vars": {"a": 1}}),
    ({"name": "Ann", "city": "Perth"}, {"key": "case-000001", "vars": {"name": "Ann", "city": "Perth"}}),
    (
        {"vars": {"a": 1}, "context": "one text", "note": "kept", "metadata": {"m": 1}},
        {"vars": {"a": 1}, "context": ("one text",), "metadata": {"note": "kept", "m": 1}},
    ),
    (
        {"input": "q", "additional_metadata": {"k": 1}, "tags": "a, b,", "cluster": 3, "weight": 2},
        {"vars": {"input": "q"}, "metadata": {"k": 1}, "tags": ("a", "b"), "cluster": "3", "weight": 2.0},
    ),
    (
        {"vars": {}, "context": None, "tags": None, "metadata": None, "cluster": None, "weight": None},
        {"vars": {}},
    ),
]


@pytest.mark.parametrize(("row", "expected"), ROWS)
def test_fields_are_found_under_the_names_of_other_tools(
    tmp_path: Path, row: dict[str, Any], expected: dict[str, Any]
) -> None:
    (case,) = read(write(tmp_path, "x.jsonl", json.dumps(row)))
    assert case == Case(**{"key": "case-000001", "line": 1, **expected})


def test_a_mapping_of_fields_wins_and_may_take_a_field_away(tmp_path: Path) -> None:
    path = write(tmp_path, "x.csv", "nr,answer,weight,right,about\n7,a,3 kg,yes,x\n")
    (case,) = read(path, id="nr", expected="right", weight="", cluster="about")
    assert (case.key, case.expected, case.weight, case.cluster) == ("7", "yes", 1.0, "x")
    assert case.vars == {"answer": "a", "weight": "3 kg"}
    (structured,) = read(write(tmp_path, "y.jsonl", '{"payload": {"a": 1}, "vars": 2}'), vars="payload")
    assert structured.vars == {"a": 1}
    assert "did you mean 'right'?" in str(refused(path, expected="rigth"))
    assert refused(path, expeted="right").field == "fields.expeted"
    assert (
        refused(write(tmp_path, "z.jsonl", '{"a": 1}\n{"b": 1}\n'), expected="c").field == "fields.expected"
    )
    assert len(read(write(tmp_path, "z.jsonl", '{"a": 1}\n{"b": 1}\n'), expected="b")) == 2


def test_cells_with_json_are_parsed_where_lists_and_objects_belong(tmp_path: Path) -> None:
    head = "inputs,expected,tags,metadata,context\n"
    text = head + '"{""a"": 1}","[1]","[""x""]","{""m"": 2}","[see page 3]"\n{},,,,\n'
    first, second = read(write(tmp_path, "x.csv", text))
    assert first.vars == {"a": 1}
    assert first.expected == "[1]"
    assert (first.tags, first.context) == (("x",), ("[see page 3]",))
    assert first.metadata == {"m": 2}
    assert (second.vars, second.expected, second.tags, second.context) == ({}, None, (), ())


def test_cases_without_an_id_are_numbered_and_know_their_lines(tmp_path: Path) -> None:
    cases = read(write(tmp_path, "x.csv", 'q,r\n"two\nlines",1\n\nb,2\nc,3\n'))
    assert [(case.key, case.line) for case in cases] == [
        ("case-000001", 2),
        ("case-000002", 5),
        ("case-000003", 6),
    ]
    assert [case.line for case in read(write(tmp_path, "x.jsonl", '\n{"a":1}\n\n{"a":2}'))] == [2, 4]
    assert [case.line for case in read(write(tmp_path, "x.json", '[\n{"a":\n1},\n\n{"a":2}]'))] == [2, 5]
    assert [case.line for case in read(write(tmp_path, "x.yaml", "- a: 1\n\n- a: 2\n"))] == [1, 3]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings_with_a_mark_are_read(tmp_path: Path, encoding: str) -> None:
    (case,) = read(write(tmp_path, "x.csv", "id,q\n1,Zoë 🦘\n".encode(encoding)))
    assert (case.key, case.vars) == ("1", {"q": "Zoë 🦘"})
    (case,) = read(write(tmp_path, "x.json", '[{"q": "Zoë"}]'.encode(encoding)))
    assert case.vars == {"q": "Zoë"}


def test_parquet_values_become_json(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    row = {
        "id": 5,
        "day": datetime.date(2027, 1, 2),
        "price": Decimal("1.50"),
        "parts": [{"at": datetime.time(1, 2)}],
    }
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist([row]), path)
    (case,) = read(path)
    assert case.key == "5"
    assert case.vars == {"day": "2027-01-02", "price": "1.50", "parts": [{"at": "01:02:00"}]}
    for bad in (float("nan"), b"bytes"):
        pyarrow.parquet.write_table(
            pyarrow.Table.from_pylist([{"a": 1, "b": None}, {"a": 1, "b": bad}]), path
        )
        problem = refused(path)
        assert (problem.line, problem.field) == (2, "b")


DEEP = "[" * 40 + "]" * 40
BAD: list[tuple[str, str | bytes, int | None, str]] = [
    ("x.csv", "", None, "the file is empty"),
    ("x.csv", " \n\n", None, "the file is empty"),
    ("x.csv", "id,q\n", None, "there are no cases"),
    ("x.jsonl", b"\xef\xbb\xbf", None, "the file is empty"),
    ("x.json", "[]", None, "there are no cases"),
    ("x.yaml", "[]", None, "there are no cases"),
    ("x.csv", '{"a": 1}\n{"a": 2}\n', 1, "this is JSON, not CSV"),
    ("x.csv", '[{"a": 1}]', 1, "this is JSON, not CSV"),
    ("x.csv", b"PAR1....", 1, "this is a Parquet file"),
    ("x.csv", b"PK\x03\x04....", 1, "spreadsheet (.xlsx)"),
    ("x.jsonl", b"\x1f\x8b....", 1, "compressed with gzip"),
    ("x.json", b"%PDF-1.4", 1, "this is a PDF"),
    ("x.csv", "<!DOCTYPE html><html>", 1, "a web page"),
    ("x.csv", "version https://git-lfs.github.com/spec/v1\n", 1, "a pointer of Git LFS"),
    ("x.parquet", "id,q\n1,2\n", None, "not a Parquet file"),
    ("x.parquet", b"PAR1" + b"x" * 100, None, "damaged"),
    ("x.jsonl", "id,q\n1,2\n", 1, "this is not JSON Lines"),
    ("x.jsonl", '[{"a": 1}]', 1, "this is a JSON array"),
    ("x.jsonl", '{\n"a": 1\n}', 1, "an object over several lines"),
    ("x.jsonl", '{"a": 1}\n[2]\n', 2, "a case must be an object"),
    ("x.json", '{"a": 1}\n{"a": 2}\n', 2, "this is JSON Lines"),
    ("x.json", '{"a": 1}', 1, "expected a list"),
    ("x.json", "5", 1, "expected a list"),
    ("x.json", '[{"a": 1},\n{"a": 2},\n]', 2, "expected a comma or the end"),
    ("x.json", '[{"a": 1}\n{"a": 2}]', 2, "expected a comma or the end"),
    ("x.json", '[\n{"a":\n }]', 3, "Expecting value"),
    ("x.json", '[{"a": 1}', 1, "expected a comma or the end"),
    ("x.csv", b"id,q\n1,a\n2,\x93b\n", 3, "byte 0x93 at offset 11"),
    ("x.csv", b"\xef\xbb\xbfid,q\n1,\xff\n", 2, "byte 0xff at offset 10"),
    ("x.jsonl", b'{"a": 1}\n{"a": "\xe9"}\n', 2, "byte 0xe9 at offset 16"),
    ("x.csv", b"\xff\xfei\x00d\x00,", 1, "not UTF-16"),
    ("x.csv", "id,q\n1,a\x00b\n", 2, "a NUL byte"),
    ("x.csv", "id,q".encode("utf-16-le"), 1, "a NUL byte"),
    ("x.jsonl", '{"a": "\\u0000"}', 1, "NUL character"),
    ("x.jsonl", '{"a": "\\ud800"}', 1, "half of a surrogate pair"),
    ("x.jsonl", '{"a": 1, "a": 2}', 1, "the key 'a' is there twice"),
    ("x.jsonl", '{"a": NaN}', 1, "NaN is not JSON"),
    ("x.jsonl", '{"a": -Infinity}', 1, "-Infinity is not JSON"),
    ("x.jsonl", '{"a": 1e999}', 1, "too large"),
    ("x.jsonl", '{"a": ' + "9" * 5000 + "}", 1, "5000 digits"),
    ("x.jsonl", '{"a": 123456789012345678901}', 1, "21 digits"),
    ("x.jsonl", '{"a": 18446744073709551616}', 1, "more than 64 bits"),
    ("x.jsonl", '{"a": 1}\n{"a": ' + DEEP + "}", 2, "deeper than 32"),
    ("x.jsonl", '{"a": ' + "[" * 100_000, 1, "deeper than 32"),
    ("x.json", "[" * 100_000, 1, "deeper than 32"),
    ("x.yaml", "- a: " + DEEP, 1, "deeper than 32"),
    ("x.yaml", "- a: .nan", 1, ".nan is not a number"),
    ("x.yaml", "- {a: 1, a: 2}", 1, "there twice"),
    ("x.yaml", "a: 1", 1, "expected a list of cases"),
    ("x.yaml", "- 5", 1, "a case must be an object"),
    ("x.jsonl", '{"a": "' + "x" * 1_100_000 + '"}', 1, "a text of 1,100,000 characters"),
    ("x.csv", "id,q\n1," + "x" * 1_100_000 + "\n", 2, "a cell of more than"),
    ("x.csv", "id,q\n1,2\n3\n", 3, "1 cells, but the header has 2"),
    ("x.csv", "id,q\n1,2,3\n", 2, "3 cells, but the header has 2"),
    ("x.csv", 'id,q\n1,"open\n', 2, "not CSV"),
    ("x.csv", 'id,q\n1,"a"b\n', 2, "not CSV"),
    ("x.csv", "id,id\n1,2\n", 1, "two columns are called 'id'"),
    ("x.csv", "id,\n1,2\n", 1, "column 2 has no name"),
    ("x.csv", "id,q\r1,2\r", 1, "not CSV"),
    ("x.csv", "id,q\n,2\n", 2, "the id is empty"),
    ("x.jsonl", '{"id": " "}', 1, "the id is empty"),
    ("x.jsonl", '{"id": null}', 1, "an id must be"),
    ("x.jsonl", '{"id": 1.5}', 1, "an id must be"),
    ("x.jsonl", '{"id": true}', 1, "an id must be"),
    ("x.jsonl", '{"id": "' + "x" * 600 + '"}', 1, "600 characters"),
    ("x.csv", "id,q\na,1\nb,2\na,3\n", 4, "the id 'a' is there twice, first in line 2"),
    ("x.jsonl", '{"id": 1}\n{"id": "1"}', 2, "the id '1' is there twice, first in line 1"),
    ("x.jsonl", '{"q": 1}\n{"id": "case-000001"}', 2, "first in line 1"),
    ("x.jsonl", '{"weight": "heavy"}', 1, "a number greater than 0"),
    ("x.jsonl", '{"weight": 0}', 1, "a number greater than 0"),
    ("x.jsonl", '{"vars": 5}', 1, "vars must be an object"),
    ("x.jsonl", '{"vars": {}, "metadata": 5}', 1, "must be an object"),
    ("x.jsonl", '{"vars": {}, "context": [1]}', 1, "a text or a list of texts"),
    ("x.jsonl", '{"vars": {}, "tags": [1]}', 1, "a text or a list of texts"),
    ("x.jsonl", '{"vars": {}, "cluster": [1]}', 1, "must be a text"),
    ("x.xlsx", "x", None, "no known format"),
    ("x", "x", None, "no known format"),
]


@pytest.mark.parametrize(("name", "content", "line", "words"), BAD, ids=range(len(BAD)))
def test_what_cannot_be_used_is_named_with_its_place(
    tmp_path: Path, name: str, content: str | bytes, line: int | None, words: str
) -> None:
    problem = refused(write(tmp_path, name, content))
    assert words in str(problem)
    assert problem.line == line


def test_missing_files_folders_and_formats_are_named(tmp_path: Path) -> None:
    assert "no such file" in str(refused(tmp_path / "none.csv"))
    (tmp_path / "folder.csv").mkdir()
    assert "a folder" in str(refused(tmp_path / "folder.csv"))
    assert "did you mean 'jsonl'?" in str(refused(write(tmp_path, "a.txt", "x"), "json-l"))
    assert [case.vars for case in read(write(tmp_path, "a.txt", '{"a": 1}'), "jsonl")] == [{"a": 1}]


def test_a_quote_left_open_does_not_fill_the_memory(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    with path.open("w") as file:
        file.write('id,q\n1,"open\n')
        file.writelines(itertools.repeat("a line of text, and more of it\n", 100_000))
    assert refused(path).line == 2
    with path.open("w") as file:
        file.write('id,q\n1,"\n')
        file.writelines(itertools.repeat('","\n', 5_000_000))
    assert "a row of more than" in str(refused(path))


def test_a_long_file_needs_no_more_memory_than_a_short_one(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    with path.open("w") as file:
        file.writelines(json.dumps({"id": n, "question": "q" * 1000}) + "\n" for n in range(20_000))
    tracemalloc.start()
    try:
        count = sum(1 for _ in read_cases(DatasetSource(name="x", path=path)))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 20_000
    assert peak < 5_000_000


def test_inline_cases_are_given_as_they_are_and_once() -> None:
    case = Case(key="a", vars={})
    assert list(read_cases(DatasetSource(name="few", cases=(case,)))) == [case]
    with pytest.raises(InvalidInput, match="there twice"):
        list(read_cases(DatasetSource(name="few", cases=(case, case))))
    with pytest.raises(InvalidInput, match="there are no cases"):
        list(read_cases(DatasetSource(name="few")))


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=30)
KEYS = st.lists(TEXT.filter(str.strip), min_size=1, max_size=5, unique=True)
JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)


@given(
    keys=KEYS,
    values=st.lists(st.dictionaries(TEXT, JSON_VALUES, max_size=3), min_size=5, max_size=5),
    expected=JSON_VALUES,
)
def test_json_lines_give_back_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, keys: list[str], values: list[dict[str, Any]], expected: Any
) -> None:
    path = tmp_path_factory.mktemp("lines") / "x.jsonl"
    rows = [{"id": key, "vars": vars, "expected": expected} for key, vars in zip(keys, values, strict=False)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    cases = read(path)
    assert [(case.key, case.vars, case.expected) for case in cases] == [
        (row["id"], row["vars"], row["expected"]) for row in rows
    ]
    path.with_suffix(".json").write_text(json.dumps(rows, ensure_ascii=False, indent=2))
    assert [case.content_hash for case in read(path.with_suffix(".json"))] == [
        case.content_hash for case in cases
    ]


@given(keys=KEYS, texts=st.lists(TEXT, min_size=5, max_size=5))
def test_csv_gives_back_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, keys: list[str], texts: list[str]
) -> None:
    path = tmp_path_factory.mktemp("cells") / "x.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "a", "expected"])
        writer.writerows((key, text, text) for key, text in zip(keys, texts, strict=False))
    assert [(case.key, case.vars["a"], case.expected or "") for case in read(path)] == [
        (key, text, text) for key, text in zip(keys, texts, strict=False)
    ]


@given(
    content=st.binary(max_size=80) | st.text("[]{}\",:\n\\u0a1e.-x;\t'#&*!|>", max_size=60).map(str.encode)
)
def test_any_file_gives_cases_or_says_what_is_wrong(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    folder = tmp_path_factory.mktemp("any")
    for name in ("x.csv", "x.tsv", "x.jsonl", "x.json", "x.yaml", "x.parquet"):
        try:
            for case in read(write(folder, name, content)):
                assert case.content_hash
        except InvalidInput as problem:
            assert problem.file == str(folder / name)


@pytest.mark.parametrize(("name", "size"), [("x.json", 50_000_001), ("x.yaml", 10_000_001)])
def test_files_that_are_read_whole_have_a_limit(tmp_path: Path, name: str, size: int) -> None:
    path = write(tmp_path, name, "[")
    with path.open("r+b") as file:
        file.truncate(size)
    problem = refused(path)
    assert f"{size:,} bytes" in str(problem)
    assert "JSON Lines" in str(problem)


def test_a_data_set_has_a_largest_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assay.formats.cases.MAX_CASES", 2)
    assert refused(write(tmp_path, "x.csv", "a\n1\n2\n3\n")).line == 4
