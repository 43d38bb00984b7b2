"""Text that others wrote (outputs, names, reasons) made harmless for the place it is shown in."""

import re

# C0 without tab, line feed and carriage return; DEL and C1, among them the escape sequences of terminals;
# lone surrogates, which no encoding takes; the two noncharacters that XML forbids.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
# Overrides and isolates of writing direction can make a line read as another one than it is.
_DIRECTION = re.compile("[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]")
# Punctuation that Markdown could read: a dot only in "www.", a hyphen and a plus only at the start of a line.
_MARKDOWN = re.compile(r"[!\"#$&*/:;<=>?@\[\\\]^_`{|}~]|(?<=www)\.|^[-+]", re.IGNORECASE)

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"


def printable(text: str) -> str:
    """`text` with control characters, lone surrogates and changes of direction shown as U+FFFD.

    What is left is valid in UTF-8, in XML 1.0 and on a terminal. Line breaks and tabs stay.
    """
    return _DIRECTION.sub(REPLACEMENT, _CONTROL.sub(REPLACEMENT, text))


def xml_text(text: str) -> str:
    """`text` without the characters that XML 1.0 has no notation for."""
    return _CONTROL.sub("", text)


def one_line(text: str, limit: int) -> str:
    """`printable` text with its white space collapsed, cut to `limit` characters."""
    # Twice the limit is plenty for the excerpt, and spares collapsing megabytes.
    line = " ".join(printable(text[: 4 * limit]).split())
    if len(line) <= limit and len(text) <= 4 * limit:
        return line
    return line[: limit - 1].rstrip() + ELLIPSIS


def markdown_text(text: str, limit: int = 120) -> str:
    """One line of `text` that GitHub shows as it is: no markup, link, mention or table cell can come of it.

    Punctuation that means something becomes character references, which never act as syntax, inside a code
    element, in which mentions and issue numbers are not looked for.
    """
    escaped = _MARKDOWN.sub(lambda match: f"&#{ord(match[0])};", one_line(text, limit))
    return f"<code>{escaped}</code>"


def markdown_prose(sentence: str) -> str:
    """A sentence of ours with names of others in it: shown as text, but not as code.

    Outside code GitHub looks for mentions and issue numbers even in escaped text: a word joiner, which has no
    width, keeps it from finding them.
    """
    apart = sentence.replace("@", "@\N{WORD JOINER}").replace("#", "#\N{WORD JOINER}")
    return markdown_text(apart, 1000).removeprefix("<code>").removesuffix("</code>")
