"""The metric catalog: what there is, and a checked way to make one.

Modules with heavy libraries are imported here, when a metric that needs them is made.
"""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from importlib import import_module
from math import isfinite
from types import MappingProxyType
from typing import Any

from assay.domain.errors import InvalidInput, OptionalPartMissing
from assay.domain.protocols import JudgedMetric, Metric
from assay.domain.scores import MetricConfig, MetricInfo
from assay.metrics.agent_entries import AGENT_ENTRIES
from assay.metrics.contract_entries import CONTRACT_ENTRIES
from assay.metrics.custom_entries import CUSTOM_ENTRIES
from assay.metrics.entry import Entry, MetricSpec, check_option
from assay.metrics.judged_entries import JUDGED_ENTRIES
from assay.metrics.legal_entries import LEGAL_ENTRIES
from assay.metrics.performance_entries import PERFORMANCE_ENTRIES
from assay.metrics.rag_entries import RAG_ENTRIES
from assay.metrics.real_estate_entries import REAL_ESTATE_ENTRIES
from assay.metrics.semantic_entries import LOCAL_EMBEDDER, SEMANTIC_ENTRIES
from assay.metrics.text_entries import TEXT_ENTRIES

METRICS: Mapping[str, Entry] = MappingProxyType(
    {
        entry.info.type: entry
        for entry in (
            *TEXT_ENTRIES,
            *SEMANTIC_ENTRIES,
            *JUDGED_ENTRIES,
            *RAG_ENTRIES,
            *AGENT_ENTRIES,
            *REAL_ESTATE_ENTRIES,
            *LEGAL_ENTRIES,
            *CONTRACT_ENTRIES,
            *CUSTOM_ENTRIES,
            *PERFORMANCE_ENTRIES,
        )
    }
)
"""Metric type -> its row."""


def list_metrics() -> Sequence[MetricInfo]:
    """What there is, in the order of the documentation; imports no metric."""
    return tuple(entry.info for entry in METRICS.values())


def make_metric(config: MetricConfig) -> Metric:
    """A metric that asks no model. Raises like `make_any_metric`, and InvalidInput for one that does."""
    metric = make_any_metric(config)
    if isinstance(metric, JudgedMetric):
        why = "asks a model" if metric.info.judged else "is asynchronous"
        raise InvalidInput(
            f"{config.type!r} {why}, which needs a run", field="type", remedy="Use it in a suite."
        )
    return metric


def make_any_metric(
    config: MetricConfig, judges: Sequence[str] = (), *, trusted: bool = True
) -> Metric | JudgedMetric:
    """The metric that a suite asks for; `judges` are the labels of the models that may judge, default first.

    `trusted` says that whoever wrote the suite may run code here: not so on a server that others share.

    Raises InvalidInput for an unknown type, an unknown or wrong option, a bad threshold, pattern or schema;
    OptionalPartMissing when the library that it needs is not installed.
    """
    entry = _entry(config.type)
    if entry.trusted and not trusted:
        raise InvalidInput(
            f"{config.type!r} runs code of the suite's author, which is not done here",
            field="type",
            remedy="Run the suite with the command line, or score with `http`.",
        )
    _check_threshold(config, entry.info)
    options = _complete(config, entry)
    labels = _own_label(config, judges) if entry.own_judge else _judges(entry, options, judges)
    spec = MetricSpec(info=entry.info, config=config, options=options, judges=labels)
    metric: Metric | JudgedMetric = _load(entry)(spec)
    return metric


def _own_label(config: MetricConfig, known: Sequence[str]) -> tuple[str, ...]:
    """The label of a metric's own endpoint: its name, which no judge may have."""
    if config.name in known:
        raise InvalidInput(
            f"a judge is called {config.name!r} too", field="name", remedy="Give the metric another name."
        )
    return (config.name,)


def _judges(entry: Entry, options: Mapping[str, Any], known: Sequence[str]) -> tuple[str, ...]:
    """The labels of the models that a metric asks: its embedder, jury or judge, or the first judge."""
    embedder = options.get("embedder", LOCAL_EMBEDDER)
    if embedder != LOCAL_EMBEDDER:
        return (_known_judge(embedder, known, "options.embedder"),)
    jury = options.get("jury") or options.get("judge")
    if jury is None:
        if entry.info.judged and not known:
            raise InvalidInput(
                f"{entry.info.type!r} asks a model to judge, and the suite names none",
                field="options.judge",
                remedy="List one under `judges:`, as models are listed.",
            )
        return tuple(known[:1]) if entry.info.judged else ()
    wanted = (jury,) if isinstance(jury, str) else tuple(jury)
    field = "options.jury" if options.get("jury") else "options.judge"
    return tuple(_known_judge(label, known, field) for label in wanted)


def _known_judge(label: str, known: Sequence[str], field: str) -> str:
    if label not in known:
        raise InvalidInput(
            f"there is no judge {label!r}",
            field=field,
            remedy=_suggestion(label, known) if known else "List it under `judges:`.",
        )
    return label


def get_info(type_: str) -> MetricInfo:
    """What the catalog says of a type, without loading the metric; raises InvalidInput for an unknown one."""
    return _entry(type_).info


def asks_judge(config: MetricConfig) -> bool:
    """Whether a judge has a say in a metric's scores: always, or because the option `judge` names one."""
    entry = _entry(config.type)
    return entry.info.judged or (entry.may_ask and config.options.get("judge") is not None)


def _entry(type_: str) -> Entry:
    entry = METRICS.get(type_)
    if entry is None:
        raise InvalidInput(f"there is no metric {type_!r}", field="type", remedy=_suggestion(type_, METRICS))
    return entry


def _load(entry: Entry) -> Any:
    try:
        return getattr(import_module(entry.module), entry.factory)
    except ModuleNotFoundError as error:
        raise OptionalPartMissing(
            f"the metric {entry.info.type!r} needs the library {error.name!r}",
            remedy=f"Install {error.name} in this environment.",
        ) from error


def _complete(config: MetricConfig, entry: Entry) -> Mapping[str, Any]:
    """The options that were set, checked, and the defaults of the others."""
    for name in config.options:
        if name not in entry.options:
            raise InvalidInput(
                f"the metric {entry.info.type!r} has no option {name!r}",
                field=f"options.{name}",
                remedy=_suggestion(name, entry.options),
            )
    options = {name: option.default for name, option in entry.options.items()}
    for name, option in entry.options.items():
        if config.options.get(name) is not None:
            options[name] = check_option(name, option, config.options[name])
        elif option.required:
            raise InvalidInput(f"the metric {entry.info.type!r} needs this option", field=f"options.{name}")
    return options


def _check_threshold(config: MetricConfig, info: MetricInfo) -> None:
    threshold = config.threshold
    if threshold is None:
        return
    if not isfinite(threshold):
        raise InvalidInput(f"must be a finite number, not {threshold}", field="threshold")
    if info.kind != "measure" and not 0.0 <= threshold <= 1.0:
        raise InvalidInput(f"must be between 0 and 1 for {info.type!r}, not {threshold:g}", field="threshold")


def _suggestion(name: str, known: Iterable[str]) -> str:
    """The nearest known name, or all of them."""
    names = list(known)
    near = get_close_matches(name, names, n=1)
    if near:
        return f"Did you mean {near[0]!r}?"
    return f"There are: {', '.join(names)}." if names else "It has no options."
