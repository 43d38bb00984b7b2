"""The lexicon of features, read once from its file, and a walk that finds its phrases in linear time."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from itertools import pairwise

from assay.formats.places import Place
from assay.formats.yaml_text import parse_yaml

FILE = resources.files("assay.metrics") / "property_rules" / "features.yaml"
_WORD = re.compile(r"[a-z0-9]+(?:/[a-z]\b)?(?:['\u2019](?:s|t)\b)?")
PLAIN = frozenset((
    "gas", "glass", "bus", "business", "access", "success", "class", "less", "is", "as", "this", "has",
    "was", "its", "us"
))  # fmt: skip
JOINS = frozenset(("and", "or", "plus"))
SMALL = frozenset((
    "of", "over", "to", "the", "out", "across", "on", "onto", "is", "are", "was", "were", "been", "be",
    "being", "has", "have", "had", "will", "may", "can", "not", "recently", "newly", "fully", "completely",
    "all", "both", "also", "toward", "towards", "a", "an", "its", "right", "under", "above", "behind", "at",
    "in", "back", "down", "through", "just", "very"
))  # fmt: skip
"""What may stand between the two words of a pair."""
VERBS = frozenset(("has", "have", "is", "are", "with", "offer", "feature", "come", "includes"))
"""What begins another statement behind "and": "backs onto bushland and has water views"."""
WITHIN = frozenset(("brand_new",))
"""What says nothing of its own within a pair: "the bathroom is brand new"."""
MAX_BETWEEN = 7


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a text, in the form that the lexicon compares."""

    text: str
    start: int
    end: int


Phrase = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two kinds of words that name a feature together: `of` what, `what`."""

    feature: str
    of: frozenset[Phrase]
    what: frozenset[Phrase]


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Phrases by their words; an empty feature marks a phrase to skip."""

    phrases: Mapping[Phrase, str]
    implies: Mapping[str, tuple[str, ...]]
    denies: Mapping[str, tuple[str, ...]]
    allows: Mapping[str, tuple[str, ...]]
    minor: frozenset[str]
    """What a record need not say."""
    pairs: Mapping[str, tuple[Pair, ...]]
    """The pairs by the first word of what they begin with."""
    heads: frozenset[Phrase]
    """The words of pairs, which may stand in a list: "ocean and city views", "new kitchen and bathroom"."""
    longest: int
    beginnings: frozenset[str]


@dataclass(frozen=True, slots=True)
class Mention:
    """A phrase of the lexicon in a text."""

    feature: str
    start: int
    end: int


def words_of(text: str) -> list[Word]:
    """The words in lower case, plural endings and possessives removed."""
    return [
        Word(_singular(match.group()), match.start(), match.end()) for match in _WORD.finditer(text.lower())
    ]


def _singular(word: str) -> str:
    word = re.sub(r"['\u2019]s$", "", word)
    if len(word) > 3 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("ches", "shes", "sses", "xes")):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith("ss") and word not in PLAIN:
        return word[:-1]
    return word


@lru_cache(maxsize=1)
def lexicon() -> Lexicon:
    """The built-in lexicon."""
    value, _ = parse_yaml(FILE.read_text(encoding="utf-8"), Place("features.yaml"))
    phrases: dict[Phrase, str] = {}
    pairs: list[Pair] = []
    groups = value["groups"]
    for feature, row in value["features"].items():
        phrases |= dict.fromkeys(_phrases(row.get("said", ())), feature)
        for of, what in row.get("pairs", ()):
            pairs.append(Pair(feature, _phrases(_named(of, groups)), _phrases(_named(what, groups))))
    phrases |= dict.fromkeys(_phrases(value["ignore"]), "")
    by_first: dict[str, list[Pair]] = {}
    for pair in pairs:
        for word in {phrase[0] for phrase in pair.of | pair.what}:
            by_first.setdefault(word, []).append(pair)
    rows = value["features"].items()
    return Lexicon(
        phrases=phrases,
        implies={name: tuple(row.get("implies", ())) for name, row in rows},
        denies={name: tuple(row.get("denies", ())) for name, row in rows},
        allows={name: tuple(row.get("allows", ())) for name, row in rows},
        minor=frozenset(name for name, row in rows if row.get("minor")),
        pairs={word: tuple(each) for word, each in by_first.items()},
        heads=frozenset(phrase for pair in pairs for phrase in pair.of | pair.what),
        longest=max(map(len, phrases)),
        beginnings=frozenset(phrase[0] for phrase in phrases),
    )


