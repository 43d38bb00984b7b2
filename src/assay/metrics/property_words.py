"""The lexicon of features, read once from its file, and a walk that finds its phrases in linear time."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

from assay.formats.places import Place
from assay.formats.yaml_text import parse_yaml

FILE = resources.files("assay.metrics") / "property_rules" / "features.yaml"
_WORD = re.compile(r"[a-z0-9]+(?:/[a-z]\b)?(?:['\u2019](?:s|t)\b)?")
PLAIN = frozenset((
    "gas", "glass", "bus", "business", "access", "success", "class", "less", "is", "as", "this", "has",
    "was", "its", "us"
))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a text, in the form that the lexicon compares."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Phrases by their words; an empty feature marks a phrase to skip."""

    phrases: Mapping[tuple[str, ...], str]
    implies: Mapping[str, tuple[str, ...]]
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
    if len(word) > 3 and word.endswith("s") and not word.endswith("ss") and word not in PLAIN:
        return word[:-1]
    return word


@lru_cache(maxsize=1)
def lexicon() -> Lexicon:
    """The built-in lexicon."""
    value, _ = parse_yaml(FILE.read_text(encoding="utf-8"), Place("features.yaml"))
    phrases: dict[tuple[str, ...], str] = {}
    for feature, row in value["features"].items():
        for phrase in row["said"]:
            phrases[tuple(word.text for word in words_of(phrase))] = feature
    for phrase in value["ignore"]:
        phrases[tuple(word.text for word in words_of(phrase))] = ""
    implies = {name: tuple(row.get("implies", ())) for name, row in value["features"].items()}
    return Lexicon(
        phrases=phrases,
        implies=implies,
        longest=max(map(len, phrases)),
        beginnings=frozenset(phrase[0] for phrase in phrases),
    )


def find_mentions(text: str) -> Iterator[Mention]:
    """The features that a text names, in order, the longest phrase first; nothing of ignored phrases."""
    known = lexicon()
    words = words_of(text)
    index = 0
    while index < len(words):
        length = _match(known, words, index) if words[index].text in known.beginnings else 0
        if length:
            feature = known.phrases[tuple(word.text for word in words[index : index + length])]
            if feature:
                yield Mention(feature, words[index].start, words[index + length - 1].end)
        index += length or 1


def _match(known: Lexicon, words: list[Word], index: int) -> int:
    """How many words from `index` on are the longest phrase; a phrase does not cross a line or a stop."""
    for length in range(min(known.longest, len(words) - index), 0, -1):
        if tuple(word.text for word in words[index : index + length]) in known.phrases:
            return length
    return 0
