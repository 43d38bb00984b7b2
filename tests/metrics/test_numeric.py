"""Numbers in answers."""

import pytest

from assay.metrics.numeric import Reading, find_numbers

PLAIN = Reading(decimal=".", multiples=True, percent_as_fraction=False)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("The answer is 42.", [42]),
        ("1,234,567.89 dollars", [1234567.89]),
        ("$895k, or A$1.2M, or 3 million", [895e3, 1.2e6, 3e6]),
        ("€2.5bn and 7 Trillion", [2.5e9, 7e12]),
        ("12.5% and 3 percent", [12.5, 3]),
        ("-5, \u22126, $-7, -$8", [-5, -6, -7, -8]),
        ("10-12 and 2024-03-05", [10, 12, 2024, 3, 5]),
        ("1,2,3", [1, 2, 3]),
        ("6.02e23 and 1e-3", [6.02e23, 1e-3]),
        ("x2 and var_3 and GPT-4", [4]),
        (".5 and 0.5", [0.5, 0.5]),
        ("5 km, 5kg, 5 boxes", [5, 5, 5]),
        ("1\u202f234 and 1'234", [1234, 1234]),
        ("1e999 is too large", []),
        ("version 1.2.3", [1.2]),
        ("٣ is Arabic", [3]),
        ("none", []),
    ],
)
def test_numbers_are_found_in_running_text(text, numbers):
    assert find_numbers(text, PLAIN) == pytest.approx(numbers)


def test_a_decimal_comma_can_be_asked_for():
    assert find_numbers("1.234,56 und 7,5", Reading(",", True, False)) == [1234.56, 7.5]


def test_multiples_and_percent_can_be_read_otherwise():
    assert find_numbers("5k and 5%", Reading(".", False, True)) == [5, 0.05]


@pytest.mark.parametrize(
    ("answer", "expected", "options", "value"),
    [
        ("It is 42", 42, {}, 1),
        ("It is 42", "42", {}, 1),
        ("First 7, then 42", 42, {}, 1),
        ("First 7, then 42", 7, {}, 0),
        ("First 7, then 42", 7, {"extract": "first"}, 1),
        ("First 7, then 42", 42, {"extract": "only"}, 0),
        ("Just 42", 42, {"extract": "only"}, 1),
        ("about 3.14", 3.14159, {"tolerance": 0.01}, 1),
        ("about 3.14", 3.14159, {}, 0),
        ("1010", 1000, {"relative": 0.01}, 1),
        ("1011", 1000, {"relative": 0.01}, 0),
        ("0.30000000000000004", 0.3, {}, 1),
        ("5%", 0.05, {"percent": "fraction"}, 1),
        ("7", [5, 7], {}, 1),
        ("no idea", 5, {}, 0),
        ("So 9 eggs * $2 = $18.\n#### 18", "She has 16 - 3 - 4 = <<16-3-4=9>>9 eggs.\n#### 18", {}, 1),
        ("#### 1,800 dollars (2 dozen)", "#### 1800", {}, 1),
        (r"Thus \boxed{ 42 } in 3 steps", 42, {}, 1),
        ("-3", 3, {}, 0),
    ],
)
def test_numeric(score, answer, expected, options, value):
    assert score("numeric", answer, expected, **options).value == value


@pytest.mark.parametrize("expected", [None, "no number", True, {"a": 1}, [], float("nan"), [1, float("inf")]])
def test_a_case_without_an_expected_number_is_skipped(score, expected):
    assert score("numeric", "5", expected).state == "skipped"
