"""The providers by name, and the way from a model's configuration to a Model."""

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from assay.domain.errors import InvalidInput, MissingKey
from assay.domain.models import ModelConfig
from assay.domain.protocols import Clock, Model, Sleep
from assay.domain.references import resolve_references
from assay.models import anthropic, embeddings, gemini, http, openai
from assay.models.echo import Echo
from assay.models.replay import make_replay
from assay.models.transport import Transport


@dataclass(frozen=True, slots=True)
class Wiring:
    """What a provider is given from outside."""

    transport: Transport
    clock: Clock
    sleep: Sleep


@dataclass(frozen=True, slots=True)
class ProviderInfo:
    """A provider: its name, the variables that may hold its key (the first set one counts), its address."""

    name: str
    key_variables: tuple[str, ...]
    default_base_url: str | None
    make: Callable[[ModelConfig, str | None, Wiring], Model]


Hosting = Callable[[ModelConfig, str | None, Transport, Clock], Model]


def _hosted(name: str, base_url: str | None, variables: tuple[str, ...], hosting: Hosting) -> ProviderInfo:
    def make(config: ModelConfig, key: str | None, wiring: Wiring) -> Model:
        return hosting(config, key, wiring.transport, wiring.clock)

    return ProviderInfo(name, variables, base_url, make)


def _compatible(name: str, base_url: str, *variables: str) -> ProviderInfo:
    """A service that speaks OpenAI's protocol at an address of its own."""

    def make(config: ModelConfig, key: str | None, wiring: Wiring) -> Model:
        return openai.make(config, key, wiring.transport, wiring.clock, base_url)

    return ProviderInfo(name, variables, base_url, make)


def _echo(config: ModelConfig, _: str | None, wiring: Wiring) -> Model:
    return Echo(config, wiring.sleep)


def _replay(config: ModelConfig, _: str | None, __: Wiring) -> Model:
    return make_replay(config)


PROVIDERS: Mapping[str, ProviderInfo] = {
    info.name: info
    for info in (
        _compatible("openai", openai.DEFAULT_BASE_URL, "OPENAI_API_KEY"),
        _hosted("openai-embeddings", openai.DEFAULT_BASE_URL, ("OPENAI_API_KEY",), embeddings.make),
        _hosted("azure", None, ("AZURE_OPENAI_API_KEY",), openai.make_azure),
        _hosted("anthropic", anthropic.DEFAULT_BASE_URL, ("ANTHROPIC_API_KEY",), anthropic.make),
        _hosted("gemini", gemini.DEFAULT_BASE_URL, ("GEMINI_API_KEY", "GOOGLE_API_KEY"), gemini.make),
        _compatible("groq", "https://api.groq.com/openai/v1", "GROQ_API_KEY"),
        _compatible("openrouter", "https://openrouter.ai/api/v1", "OPENROUTER_API_KEY"),
        _compatible("mistral", "https://api.mistral.ai/v1", "MISTRAL_API_KEY"),
        _compatible("deepseek", "https://api.deepseek.com/v1", "DEEPSEEK_API_KEY"),
        _compatible("together", "https://api.together.xyz/v1", "TOGETHER_API_KEY"),
        _compatible("ollama", "http://localhost:11434/v1"),
        _compatible("vllm", "http://localhost:8000/v1"),
        _compatible("llamacpp", "http://localhost:8080/v1"),
        _hosted("http", None, (), http.make),
        ProviderInfo("replay", (), None, _replay),
        ProviderInfo("echo", (), None, _echo),
    )
}
ALIASES = {"google": "gemini"}
_WITHOUT_MODEL = ("echo", "http", "replay")
ONLY_CHECKED = "stored-credential"
"""Stands for the key of a stored credential while a configuration is checked; it is never sent."""


def get_provider(name: str) -> ProviderInfo:
    """A provider by name or alias. Raises InvalidInput with the likeliest name."""
    info = PROVIDERS.get(ALIASES.get(name, name))
    if info is None:
        names = [*PROVIDERS, *ALIASES]
        near = difflib.get_close_matches(name.lower(), names, 1)
        remedy = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(sorted(names))}."
        raise InvalidInput(f"no provider is called {name!r}", field="provider", remedy=remedy)
    return info


def parse_model_id(text: str) -> tuple[str, str]:
    """Provider and model of `openai:name` or `openai/name`; an http address is the http provider's.

    The first `:` or `/` divides, so that a model's own name may hold more of them. Raises InvalidInput.
    """
    text = text.strip()
    if text.startswith(("http://", "https://")):
        return "http", text
    cut = min((at for at in (text.find(":"), text.find("/")) if at >= 0), default=len(text))
    name, model = text[:cut], text[cut + 1 :]
    if not model and name in _WITHOUT_MODEL:
        return name, name
    if not name or not model:
        raise InvalidInput(
            f"{text!r} does not name provider and model", field="model", remedy="Write it as openai:gpt-4.1."
        )
    return get_provider(name).name, model


def make_model(
    config: ModelConfig,
    *,
    environment: Mapping[str, str],
    transport: Transport,
    clock: Clock,
    sleep: Sleep,
    credentials: Mapping[str, str] | None = None,
) -> Model:
    """The Model for a configuration.

    `credentials` are the stored keys by name; without them a model that names one is only checked.
    Raises InvalidInput for a configuration that cannot be used, MissingKey naming the variables that may
    hold the key.
    """
    info = get_provider(config.provider)
    resolved = _resolve(config, environment)
    key = find_key(config, environment, credentials)
    return info.make(resolved, key, Wiring(transport, clock, sleep))


def address_of(config: ModelConfig, environment: Mapping[str, str]) -> str:
    """Where a model is asked: what the key of a stored credential must be meant for."""
    if config.provider == "http":
        return http.url_of(_resolve(config, environment))
    return config.base_url or get_provider(config.provider).default_base_url or ""


def _resolve(config: ModelConfig, environment: Mapping[str, str]) -> ModelConfig:
    """The configuration with `${NAME}` in headers and options replaced: so made, it is never stored."""

    def missing(name: str) -> None:
        raise MissingKey(
            f"the model {config.name!r} refers to {name}, which is not set",
            remedy=f"Set the variable {name}.",
        )

    headers = resolve_references(config.headers, environment, missing)
    options = resolve_references(config.options, environment, missing)
    return replace(config, headers=headers, options=options)


def find_key(
    config: ModelConfig, environment: Mapping[str, str], credentials: Mapping[str, str] | None = None
) -> str | None:
    """The key for a model, or None if it needs none.

    A provider's usual key is sent to the provider's own address only: with another `base_url`,
    `key_variable` or `credential` has to name the key that is meant for it.
    """
    info = get_provider(config.provider)
    if config.credential is not None:
        return ONLY_CHECKED if credentials is None else credentials[config.credential]
    if config.key_variable is not None:
        variables: tuple[str, ...] = (config.key_variable,)
    elif config.base_url is None or info.default_base_url is None:
        variables = info.key_variables
    else:
        variables = ()
    if not variables:
        return None
    key = next((environment[name].strip() for name in variables if environment.get(name, "").strip()), None)
    if key is None:
        listed = " or ".join(variables)
        raise MissingKey(
            f"the model {config.name!r} needs a key: {listed} is not set",
            remedy=f"Set the environment variable {listed}.",
            variables=variables,
        )
    check_key(key, " or ".join(variables))
    return key


def check_key(key: str, field: str) -> None:
    """Refuse a key that no header can carry, without showing it."""
    if not (key.isascii() and key.isprintable()):
        raise InvalidInput("the key holds characters that no key has", field=field)
