"""Samples, juries, costs."""

import pytest

from assay.domain.errors import StorageFailed
from assay.domain.models import ModelConfig, ModelResponse
from assay.domain.protocols import Reply
from assay.judging.panel import Opinion, convene
from assay.judging.questions import Question, Unanswered
from assay.judging.templates import get_template

FAILED = Unanswered(state="failed", reason="judge_unparseable: it is empty", raw="")
ABSTAINED = Unanswered(state="abstained", reason="the judge cannot judge: no idea", raw="?")
QUESTION = Question(template=get_template("relevance"), data={"question": "q", "answer": "a"})
GOOD = '{"reasoning": "So.", "score": 4}'


VOTES = [([1.0, 1.0, 0.0], 1.0), ([0.0, 0.0, 1.0], 0.0), ([0.0, 1.0], 0.5)]


class Scripted:
    """A judge that says what it is told to, in order."""

    def __init__(self, *replies, provider="openai"):
        self.config = ModelConfig(name="scripted", provider=provider, model="gpt-4.1")
        self.replies = list(replies)
        self.asked = []

    async def ask(self, request):
        self.asked.append(request)
        return self.replies.pop(0)


def reply(text, cost=7, cached=False):
    return Reply(ModelResponse(text=text, cached=cached), cost)


def opinions(by_label):
    """A procedure that finds, at each seat, the next of its label's opinions."""

    async def procedure(seat):
        found = by_label[seat.label][seat.sample]
        return Opinion(value=found, reason=f"thinks {found}") if isinstance(found, float) else found

    return procedure


async def rule(by_label):
    samples = len(next(iter(by_label.values())))
    return await convene(dict.fromkeys(by_label), opinions(by_label), samples=samples)


async def grade(seat):
    answer = await seat.put(QUESTION)
    return (
        answer if isinstance(answer, Unanswered) else Opinion(value=answer.verdict["score"] / 5, reason="ok")
    )


async def test_samples_are_averaged_and_their_spread_is_kept():
    found = await rule({"a": [0.2, 0.4, 0.9]})
    assert found.value == pytest.approx(0.5)
    assert found.evidence["judges"][0]["sd"] == pytest.approx(0.36056, abs=1e-5)
    assert [each["value"] for each in found.evidence["judges"][0]["samples"]] == [0.2, 0.4, 0.9]
    assert found.reason == "3 of 3 samples from 0.20 to 0.90: thinks 0.4"


async def test_a_jury_settles_on_the_median_and_shows_its_disagreement():
    found = await rule({"a": [0.1], "b": [0.9], "c": [0.8]})
    assert found.value == 0.8
    assert found.evidence["disagreement"] == pytest.approx(0.8)
    assert found.reason.startswith("3 of 3 judges, 3 of 3 samples from 0.10 to 0.90: thinks 0.8")


@pytest.mark.parametrize(("votes", "value"), VOTES)
async def test_of_yes_and_no_the_majority_counts_and_an_even_split_is_a_half(votes, value):
    assert (await rule({str(i): [vote] for i, vote in enumerate(votes)})).value == value


@pytest.mark.parametrize(
    ("by_label", "state", "value"),
    [
        ({"a": [FAILED]}, "failed", None),
        ({"a": [ABSTAINED]}, "abstained", None),
        ({"a": [0.5], "b": [FAILED]}, "scored", 0.5),
        ({"a": [0.5], "b": [FAILED], "c": [FAILED]}, "failed", None),
        ({"a": [0.5], "b": [ABSTAINED], "c": [ABSTAINED]}, "abstained", None),
        ({"a": [0.5], "b": [ABSTAINED], "c": [FAILED]}, "failed", None),
        ({"a": [0.4, 0.6, FAILED]}, "scored", 0.5),
        ({"a": [0.4, FAILED, FAILED]}, "failed", None),
    ],
)
async def test_at_least_half_must_have_ruled(by_label, state, value):
    found = await rule(by_label)
    assert (found.state, found.value) == (state, value)
    assert found.reason


async def test_costs_are_summed_and_the_cache_is_told_apart():
    judges = {"a": Scripted(reply("?", 5), reply(GOOD, 6)), "b": Scripted(reply(GOOD, 0, cached=True))}
    found = await convene(judges, grade)
    assert (found.state, found.calls, found.cost_nanousd) == ("scored", 2, 11)
    assert found.evidence["cached_calls"] == 1


async def test_one_unknown_price_makes_the_cost_unknown():
    found = await convene({"a": Scripted(reply("?", None), reply(GOOD, 6))}, grade)
    assert (found.calls, found.cost_nanousd) == (2, None)


async def test_a_failed_ruling_has_cost_what_it_cost():
    found = await convene({"a": Scripted(reply("?", 5), reply("!", 6))}, grade)
    assert (found.state, found.calls, found.cost_nanousd) == ("failed", 2, 11)
    assert found.evidence["judges"][0]["samples"][0]["reply"] == "!"


@pytest.mark.parametrize("error", [StorageFailed("the ledger is away"), KeyError("bug")])
async def test_what_is_no_error_of_a_model_is_raised(error):
    class Broken(Scripted):
        async def ask(self, request):
            self.asked.append(request)
            raise error

    with pytest.raises(type(error)):
        await convene({"a": Broken()}, grade)
