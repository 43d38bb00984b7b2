"""The parameters of a judge's calls that its configuration does not set."""

import re
from collections.abc import Mapping
from typing import Any

from assay.domain.models import ModelConfig

SAMPLING_TEMPERATURE = 1.0
"""Several samples at temperature 0 would be one; 1 is G-Eval's."""
TOP_LOGPROBS = 20
REASONING_TOKENS = 16_000
"""What models that think before they answer are given beside the answer's own tokens."""
_OPENAI_REASONS = re.compile(r"(?:^|/)(?:o[1-9](?:-|$)|gpt-[5-9](?!.*chat))")
_THINKS = re.compile(
    r"gemini-(?:2\.5|[3-9])|deepseek-r|reason|thinking|qwq|qwen3|magistral|gpt-oss|glm-(?:4\.[5-9]|[5-9])"
    r"|grok-(?:[4-9]|3-mini)|minimax-m"
)
_OWN_LIMITS = {"max_tokens", "max_completion_tokens", "max_output_tokens", "maxOutputTokens"}
_NO_LOGPROBS = {"anthropic", "http", "replay", "echo"}


def judge_defaults(
    config: ModelConfig, *, samples: int = 1, max_tokens: int = 1024, logprobs: bool = False
) -> Mapping[str, Any]:
    """Temperature 0 (1 when several samples are drawn), a limit of tokens, probabilities if wanted.

    What the configuration sets is not in it, and wins. Models that are known to think first get room for it;
    those of OpenAI, and any whose thinking is configured, get no temperature and no probabilities.
    """
    own = {*config.parameters, *_generation_config(config)}
    made: dict[str, Any] = {}
    openai = bool(_OPENAI_REASONS.search(config.model.lower()))
    thinks = openai or bool(_THINKS.search(config.model.lower())) or "thinking" in own
    if not own & _OWN_LIMITS:
        limit = "max_completion_tokens" if openai else "max_tokens"
        made[limit] = max_tokens + (REASONING_TOKENS if thinks else 0)
    if openai or "thinking" in own:
        return made
    if "temperature" not in own:
        made["temperature"] = 0.0 if samples == 1 else SAMPLING_TEMPERATURE
    if logprobs and config.provider not in _NO_LOGPROBS and not own & {"logprobs", "responseLogprobs"}:
        made |= {"logprobs": True, "top_logprobs": TOP_LOGPROBS}
    return made


def _generation_config(config: ModelConfig) -> tuple[str, ...]:
    inner = config.parameters.get("generationConfig")
    return tuple(inner) if isinstance(inner, Mapping) else ()
