"""Write tests/metrics/golden/*.json: what the reference implementations say of fixed texts.

Run as `python benchmarks/make_metric_goldens.py`; needs the test dependencies. The same versions of the
libraries write the same bytes.
"""

import json
import random
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import sacrebleu
from nltk.stem.porter import PorterStemmer  # type: ignore[import-untyped]  # it ships no types
from nltk.translate.meteor_score import meteor_score  # type: ignore[import-untyped]  # it ships no types
from rouge_score.rouge_scorer import RougeScorer  # type: ignore[import-untyped]  # it ships no types
from sacrebleu.tokenizers.tokenizer_13a import Tokenizer13a

GOLDEN = Path(__file__).parents[1] / "tests" / "metrics" / "golden"
SEED = 20260

Pair = tuple[str, tuple[str, ...]]

WRITTEN: tuple[Pair, ...] = (
    ("", ("",)),
    ("", ("The garden gate was open.",)),
    ("The garden gate was open.", ("",)),
    ("yes", ("yes",)),
    ("Yes.", ("yes",)),
    ("The garden gate was open.", ("The garden gate was open.",)),
    ("The garden gate was open.", ("The gate of the garden stood open.",)),
    ("The garden gate was open.", ("the GARDEN gate was OPEN.", "A gate stood open.", "Open gate")),
    ("the the the the the the the", ("The cat is on the mat.", "There is a cat on the mat.")),
    ("A cat sat on the mat , quietly .", ("A cat sat on the mat, quietly.",)),
    ("It cost $1,234.50, i.e. 12.5% more.", ("It cost 1234.50 dollars, that is 12.5 % more.",)),
    ("Rock &amp; roll &quot;lives&quot; &lt;3", ('Rock & roll "lives" <3',)),
    ("state-of-the-art 3-bedroom semi-\ndetached", ("state of the art 3 - bedroom semidetached",)),
    ("Runners were running; studies studied.", ("The runner runs. A study was studying.",)),
    ("He was happily relating relational relations.", ("He is happy to relate a relation.",)),
    ("First line here.\nSecond line there.\nThird.", ("Second line here.\nFirst line there.\nThird one.",)),
    ("one\n\ntwo\nthree", ("three\ntwo\none",)),
    ("Der Zug fährt über die Brücke.", ("Der Zug fuhr gestern über eine Brücke.",)),
    ("Поезд идёт через мост.", ("Поезд шёл через старый мост.",)),
    ("今天天气很好。", ("今天天气不错。",)),
    ("東京は晴れです", ("東京は雨です",)),
    ("naïve café 😀 résumé", ("naive cafe 😀 resume",)),
    ("(a) [b] {c} <d> 'e' \"f\" /g\\ #h @i *j", ("a b c d e f g h i j",)),
    ("1.5 2,5 .5 5. a.b a,b 1.a a.1", ("1.5 2,5 0.5 5 a. b a, b 1. a a. 1",)),
    ("x\x1cy\x1dz\x1ew\x1fv\x85u\u2028t\u3000s", ("x y z w v u t s",)),
    ("Don't. Can't! Won't?", ("Do not. Cannot! Will not?",)),
)

WORDS = (
    "the a of to and in is was on that for with as by at from it this house street price garden rooms "
    "bedrooms sold selling sells seller buyers buy bought agreed agreement agreeing contract contracts "
    "contracting law legally legal relational relate happy happily run running runner quickly quick 3 12 "
    '1,250 4.5 $900 50% don\'t state-of-the-art e.g. Mr. A&B (see) [1] "quoted" , . ; : ! ?'
)
VOCABULARY = WORDS.split()
STEMMED_WORDS = "sky skies dying news innings proceed ties dies flies happy enjoy spy was has its yyy"
ENDINGS = (
    "ational tional enci anci izer bli abli alli entli eli ousli ization ation ator alism iveness fulness "
    "ousness aliti iviti biliti fulli logi icate ative alize iciti ical ful ness al ance ence er ic able "
    "ible ant ement ment ent ion sion tion ou ism ate iti ous ive ize e ll ed ing ied ies eed y s sses ss"
)
ALPHABET = "abcXYZ019 .,;:!?-'\"()&<>\n\téßñİжЖ中文あ٣\u0301\u00a0\u200b😀"


