"""BLEU, ROUGE and the SQuAD scores: how many words and word sequences two texts share.

References: Papineni et al. 2002 and Post 2018 (BLEU), Lin 2004 (ROUGE), Rajpurkar et al. 2016 (SQuAD).
"""

import re
import string
from collections import Counter
from collections.abc import Sequence
from functools import partial, reduce
from math import exp, log
from operator import or_
from typing import Any, NamedTuple

from rouge_score_rs import RougeScorer, tokenizers

from assay.domain.scores import Sample
from assay.metrics.entry import MetricSpec
from assay.metrics.ngram_counts import MAX_PAIRS, ORDERS, NgramCounter
from assay.metrics.sample_metric import (
    BatchMetric,
    Finding,
    Measure,
    SampleMetric,
    Unscored,
    compared_texts,
    text_metric,
    too_long,
)
from assay.metrics.tokenizer_13a import tokenize_13a

MAX_LCS_CHARS = 10_000_000_000
"""Largest product of the lengths for rouge_l: at most some two seconds."""
MAX_UNION_LCS_CHARS = 400_000_000
"""The same for rouge_lsum, which backtracks through tables of sentences: at most some four seconds."""

ARTICLES = re.compile(r"\b(a|an|the)\b")
NO_PUNCTUATION = str.maketrans("", "", string.punctuation)

ROUGE_TYPES = {"rouge_1": "rouge1", "rouge_2": "rouge2", "rouge_l": "rougeL", "rouge_lsum": "rougeLsum"}
ROUGE_TOKENIZERS = {
    "ascii": tokenizers.DefaultTokenizer,
    "unicode": tokenizers.UnicodeTokenizer,
    "characters": tokenizers.CharacterTokenizer,
}


def make_bleu(spec: MetricSpec) -> BatchMetric:
    """Sentence BLEU in [0, 1]: sacreBLEU's sentence_score / 100 (13a, exp smoothing, effective order)."""
    return BatchMetric(spec, partial(_bleu_of_batch, spec))


class _Tokens(NamedTuple):
    answer: list[str]
    references: list[list[str]]

    @property
    def sizes(self) -> tuple[int, int]:
        """Of the answer and of the reference that is nearest to it in length."""
        length = len(self.answer)
        return length, min(map(len, self.references), key=lambda size: (abs(size - length), size))


def _bleu_of_batch(spec: MetricSpec, samples: Sequence[Sample]) -> Measure:
    """The measure of a batch, in parts: a part's n-grams are counted together, then its words are let go."""
    found: dict[int, Finding | Unscored] = {}
    for start in range(0, len(samples), MAX_PAIRS):
        found |= _bleus(spec, samples[start : start + MAX_PAIRS])
    return lambda sample: found[id(sample)]


def _bleus(spec: MetricSpec, samples: Sequence[Sample]) -> dict[int, Finding | Unscored]:
    """The findings by the id of their sample; several references are counted by themselves."""
    found: dict[int, Finding | Unscored] = {}
    counter, sizes = NgramCounter(), {}
    for sample in samples:
        texts = compared_texts(spec, sample)
        if isinstance(texts, Unscored):
            found[id(sample)] = texts
            continue
        tokens = _tokenized(*texts, lowercase=spec.options["lowercase"])
        if len(tokens.references) == 1 and counter.add(tokens.answer, tokens.references[0]):
            sizes[id(sample)] = tokens.sizes
        else:
            found[id(sample)] = _bleu(_matched(*tokens), *tokens.sizes)
    for (each, of_texts), matched in zip(sizes.items(), counter.matched(), strict=True):
        found[each] = _bleu(matched, *of_texts)
    return found


def _tokenized(text: str, references: tuple[str, ...], *, lowercase: bool = False) -> _Tokens:
    if lowercase:
        text, references = text.lower(), tuple(each.lower() for each in references)
    return _Tokens(tokenize_13a(text), [tokenize_13a(each) for each in references])


def sentence_bleu(text: str, references: tuple[str, ...]) -> Finding:
    """BLEU of one text against all its references together, with its parts as the reason."""
    tokens = _tokenized(text, references)
    return _bleu(_matched(*tokens), *tokens.sizes)


