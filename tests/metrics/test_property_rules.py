"""Duty tables, business days and rule files: golden values and what is wrong in a file."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.domain.errors import InvalidInput
from assay.metrics.business_days import STATES, add_business_days, is_business_day, next_business_day
from assay.metrics.property_rule_files import load_rules, parse_rules

RULES = load_rules()
TODAY = date(2026, 3, 1)


def duty(state: str, value: float, day: date = TODAY, name: str = "general") -> float:
    (table,) = (table for table in RULES.tables(state, day) if table.name == name)
    return table.duty_on(value)


@pytest.mark.parametrize(
    ("state", "name", "day", "value", "expected"),
    [
        # Worked example of the Queensland Revenue Office, page "Transfer duty rates".
        ("QLD", "general", TODAY, 365_400, 11_214),
        # Steps of the published tables, where the rate below and the base above must meet.
        ("QLD", "general", TODAY, 5_000, 0), ("QLD", "general", TODAY, 75_000, 1_050),
        ("QLD", "general", TODAY, 540_000, 17_325), ("QLD", "general", TODAY, 1_000_000, 38_025),
        ("QLD", "owner_occupier", TODAY, 350_000, 3_500), ("QLD", "owner_occupier", TODAY, 1_000_000, 30_850),
        ("NSW", "general", date(2024, 8, 1), 1_212_000, 49_069),
        ("NSW", "general", date(2024, 8, 1), 3_636_000, 182_389),
        ("NSW", "general", TODAY, 1_240_000, 50_212), ("NSW", "general", TODAY, 3_721_000, 186_667),
        ("NSW", "general", TODAY, 850_000, 32_662), ("NSW", "general", TODAY, 1_000, 20),
        ("VIC", "general", TODAY, 25_000, 350), ("VIC", "general", TODAY, 130_000, 2_870),
        ("VIC", "general", TODAY, 960_001, 52_800.06), ("VIC", "general", TODAY, 2_000_000, 110_000),
        ("VIC", "owner_occupier", TODAY, 440_000, 18_370),
        ("SA", "general", TODAY, 300_000, 11_330), ("SA", "general", TODAY, 500_000, 21_330),
        ("WA", "general", TODAY, 200_000, 5_035), ("WA", "general", TODAY, 500_000, 17_765),
        ("WA", "general", TODAY, 800_000, 32_315.5),
        ("TAS", "general", TODAY, 2_000, 50), ("TAS", "general", TODAY, 500_000, 18_247.5),
        ("TAS", "general", TODAY, 725_000, 27_810),
        # Caps of the ACT's concession schemes in its budgets for 2024-25 and 2025-26.
        ("ACT", "owner_occupier", date(2025, 6, 30), 1_000_000, 34_270),
        ("ACT", "owner_occupier", date(2025, 7, 1), 1_020_000, 35_238),
        ("ACT", "general", TODAY, 1_500_000, 68_100),
        # The formula of the Stamp Duty Act 1978 (NT) at $500,000, and its flat rates.
        ("NT", "general", TODAY, 500_000, 23_928.60), ("NT", "general", TODAY, 750_000, 37_125),
        ("NT", "general", TODAY, 3_000_000, 172_500), ("NT", "general", TODAY, 5_000_000, 297_500),
    ],
)  # fmt: skip
def test_duty_is_what_the_revenue_offices_publish(state, name, day, value, expected):
    assert duty(state, value, day, name) == pytest.approx(expected, abs=0.6)


def test_a_part_of_a_hundred_dollars_counts_as_a_hundred():
    assert duty("NSW", 850_001) == duty("NSW", 850_100) == duty("NSW", 850_000) + 4.5
    assert duty("VIC", 650_001) == pytest.approx(duty("VIC", 650_000) + 0.06)


@pytest.mark.parametrize("state", sorted(STATES))
@settings(max_examples=30, deadline=None)
@given(value=st.floats(100, 20_000_000), more=st.floats(0, 1_000_000))
def test_more_value_never_costs_less_duty(state, value, more):
    # Victoria's flat 5.5% above $960,000 meets its 6% there, so no table falls by more than rounding.
    assert duty(state, value + more) >= duty(state, value) - 1_000


def test_a_day_without_a_table_has_no_duty_and_no_day_takes_the_newest():
    assert RULES.tables("NSW", date(2026, 7, 1)) == ()
    assert RULES.tables("NSW", None)[0].valid_from == date(2025, 7, 1)
    assert RULES.tables("XX", TODAY) == ()


def test_every_table_has_its_law_its_page_and_no_overlap():
    assert {table.state for table in RULES.duty} == STATES
    for table in RULES.duty:
        assert table.law and table.source.startswith("https://")
        same = [each for each in RULES.duty if (each.state, each.name) == (table.state, table.name)]
        assert sum(each.holds_on(table.valid_from) for each in same) == 1


@pytest.mark.parametrize(
    ("day", "state", "expected"),
    [
        (date(2026, 4, 3), "NSW", date(2026, 4, 7)),  # Good Friday to the Tuesday after Easter
        (date(2026, 1, 26), "QLD", date(2026, 1, 27)),
        (date(2026, 11, 3), "VIC", date(2026, 11, 4)),  # Melbourne Cup Day
        (date(2026, 11, 3), "NSW", date(2026, 11, 3)),
        (date(2026, 3, 9), "SA", date(2026, 3, 10)),  # Adelaide Cup Day
        (date(2026, 6, 1), "WA", date(2026, 6, 2)),  # Western Australia Day
        (date(2026, 3, 14), "TX", date(2026, 3, 16)),  # elsewhere only weekends count
    ],
)
def test_the_next_business_day_is_the_states(day, state, expected):
    assert next_business_day(day, state) == expected


@settings(max_examples=40, deadline=None)
@given(st.dates(date(2024, 1, 1), date(2027, 12, 31)), st.integers(1, 10), st.sampled_from(sorted(STATES)))
def test_business_days_are_counted_one_by_one(day, count, state):
    end = add_business_days(day, count, state)
    assert is_business_day(end, state)
    days = [date.fromordinal(number) for number in range(day.toordinal() + 1, end.toordinal() + 1)]
    assert sum(is_business_day(each, state) for each in days) == count


GOOD = """\
rules: ours
country: AU
duty:
  - state: NSW
    name: general
    law: an act
    source: https://example.org
    valid_from: 2026-07-01
    per: 100
    brackets:
      - {above: 0, base: 0, rate: 1}
      - {above: 100, flat: 2}
