"""Makes scores.csv: scores of an imagined judge, and labels of two imagined people, on imagined answers.

    python make_scores.py

Nothing here was measured on a model. What is built in, so that the report can find it:

- two systems answer 200 questions each; `nova` is the better one;
- the judge's score follows the quality with noise, is about 0.12 too kind, adds 0.04 for one standard
  deviation more of length, and 0.12 for answers of its own family (`nova`);
- half of the answers, drawn at random, are labelled by Ann; Ben labels a third of those too, and both
  make mistakes of their own.
"""

import csv
import math
import random
from pathlib import Path

CASES = 200
LABELLED = 0.5
FIELDS = ("case", "group", "judge", "label.ann", "label.ben", "length", "judge_family", "answer_family")


def rows(rng: random.Random) -> list[dict[str, object]]:
    """One row an answer."""
    made = []
    for number in range(CASES):
        hardness = rng.gauss(0.0, 0.8)
        for system, skill in (("nova", 1.25), ("terra", 0.65)):
            quality = skill - hardness + rng.gauss(0.0, 0.9)
            length = rng.gauss(0.0, 1.0)
            score = 0.12 + 1.0 / (1.0 + math.exp(-quality)) + 0.04 * length + 0.12 * (system == "nova")
            labelled = rng.random() < LABELLED
            ann, ben = (int(quality + rng.gauss(0.0, 0.5) > 0.0) for _ in range(2))
            made.append(
                {
                    "case": f"q{number + 1:03}",
                    "group": system,
                    "judge": f"{min(1.0, max(0.0, score + rng.gauss(0.0, 0.1))):.2f}",
                    "label.ann": ann if labelled else "",
                    "label.ben": ben if labelled and rng.random() < 0.33 else "",
                    "length": round(math.exp(5.5 + 0.4 * length)),
                    "judge_family": "nova",
                    "answer_family": system,
                }
            )
    return made


def main() -> None:
    """Write the file beside this one."""
    with (Path(__file__).parent / "scores.csv").open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, FIELDS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows(random.Random(7)))  # noqa: S311 - a sample, no secret


if __name__ == "__main__":
    main()
