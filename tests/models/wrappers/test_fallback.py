"""Fallbacks: who is asked next, and what is said when nobody can answer."""

import pytest

from assay.domain.errors import (
    AccountStopped,
    InvalidResponse,
    ModelTimeout,
    ModelUnavailable,
    RateLimited,
    RequestRejected,
)
from assay.domain.models import ModelConfig, ModelRequest, ModelResponse
from assay.domain.prompts import Message
from assay.models.fallback import Fallback

REQUEST = ModelRequest(messages=(Message("user", "hello"),))


def models(scripted, turns, **outcomes):
    return [
        scripted(turns(outcome), ModelConfig(name=name, provider="test", model=name))
        for name, outcome in outcomes.items()
    ]


@pytest.mark.parametrize(
    "error",
    [
        AccountStopped("no credit"),
        ModelUnavailable("down"),
        ModelTimeout("idle"),
        RateLimited("slow"),
        RequestRejected("no such model", http_status=404),
    ],
)
async def test_the_next_model_answers_under_its_own_label(scripted, turns, ledger, error):
    asked, spare = models(scripted, turns, asked=error, spare=ModelResponse(text="b"))
    error.details = {"latency_ms": 12.0}
    answer = await Fallback([asked, spare], ledger).generate(REQUEST)
    assert answer == ModelResponse(text="b", answered_by="spare")
    assert ledger.attempts == [(REQUEST, error, 12.0)]


async def test_the_model_that_was_asked_answers_without_a_label(scripted, turns, ledger):
    asked, spare = models(scripted, turns, asked=ModelResponse(text="a"), spare=ModelResponse(text="b"))
    fallback = Fallback([asked, spare], ledger)
    assert await fallback.generate(REQUEST) == ModelResponse(text="a")
    assert (fallback.config.name, spare.requests, ledger.attempts) == ("asked", [], [])


@pytest.mark.parametrize("error", [RequestRejected("bad", http_status=400), InvalidResponse("not JSON")])
async def test_a_refused_question_goes_to_nobody_else(scripted, turns, ledger, error):
    asked, spare = models(scripted, turns, asked=error, spare=ModelResponse(text="b"))
    with pytest.raises(type(error)):
        await Fallback([asked, spare], ledger).generate(REQUEST)
    assert spare.requests == []


async def test_when_all_fail_the_first_error_tells_of_the_others(scripted, turns, ledger):
    first = RateLimited("slow", retry_after_s=90.0)
    fallback = Fallback(
        models(
            scripted,
            turns,
            asked=first,
            wrong_key=RequestRejected("no", http_status=401),
            spare=ModelTimeout("idle"),
        ),
        ledger,
    )
    with pytest.raises(RateLimited) as caught:
        await fallback.generate(REQUEST)
    assert caught.value is first
    assert caught.value.__notes__ == [
        "fallback wrong_key: request_rejected: no",
        "fallback spare: model_timeout: idle",
    ]
    assert len(ledger.attempts) == 2


async def test_closing_closes_every_model(scripted, turns, ledger):
    both = models(scripted, turns, asked=ModelResponse(text="a"), spare=ModelResponse(text="b"))
    await Fallback(both, ledger).close()
    assert [model.closed for model in both] == [True, True]


def test_a_fallback_of_nothing_is_refused(ledger):
    with pytest.raises(ValueError, match="at least one"):
        Fallback([], ledger)
