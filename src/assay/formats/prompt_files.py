"""Prompts as files of their own, to be kept in the store."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from assay.domain.prompts import Message, Prompt
from assay.formats.decoding import read_text
from assay.formats.limits import MAX_FIELD
from assay.formats.places import Problems
from assay.formats.suite_check import check
from assay.formats.suite_parts import parse_document, read_prompt

_PROMPT = {"$ref": "#/$defs/prompt"}


def read_prompt_file(path: Path, name: str | None = None) -> Prompt:
    """The prompt of a file, named as asked for, else by its `id`, else by the file.

    .txt and .md are one message of the user. .yaml, .yml and .json are a list of messages, or a mapping as
    in a suite: `text` or `messages`, with `id`, `tools` and `response_format` where there are any. Raises
    InvalidInput with file, line, field and remedy.
    """
    if path.suffix.lower() in (".yaml", ".yml", ".json"):
        value, lines = parse_document(read_text(path, "a prompt", MAX_FIELD), path)
        if isinstance(value, Mapping):
            return _prompt(value, path, lines, name)
    return Prompt(name=name or path.stem, messages=read_prompt(path))


def _prompt(value: Mapping[str, Any], path: Path, lines: Mapping[str, int], name: str | None) -> Prompt:
    problems = Problems(str(path), lines)
    check(value, _PROMPT, "", problems)
    for key in ("file", "stored"):
        if key in value:
            problems.add(key, "a prompt that is kept has its text here", remedy="Write text or messages.")
    problems.raise_any()
    messages = value.get("messages") or [{"role": "user", "content": value["text"]}]
    return Prompt(
        name=name or value.get("id") or path.stem,
        messages=tuple(Message(message["role"], message["content"]) for message in messages),
        tools=tuple(value.get("tools", ())),
        response_format=value.get("response_format"),
    )
