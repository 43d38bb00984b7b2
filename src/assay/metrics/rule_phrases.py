"""The language in which rule packs say what words to look for, and the search.

An entry of a list is a phrase or, after `re:`, a regular expression in RE2's syntax:

    vendor statement         whole words; a space matches spaces, line ends or a hyphen; case does not count
    discriminat*             a star matches the rest of a word
    {number} business days   one of the pack's `terms`, or of the built-in ones
    re:\\bs(?:ection)? 32\\b   RE2; a space is any run of white space (` ?` also none), {terms} are put in

Built-in terms: `{near}` and `{far}` are gaps of at most 60 and 160 characters within a sentence.

Text is searched as Latin-1 of the same length (`fold`), so that offsets are those of the answer, curly
quotes match straight ones, and matching takes time linear in the text.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any, NamedTuple

import re2  # type: ignore[import-untyped]  # google-re2 ships no types

Terms = Mapping[str, tuple[str, ...]]
"""Name of a term -> its alternatives, as regular expressions."""
BUILT_IN_TERMS: Terms = {"near": ("[^.!?;]{0,60}?",), "far": ("[^.!?]{0,160}?",)}
MAX_MATCHES = 50
"""Matches of one list that are looked at in one text."""
PATTERN_MEMORY_BYTES = 8 << 20
_TERM = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_REGEX = "re:"
_SPACE = re.compile(r" ([?*+]?)")
_VALUE, _GAP = b"value", b"gap"  # names of groups are bytes in patterns of bytes
_PUNCTUATION = {
    0x2018: "'", 0x2019: "'", 0x201A: "'", 0x201B: "'", 0x2032: "'", 0x201C: '"', 0x201D: '"', 0x201E: '"',
    0x2033: '"', 0x2010: "-", 0x2011: "-", 0x2012: "-", 0x2013: "-", 0x2014: "-", 0x2015: "-", 0x2212: "-",
    0x00A0: " ", 0x2009: " ", 0x200A: " ", 0x202F: " ", 0x2007: " ", 0x2022: "*", 0x25CF: "*",
    0x25AA: "*", 0x25E6: "*", 0x25A1: "_", 0x2610: "_", 0x2026: ".", 0x200B: " ",
}  # fmt: skip


class Span(NamedTuple):
    """Where a match stands, and its groups `value` (else all of it) and `gap` (else none of it)."""

    start: int
    end: int
    value_start: int
    value_end: int
    gap_start: int
    gap_end: int
    valued: bool
    """Whether a part of the match is named as its value."""


class BadPhrase(ValueError):
    """An entry that cannot be used; the message says why."""


@lru_cache(maxsize=4096)
def _folded(character: str) -> str:
    plain = _PUNCTUATION.get(ord(character))
    if plain is not None:
        return plain
    base = unicodedata.normalize("NFKD", character)[0]
    if base.isascii() and base.isprintable():
        return base
    if ord(character) < 256:
        return character
    return "x" if character.isalnum() else " "


def fold(text: str) -> str:
    """A copy of the same length with characters of Latin-1 only: accents off, quotes and dashes plain."""
    if text.isascii():
        return text
    table = {character: _folded(character) for character in set(text) if not character.isascii()}
    return text.translate({ord(character): plain for character, plain in table.items()})


def expand_entries(entry: str, terms: Terms) -> tuple[str, ...]:
    """The regular expressions of an entry: those of its alternatives when it is a term, else one."""
    alone = _TERM.fullmatch(entry.strip())
    return terms[alone[1]] if alone and alone[1] in terms else (expand_entry(entry, terms),)


def expand_entry(entry: str, terms: Terms) -> str:
    """The regular expression of one entry. Raises BadPhrase for an unknown term or an empty entry."""

    def term(found: re.Match[str]) -> str:
        name = found.group(1)
        if name not in terms:
            raise BadPhrase(f"there is no term {name!r}; there are: {', '.join(sorted(terms))}")
        return f"(?:{'|'.join(terms[name])})"

    entry = fold(entry.strip())
    if entry.startswith(_REGEX):
        return _SPACE.sub(_white_space, _TERM.sub(term, entry.removeprefix(_REGEX).strip()))
    if not entry.strip("* "):
        raise BadPhrase("an empty phrase matches everywhere")
    parts = re.split(r"(\{[a-z][a-z0-9_]*\})", entry)
    body = "".join(_TERM.sub(term, part) if _TERM.fullmatch(part) else _literal(part) for part in parts)
    left = r"\b" if entry[0].isalnum() else ""
    right = r"\b" if entry[-1].isalnum() else ""
    return f"{left}{body}{right}"


def _white_space(found: re.Match[str]) -> str:
    return r"\s*" if found[1] in ("?", "*") else r"\s+"


def _literal(part: str) -> str:
    escaped = re2.escape(part.encode("latin-1")).decode("latin-1")
    return re.sub(r"(?:\\[ -])+", r"[\\s-]+", escaped).replace(r"\*", r"\w*")


def _compile(expression: str) -> Any:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.case_sensitive = False
    options.log_errors = False
    options.max_mem = PATTERN_MEMORY_BYTES
    try:
        compiled = re2.compile(expression.encode("latin-1"), options)
    except re2.error as error:
        reason = error.args[0].decode(errors="replace") if isinstance(error.args[0], bytes) else str(error)
        raise BadPhrase(f"not a regular expression of RE2 (which has no look-around): {reason}") from error
    for name in (_VALUE, _GAP):
        if expression.count(f"(?P<{name.decode()}>") > 1:
            raise BadPhrase(f"the group {name.decode()} is there more than once")
    if compiled.search(b"") is not None:
        raise BadPhrase("matches the empty text, and so everywhere")
    return compiled


class Phrases:
    """A compiled list of entries; an empty one matches nothing."""

    __slots__ = ("_automata", "entries")

    def __init__(self, entries: Sequence[str], terms: Terms = BUILT_IN_TERMS) -> None:
        """Raises BadPhrase with the entry's number as its second argument."""
        self.entries = tuple(entries)
        plain: list[str] = []
        self._automata: list[tuple[Any, Mapping[bytes, int]]] = []
        for number, entry in enumerate(entries):
            try:
                for expression in expand_entries(entry, terms):
                    compiled = _compile(expression)
                    if compiled.groupindex:
                        self._automata.append((compiled, compiled.groupindex))
                    else:
                        plain.append(expression)
            except BadPhrase as error:
                raise BadPhrase(error.args[0], number) from error
        if plain:
            self._automata.append((_compile("|".join(f"(?:{expression})" for expression in plain)), {}))

    def __bool__(self) -> bool:
        return bool(self.entries)

    def find(self, text: bytes, limit: int = MAX_MATCHES) -> list[Span]:
        """The first matches in a folded text, in order of place."""
        spans = [span for each in self._automata for span in islice(_spans(*each, text), limit)]
        return sorted(spans)[:limit]

    def first(self, text: bytes) -> Span | None:
        """The first match in a folded text."""
        found = self.find(text, 1)
        return found[0] if found else None

    def match_whole(self, text: bytes) -> bool:
        """Whether an entry matches the whole text."""
        return any(automaton.fullmatch(text) is not None for automaton, _ in self._automata)


def _spans(automaton: Any, groups: Mapping[bytes, int], text: bytes) -> Iterator[Span]:
    for found in automaton.finditer(text):
        start, end = found.span()
        value = found.span(groups[_VALUE]) if _VALUE in groups else (-1, -1)
        gap = found.span(groups[_GAP]) if _GAP in groups else (-1, -1)
        value_start, value_end = value if value[0] >= 0 else (start, end)
        gap_start, gap_end = gap if gap[0] >= 0 else (end, end)
        yield Span(start, end, value_start, value_end, gap_start, gap_end, value[0] >= 0)
