"""Clauses with a judge: what it may find, and what stays as the rules have it."""

import judge
import pytest
from packs import CONTRACT, LETTER, answers, by_rules, clauses


@pytest.mark.parametrize("misbehaviour", judge.MISBEHAVIOURS)
async def test_no_misbehaviour_changes_the_verdict_on_a_clause(server, contract, letters, misbehaviour):
    server.decide = judge.MISBEHAVIOURS[misbehaviour]
    found = await contract()
    alone = by_rules(CONTRACT, LETTER, packs=str(letters), contract="letter")
    assert (found.state, found.value) == (alone.state, alone.value) == ("scored", 0.0)
    assert found.reason.startswith(alone.reason + "; the judge decided 0 of 3 questions; judge_")
    assert {name: each["verdict"] for name, each in clauses(found).items()} == {
        name: each["verdict"] for name, each in clauses(alone).items()
    }


async def test_a_clause_in_other_words_is_present_where_the_judge_quotes_it(server, contract):
    server.decide = answers(
        scope=("present", "We read your lease and tell you what it means."),
        fee=("present", "$900, which we ask for after the first meeting"),
        notice=("absent", ""),
    )
    found = await contract()
    assert found.value == pytest.approx(2 / 5)
    scope, fee = clauses(found)["scope"], clauses(found)["fee"]
    assert (scope["verdict"], scope["decided_by"], scope["missing_elements"]) == ("present", "judge", [])
    assert (
        LETTER[scope["start"] : scope["end"]]
        == scope["quote"]
        == "We read your lease and tell you what it means."
    )
    assert (fee["verdict"], fee["decided_by"]) == ("present", "judge")
    notice = clauses(found)["notice"]
    assert (notice["verdict"], notice["decided_by"], notice["judge"]) == ("missing", "rules", "absent")
    assert found.reason.startswith("2 of 5 clauses are complete; law blank, term excluded, notice missing")
    assert found.reason.endswith("; the judge decided 3 of 3 questions")


async def test_only_what_is_missing_or_partial_is_asked_with_what_it_lacks(server, contract):
    server.decide = answers()
    found = await contract()
    assert found.evidence["judge"]["asked"] == ["scope", "fee", "notice"]
    assert "- fee: Fee. What it costs. Must say: amount, day. Not found: day." in server.questions[0].text
    assert "- scope: Scope. What is done.\n" in server.questions[0].text


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (("present", "We shall do our very best"), "which is not in the text"),
        (("present", "[insert State]"), "what is not filled in"),
        (("present", "clause 9 is deleted"), "what is struck out"),
        (("partial", "We read your lease"), "So it is with scope."),
        (("absent", ""), "So it is with scope."),
        (("unclear", ""), "the judge is unsure: So it is with scope."),
    ],
)
async def test_whatever_else_the_judge_says_of_a_clause_keeps_the_verdict_of_the_rules(
    server, contract, said, why
):
    server.decide = answers(scope=said)
    found = await contract(LETTER + "5. Changes\nClause 9 is deleted.\n")
    scope = clauses(found)["scope"]
    assert (scope["verdict"], scope["decided_by"], scope["quote"]) == ("missing", "rules", None)
    assert why in scope["reasoning"]
    assert found.value == 0.0
