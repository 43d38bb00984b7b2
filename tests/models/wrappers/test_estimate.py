"""Estimates: an expectation that is near, and a bound that holds."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import Environment

from assay.domain.content import canonical_json
from assay.domain.models import ModelConfig, ModelRequest, Price
from assay.domain.prompts import Message, Prompt
from assay.models import anthropic
from assay.models.estimate import (
    DEFAULT_OUTPUT_LIMIT,
    DEFAULT_OUTPUT_TOKENS,
    Observed,
    estimate_call,
    expected_tokens,
    linear_bound,
    output_limit,
    text_tokens,
)
from assay.models.prices import Pricing, Rates, suite_pricing

PRICING = suite_pricing(Price(input_usd=1.0, output_usd=4.0, cache_write_usd=1.25))
LEASE = (
    "The tenant must pay rent in advance on the first day of each month. The landlord must lodge the bond"
    " within ten business days and give the tenant a receipt."
)
RECORD = (
    '{"price": 1250000, "bedrooms": 3, "area_m2": 187.5, "address": "14/22 Acacia Street, Carlton VIC 3053"}'
)
CODE = (
    "def mean(values):\n    if not values:\n"
    '        raise ValueError("empty")\n    return sum(values) / len(values)\n'
)
GERMAN = (
    "Der Mieter ist verpflichtet, die vereinbarte Miete spätestens am dritten Werktag eines jeden Monats"
    " zu entrichten."
)
COUNTED = {
    # text: tokens by cl100k_base and by o200k_base
    LEASE: (32, 32),
    RECORD: (42, 42),
    "0.1234 0.5678 0.9012 0.3456 0.7890": (24, 24),
    CODE: (24, 25),
    "租赁合同应当采用书面形式。承租人应当按照约定的期限支付租金，出租人应当履行租赁物的维修义务。": (57, 38),
    GERMAN: (34, 25),
    "ተከራዩ በየወሩ ኪራዩን በወቅቱ መክፈል አለበት": (71, 53),
    "🏠🔑📄💰🏡🛏️🛁🚗🌳🐕": (30, 23),
}


def config(**parameters):
    return ModelConfig(name="m", provider="openai", model="m", parameters=parameters)


def ask(*contents, **more):
    return ModelRequest(messages=tuple(Message("user", content) for content in contents), **more)


@pytest.mark.parametrize(("text", "counted"), COUNTED.items(), ids=range(len(COUNTED)))
def test_the_bound_holds_for_real_tokenizers(text, counted):
    estimate = estimate_call(config(max_tokens=10), ask(text), PRICING)
    assert estimate.input_tokens_max >= max(counted)


@pytest.mark.parametrize("text", [LEASE, CODE, GERMAN])
def test_prose_and_code_are_expected_within_a_third_of_their_count(text):
    assert text_tokens(text) == pytest.approx(COUNTED[text][0], rel=0.34)


def test_an_observed_ratio_sharpens_expectation_and_bound():
    request = ask(LEASE * 50)
    usual = estimate_call(config(), request, PRICING)
    seen = estimate_call(config(), request, PRICING, Observed(bytes_per_token=4.9, output_tokens=40.0))
    counted = 50 * COUNTED[LEASE][0]
    assert seen.input_tokens == pytest.approx(counted, rel=0.02)
    assert counted < seen.input_tokens_max < 0.4 * usual.input_tokens_max
    assert (usual.expected_output_tokens, seen.expected_output_tokens) == (DEFAULT_OUTPUT_TOKENS, 40)


@given(st.lists(st.text(), min_size=1, max_size=4), st.floats(0.1, 50.0) | st.none())
def test_a_bound_is_never_below_its_expectation(texts, ratio):
    estimate = estimate_call(config(max_tokens=50), ask(*texts), PRICING, Observed(bytes_per_token=ratio))
    assert estimate.input_tokens <= estimate.input_tokens_max
    assert estimate.expected_output_tokens <= estimate.output_tokens_max
    assert estimate.cost_nanousd <= estimate.cost_max_nanousd


@pytest.mark.parametrize(
    ("parameters", "limit"),
    [
        ({}, (DEFAULT_OUTPUT_LIMIT, True)),
        ({"max_tokens": 100}, (100, False)),
        ({"max_completion_tokens": 7, "n": 3}, (21, False)),
        ({"generationConfig": {"maxOutputTokens": 9}}, (9, False)),
        ({"options": {"num_predict": -1}}, (DEFAULT_OUTPUT_LIMIT, True)),
        ({"max_tokens": None}, (DEFAULT_OUTPUT_LIMIT, True)),
        ({"n": 4}, (4 * DEFAULT_OUTPUT_LIMIT, True)),
    ],
)
def test_the_output_limit_is_read_as_providers_name_it(parameters, limit):
    assert output_limit(config(**parameters)) == limit
    assert estimate_call(config(**parameters), ask("a"), None).output_limit_assumed is limit[1]


def test_a_limit_that_the_provider_sends_of_its_own_is_known():
    claude = ModelConfig(name="m", provider="anthropic", model="m")
    assert output_limit(claude) == (anthropic.DEFAULT_MAX_TOKENS, False)


def test_without_a_price_the_tokens_are_known_and_the_cost_is_not():
    estimate = estimate_call(config(), ask(LEASE), None)
    assert estimate.input_tokens > 0
    assert (estimate.cost_nanousd, estimate.cost_max_nanousd) == (None, None)


def test_tools_formats_and_parts_are_read_by_the_model_too():
    plain = estimate_call(config(), ask("a"), PRICING)
    tool = {"type": "function", "function": {"name": "find", "description": LEASE}}
    image = [{"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}]
    text = [{"type": "text", "text": LEASE}]
    for more in (
        ask("a", tools=(tool,)),
        ask("a", response_format={"type": "json_schema", "description": LEASE}),
        ask("a", image),
        ask("a", text),
    ):
        estimate = estimate_call(config(), more, PRICING)
        assert estimate.input_tokens >= plain.input_tokens + 30
        assert estimate.input_tokens_max >= plain.input_tokens_max + len(LEASE)


def test_a_quota_counts_input_and_expected_output():
    assert expected_tokens(config(max_tokens=10), ask(LEASE)) == pytest.approx(32 + 10, abs=16)


TEMPLATES = [
    "Say hello.",
    "{{ text }}",
    "{{ text }} and again: {{ text }}, by {{ name | upper }}",
    "{% if name %}{{ name }}: {% endif %}{{ text }}{{ text }}{{ text }}",
    "{% for letter in text %}{{ letter }}{% endfor %}",
]


@given(
    template=st.sampled_from(TEMPLATES),
    variables=st.fixed_dictionaries(
        {"text": st.text(min_size=1).map(lambda text: text * 40), "name": st.text("abc é", max_size=20)}
    ),
    ratio=st.none() | st.floats(0.5, 8.0),
    limit=st.integers(1, 5_000),
)
@settings(max_examples=200, deadline=None)
def test_the_line_is_above_the_bound_of_every_rendered_prompt(template, variables, ratio, limit):
    observed = Observed(bytes_per_token=ratio)
    prompt = Prompt(name="p", messages=(Message("system", "Be brief."), Message("user", template)))
    rendered = Environment(autoescape=False).from_string(template).render(**variables)  # noqa: S701
    request = ModelRequest(messages=(Message("system", "Be brief."), Message("user", rendered)))
    exact = estimate_call(config(max_tokens=limit), request, PRICING, observed).cost_max_nanousd
    size = len(canonical_json(variables))
    for largest in (None, size):
        line = linear_bound(
            config(max_tokens=limit), prompt, PRICING, largest_bytes=largest, observed=observed
        )
        assert line.base_nanousd + line.per_byte_nanousd * size >= exact


def test_the_line_knows_that_long_calls_cost_more_a_token():
    def rates(price, above):
        return Rates(
            input=price, output=price, cached=price, cache_write=price, reasoning=price, above_tokens=above
        )

    pricing = Pricing(version="t", tiers=(rates(10**12, -1), rates(2 * 10**12, 1_000)))
    prompt = Prompt(name="p", messages=(Message("user", "{{ text }}"),))
    short, long, any_length = (
        linear_bound(config(max_tokens=1), prompt, pricing, largest_bytes=largest)
        for largest in (500, 5_000, None)
    )
    assert (short.per_byte_nanousd, long.per_byte_nanousd) == (1_000, 2_000)
    assert any_length == long


def test_a_line_starts_with_the_templates_and_the_output():
    prompt = Prompt(name="p", messages=(Message("user", "x" * 1_000),))
    line = linear_bound(config(max_tokens=100), prompt, PRICING)
    assert line.base_nanousd == pytest.approx(1_000 * 1_250 + 100 * 4_000, rel=0.05)
    assert line.per_byte_nanousd == math.ceil(1_250)
