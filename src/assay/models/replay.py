"""A model whose answers were recorded before: outputs of another tool, or of an earlier run."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from assay.domain.errors import InvalidInput, ModelError, RequestRejected
from assay.domain.models import ModelConfig, ModelRequest, ModelResponse, Usage
from assay.models.echo import FAILURES
from assay.models.hosted import check_options
from assay.models.json_text import mapping, objects, string, text_of, tokens
from assay.models.openai import FINISHES

Cell = tuple[str, str, int | None]


class Replay:
    """Answers from a file of recordings, found by the prompt and case of the request's tag and its repeat.

    A recording without a repeat answers every repeat that has none of its own. Raises RequestRejected for a
    cell without a recording, and the recorded error for one that failed.
    """

    def __init__(self, config: ModelConfig, recordings: dict[Cell, "Recording"]) -> None:
        self._config, self._recordings = config, recordings

    @property
    def config(self) -> ModelConfig:
        """The configuration that this model was made from."""
        return self._config

    async def generate(self, request: ModelRequest) -> ModelResponse:
        """The recorded answer."""
        tag = request.tag
        if tag is None:
            raise RequestRejected(
                "replay answers only requests of a run, which name prompt and case", sent=False
            )
        found = self._recordings.get((tag.prompt, tag.case, request.repeat)) or self._recordings.get(
            (tag.prompt, tag.case, None)
        )
        if found is None:
            message = f"no recording for prompt {tag.prompt!r}, case {tag.case!r}, repeat {request.repeat}"
            raise RequestRejected(message, sent=False)
        if found.error is not None:
            kind, message = found.error
            raise kind(message)
        return found.response

    async def close(self) -> None:
        """Nothing to give back."""


@dataclass(frozen=True, slots=True)
class Recording:
    """One line of the file: an answer, or the error that came instead."""

    response: ModelResponse
    error: tuple[type[ModelError], str] | None = None


def make_replay(config: ModelConfig) -> Replay:
    """A replay of `options.file`, else of the file that the model's id names. Raises InvalidInput."""
    check_options(config, ("file",))
    path = Path(str(config.options.get("file") or config.model))
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InvalidInput(
            f"cannot be read: {error.strerror}", file=str(path), field="options.file"
        ) from error
    recordings: dict[Cell, Recording] = {}
    for number, line in enumerate(content.splitlines(), 1):
        if line.strip():
            cell, recording = _read(line, str(path), number)
            if cell in recordings:
                raise InvalidInput(f"a second recording for {_name(cell)}", file=str(path), line=number)
            recordings[cell] = recording
    return Replay(config, recordings)


def _read(line: bytes, file: str, number: int) -> tuple[Cell, Recording]:
    try:
        entry = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise InvalidInput(f"not JSON: {error}", file=file, line=number) from error
    if not isinstance(entry, dict):
        raise InvalidInput("not a JSON object", file=file, line=number)
    for name in ("prompt", "case"):
        if not isinstance(entry.get(name), str):
            raise InvalidInput("must be a text", file=file, line=number, field=name)
    repeat = entry.get("repeat")
    if repeat is not None and tokens(repeat) is None:
        raise InvalidInput("must be a whole number from 0", file=file, line=number, field="repeat")
    if "output" not in entry and entry.get("error") is None:
        raise InvalidInput("a recording needs an output or an error", file=file, line=number, field="output")
    return (entry["prompt"], entry["case"], repeat), Recording(_response(entry), _error(entry.get("error")))


def _response(entry: dict[str, Any]) -> ModelResponse:
    reason = string(entry.get("finish_reason"))
    latency = entry.get("latency_ms")
    return ModelResponse(
        text=text_of(entry.get("output")),
        finish="complete" if reason is None else FINISHES.get(reason, "other"),
        finish_reason=reason,
        tool_calls=tuple(objects(entry.get("tool_calls"))),
        usage=Usage(
            input_tokens=tokens(entry.get("input_tokens")), output_tokens=tokens(entry.get("output_tokens"))
        ),
        latency_ms=float(latency) if isinstance(latency, (int, float)) else 0.0,
        model=string(entry.get("model")),
    )


def _error(error: Any) -> tuple[type[ModelError], str] | None:
    """A recorded error: a text, or an object with the code and the message of one of our errors."""
    if error is None:
        return None
    kind = FAILURES.get(text_of(mapping(error).get("code")), RequestRejected)
    return kind, text_of(mapping(error).get("message")) or text_of(error)


def _name(cell: Cell) -> str:
    prompt, case, repeat = cell
    return f"prompt {prompt!r}, case {case!r}" + ("" if repeat is None else f", repeat {repeat}")
