"""How many cases or repeats a comparison needs: from stored scores, a result file, or assumptions."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import numpy.typing as npt

from assay.domain.errors import InvalidInput
from assay.formats.results import read_results
from assay.metrics.catalog import METRICS
from assay.reports.aggregate import CaseScores, by_case, kind_of
from assay.reports.plan import Basis, SamplePlan, Wish
from assay.reports.plan_options import plan_from
from assay.reports.result_tables import tables_of
from assay.reports.values import CandidateData, MetricData
from assay.reports.wording import candidate_labels, listed, plural
from assay.services.context import Context
from assay.services.summaries import read_tables
from assay.stats.arrays import Kind
from assay.stats.paired import paired_difference, paired_scores
from assay.stats.power import independent_discordance, pilot_variance
from assay.stats.repeats import group_repeats
from assay.storage import jobs as stored

LEAST_UNITS = 10
"""From fewer independent cases (or clusters) no variance is read: it could be off by half and more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumptions:
    """What is assumed where nothing was measured: a pass rate (and discordance), or variances."""

    rate: float | None = None
    discordance: float | None = None
    variance: float | None = None
    noise: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pair:
    """Two candidates on the cases that both have a score of; differences are second minus first."""

    labels: tuple[str, str]
    data: tuple[MetricData, MetricData]
    case_no: npt.NDArray[np.int32]
    first: npt.NDArray[np.float64]
    second: npt.NDArray[np.float64]
    cluster: npt.NDArray[np.int64] | None
    kind: Kind
    cost_usd: float | None

    @property
    def differences(self) -> npt.NDArray[np.float64]:
        return self.second - self.first


@dataclass(frozen=True, slots=True)
class _Noise:
    """Variance of an answer round its case's mean, and its share in the mean of a case's answers."""

    variance: float
    share: float


async def plan_job(context: Context, job_id: UUID, wish: Wish) -> SamplePlan:
    """Plan from a stored job. Raises InvalidInput for a metric or candidate that it does not have."""
    async with context.database.transaction(context.organization_id) as connection:
        job = await stored.get_job(connection, context.organization_id, job_id)
        tables = await read_tables(connection, context.organization_id, job)
    return plan_tables(job.name, tables.candidates(), tables.metrics(), wish)


def plan_file(path: Path, wish: Wish) -> SamplePlan:
    """Plan from a result file (.jsonl or .json). Raises InvalidInput as `plan_job` does."""
    infos = {name: entry.info for name, entry in METRICS.items()}
    tables = tables_of(read_results(path), infos=infos)
    return plan_tables(path.name, tables.candidates, tables.metrics, wish)


def plan_assumed(assumed: Assumptions, wish: Wish) -> SamplePlan:
    """Plan from assumptions alone. Raises InvalidInput for those that contradict one another."""
    if (assumed.rate is None) == (assumed.variance is None):
        raise InvalidInput(
            "assume either a pass rate or a variance",
            remedy="Give --assume-rate 0.7 and perhaps --discordance 0.2, or --assume-variance 0.1.",
        )
    return plan_from(
        wish, _assumed_rate(assumed, wish) if assumed.rate is not None else _assumed_variance(assumed)
    )


def plan_tables(
    source: str, candidates: Sequence[CandidateData], metrics: Sequence[MetricData], wish: Wish
) -> SamplePlan:
    """Plan from the columns of a job, two candidates paired by case."""
    metric = _metric(metrics, wish.metric)
    graded = next(data for data in metrics if data.metric == metric).info.kind != "measure"
    if graded and (wish.difference or 0.0) > 1.0:
        raise InvalidInput(
            f"scores of {metric} lie in [0, 1]: they cannot differ by {wish.difference:g}",
            field="--difference",
        )
    labels = candidate_labels([(data.prompt, data.model) for data in candidates])
    scored = [data for data in metrics if data.metric == metric and data.value.size]
    pairs = _pairs(scored, candidates, labels, wish)
    if not pairs:
        found = listed([labels[data.candidate] for data in scored]) if scored else "no candidate"
        reason = (
            f"There is nothing to pair: only {found} has scores on {metric}. Run a second prompt or model on "
            "the same cases, or plan from assumptions (--assume-rate, --assume-variance)."
        )
        return SamplePlan(wish=wish, basis=Basis(source=source, metric=metric), reason=reason)
    refused = [_refusal(pair) for pair in pairs]
    usable = [pair for pair, reason in zip(pairs, refused, strict=True) if reason is None]
    if not usable:
        return SamplePlan(wish=wish, basis=_basis_of(source, pairs[0]), reason=refused[0])
    bases = [_measured(source, pair) for pair in usable]
    chosen = max(bases, key=lambda basis: basis.variance or 0.0)
    plan = plan_from(wish, chosen)
    return replace(plan, notes=(*_choice_notes(chosen, len(pairs), wish), *plan.notes))


