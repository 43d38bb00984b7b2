"""Numbers and names as a reader wants them: as many digits as the uncertainty allows, units, short labels."""

import math
from collections.abc import Sequence

from assay.domain.scores import MetricInfo
from assay.reports.values import CandidateSummary, RunSummary
from assay.stats.comparison import Comparison
from assay.stats.estimates import Interval

NOTHING = "\N{EN DASH}"


def digits_for(interval: Interval) -> int:
    """Decimals worth showing of a score: two, more only where the interval is narrow."""
    if interval.low is None or interval.high is None:
        return 2
    width = interval.high - interval.low
    return 2 if width >= 0.02 else 3 if width >= 0.002 else 4


def score(value: float, digits: int = 2) -> str:
    """A score in [0, 1]; a mean that is not 1 (or 0) is never rounded to it."""
    text = f"{value:.{digits}f}"
    if float(text) in (0.0, 1.0) and value != float(text):
        return f">{1 - 10**-digits:.{digits}f}" if value > 0.5 else f"<{10**-digits:.{digits}f}"
    return text


def signed(value: float, digits: int = 2) -> str:
    """A difference with its sign; a zero has none."""
    text = f"{value:+.{digits}f}"
    return text[1:] if float(text) == 0.0 else text.replace("-", "\N{MINUS SIGN}")


def signed_range(interval: Interval) -> str:
    """A difference with its bounds: +0.31 [0.20, 0.42]."""
    if interval.estimate is None:
        return NOTHING
    digits = digits_for(interval)
    if interval.low is None or interval.high is None:
        return signed(interval.estimate, digits)
    bounds = f"[{_plain(interval.low, digits)}, {_plain(interval.high, digits)}]"
    return f"{signed(interval.estimate, digits)} {bounds}"


def value_text(value: float | None, info: MetricInfo, digits: int = 2) -> str:
    """A metric's value with its unit."""
    if value is None:
        return NOTHING
    if info.kind != "measure":
        return score(value, digits)
    return measure(value, info.unit)


def range_text(interval: Interval, info: MetricInfo) -> str:
    """The bounds of a metric's mean: "0.73 to 0.90"; empty when there are none."""
    if interval.low is None or interval.high is None:
        return ""
    digits = digits_for(interval)
    low, high = value_text(interval.low, info, digits), value_text(interval.high, info, digits)
    unit = low.rpartition(" ")[2]
    if " " in low and high.endswith(f" {unit}"):
        low = low.removesuffix(f" {unit}")
    return f"{low}{NOTHING}{high}"


def measure(value: float, unit: str | None) -> str:
    """A number with its unit, three digits long where that is enough."""
    if unit == "ms":
        return duration(value)
    if unit is not None and unit.lower() == "usd":
        return dollars(value)
    return f"{significant(value)} {unit}" if unit else significant(value)


def significant(value: float) -> str:
    """Three significant digits, thousands apart, no exponent for what a person reads as a number."""
    size = abs(value)
    if size >= 100 or value == int(value):
        return f"{value:,.0f}" if size < 1e12 else f"{value:.2e}"
    return f"{value:.3g}"


def duration(milliseconds: float) -> str:
    """0.8 ms, 812 ms, 1.42 s, 75.1 s, 3.1 min."""
    if abs(milliseconds) < 999.5:
        return f"{milliseconds:.0f} ms" if abs(milliseconds) >= 9.95 else f"{milliseconds:.1f} ms"
    seconds = milliseconds / 1000.0
    if seconds < 9.995:
        return f"{seconds:.2f} s"
    return f"{seconds:.1f} s" if seconds < 120 else f"{seconds / 60:.1f} min"


def dollars(usd: float) -> str:
    """US dollars: cents where these are enough, otherwise two significant digits, never an exponent."""
    if usd == 0:
        return "$0"
    if abs(usd) >= 1:
        return f"${usd:,.2f}"
    digits = max(3, 1 - math.floor(math.log10(abs(usd))))
    return f"${usd:.{digits}f}"


def count(number: int) -> str:
    """A number of things: exact up to 9,999, then 12.3k and 4.56M."""
    if number < 10_000:
        return f"{number:,}"
    if number < 999_950:
        return f"{number / 1000:.1f}k"
    return f"{number / 1_000_000:.2f}M"


def percent(share: float) -> str:
    """A share in per cent; not everything is never "100%", something never "0%"."""
    if 0.0 < share < 0.01:
        return "<1%"
    return ">99%" if 0.99 < share < 1.0 else f"{100 * share:.0f}%"


def p_text(p: float) -> str:
    """p=0.032, or p<0.001."""
    return "p<0.001" if p < 0.001 else f"p={p:.3f}" if p < 0.0995 else f"p={p:.2f}"


def adjusted_p(comparison: Comparison) -> float:
    """The p that the verdict rests on."""
    return comparison.p if comparison.p_adjusted is None else comparison.p_adjusted


def run_size(summary: RunSummary) -> str:
    """How much a report is about: "288 cells of 4 candidates, 95% intervals"."""
    cells, candidates = plural(summary.planned, "cell"), plural(len(summary.candidates), "candidate")
    return f"{cells} of {candidates}, {percent(summary.level)} intervals"


def plural(number: int, noun: str, many: str | None = None) -> str:
    """1 case, 2 cases."""
    return f"{number:,} {noun if number == 1 else many or noun + 's'}"


def listed(names: Sequence[str]) -> str:
    """a, b and c."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def judge_cost(candidate: CandidateSummary) -> str | None:
    """What the judges of a candidate cost, in words; None when none was asked."""
    if not candidate.judge_calls:
        return None
    more = "+?" if candidate.unknown_judge_costs else ""
    return f"{dollars(candidate.judge_cost_usd)}{more} judges"


def candidate_labels(pairs: Sequence[tuple[str, str]]) -> list[str]:
    """Short, unique names of (prompt, model) pairs: only what tells them apart."""
    prompts, models = {prompt for prompt, _ in pairs}, {model for _, model in pairs}
    if len(pairs) > 1 and len(models) == 1:
        return [prompt for prompt, _ in pairs]
    if len(pairs) > 1 and len(prompts) == 1:
        return [model for _, model in pairs]
    return [f"{prompt} \N{MIDDLE DOT} {model}" for prompt, model in pairs]


def _plain(value: float, digits: int) -> str:
    return signed(value, digits).removeprefix("+")
