"""Suite files: all they can say, and what is said when they are wrong."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from assay.domain.errors import InvalidInput
from assay.domain.models import Limits, ModelConfig, Price, Timeouts
from assay.domain.prompts import Message, Prompt
from assay.domain.scores import MetricConfig
from assay.domain.suites import Suite
from assay.formats import suite_schema
from assay.formats.suite import load_suite
from assay.formats.suite_parts import split_model
from assay.formats.suite_schema import SCHEMA, schema_text

MINIMAL = """
prompts: "Answer: {{ question }}"
models: [openai:gpt-4o-mini]
cases: [{question: Why}]
"""
FULL = """\
# yaml-language-server: $schema=assay.schema.json
name: answers
description: All that a suite can say
prompts:
  - "Answer: {{ question }}"
  - id: careful
    messages:
      - {role: system, content: "Be {{ tone }}."}
      - role: user
        content: [{type: text, text: "{{ question }}"}]
    tools: [{type: function, function: {name: search}}]
    response_format: {type: json_object}
  - {id: filed, file: prompts/short.txt}
  - {file: prompts/chat.yaml}
  - {id: texty, text: "{{ question }}?"}
models:
  - openai:gpt-4o-mini
  - openrouter/meta/llama-3:free
  - id: openai:gpt-4o-mini
    label: cheap
    parameters: {temperature: 0, max_tokens: 64}
    base_url: https://${HOST}/v1
    key_variable: MY_KEY
    headers: {X-Team: "${TEAM:-law}", X-Price: "$${5}"}
    options: {deep: ["${HOST}", 3]}
    stream: true
    timeouts: {connect_s: 5, first_byte_s: 60, idle_s: 60.5, total_s: 120}
    limits: {max_concurrency: 8, requests_per_minute: 60, tokens_per_minute: 100000}
    price: {input_usd: 0.15, output_usd: 0.6, cached_input_usd: 0.075}
    fallbacks: [openai:gpt-4o-mini]
dataset: {file: cases.jsonl, name: questions, format: jsonl, fields: {expected: answer, weight: ""}}
metrics:
  - exact
  - {type: rouge_l, name: overlap, threshold: 0.5, weight: 2, options: {stemmer: true}}
  - rouge_l: {threshold: 0.5}
  - contains:
