"""Word lists that rules share: built-in files beside the packs whose names begin with an underscore."""

from collections.abc import Mapping
from functools import lru_cache
from importlib import resources
from typing import Any

from assay.formats.places import Place
from assay.formats.yaml_text import parse_yaml
from assay.metrics.pack_versions import text_digest


@lru_cache(maxsize=8)
def load_word_lists(name: str) -> Mapping[str, Any]:
    """The lists of a file by their names."""
    value, _ = parse_yaml(_text(name), Place(f"{name}.yaml"))
    return dict(value)


def word_list_digest(name: str) -> str:
    """Of the text of a file."""
    return text_digest(_text(name))


def _text(name: str) -> str:
    file = resources.files("assay.metrics") / "rules" / f"{name}.yaml"
    return file.read_text(encoding="utf-8")
