"""Samples that a metric has to stand: what models say and how they end, whatever the case asks."""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, replace

from assay.domain.datasets import Case
from assay.domain.models import ModelResponse
from assay.domain.scores import Sample

MEGABYTE = 1_000_000
ORDINARY = Case(
    key="ordinary",
    vars={"question": "When is the viewing?"},
    expected="On Tuesday at 10:00.",
    context=("Viewings are on Tuesdays at 10:00.",),
    metadata={"source": "calendar"},
)
CALL = {"id": "call_1", "type": "function", "function": {"name": "find", "arguments": '{"city": "Perth"}'}}
TEXTS = {
    "an ordinary answer": "The viewing is on Tuesday at 10:00.",
    "an empty answer": "",
    "an answer of spaces": " \n\t ",
    "one word": "Tuesday",
    "a number": "-12.5",
    "JSON": '{"day": "Tuesday", "hours": [10, 11.5], "free": null}',
    "JSON that breaks off": '{"day": "Tues',
    "a Markdown fence": "```json\n[1, 2]\n```",
    "markup": "<script>alert(1)</script> {{ vars }} %s",
    "Chinese": "看房时间是星期二上午十点。",
    "Arabic": "المعاينة يوم الثلاثاء الساعة العاشرة.",
    "Hindi and emoji": "मंगलवार को दस बजे 👩‍👩‍👧 🇦🇺",
    "control characters": "a\x00b\x1b[31mc\r\u2028d",
    "lone surrogates": "half \ud83d a pair \udc00",
    "a million characters": ("word " * (MEGABYTE // 5))[:MEGABYTE],
    "a million letters without a space": "a" * MEGABYTE,
}
EXPECTATIONS = {
    "a case without expected": None,
    "an empty expected text": "",
    "a list of expected texts": ["Tuesday", "10:00"],
    "an expected number": 10,
    "an expected object": {"day": "Tuesday"},
}


@dataclass(frozen=True, slots=True)
class Probe:
    """A sample with its name, as violations tell it."""

    name: str
    sample: Sample


def probes_for(case: Case = ORDINARY) -> Sequence[Probe]:
    """The samples, all of one case but for what is expected of it; the first is an ordinary one."""
    ordinary = TEXTS["an ordinary answer"]
    found = [Probe(name, _sample(case, ModelResponse(text=text))) for name, text in TEXTS.items()]
    for name, expected in EXPECTATIONS.items():
        found.append(Probe(name, _sample(replace(case, expected=expected), ModelResponse(text=ordinary))))
    found += [
        Probe(
            "an answer that was truncated", _sample(case, ModelResponse(text="On Tue", finish="truncated"))
        ),
        Probe("an answer that was refused", _sample(case, ModelResponse(text="", finish="refused"))),
        Probe("an answer that was filtered", _sample(case, ModelResponse(text="", finish="filtered"))),
        Probe("an answer that is paused", _sample(case, ModelResponse(text="", finish="paused"))),
        Probe("a tool call", _sample(case, ModelResponse(text="", finish="tool", tool_calls=(CALL,)))),
    ]
    return found


def _sample(case: Case, response: ModelResponse) -> Sample:
    """A sample of its own: what one that changes its case does to it, no other sees."""
    return Sample(case=deepcopy(case), response=deepcopy(response))
