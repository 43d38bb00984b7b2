"""What the judged metrics of retrieval make of verdicts."""

import judge
import pytest

from assay.metrics.rag_context import average_precision

DOCUMENTS = ("The garden is large.", "It costs 500 a week.", "Pets are welcome.", "It has three rooms.")


def says(**fields):
    """The good verdict with these fields, where its form has them."""

    def say(question):
        made = judge.good_verdict(question)
        return judge.reply(judge.text_of({**made, **{n: v for n, v in fields.items() if n in made}}))

    return say


def useful(*numbers, quotes=None):
    """Entries for the four documents, of which these are useful."""
    quotes = quotes or {}
    return [
        {
            "document": n,
            "quote": quotes.get(n, DOCUMENTS[n - 1] if n in numbers else ""),
            "useful": n in numbers,
        }
        for n in range(1, 5)
    ]


@pytest.mark.parametrize(
    ("ranks", "value"),
    [
        ((), 0.0), ((1, 2, 3, 4), 1.0), ((1,), 1.0), ((4,), 0.25),
        ((2, 4), (1 / 2 + 2 / 4) / 2), ((1, 3), (1 + 2 / 3) / 2),
    ],
)  # fmt: skip
async def test_precision_is_the_mean_at_the_ranks_of_useful_documents(server, judged, ranks, value):
    server.decide = says(documents=useful(*ranks))
    found = await judged("context_precision", documents=DOCUMENTS)
    assert found.value == pytest.approx(value)
    assert found.value == pytest.approx(average_precision([n in ranks for n in range(1, 5)]))
    assert f"{len(ranks)} of 4 documents useful by the expected text" in found.reason


async def test_a_useful_document_without_its_passage_is_unverified_and_not_counted(server, judged):
    server.decide = says(documents=useful(1, 2, quotes={1: "It costs 500 a week."}))
    found = await judged("context_precision", documents=DOCUMENTS)
    assert found.value == 0.5
    shown = found.evidence["judges"][0]["samples"][0]["documents"]
    assert [each["verdict"] for each in shown] == ["unverified", "useful", "not useful", "not useful"]
    assert shown[1]["spans"] == [{"start": 0, "end": 20}]


async def test_documents_are_useful_by_what_is_expected_else_by_the_answer(server, judged):
    for expected, shown, by in (("Three.", "Three.", "expected"), (None, "Four.", "answer")):
        found = await judged("context_precision", "Four.", expected=expected, documents=DOCUMENTS)
        assert found.evidence["judges"][0]["samples"][0]["by"] == by
        assert judge.fenced(server.questions[-1], "REFERENCE") == shown
    assert (await judged("context_precision", " ", expected=None)).state == "abstained"


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        (useful(1)[:3], "document 4 is missing"),
        ([*useful(1), useful(1)[0]], "document 1 is there more than once"),
        ([*useful(1), {"document": 5, "quote": "", "useful": True}], "entries for no document"),
    ],
)
async def test_each_document_has_one_entry(server, judged, entries, said):
    server.decide = says(documents=entries)
    found = await judged("context_precision", documents=DOCUMENTS)
    assert found.state == "failed" and said in found.reason


async def test_documents_may_be_objects_and_blank_ones_keep_their_number(server, judged):
    listed = [{"id": "a", "text": " "}, {"id": 7, "text": "Three rooms."}]
    found = await judged("context_precision", vars={"question": "Q", "found": listed}, context="found")
    assert judge.fenced(server.questions[0], "DOCUMENTS") == "[2]\nThree rooms."
    assert found.value == 0.5
    assert found.evidence["judges"][0]["samples"][0]["documents"][0]["id"] == "7"


@pytest.mark.parametrize("type_", ["context_precision", "context_recall", "context_relevance"])
async def test_without_documents_nothing_is_asked(server, judged, type_):
    for documents in ((), ("", "  ")):
        assert (await judged(type_, documents=documents)).state == "skipped"
    for listed in (3, [3], [{"id": "a"}], None):
        found = await judged(type_, vars={"question": "Q", "found": listed}, context="found")
        assert found.state == "skipped" and "'found'" in found.reason
    many = await judged(type_, documents=("A.",) * 3, max_documents=2)
    assert many.state == "failed" and "over the limit of 2" in many.reason
    assert server.count == 0


async def test_recall_is_the_share_of_expected_claims_that_the_context_shows(server, judged):
    checks = [
        {"claim": 1, "quote": "It has three rooms.", "verdict": "supported"},
        {"claim": 2, "quote": "It costs 600 a week.", "verdict": "supported"},
    ]
    server.decide = says(checks=checks)
    found = await judged("context_recall", "Never read.", expected=["First.", "Second."], documents=DOCUMENTS)
    assert (found.value, found.calls) == (0.5, 2)
    claims = found.evidence["judges"][0]["samples"][0]["claims"]
    assert [each["verdict"] for each in claims] == ["supported", "unverified"]
    assert claims[0]["spans"] == [{"document": 3, "start": 0, "end": 19}]
    assert judge.fenced(server.questions[0], "ANSWER") == "First."
    assert not any("Never read." in question.text for question in server.questions)


async def test_recall_needs_an_expected_text_with_claims(server, judged):
    assert (await judged("context_recall", expected=None)).state == "skipped"
    assert (await judged("context_recall", expected=" ")).state == "skipped"
    server.decide = says(claims=[])
    found = await judged("context_recall")
    assert (found.state, found.reason) == ("abstained", "the expected text makes no claims")


@pytest.mark.parametrize(
    ("numbers", "unit", "value"),
    [
        ([], "sentences", 0.0),
        ([1, 3, 4], "sentences", 3 / 4),
        ([1, 2], "documents", 1 / 2),
        ([4], "documents", 1 / 2),
    ],
)
async def test_relevance_is_a_share_of_sentences_or_documents(server, judged, numbers, unit, value):
    server.decide = says(relevant=numbers)
    documents = ("One. Two? Three!", "部屋は三つあります。")
    found = await judged("context_relevance", documents=documents, unit=unit)
    assert found.value == pytest.approx(value)
    assert (
        judge.fenced(server.questions[0], "SENTENCES")
        == "1. One.\n2. Two?\n3. Three!\n4. 部屋は三つあります。"
    )


@pytest.mark.parametrize(
    ("numbers", "said"),
    [([3], "there are 2 sentences only"), ([1, 1], "listed more than once"), ([0], "from 1")],
)
async def test_sentences_that_are_not_there_are_no_verdict(server, judged, numbers, said):
    server.decide = says(relevant=numbers)
    found = await judged("context_relevance")
    assert found.state == "failed" and said in found.reason


async def test_more_sentences_than_allowed_are_a_failure(server, judged):
    found = await judged("context_relevance", max_sentences=1)
    assert (found.state, server.count) == ("failed", 0)
    assert "over the limit of 1" in found.reason
