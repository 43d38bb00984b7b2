"""GSM8K: accuracies of four models, by the metric `numeric` on their published solutions.

Cobbe et al. (2021), arXiv:2110.14168; the solutions and their flags are in the authors' repository.
"""

from pathlib import Path

from metrics.public_data import read_lines
from metrics.rows import Row, equal
from metrics.scoring import score_texts, values_of

ACCURACIES = {
    "6b_finetuning": 21.68,
    "6b_verification": 39.04,
    "175b_finetuning": 34.72,
    "175b_verification": 56.25,
}
AGREEING, SOLUTIONS = 5_275, 5_276


def run(data: Path) -> list[Row]:
    """The accuracies, and how often a score is the published flag."""
    problems = read_lines(data, "gsm8k/example_model_solutions.jsonl")
    found, agreeing = [], 0
    for model in ACCURACIES:
        pairs = [(problem[model]["solution"], problem["ground_truth"]) for problem in problems]
        values = values_of(score_texts("numeric", pairs))
        found.append(100.0 * sum(values) / len(values))
        agreeing += sum(
            (value == 1.0) == problem[model]["is_correct"]
            for value, problem in zip(values, problems, strict=True)
        )
    return [
        equal("GSM8K, four models: accuracy %, `numeric`", found, list(ACCURACIES.values()), 2),
        Row(
            name="GSM8K: scores that are the published flag",
            value=f"{agreeing:,} of {SOLUTIONS:,}",
            target=f">= {AGREEING:,}",
            ok=agreeing >= AGREEING,
        ),
    ]
