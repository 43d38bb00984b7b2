"""Replies of one word: yes, no, unknown, first, second."""

import re
from collections.abc import Sequence
from itertools import islice

from assay.judging.strict_json import MAX_REPLY_CHARS, UnusableReply, without_thinking

_WORD = re.compile(r"\w+")
_READ = 12
"""Words that are read: a judge that says more than one has begun to explain it."""


def read_word(text: str, words: Sequence[str]) -> str:
    """The first word of the text, when it is one of `words` and no other of them follows close behind.

    Raises UnusableReply.
    """
    if len(text) > MAX_REPLY_CHARS:
        raise UnusableReply(f"it has more than {MAX_REPLY_CHARS:,} characters")
    found = _WORD.finditer(without_thinking(text))
    said = [match[0].casefold() for match in islice(found, _READ)]
    if not said:
        raise UnusableReply("it is empty")
    if said[0] not in words:
        raise UnusableReply(f"its first word is none of {', '.join(words)}")
    if len(set(said) & set(words)) > 1:
        raise UnusableReply("it contradicts itself: it says two of the words")
    return said[0]
