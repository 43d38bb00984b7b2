"""Parameters of judges' calls, and what providers refuse."""

import pytest

from assay.domain.errors import RequestRejected
from assay.domain.models import ModelConfig, ModelRequest
from assay.judging.defaults import REASONING_TOKENS, judge_defaults
from assay.judging.refusals import FORMAT, Refusals, refused_part, without


def config(model="gpt-4.1", provider="openai", **parameters):
    return ModelConfig(name="j", provider=provider, model=model, parameters=parameters)


def test_a_judge_is_asked_at_temperature_0_with_a_limit():
    assert judge_defaults(config()) == {"max_tokens": 1024, "temperature": 0.0}


def test_several_samples_are_drawn_at_temperature_1():
    assert judge_defaults(config(), samples=3)["temperature"] == 1.0


@pytest.mark.parametrize(
    ("parameters", "left"),
    [
        ({"temperature": 0.3}, {"max_tokens"}),
        ({"max_completion_tokens": 50}, {"temperature"}),
        ({"maxOutputTokens": 50, "temperature": 1}, set()),
        ({"generationConfig": {"temperature": 1}}, {"max_tokens"}),
    ],
)
def test_what_the_suite_sets_is_left_alone(parameters, left):
    assert set(judge_defaults(config(**parameters))) == left


@pytest.mark.parametrize("model", ["o1", "o3-mini", "o4-mini-2025-04-16", "gpt-5", "gpt-5.1", "openai/o3"])
def test_models_that_think_first_get_room_and_no_temperature(model):
    assert judge_defaults(config(model), logprobs=True) == {"max_completion_tokens": 1024 + REASONING_TOKENS}


@pytest.mark.parametrize("model", ["gpt-4o", "gpt-5-chat-latest", "omni-1", "llama-o1x", "claude-o1x"])
def test_other_models_get_a_temperature(model):
    assert "temperature" in judge_defaults(config(model))


@pytest.mark.parametrize("model", ["gemini-2.5-flash", "qwen3-8b", "deepseek-r1", "openai/gpt-oss-20b"])
def test_others_that_think_first_get_room_and_a_temperature(model):
    assert judge_defaults(config(model)) == {"max_tokens": 1024 + REASONING_TOKENS, "temperature": 0.0}


def test_where_thinking_is_configured_the_temperature_is_left_to_the_provider():
    asked = judge_defaults(config("claude-x", "anthropic", thinking={"type": "enabled"}))
    assert asked == {"max_tokens": 1024 + REASONING_TOKENS}


def test_probabilities_are_asked_for_where_providers_have_them():
    assert judge_defaults(config(provider="gemini"), logprobs=True)["top_logprobs"] == 20
    assert "logprobs" not in judge_defaults(config(provider="anthropic"), logprobs=True)
    assert "top_logprobs" not in judge_defaults(config(logprobs=True, top_logprobs=5), logprobs=True)


WHOLE = ModelRequest(
    messages=(),
    response_format={"type": "json_schema"},
    parameters={"temperature": 0, "max_tokens": 9, "logprobs": True, "top_logprobs": 20},
)


@pytest.mark.parametrize(
    ("message", "status", "part"),
    [
        ("Unsupported value: 'temperature' does not support 0", 400, "temperature"),
        ("logprobs are not enabled for this model", 400, "logprobs"),
        ("Unsupported parameter: 'max_tokens'; use 'max_completion_tokens'", 400, "max_tokens"),
        ("Invalid schema for response_format", 422, FORMAT),
        ("cannot answer in the format json_object", None, FORMAT),
        ("no reason given", 400, FORMAT),
        ("temperature", 401, None),
        ("is the key right?", 403, None),
    ],
)
def test_what_was_refused_is_read_from_the_error(message, status, part):
    assert refused_part(WHOLE, RequestRejected(message, http_status=status)) == part


def test_a_request_without_our_wishes_has_none_to_give_up():
    assert refused_part(ModelRequest(messages=()), RequestRejected("temperature", http_status=400)) is None


def test_what_a_judge_refused_is_left_out_for_it_alone():
    refusals = Refusals()
    refusals.remember("a", ["logprobs", FORMAT])
    assert refusals.strip("a", WHOLE).parameters == {"temperature": 0, "max_tokens": 9}
    assert refusals.strip("a", WHOLE).response_format is None
    assert refusals.strip("b", WHOLE) == WHOLE
    assert without(WHOLE, "temperature").parameters.keys() == {"max_tokens", "logprobs", "top_logprobs"}
