import asyncio
import time

import pytest

from assay.domain.errors import InvalidInput, MissingKey
from assay.domain.models import ModelConfig
from assay.models.catalog import PROVIDERS, find_key, get_provider, make_model, parse_model_id
from assay.models.transport import Transport


def config(provider, **fields):
    return ModelConfig(name="m", provider=provider, model=fields.pop("model", "x"), **fields)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("openai:gpt-4.1", ("openai", "gpt-4.1")),
        ("openai/gpt-4.1", ("openai", "gpt-4.1")),
        ("openrouter/meta-llama/llama-3:free", ("openrouter", "meta-llama/llama-3:free")),
        ("ollama:llama3:8b", ("ollama", "llama3:8b")),
        ("google:gemini-2.5-pro", ("gemini", "gemini-2.5-pro")),
        ("echo", ("echo", "echo")),
        ("replay:runs/outputs.jsonl", ("replay", "runs/outputs.jsonl")),
        ("https://host/ask", ("http", "https://host/ask")),
        (" anthropic:claude ", ("anthropic", "claude")),
    ],
)
def test_model_ids_name_provider_and_model(text, expected):
    assert parse_model_id(text) == expected


@pytest.mark.parametrize("text", ["", "gpt-4.1", "openai:", ":x", "openai"])
def test_ids_without_one_of_both_are_refused(text):
    with pytest.raises(InvalidInput, match="openai:gpt"):
        parse_model_id(text)


def test_an_unknown_provider_is_refused_with_the_likeliest():
    with pytest.raises(InvalidInput, match="'anthropic'"):
        parse_model_id("antropic:claude")
    with pytest.raises(InvalidInput, match=r"There are: .*anthropic.*vllm"):
        parse_model_id("zzz:x")


@pytest.mark.parametrize("info", PROVIDERS.values(), ids=lambda info: info.name)
def test_a_key_that_is_needed_and_missing_is_named(info):
    if not info.key_variables:
        assert find_key(config(info.name), {}) is None
        return
    with pytest.raises(MissingKey) as caught:
        find_key(config(info.name), {info.key_variables[0]: " "})
    assert all(variable in str(caught.value) for variable in info.key_variables)


def test_the_first_variable_that_is_set_counts():
    assert find_key(config("gemini"), {"GOOGLE_API_KEY": "b\n"}) == "b"
    assert find_key(config("gemini"), {"GOOGLE_API_KEY": "b", "GEMINI_API_KEY": "a"}) == "a"
    assert find_key(config("gemini", key_variable="MINE"), {"GEMINI_API_KEY": "a", "MINE": "c"}) == "c"


def test_the_usual_key_goes_to_the_usual_address_only():
    environment = {"OPENAI_API_KEY": "secret", "AZURE_OPENAI_API_KEY": "azure"}
    assert find_key(config("openai", base_url="https://elsewhere.example/v1"), environment) is None
    assert find_key(config("azure", base_url="https://mine.openai.azure.com"), environment) == "azure"


def test_a_key_that_could_not_be_a_header_is_refused_without_showing_it():
    with pytest.raises(InvalidInput) as caught:
        find_key(config("openai"), {"OPENAI_API_KEY": "se\ncret"})
    assert "cret" not in str(caught.value)


@pytest.mark.parametrize("name", [name for name in PROVIDERS if name not in ("replay", "http", "azure")])
async def test_every_provider_can_be_made(name):
    environment = dict.fromkeys(get_provider(name).key_variables, "key")
    async with Transport(clock=time.monotonic) as transport:
        model = make_model(
            config(name),
            environment=environment,
            transport=transport,
            clock=time.monotonic,
            sleep=asyncio.sleep,
        )
        assert model.config.provider == name
        await model.close()
        await model.close()


def test_azure_needs_an_address():
    with pytest.raises(InvalidInput, match="base_url"):
        make_model(
            config("azure"),
            environment={"AZURE_OPENAI_API_KEY": "k"},
            transport=Transport(clock=time.monotonic),
            clock=time.monotonic,
            sleep=asyncio.sleep,
        )


def test_a_reference_in_a_header_to_a_variable_that_is_not_set_is_refused():
    wanted = config("openai", base_url="http://127.0.0.1:1/v1", headers={"X-Key": "${TEAM_KEY}"})
    with pytest.raises(MissingKey, match="TEAM_KEY"):
        make_model(
            wanted,
            environment={},
            transport=Transport(clock=time.monotonic),
            clock=time.monotonic,
            sleep=asyncio.sleep,
        )
