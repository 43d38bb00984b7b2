"""FRANK: how metrics of factuality go together with people's judgement, given the model that answered.

Pagnoni, Balachandran and Tsvetkov (2021), arXiv:2104.13346, table 3: Pearson's partial correlations.
"""

from pathlib import Path

from assay.stats.correlation import partial_pearson
from metrics.public_data import read_document
from metrics.rows import Row, equal

METRICS = {
    "Bleu": 0.10,
    "Meteor": 0.14,
    "Rouge 1": 0.14,
    "Rouge 2": 0.12,
    "Rouge L": 0.13,
    "FEQA": 0.00,
    "QAGS": 0.06,
    "Dep Entail": 0.16,
    "FactCC": 0.20,
}


def run(data: Path) -> list[Row]:
    """One row: the nine correlations at the paper's two digits."""
    human = read_document(data, "frank/human_annotations.json")
    outputs = read_document(data, "frank/baseline_factuality_metrics_outputs.json")
    by_summary = {(row["hash"], row["model_name"]): row for row in outputs}
    joined = [(row, by_summary[row["hash"], row["model_name"]]) for row in human]
    found = []
    for metric in METRICS:
        pairs = [(label, score) for label, score in joined if score.get(metric) is not None]
        interval = partial_pearson(
            [score[metric] for _, score in pairs],
            [label["Factuality"] for label, _ in pairs],
            groups=[label["model_name"] for label, _ in pairs],
        )
        found.append(interval.estimate or 0.0)
    note = f"{', '.join(METRICS)}; given the model, n = {len(joined):,} less what a metric left out"
    return [equal("FRANK: partial correlations with people", found, list(METRICS.values()), 2, note)]
