"""The 13a tokenizer: mteval-v13a of NIST, the one that sacreBLEU uses by default.

The tokenizers of bleuscore and sacreBLEU keep the last 65,536 texts in memory; this one keeps none.
"""

import re

ENTITIES = (("&quot;", '"'), ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">"))
RULES = (
    # every symbol but ' , - . stands alone; so do . and , unless between digits, and - after a digit
    (re.compile(r"([!-&(-+/:-@\[-`{-~])"), r" \1 "),
    (re.compile(r"([^0-9])([.,])"), r"\1 \2 "),
    (re.compile(r"([.,])([^0-9])"), r" \1 \2"),
)
HYPHEN = (re.compile(r"([0-9])(-)"), r"\1 \2 ")
MARKS = re.compile(r"([!-&(-,./:-@\[-`{-~](?:(?<![.,])|(?<![0-9].)|(?![0-9])))", re.DOTALL)
"""The three rules in one: a symbol, or a point or comma without a digit before it or without one after it."""


def tokenize_13a(text: str) -> list[str]:
    """The 13a tokens of a text, punctuation apart from words."""
    line = text.rstrip().replace("<skipped>", "").replace("-\n", "").replace("\n", " ")
    if "&" in line:
        for entity, character in ENTITIES:
            line = line.replace(entity, character)
    if ".." in line or ",," in line or ".," in line or ",." in line:
        # here it counts that a match of a rule takes the character beside the point with it
        line = f" {line} "
        for pattern, spaced in RULES:
            line = pattern.sub(spaced, line)
    else:
        line = " ".join(MARKS.split(line))
    if "-" in line:
        pattern, spaced = HYPHEN
        line = pattern.sub(spaced, line)
    return line.split()
