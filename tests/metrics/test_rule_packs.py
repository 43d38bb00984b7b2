"""Rules as data: reading, what is wrong with a file, and what the kinds of rule find."""

import re
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.domain.errors import InvalidInput
from assay.metrics.rule_checks import check_rule, rule_applies, worst_verdicts
from assay.metrics.rule_packs import list_packs, load_packs, parse_pack
from assay.metrics.rule_phrases import BadPhrase, Phrases, expand_entry, fold
from assay.metrics.rule_text import read_text, sentence_around

HEAD = """\
pack: house
title: House rules
version: "1"
defaults: {jurisdictions: [NSW], severity: major, source: House rule 1, category: tone, message: Not so.}
terms:
  number: ["re:[0-9]+", one, two]
rules:
"""
RULE = "  - {id: a.b, title: A rule, kind: prohibited, patterns: [no children]}\n"


def pack(*lines: str):
    return parse_pack(HEAD + "".join(f"{line}\n" for line in lines), "house.yaml")


def rule_of(body: str):
    return pack(f"  - {{id: a.b, title: A rule, {body}}}").rules[0]


def verdicts(body: str, text: str) -> list[str]:
    return [finding.verdict for finding in check_rule(rule_of(body), read_text(text))]


def test_a_pack_may_use_the_shared_terms_and_take_their_names():
    body = "rules:\n  - {id: a.b, title: A rule, kind: prohibited, patterns: ['{money}']}\n"
    (shared,) = parse_pack(HEAD.replace("rules:\n", body), "house.yaml").rules
    own = HEAD.replace("rules:\n", "  money: [cash]\n" + body)
    (rule,) = parse_pack(own, "house.yaml").rules
    texts = ["$450 in hand", "cash in hand"]
    found = [[check_rule(each, read_text(text))[0].verdict for text in texts] for each in (shared, rule)]
    assert found == [["violated", "satisfied"], ["satisfied", "violated"]]


def test_a_pack_is_read_with_its_defaults_and_dates():
    (rule,) = pack(
        "  - {id: a.b, title: A rule, kind: required, patterns: [x y], valid_from: 2020-02-29}"
    ).rules
    assert (rule.severity, rule.weight, rule.jurisdictions) == ("major", 3.0, frozenset({"NSW"}))
    assert rule.valid_from == date(2020, 2, 29) and rule.valid_to is None
    assert rule.excused_by == {"mention", "negation"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEAD + "  - {id: a, title: T, kind: prohibitd, patterns: [x]}", "house.yaml:8: rules.0.kind"),
        (HEAD + "  - {id: a, title: T, kind: prohibited, pattern: [x]}", "did you mean 'patterns'"),
        (HEAD + "  - {id: a, title: T, kind: prohibited}", "rules.0.patterns: is missing"),
        (HEAD + "  - {id: A B, title: T, kind: prohibited, patterns: [x]}", "rules.0.id"),
        (HEAD + "  - {id: a, title: T, kind: prohibited, patterns: ['re:(x']}", "rules.0.patterns.0"),
        (HEAD + "  - {id: a, title: T, kind: prohibited, patterns: ['re:x(?=y)']}", "no look-around"),
        (HEAD + "  - {id: a, title: T, kind: prohibited, patterns: ['re:x*']}", "matches the empty text"),
        (HEAD + "  - {id: a, title: T, kind: prohibited, patterns: ['{nope}']}", "there is no term 'nope'"),
        (HEAD + "  - {id: a, title: T, kind: required, patterns: [x], valid_from: 2021-02-29}", "valid_from"),
        (
            HEAD
            + "  - {id: a, title: T, kind: required, patterns: [x], valid_from: 2022-01-01,"
            + " valid_to: 2021-01-01}",
            "valid_to: is before",
        ),
        (HEAD + "  - {id: a, title: T, kind: required, needs_judge: true}", "rules.0.question"),
        (
            HEAD + "  - {id: a, title: T, kind: required, patterns: [x], jurisdictions: [nsw]}",
            "jurisdictions",
        ),
        (
            HEAD + "  - {id: a, title: T, kind: prohibited, patterns: [x], max_spread_percent: wide}",
            "max_spread_percent: must be a number",
        ),
        (
            HEAD + "  - {id: a, title: T, kind: prohibited, patterns: ['re:(?P<gap>a)(?P<gap>b)']}",
            "rules.0.patterns.0: the group gap is there more than once",
        ),
        (
            HEAD + "  - {id: a, title: T, kind: prohibited, patterns: [x], needs_judge: maybe}",
            "true or false",
        ),
        (HEAD + RULE + RULE, "house.yaml:9: rules.1.id: the rule 'a.b' is there twice"),
        (HEAD + "  - 5", "rules.0: a rule is a mapping"),
        (HEAD.replace('"1"', "1") + RULE, "house.yaml:3: version: must be a text"),
        ("- x", "a rule pack is a mapping"),
        ("pack: [", "not YAML"),
        (HEAD.replace("rules:", "rules: []"), "at least one rule"),
    ],
)
def test_what_is_wrong_in_a_pack_is_said_with_file_line_and_field(text, said):
    with pytest.raises(InvalidInput) as caught:
        parse_pack(text, "house.yaml")
    assert said in str(caught.value)


