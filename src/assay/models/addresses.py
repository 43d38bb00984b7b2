"""Addresses that a key is bound to."""

from urllib.parse import SplitResult, unquote, urlsplit

from assay.domain.errors import InvalidInput

DEFAULT_PORTS = {"http": 80, "https": 443}


def check_address(text: str) -> str:
    """An http or https address without credentials, query and fragment; raises InvalidInput."""
    parts = _split(text)
    unusable = parts is None or parts.username is not None or parts.query or parts.fragment
    if parts is None or unusable or _has_dots(parts.path):
        raise InvalidInput(
            f"{text!r} is not a plain http or https address",
            field="--base-url",
            remedy="Write https://host/path.",
        )
    return text.rstrip("/")


def lies_within(address: str, base: str) -> bool:
    """Whether an address is `base` or below it: the same scheme, host and port, and a path that begins so."""
    wanted, bound = _split(address), _split(base)
    if wanted is None or bound is None or wanted.username is not None or _has_dots(wanted.path):
        return False
    if _origin(wanted) != _origin(bound):
        return False
    return f"{wanted.path.rstrip('/')}/".startswith(f"{bound.path.rstrip('/')}/")


def _split(text: str) -> SplitResult | None:
    # Clients disagree about what these mean: an address that holds them is nobody's.
    if "\\" in text or not text.isprintable() or " " in text:
        return None
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 - raises for one that is no number
    except ValueError:
        return None
    return parts if parts.scheme in DEFAULT_PORTS and parts.hostname else None


def _origin(parts: SplitResult) -> tuple[str, str | None, int]:
    return parts.scheme, parts.hostname, parts.port or DEFAULT_PORTS[parts.scheme]


def _has_dots(path: str) -> bool:
    return any(segment in (".", "..") for segment in unquote(path).split("/"))