repeats: 3
seed: 7
concurrency: 20
budget_usd: 5
margin: 0.02
variables: {tone: formal, n: 3}
"""


def write(folder: Path, text: str, name: str = "suite.yaml") -> Path:
    (folder / "prompts").mkdir(exist_ok=True)
    (folder / "prompts" / "short.txt").write_text("In short: {{ question }}\n")
    (folder / "prompts" / "chat.yaml").write_text(
        "- {role: system, content: Hi}\n- {role: user, content: '{{ q }}'}\n"
    )
    (folder / "cases.jsonl").write_text('{"question": "Why?", "answer": "So."}\n')
    path = folder / name
    path.write_text(text)
    return path


def load(folder: Path, text: str, **variables: str) -> Suite:
    return load_suite(write(folder, text), environment={"HOST": "models.test"}, variables=variables)


def refused(folder: Path, text: str, name: str = "suite.yaml") -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        load_suite(write(folder, text, name), environment={})
    assert caught.value.file == str(folder / name)
    return caught.value


def test_a_suite_says_all_of_it(tmp_path: Path) -> None:
    suite = load(tmp_path, FULL, tone="plain", extra="1")
    assert (suite.name, suite.description) == ("answers", "All that a suite can say")
    assert suite.prompts == (
        Prompt(name="prompt-1", messages=(Message("user", "Answer: {{ question }}"),)),
        Prompt(
            name="careful",
            messages=(
                Message("system", "Be {{ tone }}."),
                Message("user", [{"type": "text", "text": "{{ question }}"}]),
            ),
            tools=({"type": "function", "function": {"name": "search"}},),
            response_format={"type": "json_object"},
        ),
        Prompt(name="filed", messages=(Message("user", "In short: {{ question }}"),)),
        Prompt(name="chat", messages=(Message("system", "Hi"), Message("user", "{{ q }}"))),
        Prompt(name="texty", messages=(Message("user", "{{ question }}?"),)),
    )
    assert suite.models == (
        ModelConfig(name="openai:gpt-4o-mini", provider="openai", model="gpt-4o-mini"),
        ModelConfig(name="openrouter/meta/llama-3:free", provider="openrouter", model="meta/llama-3:free"),
        ModelConfig(
            name="cheap",
            provider="openai",
            model="gpt-4o-mini",
            parameters={"temperature": 0, "max_tokens": 64},
            base_url="https://models.test/v1",
            key_variable="MY_KEY",
            headers={"X-Team": "${TEAM:-law}", "X-Price": "$${5}"},
            options={"deep": ["${HOST}", 3]},
            stream=True,
            timeouts=Timeouts(connect_s=5.0, first_byte_s=60.0, idle_s=60.5, total_s=120.0),
            limits=Limits(max_concurrency=8, requests_per_minute=60, tokens_per_minute=100000),
            price=Price(input_usd=0.15, output_usd=0.6, cached_input_usd=0.075),
            fallbacks=("openai:gpt-4o-mini",),
        ),
    )
    assert suite.metrics == (
        MetricConfig(name="exact", type="exact"),
        MetricConfig(name="overlap", type="rouge_l", threshold=0.5, weight=2.0, options={"stemmer": True}),
        MetricConfig(name="rouge_l", type="rouge_l", threshold=0.5),
        MetricConfig(name="contains", type="contains"),
    )
    assert suite.dataset.path == tmp_path / "cases.jsonl"
    assert (suite.dataset.name, suite.dataset.format) == ("questions", "jsonl")
    assert suite.dataset.fields == {"expected": "answer", "weight": ""}
    assert (suite.repeats, suite.seed, suite.concurrency) == (3, 7, 20)
    assert (suite.budget_usd, suite.margin) == (5, 0.02)
    assert suite.variables == {"tone": "plain", "n": 3, "extra": "1"}
    assert suite.path == tmp_path / "suite.yaml"


def test_lines_lead_from_fields_to_the_file(tmp_path: Path) -> None:
    lines = load(tmp_path, FULL).lines
    text = FULL.splitlines()
    for path, words in [
        ("prompts.0", "Answer"),
        ("prompts.1.messages.0.content", "role: system"),
        ("models.2.parameters", "parameters"),
        ("models.2.limits.tokens_per_minute", "limits"),
        ("metrics.2", "rouge_l: {"),
        ("budget_usd", "budget_usd"),
    ]:
        assert words in text[lines[path] - 1]


def test_json_suites_are_the_same_with_their_own_lines(tmp_path: Path) -> None:
    value = yaml.safe_load(FULL)
    path = write(tmp_path, json.dumps(value, indent="\t"), "suite.json")
    from_json = load_suite(path, environment={"HOST": "models.test"})
    from_yaml = load(tmp_path, FULL)
    assert from_json.prompts == from_yaml.prompts
    assert from_json.models == from_yaml.models
    assert '"budget_usd"' in path.read_text().splitlines()[from_json.lines["budget_usd"] - 1]
    assert "0.15" in path.read_text().splitlines()[from_json.lines["models.2.price.input_usd"] - 1]
    assert (
        refused(
            tmp_path, '{"prompts": "x",\n "models": ["a:b"],\n "cases": [{}],\n "sead": 1}', "b.json"
        ).line
        == 4
    )


def test_a_suite_needs_little(tmp_path: Path) -> None:
    suite = load(tmp_path, MINIMAL)
    assert suite.name == "suite"
    assert suite.metrics == ()
    assert suite.dataset.path is None
    assert [case.vars for case in suite.dataset.cases] == [{"question": "Why"}]
    assert suite.dataset.cases[0].line == 4
    assert load_suite(write(tmp_path, MINIMAL, "assay.yaml"), environment={}).name == tmp_path.name


def test_inline_cases_may_stand_in_the_dataset(tmp_path: Path) -> None:
    suite = load(
        tmp_path,
        "prompts: [x]\nmodels: [a:b]\ndataset:\n  name: few\n  fields: {expected: right}\n"
        "  cases:\n    - {id: one, vars: {a: 1}, right: yes}\n    - {vars: {a: 2}}\n",
    )
    assert suite.dataset.name == "few"
    assert [(case.key, case.expected, case.line) for case in suite.dataset.cases] == [
        ("one", "yes", 7),
        ("case-000002", None, 8),
    ]


def test_words_dates_and_codes_keep_their_letters(tmp_path: Path) -> None:
    suite = load(
        tmp_path,
        "prompts: [x]\nmodels: [a:b]\ncases:\n"
        "  - {a: no, b: 2027-01-02, c: 0412, d: 12:30, e: 1_000, f: on, g: 0x1F, h: ~, i: 1e3, j: true}\n",
    )
    assert suite.dataset.cases[0].vars == {
        **{"a": "no", "b": "2027-01-02", "c": "0412", "d": "12:30", "e": "1_000", "f": "on", "g": "0x1F"},
        **{"h": None, "i": 1000.0, "j": True},
    }


def test_anchors_and_merges_spare_repetition(tmp_path: Path) -> None:
    suite = load(
        tmp_path,
        "prompts: [x]\ncases: [{}]\nmodels:\n"
        "  - &one {id: a:b, stream: true, parameters: &p {temperature: 1}}\n"
        "  - {<<: *one, label: two, parameters: {<<: *p, top_p: 1}}\n",
    )
    assert suite.models[1].stream
    assert suite.models[1].parameters == {"temperature": 1, "top_p": 1}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("openai:gpt-4o", ("openai", "gpt-4o")),
        ("openai/gpt-4o", ("openai", "gpt-4o")),
        ("ollama:llama3:8b", ("ollama", "llama3:8b")),
        ("openrouter/meta/llama:free", ("openrouter", "meta/llama:free")),
        ("http:https://x.test/y", ("http", "https://x.test/y")),
    ],
)
def test_the_first_sign_parts_provider_and_model(text: str, expected: tuple[str, str]) -> None:
    assert split_model(text) == expected


BASE = 'prompts: ["{{ q }}"]\nmodels: ["a:b"]\ncases: [{q: 1}]\n'

X = "prompts: x\nmodels:\n - "
Y = "\nmodels: [a:b]\ncases: [{}]"
Z = "prompts: x\nmodels: [a:b]\n"
C = "\ncases: [{}]"


@pytest.mark.parametrize(
    ("text", "line", "field", "words"),
    [
        (BASE + "repeat: 3", 4, "repeat", "did you mean 'repeats'?"),
        (BASE + "repeats: three", 4, "repeats", "expected a whole number, found a text 'three'"),
        (BASE + "repeats: true", 4, "repeats", "expected a whole number, found true"),
        (BASE + "repeats: 1.5", 4, "repeats", "expected a whole number"),
        (BASE + "repeats: -1", 4, "repeats", "-1 is less than 1"),
        (BASE + "repeats: 100000", 4, "repeats", "more than 1000"),
        (BASE + "seed: -1", 4, "seed", "less than 0"),
        (BASE + "budget_usd: 0", 4, "budget_usd", "not greater than 0"),
        (BASE + "budget_usd: .inf", 4, "budget_usd", "not a number that can be used"),
        (BASE + "budget_usd: 1e999", 4, "budget_usd", "inf is not a number"),
        (BASE + "margin: 2", 4, "margin", "more than 1"),
        (BASE + "metrics: []", 4, "metrics", "the list is empty"),
        (BASE + "metrics: [exact, exact]", 4, "metrics.1", "'exact' is there twice"),
        (BASE + "metrics:\n - {type: a, treshold: 1}", 5, "metrics.0.treshold", "did you mean 'threshold'?"),
        (BASE + "metrics:\n - a: {treshold: 1}", 5, "metrics.0.a.treshold", "did you mean 'threshold'?"),
        (BASE + "metrics:\n - {threshold: 1}", 5, "metrics.0", "say which metric"),
        (BASE + "metrics:\n - {a: {}, b: {}}", 5, "metrics.0", "say which metric"),
        (BASE + "metrics:\n - a: 0.5", 5, "metrics.0.a", "expected nothing or a mapping"),
        (BASE + "metrics:\n - 5", 5, "metrics.0", "expected a text or a mapping, found a whole number 5"),
        (BASE + "dataset: cases.jsonl", 1, None, "dataset and cases exclude each other"),
        (BASE + "seed: 1\nseed: 2", 5, "seed", "there twice"),
        (BASE + "seed: !!python/object:os.system 1", 4, None, "tag"),
        (BASE + "variables: [1]", 4, "variables", "expected a mapping, found a list"),
        (BASE + "seed: 1\n---\nseed: 2", 5, None, "more than one document"),
        ("prompts: x\nmodels: [a:b]\n", 1, None, "one of dataset, cases is missing"),
        ("prompts: []" + Y, 1, "prompts", "the list is empty"),
        ("prompts: ['']" + Y, 1, "prompts.0", "the text is empty"),
        ("models: [a:b]" + C, 1, None, "'prompts' is missing"),
        ("prompts: x\nmodels: [gpt]" + C, 2, "models.0", "write provider:model"),
        ("prompts: x\nmodels: ['a:']" + C, 2, "models.0", "write provider:model"),
        ("prompts: x\nmodels: [a:b, a:b]" + C, 2, "models.1", "Give one of them another `label`"),
        (X + "id: a:b\n   fallbacks: [a:c]" + C, 4, "models.0.fallbacks.0", "no model"),
        (X + "id: a:b\n   fallbacks: [a:b]" + C, 4, "models.0.fallbacks.0", "a circle"),
        (
            "prompts: x\nmodels: [{id: a:b, fallbacks: [a:c]}, {id: a:c, fallbacks: [a:d]},\n"
            " {id: a:d, fallbacks: [a:b]}]" + C,
            2,
            "models.0.fallbacks.0",
            "a circle",
        ),
        (X + "id: a:b\n   base_url: ftp://x" + C, 4, "models.0.base_url", "https://"),
        (X + "id: a:b\n   base_url: ${NO}" + C, 4, "models.0.base_url", "NO is not set"),
        (X + "id: a:b\n   headers: {a: 1}" + C, 4, "models.0.headers.a", "expected a text"),
        (X + "{id: a:b, price: {input_usd: 1}}" + C, 3, "models.0.price", "output_usd"),
        (X + "{id: a:b, timeouts: {idle_s: 0}}" + C, 3, "models.0.timeouts.idle_s", "0"),
        ("prompts:\n - {id: a, text: x, file: y}" + Y, 2, "prompts.0", "exclude each other"),
        ("prompts:\n - {id: a}" + Y, 2, "prompts.0", "one of text, messages, file"),
        ("prompts:\n - {id: a, text: x}\n - {id: a, text: y}" + Y, 3, "prompts.1", "twice"),
        ("prompts:\n - messages: [{role: sytem, content: x}]" + Y, 2,
         "prompts.0.messages.0.role", "did you mean 'system'?"),
        ("prompts:\n - file: none.txt" + Y, 2, "prompts.0.file", "no such file"),
        ("prompts:\n - file: cases.jsonl" + Y, 2, "prompts.0.file", ".txt, .md"),
        (Z + "dataset: case.jsonl", 3, "dataset", "did you mean 'cases.jsonl'?"),
        (Z + "dataset: {file: cases.jsonl, format: xlsx}", 3, "dataset.format", "not possible"),
        (Z + "dataset: {file: prompts/short.txt}", 3, "dataset.file", "extension '.txt'"),
        (Z + "dataset:\n  file: cases.jsonl\n  fields: {expectd: a}", 5,
         "dataset.fields.expectd", "did you mean 'expected'?"),
        ("prompts: x\nmodels: [a:b]\ncases:\n - {id: a}\n - {id: a}", 5, "cases.1", "first in line 4"),
        ("prompts: x\nmodels: [a:b]\ncases:\n - {id: ''}", 4, "cases.0.id", "the id is empty"),
        ("prompts: x\nmodels: [a:b]\ncases:\n - {weight: heavy}", 4, "cases.0.weight", "greater than 0"),
        ("- a\n- b", 1, None, "a suite is a mapping"),
        ("a: [", 1, None, "not YAML"),
        ("a: \x01", 1, None, "not YAML"),
        ("# nothing\n", 1, None, "a suite is a mapping"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_line_and_field(
    tmp_path: Path, text: str, line: int, field: str | None, words: str
) -> None:
    problem = refused(tmp_path, text)
    assert words in str(problem)
    assert problem.field == field
    assert problem.line == line


def test_all_problems_are_told_at_once_up_to_twenty(tmp_path: Path) -> None:
    problem = refused(tmp_path, BASE + "seed: x\nrepeats: y\n" + "".join(f"k{n}: 1\n" for n in range(30)))
    shown = str(problem)
    assert (problem.line, problem.field) == (4, "seed")
    assert "31 more in this file:" in shown
    assert "  line 5: repeats: expected a whole number" in shown
    assert "  and 12 more" in shown
    assert shown.count("\n  line ") == 19


def test_prompt_files_are_checked_like_the_suite(tmp_path: Path) -> None:
    text = "prompts:\n - {file: bad.yaml}\nmodels: [a:b]\ncases: [{}]"
    (tmp_path / "bad.yaml").write_text("- role: user\n  contents: x\n")
    shown = str(refused(tmp_path, text))
    assert "bad.yaml:2" in shown
    assert "did you mean 'content'?" in shown


def test_a_small_file_cannot_become_a_large_one(tmp_path: Path) -> None:
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    assert "with aliases written out" in str(refused(tmp_path, "variables:\n  " + "\n  ".join(levels)))
    assert "stands inside" in str(refused(tmp_path, "variables: &a [*a]"))
    assert "nested deeper than 32" in str(refused(tmp_path, "variables: " + "[" * 5000))


def test_files_of_other_kinds_are_not_suites(tmp_path: Path) -> None:
    assert "a suite is one of" in str(refused(tmp_path, "x", "suite.py"))
    assert "the file is empty" in str(refused(tmp_path, " \n"))
    with pytest.raises(InvalidInput, match="no such file"):
        load_suite(tmp_path / "none.yaml", environment={})


def test_the_published_schema_is_the_loaders_table() -> None:
    path = Path(suite_schema.__file__).with_name("assay.schema.json")
    assert path.read_text() == schema_text(), f"write schema_text() into {path.name}"
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def validates(value: Any) -> bool:
    return bool(jsonschema.Draft202012Validator(SCHEMA).is_valid(value))


def test_examples_validate_against_the_published_schema() -> None:
    assert validates(yaml.safe_load(MINIMAL))
    assert validates(yaml.safe_load(FULL))


@pytest.mark.parametrize(
    "more",
    [
        "repeat: 3",
        "repeats: three",
        "repeats: 0",
        "budget_usd: 0",
        "margin: 2",
        "metrics: []",
        "metrics: [{type: a, treshold: 1}]",
        "metrics: [{a: {treshold: 1}}]",
        "metrics: [{threshold: 1}]",
        "metrics: [{a: {}, b: {}}]",
        "dataset: x.csv",
        "models: [gpt]",
        "models: [{id: 'a:b', limits: {max_concurrency: 0}}]",
        "prompts: [{id: a, text: x, file: y}]",
        "prompts: [{id: a}]",
        "prompts: [{messages: [{role: sytem, content: x}]}]",
    ],
)
def test_schema_and_loader_refuse_the_same(tmp_path: Path, more: str) -> None:
    value = {**yaml.safe_load(BASE), **yaml.safe_load(more)}
    assert not validates(value)
    refused(tmp_path, json.dumps(value), "suite.json")
