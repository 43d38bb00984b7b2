"""References to the environment in a suite: resolved, or only checked where a secret may hide."""

from collections.abc import Mapping
from typing import Any

from assay.domain.references import resolve_references
from assay.formats.places import Problems


def substitute(value: Any, environment: Mapping[str, str], path: str, problems: Problems) -> Any:
    """A value with its references replaced; a variable that is not set is noted in `problems`."""

    def missing(name: str) -> None:
        problems.add(
            path,
            f"the environment variable {name} is not set",
            remedy=f"Set it, or give a default: ${{{name}:-...}}",
        )

    return resolve_references(value, environment, missing)
