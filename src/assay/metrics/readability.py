"""Length and readability of an answer.

Flesch 1948 (reading ease) and Kincaid et al. 1975 (grade level); both are made for English.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from assay.metrics.entry import MetricSpec
from assay.metrics.sample_metric import Finding, SampleMetric, Unscored, answer_metric

WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*")
SENTENCE_END = re.compile(r"(?<![.!?])[.!?]++(?=[\s\"'\u201d\u2019)\]]|$)|\n\s*\n")
VOWEL_GROUP = re.compile(r"[aeiouy]+")
TWO_SYLLABLES = re.compile(
    r"(?<![ctsgx])io(?!n)|(?<![ctsgxln])ion|(?<![cts])ia|(?<![cts])ien(?=[ct])|iet|(?<![qg])ua|(?<!q)uen|uou"
    r"|(?<=[lr])ui(?=[dn])|oe(?=[mt])|eum|(?<!g)eo(?!u)|^geo|^sci|crea(?=t)|(?<=[aeiouy][^aeiouy])ea$|[aeiouy]ing$"
)
"""Adjacent vowels that are heard apart, such as in radio, quiet, actual, idea."""
SILENT_ENDING = re.compile(
    r"(?<![aeiouyl])e$|(?<=[aeiouyrl]l)e$|(?<![aeiouylcsxzg])(?<!sh)(?<!ch)es$|(?<=[aeiouyrl]l)es$"
    r"|(?<![aeiouyltd])ed$|(?<=[aeiouyrl]l)ed$|[gq]ues?$"
)
"""A final -e, -es or -ed that is not heard; it is heard in table, boxes and wanted."""
IRREGULAR = {
    "people": 2, "every": 2, "business": 2, "evening": 2, "something": 2, "sometimes": 2, "someone": 2,
}  # fmt: skip
LONGEST_REMEMBERED = 40

NO_WORDS = Unscored("skipped", "the answer has no words")


class TextCounts(NamedTuple):
    """What both formulas are made of."""

    words: int
    sentences: int
    syllables: int


def count_syllables(word: str) -> int:
    """Syllables of an English word by its spelling, at least 1."""
    return _remembered(word) if len(word) <= LONGEST_REMEMBERED else _count(word)


def _count(word: str) -> int:
    letters = word.lower().replace("'", "").replace("\u2019", "")
    if letters in IRREGULAR:
        return IRREGULAR[letters]
    groups = len(VOWEL_GROUP.findall(letters)) + len(TWO_SYLLABLES.findall(letters))
    return max(1, groups - bool(SILENT_ENDING.search(letters)))


_remembered = lru_cache(maxsize=1 << 15)(_count)


def count_text(text: str) -> TextCounts:
    """Words (runs of letters), sentences (ends of . ! ? or a blank line; at least 1) and syllables."""
    words = WORD.findall(text)
    stripped = text.strip()
    ends = SENTENCE_END.findall(stripped)
    tail = not re.search(r"[.!?]+[\"'\u201d\u2019)\]]*$", stripped[-40:])
    return TextCounts(len(words), max(1, len(ends) + tail), sum(map(count_syllables, words)))


def _described(counts: TextCounts) -> str:
    return f"words {counts.words}, sentences {counts.sentences}, syllables {counts.syllables}"


def make_reading_ease(spec: MetricSpec) -> SampleMetric:
    """Flesch reading ease: 206.835 - 1.015 words/sentence - 84.6 syllables/word; 60 is plain English."""

    def judge(text: str) -> Finding | Unscored:
        counts = count_text(text)
        if not counts.words:
            return NO_WORDS
        ease = 206.835 - 1.015 * counts.words / counts.sentences - 84.6 * counts.syllables / counts.words
        return Finding(ease, _described(counts))

    return answer_metric(spec, judge)


def make_grade_level(spec: MetricSpec) -> SampleMetric:
    """Flesch-Kincaid grade: 0.39 words/sentence + 11.8 syllables/word - 15.59, in US school years."""

    def judge(text: str) -> Finding | Unscored:
        counts = count_text(text)
        if not counts.words:
            return NO_WORDS
        grade = 0.39 * counts.words / counts.sentences + 11.8 * counts.syllables / counts.words - 15.59
        return Finding(grade, _described(counts))

    return answer_metric(spec, judge)


def make_words(spec: MetricSpec) -> SampleMetric:
    """The number of words: runs of characters between whitespace."""

    def judge(text: str) -> Finding:
        words = len(text.split())
        return Finding(float(words), f"{words} words")

    return answer_metric(spec, judge)


def make_characters(spec: MetricSpec) -> SampleMetric:
    """The number of Unicode characters."""
    return answer_metric(spec, lambda text: Finding(float(len(text)), f"{len(text)} characters"))
