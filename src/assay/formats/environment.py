"""`${NAME}` and `${NAME:-default}` in texts of a suite."""

import re
from collections.abc import Mapping
from typing import Any

from assay.formats.places import Problems

_REFERENCE = re.compile(r"\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(:-([^}]*))?\}")


def substitute(value: Any, environment: Mapping[str, str], path: str, problems: Problems) -> Any:
    """A value with the references in its texts replaced, at every depth; `$${` stands for `${`.

    A variable that is not set and has no default is noted in `problems`. As in a shell, the default
    also stands for a variable that is empty.
    """
    if isinstance(value, str):
        return _substitute_text(value, environment, path, problems)
    if isinstance(value, Mapping):
        return {key: substitute(item, environment, f"{path}.{key}", problems) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [
            substitute(item, environment, f"{path}.{number}", problems) for number, item in enumerate(value)
        ]
    return value


def _substitute_text(text: str, environment: Mapping[str, str], path: str, problems: Problems) -> str:
    def replace(match: re.Match[str]) -> str:
        name, has_default, default = match.groups()
        if name is None:
            return "${"
        value = environment.get(name)
        if has_default and not value:
            return str(default)
        if value is None:
            problems.add(
                path,
                f"the environment variable {name} is not set",
                remedy=f"Set it, or give a default: ${{{name}:-...}}",
            )
            return ""
        return value

    return _REFERENCE.sub(replace, text)
