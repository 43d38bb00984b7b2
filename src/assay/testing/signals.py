"""Signals: what a marked test asks to be scored, as frozen values, and the cases that it is asked with."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from assay.domain.datasets import Case
from assay.domain.errors import InvalidInput
from assay.domain.scores import MetricConfig
from assay.domain.suites import DatasetSource
from assay.formats.cases import read_cases
from assay.formats.limits import check_value
from assay.formats.places import Problems, did_you_mean
from assay.formats.suite_parts import build_dataset
from assay.metrics.catalog import get_info
from assay.testing.scoring import Scorer, make_scorers, metric_configs

ARGUMENTS = ("dataset", "metrics", "repeats", "gate", "name", "fields")
RATE_ENDING = ".pass_rate"
MOST_REPEATS = 1000

Rate = Literal["mean", "pass_rate"]


@dataclass(frozen=True, slots=True)
class Gate:
    """A least mean (or share at the threshold) of a metric; of a measure that is better low, a greatest."""

    metric: str
    rate: Rate
    limit: float

    @property
    def key(self) -> str:
        """As it is written: exact, or rouge_l.pass_rate."""
        return self.metric if self.rate == "mean" else f"{self.metric}{RATE_ENDING}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The tests of one marked function; `planned` counts those that take part in this run."""

    name: str
    metrics: tuple[MetricConfig, ...]
    gates: tuple[Gate, ...] = ()
    planned: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalPlan:
    """A mark, read: the group, its metrics ready, its cases (None: the test brings its own) and repeats."""

    group: Group
    scorers: tuple[Scorer, ...]
    cases: tuple[Case, ...] | None
    repeats: int


def read_mark(name: str, arguments: Mapping[str, Any], folders: Sequence[Path]) -> SignalPlan:
    """The plan of `@pytest.mark.assay(...)`; a data set's path is looked for in `folders`, in order.

    Raises InvalidInput for what cannot be used.
    """
    for argument in arguments:
        if argument not in ARGUMENTS:
            raise InvalidInput(f"unknown{did_you_mean(argument, ARGUMENTS)}", field=argument)
    metrics = metric_configs(arguments.get("metrics", ()))
    scorers = make_scorers(metrics)
    gate = arguments.get("gate") or {}
    if not isinstance(gate, Mapping):
        raise InvalidInput("must map metrics to limits", field="gate", remedy='Write gate={"exact": 0.8}.')
    gates = parse_gates(gate.items())
    group = Group(name=str(arguments.get("name") or name), metrics=metrics, gates=gates)
    check_gates(group)
    dataset = arguments.get("dataset")
    cases = None if dataset is None else read_dataset(dataset, arguments.get("fields", {}), folders)
    repeats = check_repeats(arguments.get("repeats", 1))
    return SignalPlan(group=group, scorers=scorers, cases=cases, repeats=repeats)


def check_repeats(value: Any) -> int:
    """A number of repeats, or InvalidInput."""
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST_REPEATS:
        raise InvalidInput(f"must be a whole number from 1 to {MOST_REPEATS}, not {value!r}", field="repeats")
    return value


def parse_gates(items: Iterable[tuple[str, Any]]) -> tuple[Gate, ...]:
    """Gates from metric names (or NAME.pass_rate) and limits. Raises InvalidInput for what is no number."""
    gates = []
    for key, value in items:
        rate: Rate = "pass_rate" if key.endswith(RATE_ENDING) else "mean"
        try:
            limit = float(value)
        except (TypeError, ValueError):
            limit = float("nan")
        if not abs(limit) < float("inf"):
            raise InvalidInput(f"{value!r} is not a number", field=f"gate.{key}")
        gates.append(Gate(key.removesuffix(RATE_ENDING), rate, limit))
    return tuple(gates)


def parse_gate_texts(texts: Iterable[str], field: str) -> tuple[Gate, ...]:
    """Gates from texts METRIC=LIMIT. Raises InvalidInput."""
    pairs = []
    for text in texts:
        name, separator, limit = text.partition("=")
        if not separator or not name.strip():
            raise InvalidInput(f"{text!r} is not METRIC=LIMIT", field=field, remedy="Write exact=0.8.")
        pairs.append((name.strip(), limit.strip()))
    return parse_gates(pairs)


def check_gates(group: Group) -> None:
    """Raise InvalidInput for a gate of the group that could never be judged."""
    configs = {config.name: config for config in group.metrics}
    for gate in group.gates:
        config = configs.get(gate.metric)
        if config is None:
            raise InvalidInput(
                f"no such metric here{did_you_mean(gate.metric, configs)}", field=f"gate.{gate.key}"
            )
        check_gate(gate, config)


def check_gate(gate: Gate, config: MetricConfig) -> None:
    """Raise InvalidInput for a limit that this metric cannot have."""
    measure = get_info(config.type).kind == "measure"
    if gate.rate == "pass_rate" and config.threshold is None:
        raise InvalidInput(
            "the metric has no threshold, so nothing passes", field=f"gate.{gate.key}",
            remedy=f'Give it one: {{"{config.type}": {{"threshold": 0.5}}}}.',
        )  # fmt: skip
    if (gate.rate == "pass_rate" or not measure) and not 0.0 <= gate.limit <= 1.0:
        raise InvalidInput(f"must lie between 0 and 1, not at {gate.limit:g}", field=f"gate.{gate.key}")


def read_dataset(dataset: Any, fields: Mapping[str, str], folders: Sequence[Path]) -> tuple[Case, ...]:
    """The cases of a file, or of a list of rows. Raises InvalidInput."""
    if isinstance(dataset, str | Path):
        path = _find(Path(dataset), folders)
        return tuple(read_cases(DatasetSource(name=path.stem, path=path, fields=fields)))
    if not isinstance(dataset, list | tuple):
        raise InvalidInput("must be a file or a list of cases", field="dataset")
    try:
        check_value(dataset)
    except ValueError as problem:
        raise InvalidInput(str(problem), field="dataset") from problem
    problems = Problems("dataset", {})
    source = build_dataset({"dataset": {"cases": dataset, "fields": fields}}, Path(), "dataset", problems)
    problems.raise_any()
    return tuple(replace(case, line=None) for case in read_cases(source))


def _find(path: Path, folders: Sequence[Path]) -> Path:
    tried = [folder / path for folder in folders]
    for candidate in tried:
        if candidate.is_file():
            return candidate
    raise InvalidInput(f"there is no file {tried[0]}", field="dataset")
