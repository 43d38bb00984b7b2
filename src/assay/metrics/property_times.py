"""Which field a period or a date of an answer is of: the nearest word that tells."""

import re
from typing import Any

from assay.extract.finds import Find
from assay.extract.periods import Period
from assay.metrics.property_clauses import Clause
from assay.metrics.property_cues import (
    AFTER_IT,
    BEGINS,
    BEYOND,
    COOLING,
    DATE_CUE,
    DATE_CUES,
    FULL_DATE,
    SETTLEMENT,
    TERM,
)

_LEADS_ON = re.compile(
    rf"(?:\s(?:is|are|on|from|for|date|opens?|the|by|at|set|starts?|in|home|\w{{3,6}}day)){{0,5}},?\s(?:{FULL_DATE.pattern})",
    re.IGNORECASE,
)
"""What stands between a word and the date behind it."""


def period_field(find: Find[Period], clause: Clause, question: str = "") -> str:
    """What a period is of, by the nearest word that tells; behind another statement it tells less.

    Where the clause has none, the question that it answers tells.
    """
    ahead, behind = clause.before(find.start, 80), clause.after(find.end, 60)
    if AFTER_IT.match(behind):
        return ""
    places: list[tuple[float, str]] = []
    for name, pattern in (("cooling_off_days", COOLING), ("settlement_days", SETTLEMENT)):
        places += [
            (len(ahead) - match.end() + _steps(ahead[match.end() :]), name)
            for match in pattern.finditer(ahead)
        ]
        places += [
            (match.start() + _steps(behind[: match.start()]), name) for match in pattern.finditer(behind)
        ]
    if not places:
        return (
            "cooling_off_days"
            if COOLING.search(question)
            else "settlement_days"
            if SETTLEMENT.search(question)
            else ""
        )
    return min(places)[1]


def _steps(between: str) -> float:
    """How much farther a word counts beyond another statement."""
    return 30.0 if re.search(r"[,;]|\b(?:and|then)\b", between) else 0.0


def date_field(find: Find[Any], clause: Clause, question: str = "") -> str:
    """What a date is of, by the nearest word that tells; a word of an earlier date tells it less.

    A word behind the date that leads to the next one is not its own: "Open 3 May and free from 5 June". Where
    the clause has no word, the question that it answers tells.
    """
    ahead, behind = clause.before(find.start, 120), clause.after(find.end, 60)
    best = (1e9, "")
    in_term = TERM.search(clause.text)
    for match in DATE_CUE.finditer(ahead):
        taken = FULL_DATE.search(ahead, match.end())
        name = _date_name(match)
        if taken and name == "contract_date":
            name = "settlement_date" if in_term else ""
        best = min(best, (len(ahead) - match.end() + (BEYOND if taken else 0.0), name))
    for match in DATE_CUE.finditer(behind):
        if _LEADS_ON.match(behind, match.end()):
            continue
        apart = 40.0 if re.search(r"[,;]|\band\b", behind[: match.start()]) else 20.0
        best = min(best, (match.start() + apart, _date_name(match)))
    if best[0] == 1e9 and question:
        return next((_date_name(match) for match in [*DATE_CUE.finditer(question)][-1:]), "")
    begins = best[1] == "settlement_date" and BEGINS.search(ahead)
    return "contract_date" if begins else best[1]


def _date_name(match: re.Match[str]) -> str:
    return DATE_CUES[int((match.lastgroup or "d0")[1:])][0]
