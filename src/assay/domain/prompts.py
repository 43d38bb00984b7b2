"""Prompts: chat messages whose texts are templates."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from assay.domain.content import content_hash


@dataclass(frozen=True, slots=True)
class Message:
    """One chat message. `content` is text, or a list of content parts as the provider takes them."""

    role: str
    content: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """An immutable version of a prompt: messages with sandboxed Jinja2 in their texts.

    `tools` and `response_format` pass through to the provider in the OpenAI notation.
    """

    name: str
    messages: tuple[Message, ...]
    tools: tuple[Mapping[str, Any], ...] = ()
    response_format: Mapping[str, Any] | None = None

    @property
    def content_hash(self) -> bytes:
        """SHA-256 over all that a model sees; the name does not count."""
        return content_hash([self.messages, self.tools, self.response_format])