def _bleu(matched: list[int], length: int, reference_length: int) -> Finding:
    if length == 0:
        return Finding(0.0, "the answer has no tokens")
    totals = [max(length - order, 0) for order in range(ORDERS)]
    brevity = exp(1.0 - reference_length / length) if length < reference_length else 1.0
    value = brevity * _smoothed_mean(matched, totals)
    shares = " ".join(f"{hits}/{total}" for hits, total in zip(matched, totals, strict=True))
    return Finding(value, f"shared 1- to 4-grams {shares}, brevity penalty {brevity:.3f}")


def _matched(answer: list[str], references: list[list[str]]) -> list[int]:
    """How many n-grams of the answer a reference has too, each as often as the reference that has it most."""
    matched = [0] * ORDERS
    for order in range(ORDERS):
        found = _ngrams(answer, order + 1)
        allowed = reduce(or_, (_ngrams(each, order + 1) for each in references))
        matched[order] = sum(min(found[each], allowed[each]) for each in found.keys() & allowed.keys())
        if not matched[order]:
            break  # what no reference has is in nothing longer that one has
    return matched


def _ngrams(words: list[str], order: int) -> Counter[tuple[str, ...]]:
    return Counter(zip(*(words[start:] for start in range(order)), strict=False))


def _smoothed_mean(matched: list[int], totals: list[int]) -> float:
    """Geometric mean of the n-gram precisions over the orders that the text is long enough for.

    The k-th order without a match counts as 1 / (2^k total) (NIST smoothing, "exp" in sacreBLEU).
    """
    if not any(matched):
        return 0.0
    penalty, logs = 1.0, []
    for hits, total in zip(matched, totals, strict=True):
        if total == 0:
            break
        if hits == 0:
            penalty *= 2.0
        logs.append(log(hits / total if hits else 1.0 / (penalty * total)))
    return exp(sum(logs) / len(logs))


def make_rouge(spec: MetricSpec) -> SampleMetric:
    """ROUGE F1 as google's rouge-score computes it; the best of several references."""
    kind = ROUGE_TYPES[spec.info.type]
    tokenizer = spec.options["tokenizer"]
    make_tokenizer = ROUGE_TOKENIZERS[tokenizer]
    arguments = (spec.options["stemmer"],) if tokenizer == "ascii" else ()
    make_scorer: Any = RougeScorer
    scorer = make_scorer([kind], tokenizer=make_tokenizer(*arguments))
    limit = {"rougeL": MAX_LCS_CHARS, "rougeLsum": MAX_UNION_LCS_CHARS}.get(kind)

    def compare(text: str, accepted: tuple[str, ...]) -> Finding | Unscored:
        if limit is not None and len(text) * max(map(len, accepted)) > limit:
            return too_long("the product of the texts' lengths", limit, "use rouge_1 or rouge_2")
        best = scorer.score_multi(accepted, text)[kind]
        return Finding(best.fmeasure, f"precision {best.precision:.3f}, recall {best.recall:.3f}")

    return text_metric(spec, compare)


def squad_normalise(text: str) -> str:
    """Lower case, without punctuation and articles, single spaces: SQuAD's normalisation of answers."""
    return " ".join(ARTICLES.sub(" ", text.lower().translate(NO_PUNCTUATION)).split())


def make_exact_squad(spec: MetricSpec) -> SampleMetric:
    """1 when the normalised answer is one of the normalised acceptable texts."""

    def compare(text: str, accepted: tuple[str, ...]) -> Finding:
        answer = squad_normalise(text)
        if any(answer == squad_normalise(each) for each in accepted):
            return Finding(1.0, "equal after SQuAD normalisation")
        return Finding(0.0, "differs after SQuAD normalisation")

    return text_metric(spec, compare)


def _token_f1(answer: list[str], reference: list[str]) -> tuple[float, int]:
    """F1 of the multiset overlap, and the number of shared tokens."""
    if not answer or not reference:
        return float(answer == reference), 0
    shared = sum((Counter(answer) & Counter(reference)).values())
    return 2.0 * shared / (len(answer) + len(reference)), shared


def make_token_f1(spec: MetricSpec) -> SampleMetric:
    """F1 of the words that answer and reference share after SQuAD normalisation; the best reference."""

    def compare(text: str, accepted: tuple[str, ...]) -> Finding:
        answer = squad_normalise(text).split()
        references = [squad_normalise(each).split() for each in accepted]
        (value, shared), size = max((_token_f1(answer, each), len(each)) for each in references)
        return Finding(value, f"{shared} shared words of {len(answer)} answered and {size} expected")

    return text_metric(spec, compare)
