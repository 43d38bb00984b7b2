"""Other homes that an answer tells of beside its own: by address, number, name, or column of a table."""

import re
from collections.abc import Iterator, Sequence

from assay.extract.addresses import Address, find_addresses, normal_name
from assay.extract.finds import Find
from assay.metrics.property_clauses import Clause, Clauses
from assay.metrics.property_record import Record

MAX_NAMES = 500
_TABLE = re.compile(r"^[ \t]*\|(?P<head>[^\n]{5,400})\|[ \t]*(?:\n[ \t]*\|[^\n]{3,600}){2,40}$", re.MULTILINE)
_ELSEWHERE = re.compile(
    r"\b(?:sold|passed\sin|fetched|went\sfor|traded|achieved|auctioned|leased|rented|comparable|similar|"
    r"nearby|compared?|"
    r"versus|unlike|(?<!for\s)sale|leased\sfor|agency|office|agent|visit|call|contact|inspect\sat\sour|also|saved|"
    r"saw|seen|alternative|"
    r"instead|previous|viewed|rents\sfor|(?:look|looking)\sat|consider|try|took|closed\sat|changed\shands|other|another|next)\b",
    re.IGNORECASE,
)
"""What is said of a home at another address."""
_HOME_ON = re.compile(
    r"\b(?:home|house|place|property|unit|apartment|townhouse|one|listing|villa|cottage|condo)\s(?:on|in|at|from)\s"
    r"(?:\d+[a-z]?\s)?(?P<name>[A-Z][a-z'\u2019]{2,20})\b"
)
_HOME_NUMBER = r"(?:unit|lot|apartment|apt\.?|flat|villa|townhouse|number|no\.?|#)\s?"


def is_another_address(
    find: Find[Address], clause: Clause, record: Record, addresses: Sequence[Find[Address]]
) -> bool:
    """Whether an address that differs from the record's is that of another home.

    It is when its clause tells of a sale or a comparison, and when the answer has the record's address, too,
    and number and street differ.
    """
    said, own = find.value, record.address
    if said.agrees_with(own):
        return False
    differs = said.street != own.street and said.number != own.number
    beside = differs and any(each.value.agrees_with(own) for each in addresses[:20])
    return beside or bool(_ELSEWHERE.search(clause.text))


def other_homes(
    text: str, clauses: Clauses, record: Record, addresses: list[Find[Address]]
) -> Iterator[Clause]:
    """The clauses about another unit of the building, number of the street, or home with a name."""
    yield from _called(text, clauses, record)
    home = record.address
    own = {home.unit, home.number, *home.number.split("-")} - {""}
    if not own:
        return
    street = re.escape(home.street.split(" ")[0]) if home.street else "(?!)"
    pattern = rf"\b(?:{_HOME_NUMBER}(?P<unit>\d{{1,5}}[a-z]?)|(?P<number>\d{{1,5}}[a-z]?)\s{street})\b"
    for count, match in enumerate(re.finditer(pattern, text, re.IGNORECASE)):
        if count >= MAX_NAMES:
            return
        clause = clauses.at(match.start())
        said = (match["unit"] or match["number"]).lower()
        alone = match["unit"] and not any(find.start <= match.start() < find.end for find in addresses)
        if said not in own and (alone or _ELSEWHERE.search(clause.text)):
            yield from clauses.about(match.start())


def _called(text: str, clauses: Clauses, record: Record) -> Iterator[Clause]:
    """The clauses that begin with another home's street: "the home on Larkspur Lane ... Larkspur: 3 beds"."""
    held = normal_name(record.text)
    names = {match["name"] for match in [*_HOME_ON.finditer(text)][:20]}
    names = {name for name in names if normal_name(name) not in held}
    if not names:
        return
    begins = re.compile(
        r"[\s*_|#-]{0,6}(?:The\s)?(?:(?:home|house|place|property|unit|one|townhouse|villa|cottage)\son\s)?"
        rf"(?:{'|'.join(map(re.escape, sorted(names)))})\b"
        r"(?:\s[A-Z][a-z]+)?[*_]{0,2}"
        r"(?:\s?:|\s(?:is|has|had|was|sold|asks?|offers?|lists?|comes|went|one)\b)"
    )
    for clause in clauses.items[:MAX_NAMES]:
        if begins.match(clause.text):
            yield from clauses.about(clause.start)


def other_columns(text: str, record: Record) -> Iterator[tuple[int, int]]:
    """The cells of a table that stand under another home's address."""
    for table in _TABLE.finditer(text):
        others = {
            number
            for number, label in enumerate(table["head"].split("|"))
            for find in find_addresses(label)
            if not find.value.agrees_with(record.address)
        }
        start = table.start()
        for line in table.group().split("\n") if others else ():
            at = start + line.index("|") + 1
            for number, cell in enumerate(line[at - start :].split("|")):
                if number in others:
                    yield at, at + len(cell)
                at += len(cell) + 1
            start += len(line) + 1
