"""Prompts and data sets as a user keeps them: imported, labelled, compared, run, written out."""

import json
from pathlib import Path

import pytest
from bench import Bench
from provider import Provider

HOSTILE = "[red]x[/red]'; drop table t; -- 提示%s"


def keep_prompts(bench: Bench, *texts: str, name: str = "support") -> None:
    for text in texts:
        bench.write("prompt.txt", text)
        assert bench.run("prompts", "import", "prompt.txt", "--name", name).code == 0


def keep_cases(bench: Bench, count: int, *more: str, name: str = "questions", answer: str = "") -> None:
    rows = [
        {
            "id": f"c{n}",
            "vars": {"q": f"question {n}"},
            "expected": answer or f"question {n}",
            "cluster": f"k{n // 3}",
        }
        for n in range(count)
    ]
    bench.write("kept.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    done = bench.run("datasets", "import", "kept.jsonl", "--name", name, *more)
    assert done.code == 0, done.err


def asked(provider: Provider) -> list[str]:
    return sorted(question.text for question in provider.questions)


def test_a_prompt_is_kept_shown_labelled_and_compared(bench: Bench) -> None:
    messages = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "{{ q }}"}]
    bench.write("p.json", json.dumps({"id": "support", "messages": messages}))
    about = ("--note", "first", "--label", "production", "--tag", "live")
    done = bench.run("prompts", "import", "p.json", *about, "--json")
    assert (done.json["version"], done.json["is_new"], done.json["labels"]) == (1, True, ["production"])
    messages[0]["content"] = "Be {{ tone }}."
    tools = [{"type": "function", "function": {"name": "f"}}]
    bench.write("p.json", json.dumps({"id": "support", "messages": messages, "tools": tools}))
    assert bench.run("prompts", "import", "p.json", "--json").json["version"] == 2
    assert bench.run("prompts", "import", "p.json", "--json").json["is_new"] is False
    (head,) = bench.run("prompts", "list", "--json").json
    assert (head["name"], head["latest"], head["labels"]) == ("support", 2, {"production": 1})
    assert [each["name"] for each in bench.run("prompts", "list", "--tag", "live", "--json").json] == [
        "support"
    ]
    shown = bench.run("prompts", "show", "support@production", "--json").json
    assert (shown["version"], shown["note"], shown["messages"][0]["content"]) == (1, "first", "Be kind.")
    diff = bench.run("prompts", "diff", "support", "production", "2").out
    for line in ("-Be kind.", "+Be {{ tone }}.", "variables + tone", '+      "name": "f"'):
        assert line in diff.splitlines()
    assert "[user]" not in diff, "a message that is the same is not shown"
    assert bench.run("prompts", "diff", "support", "1", "1").out == ""


def test_a_label_moves_only_from_where_it_is_expected(bench: Bench) -> None:
    keep_prompts(bench, "one", "two", "three")
    assert bench.run("prompts", "label", "support", "1", "production", "--expect", "none").code == 0
    done = bench.run("prompts", "label", "support", "3", "production", "--expect", "1")
    assert (done.code, "1 -> 3" in done.err) == (0, True)
    done = bench.run("prompts", "label", "support", "2", "production", "--expect", "1")
    assert (done.code, "is on version 3" in done.err) == (1, True)
    assert bench.run("prompts", "label", "support", "production", "staging").code == 0
    assert bench.run("prompts", "unlabel", "support", "production").code == 0
    log = bench.run("prompts", "log", "support", "--json").json
    assert [each["version"] for each in log["versions"]] == [3, 2, 1]
    moves = [(each["label"], each["from_version"], each["to_version"]) for each in reversed(log["moves"])]
    assert moves == [
        ("production", None, 1),
        ("production", 1, 3),
        ("staging", None, 3),
        ("production", 3, None),
    ]
    assert "3 -> gone" in bench.run("prompts", "log", "support").out


def test_a_protected_label_is_shown_as_such(bench: Bench) -> None:
    keep_prompts(bench, "one")
    assert bench.run("prompts", "label", "support", "1", "production", "--protect").code == 0
    (label,) = bench.run("prompts", "log", "support", "--json").json["labels"]
    assert label["minimum_role"] == "manager"
    assert "protected: production (manager)" in bench.run("prompts", "log", "support").out
    assert bench.run("prompts", "label", "support", "1", "production", "--unprotect").code == 0
    assert "protected" not in bench.run("prompts", "log", "support").out
    keep_cases(bench, 2)
    assert bench.run("datasets", "label", "questions", "1", "golden", "--protect").code == 0
    assert "golden (manager)" in bench.run("datasets", "show", "questions").out
    assert bench.run("datasets", "unlabel", "questions", "golden", "--expect", "2").code == 1
    assert bench.run("datasets", "unlabel", "questions", "golden", "--expect", "1").code == 0


