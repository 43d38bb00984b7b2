"""Noise sensitivity: a wrong claim counts when a document of the kind says it."""

import json

import judge
import pytest

DOCUMENTS = ("The flat has three rooms. The rent is 700 a week.", "The pool is open all year.")
EXPECTED = "Three rooms, 500 a week."
CLAIMS = ["The flat has three rooms.", "It costs 700 a week.", "There is a pool.", "It has a garden."]
QUOTES = ["three rooms", "rent is 700 a week", "pool is open", "a garden"]


def decide(question):
    """Document 1 is useful; claim 1 is right; claims 1 to 3 stand in the documents, claim 4 is made up."""
    names = judge.schema_of(question)["properties"]
    if "documents" in names:
        entries = [
            {"document": 1, "quote": "three rooms", "reasoning": "Rooms.", "useful": True},
            {"document": 2, "quote": "", "reasoning": "A pool.", "useful": False},
        ]
        return judge.reply(json.dumps(_whole(question, {"documents": entries})))
    if "claims" in names:
        return judge.reply(json.dumps(_whole(question, {"claims": CLAIMS})))
    by_expected = "500 a week" in judge.fenced(question, "CONTEXT")
    checks = []
    for number, words in enumerate(QUOTES, 1):
        said = number == 1 if by_expected else number <= 4
        quote = ("Three rooms" if by_expected else words) if said else ""
        verdict = "supported" if said else "unsupported"
        checks.append({"claim": number, "quote": quote, "reasoning": "So.", "verdict": verdict})
    return judge.reply(json.dumps(_whole(question, {"checks": checks})))


def _whole(question, given):
    return {**judge.good_verdict(question), **given}


@pytest.mark.parametrize(("kind", "value"), [("relevant", 3 / 4), ("irrelevant", 3 / 4)])
async def test_a_wrong_claim_counts_where_it_stands(server, judged, kind, value):
    server.decide = decide
    found = await judged(
        "noise_sensitivity", " ".join(CLAIMS), expected=EXPECTED, documents=DOCUMENTS, documents_kind=kind
    )
    assert (found.state, found.value, found.calls) == ("scored", value, 4)
    assert ("700" if kind == "relevant" else "pool") in found.reason
    claims = {each["claim"]: each for each in found.evidence["judges"][0]["samples"][0]["claims"]}
    assert claims["It has a garden."]["verdict"] == "unverified", "its quotation is in no document"
    assert claims["The flat has three rooms."]["correct"]


@pytest.mark.parametrize(
    ("given", "state"),
    [
        ({"expected": None}, "skipped"),
        ({"documents": ()}, "skipped"),
        ({"vars": {}}, "skipped"),
        ({"answer": " "}, "abstained"),
    ],
)
async def test_without_what_it_needs_there_is_no_score(judged, given, state):
    found = await judged("noise_sensitivity", given.pop("answer", "Three rooms."), **given)
    assert (found.state, found.value, found.calls) == (state, None, 0)
