"""What is known already is not asked again, and never counted as new."""

from uuid import uuid4

import pytest
from bench import CALL_NANOUSD, Bench
from provider import Provider, refuse, repeat


def test_a_second_run_asks_nothing_costs_nothing_and_says_so(bench: Bench, provider: Provider) -> None:
    bench.suite(5)
    first = bench.run("run", "--json").json
    second = bench.run("run", "--json")
    assert provider.count == 5
    assert second.json["job"]["spent_usd"] == 0
    assert second.json["candidates"][0]["cached"] == 5
    assert second.json["metrics"] == first["metrics"]
    assert "cached" in bench.run("show").out
    assert bench.outcomes() == {"ok": 5, "cached": 5}
    assert bench.broken() == []


def test_no_cache_asks_again(bench: Bench, provider: Provider) -> None:
    bench.suite(3)
    bench.run("run")
    bench.run("run", "--no-cache")
    assert provider.count == 6
    assert [job["spent_nanousd"] for job in bench.jobs()] == [3 * CALL_NANOUSD] * 2


def test_repeats_are_independent_questions(bench: Bench, provider: Provider) -> None:
    bench.suite(2)
    bench.run("run", "--repeat", "3")
    assert set(provider.counts.values()) == {3}
    bench.run("run", "--repeat", "4")
    assert set(provider.counts.values()) == {4}


def test_the_same_question_in_one_run_is_one_call(bench: Bench, provider: Provider) -> None:
    provider.latency_s = 0.05
    bench.suite(
        [{"id": f"c{n}", "vars": {"q": "the same", "n": n}, "expected": "the same"} for n in range(4)]
    )
    done = bench.run("run", "--json")
    assert provider.count == 1
    assert done.json["candidates"][0]["cached"] == 3
    assert bench.outcomes() == {"ok": 1, "cached": 3}


def test_other_parameters_models_or_prompts_are_other_questions(bench: Bench, provider: Provider) -> None:
    bench.suite(1)
    bench.run("run")
    for changed in (
        {"models": [bench.model(parameters={"max_tokens": 10, "temperature": 0.5})]},
        {"models": [{**bench.model(), "id": "openai:other"}]},
        {"prompts": [{"id": "plain", "text": "{{ q }}!"}]},
    ):
        before = provider.count
        bench.suite(1, **changed)
        bench.run("run")
        assert provider.count == before + 1
    bench.suite(1, models=[bench.model("renamed", id="openai:m")])
    before = provider.count
    bench.run("run")
    assert provider.count == before


def test_failures_are_not_remembered(bench: Bench, provider: Provider) -> None:
    provider.decide = lambda question: refuse(400) if question.number == 0 else repeat(question)
    bench.suite(1)
    assert bench.run("run").code == 1
    assert bench.run("run").code == 0
    assert provider.count == 2


def test_another_tenant_does_not_profit(
    bench: Bench, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.suite(2)
    bench.run("run")
    monkeypatch.setenv("ASSAY_ORGANIZATION_ID", str(uuid4()))
    bench.run("run")
    assert provider.count == 4
