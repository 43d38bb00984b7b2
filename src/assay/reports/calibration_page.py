"""A calibration report in words and tables."""

from collections.abc import Iterator

from assay.reports.calibration_values import BiasProbes, CalibrationReport, CandidateMean
from assay.reports.comparison_tables import TextTable
from assay.reports.table_pages import TablePage
from assay.reports.wording import NOTHING, p_text, percent, plural, signed
from assay.stats.calibration import Calibration
from assay.stats.cutoffs import Cutoff, MapFit
from assay.stats.estimates import Interval
from assay.stats.judge_bias import Favour
from assay.stats.juries import Agreement
from assay.stats.score_maps import ScoreMap
from assay.stats.slopes import Slope
from assay.stats.verdicts import Confusion, VerdictQuality

Row = tuple[str, ...]

AGREEMENT_HEADS = ("what", "value", "interval", "n", "method")
_QUALITIES = (
    ("balanced accuracy", "balanced_accuracy"),
    ("accuracy", "accuracy"),
    ("passes that pass", "sensitivity"),
    ("failures that fail", "specificity"),
    ("kappa (Cohen)", "kappa"),
    ("AC1 (Gwet)", "ac1"),
)


def calibration_page(report: CalibrationReport) -> TablePage:
    """The page of a report."""
    found, cover = report.calibration, report.coverage
    clusters = "" if found.clusters is None else f" in {plural(found.clusters, 'independent case')}"
    several = "" if found.n == cover.both else f" ({found.n:,} labels)"
    level = report.means[0].judge.level if report.means else 0.95
    return TablePage(
        title=f"{report.title}: {headline(found)}",
        subtitle=f"{plural(cover.both, 'answer')}{several}{clusters} with a label and a score, of "
        f"{cover.scored:,} scored and {cover.answers:,} in all",
        tables=tuple(_tables(report)),
        cautions=(*report.cautions, *report.notes, *_warnings(report)),
        footnote=f"{percent(level)} intervals. Held out: each answer is judged by a threshold or map that "
        "was fitted without it.",
    )


def headline(found: Calibration) -> str:
    """The one figure that counts most."""
    quality = found.verdicts or (found.cutoff.held_out if found.cutoff else None)
    if quality is None:
        return f"concordance with people {_estimate(found.graded.concordance)}"
    words = f"balanced accuracy {_estimate(quality.balanced_accuracy)}, kappa {_estimate(quality.kappa)}"
    return words if found.verdicts else f"{words} at the best threshold, held out"


def _tables(report: CalibrationReport) -> Iterator[TextTable]:
    found = report.calibration
    yield _agreement(found)
    quality = found.verdicts or (found.cutoff.held_out if found.cutoff else None)
    if quality is not None:
        yield _confusion(quality.confusion, held_out=found.verdicts is None)
    if report.people is not None:
        yield _people(report.people, found)
    if found.cutoff is not None or found.map is not None:
        low, high = report.judge.get("scale", (0.0, 1.0))
        yield _advice(found, (float(low), float(high)))
    rows = tuple(_bias_rows(report.bias))
    if rows:
        yield TextTable(
            title="What the judge favours and people do not",
            note="Points of score; positive favours what is named.",
            heads=("what", "bias", "interval", "p", "n"),
            rows=rows,
        )
    if report.means:
        yield _means(report.means)


def _agreement(found: Calibration) -> TextTable:
    rows: list[Row] = []
    if found.verdicts is not None:
        at = "" if found.threshold is None else f" at {found.threshold:g}"
        rows += _quality_rows(found.verdicts, at)
    elif found.cutoff is not None:
        rows += _quality_rows(found.cutoff.held_out, ", held out")
    if found.auroc is not None and found.judge_kind == "graded":
        rows.append(agreement_row("AUROC", found.auroc))
    if found.label_kind == "graded" or found.judge_kind == "graded":
        graded = found.graded
        rows += [
            agreement_row("concordance (Lin)", graded.concordance),
            agreement_row("correlation (Pearson)", graded.pearson),
            agreement_row("rank correlation (Spearman)", graded.spearman),
        ]
        rows += [] if graded.tau_b is None else [agreement_row("tau-b (Kendall)", graded.tau_b)]
    means = f"Mean label {found.human_mean:.2f}, mean score {found.judge_mean:.2f}."
    return TextTable(title="Agreement with people", note=means, heads=AGREEMENT_HEADS, rows=tuple(rows))


