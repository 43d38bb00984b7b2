"""Names, versions and labels of what is kept in versions: prompts and data sets."""

import re
from dataclasses import dataclass
from typing import Literal, get_args

from assay.domain.errors import InvalidInput

Role = Literal["viewer", "analyst", "manager", "admin", "owner"]
ROLES: tuple[str, ...] = get_args(Role)

LATEST = "latest"
"""The label that nobody sets: always the newest version."""
MAX_NAME = 200

_LABEL = r"[a-z0-9][a-z0-9._-]{0,62}"
_VERSION = r"[1-9][0-9]{0,8}"
_REFERENCE = re.compile(rf"(?P<name>.+?)(?::(?P<version>{_VERSION})|@(?P<label>{_LABEL}))?", re.DOTALL)
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Reference:
    """A version of something by name: by number, by label, or the newest when neither is set."""

    name: str
    version: int | None = None
    label: str | None = None

    def __str__(self) -> str:
        if self.version is not None:
            return f"{self.name}:{self.version}"
        return self.name if self.label is None else f"{self.name}@{self.label}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A label and the version that it is on. `minimum_role` may move it."""

    label: str
    version: int
    minimum_role: Role
    updated_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelMove:
    """A move of a label: from no version when it was made, to none when it was taken away."""

    label: str
    from_version: int | None
    to_version: int | None
    moved_at: str
    moved_by: str | None


def parse_reference(text: str) -> Reference:
    """`NAME`, `NAME:VERSION` or `NAME@LABEL`; raises InvalidInput for an empty text.

    The end always counts as version or label, never as a part of the name, so that nobody can put a name
    in the place of a label. A name with such an end is meant by a further one: `release:3@latest`.
    """
    found = _REFERENCE.fullmatch(text)
    if found is None:
        raise InvalidInput("a name is empty", remedy="Write NAME, NAME:VERSION or NAME@LABEL.")
    label = None if found["label"] == LATEST else found["label"]
    return Reference(found["name"], None if found["version"] is None else int(found["version"]), label)


def parse_version(name: str, text: str) -> Reference:
    """A version of `name` by its number (`3` or `:3`) or a label (`staging` or `@staging`).

    Raises InvalidInput for what is neither.
    """
    if re.fullmatch(f":?{_VERSION}", text):
        return Reference(name, version=int(text.removeprefix(":")))
    label = text.removeprefix("@")
    if not re.fullmatch(_LABEL, label):
        raise InvalidInput(f"{text!r} is neither a version nor a label", remedy="Write 3 or production.")
    return Reference(name, label=None if label == LATEST else label)


def check_label(label: str) -> str:
    """The label itself; raises InvalidInput for one that cannot be set."""
    if label == LATEST:
        raise InvalidInput(
            f"the label {LATEST!r} is always the newest version and cannot be moved",
            field="label",
            remedy="Take another name.",
        )
    if not re.fullmatch(_LABEL, label):
        raise InvalidInput(
            f"{label!r} is no label",
            field="label",
            remedy="Up to 63 of a-z, 0-9, dot, hyphen and underscore; a letter or digit first.",
        )
    return label


def check_name(name: str, what: str) -> str:
    """The name itself; raises InvalidInput for one that cannot be kept. `what` is "prompt" or "data set"."""
    if not 1 <= len(name) <= MAX_NAME or not name.strip():
        raise InvalidInput(
            f"the name of a {what} has 1 to {MAX_NAME} characters, not {len(name)}",
            field="name",
            remedy="Give it another name.",
        )
    if _CONTROL.search(name):
        raise InvalidInput(
            f"the name {name!r} of a {what} holds control characters", field="name", remedy="Leave them out."
        )
    return name
