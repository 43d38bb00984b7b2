"""Time, tokens and money."""

import pytest

from assay.domain.models import ModelResponse, Usage

FULL = ModelResponse(
    text="x",
    latency_ms=812.5,
    ttft_ms=90.0,
    usage=Usage(input_tokens=1200, output_tokens=34),
    finish="refused",
)


@pytest.mark.parametrize(
    ("type_", "value", "reason"),
    [
        ("latency_ms", 812.5, "812.5 ms"),
        ("ttft_ms", 90, "90 ms"),
        ("cost_usd", 0.0021, "0.0021 USD"),
        ("input_tokens", 1200, "1,200 tokens"),
        ("output_tokens", 34, "34 tokens"),
        ("total_tokens", 1234, "1,234 tokens"),
    ],
)
def test_known_amounts_are_measured_however_the_answer_ended(score, type_, value, reason):
    found = score(type_, FULL, cost_usd=0.0021)
    assert (found.state, found.value, found.reason, found.passed) == ("scored", value, reason, None)


@pytest.mark.parametrize("type_", ["ttft_ms", "cost_usd", "input_tokens", "output_tokens", "total_tokens"])
def test_an_unknown_amount_is_skipped_and_never_zero(score, type_):
    found = score(type_, "x")
    assert (found.state, found.value) == ("skipped", None)


def test_half_of_the_tokens_is_no_total(score):
    assert score("total_tokens", ModelResponse(text="", usage=Usage(input_tokens=5))).state == "skipped"


def test_times_of_cached_answers_are_said_to_be_the_original_calls(score):
    found = score("latency_ms", ModelResponse(text="", latency_ms=5.0, cached=True))
    assert found.value == 5
    assert "original call" in found.reason
    assert "cache" in score("cost_usd", ModelResponse(text="", cached=True), cost_usd=0.0).reason


def test_a_threshold_is_a_maximum(score):
    assert score("latency_ms", FULL, threshold=1000).passed is True
    assert score("latency_ms", FULL, threshold=812.5).passed is True
    assert score("latency_ms", FULL, threshold=800).passed is False


@pytest.mark.parametrize("latency_ms", [float("nan"), float("inf"), -1.0])
def test_amounts_that_cannot_be_are_failed(score, latency_ms):
    assert score("latency_ms", ModelResponse(text="", latency_ms=latency_ms)).state == "failed"