def _quality_rows(quality: VerdictQuality, where: str) -> list[Row]:
    return [agreement_row(f"{name}{where}", getattr(quality, field)) for name, field in _QUALITIES]


def _confusion(counts: Confusion, *, held_out: bool) -> TextTable:
    return TextTable(
        title="Verdicts" + (" by held-out thresholds" if held_out else ""),
        note="",
        heads=("judge", "people pass", "people fail"),
        rows=(
            ("passes", f"{counts.true_pass:,}", f"{counts.false_pass:,}"),
            ("fails", f"{counts.false_fail:,}", f"{counts.true_fail:,}"),
        ),
    )


def _people(people: Agreement, found: Calibration) -> TextTable:
    rows = [agreement_row(f"alpha of {people.raters} annotators (Krippendorff)", people.alpha)]
    rows += [agreement_row(f"{pair.first} and {pair.second}", pair.agreement) for pair in people.pairs]
    rows += [
        agreement_row(f"{each.name} with the mean of the others", each.with_rest) for each in people.alone
    ]
    quality = found.verdicts or (found.cutoff.held_out if found.cutoff else None)
    if quality is not None:
        rows.append(agreement_row("the judge with one of them (kappa)", quality.kappa))
    rows.append(agreement_row("the judge with them (Pearson)", found.graded.pearson))
    return TextTable(
        title="People among themselves",
        note=f"The yardstick for a judge. {plural(people.shared, 'answer')} with two labels or more.",
        heads=AGREEMENT_HEADS,
        rows=tuple(rows),
    )


def _advice(found: Calibration, scale: tuple[float, float]) -> TextTable:
    """`scale`: the ends of the scores as they were given; all that is shown is of scores in [0, 1]."""
    rows: list[Row] = []
    if found.cutoff is not None:
        rows += _cutoff_rows(found.cutoff, scale)
    if found.map is not None:
        rows += _map_rows(found.map)
    note = (
        ""
        if scale == (0.0, 1.0)
        else f"For scores from 0 to 1; as given they go from {scale[0]:g} to {scale[1]:g}."
    )
    return TextTable(title="Recommended", note=note, heads=("what", "value"), rows=tuple(rows))


def _cutoff_rows(cutoff: Cutoff, scale: tuple[float, float]) -> list[Row]:
    low, high = cutoff.spread
    held_out = cutoff.held_out.balanced_accuracy
    given = scale[0] + cutoff.threshold * (scale[1] - scale[0])
    as_given = "" if scale == (0.0, 1.0) else f", {given:.3g} as given"
    return [
        ("threshold", f"{cutoff.threshold:.3g}{as_given} (folds {low:.3g} to {high:.3g})"),
        ("its balanced accuracy, held out", f"{_estimate(held_out)} {_bounds(held_out)}"),
        ("the same on the labels that chose it", f"{cutoff.apparent:.2f}"),
    ]


def _map_rows(fit: MapFit) -> list[Row]:
    rows: list[Row] = [
        ("map to people's labels", map_text(fit.map)),
        ("its mean squared error, held out", f"{fit.held_out_loss:.4f}"),
    ]
    if fit.raw_loss is not None:
        rows.append(("that of the scores as they are", f"{fit.raw_loss:.4f}"))
    rows.append(("that of the mean label alone", f"{fit.base_loss:.4f}"))
    return rows


def map_text(curve: ScoreMap) -> str:
    """A map as a formula or as points."""
    if curve.kind == "logistic":
        slope = f"{abs(curve.slope):.3g}"
        sign = "+" if curve.slope >= 0.0 else "-"
        return f"1/(1 + exp(-({curve.intercept:.3g} {sign} {slope} x)))"
    points = [f"{x:.3g}: {y:.2f}" for x, y in curve.knots]
    shown = points if len(points) <= 8 else [*points[:4], "...", *points[-4:]]
    return f"through {', '.join(shown)}"


def _bias_rows(bias: BiasProbes) -> Iterator[Row]:
    if bias.length is not None:
        yield _slope_row("length, for one standard deviation more", bias.length)
    if bias.orders is not None:
        shift = bias.orders
        yield _bias_row("the order as shown, against the other", shift.interval, shift.p)
    if bias.position is not None:
        yield from _favour_rows("being shown first", bias.position)
    if bias.self_preference is not None:
        yield from _favour_rows("its own family", bias.self_preference)