def plan_document(plan: SamplePlan) -> dict[str, Any]:
    """The plan for programs; null is unknown, or not plannable for the `reason`."""
    return asdict(plan)


def _metric(metrics: Sequence[MetricData], wanted: str | None) -> str:
    names = list(dict.fromkeys(data.metric for data in metrics if data.value.size))
    if wanted is not None:
        if wanted not in names:
            raise InvalidInput(
                f"there is no score of {wanted!r}",
                field="--metric",
                remedy=f"There is: {', '.join(names) or 'none at all'}",
            )
        return wanted
    quality = [data.metric for data in metrics if data.info.kind != "measure" and data.value.size]
    if not quality:
        raise InvalidInput(
            "no quality metric has a score", remedy="Name a measure with --metric, or plan from assumptions."
        )
    return quality[0]


def _pairs(
    scored: Sequence[MetricData], candidates: Sequence[CandidateData], labels: Sequence[str], wish: Wish
) -> list[_Pair]:
    if wish.candidates is not None:
        unknown = [name for name in wish.candidates if name not in labels]
        if unknown:
            raise InvalidInput(
                f"there is no candidate {unknown[0]!r}",
                field="--candidates",
                remedy=f"There is: {', '.join(labels)}",
            )
        scored = [data for name in wish.candidates for data in scored if labels[data.candidate] == name]
    return [_pair(one, other, candidates, labels) for one, other in combinations(scored, 2)]


def _pair(
    one: MetricData, other: MetricData, candidates: Sequence[CandidateData], labels: Sequence[str]
) -> _Pair:
    first, second = by_case(one), by_case(other)
    common, here, there = np.intersect1d(
        first.case_no, second.case_no, assume_unique=True, return_indices=True
    )
    prices = [_price(candidates[data.candidate]) for data in (one, other)]
    return _Pair(
        labels=(labels[one.candidate], labels[other.candidate]),
        data=(one, other),
        case_no=common,
        first=first.value[here],
        second=second.value[there],
        cluster=None if first.cluster is None else first.cluster[here],
        kind=_kind(one, first, second),
        cost_usd=None if prices[0] is None or prices[1] is None else prices[0] + prices[1],
    )


def _kind(data: MetricData, first: CaseScores, second: CaseScores) -> Kind:
    return kind_of(data, first.repeated or second.repeated)


def _price(candidate: CandidateData) -> float | None:
    """US dollars an answer, cached ones left out since a new run would pay for them."""
    if candidate.unknown_costs:
        return None
    paid = candidate.succeeded - candidate.cached
    return candidate.cost_nanousd / 1e9 / paid if paid > 0 else None


def _refusal(pair: _Pair) -> str | None:
    """Why these pairs tell no variance; None where they do."""
    one, other = pair.labels
    metric, n = pair.data[0].metric, pair.case_no.size
    more = "Run more cases, or plan from assumptions (--assume-rate, --assume-variance)."
    if n == 0:
        return f"No case has a score on {metric} of both {one} and {other}: there are no pairs. {more}"
    if n < LEAST_UNITS:
        return (
            f"{plural(n, 'case')} with a score of both {one} and {other} on {metric}: from fewer than "
            f"{LEAST_UNITS} the variance cannot be told. {more}"
        )
    clusters = paired_scores(pair.first, pair.second, pair.kind, pair.cluster).clusters
    if clusters is not None and clusters < LEAST_UNITS:
        return (
            f"The {n:,} cases come from {plural(clusters, 'cluster')}: from fewer than {LEAST_UNITS} the "
            f"variance between clusters cannot be told. Run cases of more sources, or plan from assumptions."
        )
    differences = pair.differences
    if float(np.ptp(differences)) > 1e-12:
        return None
    if abs(float(differences[0])) <= 1e-12:
        return (
            f"{one} and {other} score the same on {metric} on every one of the {n:,} cases: no variance was "
            f"seen, so nothing can be planned from them. Take harder cases, or plan from assumptions."
        )
    return (
        f"{other} differs from {one} on {metric} by the same {float(differences[0]):+.3g} on each of the "
        f"{n:,} cases: no variance was seen, so nothing can be planned from them."
    )


