"""Numbers as they are written: digits with thousands separators, and English words."""

import re

DIGITS = r"(?:\d{1,3}(?:,\d{3}){1,4}(?!\d)(?:\.\d{1,6})?|\d{1,12}(?:\.\d{1,6})?)"
"""A number in digits; at most 15 of them, so that matching is bounded."""

SMALL = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
    "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15,
    "sixteen": 16, "seventeen": 17, "eighteen": 18, "nineteen": 19, "twenty": 20, "thirty": 30,
    "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
}  # fmt: skip
LARGE = {"thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000}
_ATOM = "|".join(sorted([*SMALL, "hundred", *LARGE], key=len, reverse=True))
WORDS = rf"(?:(?:{_ATOM})(?:[\s-]{{1,3}}(?:and\s)?(?:{_ATOM})){{0,14}})"
"""A number in words, of at most fifteen words."""


def read_digits(text: str) -> float:
    """The value of what DIGITS matched."""
    return float(text.replace(",", ""))


def read_words(text: str) -> float:
    """The value of what WORDS matched: "one million two hundred thousand" is 1,200,000."""
    total = current = 0
    for word in re.findall(r"[a-z]+", text.lower()):
        if word in SMALL:
            current += SMALL[word]
        elif word == "hundred":
            current = max(current, 1) * 100
        elif word in LARGE:
            total += max(current, 1) * LARGE[word]
            current = 0
    return float(total + current)


def read_count(text: str) -> float:
    """A number in digits or in words."""
    return read_digits(text) if text[0].isdigit() else read_words(text)
