"""Labels and answers brought together, and sheets and pages that hostile names cannot turn."""

import csv
import io
import random
from dataclasses import replace

import pytest
from rich.console import Console

from assay.domain.errors import InvalidInput
from assay.domain.models import ModelConfig
from assay.formats.labels import LabelColumns, LabelFile, LabelRow, read_labels
from assay.reports.calibrating import by_person, calibrate_answers
from assay.reports.calibration_page import calibration_page
from assay.reports.calibration_values import CalibrationWish, JudgedAnswer
from assay.reports.table_pages import render_page, write_page_markdown
from assay.services.label_matching import answers_of_file, match_labels
from assay.services.label_sheets import plan_sheet, write_sheet
from assay.services.model_families import family_of

HOSTILE = "<script>alert(1)</script>| `x` @all \x1b[31m [red]\n=cmd()"


def rows(tmp_path, *labels: LabelRow) -> LabelFile:
    return LabelFile(path=tmp_path / "l.csv", rows=labels, blank=0, sha256="0" * 64)


def answers(count=60, *, candidate="one", label=None):
    rng = random.Random(5)
    made = []
    for n in range(count):
        quality = rng.random()
        labels = (("people", float(quality > 0.4)),) if label is None or label(n) else ()
        score = min(1.0, max(0.0, quality + rng.gauss(0, 0.2)))
        made.append(JudgedAnswer(case=f"c{n}", candidate=candidate, judge=score, labels=labels))
    return made


def report_of(made, **wish):
    found = calibrate_answers(made, CalibrationWish(**wish), title=HOSTILE, judge={}, labels={}, seed=0)
    return found, calibration_page(found)


def test_a_row_means_the_answer_that_it_names(tmp_path):
    two = [JudgedAnswer(case="a", candidate=p, prompt=p, model="m", judge=0.5) for p in ("p", "q")]
    row = LabelRow(line=2, case="a", prompt="q", labels=(("people", 1.0),), weight=2.0, cluster="k")
    found, notes = match_labels(two, rows(tmp_path, row))
    assert [each.labels for each in found] == [(), (("people", 1.0),)]
    assert (found[1].weight, found[1].cluster, notes) == (2.0, "k", [])


def test_rows_of_annotators_are_one_answer(tmp_path):
    same = [
        LabelRow(line=n, case="a", group="g", judge=0.5, labels=((name, 1.0),))
        for n, name in enumerate(("ann", "ben"), start=2)
    ]
    (found,), _ = answers_of_file(rows(tmp_path, *same))
    assert found.labels == (("ann", 1.0), ("ben", 1.0))
    assert [each.weight for each in by_person([found])] == [0.5, 0.5]


def test_graded_labels_of_several_people_stay_one_answer():
    graded = JudgedAnswer(case="a", candidate="g", judge=0.5, labels=(("ann", 0.5), ("ben", 1.0)))
    assert by_person([graded]) == [graded]
    assert graded.human == 0.75


def test_labels_that_were_not_drawn_at_random_are_doubted():
    made = answers(300)
    lowest = {each.case for each in sorted(made, key=lambda each: each.judge)[:80]}
    picked = [each if each.case in lowest else JudgedAnswer(
        case=each.case, candidate="one", judge=each.judge) for each in made]  # fmt: skip
    found, _ = report_of(picked)
    assert any("do not look drawn at random" in caution for caution in found.cautions)
    fair, _ = report_of(answers(300, label=lambda n: n % 3 == 0))
    assert any("taken for a random sample" in caution for caution in fair.cautions)


def test_what_cannot_be_told_of_a_candidate_is_said():
    made = [*answers(label=lambda n: n < 5), *answers(candidate="two")]
    found, page = report_of(made)
    one, two = found.means
    assert (one.corrected, one.note) == (None, "5 labels: at least 10 are needed")
    assert (two.corrected, two.note) == (
        None,
        "every answer is labelled: the mean of the labels needs no judge",
    )
    assert any(table.heads[-1] == "note" for table in page.tables)


def test_candidates_without_labels_and_cases_in_clusters_are_named():
    bare = [*answers(), *answers(candidate="two", label=lambda _: False)]
    found, _ = report_of(bare)
    assert any("nobody has labelled answers of two" in caution for caution in found.cautions)
    joined = [replace(each, cluster=f"k{number // 4}") for number, each in enumerate(answers())]
    found, _ = report_of(joined)
    assert any("cases share clusters" in caution for caution in found.cautions)
    assert found.calibration.clusters == 15


def test_repeats_of_a_case_are_averaged():
    made = [
        JudgedAnswer(case=each.case, candidate="one", judge=each.judge, labels=each.labels, repeat=repeat)
        for each in answers(40, label=lambda n: n < 20)
        for repeat in (0, 1)
    ]
    (mean,) = report_of(made)[0].means
    assert (mean.cases, mean.labels) == (40, 20)
    assert report_of(made)[0].calibration.clusters == 20


def test_hostile_names_stay_text_on_terminals_and_in_markdown():
    _, page = report_of(answers(candidate=HOSTILE, label=lambda n: n < 40))
    out, screen = io.StringIO(), io.StringIO()
    write_page_markdown(out, page)
    assert "<script>" not in out.getvalue() and "@all" not in out.getvalue()
    render_page(page, Console(file=screen, width=300, force_terminal=True))
    assert "\x1b[31m [red]" not in screen.getvalue()
    assert "[red]" in screen.getvalue()


def test_a_sheet_can_be_filled_in_and_names_are_harmless(tmp_path):
    made = [JudgedAnswer(case=f"=c{n}", candidate="g", judge=n / 20) for n in range(20)]
    sheet = plan_sheet(made, 6, "stratified", seed=1)
    assert sheet == plan_sheet(made, 6, "stratified", seed=1)
    path = tmp_path / "sheet.csv"
    write_sheet(path, sheet, {})
    with path.open(newline="") as file:
        found = list(csv.DictReader(file))
    assert all(row["case"].startswith("'=c") and row["label"] == "" for row in found)
    assert [row.case for row in read_labels(path, LabelColumns()).rows] == [row.answer.case for row in sheet]
    with pytest.raises(InvalidInput, match="cannot be planned"):
        plan_sheet(made, 19, "random", seed=1)


@pytest.mark.parametrize(
    ("model", "family"),
    [
        ("gpt-4o-mini", "openai"),
        ("o3-mini", "openai"),
        ("claude-haiku-4-5", "anthropic"),
        ("models/gemini-2.5-flash", "google"),
        ("meta-llama/Llama-3.3-70B", "meta"),
        ("Qwen2.5-coder:0.5b", "qwen"),
        ("recordings.jsonl", None),
    ],
)
def test_a_family_is_read_from_the_name_of_a_model(model, family):
    assert family_of(ModelConfig(name="m", provider="openai", model=model)) == family
