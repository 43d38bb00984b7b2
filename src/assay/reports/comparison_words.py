"""Differences, families and verdicts of a comparison in words."""

from collections import Counter
from collections.abc import Sequence

from assay.domain.scores import MetricInfo
from assay.reports.comparison_values import Pair, Scheme
from assay.reports.wording import (
    NOTHING,
    adjusted_p,
    listed,
    measure,
    p_text,
    plural,
    range_text,
    signed_range,
    value_text,
)
from assay.stats.comparison import Comparison
from assay.stats.estimates import Interval
from assay.stats.multiplicity import Method

METHODS: dict[Method, str] = {"holm": "Holm", "bh": "Benjamini-Hochberg", "hochberg": "Hochberg", "by": "BY"}
_MINUS = "\N{MINUS SIGN}"


def difference_text(interval: Interval, info: MetricInfo) -> str:
    """A difference with its bounds; a dash where there are no bounds: alone the number would pretend."""
    if interval.estimate is None or interval.low is None or interval.high is None:
        return NOTHING
    if info.kind != "measure":
        return signed_range(interval)
    low, high = (_signed_measure(end, info) for end in (interval.low, interval.high))
    return f"{_signed_measure(interval.estimate, info)} [{low}, {high}]"


def mean_text(interval: Interval, info: MetricInfo) -> str:
    """A mean with its bounds: "0.83 (0.73 to 0.90)"."""
    bounds = range_text(interval, info).replace(NOTHING, " to ")
    text = value_text(interval.estimate, info)
    return f"{text} ({bounds})" if bounds else text


def p_of(comparison: Comparison) -> str:
    """The p that the verdict rests on; a dash where nothing could be tested."""
    return p_text(adjusted_p(comparison)) if comparison.interval.estimable else NOTHING


def why_unknown(comparison: Comparison) -> str:
    """Why there is no interval; empty where there is one."""
    if comparison.interval.estimable:
        return ""
    return comparison.interval.reason or "no interval"


def moved_text(pair: Pair) -> str:
    """How many cases moved which way, and with repeats how many got worse beyond chance."""
    movement = pair.movement
    moved = f"{movement.improved:,} better, {movement.worsened:,} worse, {movement.same:,} the same"
    if pair.regressed is None:
        return moved
    return f"{moved}; {len(pair.regressed):,} worse beyond what flaky answers do (Fisher, BH)"


def tallied(answers: Sequence[str]) -> tuple[str, ...]:
    """Equal answers of several repeats once, with their number."""
    return tuple(
        f"{answer} (\N{MULTIPLICATION SIGN}{number})" if number > 1 else answer
        for answer, number in Counter(answers).items()
    )


def pair_sentence(metric: str, names: tuple[str, str], comparison: Comparison, info: MetricInfo) -> str:
    """A pair in words; `names` are candidate and baseline."""
    candidate, baseline = names
    clusters = "" if comparison.clusters is None else f" in {plural(comparison.clusters, 'cluster')}"
    count = f"n={comparison.n:,}{clusters}"
    if not comparison.interval.estimable:
        why = why_unknown(comparison)
        return f"{candidate} and {baseline} cannot be compared on {metric}: {why} ({count})"
    p = adjusted_p(comparison)
    adjusted = "" if p == comparison.p else "adjusted "
    found, basis = difference_text(comparison.interval, info), f"({count}, {adjusted}{p_text(p)})"
    if comparison.verdict == "better":
        return f"{candidate} beats {baseline} on {metric} by {found} {basis}"
    if comparison.verdict == "worse":
        return f"{candidate} is worse than {baseline} on {metric}: {found} {basis}"
    if comparison.verdict == "equivalent":
        within = f"within \N{PLUS-MINUS SIGN}{comparison.margin:g}"
        return f"{candidate} is equivalent to {baseline} on {metric} {within}: {found} ({count})"
    return f"no difference between {candidate} and {baseline} could be shown on {metric}: {found} {basis}"


def outlook(more_cases: int | None, delta: float) -> str:
    """What more cases would bring; planned for 80% power with the variance seen so far."""
    if more_cases is None:
        return ""
    if more_cases:
        return f"; about {more_cases:,} more cases would be needed to see {delta:g}"
    return f"; a true difference of {delta:g} or more would most likely have shown"


def family_text(scheme: Scheme, method: Method, size: int, tests: int) -> str:
    """Which tests were adjusted for one another: "Holm over all 6 pairs of this metric"."""
    name = METHODS[method]
    if size <= 1:
        return "one test, nothing to adjust" if size else "nothing could be tested"
    if scheme == "leader":
        return (
            f"{name} over all {size} pairs of this metric: {tests} are shown, those with the leader, "
            "and because the scores chose it the others count too"
        )
    which = {
        "all_pairs": f"all {size} pairs",
        "counterparts": f"the {size} pairs of namesakes",
        "baseline": f"the {size} pairs with the baseline",
    }[scheme]
    return f"{name} over {which} of this metric"


def metric_sentence(metric: str, scheme: Scheme, pairs: Sequence[Pair], labels: Sequence[str]) -> str:
    """What the pairs of a metric amount to."""
    if not pairs:
        return f"Nothing can be compared on {metric}."
    if len(pairs) == 1:
        text = pairs[0].sentence
        return f"{text[0].upper()}{text[1:]}." if text.startswith("no difference") else f"{text}."
    if not any(pair.tested for pair in pairs):
        reasons = dict.fromkeys(why_unknown(pair.comparison) for pair in pairs)
        return f"Nothing could be tested on {metric}: {listed(list(reasons))}."
    if scheme in ("all_pairs", "leader"):
        return _best_sentence(metric, pairs, labels)
    words = [
        f"{len(found)} {verdict} ({_some([labels[pair.candidate] for pair in found])})"
        for verdict in ("better", "worse", "equivalent", "inconclusive")
        if (found := [pair for pair in pairs if pair.comparison.verdict == verdict])
    ]
    against = labels[pairs[0].baseline] if scheme == "baseline" else "their namesakes in the first job"
    return f"On {metric}, against {against}: {', '.join(words)}."


def _best_sentence(metric: str, pairs: Sequence[Pair], labels: Sequence[str]) -> str:
    beaten: dict[int, list[int]] = {}
    for pair in pairs:
        if pair.comparison.verdict == "better":
            beaten.setdefault(pair.candidate, []).append(pair.baseline)
        elif pair.comparison.verdict == "worse":
            beaten.setdefault(pair.baseline, []).append(pair.candidate)
    sides = {side for pair in pairs for side in (pair.baseline, pair.candidate)}
    best = next((side for side, others in beaten.items() if len(others) == len(sides) - 1), None)
    if best is not None:
        return f"{labels[best]} is best on {metric}: better than each of the {len(sides) - 1} others."
    shown = sum(len(others) for others in beaten.values())
    same = sum(1 for pair in pairs if pair.comparison.verdict == "equivalent")
    parts = [f"{shown} of {len(pairs)} differences shown"]
    if same:
        parts.append(f"{plural(same, 'pair')} equivalent")
    return f"No winner on {metric}: {', '.join(parts)}."


def _some(names: Sequence[str], limit: int = 4) -> str:
    if len(names) <= limit:
        return listed(names)
    return listed([*names[: limit - 1], f"{len(names) - limit + 1} others"])


def _signed_measure(value: float, info: MetricInfo) -> str:
    text = measure(abs(value), info.unit)
    return text if value == 0 else f"{'+' if value > 0 else _MINUS}{text}"
