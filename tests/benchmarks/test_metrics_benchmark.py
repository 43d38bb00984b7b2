"""The benchmark of the metrics: it passes what is right, fails what is wrong, and tells what it left out."""

import importlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from assay.domain.scores import Score

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def load(monkeypatch):
    """Modules of the benchmark by name, as its program finds them."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module


@pytest.fixture
def folder(tmp_path):
    """Writes rows as JSONL, or a value as JSON, under a name in a folder of public data."""

    def write(name, content):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        lines = content if name.endswith("l") else [content]
        path.write_text("\n".join(map(json.dumps, lines)))
        return tmp_path

    return write


def decision(label, winner, swapped, evaluator="A/Vanilla"):
    return {
        "subset": "Natural",
        "evaluator": evaluator,
        "label": label,
        "winner": winner,
        "winner_swapped": swapped,
    }


PUBLISHED = {
    "correct_False": "2 / 3 = 66.7%",
    "correct_True": "1 / 3 = 33.3%",
    "correct_average": "50.0%",
    "correct_both": "1 / 3 = 33.3%",
    "equal": "2 / 3 = 66.7%",
}


def test_published_figures_of_a_judge_are_found_and_a_changed_one_is_not(load):
    llmbar = load("metrics.llmbar")
    decisions = [decision(1, "1", "1"), decision(2, "2", "1"), decision(1, None, None)]
    cells = llmbar.judged_cells([*decisions, decision(1, "1", "1", "A/Swap_CoT")])
    assert list(cells) == [("Natural", "A/Vanilla")]
    found = cells["Natural", "A/Vanilla"]
    assert llmbar.is_published(found, PUBLISHED)
    for name, other in (
        ("equal", "1 / 3 = 33.3%"),
        ("correct_both", "2 / 3"),
        ("correct_average", "51.0%"),
    ):
        assert not llmbar.is_published(found, {**PUBLISHED, name: other})


def test_gsm8k_solutions_are_read_by_the_numeric_metric(load, folder):
    gsm8k = load("metrics.gsm8k")
    right = {"solution": "3 + 4 = <<3+4=7>>7 in all\nA: 7", "is_correct": True}
    wrong = {"solution": "3 + 4 = <<3+4=8>>8\nA: 8", "is_correct": False}
    models = dict.fromkeys(gsm8k.ACCURACIES, right) | {"6b_finetuning": wrong}
    data = folder("gsm8k/example_model_solutions.jsonl", [{"ground_truth": "3 + 4\nA: 7", **models}])
    accuracies, flags = gsm8k.run(data)
    assert accuracies.value == "0.00 / 100.00 / 100.00 / 100.00"
    assert flags.value.startswith("4 of")
    assert accuracies.ok is flags.ok is False


def test_the_correlation_of_summaries_is_by_document_and_leaves_out_constant_ones(load):
    summeval = load("metrics.summeval")
    outputs = [
        {"doc_id": document, "coherence": float(quality)}
        for document, qualities in (("up", [1, 2, 3, 4]), ("down", [4, 3, 2, 1]), ("flat", [2, 2, 2, 2]))
        for quality in qualities
    ]
    scores = [0.1, 0.2, 0.3, 0.4] * 3
    assert summeval.summary_level(scores, outputs, "coherence") == pytest.approx(0.0)
    assert summeval.summary_level(scores[:4], outputs[:4], "coherence") == pytest.approx(1.0)


def test_a_summary_has_the_mean_over_its_references(load):
    summeval = load("metrics.summeval")
    outputs = [{"doc_id": "a", "summary": "the cat sat"}]
    found = summeval.mean_scores("rouge_1", outputs, {"a": ["the cat sat", "no such words"]})
    assert found == pytest.approx([0.5])


def test_frank_takes_the_model_out_and_leaves_out_what_a_metric_left_out(load, folder):
    frank = load("metrics.frank")
    human, outputs = [], []
    for number in range(24):
        model = "good" if number % 2 else "bad"
        shift = 10.0 if model == "good" else 0.0
        key = {"hash": str(number), "model_name": model}
        human.append({**key, "Factuality": shift + number % 5})
        outputs.append({**key, **dict.fromkeys(frank.METRICS, shift + number % 3)})
    outputs[0]["QAGS"] = None
    data = folder("frank/human_annotations.json", human)
    folder("frank/baseline_factuality_metrics_outputs.json", outputs)
    (row,) = frank.run(data)
    assert row.ok is False
    assert max(abs(float(value)) for value in row.value.split(" / ")) < 0.5


def test_what_needs_absent_data_is_skipped_with_a_reason(load, tmp_path):
    catalog = load("metrics.catalog")
    checks = catalog.find_checks()
    assert {"llmbar", "summeval", "frank", "gsm8k", "local_judge"} <= checks.keys()
    for data in (load("metrics.public_data").NO_DATA, tmp_path):
        (row,) = catalog.rows_of("frank", checks["frank"], data)
        assert (row.value, row.ok) == ("skipped", None)
        assert "public data" in row.note


def test_a_failed_check_fails_the_run_and_a_skipped_one_does_not(load, capsys, tmp_path, monkeypatch):
    run_metrics = load("run_metrics")
    checks = {"mine": lambda _: [{"name": "mine", "value": 0.25, "target": ">= 0.5", "passed": False}]}
    monkeypatch.setattr(run_metrics, "find_checks", lambda: checks)
    table = tmp_path / "table.md"
    assert run_metrics.main(["--only", "mine", "--markdown", str(table)]) == 1
    assert "| mine | 0.25 | >= 0.5 | FAILED |" in capsys.readouterr().out
    assert "| mine | 0.25 | >= 0.5 | FAILED |" in table.read_text()
    checks["mine"] = lambda _: [{"name": "a|b", "value": "skipped"}]
    assert run_metrics.main(["--only", "mine"]) == 0
    assert r"a\|b" in capsys.readouterr().out


def test_figures_are_compared_at_the_digits_that_were_published(load):
    rows = load("metrics.rows")
    assert rows.equal("x", [0.1649, 0.2], [0.16, 0.20], 2).ok
    assert not rows.equal("x", [0.1651, 0.2], [0.16, 0.20], 2).ok
    assert rows.at_least("x", 0.9, 0.9).ok
    assert not rows.at_least("x", 0.8999, 0.9).ok


@pytest.mark.parametrize(
    ("found", "ok", "target"),
    [
        ({"value": 0.96, "target": 0.95}, True, ">= 0.95"),
        ({"value": 0.94, "target": 0.95}, False, ">= 0.95"),
        ({"value": None, "target": 0.95}, False, ">= 0.95"),
        ({"value": 0.94, "target": None}, None, ""),
        ({"value": 0.2, "target": "<= 0.1", "passed": False}, False, "<= 0.1"),
        ({"value": "skipped", "reason": "no model"}, None, ""),
    ],
)
def test_a_number_as_the_target_must_be_reached(load, found, ok, target):
    row = load("metrics.rows").row_of({"name": "mine", "source": "gold", **found})
    assert (row.ok, row.target) == (ok, target)
    assert row.note in ("gold", "no model")


def sample_of(load, separation, n=60):
    rng = np.random.default_rng(4)
    labels = np.repeat([0.0, 1.0], n)
    scores = 1.0 / (1.0 + np.exp(-(rng.normal(size=2 * n) + separation * labels)))
    return load("metrics.judge_scores").Judged(labels, scores)


def test_a_good_judge_passes_and_chance_fails(load):
    local = load("metrics.local_judge")
    rng = np.random.default_rng(1)
    for separation, ok in ((4.0, True), (0.0, False)):
        sample = sample_of(load, separation)
        assert local.ranking("judge", sample, True).ok is ok
        assert local.many_splits("judge", sample, rng, True).ok is ok
        unbound = local.ranking("judge", sample, False)
        assert unbound.ok is None
        assert ("reached" in unbound.note) is ok
    assert 0.4 < local.balanced(sample_of(load, 0.0), 0.5) < 0.6


def test_a_split_has_a_third_of_each_kind_and_loses_none(load):
    local, sample = load("metrics.local_judge"), sample_of(load, 1.0)
    learnt, rest = local.split(sample, np.random.default_rng(3))
    assert (learnt.labels.sum(), learnt.labels.size) == (20.0, 40)
    assert sorted([*learnt.scores, *rest.scores]) == sorted(sample.scores)


def test_the_corrected_mean_covers_with_a_judge_of_no_use(load, monkeypatch):
    local = load("metrics.local_judge")
    monkeypatch.setattr(local, "SPLITS", 100)
    sample, rng = sample_of(load, 0.0), np.random.default_rng(5)
    assert local.corrected("judge", sample, rng).ok
    assert local.corrected_anew("judge", sample, rng).ok


def test_intervals_round_another_mean_do_not_cover(load):
    local, sample = load("metrics.local_judge"), sample_of(load, 2.0)
    found = local.ppi_mean(sample.labels[::3], sample.scores[::3], sample.scores)
    others = load("metrics.judge_scores").Judged(np.ones(120), sample.scores)
    assert local.coverage("judge", "made up", sample, [found]).ok
    assert local.coverage("judge", "made up", others, [found]).ok is False


def test_every_labelled_reply_has_a_stored_score_of_todays_prompt(load):
    scores = load("metrics.judge_scores")
    items, recording = scores.read_items(), scores.read_recording(scores.REPLIES.path)
    assert [item["id"] for item in items] == list(recording.rows)
    assert recording.is_of(scores.REPLIES)
    assert {item["label"] for item in items} == {scores.FAITHFUL, scores.UNFAITHFUL}


def test_the_stored_scores_of_summaries_are_of_todays_prompt(load):
    scores, summaries = load("metrics.judge_scores"), load("metrics.judge_summaries")
    recording = scores.read_recording(summaries.RECORDED.path)
    assert summaries.stored_scores(recording).ok
    assert len(recording.values()) == summaries.ARTICLES


def test_summaries_are_drawn_half_and_half_one_an_article(load, tmp_path):
    folder = tmp_path / "summeval"
    folder.mkdir()
    articles = [f"a{number:03}" for number in range(80)]
    rows = [
        {"doc_id": article, "system": f"M{place}", "summary": "s", "consistency": grade}
        for article in articles
        for place, grade in enumerate((5.0, 5.0, 5.0, 4.0 if article < "a060" else 5.0))
    ]
    lines = {
        "docs": [{"doc_id": each, "source": f"the article {each}"} for each in articles],
        "outputs": rows,
    }
    for name, each in lines.items():
        (folder / f"{name}.jsonl").write_text("\n".join(map(json.dumps, each)), encoding="utf-8")
    found = load("metrics.judge_summaries").read_summaries(tmp_path)
    assert len({row["doc_id"] for row in found.values()}) == len(found) == 50
    assert sum(row["consistency"] < 5.0 for row in found.values()) == 25
    assert all(row["source"] == f"the article {row['doc_id']}" for row in found.values())


def test_a_judge_that_was_cut_off_goes_on(load, tmp_path):
    scores = load("metrics.judge_scores")
    recorded = replace(scores.REPLIES, path=tmp_path / "scores.jsonl")
    assert scores._kept(recorded) == {}
    failed = {"id": "wow-003", "state": "failed", "reason": "judge_unreachable"}
    rows = [recorded.made_by, {"id": "wow-001", "state": "scored", "score": 0.5}, failed]
    recorded.path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    assert scores._kept(recorded) == {"wow-001": rows[1]}
    rows[0]["prompts"]["faithfulness_verdict"] = "another"
    recorded.path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    assert scores._kept(recorded) == {}


def test_the_grounding_is_worth_something_on_the_replies_of_each_system(load):
    local, scores = load("metrics.local_judge"), load("metrics.judge_scores")
    rows = local.words_alone(scores.read_items())
    assert [row.note for row in rows] == ["96 replies", "102 replies", "104 replies", "156 replies"]
    assert all(float(row.value) > 0.8 for row in rows)


def test_scores_of_another_prompt_fail_the_check(load):
    local, scores = load("metrics.local_judge"), load("metrics.judge_scores")
    recording = scores.read_recording(scores.REPLIES.path)
    made_by = {**recording.made_by, "prompts": {"faithfulness_verdict": "0" * 64}}
    row = local.recorded(scores.Recording(made_by, recording.rows), 96)
    assert row.ok is False
    assert "--judge" in row.note


def test_the_tour_says_how_often_a_metric_came_to_a_score(load):
    tour = load("metrics.judged_tour")
    scores = [
        Score("m", "scored", 0.5, "half", calls=1),
        Score("m", "failed", None, "judge_unparseable", calls=2),
    ]
    row = tour.summary_row("m", scores, 3.2)
    assert row.value == "1 scored, 1 failed"
    assert row.note == "mean 0.50, 3 calls, 3 s; judge_unparseable"
    assert row.ok
    assert not tour.summary_row("m", [Score("m", "scored", 0.5, "")], 1.0).ok


def test_the_tour_asks_about_real_answers_with_their_document(load):
    samples = load("metrics.judged_tour").read_samples(5)
    assert len(samples) == 5
    assert all(sample.response.text and sample.baseline and sample.case.context for sample in samples)