def _named(texts: Iterable[str], groups: Mapping[str, list[str]]) -> list[str]:
    """The texts, those of a group in the place of its name."""
    return [word for text in texts for word in (groups[text[1:]] if text.startswith("@") else [text])]


def _phrases(texts: Iterable[str]) -> frozenset[Phrase]:
    return frozenset(tuple(word.text for word in words_of(text)) for text in texts)


def find_mentions(text: str) -> Iterator[Mention]:
    """The features that a text names, in order: phrases, the longest first, and pairs; no ignored phrases.

    What a record need not say may begin a pair with its last word: "uninterrupted views across the bay".
    """
    known = lexicon()
    words = words_of(text)
    index = reach = 0
    while index < len(words):
        length = _match(known, text, words, index) if words[index].text in known.beginnings else 0
        feature = known.phrases[_texts(words, index, length)] if length else ""
        first = index + length - 1 if feature in known.minor else index
        pairs = (
            [*_paired(known, text, words, first)]
            if words[first].text in known.pairs and (length < 2 or first > index)
            else []
        )
        if feature and not pairs and not (feature in WITHIN and words[index].start < reach):
            yield Mention(feature, words[index].start, words[index + length - 1].end)
        yield from pairs
        reach = max([reach, *(pair.end for pair in pairs)])
        index += length or 1


def _texts(words: list[Word], index: int, length: int) -> Phrase:
    return tuple(word.text for word in words[index : index + length])


def _match(known: Lexicon, text: str, words: list[Word], index: int) -> int:
    """How many words from `index` on are the longest phrase; a phrase does not cross a line or a stop."""
    for length in range(min(known.longest, len(words) - index), 0, -1):
        if _texts(words, index, length) in known.phrases and _is_whole(text, words[index : index + length]):
            return length
    return 0


def _is_whole(text: str, words: list[Word]) -> bool:
    """Whether no mark stands between the words: "by gas, hot water" names no gas hot water."""
    gaps = (text[first.end : second.start] for first, second in pairwise(words))
    return not any(mark in gap for gap in gaps for mark in ",.;:!?\n|()")


def _paired(known: Lexicon, text: str, words: list[Word], index: int) -> Iterator[Mention]:
    """The pairs that begin at a word: "ocean and city views", "views right across the ocean"."""
    for pair in known.pairs[words[index].text]:
        for first, second in ((pair.of, pair.what), (pair.what, pair.of)):
            length = _one_of(first, words, index)
            end = _partner(known, text, words, index + length, second) if length else None
            if end is not None and (first is pair.of or not _lists(words, index + length, end)):
                yield Mention(pair.feature, words[index].start, words[end - 1].end)
                break


def _one_of(phrases: frozenset[Phrase], words: list[Word], index: int) -> int:
    return next(
        (size for size in (2, 1) if index + size <= len(words) and _texts(words, index, size) in phrases), 0
    )


def _lists(words: list[Word], start: int, end: int) -> bool:
    return any(word.text in JOINS for word in words[start:end])


def _partner(
    known: Lexicon, text: str, words: list[Word], start: int, wanted: frozenset[Phrase]
) -> int | None:
    """The index behind the other word of a pair; small words, names, heads, or one word stand between.

    "A garden and views" are two things, "garden and city views" one pair and another.
    """
    odd = heads = joins = 0
    for index in range(start, min(start + MAX_BETWEEN, len(words))):
        gap = text[words[index - 1].end : words[index].start]
        labelled = index == start and gap.strip(" *_") in (":", "|")
        if any(mark in gap for mark in ".;:!?\n|") and not labelled:
            return None
        joins += "," in gap
        length = _one_of(wanted, words, index)
        if length:
            beside = not heads and ("," in gap or words[index - 1].text in JOINS)
            fits = not (odd and (joins or heads)) and odd < 2 and (not heads or joins) and not beside
            return index + length if fits else None
        word = words[index].text
        if word in VERBS and words[index - 1].text in JOINS:
            return None
        joins += word in JOINS
        heads += (word,) in known.heads
        named = text[words[index].start].isupper()
        odd += not named and word not in JOINS and word not in SMALL and (word,) not in known.heads
    return None
