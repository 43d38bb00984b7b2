"""The demo's suite and the recorded answers fit the cases, and teach something."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from jinja2 import StrictUndefined
from jinja2.sandbox import SandboxedEnvironment

from assay import demo

FOLDER = Path(demo.__file__).parent


def read_lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (FOLDER / name).read_text().splitlines()]


SUITE: dict[str, Any] = yaml.safe_load((FOLDER / "assay.yaml").read_text())
CASES = {case["id"]: case for case in read_lines("cases.jsonl")}
RECORDINGS = read_lines("recordings.jsonl")


def exact(prompt: str) -> dict[str, bool]:
    return {
        line["case"]: line["output"].strip() == CASES[line["case"]]["expected"]
        for line in RECORDINGS
        if line["prompt"] == prompt
    }


@pytest.mark.parametrize("prompt", SUITE["prompts"], ids=lambda prompt: prompt["id"])
def test_a_prompt_renders_for_every_case_with_the_case_last(prompt: dict[str, Any]) -> None:
    environment = SandboxedEnvironment(undefined=StrictUndefined)
    templates = [environment.from_string(message["content"]) for message in prompt["messages"]]
    for case in CASES.values():
        texts = [template.render(case["vars"]) for template in templates]
        assert case["vars"]["document"] in texts[-1]
        assert texts[-1].endswith(case["vars"]["question"])


def test_the_examples_of_the_prompts_are_none_of_the_cases() -> None:
    documents = " ".join(case["vars"]["document"] for case in CASES.values())
    examples = {m["content"] for p in SUITE["prompts"] for m in p["messages"] if "{{" not in m["content"]}
    assert not [text for text in examples if text.startswith("Document:") and text in documents]


def test_the_suite_names_the_two_prompts_the_model_and_the_cases() -> None:
    assert [prompt["id"] for prompt in SUITE["prompts"]] == ["plain", "extract"]
    assert SUITE["dataset"] == {"file": "cases.jsonl"}
    assert SUITE["models"][0]["parameters"] == {"temperature": 0, "max_tokens": 24}


def test_every_cell_of_the_grid_was_recorded_once() -> None:
    cells = Counter((line["prompt"], line["case"]) for line in RECORDINGS)
    assert set(cells) == {(prompt["id"], case) for prompt in SUITE["prompts"] for case in CASES}
    assert set(cells.values()) == {1}


def test_a_recording_has_all_that_a_call_gives() -> None:
    for line in RECORDINGS:
        assert line["output"].strip()
        assert line["input_tokens"] > 0
        assert 0 < line["output_tokens"] <= 24
        assert line["latency_ms"] > 0
        assert line["finish_reason"] in {"stop", "length"}
        assert SUITE["models"][0]["id"] == f"llamacpp:{line['model']}"


def test_the_prompts_differ_and_neither_is_hopeless_or_perfect() -> None:
    plain, extract = exact("plain"), exact("extract")
    assert 0.1 < sum(plain.values()) / len(plain) < 0.6
    assert 0.5 < sum(extract.values()) / len(extract) < 0.95
    better = sum(extract[case] and not plain[case] for case in CASES)
    worse = sum(plain[case] and not extract[case] for case in CASES)
    assert better > 2 * worse > 0
