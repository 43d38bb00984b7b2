"""A gate: may the candidate replace the baseline? From two tables of results to one verdict."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from assay.domain.errors import Conflict, InvalidInput
from assay.domain.scores import MetricInfo
from assay.formats.result_tables import MEASURES, CandidateTable, MetricFacts, ResultTable
from assay.metrics.catalog import METRICS
from assay.reports.gate import GateCheck, GateReport, GateSide
from assay.services.gate_pairs import (
    UNCACHED,
    CandidatePair,
    Cells,
    CommonCases,
    cells_of,
    common_cases,
    differences,
    has_metric,
    pair_candidates,
    settle_skipped,
    values_of,
)
from assay.stats.errors import StatisticsError
from assay.stats.estimates import not_estimable
from assay.stats.gates import GateEvidence, GateRule, decide, weigh, worst_of

DEFAULT_MARGIN = 0.02
Better = Literal["higher", "lower"]


@dataclass(frozen=True, slots=True)
class MetricMargin:
    """A metric to gate; without a margin the gate's own. `relative`: a share of the baseline's mean."""

    name: str
    margin: float | None = None
    relative: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GatePolicy:
    """What is asked of a gate.

    `metrics` empty: every quality metric of the baseline. `margin` None: that of the baseline's suite, else
    0.02; the candidate's does not count, since the change that is judged could have widened it. `better`:
    which way is better, of measures of which neither file nor catalog says it. `force`: gate although data
    sets or metrics differ.
    """

    metrics: tuple[MetricMargin, ...] = ()
    margin: float | None = None
    alpha: float = 0.05
    fail_on: Literal["margin", "any-loss"] = "margin"
    better: Mapping[str, Better] = field(default_factory=dict)
    candidate: str | None = None
    baseline_candidate: str | None = None
    force: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Check:
    """A check before the outcomes of all are decided together."""

    pair: CandidatePair
    info: MetricInfo
    name: str
    rule: GateRule
    evidence: GateEvidence
    sides: tuple[GateSide, GateSide]


def gate_tables(candidate: ResultTable, baseline: ResultTable, policy: GatePolicy) -> GateReport:
    """Hold every candidate that is on both sides against the baseline, metric by metric.

    The worst outcome counts. Raises Conflict when data sets, cases or metrics differ, unless forced; then
    the cases of both are paired by id and the notes say it. Raises InvalidInput for metrics and candidates
    that are not there.
    """
    pairs, notes = pair_candidates(candidate, baseline, (policy.candidate, policy.baseline_candidate))
    _refuse_itself(candidate, baseline, pairs)
    asked, new = _asked(candidate, baseline, policy)
    differ = differences(candidate, baseline, [each.name for each in asked])
    if differ and not policy.force:
        raise Conflict(
            "; ".join(differ),
            remedy="Run the baseline anew on this data set, or gate what both have with --force.",
        )
    common = common_cases(candidate, baseline)
    if not common.count:
        raise Conflict("no case is on both sides", remedy="Gate results of the same data set.")
    checks = _decided(
        [_check(pair, each, (candidate, baseline), common, policy) for pair in pairs for each in asked]
    )
    return GateReport(
        candidate=candidate.source,
        baseline=baseline.source,
        outcome=worst_of([check.outcome for check in checks]),
        checks=checks,
        notes=(
            *_flagged((candidate, baseline), asked),
            *[f"forced: {each}" for each in differ],
            *notes,
            *new,
        ),
        alpha=policy.alpha,
        fail_on=policy.fail_on,
    )


def _flagged(tables: tuple[ResultTable, ResultTable], asked: list[MetricMargin]) -> list[str]:
    """A note for each side and metric whose judge was talked into a score of an answer that deserves none."""
    names = {each.name for each in asked}
    return [
        f"judge flagged: {name} of the {side} gave a good score to an answer that deserves none: "
        "what this gate says of it cannot be trusted"
        for side, table in zip(("candidate", "baseline"), tables, strict=True)
        for name, facts in table.facts.metrics.items()
        if facts.judge_flagged and name in names
    ]


def _decided(checks: list[_Check]) -> tuple[GateCheck, ...]:
    """The outcomes of all checks together: failing is corrected over them."""
    decisions = decide([check.evidence for check in checks], [check.rule for check in checks])
    return tuple(
        GateCheck(
            candidate=check.pair.label,
            metric=check.name,
            info=check.info,
            outcome=decision.outcome,
            doubt=decision.doubt,
            margin=check.rule.margin,
            relative=check.rule.relative,
            baseline=check.sides[1],
            tested=check.sides[0],
            change=check.evidence.change,
            bounds=check.evidence.bounds,
            p_pass=decision.p_pass,
            p_fail_adjusted=decision.p_fail_adjusted,
            cases_needed=decision.cases_needed,
        )
        for check, decision in zip(checks, decisions, strict=True)
    )


def _refuse_itself(candidate: ResultTable, baseline: ResultTable, pairs: list[CandidatePair]) -> None:
    """A gate that compares something with itself passes whatever it is: a mistake of whoever set it up."""
    jobs = candidate.facts.job, baseline.facts.job
    if candidate.source != baseline.source and (None in jobs or jobs[0] != jobs[1]):
        return
    if any(
        (pair.candidate.prompt, pair.candidate.model) == (pair.baseline.prompt, pair.baseline.model)
        for pair in pairs
    ):
        raise InvalidInput(
            f"{candidate.source} is held against itself",
            field="--baseline",
            remedy="Give another job or file, or two candidates of it: --candidate, --baseline-candidate.",
        )


def _asked(
    candidate: ResultTable, baseline: ResultTable, policy: GatePolicy
) -> tuple[list[MetricMargin], list[str]]:
    """The metrics to gate, and notes on those that are new in the candidate."""
    known = dict.fromkeys([*baseline.metrics, *candidate.metrics, *MEASURES])
    for each in policy.metrics:
        if each.name not in known:
            raise InvalidInput(
                f"no side has a metric {each.name!r}",
                field="--metric",
                remedy=f"There is: {', '.join(known)}",
            )
    if policy.metrics:
        return list(policy.metrics), []
    names = [name for name in baseline.metrics if _kind(name, candidate, baseline, policy) != "measure"]
    if not names:
        raise InvalidInput(
            "the baseline has no quality metric",
            remedy="Name measures with their margins, such as --metric latency_ms=20%",
        )
    new = [name for name in candidate.metrics if name not in baseline.metrics]
    return [MetricMargin(name) for name in names], [
        f"metric {name} is new: the baseline has none, so that it was not gated" for name in new
    ]


def _kind(name: str, candidate: ResultTable, baseline: ResultTable, policy: GatePolicy) -> str:
    return _info(name, candidate, baseline, policy).kind


def _info(name: str, candidate: ResultTable, baseline: ResultTable, policy: GatePolicy) -> MetricInfo:
    """What a metric is: by what the sources say, else by the catalog, else by its values."""
    facts = baseline.facts.metrics.get(name) or MetricFacts()
    if facts.kind is None:
        facts = candidate.facts.metrics.get(name) or MetricFacts()
    if name in MEASURES:
        return METRICS[name].info
    better = policy.better.get(name, facts.better or "higher")
    if facts.kind is not None:
        return _made(name, facts, better)
    values = [values_of(each, name) for table in (candidate, baseline) for each in _having(table, name)]
    seen = np.concatenate(values) if values else np.empty(0)
    listed = METRICS.get(name)
    if listed is not None and _fits(seen, listed.info.kind):
        return replace(listed.info, better=policy.better.get(name, listed.info.better))
    kinds: tuple[Literal["binary", "unit", "measure"], ...] = ("binary", "unit", "measure")
    kind = next(kind for kind in kinds if _fits(seen, kind))
    return _made(name, MetricFacts(kind=kind, type=name), better)


def _made(name: str, facts: MetricFacts, better: Better) -> MetricInfo:
    return MetricInfo(
        type=facts.type or name,
        version=facts.version or "",
        kind=facts.kind or "unit",
        summary="",
        needs=(),
        source="",
        unit=facts.unit,
        better=better,
    )


def _having(table: ResultTable, name: str) -> list[CandidateTable]:
    return [each for each in table.candidates if has_metric(each, name)]


def _fits(values: "np.ndarray[tuple[int], np.dtype[np.float64]]", kind: str) -> bool:
    if kind == "binary":
        return bool(np.all((values == 0.0) | (values == 1.0)))
    return kind == "measure" or bool(np.all((values >= 0.0) & (values <= 1.0)))


def _check(
    pair: CandidatePair,
    asked: MetricMargin,
    tables: tuple[ResultTable, ResultTable],
    common: CommonCases,
    policy: GatePolicy,
) -> _Check:
    info = _info(asked.name, *tables, policy)
    rule = _rule(asked, info, tables, policy)
    lacking = [
        name
        for table, name in ((pair.candidate, "candidate"), (pair.baseline, "baseline"))
        if not has_metric(table, asked.name)
    ]
    if lacking:
        reason = f"the {lacking[0]} has no metric {asked.name!r}"
        nothing = GateSide(mean=None, scored=0, planned=0)
        return _Check(
            pair=pair, info=info, name=asked.name, rule=rule, evidence=_no_evidence(reason, rule),
            sides=(nothing, nothing),
        )  # fmt: skip
    uncached = info.type in UNCACHED
    ours, theirs = settle_skipped(
        cells_of(pair.candidate, asked.name, uncached, common.candidate, common.count),
        cells_of(pair.baseline, asked.name, uncached, common.baseline, common.count),
    )
    try:
        evidence = weigh(theirs.scores, ours.scores, rule, common.clusters)
    except StatisticsError as problem:
        raise InvalidInput(f"metric {asked.name} cannot be gated: {problem}") from problem
    return _Check(
        pair=pair,
        info=info,
        name=asked.name,
        rule=rule,
        evidence=evidence,
        sides=(_side(ours, evidence.candidate_mean), _side(theirs, evidence.baseline_mean)),
    )


def _rule(
    asked: MetricMargin, info: MetricInfo, tables: tuple[ResultTable, ResultTable], policy: GatePolicy
) -> GateRule:
    if info.kind == "measure":
        margin = _margin_of_measure(asked, info, policy)
    elif asked.relative:
        raise InvalidInput(
            f"{asked.name} is a score in [0, 1]: its margin is in points, not in per cent",
            field="--metric",
            remedy=f"Two points are --metric {asked.name}=0.02",
        )
    else:
        margin = asked.margin or policy.margin or tables[1].facts.margin or DEFAULT_MARGIN
        if margin >= 1.0:
            raise InvalidInput(
                f"a margin of {margin:g} allows every loss of a score in [0, 1]",
                field="--metric",
                remedy=f"Two points are --metric {asked.name}=0.02",
            )
    return GateRule(
        kind="real" if info.kind == "measure" else info.kind,
        margin=margin,
        relative=asked.relative,
        lower_is_better=info.better == "lower",
        alpha=policy.alpha,
        fail_on_any_loss=policy.fail_on == "any-loss",
    )


def _margin_of_measure(asked: MetricMargin, info: MetricInfo, policy: GatePolicy) -> float:
    if asked.margin is None:
        unit = f" ({info.unit})" if info.unit else ""
        raise InvalidInput(
            f"{asked.name} is a measure{unit} and needs a margin of its own",
            field="--metric",
            remedy=f"Write --metric {asked.name}=10% or, in its unit, --metric {asked.name}=200",
        )
    if info.type == asked.name and asked.name not in METRICS and asked.name not in policy.better:
        raise InvalidInput(
            f"{asked.name} has values outside [0, 1], and nothing says whether more of it is better",
            field="--better",
            remedy=f"Write --better {asked.name}=lower or --better {asked.name}=higher",
        )
    return asked.margin


def _no_evidence(reason: str, rule: GateRule) -> GateEvidence:
    return GateEvidence(
        change=not_estimable(reason, estimate=None, level=1.0 - 2.0 * rule.alpha, method="none", n=0),
        bounds=None,
        baseline_mean=None,
        candidate_mean=None,
        p_pass=1.0,
        p_fail=1.0,
        observed_p_pass=1.0,
        observed_p_fail=1.0,
        case_variance=None,
        doubt="unknown",
    )


def _side(cells: Cells, mean: float | None) -> GateSide:
    scored, missing = int(cells.scores.scored.sum()), int(cells.scores.missing.sum())
    return GateSide(mean=mean, scored=scored, planned=scored + missing, missing=cells.missing_why)


def metric_margin(text: str) -> MetricMargin:
    """NAME, NAME=0.05, NAME=200 or NAME=10%, as on a command line. A name may hold an equals sign."""
    name, separator, amount = text.rpartition("=")
    if not separator:
        return MetricMargin(text)
    relative = amount.endswith("%")
    try:
        margin = float(amount.removesuffix("%")) / (100.0 if relative else 1.0)
    except ValueError:
        margin = -1.0
    if not name or not 0.0 < margin < float("inf"):
        raise InvalidInput(
            f"{text!r} is not NAME or NAME=MARGIN",
            field="--metric",
            remedy="A margin is a positive number, or per cent: exact=0.02, cost_usd=10%",
        )
    return MetricMargin(name, margin, relative)