def test_a_suite_runs_a_stored_prompt_and_a_split_of_a_stored_data_set(
    bench: Bench, provider: Provider
) -> None:
    keep_prompts(bench, "first {{ q }}", "second {{ q }}")
    bench.run("prompts", "label", "support", "1", "production")
    keep_cases(bench, 30, "--split", "train=0.5,test=0.5", "--label", "golden")
    keep_cases(bench, 3, "--split", "train=0.5,test=0.5")
    prompts = [{"stored": "support@production"}, {"stored": "support:2", "id": "next"}]
    bench.suite(1, prompts=prompts, dataset={"stored": "questions@golden", "split": "test"})
    shown = bench.run("datasets", "show", "questions@golden", "-n", "100", "--json").json
    held_out = [case["vars"]["q"] for case in shown["cases"] if case["split"] == "test"]
    assert 0 < len(held_out) < 30
    estimate = bench.run("estimate", "--json").json
    assert (estimate["cases"], estimate["calls"]) == (len(held_out), 2 * len(held_out))
    done = bench.run("run", "--json")
    assert done.code == 0, done.err
    assert asked(provider) == sorted(f"{word} {q}" for word in ("first", "second") for q in held_out)
    receipt = done.json["job"]["receipt"]
    assert receipt["stored_prompts"] == {"support@production": "support:1", "next": "support:2"}
    assert (receipt["dataset"], receipt["split"]) == ("questions:1", "test")
    assert bench.value("select count(*) from assay.prompt_versions where organization_id = %(org)s") == 2
    assert bench.value("select count(*) from assay.dataset_versions where organization_id = %(org)s") == 2
    used = "select count(distinct prompt_version_id) from assay.job_prompts where organization_id = %(org)s"
    assert bench.value(used) == 2
    assert bench.broken() == []


def test_a_label_that_moves_changes_nothing_of_a_job(bench: Bench, provider: Provider) -> None:
    keep_prompts(bench, "first {{ q }}", "second {{ q }}")
    bench.run("prompts", "label", "support", "1", "production")
    bench.suite(2, prompts=[{"stored": "support@production"}])
    assert bench.run("run", "--budget", "0.00001").code == 1
    assert provider.questions == []
    bench.run("prompts", "label", "support", "2", "production")
    assert bench.run("resume", "--budget", "1").code == 0
    assert asked(provider) == ["first question 0", "first question 1"]


def test_a_suite_says_where_it_names_what_is_not_there(bench: Bench) -> None:
    keep_prompts(bench, "{{ q }}")
    keep_cases(bench, 2)
    for change, words in (
        ({"prompts": [{"stored": "suport"}]}, "there is no prompt 'suport'"),
        ({"prompts": [{"stored": "support@production"}]}, "versions 1 to 1"),
        ({"dataset": {"stored": "questions:4"}}, "there is no 'questions:4'"),
        ({"dataset": {"stored": "questions", "split": "holdout"}}, "no case is left of 2"),
        ({"prompts": ["{{ nothing }}"], "dataset": {"stored": "questions"}}, "data set questions:1"),
    ):
        bench.suite(1, **change)
        for command in (("run",), ("run", "--dry-run"), ("estimate",)):
            done = bench.run(*command)
            assert (done.code, words in done.err) == (2, True), done.err
    assert bench.jobs() == []
    bench.suite(1, prompts=["{{ q }}", {"stored": "support:9", "id": "kept"}])
    (line,) = [
        number
        for number, text in enumerate((bench.folder / "assay.yaml").read_text().split("\n"), 1)
        if "support:9" in text
    ]
    assert f"assay.yaml:{line}: prompts.1.stored" in bench.run("run", "--filter-prompts", "kept").err


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"prompts": [{"stored": "a", "tools": [{}]}]}, "a stored prompt has its own tools"),
        ({"prompts": [{"stored": "a", "text": "b"}]}, "exclude each other"),
        ({"dataset": {"stored": "a", "name": "b"}}, "a stored data set has its own name"),
        ({"dataset": {"stored": "a", "split": "dev"}}, "'dev' is not possible"),
    ],
)
def test_a_suite_that_mixes_the_store_and_its_own_is_refused(
    bench: Bench, more: dict[str, object], words: str
) -> None:
    bench.suite(1, **more)
    done = bench.run("run")
    assert (done.code, words in done.err) == (2, True), done.err


def test_a_split_of_a_file_takes_part_alone(bench: Bench, provider: Provider) -> None:
    rows = "".join(
        json.dumps({"q": f"question {n}", "fold": "test" if n % 2 else "train"}) + "\n" for n in range(6)
    )
    bench.suite(
        1,
        dataset={"file": "folds.jsonl", "fields": {"split": "fold"}, "split": "test"},
        metrics=[{"type": "length"}],
    )
    bench.write("folds.jsonl", rows)
    assert bench.run("run").code == 0
    assert asked(provider) == ["question 1", "question 3", "question 5"]


