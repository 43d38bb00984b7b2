"""The catalog's rows for metrics of the user's own."""

from collections.abc import Mapping

from assay.domain.scores import MetricInfo
from assay.metrics.entry import Entry, Option

EVERY_ANSWER = Option(
    kind="boolean", default=False,
    meaning="score answers too that were filtered, refused or are paused, in place of abstaining",
)  # fmt: skip
PYTHON: Mapping[str, Option] = {
    "target": Option(
        kind="text", required=True, meaning="path/to/file.py:name or module:name, of a function or class"
    ),
    "options": Option(
        kind="object", meaning="what the class is made with, or the function gets as `options`"
    ),
    "every_answer": EVERY_ANSWER,
    "timeout_s": Option(kind="number", default=60.0, meaning="longest time for one answer; async only"),
}
HTTP: Mapping[str, Option] = {
    "url": Option(kind="text", required=True, meaning="address of the scoring service"),
    "headers": Option(kind="object", meaning="further headers; {{ key }} stands for the key"),
    "key_variable": Option(kind="text", meaning="environment variable with the key"),
    "body": Option(kind="json", meaning="JSON with placeholders, in place of the whole sample"),
    "score": Option(kind="text", meaning="path to the score in the reply", default="score"),
    "reason": Option(kind="text", meaning="path to the reason in the reply", default="reason"),
    "timeout_s": Option(kind="number", default=30.0, meaning="longest time for one answer"),
    "free": Option(
        kind="boolean", default=False, meaning="its calls cost nothing; without it their cost is unknown"
    ),
    "every_answer": EVERY_ANSWER,
}


def _summaries(options: Mapping[str, Option]) -> Mapping[str, str]:
    return {name: option.summary for name, option in options.items()}


CUSTOM_ENTRIES: tuple[Entry, ...] = (
    Entry(
        info=MetricInfo(
            type="python", version="1", kind="unit", needs=("output",), source="the user's own code",
            summary="What a Python function or class of yours says", options=_summaries(PYTHON),
        ),
        module="assay.metrics.custom", factory="make_python", options=PYTHON, trusted=True,
    ),
    Entry(
        info=MetricInfo(
            type="http", version="1", kind="unit", needs=("output",), source="the user's own service",
            summary="What a scoring service of yours says", options=_summaries(HTTP), judged=True,
        ),
        module="assay.metrics.custom_http", factory="make_http", options=HTTP, own_judge=True,
    ),
)  # fmt: skip