def _basis_of(source: str, pair: _Pair) -> Basis:
    differences = pair.differences
    return Basis(
        source=source,
        metric=pair.data[0].metric,
        unit=pair.data[0].info.unit,
        first=pair.labels[0],
        second=pair.labels[1],
        cases=int(pair.case_no.size),
        clusters=paired_scores(pair.first, pair.second, pair.kind, pair.cluster).clusters,
        repeats=max(1, round(float(np.mean([_answers(data, pair.case_no) for data in pair.data])))),
        gains=int(np.count_nonzero(differences > 0)),
        losses=int(np.count_nonzero(differences < 0)),
        cost_usd=pair.cost_usd,
    )


def _answers(data: MetricData, case_no: npt.NDArray[np.int32]) -> float:
    """Scored answers a case."""
    return float(np.isin(data.case_no, case_no).sum()) / max(1, case_no.size)


def _measured(source: str, pair: _Pair) -> Basis:
    """Variance of the differences, split into noise of answering and the rest where cases were repeated."""
    effect = _design_effect(pair)
    alone = pilot_variance(pair.first, pair.second, kind=pair.kind).omega2
    total = alone * (effect or 1.0)
    basis = replace(_basis_of(source, pair), variance=total, design_effect=effect)
    first, second = (_noise(data, pair.case_no) for data in pair.data)
    if first is None or second is None:
        return basis
    return replace(
        basis,
        variance=max(0.0, total - first.share - second.share),
        noise_first=first.variance,
        noise_second=second.variance,
    )


def _design_effect(pair: _Pair) -> float | None:
    """By how much clusters multiply the variance, at least 1; None without clusters."""
    scores = paired_scores(pair.first, pair.second, pair.kind, pair.cluster)
    clustered = paired_difference(scores).case_variance()
    if scores.clusters is None or clustered is None:
        return None
    return max(1.0, clustered / float(np.var(pair.differences, ddof=1)))


def _noise(data: MetricData, case_no: npt.NDArray[np.int32]) -> _Noise | None:
    """None where too few cases were repeated to tell."""
    kept = np.isin(data.case_no, case_no)
    grouped = group_repeats(data.value[kept], data.case_no[kept])
    repeated = grouped.variances[grouped.counts > 1]
    if repeated.size < LEAST_UNITS:
        return None
    within = float(repeated.mean())
    return _Noise(within, within * float(np.mean(1.0 / grouped.counts)))


def _assumed_rate(assumed: Assumptions, wish: Wish) -> Basis:
    rate, difference = assumed.rate or 0.0, wish.difference or 0.0
    other = rate + difference
    if not 0.0 <= other <= 1.0:
        raise InvalidInput(f"a pass rate of {rate:g} cannot rise by {difference:g}", field="--difference")
    if wish.repeats not in (None, 1):
        raise InvalidInput(
            "a pass rate says nothing of the noise of answering",
            field="--repeats",
            remedy="Assume variances: --assume-variance and --assume-noise.",
        )
    independent = independent_discordance(rate, other)
    discordance = independent if assumed.discordance is None else assumed.discordance
    most = min(rate + other, 2.0 - rate - other)
    if not abs(difference) <= discordance <= most or discordance == 0.0:
        raise InvalidInput(
            f"with pass rates of {rate:g} and {other:g} the share of cases that only one side passes lies "
            f"between {abs(difference):g} and {most:g}, not at {discordance:g}",
            field="--discordance",
        )
    how = "as if the two were unrelated" if assumed.discordance is None else "as assumed"
    return Basis(
        source=f"assumed: a pass rate of {rate:g}; {discordance:.3g} of the cases differ, {how}",
        discordance=discordance,
    )


def _assumed_variance(assumed: Assumptions) -> Basis:
    variance, noise = assumed.variance or 0.0, assumed.noise
    if variance + (noise or 0.0) <= 0.0:
        raise InvalidInput("without any variance nothing can be planned", field="--assume-variance")
    if assumed.discordance is not None:
        raise InvalidInput("goes with --assume-rate", field="--discordance")
    text = f"assumed: a variance of {variance:g} between cases"
    if noise is not None:
        text += f" and of {noise:g} between answers to one case, on each side"
    return Basis(source=text, variance=variance, noise_first=noise, noise_second=noise)


def _choice_notes(chosen: Basis, pairs: int, wish: Wish) -> list[str]:
    if pairs == 1:
        return []
    notes = [
        f"Planned for one pair. With {pairs} pairs compared, plan with --alpha {wish.alpha / pairs:.2g}."
    ]
    if wish.candidates is None:
        notes.insert(
            0,
            f"Of {pairs} pairs, {chosen.first} and {chosen.second} vary most, so the others need no more; "
            "choose with --candidates.",
        )
    return notes
