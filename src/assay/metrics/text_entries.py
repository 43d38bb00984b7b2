"""The catalog's rows for metrics of an answer's text. A version changes when a number could change."""

from collections.abc import Mapping
from typing import Literal

from assay.domain.scores import MetricInfo
from assay.metrics.entry import Entry, Option


def _flag(meaning: str, default: bool = False) -> Option:
    return Option(kind="boolean", default=default, meaning=meaning)


IGNORE_CASE = _flag("upper and lower case count as equal")
LOWERCASE = _flag("compare in lower case")
VALUE = Option(kind="texts", meaning="text, or list of texts, in place of the case's expected")
FENCED = _flag("read the JSON out of a Markdown code fence")
STEMMER = _flag("stem words (Porter), for the ascii tokenizer")
ROUGE_TOKENIZER = Option(
    kind="choice", default="ascii", choices=("ascii", "unicode", "characters"),
    meaning="ascii is rouge-score's; unicode and characters are for other scripts",
)  # fmt: skip

Better = Literal["higher", "lower"]
OUTPUT = ("output",)
EXPECTED = ("output", "expected")


def _row(
    type_: str,
    place: str,
    kind: Literal["binary", "unit"],
    texts: tuple[str, str],
    needs: tuple[str, ...] = EXPECTED,
    options: Mapping[str, Option] | None = None,
) -> Entry:
    """A quality metric; `place` is module:factory, `texts` summary and source."""
    module, factory = place.split(":")
    options = options or {}
    info = MetricInfo(
        type=type_, version="1", kind=kind, summary=texts[0], needs=needs, source=texts[1],
        options={name: option.summary for name, option in options.items()},
    )  # fmt: skip
    return Entry(info=info, module=f"assay.metrics.{module}", factory=factory, options=options)


def _measure(type_: str, factory: str, texts: tuple[str, str], unit: tuple[str, Better]) -> Entry:
    """A measure; `texts` are summary and source, `unit` comes with the better direction."""
    info = MetricInfo(
        type=type_, version="1", kind="measure", summary=texts[0], needs=OUTPUT, source=texts[1],
        unit=unit[0], better=unit[1],
    )  # fmt: skip
    return Entry(info=info, module="assay.metrics.readability", factory=factory)


OWN = "own definition"
CONTAINMENT = {"value": VALUE, "ignore_case": IGNORE_CASE}
ROUGE = {"stemmer": STEMMER, "tokenizer": ROUGE_TOKENIZER}
ROUGE_MAKER = "overlap:make_rouge"
LIN = "Lin 2004; equal to google rouge-score 0.1.2"
SQUAD = "Rajpurkar et al. 2016, 2018"

MATCHING = (
    _row(
        "exact", "matching:make_exact", "binary", ("The answer is one of the expected texts", OWN),
        options={
            "value": VALUE,
            "ignore_case": IGNORE_CASE,
            "ignore_punctuation": _flag("drop ASCII punctuation first"),
            "whitespace": Option(
                kind="choice", default="trim", choices=("trim", "collapse", "keep"),
                meaning="trim the ends, also collapse inner runs to one space, or keep all",
            ),
        },
    ),
    _row(
        "contains", "matching:make_contains_any", "binary",
        ("The answer contains the expected text (of a list: any)", OWN), options=CONTAINMENT,
    ),
    _row(
        "contains_all", "matching:make_contains_all", "binary",
        ("The answer contains every expected text", OWN), options=CONTAINMENT,
    ),
    _row(
        "contains_any", "matching:make_contains_any", "binary",
        ("The answer contains one of the expected texts", OWN), options=CONTAINMENT,
    ),
    _row(
        "starts_with", "matching:make_starts_with", "binary",
        ("The answer starts with one of the expected texts", OWN), options=CONTAINMENT,
    ),
    _row(
        "regex", "matching:make_regex", "binary", ("A regular expression matches the answer", "RE2 syntax"),
        options={
            "pattern": Option(kind="text", meaning="the pattern, in place of the case's expected"),
            "ignore_case": IGNORE_CASE,
            "whole": _flag("the pattern must match the whole answer"),
        },
    ),
)  # fmt: skip

