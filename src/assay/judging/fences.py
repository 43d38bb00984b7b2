"""Fences round what others wrote, in the prompts that judges are given.

Each text stands between two lines with a code. The code is the beginning of a SHA-256 over the template and
all texts that are put into it. It has two properties that pull in different directions:

- It is the same whenever the content is the same, in every process, so that the cache finds the answer.
- Who wrote a text cannot have put the code into it. The code depends on every character of that text: to hold
  its own code a text would have to be a fixed point of the hash, which takes about 2^96 attempts to find; and
  its author sees neither the template nor the other texts.

Marks of our form in a text are broken up all the same, for judges that do not compare codes.
"""

import re
from collections.abc import Mapping

from assay.domain.content import content_hash

CODE_DIGITS = 24
_MARK = re.compile(r"<<<(?=\s*(?:end\s+)?[\w-]+\s+[\w-]+\s*>>>)", re.IGNORECASE)


def fence_code(template_hash: str, texts: Mapping[str, str]) -> str:
    """The code of a prompt: 96 bits of a hash over all that stands in it."""
    return content_hash([template_hash, texts]).hex()[:CODE_DIGITS]


def fence(name: str, text: str, code: str) -> str:
    """The text between its marks; marks and codes inside it are broken up."""
    title = name.upper().replace("_", "-")
    return f"<<<{title} {code}>>>\n{_broken_up(text, code)}\n<<<END {title} {code}>>>"


def _broken_up(text: str, code: str) -> str:
    half = CODE_DIGITS // 2
    return _MARK.sub("< < <", text).replace(code, f"{code[:half]}-{code[half:]}")
