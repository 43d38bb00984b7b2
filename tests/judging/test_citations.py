"""Citations: found by rules, supported by what the cited documents say."""

import judge
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.metrics.citations import cited_sentences, find_citations
from assay.metrics.rag_documents import Document

DOCUMENTS = ("It has three rooms.", "It costs 500 a week.", "Pets are welcome.")
PLACED = tuple(Document(number, None, text) for number, text in enumerate(DOCUMENTS, 1))
NAMED = (Document(1, "doc-3", "A."), Document(2, "lease", "B."), Document(3, None, "C."))


@pytest.mark.parametrize(
    ("text", "cited"),
    [
        ("A [1].", [1]), ("A.[1][2] B", [1, 2]), ("A [1, 3].", [1, 3]), ("A [1-3].", [1, 2, 3]),
        ("A [^2].", [2]), ("A【2†source】.", [2]), ("A.¹ B,²", [1, 2]), ("A (doc 3) [Source 2].", [3, 2]),
        ("A [9].", [None]), ("A [0].", [None]), ("80 m² and x² [in all] (2024) [2024]", []),
        ("`a[1]` and\n```\nx[2]\n```\n", []), ("A [1].\n[^1]: the lease [2]", [1]),
        ("A [1].\n\nSources:\n[1] The lease\n[2] The plan", [1]), ("A [3-1].", [3, 1]),
    ],
)  # fmt: skip
def test_citations_are_found_in_their_forms(text, cited):
    assert [each.document for each in find_citations(text, PLACED)] == cited


@pytest.mark.parametrize(
    ("text", "cited"),
    [("A (doc-3).", [1]), ("A [lease; Doc-3].", [2, 1]), ("A [3].", [3]), ("A (a lease).", [])],
)
def test_ids_of_documents_come_before_places(text, cited):
    assert [each.document for each in find_citations(text, NAMED)] == cited


def test_where_ids_are_numbers_a_number_is_an_id():
    documents = (Document(1, "7", "A."), Document(2, "1", "B."))
    assert [each.document for each in find_citations("A [1] [7] [2].", documents)] == [2, 1, None]


def test_a_mark_after_the_full_stop_belongs_to_the_sentence_before():
    found = cited_sentences("It is big.[1] It is old [2].\nIt is blue. [3]", PLACED)
    assert [each.text for each in found] == ["It is big.", "It is old.", "It is blue."]
    assert [[one.document for one in each.citations] for each in found] == [[1], [2], [3]]


@given(st.text("a.[]()^1-, 23\n`【】¹ ", max_size=60))
def test_every_citation_of_any_text_is_in_one_sentence(text):
    found = cited_sentences(text, PLACED)
    assert all(0 <= each.start < each.end <= len(text) for each in find_citations(text, PLACED))
    if found:
        assert sum(len(each.citations) for each in found) == len(find_citations(text, PLACED))


def supports(*entries, supported=(), needing=()):
    """A verdict: entries of (sentence, document, support, quote)."""
    listed = [dict(zip(("sentence", "document", "support", "quote"), each, strict=True)) for each in entries]
    verdict = {"citations": listed, "supported": list(supported), "needing": list(needing)}
    return lambda _question: judge.reply(judge.text_of(verdict))


ANSWER = "It has three rooms and pets [1][3]. It costs 500 [2][9]. It is by the sea."
GOOD = (
    (1, 1, "partial", DOCUMENTS[0]), (1, 3, "partial", DOCUMENTS[2]), (2, 2, "full", DOCUMENTS[1]),
)  # fmt: skip


async def test_precision_and_recall_are_those_of_alce(server, judged):
    server.decide = supports(*GOOD, supported=(1, 2), needing=(3,))
    found = await judged("citation_support", ANSWER, documents=DOCUMENTS)
    assert found.value == 3 / 4 and "[9] points to no document" in found.reason
    (sample,) = found.evidence["judges"][0]["samples"]
    assert (sample["citation_precision"], sample["citation_recall"]) == (3 / 4, 2 / 3)
    assert (sample["cited_share"], sample["uncited"]) == (2 / 3, ["It is by the sea."])
    assert sample["wrong"] == [{"sentence": 2, "mark": "9", "precise": False}]
    assert (await judged("citation_support", ANSWER, documents=DOCUMENTS, measure="recall")).value == 2 / 3


async def test_what_supports_in_part_beside_full_support_is_not_needed(server, judged):
    server.decide = supports((1, 1, "full", DOCUMENTS[0]), (1, 3, "partial", DOCUMENTS[2]), supported=(1,))
    assert (await judged("citation_support", "Three rooms [1][3].", documents=DOCUMENTS)).value == 0.5


async def test_support_by_an_invented_passage_is_unverified_and_not_counted(server, judged):
    server.decide = supports((1, 1, "full", "It has four rooms."), supported=(1,))
    found = await judged("citation_support", "Four rooms [1].", documents=DOCUMENTS)
    assert found.value == 0.0 and "unverified by 1: 'Four rooms.'" in found.reason


async def test_a_citation_that_points_to_no_document_is_wrong_without_asking(server, judged):
    found = await judged("citation_support", "Three rooms [4].", documents=(*DOCUMENTS, " "))
    assert (found.state, found.value, server.count) == ("scored", 0.0, 0)


async def test_an_answer_that_cites_nothing_has_no_precision_and_may_have_no_recall(server, judged):
    found = await judged("citation_support", "Three rooms.", documents=DOCUMENTS)
    assert (found.state, server.count) == ("abstained", 0)
    found = await judged("citation_support", "Three rooms.", documents=DOCUMENTS, measure="recall")
    assert (found.state, found.value) == ("scored", 0.0)
    server.decide = supports()
    found = await judged("citation_support", "Hello!", documents=DOCUMENTS, measure="recall")
    assert (found.state, found.value) == ("abstained", None)


@pytest.mark.parametrize(
    ("verdict", "said"),
    [
        (supports(*GOOD[:2], supported=(1,)), "citation (sentence, document) (2, 2) is missing"),
        (supports(*GOOD, supported=(1,)), "full support and is not supported"),
        (supports(*GOOD, supported=(1, 2, 3)), "supported lists"),
        (supports(*GOOD, supported=(1, 2), needing=(1,)), "needing lists"),
    ],
)
async def test_a_verdict_that_does_not_fit_the_citations_is_none(server, judged, verdict, said):
    server.decide = verdict
    found = await judged("citation_support", ANSWER, documents=DOCUMENTS)
    assert found.state == "failed" and said in found.reason


async def test_more_sentences_or_citations_than_allowed_are_a_failure(server, judged):
    for answer in ("One [1]. Two [2].", "One [1]. " * 3):
        found = await judged("citation_support", answer, documents=DOCUMENTS, max_sentences=1)
        assert found.state == "failed" and "over the limit" in found.reason
    assert server.count == 0