def test_an_export_is_the_version_that_it_was(bench: Bench) -> None:
    keep_cases(bench, 50, "--split", "train=0.7,test=0.3", "--note", "whole")
    for name in ("out.jsonl", "out.json"):
        assert bench.run("datasets", "export", "questions:1", "-o", name).code == 0
        again = bench.run(
            "datasets", "import", name, "--name", "questions", "--split", "split", "--json"
        ).json
        assert (again["version"], again["is_new"], again["cases_added"]) == (1, False, 0)
    assert bench.run("datasets", "export", "questions", "-o", "out.xlsx").code == 2


def test_a_bad_row_is_named_and_the_store_stays_as_it_was(bench: Bench) -> None:
    keep_cases(bench, 3, "--label", "golden")
    before = bench.run("datasets", "list", "--json").json
    good = "".join(
        json.dumps({"id": f"c{n}", "vars": {"q": "x"}, "fold": "test"}) + "\n" for n in range(2500)
    )
    for bad, line, field, words in (
        ('{"id": "bad", "vars": {"q": 1}, "weight": "heavy"}', 2501, "weight", "must be a number"),
        ('{"id": "c7", "vars": {}}', 2501, "id", "'c7' comes more than once (first in line 8)"),
        ('{"id": "bad", "vars": ', 2501, "", "JSON"),
        ('{"id": "bad", "vars": {}, "fold": "dev"}', 2501, "fold", "'dev' is no split"),
    ):
        bench.write("bad.jsonl", good + bad)
        done = bench.run(
            "datasets", "import", "bad.jsonl", "--name", "questions", "--split", "fold", "--label", "golden"
        )
        assert done.code == 2
        assert f"bad.jsonl:{line}" in done.err
        assert field in done.err and words in done.err, done.err
        assert "\n  " in done.err, "there is a remedy"
    assert bench.run("datasets", "list", "--json").json == before
    assert bench.value("select count(*) from assay.test_cases where organization_id = %(org)s") == 3


def test_a_bad_prompt_is_refused_before_it_is_kept(bench: Bench) -> None:
    bench.write("bad.yaml", "id: support\ntext: |\n  Hello\n  {% if %}\n")
    done = bench.run("prompts", "import", "bad.yaml")
    assert (done.code, "bad.yaml" in done.err) == (2, True)
    keep_prompts(bench, "{{ q }}")
    bench.write("ok.txt", "other")
    assert bench.run("prompts", "import", "ok.txt", "--name", "support", "--label", "Bad Label").code == 2
    assert bench.run("prompts", "list", "--json").json[0]["latest"] == 1


def test_what_differs_between_two_data_sets_is_shown(bench: Bench) -> None:
    keep_cases(bench, 5)
    keep_cases(bench, 6, answer="same")
    done = bench.run("datasets", "diff", "questions", "1", "2", "-n", "1")
    assert done.out.splitlines()[0] == "1 added, 5 changed"
    assert 'expected: "question 0" -> "same"' in done.out
    assert bench.run("datasets", "diff", "questions", "2", "latest").out == ""


def test_tags_find_data_sets(bench: Bench) -> None:
    keep_cases(bench, 2, "--tag", "maths", "--description", "sums")
    keep_cases(bench, 3, name="other")
    assert [each["name"] for each in bench.run("datasets", "list", "--tag", "maths", "--json").json] == [
        "questions"
    ]
    assert bench.run("datasets", "tag", "questions", "easy", "--remove", "maths").code == 0
    (_, second) = bench.run("datasets", "list", "--json").json
    assert (second["name"], second["tags"], second["description"]) == ("questions", ["easy"], "sums")
    assert bench.run("datasets", "tag", "nothing", "x").code == 2


def test_a_hostile_name_is_shown_as_it_is_and_runs(bench: Bench, provider: Provider, tmp_path: Path) -> None:
    keep_prompts(bench, "{{ q }}", name=HOSTILE)
    keep_cases(bench, 2, name=HOSTILE)
    for command in (("prompts", "list"), ("datasets", "list"), ("prompts", "show", HOSTILE)):
        assert HOSTILE in bench.run(*command).out
    bench.suite(1, prompts=[{"stored": HOSTILE}], dataset={"stored": f"{HOSTILE}:1"})
    assert bench.run("run", "-o", "report.html").code == 0
    assert "<red>" not in (tmp_path / "report.html").read_text()
    assert len(provider.questions) == 2


def test_a_note_with_escape_sequences_does_not_reach_the_terminal(bench: Bench) -> None:
    bench.write("p.txt", "x")
    assert bench.run("prompts", "import", "p.txt", "--note", "\x1b[2Jgone").code == 0
    for command in (("prompts", "show", "p"), ("prompts", "log", "p")):
        assert "\x1b" not in bench.run(*command).out
