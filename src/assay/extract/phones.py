"""Telephone numbers, so that no part of one is read as an amount, an area or a count."""

import re

from assay.extract.finds import Find

_PHONE = re.compile(
    r"(?<![\w$.,])(?:"
    r"\+\d{1,3}[\s-]?\(?\d{1,4}\)?(?:[\s-]?\d{2,4}){2,3}"  # international
    r"|\(?0[2-478]\)?[\s-]?\d{4}[\s-]?\d{4}"  # Australian landline
    r"|04\d{2}[\s-]?\d{3}[\s-]?\d{3}"  # Australian mobile
    r"|1[38]00[\s-]?\d{3}[\s-]?\d{3}|13[\s-]?\d{2}[\s-]?\d{2}"  # Australian service numbers
    r"|\(?[2-9]\d{2}\)?[\s.-]\d{3}[\s.-]\d{4}"  # United States
    r")(?![\w,]?\d)"
)


def find_phones(text: str) -> list[Find[str]]:
    """The telephone numbers of a text, in order; the value is the digits alone."""
    return [
        Find("".join(char for char in match.group() if char.isdigit()), "phone", *match.span(), match.group())
        for match in _PHONE.finditer(text)
    ]
