"""The overlap metrics give the numbers of their reference implementations."""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sacrebleu
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.metrics.overlap import sentence_bleu
from assay.metrics.porter import stem

GOLDEN = Path(__file__).parent / "golden"

METRICS = {
    "bleu": ("bleu", {}),
    "bleu_lowercase": ("bleu", {"lowercase": True}),
    "chrf": ("chrf", {}),
    "chrf_plus_plus": ("chrf", {"plus_plus": True}),
    "meteor": ("meteor", {}),
    "rouge_1": ("rouge_1", {}),
    "rouge_2": ("rouge_2", {}),
    "rouge_l": ("rouge_l", {}),
    "rouge_lsum": ("rouge_lsum", {}),
    "rouge_1_stemmed": ("rouge_1", {"stemmer": True}),
    "rouge_2_stemmed": ("rouge_2", {"stemmer": True}),
    "rouge_l_stemmed": ("rouge_l", {"stemmer": True}),
    "rouge_lsum_stemmed": ("rouge_lsum", {"stemmer": True}),
}


def load(family: str) -> dict[str, Any]:
    return json.loads((GOLDEN / f"{family}.json").read_text(encoding="utf-8"))


def golden_values(name: str) -> Iterator[tuple[str, list[str], float]]:
    for family in ("sacrebleu", "rouge", "meteor"):
        for case in load(family)["cases"]:
            if name in case["values"]:
                yield case["answer"], case["references"], case["values"][name]


@pytest.mark.parametrize("name", METRICS)
def test_a_metric_equals_its_reference_implementation(score, name):
    type_, options = METRICS[name]
    cases = list(golden_values(name))
    assert len(cases) > 100
    for answer, references, value in cases:
        found = score(type_, answer, references, **options)
        assert found.state == "scored"
        assert math.isclose(found.value, value, abs_tol=1e-9), (answer, references, found)


@pytest.mark.parametrize(("name", "options"), [("ter", {}), ("ter_case_sensitive", {"case_sensitive": True})])
def test_ter_has_sacrebleus_rate_as_evidence_and_its_complement_as_value(score, name, options):
    for answer, references, rate in golden_values(name):
        found = score("ter", answer, references, **options)
        assert math.isclose(found.evidence["ter"], rate, abs_tol=1e-9), (answer, references, found)
        assert math.isclose(found.value, 1.0 - min(1.0, rate), abs_tol=1e-9)


def test_stems_equal_nltks():
    stems = load("porter")["stems"]
    assert len(stems) > 500
    assert {word: stem(word) for word in stems} == stems


SENTENCES = st.text(st.sampled_from("aB0 1.,-&;'\"()<>\n\t\x1cé中\u3000😀%$"), max_size=40) | st.text(
    max_size=40
)


@settings(deadline=None)
@given(answer=SENTENCES, references=st.lists(SENTENCES, min_size=1, max_size=3), shared=SENTENCES)
def test_bleu_equals_sacrebleu_on_any_text(answer, references, shared):
    answer, references = shared + answer, [references[0] + shared, *references[1:]]
    reference = sacrebleu.BLEU(effective_order=True).sentence_score(answer, references).score / 100
    assert math.isclose(sentence_bleu(answer, tuple(references)).value, reference, abs_tol=1e-9)
