"""The catalog's rows for what an answer took."""

from assay.domain.scores import MetricInfo
from assay.metrics.entry import Entry

MODULE = "assay.metrics.performance"


def _row(type_: str, factory: str, unit: str, summary: str) -> Entry:
    needs = ("usage",) if unit == "tokens" else ("cost",) if unit == "USD" else ("timing",)
    info = MetricInfo(
        type=type_, version="1", kind="measure", summary=summary, needs=needs,
        source="the recorded call", unit=unit, better="lower",
    )  # fmt: skip
    return Entry(info=info, module=MODULE, factory=factory)


PERFORMANCE_ENTRIES = (
    _row("latency_ms", "make_latency", "ms", "Milliseconds from the first byte sent to the last received"),
    _row("ttft_ms", "make_ttft", "ms", "Milliseconds to the first token of a streamed answer"),
    _row("cost_usd", "make_cost", "USD", "US dollars that the answer cost"),
    _row("input_tokens", "make_input_tokens", "tokens", "Tokens read, cached ones included"),
    _row("output_tokens", "make_output_tokens", "tokens", "Tokens written, reasoning included"),
    _row("total_tokens", "make_total_tokens", "tokens", "Tokens read and written"),
)
