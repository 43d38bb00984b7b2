"""The judges of a plan: which there are, what they may cost, and how they are asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from assay.domain.canaries import CanaryName
from assay.domain.models import ModelConfig
from assay.domain.prompts import Message, Prompt
from assay.domain.protocols import CallBound, JudgedMetric
from assay.judging.canaries import PLANTED_TEXT, RIVAL_TEXT, canary_names
from assay.judging.defaults import judge_defaults
from assay.judging.templates import get_template
from assay.metrics.catalog import get_info
from assay.models.estimate import LinearBound, linear_bound
from assay.models.prices import PriceTable, Pricing

BYTES_PER_TOKEN_MAX = 8
"""How long a token of an answer is taken to be when a judge reads it, where each byte counts as a token:
about twice what a token of English has."""
CANARY_TOKENS = -(-len((PLANTED_TEXT + RIVAL_TEXT).encode()) // BYTES_PER_TOKEN_MAX)
"""A canary is no longer than an answer of so many tokens, at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judging:
    """The metrics that ask models, the models that they ask, and the prices of these by label."""

    metrics: tuple[JudgedMetric, ...]
    judges: tuple[ModelConfig, ...]
    pricings: Mapping[str, Pricing | None]

    @property
    def calls_max(self) -> int:
        """The most calls that judging an answer takes."""
        return sum(metric.bound.calls * len(metric.judges) for metric in self.metrics)

    @property
    def prompt_hashes(self) -> dict[str, str]:
        """The prompt templates that the judges are given -> the hash of each."""
        names = {name for metric in self.metrics for name in metric.info.prompts}
        return {name: get_template(name).hash for name in sorted(names)}

    @property
    def canary_calls_max(self) -> int:
        """The most calls that the canaries of a run take."""
        return sum(
            len(canaries_of(metric)) * metric.bound.calls * len(metric.judges)
            for metric in self.with_canaries
        )

    @property
    def with_canaries(self) -> tuple[JudgedMetric, ...]:
        """The metrics that have canaries."""
        return tuple(metric for metric in self.metrics if canaries_of(metric))

    def canary_bound(self) -> LinearBound | None:
        """The most that the canaries of a run cost, over the bytes of their case, or None as `bound`."""
        base = per_byte = 0
        for metric in self.with_canaries:
            one = replace(self, metrics=(metric,)).bound(CANARY_TOKENS)
            if one is None:
                return None
            base += len(canaries_of(metric)) * one.base_nanousd
            per_byte += len(canaries_of(metric)) * one.per_byte_nanousd
        return LinearBound(base, per_byte)

    def bound(self, answer_tokens: int) -> LinearBound | None:
        """The most that judging an answer costs, over the bytes of its case; None at an unknown price."""
        base = per_byte = 0
        configs = {config.name: config for config in self.judges}
        for metric in self.metrics:
            for label in metric.judges:
                pricing = self.pricings[label]
                if pricing is None:
                    return None
                one = _call_bound(configs[label], pricing, metric.bound)
                answer = one.per_byte_nanousd * answer_tokens * BYTES_PER_TOKEN_MAX
                base += metric.bound.calls * (one.base_nanousd + answer)
                per_byte += metric.bound.calls * one.per_byte_nanousd
        return LinearBound(base, per_byte)


def canaries_of(metric: JudgedMetric) -> tuple[CanaryName, ...]:
    """The canaries of a metric that a model always judges by a prompt, from the answer; else none.

    Services of the user's own, embedders and metrics of rules that may ask a judge have none: a good score of
    theirs does not mean that somebody was talked into it.
    """
    always = metric.judges and metric.info.prompts and get_info(metric.config.type).judged
    return canary_names(metric.info) if always else ()


def _call_bound(config: ModelConfig, pricing: Pricing, bound: CallBound) -> LinearBound:
    """The bound of one call, whose prompt holds `copies` of the case and the answer beside its own text."""
    limits = judge_defaults(config, max_tokens=bound.output_tokens)
    config = replace(config, parameters={**limits, **config.parameters})
    places = "".join(f"{{{{ case_{number} }}}}" for number in range(bound.copies))
    prompt = Prompt(name=config.name, messages=(Message("user", "x" * bound.fixed_bytes + places),))
    return linear_bound(config, prompt, pricing)


def make_judging(
    metrics: Sequence[JudgedMetric], judges: Sequence[ModelConfig], table: PriceTable
) -> Judging:
    """The judges that these metrics ask, of those that there are."""
    asked = {label for metric in metrics for label in metric.judges}
    wanted = tuple(config for config in judges if config.name in asked)
    return Judging(
        metrics=tuple(metrics),
        judges=wanted,
        pricings={config.name: table.resolve(config) for config in wanted},
    )
