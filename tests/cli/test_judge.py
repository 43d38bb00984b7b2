"""Judges held against people through the command line: what is matched, what is refused, what is said."""

import csv
import random

import numpy as np
import orjson
import pytest
from bench import Bench
from provider import Provider, Question, say

from assay.stats.agreement import cohen_kappa
from assay.stats.corrected_means import ppi_mean

CASES = 60
LABELLED = 40


def number_of(question: Question) -> int:
    return int(question.text.split()[-1])


def right(number: int) -> bool:
    return number % 3 != 0


def human(number: int) -> int:
    """People agree with the exact match, but for every seventh case."""
    return int(right(number) != (number % 7 == 0))


@pytest.fixture
def judged(bench: Bench, provider: Provider) -> Bench:
    """A job whose metric `exact` passes two thirds of 60 cases; `rouge_l` is graded."""
    bench.suite(CASES, metrics=["exact", "rouge_l"])
    provider.decide = lambda question: say(
        question.text if right(number_of(question)) else f"no answer to question {number_of(question)}"
    )
    assert bench.run("run").code == 0
    return bench


def labels(bench: Bench, rows: list[str], head: str = "case,label") -> str:
    return str(bench.write("labels.csv", "\n".join([head, *rows]) + "\n"))


def plain(bench: Bench, count: int = LABELLED) -> str:
    return labels(bench, [f"c{n},{human(n)}" for n in range(count)])


def test_a_pass_fail_judge_is_held_against_people(judged: Bench) -> None:
    done = judged.run("judge", "calibrate", "--metric", "exact", "--labels", plain(judged), "--json")
    assert done.code == 0, done.err
    document = done.json
    judge, people = [float(right(n)) for n in range(CASES)], [float(human(n)) for n in range(LABELLED)]
    kappa = cohen_kappa(people, judge[:LABELLED])
    found = document["calibration"]
    assert document["coverage"] == {
        "answers": CASES, "scored": CASES, "labelled": LABELLED, "both": LABELLED, "cases": CASES
    }  # fmt: skip
    assert found["verdicts"]["kappa"]["estimate"] == pytest.approx(kappa.kappa)
    assert found["verdicts"]["accuracy"]["method"] == "wilson"
    assert (found["cutoff"], found["judge_kind"]) == (None, "pass/fail")
    (mean,) = document["means"]
    expected = ppi_mean(people, judge[:LABELLED], judge[LABELLED:])
    assert mean["corrected"]["interval"]["estimate"] == pytest.approx(expected.interval.estimate)
    assert mean["corrected"]["interval"]["low"] == pytest.approx(expected.interval.low)
    assert mean["rogan_gladen"]["method"] == "rogan_gladen"
    assert mean["judge"]["estimate"] == pytest.approx(np.mean(judge))
    assert document["judge"]["metric"] == "exact" and document["judge"]["version"]
    shown = judged.run("judge", "calibrate", "last", "--metric", "exact", "--labels", plain(judged))
    assert "kappa 0." in shown.out
    assert "Rogan-Gladen" in shown.out


def test_a_graded_judge_gets_a_threshold_that_did_not_see_its_answers(judged: Bench) -> None:
    done = judged.run("judge", "calibrate", "--metric", "rouge_l", "--labels", plain(judged), "--json")
    assert done.code == 0, done.err
    found = done.json["calibration"]
    assert 0.5 < found["cutoff"]["threshold"] < 1.0
    assert found["cutoff"]["held_out"]["balanced_accuracy"]["estimate"] > 0.7
    assert found["auroc"]["estimate"] > 0.7
    assert found["map"]["map"]["kind"] == "logistic"
    assert done.json["bias"]["length"]["interval"]["method"] == "cr3_slope"
    shown = judged.run("judge", "calibrate", "--metric", "rouge_l", "--labels", plain(judged))
    assert "the same on the labels that chose it" in shown.out
    assert "taken for a random sample" in " ".join(shown.out.split())


