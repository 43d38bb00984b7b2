"""A test run: its options, what each marked test is observed as, and the judging at its end."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from assay.domain.datasets import Case
from assay.domain.errors import InvalidInput
from assay.reports.result_tables import ResultTables
from assay.testing.gates import Verdict, judge_baseline, judge_gate, read_baseline
from assay.testing.recorder import Observation
from assay.testing.signal_log import GroupLog, SignalLog
from assay.testing.signals import Gate, SignalPlan, check_gate, parse_gate_texts

UNSCORED = "no group of tests scores this metric"
OURS = frozenset({"case", "assay_repeat"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a run is asked to hold. `gates` win over those of a mark, `general` apply where there is none."""

    gates: tuple[Gate, ...] = ()
    general: tuple[Gate, ...] = ()
    baseline: ResultTables | None = None
    margin: float | None = None


def read_options(
    gates: Sequence[str], general: Sequence[str], baseline: Path | None, margin: float | str | None
) -> Options:
    """Options from the command line and the ini file. Raises InvalidInput for those that cannot be used."""
    if baseline is not None:
        if margin in (None, ""):
            raise InvalidInput(
                "a baseline needs a margin", field="--assay-margin",
                remedy="Say which loss does not matter: --assay-margin 0.02.",
            )  # fmt: skip
        if not baseline.is_file():
            raise InvalidInput(f"there is no file {baseline}", field="--assay-baseline")
    checked = None if baseline is None else _margin(margin)
    return Options(
        gates=parse_gate_texts(gates, "--assay-gate"),
        general=parse_gate_texts(general, "assay_gate"),
        baseline=None if baseline is None else read_baseline(baseline),
        margin=checked,
    )


def _margin(value: float | str | None) -> float:
    try:
        margin = float(value or 0.0)
    except ValueError:
        margin = 0.0
    if not 0.0 < margin <= 1.0:
        raise InvalidInput(f"must lie above 0 and up to 1, not at {value}", field="--assay-margin")
    return margin


def observe(items: Sequence[Any], plans: Sequence[SignalPlan]) -> list[Observation]:
    """An observation for each marked test, its cells numbered in the order of collection."""
    planned: dict[str, int] = {}
    for plan in plans:
        planned[plan.group.name] = planned.get(plan.group.name, 0) + 1
    numbers: dict[str, dict[str, int]] = {}
    observations = []
    for item_no, (item, plan) in enumerate(zip(items, plans, strict=True)):
        case, repeat = _cell(item)
        cases = numbers.setdefault(plan.group.name, {})
        observations.append(
            Observation(
                group=replace(plan.group, planned=planned[plan.group.name]),
                scorers=plan.scorers,
                case=case,
                item_no=item_no,
                case_no=cases.setdefault(case.key, len(cases)),
                repeat=repeat,
            )
        )
    return observations


def observe_alone(item: Any) -> Observation:
    """The observation of a test without a mark: it can have invariants."""
    case, repeat = _cell(item)
    return Observation(group=None, case=case, repeat=repeat)


def _cell(item: Any) -> tuple[Case, int]:
    """Case and repeat of a test. Without a data set its parameters' id is the case's."""
    callspec = getattr(item, "callspec", None)
    if callspec is None:
        return Case(key=item.name, vars={}), 0
    repeat = callspec.params.get("assay_repeat", 0)
    given = callspec.params.get("case")
    others = callspec.params.keys() - OURS
    if isinstance(given, Case) and not others:
        return given, repeat
    key = callspec.id
    if "assay_repeat" in callspec.params:
        key = key.removesuffix(f"repeat{repeat + 1}").removesuffix("-")
    key = key or item.originalname
    return (replace(given, key=key) if isinstance(given, Case) else Case(key=key, vars={})), repeat


def judge(log: SignalLog, options: Options) -> list[Verdict]:
    """The verdicts of all gates, and of the comparison with the baseline.

    A gate of the command line or the ini file that no group can be held to is inconclusive: a name that is
    mistyped must not pass.
    """
    verdicts = []
    for name in sorted(log.groups):
        group = log.groups[name]
        verdicts += [_judge_gate(group, gate) for gate in _gates_of(group, options)]
        if options.baseline is not None and options.margin is not None:
            verdicts += judge_baseline(group, options.baseline, options.margin)
    scored = {config.name for log in log.groups.values() for config in log.group.metrics}
    asked = (*options.gates, *options.general)
    return [*verdicts, *(_open(gate, UNSCORED) for gate in asked if gate.metric not in scored)]


def _judge_gate(log: GroupLog, gate: Gate) -> Verdict:
    configs = {config.name: config for config in log.group.metrics}
    try:
        check_gate(gate, configs[gate.metric])
    except InvalidInput as problem:
        return _open(gate, problem.message, log.group.name)
    return judge_gate(log, gate)


def _gates_of(log: GroupLog, options: Options) -> list[Gate]:
    """Command line over mark over ini file, for each metric by itself."""
    names = {config.name for config in log.group.metrics}
    chosen: dict[str, Gate] = {}
    for gate in (*options.general, *log.group.gates, *options.gates):
        if gate.metric in names:
            chosen[gate.key] = gate
    return list(chosen.values())


def _open(gate: Gate, reason: str, group: str = "") -> Verdict:
    return Verdict(
        group=group,
        metric=gate.metric,
        key=gate.key,
        outcome="inconclusive",
        asked=f"{gate.key} limit {gate.limit:g}",
        found=reason,
    )
