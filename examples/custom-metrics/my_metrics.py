"""Metrics of a support desk. Each gets by name what it asks for: output, vars, expected, ..."""

import re

GREETING = re.compile(r"^(hello|hi|dear|good (morning|afternoon))\b", re.IGNORECASE)
THANKS = re.compile(r"\b(please|thank you|thanks|sorry)\b", re.IGNORECASE)
BLAME = re.compile(r"\b(you should have|your (own )?fault|you failed to|obviously)\b", re.IGNORECASE)


def names_customer(output, vars):
    """True or false: is the customer called by name?"""
    return vars["name"].lower() in output.lower()


def polite(output):
    """A number from 0 to 1 with its reason, and the words that decided as evidence."""
    if not output.strip():
        return {"score": None, "reason": "there is nothing to judge"}  # abstains: no 0 is made up
    blame = [match.group() for match in BLAME.finditer(output)]
    if blame:
        return {"score": 0.0, "reason": f"blames the customer: {blame[0]!r}", "evidence": {"blame": blame}}
    greets, thanks = GREETING.search(output), THANKS.search(output)
    said = [match.group() for match in (greets, thanks) if match]
    return {
        "score": (bool(greets) + bool(thanks)) / 2,
        "reason": "says " + (" and ".join(said) if said else "neither greeting nor thanks"),
        "evidence": {"words": said},
    }


class NoPromises:
    """A class is made once, with the suite's options, and scores every answer."""

    def __init__(self, words=("guarantee",)):
        self.pattern = re.compile("|".join(rf"\b{re.escape(word)}\w*" for word in words), re.IGNORECASE)

    def score(self, output):
        """True without a promise; the evidence has the place of each one."""
        found = [
            {"text": each.group(), "start": each.start(), "end": each.end()}
            for each in self.pattern.finditer(output)
        ]
        reason = f"promises: {found[0]['text']!r}" if found else "promises nothing"
        return {"score": not found, "passed": not found, "reason": reason, "evidence": {"promises": found}}