def _mutated(words: Sequence[str], rng: random.Random) -> str:
    result = list(words)
    for _ in range(rng.randint(0, 1 + len(result) // 3)):
        place = rng.randrange(len(result))
        kind = rng.randrange(4)
        if kind == 0:
            result[place] = rng.choice(VOCABULARY)
        elif kind == 1:
            result.insert(place, rng.choice(VOCABULARY))
        elif kind == 2 and len(result) > 1:
            del result[place]
        else:
            other = rng.randrange(len(result))
            result[place], result[other] = result[other], result[place]
    return "".join(word + ("\n" if rng.random() < 0.05 else " ") for word in result)


def make_pairs() -> list[Pair]:
    """The written pairs, mutated sentences with one to three references, and random Unicode."""
    rng = random.Random(SEED)
    pairs = list(WRITTEN)
    for _ in range(60):
        words = rng.choices(VOCABULARY, k=rng.randint(1, 40))
        pairs.append((" ".join(words), tuple(_mutated(words, rng) for _ in range(rng.randint(1, 3)))))
    for _ in range(40):
        answer, reference = ("".join(rng.choices(ALPHABET, k=rng.randint(0, 30))) for _ in range(2))
        pairs.append((answer, (reference + answer[: rng.randint(0, 30)],)))
    return pairs


class NoSynonyms:
    """A WordNet without entries, which leaves METEOR its exact and stem modules."""

    def synsets(self, _word: str) -> tuple[()]:
        """No meanings."""
        return ()


def sacrebleu_values(answer: str, references: Sequence[str]) -> dict[str, float]:
    """BLEU, chrF and TER on [0, 1] (TER may be above)."""
    metrics = {
        "bleu": sacrebleu.BLEU(effective_order=True),
        "bleu_lowercase": sacrebleu.BLEU(effective_order=True, lowercase=True),
        "chrf": sacrebleu.CHRF(),
        "chrf_plus_plus": sacrebleu.CHRF(word_order=2),
        "ter": sacrebleu.TER(),
        "ter_case_sensitive": sacrebleu.TER(case_sensitive=True),
    }
    return {name: metric.sentence_score(answer, references).score / 100 for name, metric in metrics.items()}


def rouge_values(answer: str, references: Sequence[str]) -> dict[str, float]:
    """F1 of each ROUGE type, without and with the stemmer."""
    values = {}
    types = {"rouge1": "rouge_1", "rouge2": "rouge_2", "rougeL": "rouge_l", "rougeLsum": "rouge_lsum"}
    for stemmer in (False, True):
        scores = RougeScorer(list(types), use_stemmer=stemmer).score_multi(references, answer)
        for kind, name in types.items():
            values[name + "_stemmed" * stemmer] = float(scores[kind].fmeasure)
    return values


def meteor_values(answer: str, references: Sequence[str]) -> dict[str, float]:
    """NLTK's METEOR on 13a tokens, without synonyms."""
    make_tokenizer: Any = Tokenizer13a
    tokenize = make_tokenizer()
    tokens = [tokenize(reference).split() for reference in references]
    return {"meteor": float(meteor_score(tokens, tokenize(answer).split(), wordnet=NoSynonyms()))}


def porter_stems() -> dict[str, str]:
    """Words with their stems: English words, and stems of random letters with every suffix."""
    rng = random.Random(SEED)
    endings = ENDINGS.split()
    words = {word.lower() for word in VOCABULARY if word.isalpha()} | set(STEMMED_WORDS.split())
    for ending in endings:
        for _ in range(8):
            words.add("".join(rng.choices("aeiouybcdlstwxz", k=rng.randint(0, 5))) + ending)
            words.add("".join(rng.choices("aeiylst", k=rng.randint(1, 4))) + ending + rng.choice(endings))
    stemmer = PorterStemmer()
    return {word: stemmer.stem(word) for word in sorted(words)}


def write(name: str, libraries: Sequence[str], content: dict[str, Any]) -> None:
    """One golden file with the versions that it was made with."""
    made_with = {library: version(library) for library in libraries}
    text = json.dumps({"made_with": made_with, **content}, ensure_ascii=True, indent=1, sort_keys=True)
    (GOLDEN / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def main() -> int:
    """Write every golden file."""
    GOLDEN.mkdir(parents=True, exist_ok=True)
    pairs = make_pairs()
    families = {
        "sacrebleu": (sacrebleu_values, ("sacrebleu",)),
        "rouge": (rouge_values, ("rouge-score",)),
        "meteor": (meteor_values, ("nltk", "sacrebleu")),
    }
    for name, (measure, libraries) in families.items():
        cases = [
            {"answer": answer, "references": references, "values": measure(answer, references)}
            for answer, references in pairs
        ]
        write(name, libraries, {"cases": cases})
    write("porter", ("nltk",), {"stems": porter_stems()})
    return 0


if __name__ == "__main__":
    sys.exit(main())
