"""Prompts from files of their own."""

from pathlib import Path

import pytest

from assay.domain.errors import InvalidInput
from assay.domain.prompts import Message
from assay.formats.prompt_files import read_prompt_file


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_a_text_is_one_message_and_named_by_its_file(tmp_path: Path) -> None:
    prompt = read_prompt_file(write(tmp_path, "careful.md", "Answer: {{ q }}\n"))
    assert (prompt.name, prompt.messages) == ("careful", (Message("user", "Answer: {{ q }}"),))


def test_a_mapping_has_tools_and_a_format(tmp_path: Path) -> None:
    text = """
id: support
messages:
  - {role: system, content: Be kind.}
  - {role: user, content: "{{ q }}"}
tools: [{type: function, function: {name: f}}]
response_format: {type: json_object}
"""
    prompt = read_prompt_file(write(tmp_path, "p.yaml", text))
    assert prompt.name == "support"
    assert [message.role for message in prompt.messages] == ["system", "user"]
    assert prompt.tools == ({"type": "function", "function": {"name": "f"}},)
    assert prompt.response_format == {"type": "json_object"}
    assert read_prompt_file(tmp_path / "p.yaml", "mine").name == "mine"


def test_a_list_of_messages_is_a_prompt(tmp_path: Path) -> None:
    prompt = read_prompt_file(write(tmp_path, "list.json", '[{"role": "user", "content": "x"}]'))
    assert (prompt.name, prompt.messages) == ("list", (Message("user", "x"),))


@pytest.mark.parametrize(
    ("text", "line", "field", "words"),
    [
        ("text: x\nmesages: []\n", 2, "mesages", "did you mean 'messages'"),
        ("id: x\n", 1, None, "one of text, messages, file, stored is missing"),
        ("id: x\nfile: other.txt\n", 2, "file", "has its text here"),
        ("id: x\nstored: other\n", 2, "stored", "has its text here"),
        ("messages:\n- {role: robot, content: x}\n", 2, "messages.0.role", "'robot' is not possible"),
        ("text: 5\n", 1, "text", "expected a text"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(
    tmp_path: Path, text: str, line: int | None, field: str | None, words: str
) -> None:
    path = write(tmp_path, "p.yaml", text)
    with pytest.raises(InvalidInput, match=words) as refused:
        read_prompt_file(path)
    assert (refused.value.file, refused.value.line, refused.value.field) == (str(path), line, field)