def test_all_that_is_wrong_in_a_pack_is_said_at_once():
    with pytest.raises(InvalidInput) as caught:
        pack("  - {id: a, title: T, kind: x, patterns: [y]}", "  - {id: b, title: T, kind: advice}")
    assert "line 9: rules.1.patterns" in str(caught.value)


def test_a_pack_of_ones_own_is_found_by_its_path(tmp_path):
    (tmp_path / "ours.yaml").write_text(HEAD + RULE)
    (found,) = load_packs([str(tmp_path / "ours.yaml")])
    assert found.id == "house" and found.rules[0].id == "a.b"


def test_two_packs_with_the_same_rule_are_refused(tmp_path):
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(HEAD + RULE)
    with pytest.raises(InvalidInput, match=r"the rule 'a\.b' is in .*a\.yaml too"):
        load_packs([str(tmp_path / "a.yaml"), str(tmp_path / "b.yaml")])


@pytest.mark.parametrize("content", [None, b"\xff", b"#" * 1_000_001])
def test_a_pack_that_cannot_be_read_is_named(tmp_path, content):
    path = tmp_path / "x.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InvalidInput, match=r"x\.yaml"):
        load_packs([str(path)])


def test_an_unknown_built_in_pack_is_refused_with_what_there_is():
    with pytest.raises(InvalidInput, match="there is no rule pack 'nowhere'"):
        load_packs(["nowhere"])


def test_every_built_in_pack_loads_and_no_rule_is_in_two():
    packs = load_packs(list_packs())
    assert all(rule.source for each in packs for rule in each.rules)


def test_the_pack_that_the_documentation_shows_loads():
    page = (Path(__file__).parents[2] / "docs" / "metrics" / "legal.md").read_text(encoding="utf-8")
    (shown,) = (block for block in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL) if "pack:" in block)
    boasts, phone = parse_pack(shown, "shown.yaml").rules
    text = read_text("For sale: number 1 address, the world's finest. Call (03) 9000 0000.")
    assert [finding.verdict for finding in check_rule(boasts, text)] == ["violated"]
    assert [finding.verdict for finding in check_rule(phone, text)] == ["satisfied"]


def test_a_wrong_range_of_amounts_violates():
    body = r"kind: prohibited, patterns: ['re:(?P<value>\$[\d,.]+(?:k|m)?-\$?[\d,.]+(?:k|m)?)']"
    body += ", max_spread_percent: 10"
    for text in ("$1.0m-$1.1m", "$900k-$990k", "$1.1-1.2m", "$1,000,000-$1,100,000", "$0-$5", "$5.5.5-$9"):
        assert verdicts(body, text) == ["satisfied"], text
    for text in ("$1.0m-$1.2m", "$900k-$1.1m", "$1,000,000-$1,100,001", "$1-1.2m"):
        assert verdicts(body, text) == ["violated"], text


def test_words_in_the_gap_can_make_a_match_none():
    body = "kind: prohibited, patterns: ['re:lend(?P<gap>{near})approv'], gap_not: [not]"
    assert verdicts(body, "We lend and approve.") == ["violated"]
    assert verdicts(body, "We lend and do not approve.") == ["satisfied"]


def test_an_exception_that_is_denied_does_not_excuse():
    body = "kind: advice, patterns: [sign here], exceptions_anywhere: [see a lawyer]"
    assert verdicts(body, "Sign here. First see a lawyer.") == ["satisfied"]
    assert verdicts(body, "Sign here. No need to see a lawyer.") == ["violated"]


def test_a_comment_on_the_sentence_before_counts_as_a_mention():
    assert verdicts(PROHIBITED, "Say no children. That would be discrimination.") == ["satisfied"]
    text = "We do not discriminate but no children."
    assert verdicts(f"{PROHIBITED}, excused_by: [mention]", text) == ["violated"]


def test_a_rule_that_needs_a_known_document_leaves_others_alone():
    rule = rule_of("kind: required, patterns: [x], documents: [email], needs_document: true")
    assert rule_applies(rule, read_text("y"), "email")
    assert not rule_applies(rule, read_text("y"), None)


def test_a_rule_holds_between_its_days_and_without_a_day_while_it_has_not_ended():
    old = rule_of("kind: prohibited, patterns: [x], valid_from: 2014-12-01, valid_to: 2025-07-31")
    assert old.holds_on(date(2025, 7, 31)) and not old.holds_on(date(2025, 8, 1))
    assert not old.holds_on(date(2014, 11, 30)) and not old.holds_on(None)
    assert rule_of("kind: prohibited, patterns: [x], valid_from: 2025-08-01").holds_on(None)