def test_the_threshold_of_the_suite_is_held_against_the_best_one(bench: Bench, provider: Provider) -> None:
    bench.suite(CASES, metrics=[{"type": "rouge_l", "name": "judge", "threshold": 0.99}])
    provider.decide = lambda question: say(question.text if right(number_of(question)) else "no question")
    assert bench.run("run").code == 0
    done = bench.run("judge", "calibrate", "--labels", plain(bench), "--json")
    found = done.json["calibration"]
    assert (found["threshold"], found["verdicts"]["confusion"]["true_pass"]) == (
        0.99,
        sum(human(n) and right(n) for n in range(LABELLED)),
    )
    assert found["cutoff"]["threshold"] < 0.99
    assert "balanced accuracy at 0.99" in bench.run("judge", "calibrate", "--labels", plain(bench)).out


def test_a_kept_calibration_says_what_it_rests_on(judged: Bench) -> None:
    path = plain(judged)
    command = ("judge", "calibrate", "--metric", "rouge_l", "--labels", path, "--save", "kept.json")
    done = judged.run(*command, "-o", "report.md", "-o", "report.json")
    assert done.code == 0, done.err
    kept = orjson.loads((judged.folder / "kept.json").read_bytes())
    report = orjson.loads((judged.folder / "report.json").read_bytes())
    assert kept["format"] == 1
    assert kept["threshold"] == report["calibration"]["cutoff"]["threshold"]
    assert kept["map"]["slope"] > 0.0
    assert (kept["judge"]["metric"], kept["judge"]["version"]) == ("rouge_l", report["judge"]["version"])
    assert kept["labels"]["n"] == LABELLED
    assert len(kept["labels"]["sha256"]) == 64
    assert "#### Agreement with people" in (judged.folder / "report.md").read_text()


def test_annotators_by_row_and_by_column_are_measured_among_themselves(judged: Bench) -> None:
    noisy = random.Random(1)
    pairs = [(n, human(n), human(n) if noisy.random() < 0.85 else 1 - human(n)) for n in range(LABELLED)]
    by_row = labels(
        judged,
        [
            f"c{n},{name},{label}"
            for n, *both in pairs
            for name, label in zip(("ann", "ben"), both, strict=True)
        ],
        head="case,annotator,label",
    )
    command = ("judge", "calibrate", "--metric", "exact", "--json", "--labels")
    first = judged.run(*command, by_row)
    by_column = labels(judged, [f"c{n},{a},{b}" for n, a, b in pairs], head="case,label.ann,label.ben")
    second = judged.run(*command, by_column)
    assert first.code == second.code == 0, first.err + second.err
    assert first.json["people"] == second.json["people"]
    assert first.json["people"]["shared"] == LABELLED
    (pair,) = first.json["people"]["pairs"]
    assert pair["agreement"]["estimate"] == pytest.approx(
        cohen_kappa([a for _, a, _ in pairs], [b for _, _, b in pairs]).kappa
    )
    assert first.json["calibration"]["n"] == 2 * LABELLED
    assert first.json["calibration"]["clusters"] == LABELLED


def test_the_same_label_twice_is_noted_and_a_contradiction_refused(judged: Bench) -> None:
    rows = [f"c{n},{human(n)}" for n in range(20)]
    twice = judged.run(
        "judge", "calibrate", "--metric", "exact", "--labels", labels(judged, [*rows, rows[3]])
    )
    assert twice.code == 0, twice.err
    assert "1 label given twice" in twice.out
    other = labels(judged, [*rows, f"c3,{1 - human(3)}"])
    refused = judged.run("judge", "calibrate", "--metric", "exact", "--labels", other)
    assert refused.code == 2
    assert "labels.csv:22: case 'c3' has the label" in refused.err
    assert "in line 5" in refused.err and "annotator" in refused.err


