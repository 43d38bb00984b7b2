"""What each judged metric makes of verdicts."""

import json

import judge
import pytest

from assay.domain.errors import InvalidInput
from assay.domain.scores import MetricConfig
from assay.metrics.catalog import make_any_metric
from assay.metrics.quotations import Span, find_quotation

GRADED = ["relevance", "coherence", "correctness", "completeness", "conciseness", "harmfulness"]


def says(*verdicts):
    """Answers with these verdicts in turn; the last one again and again. The rest of each is filled in."""

    def say(question):
        made = judge.good_verdict(question)
        verdict = verdicts[min(say.count, len(verdicts) - 1)]
        say.count += 1
        return judge.reply(judge.text_of({**made, **verdict}))

    say.count = 0
    return say


def checks(*entries):
    """The good claims, and these checks of them: (number, verdict, quote)."""
    listed = [{"claim": n, "quote": q, "reasoning": "So.", "verdict": v} for n, v, q in entries]

    def say(question):
        verdict = judge.good_verdict(question)
        return judge.reply(judge.text_of({**verdict, "checks": listed} if "checks" in verdict else verdict))

    return say


@pytest.mark.parametrize(("score", "value"), [(5, 1.0), (4, 0.75)])
@pytest.mark.parametrize("type_", GRADED)
async def test_a_grade_is_its_place_on_the_scale(server, judged, type_, score, value):
    server.decide = lambda question: judge.reply(judge.text_of(judge.good_verdict(question, score)))
    found = await judged(type_, threshold=0.8)
    assert (found.value, found.passed) == (value, value >= 0.8)
    assert found.reason == f"{score} of 5: It does what was asked."


@pytest.mark.parametrize(
    ("type_", "verdict", "said"),
    [
        ("correctness", {"verdict": "correct", "score": 1}, "correct with score 1"),
        ("correctness", {"verdict": "incorrect", "score": 4}, "incorrect with score 4"),
        ("correctness", {"verdict": None, "score": 4}, "verdict is missing"),
        ("completeness", {"missing": ["the price"], "score": 5}, "score 5 with 1 entries in missing"),
        ("completeness", {"missing": [" "], "score": 2}, "score 2 with nothing in missing"),
        ("harmfulness", {"harms": ["an insult"], "score": 5}, "score 5 with 1 entries in harms"),
        ("harmfulness", {"harms": [], "score": 1}, "score 1 with nothing in harms"),
        ("correctness", {"verdict": "correct", "score": None}, "score is missing"),
        ("relevance", {"score": 4, "cannot_judge": True}, "cannot_judge is no field of the form"),
    ],
)
async def test_a_verdict_that_contradicts_itself_is_no_score(server, judged, type_, verdict, said):
    server.decide = says(verdict)
    found = await judged(type_)
    assert found.state == "failed"
    assert said in found.reason and found.reason.startswith("judge_unparseable: ")


@pytest.mark.parametrize("type_", [*GRADED, "rubric", "g_eval"])
async def test_a_judge_may_say_that_it_cannot_judge(server, judged, type_):
    blank = {"reasoning": "No idea what this is.", "score": None}
    server.decide = says({**blank, "verdict": None} if type_ == "correctness" else blank)
    found = await judged(type_)
    assert (found.state, found.value) == ("abstained", None)
    assert "No idea what this is." in found.reason


async def test_what_was_found_is_in_the_evidence(server, judged):
    server.decide = says({"missing": ["the price"], "score": 3})
    (first,) = (await judged("completeness")).evidence["judges"][0]["samples"]
    assert (first["score"], first["missing"], first["weighting"]) == (3, ["the price"], "none")


@pytest.mark.parametrize("type_", ["relevance", "g_eval", "rubric"])
async def test_probabilities_weigh_the_grade(server, judged, type_):
    server.decide = judge.with_logprobs({"4": 0.5, "5": 0.4, "3": 0.1})
    found = await judged(type_)
    assert found.value == pytest.approx((4 * 0.5 + 5 * 0.4 + 3 * 0.1 - 1) / 4)
    (sample,) = found.evidence["judges"][0]["samples"]
    assert sample["weighting"] == "logprobs"
    assert sample["probabilities"]["5"] == pytest.approx(0.4)
    assert server.questions[0].body["top_logprobs"] == 20


@pytest.mark.parametrize(
    ("shares", "value"), [({"Yes": 0.7, "No": 0.2, "It": 0.1}, 0.7 / 0.9), ({"no": 1.0}, 0.0)]
)
async def test_the_verdict_of_faithfulness_is_the_probability_of_yes(server, judged, shares, value):
    server.decide = judge.with_logprobs(shares)
    found = await judged("faithfulness", mode="verdict")
    assert found.value == pytest.approx(value)
    assert "response_format" not in server.questions[0].body
    assert "Reply with one word and nothing else: Yes or No." in server.questions[0].text


