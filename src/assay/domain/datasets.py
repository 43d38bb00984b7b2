"""Test cases and the data sets that hold them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from assay.domain.content import content_hash

Split = Literal["train", "validation", "test", "holdout"]
SPLITS: tuple[Split, ...] = get_args(Split)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One test case.

    `key` is the user's id, unique in its data set. `vars` feed the prompt's templates. `expected` is
    text, a list of acceptable texts, a number or any JSON, as the metrics need it. `context` holds
    the documents for retrieval metrics. Cases of one `cluster` share a source and are not independent.
    `split` is what the data set uses it for; like its place, it is no part of the content.
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
    split: Split | None = None

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


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetHead:
    """What a list of data sets shows of one. `labels` are label -> version, `case_count` the newest's."""

    name: str
    description: str
    tags: tuple[str, ...]
    version_count: int
    case_count: int
    labels: Mapping[str, int]
    updated_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetVersion:
    """A stored version. `labels` are those that are on it, `tags` those of the data set."""

    name: str
    version: int
    content_hash: bytes
    case_count: int
    note: str
    created_at: str
    labels: tuple[str, ...]
    tags: tuple[str, ...]
