"""What is promised, held against what was measured."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from measure import Measurement, Start

MEDIUM, LARGE = 10_000, 100_000
WALL_OVER_IDEAL = 1.10
CPU_MS = 2.5
MEMORY_GROWTH = 1.3
HELP_CPU_S = 0.25


@dataclass(frozen=True, slots=True)
class Verdict:
    """A target in words with the figure, and whether it is met."""

    text: str
    met: bool


def judge(done: Sequence[Measurement], start: Start | None) -> list[Verdict]:
    """A verdict for each target that the measurements touch."""
    verdicts = [verdict for each in done for verdict in _judge_run(each)]
    verdicts += _judge_memory(done)
    if start is not None:
        text = f"assay --help takes {start.help_cpu_s:.2f} CPU seconds, at most {HELP_CPU_S}"
        verdicts.append(Verdict(text, start.help_cpu_s <= HELP_CPU_S))
    return verdicts


def _judge_run(each: Measurement) -> Iterator[Verdict]:
    cases = each.load.cases
    if not each.load.fault_rate and (each.results, each.scores) != (cases, 3 * cases):
        yield Verdict(f"{cases:,} cases left {each.results} results and {each.scores} scores", False)
    if cases != MEDIUM:
        return
    ratio = each.over_ideal(each.wall_s)
    if ratio is None:
        text = f"{each.cpu_ms_each:.2f} CPU ms an evaluation at {cases:,}, at most {CPU_MS}"
        yield Verdict(text, each.cpu_ms_each <= CPU_MS)
    else:
        text = f"wall time is {ratio:.3f} x the ideal at {cases:,}, at most {WALL_OVER_IDEAL}"
        yield Verdict(text, ratio <= WALL_OVER_IDEAL)


def _judge_memory(done: Sequence[Measurement]) -> Iterator[Verdict]:
    peaks = {(each.load.latency_ms, each.load.cases): each.tree_peak_mb for each in done}
    for (latency_ms, cases), peak_mb in peaks.items():
        if cases == LARGE and (latency_ms, MEDIUM) in peaks:
            growth = peak_mb / peaks[latency_ms, MEDIUM]
            text = f"memory at {LARGE:,} ({latency_ms:g} ms) is {growth:.2f} x that at {MEDIUM:,}"
            yield Verdict(f"{text}, at most {MEMORY_GROWTH}", growth <= MEMORY_GROWTH)