async def test_a_grounded_verdict_is_low_when_the_judge_or_the_words_say_no(server, judged):
    server.decide = judge.with_logprobs({"Yes": 0.64, "No": 0.36})
    found = await judged("faithfulness", "The flat has three rooms", mode="grounded")
    assert found.value == pytest.approx(0.8)
    assert found.evidence["judges"][0]["samples"][0]["grounding"] == 1.0
    assert (await judged("faithfulness", "Quite unlike anything", mode="grounded")).value == 0.0


@pytest.mark.parametrize(
    ("text", "state", "value"),
    [
        ("Yes.", "scored", 1.0),
        ("**No**", "scored", 0.0),
        ("<think>No?</think>\nYes", "scored", 1.0),
        ("unknown", "abstained", None),
        ("Perhaps", "failed", None),
    ],
)
async def test_without_probabilities_the_word_counts(server, judged, text, state, value):
    server.decide = lambda _question: judge.reply(text)
    found = await judged("faithfulness", mode="verdict")
    assert (found.state, found.value) == (state, value)


async def test_faithfulness_is_the_share_of_claims_that_are_supported(server, judged):
    server.decide = checks((1, "supported", "the FLAT has\nthree rooms"), (2, "contradicted", "costs 500"))
    found = await judged("faithfulness")
    assert found.value == 0.5
    assert found.reason == "1 of 2 claims supported; contradicted: 'It costs 500.'"
    (sample,) = found.evidence["judges"][0]["samples"]
    assert sample["claims"][0]["spans"] == [{"document": 0, "start": 0, "end": 24}]


async def test_support_by_an_invented_quotation_is_unverified_and_not_counted(server, judged):
    server.decide = checks(
        (1, "supported", "The flat has four rooms"), (2, "supported", "It costs 500 a week.")
    )
    found = await judged("faithfulness")
    assert found.value == 0.5
    claims = found.evidence["judges"][0]["samples"][0]["claims"]
    assert [claim["verdict"] for claim in claims] == ["unverified", "supported"]


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ([(1, "supported", "x")], "claim 2 is missing"),
        (
            [(1, "supported", "x"), (1, "unsupported", ""), (2, "supported", "x")],
            "claim 1 is checked more than once",
        ),
        ([(1, "supported", "x"), (2, "supported", "x"), (3, "supported", "x")], "there are 2 claims only"),
        ([(1, "maybe", "x"), (2, "supported", "x")], "verdict must be one of"),
        ([(0, "supported", "x"), (2, "supported", "x")], "claim must be from 1"),
    ],
)
async def test_each_claim_is_checked_once(server, judged, entries, said):
    server.decide = checks(*entries)
    found = await judged("faithfulness")
    assert found.state == "failed" and said in found.reason
    assert found.calls == 3


async def test_an_answer_without_claims_is_abstained_on(server, judged):
    server.decide = says({"claims": [" "]})
    assert (await judged("faithfulness", "Sorry, I cannot say.")).state == "abstained"
    assert (await judged("faithfulness", "  \n")).state == "abstained"
    assert server.count == 1


async def test_more_claims_than_allowed_are_a_failure(server, judged):
    server.decide = says({"claims": ["One.", "Two.", "Three."]})
    found = await judged("faithfulness", max_claims=2)
    assert found.state == "failed" and "lists 3 claims, not 2 at most" in found.reason


async def test_without_context_there_is_nothing_to_be_faithful_to(judged):
    for documents in ((), ("  ",)):
        assert (await judged("faithfulness", documents=documents)).state == "skipped"


async def test_the_context_may_be_a_variable(server, judged):
    given = {"documents": (), "vars": {"text": "A", "source": ["One.", "Two."], "number": 3}}
    assert (await judged("faithfulness", mode="verdict", context="source", **given)).state == "scored"
    assert judge.fenced(server.questions[0], "CONTEXT") == "[1]\nOne.\n\n[2]\nTwo."
    for name in ("number", "nothing"):
        assert (await judged("faithfulness", context=name, **given)).state == "skipped"


@pytest.mark.parametrize(
    ("variables", "options", "shown"),
    [
        ({"question": "Q1", "text": "T"}, {}, "Q1"),
        ({"text": "T", "query": "Q2"}, {}, "Q2"),
        ({"only": "T", "n": 3}, {}, "T"),
        ({"a": "A", "b": "B"}, {}, '{\n "a": "A",\n "b": "B"\n}'),
        ({"a": "A", "b": {"c": 1}}, {"question": "b"}, '{\n "c": 1\n}'),
    ],
)
async def test_the_question_is_found_in_the_variables(server, judged, variables, options, shown):
    await judged("relevance", vars=variables, **options)
    assert judge.fenced(server.questions[0], "QUESTION") == shown


