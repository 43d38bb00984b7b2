"""What a judge's provider has refused to be asked for, so that it is asked for once only."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from assay.domain.errors import RequestRejected
from assay.domain.models import ModelRequest

FORMAT = "response_format"
_SIGNS: Mapping[str, tuple[str, ...]] = {
    "logprobs": ("logprob",),
    "temperature": ("temperature",),
    "max_tokens": ("max_tokens", "max_completion_tokens", "maxoutputtokens"),
    FORMAT: ("response_format", "schema", "format", "structured"),
}
_GROUPS = {"logprobs": ("logprobs", "top_logprobs"), "max_tokens": ("max_tokens", "max_completion_tokens")}
_REFUSED = (None, 400, 404, 422)
"""Statuses for asking what a model cannot do: None is our own adapter's, 404 OpenRouter's."""


@dataclass(frozen=True, slots=True)
class Refusals:
    """Remembers by judge's label what to leave out. One for each metric, for as long as it lives."""

    _known: dict[str, set[str]] = field(default_factory=dict)

    def strip(self, label: str, request: ModelRequest) -> ModelRequest:
        """The request without what this judge is known to refuse."""
        for name in sorted(self._known.get(label, ())):
            request = without(request, name)
        return request

    def remember(self, label: str, names: Iterable[str]) -> None:
        """Note what had to be left out of a request that was then answered."""
        self._known.setdefault(label, set()).update(names)


def refused_part(request: ModelRequest, error: RequestRejected) -> str | None:
    """Which of our own wishes a provider refuses: one that its error names, else the response format.

    None when the request has none of them, or the status says that the cause is another.
    """
    if error.http_status not in _REFUSED:
        return None
    asked = [name for name in _SIGNS if without(request, name) != request]
    said = f"{error.message} {error.body or ''}".lower()
    named = [name for name in asked if any(sign in said for sign in _SIGNS[name])]
    if named:
        return named[0]
    return FORMAT if FORMAT in asked else None


def without(request: ModelRequest, name: str) -> ModelRequest:
    """The request without one of our own wishes."""
    if name == FORMAT:
        return replace(request, response_format=None)
    dropped = _GROUPS.get(name, (name,))
    left: dict[str, Any] = {key: value for key, value in request.parameters.items() if key not in dropped}
    return replace(request, parameters=left)
