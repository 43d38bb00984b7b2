"""Prompts: chat messages whose texts are templates."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from assay.domain.content import content_hash
from assay.domain.versions import Label, LabelMove, Reference


@dataclass(frozen=True, slots=True)
class Message:
    """One chat message. `content` is text, or a list of content parts as the provider takes them."""

    role: str
    content: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """An immutable version of a prompt: messages with sandboxed Jinja2 in their texts.

    `tools` and `response_format` pass through to the provider in the OpenAI notation. `template` and
    `version` say which stored prompt it is, where it was taken from the store.
    """

    name: str
    messages: tuple[Message, ...]
    tools: tuple[Mapping[str, Any], ...] = ()
    response_format: Mapping[str, Any] | None = None
    template: str | None = None
    version: int | None = None

    @property
    def content_hash(self) -> bytes:
        """SHA-256 over all that a model sees; the name does not count."""
        return content_hash([self.messages, self.tools, self.response_format])


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPrompt:
    """A prompt that a suite takes from the store; which version it is, is settled when a job is made.

    `place` is its field in the suite, for error messages.
    """

    name: str
    reference: Reference
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptHead:
    """What a list of prompts shows of one. `labels` are label -> version."""

    name: str
    description: str
    tags: tuple[str, ...]
    version_count: int
    latest: int
    labels: Mapping[str, int]
    updated_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptVersion:
    """A stored version. `labels` are those that are on it."""

    prompt: Prompt
    version: int
    content_hash: bytes
    note: str
    created_by: str | None
    created_at: str
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionHead:
    """What a history shows of a version."""

    version: int
    content_hash: bytes
    note: str
    created_by: str | None
    created_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptLog:
    """The history of a prompt, newest first: its versions, its labels and their moves."""

    name: str
    versions: tuple[VersionHead, ...]
    labels: tuple[Label, ...]
    moves: tuple[LabelMove, ...]