def test_labels_of_other_answers_are_noted_and_nothing_else_is_an_error(judged: Bench) -> None:
    rows = [f"c{n},{human(n)}" for n in range(20)]
    some = judged.run(
        "judge", "calibrate", "--metric", "exact", "--labels", labels(judged, [*rows, "z1,1", "z2,"])
    )
    assert some.code == 0, some.err
    assert "1 label of answers that the job does not have: z1 (line 22)" in some.out
    assert "1 row of labels.csv without a label" in some.out
    none = judged.run("judge", "calibrate", "--metric", "exact", "--labels", labels(judged, ["z1,1", "z2,0"]))
    assert none.code == 2
    assert "no label is of an answer of this job" in none.err and "c0, c1" in none.err
    blank = judged.run("judge", "calibrate", "--metric", "exact", "--labels", labels(judged, ["c1,", "c2,"]))
    assert blank.code == 2
    assert "no row has a label yet" in blank.err


def test_every_label_off_the_scale_is_named_with_its_line(judged: Bench) -> None:
    path = labels(judged, ["c0,1", "c1,4", "c2,perhaps", "c3,0"])
    done = judged.run("judge", "calibrate", "--metric", "exact", "--labels", path)
    assert done.code == 2
    assert "labels.csv:3: label: 4 is off the scale of 0 to 1" in done.err
    assert "line 4: label: 'perhaps' is neither a number nor a word" in done.err
    assert "--scale LOW:HIGH" in done.err


def test_graded_labels_and_words_are_read_as_asked(judged: Bench) -> None:
    graded = labels(judged, [f"c{n},{4 if human(n) else 2}" for n in range(LABELLED)])
    command = ("judge", "calibrate", "--metric", "exact", "--json", "--labels")
    plain_ = judged.run(*command, plain(judged)).json["calibration"]["verdicts"]
    graded = labels(judged, [f"c{n},{4 if human(n) else 2}" for n in range(LABELLED)])
    by_scale = judged.run(*command, graded, "--scale", "1:5", "--pass-at", "3")
    assert by_scale.code == 0, by_scale.err
    assert by_scale.json["calibration"]["verdicts"] == plain_
    assert by_scale.json["calibration"]["label_kind"] == "graded"
    words = labels(judged, [f"c{n},{'fine' if human(n) else 'off'}" for n in range(LABELLED)])
    by_words = judged.run(*command, words, "--passes", "fine")
    assert by_words.json["calibration"]["verdicts"] == plain_


def test_a_label_must_say_which_of_several_answers_it_means(bench: Bench, provider: Provider) -> None:
    prompts = [{"id": name, "text": f"{name}: {{{{ q }}}}"} for name in "ab"]
    bench.suite(20, prompts=prompts, repeats=2)
    provider.decide = lambda question: say(question.text.split(": ")[-1])
    assert bench.run("run").code == 0
    vague = bench.run("judge", "calibrate", "--labels", labels(bench, ["c0,1", "c1,0"]))
    assert vague.code == 2
    assert "labels.csv:2: case 'c0' has 4 answers" in vague.err
    assert "Add columns prompt, repeat." in vague.err
    rows = [f"c{n},{p},0,{int(n % 4 != 0)}" for n in range(15) for p in "ab"]
    exact = bench.run(
        "judge", "calibrate", "--labels", labels(bench, rows, "case,prompt,repeat,label"), "--json"
    )
    assert exact.code == 0, exact.err
    assert [(m["candidate"], m["labels"], m["cases"]) for m in exact.json["means"]] == [
        ("a", 15, 20),
        ("b", 15, 20),
    ]
    assert exact.json["calibration"]["clusters"] == 15


def test_answers_to_label_are_written_without_the_score_and_read_back(judged: Bench) -> None:
    sheet = judged.folder / "todo.csv"
    done = judged.run("judge", "calibrate", "--metric", "exact", "--next", "30", "-o", sheet)
    assert done.code == 0, done.err
    with sheet.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len({row["case"] for row in rows}) == 30
    assert list(rows[0]) == ["case", "prompt", "model", "repeat", "label", "vars", "expected", "output"]
    for row in rows:
        row["label"] = str(human(int(row["case"][1:])))
    with sheet.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    filled = judged.run(
        "judge",
        "calibrate",
        "--metric",
        "exact",
        "--labels",
        sheet,
        "--next",
        "5",
        "--json",
        "-o",
        "more.csv",
    )
    assert filled.code == 0, filled.err
    assert filled.json["coverage"]["both"] == 30
    with (judged.folder / "more.csv").open(newline="") as file:
        more = {row["case"] for row in csv.DictReader(file)}
    assert len(more) == 5 and not more & {row["case"] for row in rows}


