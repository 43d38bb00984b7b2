"""Labels of people, in all the forms in which they are written."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.domain.errors import InvalidInput
from assay.formats.label_values import LabelScale
from assay.formats.labels import LabelColumns, read_labels
from assay.formats.places import Place

HERE = Place("labels.csv", 7)
ROWS = [
    {"case": "a", "prompt": "p", "repeat": 1, "label": 1, "pi": 0.25, "position": "B", "length": 12},
    {"case": "b", "label": None},
    {"case": "c", "label": 0, "weight": 3},
]


def write(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_every_format_says_the_same(tmp_path):
    columns = list(dict.fromkeys(name for row in ROWS for name in row))
    cells = [["" if row.get(name) is None else str(row[name]) for name in columns] for row in ROWS]
    text = "\n".join(",".join(row) for row in [columns, *cells]) + "\n"
    files = [
        write(tmp_path, "l.csv", text),
        write(tmp_path, "l.tsv", text.replace(",", "\t")),
        write(tmp_path, "l.jsonl", "".join(json.dumps(row) + "\n" for row in ROWS)),
        write(tmp_path, "l.json", json.dumps(ROWS)),
        tmp_path / "l.parquet",
    ]
    pq.write_table(
        pa.Table.from_pylist([{name: row.get(name) for name in columns} for row in ROWS]), files[-1]
    )
    for path in files:
        found = read_labels(path, LabelColumns())
        first, second, third = found.rows
        assert (first.case, first.prompt, first.repeat, first.labels) == ("a", "p", 1, (("people", 1.0),))
        assert (first.weight, first.first, first.length) == (4.0, False, 12.0)
        assert (second.labels, third.labels, third.weight) == ((), (("people", 0.0),), 3.0)
        assert found.blank == 1
        assert len(found.sha256) == 64


def test_annotators_may_have_columns_or_rows(tmp_path):
    path = write(tmp_path, "l.csv", "case,label.ann,label.ben\na,1,0\nb,,1\n")
    assert [row.labels for row in read_labels(path, LabelColumns()).rows] == [
        (("ann", 1.0), ("ben", 0.0)),
        (("ben", 1.0),),
    ]
    path = write(tmp_path, "m.csv", "id,rater,good\na,ann,yes\na,ben,no\n")
    found = read_labels(path, LabelColumns(labels=("good",)))
    assert [row.labels for row in found.rows] == [(("ann", 1.0),), (("ben", 0.0),)]
    path = write(tmp_path, "n.csv", "case,annotator,label.ann,label.ben\na,x,1,0\n")
    with pytest.raises(InvalidInput, match="in several label columns"):
        read_labels(path, LabelColumns())


def test_what_a_spreadsheet_was_kept_from_running_is_read_back(tmp_path):
    path = write(tmp_path, "l.csv", "case,label\n'=1+1,1\n")
    assert read_labels(path, LabelColumns()).rows[0].case == "=1+1"


@pytest.mark.parametrize(
    ("value", "label"),
    [
        ("Pass", 1.0),
        (" no ", 0.0),
        (True, 1.0),
        ("0.25", 0.25),
        (1, 1.0),
        ("n/a", None),
        (None, None),
        ("", None),
    ],
)
def test_words_and_numbers_are_labels(value, label):
    assert LabelScale().read(value, HERE, "label") == label


def test_words_of_ones_own_and_scales():
    scale = LabelScale.of(1, 5)
    assert [scale.read(value, HERE, "label") for value in (1, "3", 5.0)] == [0.0, 0.5, 1.0]
    words = LabelScale.of(0, 1, ["Grounded", "partly"])
    assert [words.read(value, HERE, "label") for value in ("grounded", " PARTLY", "made up")] == [1, 1, 0]
    assert [words.read(value, HERE, "label") for value in (0.5, "0.25", True)] == [0.5, 0.25, 1.0]
    grades = LabelScale.of(0, 1, ["4", "5"])
    assert [grades.read(value, HERE, "label") for value in ("4", 5, 4.0, "3", 1, "")] == [1, 1, 1, 0, 0, None]
    for value in (0, 6, "nan", "inf", "maybe", [1], 1e400, 10**400):
        with pytest.raises(InvalidInput) as refused:
            scale.read(value, HERE, "label")
        assert (refused.value.line, refused.value.field) == (7, "label")


@given(st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20)))
def test_any_value_is_a_label_in_range_a_blank_or_refused(value):
    for scale in (LabelScale(), LabelScale.of(-2, 3), LabelScale.of(0, 1, ["x"])):
        try:
            label = scale.read(value, HERE, "label")
        except InvalidInput:
            continue
        assert label is None or 0.0 <= label <= 1.0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("label\n1\n", "no column says the case"),
        ("case,mark\na,1\n", "no column says the label"),
        ("case,label\n,1\n", "there is no case"),
        ("case,label,repeat\na,1,-1\n", "no number of a repeat"),
        ("case,label,repeat\na,1,1.5\n", "no number of a repeat"),
        ("case,label,pi\na,1,1.5\n", "is no chance"),
        ("case,label,weight\na,1,0\n", "not a positive number"),
        ("case,label,length\na,1,long\n", "not a positive number"),
        ("case,label,position\na,1,third\n", "is no position"),
        ("case,label\n", "there are no labels"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_reason(tmp_path, text, message):
    with pytest.raises(InvalidInput, match=message):
        read_labels(write(tmp_path, "l.csv", text), LabelColumns())