def _favour_rows(name: str, found: Favour) -> Iterator[Row]:
    """Both estimates; where the favoured answers are better or worse, the bias lies between them."""
    gaps = f"{signed(found.judge_gap)} beside {signed(found.human_gap)}"
    what = "verdicts" if found.by_verdicts else "scores"
    yield _slope_row(f"{name}: gap in {what} beyond people's ({gaps})", found.excess)
    yield _slope_row(f"{name}: gap in scores at the same label", found.at_same_label)


def _slope_row(name: str, slope: Slope) -> Row:
    return _bias_row(name, slope.interval, slope.p)


def _bias_row(name: str, interval: Interval, p: float) -> Row:
    value = NOTHING if interval.estimate is None else signed(interval.estimate, 3)
    bounds = _bounds(interval, 3) or interval.reason or ""
    return name, value, bounds, p_text(p).removeprefix("p=").removeprefix("p"), _n(interval)


def _means(means: tuple[CandidateMean, ...]) -> TextTable:
    gladen = any(each.rogan_gladen is not None for each in means)
    margin = next((each.needed.margin for each in means if each.needed is not None), None)
    heads = ["candidate", "judge alone", "labels alone", "corrected", "gain", "labels"]
    heads += ["Rogan-Gladen"] if gladen else []
    heads += [] if margin is None else [f"more for +-{margin:g}"]
    notes = any(each.note for each in means)
    heads += ["note"] if notes else []
    return TextTable(
        title="Means that people would give",
        note="Corrected by prediction-powered inference. Gain: what a label is worth, in labels alone.",
        heads=tuple(heads),
        rows=tuple(
            (*_mean_row(each, gladen=gladen, needed=margin is not None), *([each.note] if notes else []))
            for each in means
        ),
    )


def _mean_row(mean: CandidateMean, *, gladen: bool, needed: bool) -> Row:
    corrected = mean.corrected
    gain = NOTHING if corrected is None or corrected.gain is None else f"{corrected.gain:.1f}x"
    row = [mean.candidate, _both(mean.judge), _both(mean.people)]
    row += [
        _both(None if corrected is None else corrected.interval),
        gain,
        f"{mean.labels:,} of {mean.cases:,}",
    ]
    row += [_both(mean.rogan_gladen)] if gladen else []
    row += [_more(mean)] if needed else []
    return tuple(row)


def _more(mean: CandidateMean) -> str:
    if mean.needed is None:
        return NOTHING
    if mean.needed.more is None:
        return f"all give +-{mean.needed.floor:.2g}"
    return f"{mean.needed.more:,}" if mean.needed.more else "enough"


def agreement_row(name: str, interval: Interval) -> Row:
    """A coefficient with its bounds, or why it has none, what it is of, and its method."""
    method = interval.method.replace("_", " ")
    bounds = _bounds(interval) or interval.reason or ""
    return name, _estimate(interval), bounds, _n(interval), method


def _n(interval: Interval) -> str:
    return f"{interval.n:,}" if interval.clusters is None else f"{interval.n:,} in {interval.clusters:,}"


def _estimate(interval: Interval) -> str:
    return NOTHING if interval.estimate is None else number(interval.estimate)


def _bounds(interval: Interval, digits: int = 2) -> str:
    if interval.low is None or interval.high is None:
        return ""
    return f"[{number(interval.low, digits)}, {number(interval.high, digits)}]"


def number(value: float, digits: int = 2) -> str:
    """A number with a minus sign where it is below 0, none for a zero."""
    return signed(value, digits).removeprefix("+")


def _both(interval: Interval | None) -> str:
    """A mean of scores with its bounds, those of a corrected mean cut to where scores can be."""
    if interval is None:
        return NOTHING
    if interval.low is None or interval.high is None:
        return _estimate(interval)
    return f"{_estimate(interval)} [{max(0.0, interval.low):.2f}, {min(1.0, interval.high):.2f}]"


def _warnings(report: CalibrationReport) -> Iterator[str]:
    for mean in report.means:
        for warning in () if mean.corrected is None else mean.corrected.warnings:
            yield f"{mean.candidate}: {warning}"
    cutoff, curve = report.calibration.cutoff, report.calibration.map
    if cutoff is not None and not _better_than_chance(cutoff.held_out.balanced_accuracy):
        yield "the judge is not shown to tell passes from failures better than chance: no threshold helps"
    if curve is not None and curve.held_out_loss >= curve.base_loss:
        yield "the map is no better than giving every answer the mean label"
    if curve is not None and curve.map.kind == "logistic" and curve.map.slope < 0.0:
        yield "the judge's scores fall where people's rise: is its scale turned round?"


def _better_than_chance(interval: Interval) -> bool:
    return interval.low is not None and interval.low > 0.5
