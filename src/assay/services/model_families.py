"""Which family of models an answer comes from: who made it, as far as its name tells."""

from assay.domain.models import ModelConfig

_PREFIXES = {
    "gpt": "openai",
    "chatgpt": "openai",
    "o1": "openai",
    "o3": "openai",
    "o4": "openai",
    "claude": "anthropic",
    "gemini": "google",
    "gemma": "google",
    "llama": "meta",
    "mistral": "mistral",
    "mixtral": "mistral",
    "ministral": "mistral",
    "magistral": "mistral",
    "qwen": "qwen",
    "qwq": "qwen",
    "deepseek": "deepseek",
    "command": "cohere",
    "phi": "microsoft",
    "grok": "xai",
}


def family_of(model: ModelConfig) -> str | None:
    """The family by the beginning of the model's id, after a path (`org/name`); None for an unknown one."""
    name = model.model.lower().rpartition("/")[2]
    word = next(
        (prefix for prefix in sorted(_PREFIXES, key=len, reverse=True) if name.startswith(prefix)), None
    )
    return None if word is None else _PREFIXES[word]
