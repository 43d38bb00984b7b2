"""The catalog's rows for metrics of retrieval and of answers from it."""

from collections.abc import Mapping

from assay.domain.scores import MetricInfo
from assay.metrics.entry import Entry, Option
from assay.metrics.judged_entries import CONTEXT, QUESTION, judged_row

K = Option(kind="integer", minimum=1, meaning="how many of the retrieved ids count; without it all")
RETRIEVED = Option(
    kind="text",
    meaning="path to the retrieved ids, best first: metadata.NAME, vars.NAME, answer, or answer.NAME; "
    "without it metadata.retrieved_ids, vars.retrieved_ids, or the answer when it is a JSON list",
)
RELEVANT = Option(
    kind="text",
    meaning="path to the relevant ids, a list, or an object of id and grade; without it "
    "metadata.relevant_ids, or expected",
)
GAIN = Option(
    kind="choice", default="linear", choices=("linear", "exponential"), meaning="the grade, or 2^grade - 1"
)
CLAIMS = Option(kind="integer", default=40, minimum=1, maximum=200, meaning="the most claims of one text")
IR = "Manning, Raghavan and Schuetze 2008, chapter 8"
DOCUMENTS = Option(
    kind="integer", default=20, minimum=1, maximum=200, meaning="the most documents of one context"
)


def _retrieval_row(
    name: str, summary: str, source: str = IR, options: Mapping[str, Option] | None = None
) -> Entry:
    options = {"k": K, "retrieved": RETRIEVED, "relevant": RELEVANT, **(options or {})}
    info = MetricInfo(
        type=f"retrieval_{name}", version="1", kind="binary" if name == "hit" else "unit", summary=summary,
        needs=("expected",), source=source,
        options={option: each.summary for option, each in options.items()},
    )  # fmt: skip
    return Entry(info=info, module="assay.metrics.retrieval", factory=f"make_{name}", options=options)


RETRIEVAL_ENTRIES: tuple[Entry, ...] = (
    _retrieval_row("precision", "Share of the first k retrieved documents that are relevant"),
    _retrieval_row("recall", "Share of the relevant documents that are among the first k"),
    _retrieval_row("mrr", "1 / rank of the first relevant document", "Voorhees 1999 (TREC-8 QA track)"),
    _retrieval_row(
        "ndcg", "Gain of the first k documents, discounted by rank, of the best possible",
        "Jarvelin and Kekalainen 2002; discount log2(rank + 1)", {"gain": GAIN},
    ),
    _retrieval_row("hit", "1 when one of the first k documents is relevant"),
)  # fmt: skip

RAG_ENTRIES: tuple[Entry, ...] = (
    judged_row(
        "context_precision", "rag_context:make_context_precision",
        (
            "Mean precision at the ranks of the useful documents, each with a quotation that is there",
            "own prompt; context precision of Ragas, average precision of Manning et al. 2008",
        ),
        ("context_usefulness",), ("context",),
        {"max_documents": DOCUMENTS, "context": CONTEXT, "question": QUESTION},
    ),
    judged_row(
        "context_recall", "rag_context:make_context_recall",
        (
            "Share of the expected answer's claims that the context supports, each with a quotation",
            "own prompts; context recall of Ragas",
        ),
        ("faithfulness_claims", "faithfulness_verify"), ("expected", "context"),
        {"max_claims": CLAIMS, "max_documents": DOCUMENTS, "context": CONTEXT, "question": QUESTION},
    ),
    judged_row(
        "context_relevance", "rag_context:make_context_relevance",
        (
            "Share of the context's sentences that help to answer the question",
            "own prompt; Es et al. 2023 (Ragas)",
        ),
        ("context_relevance",), ("context",),
        {
            "unit": Option(
                kind="choice", default="sentences", choices=("sentences", "documents"),
                meaning="documents: the share of documents with such a sentence",
            ),
            "max_sentences": Option(
                kind="integer", default=300, minimum=1, maximum=5_000,
                meaning="the most sentences of one context",
            ),
            "max_documents": DOCUMENTS, "context": CONTEXT, "question": QUESTION,
        },
    ),
    judged_row(
        "citation_support", "rag_citations:make_citation_support",
        (
            "Share of the answer's citations that support their sentence, each with a quotation",
            "own prompt; citation precision and recall of Gao et al. 2023 (ALCE)",
        ),
        ("citation_support",), ("output", "context"),
        {
            "measure": Option(
                kind="choice", default="precision", choices=("precision", "recall"),
                meaning="recall: the share of sentences needing support whose citations give it",
            ),
            "max_sentences": Option(
                kind="integer", default=60, minimum=1, maximum=500, meaning="the most sentences of one answer"
            ),
            "max_documents": DOCUMENTS, "context": CONTEXT,
        },
    ),
    judged_row(
        "noise_sensitivity", "rag_noise:make_noise_sensitivity",
        (
            "1 - share of the claims that are wrong and come from the retrieved documents",
            "own prompts; noise sensitivity of Ragas, turned round so that higher is better",
        ),
        ("context_usefulness", "faithfulness_claims", "faithfulness_verify"),
        ("output", "expected", "context"),
        {
            "documents": Option(
                kind="choice", default="relevant", choices=("relevant", "irrelevant"),
                meaning="whose wrong claims count: those of useful documents, or of the others",
            ),
            "max_claims": CLAIMS, "max_documents": DOCUMENTS, "context": CONTEXT, "question": QUESTION,
        },
    ),
    *RETRIEVAL_ENTRIES,
)  # fmt: skip
