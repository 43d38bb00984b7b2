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
_REASONS = re.compile(r"(?:^|/)(?:o[1-9](?:-|$)|gpt-[5-9](?!.*chat))")
_OWN_LIMITS = {"max_tokens", "max_completion_tokens", "max_output_tokens", "maxOutputTokens"}
_NO_LOGPROBS = {"anthropic", "http", "replay", "echo"}


def reasons(config: ModelConfig) -> bool:
    """Whether this is an OpenAI model that thinks first: it refuses temperature and logprobs."""
    return bool(_REASONS.search(config.model.lower()))


def judge_defaults(
    config: ModelConfig, *, samples: int = 1, max_tokens: int = 1024, logprobs: bool = False
) -> Mapping[str, Any]:
    """Temperature 0 (1 when several samples are drawn), a limit of tokens, probabilities if wanted.

    What the configuration sets is not in it, and wins. Models that think first get no temperature, the limit
    under the name that they know, and room to think.
    """
    own = {*config.parameters, *_generation_config(config)}
    made: dict[str, Any] = {}
    thinks = reasons(config)
    if not own & _OWN_LIMITS:
        limit = "max_completion_tokens" if thinks else "max_tokens"
        made[limit] = max_tokens + (REASONING_TOKENS if thinks else 0)
    if thinks:
        return made
    if "temperature" not in own:
        made["temperature"] = 0.0 if samples == 1 else SAMPLING_TEMPERATURE
    if logprobs and config.provider not in _NO_LOGPROBS and not own & {"logprobs", "responseLogprobs"}:
        made |= {"logprobs": True, "top_logprobs": TOP_LOGPROBS}
    return made


def _generation_config(config: ModelConfig) -> tuple[str, ...]:
    inner = config.parameters.get("generationConfig")
    return tuple(inner) if isinstance(inner, Mapping) else ()
