"""A judge behind real HTTP, and a short way to have one answer judged."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "servers"))

import judge
import packs
import provider

from assay.domain.datasets import Case
from assay.domain.models import ModelConfig, ModelResponse
from assay.domain.protocols import JudgedMetric
from assay.domain.scores import MetricConfig, Sample, Score
from assay.metrics.catalog import make_any_metric
from assay.models.catalog import make_model
from assay.models.transport import Transport

CONTEXT = ("The flat has three rooms and a view. It costs 500 a week.",)
NEEDED: dict[str, dict[str, Any]] = {
    "rubric": {"rubric": "Is it kind?"},
    "g_eval": {"criteria": "Is it kind?"},
    "criteria": {"criteria": {"kind": "Is it kind?", "short": {"description": "Is it short?", "weight": 3}}},
}
"""Options without which a judged metric cannot be made."""


@pytest.fixture(scope="module")
def running() -> Iterator[provider.Provider]:
    """The server of a module's judges."""
    with provider.Provider() as server:
        yield server


@pytest.fixture
def server(running: provider.Provider) -> provider.Provider:
    """The server, well behaved, with nothing asked yet."""
    running.questions.clear()
    running.decide = judge.valid
    return running


@pytest.fixture
async def make_judge(server: provider.Provider) -> AsyncIterator[Callable[..., judge.ModelJudge]]:
    """Makes judges that ask the server by the adapter of OpenAI."""
    async with Transport(clock=time.monotonic) as transport:

        def make(name: str = "judge", **fields: Any) -> judge.ModelJudge:
            config = ModelConfig(
                name=name,
                provider="openai",
                model=fields.pop("model", name),
                base_url=server.url,
                key_variable="TEST_KEY",
                **fields,
            )
            model = make_model(
                config,
                environment={"TEST_KEY": "sk-test"},
                transport=transport,
                clock=time.monotonic,
                sleep=asyncio.sleep,
            )
            return judge.ModelJudge(model)

        yield make


@pytest.fixture(scope="session")
def needed() -> dict[str, dict[str, Any]]:
    """Options without which a judged metric cannot be made, by type."""
    return NEEDED


Judged = Callable[..., Awaitable[Score]]


@pytest.fixture
def judged(make_judge: Callable[..., judge.ModelJudge]) -> Judged:
    """judged(type, answer, jury=, expected=, documents=, vars=, baseline=, finish=, **options)."""

    async def score(type_: str, answer: str = "Three rooms, 500 a week.", **given: Any) -> Score:
        labels = given.pop("jury", ("judge",))
        sample = Sample(
            case=Case(
                key="1",
                vars=given.pop("vars", {"question": "What is the flat like?"}),
                expected=given.pop("expected", "It has three rooms and costs 500."),
                context=given.pop("documents", CONTEXT),
            ),
            response=ModelResponse(text=answer, finish=given.pop("finish", "complete")),
            baseline=given.pop("baseline", None),
        )
        threshold, fields = given.pop("threshold", None), given.pop("judge", {})
        if kind := given.pop("documents_kind", None):
            given["documents"] = kind
        options = {**NEEDED.get(type_, {}), **({"jury": labels} if len(labels) > 1 else {}), **given}
        config = MetricConfig(name="label", type=type_, options=options, threshold=threshold)
        metric = make_any_metric(config, labels)
        return await metric.judge(sample, {label: make_judge(label, **fields) for label in labels})

    return score


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """Rules of the house: one by words, two by a judge."""
    path = tmp_path / "ours.yaml"
    path.write_text(packs.HEAD + packs.BY_WORDS + packs.BY_JUDGE)
    return path


@pytest.fixture
def letters(tmp_path: Path) -> Path:
    """Clauses of letters."""
    path = tmp_path / "letters.yaml"
    path.write_text(packs.CLAUSES)
    return path


@pytest.fixture
def with_judge(make_judge) -> Callable[..., Any]:
    """with_judge(type, answer, finish=, **options): the score with the judge named by the option."""

    async def score(type_: str, answer: str, *, finish="complete", **options: Any) -> Score:
        metric = make_any_metric(
            MetricConfig(name="label", type=type_, options={**options, "judge": "judge"}), ["first", "judge"]
        )
        sample = Sample(case=Case(key="1", vars={}), response=ModelResponse(text=answer, finish=finish))
        assert isinstance(metric, JudgedMetric)
        return await metric.judge(sample, {"judge": make_judge()})

    return score


@pytest.fixture
def legal(with_judge, house) -> Callable[..., Any]:
    """The score of a text by the rules of the house and a judge."""
    return lambda text=packs.TEXT, **given: with_judge(packs.LEGAL, text, **{"packs": [str(house)], **given})


@pytest.fixture
def contract(with_judge, letters) -> Callable[..., Any]:
    """The score of a letter by our clauses and a judge."""
    return lambda text=packs.LETTER, **given: with_judge(
        packs.CONTRACT, text, **{"packs": [str(letters)], "contract": "letter", **given}
    )
