"""The section that a test run ends with: signals in a table, gates in words, invariants counted."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from assay.reports.untrusted import one_line
from assay.reports.wording import NOTHING, digits_for, plural, range_text, value_text
from assay.testing.gates import WORDS, Verdict, summary_of
from assay.testing.signal_log import GroupLog, SignalLog

REASONS_SHOWN = 3
REASON_LIMIT = 160
HEADER = ("metric", "mean", "interval", "n", "scored", "gate")


@dataclass(frozen=True, slots=True)
class Line:
    """A line and how it is meant: plain, good, bad or open."""

    text: str
    tone: str = "plain"


TONES = {"pass": "good", "fail": "bad", "inconclusive": "open"}


def section_lines(log: SignalLog, verdicts: Sequence[Verdict], stopped: bool) -> Iterator[Line]:
    """All lines; `stopped` says that the run ended before its gates could be judged."""
    for name in sorted(log.groups):
        yield from _group_lines(log.groups[name], [each for each in verdicts if each.group == name])
    for verdict in verdicts:
        if verdict.group not in log.groups:
            yield Line(verdict.sentence, TONES[verdict.outcome])
    if stopped:
        yield Line("the run was stopped: its gates were not judged", "open")
    elif verdicts:
        counts = Counter(WORDS[verdict.outcome] for verdict in verdicts)
        yield Line("gates: " + ", ".join(f"{counts[word]} {word}" for word in WORDS.values() if counts[word]))
    if log.held or log.broken:
        yield Line(f"invariants: {log.held:,} held, {log.broken:,} broken", "bad" if log.broken else "plain")


def _group_lines(log: GroupLog, verdicts: Sequence[Verdict]) -> Iterator[Line]:
    yield Line(f"{log.group.name}  {plural(len(log.tables().keys), 'case')}, {plural(log.planned, 'cell')}")
    rows = [HEADER, *_rows(log, verdicts)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADER))]
    for row in rows:
        first, *numbers, gate = (text for text in row)
        cells = [
            first.ljust(widths[0]),
            *(t.rjust(w) for t, w in zip(numbers, widths[1:], strict=False)),
            gate,
        ]
        yield Line(("  " + "  ".join(cells)).rstrip())
    for verdict in verdicts:
        yield Line(f"  {verdict.sentence}", TONES[verdict.outcome])
    yield from _reasons(log)


def _rows(log: GroupLog, verdicts: Sequence[Verdict]) -> Iterator[tuple[str, ...]]:
    for config in log.group.metrics:
        data = log.metric(config.name)
        if data is None:
            continue
        found = summary_of(data)
        words = dict.fromkeys(WORDS[each.outcome] for each in verdicts if each.metric == config.name)
        yield (
            config.name,
            value_text(found.mean.estimate, data.info, digits_for(found.mean)),
            range_text(found.mean, data.info) or NOTHING,
            f"{found.mean.n:,}",
            f"{data.value.size:,}/{log.planned:,}",
            ", ".join(words) or NOTHING,
        )


def _reasons(log: GroupLog) -> Iterator[Line]:
    """Why scores are missing: the most frequent reasons."""
    reasons: Counter[str] = Counter()
    for result in log.ordered:
        if result.state == "failed":
            reasons[f"no output: {result.error_code}: {result.error_message}"] += 1
        elif result.state == "cancelled":
            reasons[f"skipped: {result.error_message}"] += 1
        for score in result.scores:
            if score.state != "scored":
                reasons[f"{score.metric} {score.state}: {score.reason}"] += 1
    for reason, number in reasons.most_common(REASONS_SHOWN):
        yield Line(f"  {number:,} x {one_line(reason, REASON_LIMIT)}", "open")
    lost = log.group.planned - len(log.results)
    if lost > 0:
        yield Line(f"  {plural(lost, 'test')} never ended", "open")