"""


def test_a_file_of_ones_own_adds_tables(tmp_path):
    (tmp_path / "ours.yaml").write_text(GOOD, encoding="utf-8")
    rules = load_rules((str(tmp_path / "ours.yaml"),))
    (table,) = rules.tables("NSW", date(2026, 8, 1))
    assert (table.duty_on(100), table.duty_on(1_050)) == (1, 22)
    assert rules.tables("NSW", TODAY) == RULES.tables("NSW", TODAY)


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "said"),
    [
        ("per: 100", "per: 0", 9, "duty.0.per", "above 0"),
        ("rate: 1}", "ratee: 1}", 11, "duty.0.brackets.0.ratee", "did you mean 'rate'?"),
        ("above: 100", "above: 0", 10, "duty.0.brackets", "must begin at 0 and rise"),
        ("valid_from: 2026-07-01", "valid_from: July", 8, "duty.0.valid_from", "must be a day"),
        ("state: NSW", "state: 3", 4, "duty.0.state", "must be a text"),
        ("    law: an act\n", "", 4, "duty.0.law", "is missing"),
        ("country: AU", "country: AU\nholiday: x", 3, "holiday", "no such field"),
    ],
)
def test_what_is_wrong_in_a_file_is_told_with_its_line(old, new, line, field, said):
    with pytest.raises(InvalidInput) as caught:
        parse_rules(GOOD.replace(old, new), "ours.yaml")
    assert (caught.value.file, caught.value.line, caught.value.field) == ("ours.yaml", line, field)
    assert said in str(caught.value)


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(InvalidInput) as caught:
        load_rules((str(tmp_path / "none.yaml"),))
    assert caught.value.field == "options.rules"
