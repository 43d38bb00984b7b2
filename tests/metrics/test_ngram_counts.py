"""BLEU's tokens and counts: the quick ways give what the plain ones do."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st
from sacrebleu.tokenizers.tokenizer_13a import Tokenizer13a

from assay.domain.datasets import Case
from assay.domain.models import ModelResponse
from assay.domain.scores import MetricConfig, Sample
from assay.metrics.catalog import make_metric
from assay.metrics.ngram_counts import MAX_PAIRS, MAX_WORDS, NgramCounter
from assay.metrics.tokenizer_13a import tokenize_13a

WORDS = st.lists(st.sampled_from("abcde"), max_size=12)
PAIRS = st.lists(st.tuples(WORDS, WORDS), max_size=12)


def shared(first: list[str], second: list[str], order: int) -> int:
    counts = [Counter(zip(*(words[at:] for at in range(order)), strict=False)) for words in (first, second)]
    return (counts[0] & counts[1]).total()


@settings(max_examples=200, deadline=None)
@given(st.text("a7.,-&;: '\n\t\"é", max_size=24))
def test_tokens_are_those_of_sacrebleu(text):
    assert tokenize_13a(text) == Tokenizer13a()(text.rstrip()).split()


def test_runs_of_points_keep_the_joints_that_the_rules_leave():
    for text in ("a.,5", "1..2", "...", "3.,4", "a....5", "1,000.50", "5-3", "5--3", ".5", "5."):
        assert tokenize_13a(text) == Tokenizer13a()(text).split()


@settings(max_examples=50, deadline=None)
@given(PAIRS)
def test_counts_of_many_pairs_are_those_of_each(pairs):
    counter = NgramCounter()
    assert all(counter.add(*pair) for pair in pairs)
    assert counter.matched() == [[shared(*pair, order) for order in (1, 2, 3, 4)] for pair in pairs]


def test_a_counter_takes_no_more_than_it_can_tell_apart():
    words = [f"w{number}" for number in range(MAX_WORDS)]
    counter = NgramCounter()
    assert not counter.add(words, ["w0"])
    assert counter.add(words[:-1], ["w0"])
    assert not counter.add(["a"], ["b"])
    assert counter.matched() == [[1, 0, 0, 0]]
    full = NgramCounter()
    assert [full.add(["a", "b"], ["b"]) for _ in range(MAX_PAIRS + 1)] == [True] * MAX_PAIRS + [False]
    assert full.matched() == [[1, 0, 0, 0]] * MAX_PAIRS


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(WORDS, st.lists(WORDS, min_size=1, max_size=2)), max_size=300))
def test_bleu_of_a_batch_is_that_of_each_answer(cases):
    metric = make_metric(MetricConfig(name="b", type="bleu"))
    samples = [
        Sample(
            case=Case(key=str(number), vars={}, expected=[" ".join(each) for each in expected]),
            response=ModelResponse(text=" ".join(answer)),
        )
        for number, (answer, expected) in enumerate(cases)
    ]
    assert metric.score_batch(samples) == [metric.score_batch([sample])[0] for sample in samples]
