"""Prices: integers, versions, and no price where none is known."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

import genai_prices
import pytest
from genai_prices.data_snapshot import get_snapshot
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.domain.models import ModelConfig, Price, Usage
from assay.models.prices import PriceTable, Pricing, is_loopback, suite_pricing

AT = datetime(2026, 1, 15, 12, tzinfo=UTC)
TABLE = PriceTable(AT)
ORACLE_MODELS = [
    ("openai", "gpt-4o-mini"),
    ("openai", "gpt-5"),
    ("anthropic", "claude-sonnet-4-5"),
    ("gemini", "gemini-2.5-pro"),
    ("groq", "llama-3.1-8b-instant"),
    ("mistral", "mistral-large-latest"),
    ("perplexity", "sonar-deep-research"),
]


def config(provider="openai", model="gpt-4o-mini", **more):
    return ModelConfig(name="m", provider=provider, model=model, **more)


def refuse_to_load():
    raise AssertionError("the price library was loaded without need")


def usages():
    tokens = st.integers(0, 400_000) | st.sampled_from((0, 1, 199_999, 200_000, 200_001))

    def make(parts):
        inputs, cached, written, outputs, reasoning = parts
        cached = min(cached, inputs)
        return Usage(
            input_tokens=inputs,
            cached_tokens=cached,
            cache_write_tokens=min(written, inputs - cached),
            output_tokens=outputs,
            reasoning_tokens=min(reasoning, outputs),
        )

    return st.tuples(tokens, tokens, tokens, tokens, tokens).map(make)


@given(st.sampled_from(ORACLE_MODELS), usages())
@settings(max_examples=300, deadline=None)
def test_costs_equal_those_of_the_tables_own_arithmetic(provider_model, usage):
    provider, model = provider_model
    expected = genai_prices.calc_price(
        genai_prices.Usage(
            input_tokens=usage.input_tokens,
            cache_read_tokens=usage.cached_tokens,
            cache_write_tokens=usage.cache_write_tokens,
            output_tokens=usage.output_tokens,
            output_reasoning_tokens=usage.reasoning_tokens,
        ),
        model,
        provider_id=provider,
        genai_request_timestamp=AT,
    ).total_price
    exact = int((expected * 10**9).to_integral_value(ROUND_HALF_UP))
    assert TABLE.resolve(config(provider, model)).cost_nanousd(usage) == exact


@given(st.sampled_from(ORACLE_MODELS), usages())
@settings(max_examples=200, deadline=None)
def test_no_usage_costs_more_than_the_bound(provider_model, usage):
    pricing = TABLE.resolve(config(*provider_model))
    assert pricing.cost_nanousd(usage) <= pricing.cost_max_nanousd(usage.input_tokens, usage.output_tokens)


def test_a_call_of_a_known_price():
    pricing = TABLE.resolve(config())
    assert pricing.version == f"genai-prices {genai_prices.__version__}"
    usage = Usage(input_tokens=1_000, cached_tokens=400, output_tokens=200)
    assert pricing.cost_nanousd(usage) == 600 * 150 + 400 * 75 + 200 * 600


@pytest.mark.parametrize(
    "usage",
    [
        Usage(),
        Usage(input_tokens=10),
        Usage(output_tokens=10),
        Usage(input_tokens=-1, output_tokens=1),
        Usage(input_tokens=1, output_tokens=-1),
    ],
)
def test_unknown_tokens_have_an_unknown_cost(usage):
    assert TABLE.resolve(config()).cost_nanousd(usage) is None


def test_parts_that_exceed_their_whole_are_cut_down_to_it():
    pricing = TABLE.resolve(config())
    usage = Usage(
        input_tokens=10, cached_tokens=99, cache_write_tokens=99, output_tokens=5, reasoning_tokens=99
    )
    assert pricing.cost_nanousd(usage) == 10 * 75 + 5 * 600


def test_a_model_without_output_price_bills_its_input_only():
    pricing = TABLE.resolve(config(model="text-embedding-3-small"))
    assert pricing.cost_nanousd(Usage(input_tokens=1_000)) == 20_000
    assert pricing.cost_nanousd(Usage(input_tokens=1_000, output_tokens=0)) == 20_000
    assert pricing.cost_nanousd(Usage(input_tokens=1_000, output_tokens=1)) is None


def test_a_fee_for_each_request_is_part_of_the_cost():
    pricing = TABLE.resolve(config("perplexity", "sonar"))
    fee = genai_prices.calc_price(
        genai_prices.Usage(), "sonar", provider_id="perplexity", genai_request_timestamp=AT
    ).model_price.requests_kcount
    assert pricing.cost_nanousd(Usage(input_tokens=0, output_tokens=0)) == fee * 10**6 > 0


def test_parameters_choose_tier_and_cache_lifetime():
    now = PriceTable(datetime(2026, 11, 1, tzinfo=UTC))
    usual, flex = (
        now.resolve(config(model="gpt-5", parameters=parameters))
        for parameters in ({}, {"service_tier": "flex"})
    )
    usage = Usage(input_tokens=1_000, output_tokens=1_000)
    assert flex.cost_nanousd(usage) * 2 == usual.cost_nanousd(usage)
    hour = TABLE.resolve(
        config(
            "anthropic", "claude-sonnet-4-5", parameters={"cache_control": {"type": "ephemeral", "ttl": "1h"}}
        )
    )
    assert hour.cost_nanousd(Usage(input_tokens=10, cache_write_tokens=10, output_tokens=0)) == 10 * 6_000


def test_a_price_that_depends_on_the_hour_is_the_dearest_hours():
    rates = {
        PriceTable(AT + timedelta(hours=hours)).resolve(config("deepseek", "deepseek-chat")).tiers
        for hours in range(0, 12, 3)
    }
    assert len(rates) == 1


@pytest.mark.parametrize(
    "unknown",
    [
        config(model="my-own-model"),
        config("nobody", "x"),
        config("ollama", "qwen", base_url="http://gpu-box:11434/v1"),
        config("vllm", "qwen", base_url="https://models.example.org/v1"),
        config("openai", "gpt-4o", base_url="https://gateway.example.org/v1"),
        config("http", "my-app", base_url="http://127.0.0.1:8000/ask"),
        config("python", "my_app:answer"),
    ],
    ids=lambda each: f"{each.provider}-{each.base_url}",
)
def test_what_nobody_knows_the_price_of_has_none(unknown):
    assert TABLE.resolve(unknown) is None


@pytest.mark.parametrize(
    ("base_url", "model"),
    [
        ("https://api.openai.com/v1", "gpt-4o"),
        ("https://x.openai.azure.com/openai/v1", "gpt-4o"),
        ("https://generativelanguage.googleapis.com/v1beta/openai/", "gemini-2.5-flash"),
        ("https://api.groq.com/openai/v1", "llama-3.1-8b-instant"),
    ],
)
def test_an_address_tells_the_provider(base_url, model):
    assert TABLE.resolve(config("openai", model, base_url=base_url)) is not None


@pytest.mark.parametrize(
    "local",
    [
        config("echo", "echo"),
        config("replay", "stored"),
        config("ollama", "qwen"),
        config("llamacpp", "qwen"),
        config("openai", "qwen", base_url="http://127.0.0.1:8080/v1"),
        config("openai", "qwen", base_url="http://[::1]:8080/v1"),
        config("vllm", "qwen", base_url="http://localhost:8000/v1"),
    ],
    ids=lambda each: f"{each.provider}-{each.base_url}",
)
def test_what_runs_here_costs_nothing_and_needs_no_table(local):
    pricing = PriceTable(AT, refuse_to_load).resolve(local)
    assert pricing.version == "local"
    assert pricing.cost_nanousd(Usage()) == 0
    assert pricing.cost_max_nanousd(10**6, 10**6) == 0


def test_a_suites_price_goes_before_all_and_needs_no_table():
    table = PriceTable(AT, refuse_to_load)
    price = Price(input_usd=0.1, output_usd=0.3, cached_input_usd=0.025, version="contract 7")
    for provider in ("openai", "echo", "http"):
        pricing = table.resolve(config(provider, price=price))
        usage = Usage(input_tokens=1_000, cached_tokens=100, cache_write_tokens=10, output_tokens=10)
        assert pricing.cost_nanousd(usage) == 900 * 100 + 100 * 25 + 10 * 300
        assert pricing.version == "contract 7"
    assert table.resolve(config("http", price=Price(input_usd=0, output_usd=0))).cost_nanousd(Usage()) == 0


@given(
    st.decimals("0.000000001", 1000, places=9, allow_nan=False),
    st.decimals(0, 1000, places=9, allow_nan=False),
    usages(),
)
@settings(deadline=None)
def test_costs_are_exact_and_rounded_half_up(input_usd, output_usd, usage):
    pricing = suite_pricing(Price(input_usd=float(input_usd), output_usd=float(output_usd)))
    exact = usage.input_tokens * input_usd * 1000 + usage.output_tokens * output_usd * 1000
    assert pricing.cost_nanousd(usage) == int(Decimal(exact).to_integral_value(ROUND_HALF_UP))


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("http://localhost", True),
        ("http://app.localhost:1", True),
        ("http://127.8.9.1:80/x", True),
        ("http://localhost.example.org", False),
        ("http://10.0.0.1", False),
        ("http://127.0.0.1.example.org", False),
        ("http://user@[::1]/", True),
        ("http://[bad", False),
        ("nothing", False),
    ],
)
def test_only_this_machine_is_here(url, here):
    assert is_loopback(url) is here


def test_a_table_needs_a_time_with_a_zone():
    with pytest.raises(ValueError, match="zone"):
        PriceTable(datetime(2026, 1, 1))


def test_importing_prices_does_not_load_the_table():
    code = "import sys, assay.models.prices, assay.models.limit; sys.exit('genai_prices' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_model_of_the_table_with_a_token_price_can_be_priced():
    usage = Usage(input_tokens=1_000, output_tokens=0)
    priced = 0
    for provider in get_snapshot().providers:
        for model in provider.models[:20]:
            pricing = TABLE.resolve(config(provider.id, model.id))
            if pricing is not None:
                assert isinstance(pricing, Pricing)
                assert isinstance(pricing.cost_nanousd(usage), int)
                priced += 1
    assert priced > 300
