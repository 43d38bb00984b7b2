"""Makes tests/metrics/golden/ndcg.json with scikit-learn, which is no dependency: install it beside.

python benchmarks/make_retrieval_goldens.py
"""

import json
import random
from importlib import import_module
from pathlib import Path
from typing import Any

sklearn: Any = import_module("sklearn")
ndcg_score: Any = import_module("sklearn.metrics").ndcg_score

TARGET = Path(__file__).parents[1] / "tests" / "metrics" / "golden" / "ndcg.json"
SEED, ROWS = 2002, 40


def make_row(rng: random.Random) -> dict[str, Any]:
    """A ranking of 3 to 12 documents, of which at least one has a grade, cut within its length."""
    ids = [f"d{number}" for number in range(rng.randint(3, 12))]
    grades = {name: rng.choice((0, 0, 1, 2, 3)) for name in ids} | {rng.choice(ids): 3}
    retrieved = rng.sample(ids, len(ids))
    k = rng.randint(1, len(ids))
    truth = [[grades[name] for name in retrieved]]
    value = ndcg_score(truth, [[float(-rank) for rank in range(len(ids))]], k=k)
    return {"retrieved": retrieved, "grades": grades, "k": k, "value": float(value)}


def main() -> None:
    """Write the file."""
    rng = random.Random(SEED)
    made = {"made_with": f"scikit-learn {sklearn.__version__}", "rows": [make_row(rng) for _ in range(ROWS)]}
    TARGET.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
