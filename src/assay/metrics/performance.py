"""What an answer took: time, tokens and money. What is unknown is skipped, never 0."""

from collections.abc import Callable

from assay.domain.scores import Sample
from assay.metrics.entry import MetricSpec
from assay.metrics.sample_metric import Finding, SampleMetric, Unscored, sample_metric

FROM_CACHE = ", of the original call: this answer came from the cache"


def _measure(
    spec: MetricSpec, read: Callable[[Sample], float | None], unit: str, unknown: str
) -> SampleMetric:
    """A measure that every finish class has; `read` gives None where the value is unknown."""

    def measure(sample: Sample) -> Finding | Unscored:
        value = read(sample)
        if value is None:
            return Unscored("skipped", unknown)
        if value < 0:
            return Unscored("failed", f"a negative amount was reported: {value:g} {unit}")
        return Finding(float(value), f"{value:,.10g} {unit}{FROM_CACHE if sample.response.cached else ''}")

    return sample_metric(spec, measure, {})


def make_latency(spec: MetricSpec) -> SampleMetric:
    """Milliseconds from the first byte sent to the last received."""
    return _measure(spec, lambda sample: sample.response.latency_ms, "ms", "the latency is unknown")


def make_ttft(spec: MetricSpec) -> SampleMetric:
    """Milliseconds to the first token."""
    unknown = "the time to the first token is unknown: the answer was not streamed"
    return _measure(spec, lambda sample: sample.response.ttft_ms, "ms", unknown)


def make_cost(spec: MetricSpec) -> SampleMetric:
    """US dollars that the answer cost; 0 when it came from the cache and the ledger says so."""

    def measure(sample: Sample) -> Finding | Unscored:
        cost = sample.cost_usd
        if cost is None:
            return Unscored("skipped", "the cost is unknown: no price or no token counts for this model")
        if cost < 0:
            return Unscored("failed", f"a negative cost was reported: {cost:g} USD")
        return Finding(cost, f"{cost:.10g} USD{', served from the cache' if sample.response.cached else ''}")

    return sample_metric(spec, measure, {})


def make_input_tokens(spec: MetricSpec) -> SampleMetric:
    """Tokens read, with those that the provider had cached."""
    unknown = "the provider did not report input tokens"
    return _measure(spec, lambda sample: sample.response.usage.input_tokens, "tokens", unknown)


def make_output_tokens(spec: MetricSpec) -> SampleMetric:
    """Tokens written, with those of reasoning."""
    unknown = "the provider did not report output tokens"
    return _measure(spec, lambda sample: sample.response.usage.output_tokens, "tokens", unknown)


def _total(sample: Sample) -> int | None:
    usage = sample.response.usage
    if usage.input_tokens is None or usage.output_tokens is None:
        return None
    return usage.input_tokens + usage.output_tokens


def make_total_tokens(spec: MetricSpec) -> SampleMetric:
    """Tokens read and written."""
    return _measure(spec, _total, "tokens", "the provider did not report both input and output tokens")
