"""chrF and TER through sacreBLEU. Popovic 2015 and 2017; Snover et al. 2006."""

from sacrebleu.metrics.chrf import CHRF
from sacrebleu.metrics.lib_ter import translation_edit_rate

from assay.metrics.entry import MetricSpec
from assay.metrics.sample_metric import Finding, SampleMetric, Unscored, text_metric, too_long

MAX_CHARS = 400_000
"""Characters of answer and references together that chrF counts n-grams of: about 200 MB and a second."""
MAX_WORD_PAIRS = 90_000
"""Words of answer times words of a reference: TER's search of shifts then takes some seconds at most."""


def make_chrf(spec: MetricSpec) -> SampleMetric:
    """sacreBLEU's sentence chrF (chrF++ with the option) / 100."""
    scorer = CHRF(word_order=2 if spec.options["plus_plus"] else 0, lowercase=spec.options["lowercase"])
    label = "chrF++" if spec.options["plus_plus"] else "chrF"

    def compare(text: str, accepted: tuple[str, ...]) -> Finding | Unscored:
        if len(text) + sum(map(len, accepted)) > MAX_CHARS:
            return too_long("the number of characters", MAX_CHARS, "use bleu or rouge_2")
        value = scorer.sentence_score(text, accepted).score / 100.0
        return Finding(value, f"{label} {100.0 * value:.1f} of 100")

    return text_metric(spec, compare)


def make_ter(spec: MetricSpec) -> SampleMetric:
    """1 - min(1, TER), TER as in sacreBLEU; evidence has the raw rate, edits and reference length."""
    case_sensitive: bool = spec.options["case_sensitive"]

    def words(text: str) -> list[str]:
        return (text if case_sensitive else text.lower()).split()

    # sacreBLEU's TER object keeps 65,536 texts in memory; its algorithm is called without it.
    def compare(text: str, accepted: tuple[str, ...]) -> Finding | Unscored:
        answer, references = words(text), [words(each) for each in accepted]
        if len(answer) * max(map(len, references)) > MAX_WORD_PAIRS:
            return too_long("the product of the texts' numbers of words", MAX_WORD_PAIRS, "use chrf")
        results = [translation_edit_rate(answer, each) for each in references]
        edits = min(result[0] for result in results)
        length = sum(result[1] for result in results) / len(results)
        rate = edits / length if length else float(edits > 0)
        return Finding(
            1.0 - min(1.0, rate),
            f"TER {rate:.3f}: {edits} edits for {length:g} reference words",
            {"ter": rate, "edits": edits, "reference_words": length},
        )

    return text_metric(spec, compare)