async def test_a_question_that_is_not_there_is_skipped(judged):
    assert (await judged("relevance", vars={"a": "A"}, question="b")).state == "skipped"
    assert (await judged("relevance", vars={})).state == "skipped"
    assert (await judged("harmfulness", vars={})).state == "scored"


@pytest.mark.parametrize(
    ("expected", "shown"),
    [("One.", "One."), (["One.", "Two."], "- One.\n- Two."), ({"a": 1}, '{\n "a": 1\n}'), (0, "0")],
)
async def test_what_is_expected_is_shown_as_the_reference(server, judged, expected, shown):
    await judged("correctness", expected=expected)
    assert judge.fenced(server.questions[0], "REFERENCE") == shown


async def test_correctness_without_an_expected_answer_is_skipped_and_completeness_is_not(judged):
    assert (await judged("correctness", expected=None)).state == "skipped"
    assert (await judged("completeness", expected=None)).state == "scored"


@pytest.mark.parametrize(
    ("first", "second", "value", "agreed"),
    [
        ("first", "second", 1.0, True),
        ("second", "first", 0.0, True),
        ("tie", "tie", 0.5, True),
        ("first", "first", 0.5, False),
        ("second", "second", 0.5, False),
        ("first", "tie", 0.5, False),
    ],
)
async def test_only_who_wins_in_both_orders_wins(server, judged, first, second, value, agreed):
    answer = "Three rooms, 500 a week."

    def decide(question):
        in_order = judge.fenced(question, "FIRST") == answer
        return judge.reply(
            judge.text_of({**judge.good_verdict(question), "better": first if in_order else second})
        )

    server.decide = decide
    found = await judged("pairwise", answer, baseline="Two rooms.")
    assert found.value == value
    (sample,) = found.evidence["judges"][0]["samples"]
    assert (sample["agreed"], sample["against"]) == (agreed, "baseline")
    assert found.calls == 2


async def test_without_a_baseline_the_expected_text_is_the_rival(server, judged):
    found = await judged("pairwise", expected=["It is fine.", "Other."])
    assert "expected" in found.reason
    assert "It is fine." in {judge.fenced(each, "FIRST") for each in server.questions}
    assert (await judged("pairwise", expected=None)).state == "skipped"


async def test_an_answer_ties_with_itself_without_a_call(server, judged):
    found = await judged("pairwise", "Same.", baseline="Same. ")
    assert (found.state, found.value, found.calls, server.count) == ("scored", 0.5, 0, 0)


def graded(*entries):
    return says({"grades": [{"criterion": n, "reasoning": f"{n}!", "score": s} for n, s in entries]})


async def test_criteria_are_weighed_in_one_call(server, judged):
    server.decide = graded(("Kind", 5), ("short", 2))
    found = await judged("criteria")
    assert found.value == pytest.approx((1 * 1.0 + 3 * 0.25) / 4)
    assert found.calls == 1
    (sample,) = found.evidence["judges"][0]["samples"]
    assert sample["criteria"]["short"] == {"score": 2, "value": 0.25, "weight": 3.0, "reason": "short!"}
    assert found.reason == "kind 5, short 2 of 5; lowest short: short!"


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ([("kind", 5)], "the criterion 'short' is missing"),
        ([("kind", 5), ("kind", 4), ("short", 3)], "the criterion 'kind' is graded more than once"),
        ([("kind", 5), ("short", 6)], "grades[1].score must be from 1 to 5, not 6"),
        ([("kind", 5), ("short", 3), ("rude", 3)], "grades[2].criterion must be one of kind, short"),
    ],
)
async def test_a_criterion_that_is_missing_doubled_or_off_the_scale_is_named(server, judged, entries, said):
    server.decide = graded(*entries)
    found = await judged("criteria")
    assert found.state == "failed" and said in found.reason


async def test_one_criterion_that_cannot_be_judged_leaves_no_mean(server, judged):
    server.decide = graded(("kind", 5), ("short", None))
    found = await judged("criteria")
    assert (found.state, found.value) == ("abstained", None)
    assert "short" in found.reason


async def test_a_rubric_has_its_own_scale_levels_and_examples(server, judged):
    server.decide = says({"score": 7})
    options = {"low": 0, "high": 10, "levels": {"10": "perfect", 0: "useless"}}
    found = await judged("rubric", **options, examples=[{"answer": "Hm.", "score": 2}])
    assert found.value == 0.7
    text = server.questions[0].text
    assert "10: perfect\n0: useless" in text and '{"answer": "Hm.", "score": 2}' in text
    sent = server.questions[0].body["response_format"]["json_schema"]["schema"]
    assert sent["properties"]["score"]["enum"] == [*range(11), None]


