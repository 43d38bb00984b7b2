"""Agreement of a jury in words and tables."""

from dataclasses import dataclass

from assay.reports.calibration_page import AGREEMENT_HEADS, agreement_row, number
from assay.reports.comparison_tables import TextTable
from assay.reports.table_pages import TablePage
from assay.reports.wording import NOTHING, plural, signed
from assay.stats.juries import Agreement


@dataclass(frozen=True, slots=True, kw_only=True)
class JuryReport:
    """Judges beside each other on the same answers."""

    title: str
    agreement: Agreement
    notes: tuple[str, ...]


def jury_page(report: JuryReport) -> TablePage:
    """The page of a report."""
    found = report.agreement
    alpha = NOTHING if found.alpha.estimate is None else number(found.alpha.estimate)
    rows = [agreement_row("all (Krippendorff's alpha)", found.alpha)]
    rows += [agreement_row(f"{pair.first} and {pair.second}", pair.agreement) for pair in found.pairs]
    rows += [
        agreement_row(f"{each.name} with the mean of the others", each.with_rest) for each in found.alone
    ]
    kinder = tuple(
        (each.name, NOTHING if each.leniency is None else signed(each.leniency, 3), f"{each.rated:,}")
        for each in found.alone
    )
    return TablePage(
        title=f"{report.title}: {plural(found.raters, 'judge')}, alpha {alpha}",
        subtitle=f"{plural(found.shared, 'answer')} with the scores of two or more",
        tables=(
            TextTable(title="Agreement", note="", heads=AGREEMENT_HEADS, rows=tuple(rows)),
            TextTable(
                title="Leniency",
                note="The mean of a judge less that of the others on the same answers.",
                heads=("judge", "kinder by", "answers"),
                rows=kinder,
            ),
        ),
        cautions=report.notes,
        footnote="95% intervals. That judges agree does not make them right: hold them against people.",
    )
