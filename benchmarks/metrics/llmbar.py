"""LLMBar: published accuracies of 160 judges of pairs, from their real verdicts in both orders.

Zeng et al. (2024), arXiv:2310.07641. A judge is a model with a prompt, on one of five parts of the set. The
60 cells of the Swap prompts are left out: their second pass merges two verdicts by a rule of its own.
"""

from collections import defaultdict
from pathlib import Path
from typing import Any

from assay.stats.preferences import PreferenceAgreement, preference_agreement
from metrics.public_data import read_lines
from metrics.rows import Row, count, equal

PARTS = {
    "Natural": (95.5, 95.0),
    "Adversarial/GPTInst": (86.4, 94.6),
    "Adversarial/GPTOut": (77.7, 93.6),
    "Adversarial/Manual": (80.4, 82.6),
    "Adversarial/Neighbor": (78.7, 93.3),
}
"""GPT-4 with the plain prompt: accuracy and positional agreement in percent, as in the paper's table."""
VERDICTS = {"1": 1, "2": -1, None: 0}
ROUNDING = 1e-9

Cell = tuple[str, str]


def run(data: Path) -> list[Row]:
    """One row over all cells, and the judge of the paper's main table."""
    cells = judged_cells(read_lines(data, "llmbar/judge_decisions.jsonl"))
    statistics = read_lines(data, "llmbar/published_statistics.jsonl")
    published = {(row["subset"], row["evaluator"]): row for row in statistics}
    exact = sum(is_published(cells[cell], published[cell]) for cell in cells)
    name = "LLMBar: judges whose published figures are found exactly"
    note = "accuracy in each order, in both, their mean; agreement of both orders"
    rows = [count(name, exact, len(cells), 160, note)]
    for part, wanted in PARTS.items():
        found = cells[part, "GPT-4/Vanilla"]
        figures = 100 * found.accuracy, 100 * (found.consistent.estimate or 0.0)
        rows.append(equal(f"LLMBar {part}, GPT-4: accuracy, agreement %", figures, wanted, 1))
    return rows


def judged_cells(decisions: list[dict[str, Any]]) -> dict[Cell, PreferenceAgreement]:
    """The agreement of each judge with people on each part."""
    by_cell: dict[Cell, list[dict[str, Any]]] = defaultdict(list)
    for row in decisions:
        if "Swap" not in row["evaluator"]:
            by_cell[row["subset"], row["evaluator"]].append(row)
    return {
        cell: preference_agreement(
            [VERDICTS[str(row["label"])] for row in rows],
            [VERDICTS[row["winner"]] for row in rows],
            [VERDICTS[row["winner_swapped"]] for row in rows],
        )
        for cell, rows in by_cell.items()
    }


def is_published(found: PreferenceAgreement, published: dict[str, Any]) -> bool:
    """Whether the counts of right and of equal verdicts, and the mean accuracy, are the published ones.

    The published kappas between judge and people are on a convention of their own and not compared.
    """
    shares = {
        "correct_False": found.given,
        "correct_True": found.swapped,
        "correct_both": found.both,
        "equal": found.consistent,
    }
    exact = all(
        round((share.estimate or 0.0) * found.n) == int(published[name].split("/")[0])
        for name, share in shares.items()
    )
    return exact and abs(100 * found.accuracy - float(published["correct_average"].rstrip("%"))) <= ROUNDING