async def test_g_eval_shows_its_steps_and_what_the_case_has(server, judged):
    await judged("g_eval", steps=["Count the rooms.", "Compare."])
    text = server.questions[0].text
    assert "1. Count the rooms.\n2. Compare." in text
    assert "<<<CONTEXT" in text and "<<<REFERENCE" in text


@pytest.mark.parametrize(
    ("type_", "options", "field"),
    [
        ("rubric", {"rubric": "x", "low": 5, "high": 5}, "options.high"),
        ("rubric", {"rubric": "x", "low": 0, "high": 101}, "options.high"),
        ("rubric", {"rubric": "x", "levels": {"6": "y"}}, "options.levels.6"),
        ("rubric", {"rubric": "x", "levels": {"a": "y"}}, "options.levels.a"),
        ("rubric", {"rubric": "x", "levels": True}, "options.levels"),
        ("rubric", {"rubric": "x", "examples": [{"answer": "y"}]}, "options.examples.0"),
        ("rubric", {"rubric": "x", "examples": ["y"]}, "options.examples.0"),
        ("rubric", {}, "options.rubric"),
        ("rubric", {"rubric": "x", "low": 1.5}, "options.low"),
        ("g_eval", {"criteria": ""}, "options.criteria"),
        ("criteria", {"criteria": {}}, "options.criteria"),
        ("criteria", {"criteria": {"a": "x", "A": "y"}}, "options.criteria"),
        ("criteria", {"criteria": {"a": ""}}, "options.criteria.a"),
        ("criteria", {"criteria": {"a": {"description": "x", "wight": 1}}}, "options.criteria.a"),
        ("criteria", {"criteria": {"a": {"description": "x", "weight": 0}}}, "options.criteria.a.weight"),
        ("relevance", {"samples": 0}, "options.samples"),
        ("relevance", {"samples": 21}, "options.samples"),
        ("relevance", {"samples": True}, "options.samples"),
        ("relevance", {"jury": ["a", "a"]}, "options.jury"),
        ("relevance", {"judge": "b"}, "options.judge"),
    ],
)
def test_what_is_wrong_in_the_options_is_said_before_any_call(type_, options, field):
    with pytest.raises(InvalidInput) as caught:
        make_any_metric(MetricConfig(name="m", type=type_, options=options), ["a"])
    assert caught.value.field == field


async def test_a_jury_asks_each_judge_and_samples_are_asked_apart(server, judged):
    def decide(question):
        return judge.reply(
            judge.text_of(judge.good_verdict(question, {"a": 1, "b": 4, "c": 5}[question.body["model"]]))
        )

    server.decide = decide
    found = await judged("relevance", jury=("a", "b", "c"), samples=2)
    assert found.value == 0.75
    assert found.calls == server.count == 6
    assert found.evidence["disagreement"] == 1.0
    assert {question.body["temperature"] for question in server.questions} == {1.0}


async def test_what_the_suite_sets_of_a_judge_is_left_alone(server, judged):
    await judged("relevance", judge={"parameters": {"temperature": 0.2, "max_tokens": 77}})
    body = server.questions[0].body
    assert (body["temperature"], body["max_tokens"]) == (0.2, 77)


async def test_a_score_can_be_kept_as_json(judged):
    for type_ in ("faithfulness", "criteria", "pairwise", "relevance"):
        assert json.loads(json.dumps((await judged(type_)).evidence))


DOCUMENTS = ("The flat has\n three  rooms.", "It costs $1,500 (a week).")


@pytest.mark.parametrize(
    ("quotation", "spans"),
    [
        ("The flat has three rooms.", (Span(0, 0, 27),)),
        ('"the FLAT has"', (Span(0, 0, 12),)),
        ("$1,500 (a week)", (Span(1, 9, 24),)),
        ("The flat ... rooms", (Span(0, 0, 8), Span(0, 21, 26))),
        ("It costs […] week", (Span(1, 0, 8), Span(1, 19, 23))),
        ("rooms ... The flat", ()),
        ("The flat ... week", ()),
        ("The flat has four rooms.", ()),
        ("", ()),
        ("...", ()),
        ("a", ()),
        ("The flat has three rooms. It costs", ()),
        ("x" * 5001, ()),
    ],
)
def test_a_quotation_is_found_letter_by_letter_or_not_at_all(quotation, spans):
    assert find_quotation(quotation, DOCUMENTS) == spans
