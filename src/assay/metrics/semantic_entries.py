"""The catalog's rows for metrics of meaning."""

from assay.domain.scores import MetricInfo
from assay.metrics.entry import Entry, Option

LOCAL_EMBEDDER = "local"
"""Of the option `embedder`: the embedder in this process, which is no judge."""

VALUE = Option(kind="texts", meaning="text, or list of texts, in place of the case's expected")
EMBEDDER = Option(
    kind="text", default=LOCAL_EMBEDDER,
    meaning="local, or the label of an embeddings model that the suite lists under judges",
)  # fmt: skip
SIMILARITY = {"value": VALUE, "embedder": EMBEDDER}
MATCH = {
    **SIMILARITY,
    "unit": Option(
        kind="choice", default="sentence", choices=("sentence", "window"), meaning="what is matched"
    ),
    "window": Option(kind="number", default=3, minimum=1, meaning="words of a window"),
    "measure": Option(
        kind="choice", default="f1", choices=("f1", "precision", "recall"),
        meaning="what the value is; the evidence has all three",
    ),
}  # fmt: skip


def _row(type_: str, module: str, texts: tuple[str, str], options: dict[str, Option]) -> Entry:
    """A metric in [0, 1]; `texts` are summary and source."""
    info = MetricInfo(
        type=type_, version="1", kind="unit", summary=texts[0], needs=("output", "expected"),
        source=texts[1], options={name: option.summary for name, option in options.items()},
    )  # fmt: skip
    return Entry(info=info, module=f"assay.metrics.{module}", factory=f"make_{type_}", options=options)


SEMANTIC_ENTRIES: tuple[Entry, ...] = (
    _row(
        "semantic_similarity", "semantic",
        ("Cosine of the meanings of answer and expected text", "Yang et al. 2019 (local embedder)"),
        SIMILARITY,
    ),
    _row(
        "embedding_match", "semantic",
        ("Greedy match of sentences or word windows by meaning", "in the manner of Zhang et al. 2020"),
        MATCH,
    ),
    _row(
        "char_ngram_similarity", "character_ngrams",
        ("Shared character 2- and 3-grams, without a model", "Ochiai coefficient of n-gram sets"),
        {"value": VALUE},
    ),
)  # fmt: skip
