"""The 13a tokenizer (mteval-v13a, as in sacreBLEU), in Rust."""

import re

import bleuscore

SEPARATORS = re.compile("[\x1c-\x1f]")
"""Whitespace to Python's str.split (and so to sacreBLEU) at which the Rust tokenizer does not split."""


def separated(text: str) -> str:
    """The text such that the Rust tokenizer gives sacreBLEU's tokens of it."""
    return SEPARATORS.sub(" ", text.rstrip())


def tokenize_13a(text: str) -> list[str]:
    """The 13a tokens of a text, punctuation apart from words."""
    tokens: list[str] = bleuscore.tokenizer_13a(separated(text))
    return tokens
