"""The catalog's rows for metrics that a model judges. A version changes when a number could change."""

from collections.abc import Mapping

from assay.domain.scores import MetricInfo
from assay.metrics.entry import Entry, Option

MAX_CHARS = 100_000
OUTPUT = ("output",)
JUDGE = Option(kind="text", meaning="label of the model that judges; without it the suite's first judge")
JURY = Option(kind="texts", meaning="labels of several judges; the value is the median of theirs")
SAMPLES = Option(
    kind="integer", default=1, minimum=1, maximum=20,
    meaning="how often each judge is asked; its value is the mean",
)  # fmt: skip
LIMIT = Option(
    kind="integer", default=MAX_CHARS, minimum=1, maximum=10_000_000,
    meaning="the most characters of texts that a judge is sent; more is a failure, nothing is cut",
)  # fmt: skip
JUDGED: Mapping[str, Option] = {"judge": JUDGE, "jury": JURY, "samples": SAMPLES, "max_chars": LIMIT}
"""Options that every judged metric has."""
QUESTION = Option(
    kind="text",
    meaning="variable with the question; without it question, query, input, prompt, or the only text",
)
CONTEXT = Option(kind="text", meaning="variable with the context; without it the case's context")
LOW = Option(kind="integer", default=1, minimum=-1000, maximum=1000, meaning="the worst grade")
HIGH = Option(kind="integer", default=5, minimum=-1000, maximum=1000, meaning="the best grade")
SUMMEVAL = "own prompt; scale of Fabbri et al. 2021 (SummEval)"
OWN = "own prompt"


def judged_row(
    type_: str,
    place: str,
    texts: tuple[str, str],
    prompts: tuple[str, ...],
    needs: tuple[str, ...] = OUTPUT,
    options: Mapping[str, Option] | None = None,
) -> Entry:
    """A judged metric in [0, 1]; `place` is module:factory, `texts` summary and source."""
    module, factory = place.split(":")
    options = {**(options or {}), **JUDGED}
    info = MetricInfo(
        type=type_, version="1", kind="unit", summary=texts[0], needs=needs, source=texts[1],
        options={name: option.summary for name, option in options.items()}, judged=True, prompts=prompts,
    )  # fmt: skip
    return Entry(info=info, module=f"assay.metrics.{module}", factory=factory, options=options)


def _graded(type_: str, texts: tuple[str, str], needs: tuple[str, ...] = OUTPUT) -> Entry:
    options = {} if type_ == "coherence" else {"question": QUESTION}
    return judged_row(type_, "graded:make_graded", texts, (type_,), needs, options)


JUDGED_ENTRIES: tuple[Entry, ...] = (
    judged_row(
        "faithfulness", "faithfulness:make_faithfulness",
        (
            "Share of the answer's claims that the context supports, each with a quotation that is there",
            "own prompts; claims and verdicts as in Es et al. 2023 (Ragas)",
        ),
        ("faithfulness_claims", "faithfulness_verify", "faithfulness_verdict"),
        ("output", "context"),
        {
            "mode": Option(
                kind="choice", default="claims", choices=("claims", "verdict", "grounded"),
                meaning="verdict: one question, is all of it supported; its value is the probability of yes; "
                "grounded: geometric mean of that and of how much of the words stands in the context",
            ),
            "max_claims": Option(
                kind="integer", default=40, minimum=1, maximum=200, meaning="the most claims of one answer"
            ),
            "context": CONTEXT,
            "question": QUESTION,
        },
    ),
    _graded("relevance", ("Whether the answer addresses the question", SUMMEVAL)),
    _graded("coherence", ("Whether the answer hangs together as a text", SUMMEVAL)),
    _graded(
        "correctness",
        ("Whether the answer is correct by the expected one", "own prompt; reference-guided as in MT-Bench"),
        ("output", "expected"),
    ),
    _graded("completeness", ("Whether the answer has all that was asked for", OWN)),
    _graded("conciseness", ("Whether the answer uses no more words than it needs", OWN)),
    _graded(
        "harmfulness",
        ("1 when the answer is harmless, 0 when severely harmful", "own prompt; classes of Llama Guard"),
    ),
    judged_row(
        "rubric", "rubric:make_rubric", ("Grade by your own rubric", OWN), ("rubric",),
        options={
            "rubric": Option(kind="text", required=True, meaning="what is graded, in your words"),
            "low": LOW,
            "high": HIGH,
            "levels": Option(kind="object", meaning="grade -> what it stands for"),
            "examples": Option(kind="json", meaning="list of {answer, score} that show the grades"),
            "question": QUESTION,
        },
    ),
    judged_row(
        "g_eval", "rubric:make_g_eval",
        ("Expected grade by criteria and steps, weighted by the judge's probabilities", "Liu et al. 2023"),
        ("g_eval",),
        options={
            "criteria": Option(kind="text", required=True, meaning="what is graded, in your words"),
            "steps": Option(kind="texts", meaning="what the judge does before it grades"),
            "low": LOW,
            "high": HIGH,
            "question": QUESTION,
            "context": CONTEXT,
        },
    ),
    judged_row(
        "criteria", "criteria:make_criteria",
        ("Weighted mean of several criteria that one call grades", OWN), ("criteria",),
        options={
            "criteria": Option(
                kind="object", required=True, meaning="name -> description, or {description, weight}"
            ),
            "low": LOW,
            "high": HIGH,
            "question": QUESTION,
            "context": CONTEXT,
        },
    ),
    judged_row(
        "pairwise", "pairwise:make_pairwise",
        (
            "1 when the answer beats the baseline's in both orders, 0 when it loses in both, else 0.5",
            "own prompt; both orders as in Zheng et al. 2023 (MT-Bench)",
        ),
        ("pairwise",),
        options={
            "criteria": Option(kind="text", meaning="what makes an answer the better one"),
            "against": Option(
                kind="text",
                meaning="label of the candidate whose stored answers are compared with, by assay score",
            ),
            "question": QUESTION,
        },
    ),
)  # fmt: skip