STRUCTURE = (
    _row(
        "json_valid", "structure:make_json_valid", "binary", ("The answer is JSON", "RFC 8259"),
        needs=OUTPUT, options={"fenced": FENCED},
    ),
    _row(
        "json_schema", "json_schema:make_json_schema", "binary",
        ("The answer is JSON and valid against a schema", "JSON Schema, drafts 3 to 2020-12"),
        needs=OUTPUT,
        options={"schema": Option(kind="object", required=True, meaning="the JSON Schema"), "fenced": FENCED},
    ),
    _row(
        "json_equal", "structure:make_json_equal", "binary",
        ("The answer is the expected JSON, whatever its layout", OWN),
        options={
            "fenced": FENCED,
            "ignore_order": _flag("the order in arrays does not count"),
        },
    ),
    _row(
        "numeric", "numeric:make_numeric", "binary",
        ("The number in the answer is the expected one, within a tolerance", OWN),
        options={
            "tolerance": Option(kind="number", default=0.0, meaning="largest absolute difference"),
            "relative": Option(kind="number", default=1e-9, meaning="largest difference as a share of it"),
            "extract": Option(
                kind="choice", default="last", choices=("last", "first", "only"),
                meaning="which number of the answer counts; only: there must be just one",
            ),
            "decimal": Option(kind="choice", default=".", choices=(".", ","), meaning="the decimal mark"),
            "multiples": _flag("k, m, bn, thousand, million... multiply", True),
            "percent": Option(
                kind="choice", default="number", choices=("number", "fraction"),
                meaning="read 5% as 5 or as 0.05",
            ),
        },
    ),
)  # fmt: skip

OVERLAP = (
    _row(
        "levenshtein", "distance:make_levenshtein", "unit",
        ("1 - edit distance / length of the longer text", "Levenshtein 1966; RapidFuzz"),
        options={"ignore_case": IGNORE_CASE},
    ),
    _row(
        "bleu", "overlap:make_bleu", "unit",
        (
            "Sentence BLEU: 13a, exp smoothing, effective order; all references together",
            "Papineni et al. 2002; equal to sacreBLEU 2.6 sentence_score / 100",
        ),
        options={"lowercase": LOWERCASE},
    ),
    _row(
        "chrf", "translation:make_chrf", "unit",
        ("Character n-gram F-score; the best reference", "Popovic 2015, 2017; sacreBLEU sentence chrF / 100"),
        options={
            "plus_plus": _flag("chrF++: add word 1- and 2-grams"),
            "lowercase": LOWERCASE,
        },
    ),
    _row(
        "ter", "translation:make_ter", "unit",
        ("1 - min(1, translation edit rate); all references together", "Snover et al. 2006; sacreBLEU TER"),
        options={"case_sensitive": _flag("compare upper and lower case")},
    ),
    _row("rouge_1", ROUGE_MAKER, "unit", ("F1 of shared words", LIN), options=ROUGE),
    _row("rouge_2", ROUGE_MAKER, "unit", ("F1 of shared word pairs", LIN), options=ROUGE),
    _row("rouge_l", ROUGE_MAKER, "unit", ("F1 of the longest common subsequence", LIN), options=ROUGE),
    _row("rouge_lsum", ROUGE_MAKER, "unit", ("F1 of common subsequences line by line", LIN), options=ROUGE),
    _row(
        "meteor", "meteor:make_meteor", "unit",
        (
            "METEOR with exact and stem modules, without synonyms",
            "Lavie and Agarwal 2007; equal to NLTK 3.10 on 13a tokens without WordNet",
        ),
    ),
    _row("token_f1", "overlap:make_token_f1", "unit", ("F1 of shared words, SQuAD normalisation", SQUAD)),
    _row(
        "exact_squad", "overlap:make_exact_squad", "binary",
        ("Equal to an expected text after SQuAD normalisation", SQUAD),
    ),
)  # fmt: skip

FORM = (
    _measure(
        "readability", "make_reading_ease",
        ("Flesch reading ease of English", "Flesch 1948"), ("points", "higher"),
    ),
    _measure(
        "readability_grade", "make_grade_level",
        ("Flesch-Kincaid grade level of English", "Kincaid et al. 1975"), ("grade", "lower"),
    ),
    _measure("length", "make_words", ("Words between whitespace", OWN), ("words", "lower")),
    _measure("length_chars", "make_characters", ("Unicode characters", OWN), ("characters", "lower")),
    _row(
        "refusal", "refusal:make_refusal", "binary",
        ("1 when the model answered, 0 when it refused", "phrase rules and the provider's finish reason"),
        needs=OUTPUT,
    ),
)  # fmt: skip

TEXT_ENTRIES = (*MATCHING, *STRUCTURE, *OVERLAP, *FORM)