def test_uneven_chances_are_kept_and_not_mixed(judged: Bench) -> None:
    command = ("judge", "calibrate", "--metric", "rouge_l", "--next", "30", "--draw", "active")
    assert judged.run(*command, "-o", "todo.csv").code == 0
    with (judged.folder / "todo.csv").open(newline="") as file:
        rows = [(row["case"], row["pi"]) for row in csv.DictReader(file)]
    assert len({pi for _, pi in rows}) > 1
    path = labels(judged, [f"{case},{human(int(case[1:]))},{pi}" for case, pi in rows], "case,label,pi")
    done = judged.run("judge", "calibrate", "--metric", "rouge_l", "--labels", path, "--json")
    assert done.code == 0, done.err
    assert done.json["means"][0]["corrected"]["interval"]["method"] == "ppi_weighted_tuned"
    mixed = judged.run(*command, "--labels", path)
    assert mixed.code == 2
    assert "uneven chances" in mixed.err


def test_answers_without_a_score_are_left_out_and_said(bench: Bench) -> None:
    cases = [
        {"id": f"c{n}", "vars": {"q": f"question {n}"}, "expected": f"question {n}" if n >= 5 else None}
        for n in range(30)
    ]
    bench.suite(cases)
    assert bench.run("run").code == 0
    done = bench.run("judge", "calibrate", "--labels", labels(bench, [f"c{n},{n % 2}" for n in range(20)]))
    assert done.code == 0, done.err
    assert "5 labelled answers without a score of the judge" in done.out
    assert "15 answers with a label and a score, of 25 scored and 30 in all" in done.out


def test_a_file_with_scores_and_labels_needs_no_job(lonely: Bench) -> None:
    rng = random.Random(3)
    rows = []
    for n in range(80):
        quality = rng.random()
        for family in ("nova", "terra"):
            score = min(5.0, max(1.0, 1 + 4 * quality + 0.9 * (family == "nova") + rng.gauss(0, 0.3)))
            label = int(quality + rng.gauss(0, 0.15) > 0.5) if n < 60 else ""
            swapped = min(5.0, max(1.0, score - 0.4 + rng.gauss(0, 0.1)))
            rows.append(f"q{n},{family},{score:.2f},{swapped:.2f},{label},nova,{family},{1 + n % 2}")
    head = "case,group,judge,other,label,judge_family,answer_family,position"
    path = labels(lonely, rows, head)
    command = ("judge", "calibrate", "--labels", path, "--judge-column", "judge", "--judge-scale", "1:5")
    done = lonely.run(*command, "--swapped-column", "other", "--json")
    assert done.code == 0, done.err
    document = done.json
    assert document["calibration"]["clusters"] == 60
    assert document["bias"]["orders"]["difference"] == pytest.approx(0.1, abs=0.03)
    assert document["bias"]["orders"]["verdict"] == "better"
    own = document["bias"]["self_preference"]
    assert own["at_same_label"]["interval"]["low"] > 0.1
    assert own["excess"]["interval"]["low"] > 0.05 and own["by_verdicts"]
    assert document["bias"]["position"]["favoured"] == 60
    assert [mean["candidate"] for mean in document["means"]] == ["nova", "terra"]
    shown = lonely.run(*command)
    assert " as given (folds " in shown.out
    assert "its own family: gap in verdicts beyond people's" in shown.out


