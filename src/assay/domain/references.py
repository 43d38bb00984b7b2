"""`${NAME}` and `${NAME:-default}` in texts of a suite, by which values of the environment stay out of it."""

import re
from collections.abc import Callable, Mapping
from typing import Any

_REFERENCE = re.compile(r"\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(:-([^}]*))?\}")


def resolve_references(value: Any, environment: Mapping[str, str], missing: Callable[[str], None]) -> Any:
    """A value with the references in its texts replaced, at every depth; `$${` stands for `${`.

    `missing` is called with each variable that is not set and has no default. As in a shell, the
    default also stands for a variable that is empty.
    """
    if isinstance(value, str):
        return _REFERENCE.sub(lambda match: _resolved(match, environment, missing), value)
    if isinstance(value, Mapping):
        return {key: resolve_references(item, environment, missing) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [resolve_references(item, environment, missing) for item in value]
    return value


def _resolved(match: re.Match[str], environment: Mapping[str, str], missing: Callable[[str], None]) -> str:
    name, has_default, default = match.groups()
    if name is None:
        return "${"
    value = environment.get(name)
    if has_default and not value:
        return str(default)
    if value is None:
        missing(name)
        return ""
    return value
