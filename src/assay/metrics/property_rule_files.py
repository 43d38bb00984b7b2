"""Rules of property sales as data: duty tables with their dates, cooling-off, usual deposits.

The built-in files are in `property_rules/`. A file of the user's own has the same form and is named by its
path in the option `rules`; where both say something of one state, table name and day, the later file counts.
`real_estate_au.yaml` shows every field; each table has the law and the page it was read from.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_CEILING, Decimal
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

from assay.domain.errors import InvalidInput
from assay.formats.places import Place, Problems, did_you_mean
from assay.formats.yaml_text import parse_yaml
from assay.metrics.pack_versions import text_digest

BUILT_IN = resources.files("assay.metrics") / "property_rules"
MAX_FILE_BYTES = 1_000_000
FILE_FIELDS = ("rules", "version", "country", "checked", "duty", "cooling_off", "usual_deposits")
TABLE_FIELDS = (*("state", "name", "law", "source", "valid_from", "valid_to", "per", "minimum", "brackets"),)
BRACKET_FIELDS = ("above", "base", "rate", "flat", "square", "linear")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bracket:
    """What is charged on a value above `above`.

    Either `base` plus `rate` percent of what is over the threshold, or `flat` percent of the whole value,
    or `square` V^2 + `linear` V with V the value in thousands.
    """

    above: float
    base: float = 0.0
    rate: float = 0.0
    flat: float | None = None
    square: float | None = None
    linear: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyTable:
    """Duty on the transfer of a home in one state, for contracts of certain days."""

    state: str
    name: str
    law: str
    source: str
    valid_from: date
    valid_to: date | None
    per: float
    minimum: float
    brackets: tuple[Bracket, ...]

    def holds_on(self, day: date) -> bool:
        """Whether a contract of that day is charged by this table."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)

    def duty_on(self, value: float) -> float:
        """The duty in dollars, to the cent; `per: 100` rounds what is above the threshold up to $100."""
        bracket = next(each for each in reversed(self.brackets) if value > each.above or each.above == 0)
        if bracket.flat is not None:
            return round(_units(value, self.per) * self.per * bracket.flat / 100, 2)
        if bracket.square is not None:
            thousands = value / 1_000
            return round(bracket.square * thousands**2 + bracket.linear * thousands, 2)
        over = _units(value - bracket.above, self.per) * self.per
        return round(max(self.minimum, bracket.base + over * bracket.rate / 100), 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class PropertyRules:
    """What the files say together, later files first."""

    duty: tuple[DutyTable, ...]
    cooling_off_days: Mapping[str, tuple[int, str]]
    """State -> business days (0: no right) and source."""
    usual_deposits: tuple[float, ...]
    digests: tuple[str, ...] = ()
    """Of the texts of the files, in order."""

    def tables(self, state: str, day: date | None) -> tuple[DutyTable, ...]:
        """The tables for a contract of that day, one a name; without a day the newest ones."""
        found: dict[str, DutyTable] = {}
        for table in self.duty:
            if table.state != state or (day is not None and not table.holds_on(day)):
                continue
            known = found.get(table.name)
            if known is None or (day is None and table.valid_from > known.valid_from):
                found[table.name] = table
        return tuple(found.values())


def _units(value: float, per: float) -> float:
    """How many units of `per` dollars a value has; a part counts as one when `per` is above 1."""
    if per == 1:
        return value
    return float((Decimal(str(value)) / Decimal(str(per))).to_integral_value(ROUND_CEILING))


@lru_cache(maxsize=32)
def load_rules(paths: tuple[str, ...] = ()) -> PropertyRules:
    """The built-in rules and those of the files; raises InvalidInput with file, line and field."""
    built_in = sorted(
        (file for file in BUILT_IN.iterdir() if file.name.startswith("real_estate_")),
        key=lambda file: file.name,
    )
    texts = [(file.read_text(encoding="utf-8"), file.name) for file in built_in]
    texts += [(_read(path), path) for path in paths]
    files = [parse_rules(text, name) for text, name in texts]
    return PropertyRules(
        duty=tuple(table for each in reversed(files) for table in each.duty),
        cooling_off_days={key: value for each in files for key, value in each.cooling_off_days.items()},
        usual_deposits=next((each.usual_deposits for each in reversed(files) if each.usual_deposits), ()),
        digests=tuple(text_digest(text) for text, _ in texts),
    )


def _read(path: str) -> str:
    try:
        content = Path(path).read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise InvalidInput(f"the rules cannot be read: {reason}", file=path, field="options.rules") from error
    if len(content) > MAX_FILE_BYTES:
        raise InvalidInput(f"a file of rules has at most {MAX_FILE_BYTES:,} bytes", file=path)
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise InvalidInput("the rules are not UTF-8", file=path) from error


def parse_rules(text: str, file: str) -> PropertyRules:
    """The rules of one file; raises InvalidInput with file, line and field."""
    value, lines = parse_yaml(text, Place(file), depth=6)
    if not isinstance(value, dict):
        raise Place(file, 1).problem("a file of rules is a mapping with `rules`, `country` and `duty`")
    problems = Problems(file, lines)
    reader = _Reader(problems)
    reader.names("", value, FILE_FIELDS)
    for name in ("rules", "country"):
        reader.text(name, value.get(name))
    duty = tuple(reader.table(f"duty.{number}", each) for number, each in reader.items("duty", value))
    days = dict(reader.cooling_off(path, each) for path, each in reader.rows("cooling_off", value))
    percents = tuple(
        reader.number(f"{path}.percent", each.get("percent"))
        for path, each in reader.rows("usual_deposits", value)
    )
    problems.raise_any()
    return PropertyRules(duty=duty, cooling_off_days=days, usual_deposits=percents)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads fields and notes what is wrong with them."""

    problems: Problems

    def names(self, path: str, value: Mapping[str, Any], known: Iterable[str]) -> None:
        for name in value:
            if name not in known:
                self.problems.add(_join(path, name), f"there is no such field{did_you_mean(name, known)}")

    def items(self, name: str, value: Mapping[str, Any]) -> list[tuple[int, Any]]:
        found = value.get(name)
        if found is None:
            return []
        if not isinstance(found, list):
            self.problems.add(name, "must be a list")
            return []
        return list(enumerate(found))

    def rows(self, name: str, value: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
        rows: list[tuple[str, Mapping[str, Any]]] = []
        for number, each in self.items(name, value):
            if isinstance(each, dict):
                rows.append((f"{name}.{number}", each))
            else:
                self.problems.add(f"{name}.{number}", "must be a mapping")
        return rows

    def text(self, path: str, value: Any) -> str:
        if isinstance(value, str) and value.strip():
            return value.strip()
        self.problems.add(path, "is missing" if value is None else f"must be a text, not {value!r:.60}")
        return ""

    def number(self, path: str, value: Any, default: float | None = None) -> float:
        if value is None and default is not None:
            return default
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1e12:
            return float(value)
        self.problems.add(path, "is missing" if value is None else f"must be a number, not {value!r:.60}")
        return 0.0

    def day(self, path: str, value: Any) -> date | None:
        if value is None:
            return None
        try:
            return date.fromisoformat(value)
        except (TypeError, ValueError):
            self.problems.add(path, f"must be a day such as 2025-07-01, not {value!r:.60}")
            return None

    def cooling_off(self, path: str, row: Mapping[str, Any]) -> tuple[str, tuple[int, str]]:
        self.names(path, row, ("state", "days", "source"))
        state = self.text(f"{path}.state", row.get("state"))
        days = self.number(f"{path}.days", row.get("days"))
        return state, (int(days), self.text(f"{path}.source", row.get("source")))

    def table(self, path: str, value: Any) -> DutyTable:
        row: Mapping[str, Any] = value if isinstance(value, dict) else {}
        if row is not value:
            self.problems.add(path, "must be a mapping")
        self.names(path, row, TABLE_FIELDS)
        texts = {
            name: self.text(f"{path}.{name}", row.get(name)) for name in ("state", "name", "law", "source")
        }
        valid_from = self.day(f"{path}.valid_from", row.get("valid_from"))
        if valid_from is None and row.get("valid_from") is None:
            self.problems.add(f"{path}.valid_from", "is missing")
        per = self.number(f"{path}.per", row.get("per"))
        if per == 0:
            self.problems.add(f"{path}.per", "must be above 0")
        return DutyTable(
            **texts,
            valid_from=valid_from or date.min,
            valid_to=self.day(f"{path}.valid_to", row.get("valid_to")),
            per=per or 1.0,
            minimum=self.number(f"{path}.minimum", row.get("minimum"), 0.0),
            brackets=self.brackets(f"{path}.brackets", row.get("brackets")),
        )

    def brackets(self, path: str, value: Any) -> tuple[Bracket, ...]:
        rows = value if isinstance(value, list) and value else []
        if not rows:
            self.problems.add(path, "must be a list of brackets")
        found = tuple(self.bracket(f"{path}.{number}", each) for number, each in enumerate(rows))
        thresholds = [bracket.above for bracket in found]
        if thresholds and (thresholds[0] != 0 or thresholds != sorted(set(thresholds))):
            self.problems.add(path, "the thresholds `above` must begin at 0 and rise")
        return found or (Bracket(above=0),)

    def bracket(self, path: str, value: Any) -> Bracket:
        if not isinstance(value, dict):
            self.problems.add(path, "must be a mapping")
            return Bracket(above=0)
        self.names(path, value, BRACKET_FIELDS)
        known = {
            name: self.number(f"{path}.{name}", value.get(name)) for name in BRACKET_FIELDS if name in value
        }
        if not {"rate", "flat", "square"} & set(known):
            self.problems.add(path, "needs `rate`, `flat` or `square`")
        return Bracket(**{"above": self.number(f"{path}.above", value.get("above")), **known})


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