def test_two_scores_of_one_answer_in_a_file_are_refused(lonely: Bench) -> None:
    path = labels(lonely, ["q1,0.5,1", "q1,0.7,0"], "case,judge,label")
    done = lonely.run("judge", "calibrate", "--labels", path, "--judge-column", "judge")
    assert done.code == 2
    assert "labels.csv:3: case 'q1' has another score of the judge than in line 2" in done.err


def test_metrics_of_a_job_are_judges_of_a_jury(judged: Bench) -> None:
    done = judged.run("judge", "jury", "--json")
    assert done.code == 0, done.err
    found = done.json["agreement"]
    (pair,) = found["pairs"]
    assert {pair["first"], pair["second"]} == {"exact", "rouge_l"}
    assert pair["agreement"]["method"] == "concordance_jackknife"
    assert (found["raters"], found["shared"]) == (2, CASES)
    leniency = {each["name"]: each["leniency"] for each in found["alone"]}
    assert leniency["rouge_l"] > 0.0 > leniency["exact"]
    shown = judged.run("judge", "jury", "last", "--metric", "exact", "--metric", "rouge_l")
    assert "rouge_l with the mean of the others" in shown.out
    alone = judged.run("judge", "jury", "--metric", "exact")
    assert (alone.code, "two judges or more" in alone.err) == (2, True)


def test_a_judge_that_got_stricter_has_drifted(judged: Bench, provider: Provider) -> None:
    first = judged.jobs()[0]["id"]
    judged.suite(CASES, metrics=[{"type": "exact", "name": "exact", "options": {"ignore_case": False}}])
    assert judged.run("run").code == 0
    same = judged.run("judge", "drift", first, "last", "--metric", "exact", "--json")
    assert same.code == 0, same.err
    assert same.json["drift"]["same"]["estimate"] == 1.0
    assert any("differs in its options" in note for note in same.json["notes"])
    cases = [{"id": f"c{n}", "vars": {"q": f"question {n}"}, "expected": "none"} for n in range(CASES)]
    judged.suite(cases, metrics=["exact"])
    assert judged.run("run").code == 0
    strict = judged.run("judge", "drift", first, "last", "--metric", "exact")
    assert strict.code == 0, strict.err
    assert "drifted: the judge has drifted" in strict.out
    assert "0.667 to 0.000" in strict.out
    provider.decide = lambda question: say(f"another answer to {question.text}")
    assert judged.run("run", "--no-cache").code == 0
    other = judged.run("judge", "drift", first, "last", "--metric", "exact")
    assert other.code == 2
    assert "no answer in common" in other.err


REFUSED = (
    ((), "there is nothing to hold the judge against"),
    (("--labels", "none.csv", "--metric", "exact"), "there is no such file"),
    (("--labels", "labels.csv"), "say which metric is the judge"),
    (("--labels", "labels.csv", "--metric", "extract"), "'extract' is not in the job"),
    (
        ("--labels", "labels.csv", "--metric", "exact", "--scale", "5:1"),
        "the first end must be the lower",
    ),
    (("--labels", "labels.csv", "--metric", "exact", "--scale", "five"), "'five' is no scale"),
    (("--labels", "labels.csv", "--metric", "exact", "--pass-at", "3"), "--pass-at: 3 is off the scale"),
    (("--labels", "labels.csv", "-o", "x.csv", "--metric", "exact"), "needs to know of how many"),
    (("--labels", "labels.csv", "-o", "x.pdf", "--metric", "exact"), "of no format"),
    (("--labels", "labels.csv", "--label-column", "lable", "--metric", "exact"), "did you mean 'label'"),
    (("--metric", "exact", "--next", "500"), "500 of 60 answers cannot be planned"),
    (("--metric", "exact", "--next", "9", "-o", "x.md"), "a report needs labels"),
    (("--judge-column", "judge", "--next", "9"), "a file of labels is needed"),
)


def test_what_cannot_be_done_is_said_with_a_remedy(judged: Bench) -> None:
    plain(judged)
    for arguments, message in REFUSED:
        done = judged.run("judge", "calibrate", *arguments)
        assert (done.code, message in done.err) == (2, True), (arguments, done.err)