@pytest.mark.parametrize(
    ("entry", "text", "found"),
    [
        ("cooling off", "the COOLING-\n off period", "COOLING-\n off"),
        ("discriminat*", "it is discriminatory", "discriminatory"),
        ("cat", "concatenate", None),
        ("{number} days", "after two days", "two days"),
        ("re:s {number}", "s  52 of", "s  52"),
        ("re:s ?{number}", "s52 of", "s52"),
        ("re:s ?{number}", "s  52 of", "s  52"),
        ("don't", "we don\u2019t say", "don\u2019t"),
        ("cafe", "the café, open", "café"),
        ("$5 (five)", "pay $5 (five) now", "$5 (five)"),
    ],
)
def test_a_phrase_is_found_as_a_reader_would(entry, text, found):
    phrases = Phrases([entry], {"number": ("[0-9]+", "one", "two")})
    span = phrases.first(read_text(text).data)
    assert (text[span.start : span.end] if span else None) == found


@pytest.mark.parametrize("entry", ["", " * ", "{nope}"])
def test_an_entry_that_says_nothing_is_refused(entry):
    with pytest.raises(BadPhrase):
        expand_entry(entry, {})


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters(), max_size=60))
def test_a_folded_text_keeps_its_length_and_fits_latin_1(text):
    clean = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    assert len(fold(clean)) == len(clean)
    fold(clean).encode("latin-1")


def test_a_sentence_ends_at_points_and_lines_and_not_at_a_section_sign():
    text = "First. Under s. 66W of the Act it is so! Next\nlast"
    start = text.index("66W")
    first, last = sentence_around(text, start, start + 3)
    assert text[first:last] == "Under s. 66W of the Act it is so!"


PROHIBITED = "kind: prohibited, patterns: [no children, 'children not welcome']"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Sorry, no children.", ["violated"]),
        ("Sorry, no children. And children not welcome here.", ["violated", "violated"]),
        ("A family home.", ["satisfied"]),
        ("It is unlawful to advertise 'no children'.", ["satisfied"]),
        ("We can\u2019t say “no children” in an ad.", ["satisfied"]),
        ("Avoid words such as no children.", ["satisfied"]),
        ("It is unlawful to smoke. No children.", ["violated"]),
    ],
)
def test_prohibited_words_violate_unless_the_sentence_only_talks_of_them(text, expected):
    assert verdicts(PROHIBITED, text) == expected


def test_a_negation_in_the_clause_excuses_unless_the_rule_says_otherwise():
    body = "kind: prohibited, patterns: [guaranteed growth]"
    assert verdicts(body, "There is no guaranteed growth.") == ["satisfied"]
    assert verdicts(body, "Do not wait: guaranteed growth!") == ["violated"]
    assert verdicts(f"{body}, excused_by: []", "There is no guaranteed growth.") == ["violated"]


def test_exceptions_excuse_in_the_sentence_or_anywhere():
    body = "kind: prohibited, patterns: [adults only], exceptions: [pool]"
    assert verdicts(body, "Adults only pool.") == ["satisfied"]
    assert verdicts(body, "Adults only. There is a pool.") == ["violated"]
    assert verdicts(f"{body}, exceptions_anywhere: [hopa]", "Adults only. HOPA.") == ["satisfied"]


def test_what_is_required_is_satisfied_with_its_place_or_missing():
    rule = rule_of("kind: required, patterns: [vendor statement], remedy: Name it.")
    (found,) = check_rule(rule, read_text("See the vendor statement."))
    assert (found.verdict, found.quote, found.start, found.end) == ("satisfied", "vendor statement", 8, 24)
    (lacking,) = check_rule(rule, read_text("See the contract."))
    assert (lacking.verdict, lacking.start) == ("missing", None)
    assert lacking.as_evidence()["remedy"] == "Name it."


def test_a_wrong_value_violates_and_a_right_one_satisfies():
    body = (
        "kind: prohibited, patterns: ['re:cooling.off{near}(?P<value>{number}) days'], allowed: [re:5, five]"
    )
    assert verdicts(body, "Cooling off is 5 days.") == ["satisfied"]
    assert verdicts(body, "Cooling off is 10 days.") == ["violated"]
    required = body.replace("prohibited", "required")
    assert verdicts(required, "Nothing here.") == ["missing"]
    assert verdicts(required, "Cooling off is 5 days.") == ["satisfied"]


def test_a_rule_applies_by_document_and_by_words():
    rule = rule_of(
        "kind: required, patterns: [x], documents: [listing], when: [rent, lease],"
        " when_all: [[week], [bond]], when_none: [sold]"
    )
    assert rule_applies(rule, read_text("rent a week, bond"), "listing")
    assert rule_applies(rule, read_text("rent a week, bond"), None)
    assert not rule_applies(rule, read_text("rent a week, bond"), "email")
    assert not rule_applies(rule, read_text("rent a week"), "listing")
    assert not rule_applies(rule, read_text("rent a week, bond, sold"), "listing")


def test_the_worst_finding_is_the_verdict_of_a_rule_and_overlaps_count_once():
    rule = rule_of("kind: prohibited, patterns: [no children, no children allowed]")
    findings = check_rule(rule, read_text("No children allowed."))
    assert len(findings) == 1
    assert worst_verdicts(findings) == {"a.b": "violated"}


def test_a_rule_for_a_judge_is_not_checked_without_one():
    assert verdicts("kind: required, needs_judge: true, question: Is it kind?", "x") == ["not_checked"]
