"""What judges are asked: versioned templates, each a file of this package.

A file `prompts/NAME.yaml` has `name`, `version`, `source` (where the method comes from), `data` (names of the
texts to be judged), `settings` (names of texts of the suite's author), `system`, `user`, and what is to be
answered: `schema`, the JSON schema of a verdict, or `words`, of which the first word of the reply is one.

The grammar of placeholders is `{{ name }}` and nothing else. A name is one of `data` (put in fenced, and
never in the system message), one of `settings` (put in as it is), or one of the parts that all templates
share: `rules`, `notice` and `form`, the form of the reply. What is put in is not searched for placeholders.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from assay.domain.content import content_hash
from assay.domain.errors import InvalidInput, NotFound
from assay.judging.shared_texts import FORM, NOTICE, RULES, WORD_FORM

PLACEHOLDER = re.compile(r"\{\{ ([a-z][a-z_]*) \}\}")
FOLDER = files("assay.judging") / "prompts"
CODE = "{{ code }}"
SCHEMA = "{{ schema }}"
_KEYS = {"name", "version", "source", "data", "settings", "system", "user", "schema", "words"}
_BUILT_IN = {"code", "schema"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A versioned prompt for judges; its texts hold the shared parts already.

    Exactly one of `schema` and `words` is there. `data` and `settings` are the names that must be filled.
    """

    name: str
    version: str
    source: str
    system: str
    user: str
    data: tuple[str, ...]
    settings: tuple[str, ...] = ()
    schema: Mapping[str, Any] | None = None
    words: tuple[str, ...] = ()
    hash: str = field(init=False)
    """SHA-256 over all that a judge sees, in hexadecimal; name and version do not count."""

    def __post_init__(self) -> None:
        seen = [self.system, self.user, self.schema, self.words]
        object.__setattr__(self, "hash", content_hash(seen).hex())


def list_templates() -> tuple[Template, ...]:
    """All templates, by name."""
    names = sorted(each.name for each in FOLDER.iterdir() if each.name.endswith(".yaml"))
    return tuple(get_template(name.removesuffix(".yaml")) for name in names)


@cache
def get_template(name: str) -> Template:
    """A template by its name; raises NotFound."""
    path = FOLDER / f"{name}.yaml"
    if not re.fullmatch(r"[a-z][a-z_]*", name) or not path.is_file():
        raise NotFound(f"there is no judge prompt {name!r}")
    return read_template(path.read_text(encoding="utf-8"), f"{name}.yaml")


def read_template(text: str, file: str) -> Template:
    """The template of a file's text. Raises InvalidInput that names file and field."""
    document = yaml.safe_load(text)
    if not isinstance(document, dict) or set(document) - _KEYS:
        raise InvalidInput(f"must have the keys {', '.join(sorted(_KEYS))}", file=file)
    _check_texts(document, file)
    words = tuple(document.get("words", ()))
    if (document.get("schema") is None) == (not words):
        raise InvalidInput("needs either schema or words", file=file)
    form = WORD_FORM.format(words=", ".join(words)) if words else FORM
    parts = {"rules": RULES, "notice": NOTICE, "form": form}
    template = Template(
        name=document["name"],
        version=document["version"],
        source=document["source"].strip(),
        system=_fill(document["system"], parts).strip(),
        user=_fill(document["user"], parts).strip(),
        data=tuple(document["data"]),
        settings=tuple(document.get("settings", ())),
        schema=document.get("schema"),
        words=words,
    )
    _check_placeholders(template, file)
    return template


def fill_texts(text: str, values: Mapping[str, str]) -> str:
    """The text with its placeholders replaced; raises InvalidInput for a name without a value."""
    missing = {name for name in PLACEHOLDER.findall(text) if name not in values}
    if missing:
        raise InvalidInput(f"has no value for: {', '.join(sorted(missing))}", field="placeholder")
    return _fill(text, values)


def _fill(text: str, values: Mapping[str, str]) -> str:
    return PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), text)


def _check_texts(document: dict[str, Any], file: str) -> None:
    for name in ("name", "version", "source", "system", "user"):
        if not isinstance(document.get(name), str) or not document[name].strip():
            raise InvalidInput("must be a text", file=file, field=name)
    if document["name"] != file.removesuffix(".yaml"):
        raise InvalidInput("must be the name of the file", file=file, field="name")
    for name in ("data", "settings", "words"):
        listed = document.get(name, [])
        if not isinstance(listed, list) or not all(isinstance(item, str) for item in listed):
            raise InvalidInput("must be a list of texts", file=file, field=name)


def _check_placeholders(template: Template, file: str) -> None:
    """Refuse braces that are no placeholder, unknown names, and data where instructions are."""
    for name, text in (("system", template.system), ("user", template.user)):
        if re.search(r"\{\{|\}\}|\{%", PLACEHOLDER.sub("", text)):
            raise InvalidInput("only {{ name }} is a placeholder", file=file, field=name)
    in_system = set(PLACEHOLDER.findall(template.system))
    in_user = PLACEHOLDER.findall(template.user)
    if in_system - set(template.settings):
        raise InvalidInput("only settings may be put in", file=file, field="system")
    unknown = set(in_user) - {*template.data, *template.settings, *_BUILT_IN}
    if unknown:
        raise InvalidInput(f"names nothing: {', '.join(sorted(unknown))}", file=file, field="user")
    if unused := {*template.data, *template.settings} - in_system - set(in_user):
        raise InvalidInput(f"is never used: {', '.join(sorted(unused))}", file=file, field="user")
    if any(in_user.count(name) > 1 for name in template.data):
        raise InvalidInput("puts the same data in twice", file=file, field="user")
