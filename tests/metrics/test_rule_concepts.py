"""What stands together in any order, whose value it is, and how two amounts compare."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.domain.errors import InvalidInput
from assay.metrics.rule_amounts import find_spread_percent
from assay.metrics.rule_checks import check_rule, rule_applies, settle_places, worst_verdicts
from assay.metrics.rule_packs import parse_pack
from assay.metrics.rule_text import read_text

HEAD = """\
pack: house
title: House rules
version: "1"
defaults: {jurisdictions: [NSW], severity: major, source: House rule 1, message: Not so.}
rules:
"""
PERIOD = (
    "together: [{all: [[cool off, change your mind], ['re:(?P<value>\\d+ days)']],"
    " rivals: [settle*, deposit], none: [lease], sentences: 2}], allowed: [5 days]"
)


def rule_of(body: str):
    return parse_pack(
        f"{HEAD}  - {{id: a.b, title: A rule, kind: prohibited, {body}}}\n", "house.yaml"
    ).rules[0]


def quotes(body: str, text: str) -> list[str | None]:
    found = check_rule(rule_of(body), read_text(text))
    return [each.quote for each in found if each.verdict == "violated"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("You may cool off within 9 days.", ["cool off within 9 days"]),
        ("For 9 days you may change your mind.", ["9 days you may change your mind"]),
        ("You may cool off within 5 days.", []),
        ("You may cool off within 5 days and settle in 42 days.", []),
        ("Settle in 42 days; until 9 days are over, cool off.", ["9 days are over, cool off"]),
        ("Pay the deposit within 9 days.", []),
        ("Can you change your mind? Yes, within 9 days.", ["change your mind? Yes, within 9 days"]),
        ("Can you change your mind? No. The lease ends in 9 days.", []),
        ("You may not cool off within 9 days.", []),
        ("You may cool off. It was a sunny day, and nobody came. We waited for 9 days.", []),
        ("You may cool off. No rush. Take 9 days.", ["cool off. No rush. Take 9 days"]),
        ("Q. When may I cool off?\nA. Within 9 days.", ["cool off?\nA. Within 9 days"]),
        ("Is it 9 days? Yes / No. (Else cool off.)", ["9 days? Yes / No. (Else cool off"]),
        ("Is it 9 days? Nobody knows. (Else cool off.)", []),
        ("**May I cool off within 9 days?**\nNo. You are bound.", []),
        ("We cool off in 9 days. Can I say that? Agent: 'No, you are bound.'", []),
        ("We cool off in 9 days. Can I say that? Agent: 'Yes.'", ["cool off in 9 days"]),
    ],
)
def test_ideas_are_found_in_any_order_and_a_value_is_the_nearest_ones(text, found):
    assert quotes(PERIOD, text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("How to cool off\n\n- Length: 9 days\n- Settlement: 42 days", ["9 days"]),
        ("To cool off:\n1. wait\n2. within 9 days, write", ["9 days"]),
        ("| Place | Cool off |\n|---|---|\n| Here | 9 days |\n| There | 5 days |", ["9 days"]),
        ("Dates\n- Length: 9 days", []),
        ("How to cool off\n- Take your time. It lasts 9 days.\n- Move in.", ["9 days"]),
    ],
)
def test_items_and_rows_are_read_with_the_line_that_leads_into_them(text, found):
    assert quotes(PERIOD, text) == found


def test_words_between_the_ideas_and_their_order_can_matter():
    body = "together: [{all: [[form], [optional]], gap_not: [not], in_order: true}]"
    assert quotes(body, "The form is optional.") == ["form is optional"]
    assert quotes(body, "The form is not optional.") == []
    assert quotes(body, "It is optional to read the form.") == []


def test_ideas_can_have_to_stand_near_each_other():
    body = "together: [{all: [[suit*], [couple]], reach: 20}]"
    assert quotes(body, "The unit suits a quiet couple.") == ["suits a quiet couple"]
    assert quotes(body, "Near the station it suits you, said a couple.") == []
    assert quotes(body, "It suits you well and was let by the last couple.") == []


def test_a_rival_inside_the_match_is_none():
    body = "together: [{all: [[no], [school age kids, kids]], rivals: [school]}]"
    assert quotes(body, "No pets or school-age kids.") == ["No pets or school-age kids"]
    assert quotes(body, "No shops, kids walk to school.") == []


def test_an_amount_is_compared_with_the_nearest_one_that_a_rule_names():
    body = (
        "together: [{all: [['re:bond (?P<value>\\$[\\d,]+)']]}],"
        " ratio: {to: ['re:(?P<value>\\$[\\d,]+) a week'], at_most: 4}"
    )
    assert quotes(body, "Rent $500 a week, bond $2,000.") == []
    assert quotes(body, "Rent $500 a week, bond $3,000.") == ["bond $3,000"]
    assert quotes(body, "Bond $3,000.") == []
    assert quotes(body, "Rent $900 a week, bond $3,600. Or rent $500 a week, bond $3,600.") == ["bond $3,600"]


def test_an_amount_is_not_compared_with_one_that_words_before_it_rule_out():
    body = (
        "together: [{all: [['re:loses (?P<value>\\$[\\d,]+)']]}],"
        " ratio: {to: ['re:(?P<value>\\$\\d{2,3},\\d{3})'], unless: [deposit], at_most: 0.01}"
    )
    assert quotes(body, "Price $800,000, deposit $80,000; who cools off loses $2,000.") == []
    assert quotes(body, "Price $800,000, down $80,000; who cools off loses $2,000.") == ["loses $2,000"]


def test_bare_hundreds_are_compared_as_thousands_with_a_full_amount():
    body = (
        "together: [{all: [['re:quote (?P<value>\\$?\\d[\\d,]*)']]}],"
        " ratio: {to: ['re:wants (?P<value>\\$?\\d[\\d,]*)'], at_least: 1}"
    )
    assert quotes(body, "She wants $830,000, quote 790.") == ["quote 790"]
    assert quotes(body, "She wants 780, quote $790,000.") == []
    assert quotes(body, "She wants 640, quote 640.") == []


def test_values_can_be_right_in_some_texts_only():
    body = PERIOD + ", also_allowed: {where: [off the plan], values: [10 days]}"
    assert quotes(body, "You may cool off within 10 days.") == ["cool off within 10 days"]
    assert quotes(body, "Off the plan. You may cool off within 10 days.") == []
    assert quotes(body, "It is not off the plan. You may cool off within 10 days.") == [
        "cool off within 10 days"
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("They offer more. We cannot take it.", []),
        ("We cannot take it, but offer more.", ["offer more"]),
        ("They offer more. It is raining. We cannot take it.", ["offer more"]),
    ],
)
def test_a_match_is_cleared_by_its_sentence_or_the_next_and_not_across_a_contrast(text, found):
    assert quotes("patterns: [offer more], cleared_by: [cannot take]", text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Can I cool off? No, not here.", []),
        ("You can cool off. True?\n\nA: It isn't.", []),
        ("He says you may cool off. Wrong. You may not.", []),
        ("You asked to cool off. We can't, sorry.", []),
        ("Can I cool off? Yes, always.", ["cool off"]),
        ("You can cool off. It isn't hard.", ["cool off"]),
    ],
)
def test_a_question_answered_no_and_a_saying_called_wrong_state_nothing(text, found):
    assert quotes("patterns: [cool off]", text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Your draft said 'no children'. I removed that line.", []),
        ("'No children' has to go.", []),
        ("I took 'no children' out.", []),
        ("Myth: no children is fine.", []),
        ("We removed the fence. No children.", ["No children"]),
    ],
)
def test_words_that_were_taken_out_of_a_draft_are_no_use_of_them(text, found):
    assert quotes("patterns: [no children]", text) == found


def test_a_mention_between_the_ideas_is_a_mention():
    body = "together: [{all: [[avoid], [no children]]}]"
    assert quotes(body, "Avoid them: no children.") == ["Avoid them: no children"]
    assert quotes(body, "Avoid phrases such as 'no children'.") == []


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("together: x", "rules.0.together: must be a list"),
        ("together: [{none: [x]}]", "rules.0.together.0.all: must be lists of phrases"),
        ("together: [{all: [[x], []]}]", "rules.0.together.0.all: must be lists of phrases"),
        ("together: [{all: [[x]], sentences: 3}]", "rules.0.together.0.sentences: must be 1 or 2"),
        ("together: [{all: [[x]], in_order: 1}]", "rules.0.together.0.in_order"),
        ("together: [{all: [[x]], reach: 0}]", "rules.0.together.0.reach: must be 1 to 520"),
        ("together: [{all: [[x]], rival: [y]}]", "did you mean 'rivals'"),
        ("patterns: [x], ratio: {to: [y], at_most: many}", "rules.0.ratio.at_most: must be a number"),
        ("patterns: [x], also_allowed: [y]", "rules.0.also_allowed: must be a mapping"),
    ],
)
def test_what_is_wrong_with_a_group_is_said_with_its_field(body, said):
    with pytest.raises(InvalidInput) as raised:
        rule_of(body)
    assert said in str(raised.value)


@pytest.mark.parametrize(
    ("text", "percent"),
    [
        ("$1.1-1.2m", 100 / 11),
        ("$700,000 - $770,000", 10.0),
        ("$500k", 0.0),
        ("$0 to $5", 0.0),
        ("500 to 550 thousand", 10.0),
        ("$900 to $1.08m", 20.0),
        ("$800,000 to $1 million", 25.0),
    ],
)
def test_an_amount_without_a_unit_takes_the_others(text, percent):
    assert find_spread_percent(text) == pytest.approx(percent)


@pytest.mark.parametrize(
    ("text", "percent"),
    [
        ("low $500s to mid $600s", 25.0),
        ("high $400,000s to the low $500,000s", 100 / 12),
        ("low to high $400s", 100 / 7),
        ("mid-$1.2m to mid $1.4m", 16.0),
        ("low $1 millions to high $1 millions", 50.0),
    ],
)
def test_the_low_and_high_parts_of_hundreds_are_amounts(text, percent):
    assert find_spread_percent(text) == pytest.approx(percent)


def test_a_match_without_amounts_is_no_range_that_could_be_right():
    body = "patterns: [any range, 're:(?P<value>\\$\\d+ to \\$\\d+)'], max_spread_percent: 10"
    assert quotes(body, "Quote any range. Quote $100 to $105. Quote $100 to $200.") == [
        "any range",
        "$100 to $200",
    ]


def test_an_amount_can_be_compared_with_amounts_of_several_kinds():
    body = (
        "together: [{all: [['re:bond (?P<value>\\$[\\d,]+)']]}], ratio: ["
        "{to: ['re:(?P<value>\\$[\\d,]+) a week'], at_most: 4},"
        " {to: ['re:(?P<value>\\$[\\d,]+) a fortnight'], at_most: 2}]"
    )
    assert quotes(body, "Rent $1,000 a fortnight, bond $2,000. Rent $500 a week, bond $2,000.") == []
    assert quotes(body, "Rent $500 a week, or $1,000 a fortnight, bond $3,000.") == ["bond $3,000"]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.sampled_from(["cool off", "5 days", "9 days", "settle", ".\n", "- ", "|", "?", ","]), max_size=60
    )
)
def test_any_text_is_searched_and_quotes_stand_where_they_are_said_to(words):
    text = " ".join(words)
    for found in check_rule(rule_of(PERIOD), read_text(text)):
        if found.start is not None and found.end is not None:
            assert found.quote == text[found.start : min(found.end, found.start + 200)]


OCCASION = (
    "when_none: [lease], occasions: [{all: [[sell*]], of: [[agent*], [photo*], [offer*]], at_least: 2},"
    " {together: [{all: [[papers], [need*]]}]}], patterns: [boast]"
)


@pytest.mark.parametrize(
    ("text", "applies"),
    [
        ("Selling? Choose an agent and book the photographer.", True),
        ("Selling? Choose an agent and clean the house.", False),
        ("Choose an agent, book the photographer, wait for offers.", False),
        ("You need papers.", True),
        ("You need rest. The papers are on the table.", False),
        ("You need papers for the lease.", False),
    ],
)
def test_a_rule_applies_on_one_of_its_occasions(text, applies):
    assert rule_applies(rule_of(OCCASION), read_text(text), None) is applies


def test_a_group_takes_the_rules_own_when():
    body = "when: [form 1, form 2], together: [{all: [['{when}'], [optional]]}]"
    assert quotes(body, "Form 2 is optional.") == ["Form 2 is optional"]
    assert quotes(body, "The report is optional. Fill in form 1.") == []


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("occasions: {all: []}, patterns: [a]", "must be a list of mappings"),
        ("occasions: [{of: [[a]], at_least: 2}], patterns: [a]", "must be 0 to 1, the lists in `of`, not 2"),
        ("occasions: [{any: [[a]]}], patterns: [a]", "there is no such field"),
        ("occasions: [{of: [[a]]}], patterns: [a]", "asks for nothing"),
        ("together: [{all: [['{when}'], [a]]}]", "none of them empty"),
    ],
)
def test_an_occasion_that_says_nothing_is_refused(body, said):
    with pytest.raises(InvalidInput) as caught:
        rule_of(body)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("text", "verdicts"),
    [
        ("The fee and the tip are high.", {"a.fee": "violated", "a.tip": "satisfied"}),
        ("The fee is high. The tip is low.", {"a.fee": "violated", "a.tip": "violated"}),
        ("The tip is low.", {"a.fee": "satisfied", "a.tip": "violated"}),
    ],
)
def test_a_rule_gives_way_in_sentences_that_violate_the_other(text, verdicts):
    fee = "  - {id: a.fee, title: A fee, kind: prohibited, patterns: [fee]}\n"
    tip = "  - {id: a.tip, title: A tip, kind: prohibited, patterns: [tip], gives_way_to: a.fee}\n"
    read = read_text(text)
    found = [each for rule in parse_pack(HEAD + fee + tip, "a.yaml").rules for each in check_rule(rule, read)]
    assert worst_verdicts(settle_places(found, read)) == verdicts
