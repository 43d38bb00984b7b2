"""Texts that a spreadsheet would take for formulas.

What a model or a user wrote is data. A cell whose text begins, after spaces or a byte order mark, with
one of these signs is written with an apostrophe before it (OWASP ASVS 5.0, 1.2.10). Typed numbers are
not texts: a negative number stays one.
"""

_SIGNS = frozenset("=+-@|%\t\r\n\x00" + "＝＋－＠｜％")
_BEFORE = " \ufeff\xa0"


def defuse(text: str) -> str:
    """The text as a spreadsheet will show it and not run it."""
    first = text.lstrip(_BEFORE)[:1]
    return f"'{text}" if first and first in _SIGNS else text


def restore(text: str) -> str:
    """The text as it was before `defuse`."""
    return text[1:] if text[:1] == "'" and defuse(text[1:]) == text else text
