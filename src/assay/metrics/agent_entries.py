"""The catalog's rows for metrics of tool calls and trajectories."""

from collections.abc import Mapping

from assay.domain.scores import MetricInfo
from assay.metrics.entry import Entry, Option

CALLS = Option(
    kind="text",
    meaning="path of the made calls in the case, such as metadata.trace, in place of those of the answer",
)
AGENTEVALS = "LangChain agentevals"
VERTEX = "Vertex AI Gen AI evaluation"


def _arguments(default: str) -> Option:
    return Option(
        kind="choice", default=default, choices=("ignore", "exact", "subset"),
        meaning="whether arguments count; subset lets the made call have more of them",
    )  # fmt: skip


def _row(type_: str, factory: str, texts: tuple[str, str], options: Mapping[str, Option]) -> Entry:
    """A quality metric; `texts` are summary and source."""
    info = MetricInfo(
        type=type_, version="1", kind="unit", summary=texts[0], needs=("tool_calls", "expected"),
        source=texts[1], options={name: option.summary for name, option in options.items()},
    )  # fmt: skip
    return Entry(info=info, module="assay.metrics.agent", factory=factory, options=options)


AGENT_ENTRIES: tuple[Entry, ...] = (
    _row(
        "tool_call_f1", "make_tool_call_f1",
        ("F1 of the expected and the made tool calls, as multisets", "van Rijsbergen 1979; own definition"),
        {"arguments": _arguments("ignore"), "calls": CALLS},
    ),
    _row(
        "argument_match", "make_argument_match",
        (
            "Share of the arguments that are right, over the calls that were expected and made",
            "own definition; optimal assignment of Kuhn 1955 by SciPy",
        ),
        {
            "ignore_case": Option(
                kind="boolean", default=False, meaning="upper and lower case of texts count as equal"
            ),
            "tolerance": Option(
                kind="number", default=0.0, meaning="largest absolute difference of two numbers"
            ),
            "missing_calls": Option(
                kind="choice", default="ignore", choices=("ignore", "wrong"),
                meaning="what the arguments of expected calls count as that were not made",
            ),
            "calls": CALLS,
        },
    ),
    _row(
        "trajectory", "make_trajectory",
        (
            "The made tool calls against the expected ones, in order or as a whole",
            f"{VERTEX}, trajectory metrics; {AGENTEVALS}, trajectory match modes",
        ),
        {
            "order": Option(
                kind="choice", default="in_order",
                choices=("exact", "in_order", "any_order", "precision", "recall"),
                meaning="what is asked of the calls",
            ),
            "arguments": _arguments("exact"),
            "calls": CALLS,
        },
    ),
)  # fmt: skip
