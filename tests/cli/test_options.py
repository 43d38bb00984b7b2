"""What narrows, sets and repeats; and what needs neither provider nor database."""

import json
from pathlib import Path

import pytest
from bench import KEY, Bench
from provider import Provider

CASES = [
    {
        "id": f"c{n}",
        "vars": {"q": f"question {n}"},
        "expected": f"question {n}",
        "tags": ["even"] if n % 2 == 0 else ["odd"],
        "metadata": {"region": "north" if n < 3 else "south"},
    }
    for n in range(6)
]


@pytest.mark.parametrize(
    ("options", "numbers"),
    [
        (("--limit", "2"), [0, 1]),
        (("--filter-pattern", "c[45]"), [4, 5]),
        (("--filter-tag", "odd"), [1, 3, 5]),
        (("--filter-tag", "odd", "--filter-tag", "even"), None),
        (("--filter-metadata", "region=south"), [3, 4, 5]),
        (("--filter-range", "1:3"), [1, 2]),
        (("--filter-range", "4:"), [4, 5]),
        (("--filter-range", ":1"), [0]),
        (("--filter-tag", "even", "--limit", "2"), [0, 2]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_filters_choose_the_cases(
    bench: Bench, provider: Provider, options: tuple[str, ...], numbers: list[int] | None
) -> None:
    bench.suite(CASES)
    done = bench.run("run", *options)
    if numbers is None:
        assert done.code == 2
        assert "Loosen the filters" in done.err
        return
    assert done.code == 0
    assert sorted(provider.counts) == [f"question {n}" for n in numbers]
    assert bench.jobs()[0]["planned"] == len(numbers)
    assert f"{len(numbers)} cell" in done.out


def test_a_sample_is_drawn_by_its_seed(bench: Bench) -> None:
    bench.suite(CASES)

    def drawn(seed: int) -> list[str]:
        bench.run("run", "--filter-sample", "3", "--seed", str(seed), "-o", "r.jsonl")
        lines = (bench.folder / "r.jsonl").read_text().splitlines()
        return [json.loads(line)["case"] for line in lines]

    draws = [drawn(seed) for seed in (1, 1, 2, 3, 4)]
    assert draws[0] == draws[1]
    assert all(len(draw) == 3 for draw in draws)
    assert len({tuple(draw) for draw in draws}) > 1


def test_filters_choose_prompts_and_models(bench: Bench, provider: Provider) -> None:
    bench.suite(
        2,
        prompts=[{"id": "short", "text": "{{ q }}"}, {"id": "long", "text": "Please: {{ q }}"}],
        models=[bench.model("one"), bench.model("two")],
    )
    assert bench.run("run", "--filter-prompts", "^long$", "--filter-models", "two").code == 0
    assert sorted(provider.counts) == ["Please: question 0", "Please: question 1"]
    assert {question.body["model"] for question in provider.questions} == {"two"}


def test_all_cases_are_stored_whatever_the_filter(bench: Bench, provider: Provider) -> None:
    bench.suite(CASES)
    bench.run("run", "--limit", "1")
    bench.run("run")
    assert bench.value("select count(*) from assay.dataset_versions where organization_id = %(org)s") == 1
    assert provider.count == 6


def test_variables_of_the_command_line_win(bench: Bench, provider: Provider) -> None:
    bench.suite(
        [{"id": "a", "vars": {"q": "x"}}],
        prompts=["{{ tone }} {{ place }}: {{ q }}"],
        variables={"tone": "dry", "place": "here"},
        metrics=None,
    )
    assert bench.run("run", "--var", "tone=warm", "--var", "place=a=b").code == 0
    assert list(provider.counts) == ["warm a=b: x"]


def test_variables_are_read_from_env_files_and_the_process_wins(
    bench: Bench, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.suite(1)
    monkeypatch.delenv("TEST_KEY")
    bench.write(".env", "# keys\nexport TEST_KEY='from-dot-env'\n")
    bench.run("run")
    bench.write("more.env", 'TEST_KEY="from-more-env"\n')
    bench.run("run", "--no-cache", "--env-file", "more.env")
    monkeypatch.setenv("TEST_KEY", KEY)
    bench.run("run", "--no-cache", "--env-file", "more.env")
    sent = [question.headers["authorization"] for question in provider.questions]
    assert sent == ["Bearer from-dot-env", "Bearer from-more-env", f"Bearer {KEY}"]


def test_options_are_mirrored_as_variables(
    bench: Bench, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.suite(4)
    monkeypatch.setenv("ASSAY_RUN_LIMIT", "2")
    monkeypatch.setenv("ASSAY_RUN_REPEAT", "3")
    monkeypatch.setenv("ASSAY_RUN_CONCURRENCY", "2")
    provider.latency_s = 0.02
    assert bench.run("run").code == 0
    assert provider.count == 6
    assert provider.peak <= 2
    monkeypatch.setenv("ASSAY_RUN_LIMIT", "many")
    assert bench.run("run").code == 2


def test_concurrency_is_what_was_asked_for(bench: Bench, provider: Provider) -> None:
    provider.latency_s = 0.05
    bench.suite(24, models=[bench.model("a"), bench.model("b")])
    assert bench.run("run", "-j", "5").code == 0
    assert provider.peak == 5


@pytest.mark.parametrize("arguments", [("run", "--dry-run"), ("estimate",)])
def test_an_estimate_needs_neither_provider_nor_database(
    bench: Bench,
    provider: Provider,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    arguments: tuple[str, ...],
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:9/none")
    monkeypatch.setenv("ASSAY_DATA_DIR", str(tmp_path / "untouched"))
    bench.suite(10, repeats=2)
    done = bench.run(*arguments, "--limit", "3", "--json")
    assert done.code == 0, done.err
    assert (done.json["cases"], done.json["calls"]) == (3, 6)
    (candidate,) = done.json["candidates"]
    assert 0 < candidate["cost_usd"] <= candidate["cost_max_usd"]
    assert candidate["output_tokens_max"] == 60
    assert "question" not in bench.run(*arguments).err
    assert provider.count == 0
    assert not (tmp_path / "untouched").exists()


def test_an_estimate_is_an_upper_bound_of_the_cost(bench: Bench) -> None:
    bench.suite(5)
    promised = bench.run("estimate", "--json").json["candidates"][0]["cost_max_usd"]
    assert bench.run("run", "--json").json["job"]["spent_usd"] <= promised


def test_a_dry_run_finds_what_a_run_would_refuse(bench: Bench) -> None:
    bench.suite([{"id": "a", "vars": {"other": "x"}}])
    done = bench.run("run", "--dry-run")
    assert done.code == 2
    assert "vars.q" in done.err


def test_a_suite_is_found_in_a_folder_or_by_its_name(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bench.suite(1)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    for arguments in (("run", ".."), ("run", "../assay.yaml"), ("run", "-c", "../assay.yaml")):
        assert bench.run(*arguments).code == 0
    assert bench.run("run").code == 2


def test_a_new_user_gets_to_a_first_result(bench: Bench) -> None:
    assert bench.run("init", "first").code == 0
    done = bench.run("run", "first")
    assert done.code == 0
    assert "exact" in done.out
    again = bench.run("init", "first")
    assert again.code == 2
    assert "--force" in again.err
    assert bench.run("init", "first", "--force").code == 0
