"""Sums that can be checked without the record's saying them: deposit, duty, yield, price of area, settlement.

deposit            percent x price / 100, the percent stated in the clause, the record's, or a usual one
stamp duty         the state's table in force on the contract's day, any named concession that may apply
gross yield        100 x 52 x weekly rent / price
price per sqm      price / land or floor area
settlement date    contract date + days, or the next business day of the state
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from assay.extract.dates import Day
from assay.extract.finds import Span
from assay.extract.money import PER_YEAR, Money
from assay.metrics.business_days import next_business_day
from assay.metrics.property_record import Record
from assay.metrics.property_rule_files import PropertyRules


@dataclass(frozen=True, slots=True)
class Expected:
    """A value that would be right, and the rule that gives it."""

    value: float
    rule: str


def weekly_rent(record: Record) -> float | None:
    """The record's rent a week; a rent for another period is divided by 52 weeks a year."""
    for span in record.spans("rent_per_week"):
        if span.is_range:
            continue
        per = span.per if isinstance(span, Money) and span.per else "week"
        if per in PER_YEAR:
            return span.low * PER_YEAR[per] / 52.0
    return None


def expected_deposits(price: float, percents: tuple[float, ...]) -> Iterator[Expected]:
    """The deposit for each percentage."""
    for percent in percents:
        yield Expected(price * percent / 100, f"{percent:g}% of {price:,.0f}")


def expected_duties(
    record: Record, rules: PropertyRules, price: float, day: date | None
) -> Iterator[Expected]:
    """The duty by each table that may apply; none when the state has no table for that day."""
    owner = _is_owner_occupier(record)
    for table in rules.tables(record.state, day):
        if table.name == "general" and owner is True and _has(rules, record.state, day, "owner_occupier"):
            continue
        if table.name == "owner_occupier" and owner is False:
            continue
        since = f"from {table.valid_from}" + (f" to {table.valid_to}" if table.valid_to else "")
        yield Expected(
            table.duty_on(price), f"{table.state} {table.name} table {since} on {price:,.0f}; {table.law}"
        )


def _has(rules: PropertyRules, state: str, day: date | None, name: str) -> bool:
    return any(table.name == name for table in rules.tables(state, day))


def _is_owner_occupier(record: Record) -> bool | None:
    """What the record says of the buyer; None when nothing."""
    said = record.fields.get("buyer")
    text = " ".join(str(each) for each in said) if said else ""
    if "invest" in text or text.endswith(":false"):
        return False
    if "owner" in text or "occup" in text or "principal" in text or "live" in text or text.endswith(":true"):
        return None if "first_home" in text else True
    return None


def contract_day(record: Record) -> date | None:
    """The day of the contract, else of the auction."""
    for name in ("contract_date", "auction_date"):
        for day in record.days(name):
            if day.year is not None:
                return day.as_date
    return None


def expected_yields(record: Record, price: float | None) -> Iterator[Expected]:
    """The gross yield in percent from the record's rent and price."""
    rent = weekly_rent(record)
    if rent and price:
        yield Expected(100 * rent * 52 / price, f"52 x {rent:,.2f} / {price:,.0f}")


def expected_area_prices(record: Record, price: float) -> Iterator[Expected]:
    """The price of a square metre of land and of floor."""
    for name in ("land_area_sqm", "floor_area_sqm"):
        for span in record.spans(name):
            if span.low > 0:
                yield Expected(price / span.low, f"{price:,.0f} / {span.low:,.1f} sqm ({name})")


def expected_settlements(record: Record) -> Iterator[tuple[Day, str]]:
    """The days on which a sale may settle: the period's end, or the next business day."""
    periods = [span for span in record.spans("settlement_days") if isinstance(span, Span)]
    for start in record.days("contract_date"):
        begin = start.as_date
        if begin is None:
            continue
        for period in periods:
            end = begin + timedelta(days=min(int(period.low), 3_650))
            following = next_business_day(end, record.state)
            for day in dict.fromkeys((following, end)):
                yield (
                    Day(day.year, day.month, day.day),
                    f"{begin} + {period.low:g} days ({record.state or 'no state'})",
                )


def days_between(record: Record) -> int | None:
    """Days from contract to settlement, when the record has both dates."""
    starts, ends = record.days("contract_date"), record.days("settlement_date")
    if not starts or not ends or not starts[0].as_date or not ends[0].as_date:
        return None
    return (ends[0].as_date - starts[0].as_date).days
