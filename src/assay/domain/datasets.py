"""Test cases and the data sets that hold them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from assay.domain.content import content_hash


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One test case.

    `key` is the user's id, unique in its data set. `vars` feed the prompt's templates. `expected` is
    text, a list of acceptable texts, a number or any JSON, as the metrics need it. `context` holds
    the documents for retrieval metrics. Cases of one `cluster` share a source and are not independent.
    """

    key: str
    vars: Mapping[str, Any]
    expected: Any = None
    context: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    cluster: str | None = None
    weight: float = 1.0
    line: int | None = None

    @property
    def content_hash(self) -> bytes:
        """SHA-256 over the content; the place in a file does not count."""
        return content_hash(
            [
                self.key,
                self.vars,
                self.expected,
                self.context,
                self.metadata,
                self.tags,
                self.cluster,
                self.weight,
            ]
        )
