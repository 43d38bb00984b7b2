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
    (re.compile(r"([0-9])(-)"), r"\1 \2 "),
)


def tokenize_13a(text: str) -> list[str]:
    """The 13a tokens of a text, punctuation apart from words."""
    line = text.rstrip().replace("<skipped>", "").replace("-\n", "").replace("\n", " ")
    if "&" in line:
        for entity, character in ENTITIES:
            line = line.replace(entity, character)
    line = f" {line} "
    for pattern, spaced in RULES:
        line = pattern.sub(spaced, line)
    return line.split()
