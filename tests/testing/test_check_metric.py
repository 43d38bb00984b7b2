"""The contract of metrics: those of the catalog keep it, and a metric that breaks a rule is told which."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from assay.domain.datasets import Case
from assay.domain.errors import InvalidInput
from assay.domain.models import ModelConfig, ModelRequest, ModelResponse
from assay.domain.protocols import Reply
from assay.domain.scores import MetricConfig, MetricInfo, Sample, Score
from assay.metrics.agent_entries import AGENT_ENTRIES
from assay.metrics.catalog import get_info
from assay.testing import assert_case, check_metric
from assay.testing.contract import RULES, find_violations, violations_text
from assay.testing.probes import ORDINARY, TEXTS, probes_for

OWN = Path(__file__).parents[1] / "metrics" / "own_metrics.py"
SOME = (
    *("exact", "numeric", "json_equal", "rouge_l", "length", "refusal", "latency_ms"),
    *(entry.info.type for entry in AGENT_ENTRIES),
)


@pytest.mark.parametrize("name", SOME)
def test_metrics_of_the_catalog_keep_what_they_promise(name: str) -> None:
    check_metric(MetricConfig(name="label", type=name))


@pytest.mark.parametrize("name", ["fixed", "share_of_letters", "brief", "Longest"])
def test_metrics_as_users_write_them_keep_it_too(name: str) -> None:
    check_metric(f"{OWN}:{name}")


@pytest.mark.parametrize(
    "metric", ["exact", {"rouge_l": {"threshold": 0.5}}, {"type": "contains", "name": "c"}]
)
def test_a_metric_is_named_as_suites_name_it(metric: Any) -> None:
    check_metric(metric)


@dataclass
class Rogue:
    """A metric that does as it is told."""

    give: Callable[[Sequence[Sample]], Any]
    info: MetricInfo = field(default_factory=lambda: get_info("rouge_l"))
    config: MetricConfig = field(default_factory=lambda: MetricConfig(name="rogue", type="rouge_l"))

    def score_batch(self, samples: Sequence[Sample]) -> Any:
        """Whatever it gives."""
        return self.give(samples)


def each(score: Callable[[Sample], Any]) -> Rogue:
    return Rogue(lambda samples: [score(sample) for sample in samples])


def scored(value: Any = 0.5, reason: Any = "fine", **fields: Any) -> Score:
    return replace(Score("rogue", "scored", value, reason), **fields)


def broken(metric: Rogue) -> set[str]:
    return {violation.rule for violation in find_violations(metric)}


def counting() -> Callable[[Sample], Score]:
    seen: list[Sample] = []

    def score(sample: Sample) -> Score:
        seen.append(sample)
        return scored(1 / len(seen))

    return score


def spoil(sample: Sample) -> Score:
    sample.case.vars["spoilt"] = True
    return scored()


def raise_on_empty(sample: Sample) -> Score:
    return scored(1 / min(2, len(sample.response.text)))


ROGUES: dict[str, tuple[Rogue, set[str]]] = {
    "none": (Rogue(lambda _: []), {"one score each"}),
    "too many": (Rogue(lambda samples: [scored()] * (len(samples) + 1)), {"one score each"}),
    "no score": (each(lambda _: 0.5), {"one score each"}),
    "another's score": (each(lambda _: scored(metric="else")), {"one score each"}),
    "raises": (each(raise_on_empty), {"no error"}),
    "nan": (each(lambda _: scored(float("nan"))), {"values"}),
    "too large": (each(lambda _: scored(1.5)), {"values"}),
    "boolean": (each(lambda _: scored(True)), {"values"}),
    "no value": (each(lambda _: scored(None)), {"values"}),
    "value of an abstention": (each(lambda _: scored(0.0, state="abstained")), {"values"}),
    "unknown state": (each(lambda _: scored(state="fine")), {"values"}),
    "no reason": (each(lambda _: scored(reason=" ")), {"reasons"}),
    "reason of no text": (each(lambda _: scored(reason=None)), {"reasons"}),
    "evidence": (each(lambda _: scored(evidence={"x": {1}})), {"evidence"}),
    "unsteady": (each(counting()), {"same score"}),
    "by the batch": (Rogue(lambda samples: [scored(1 / len(samples))] * len(samples)), {"alone"}),
    "changes the case": (each(spoil), {"cases"}),
    "by place": (
        Rogue(lambda samples: [scored(place / 100) for place, _ in enumerate(samples)]), {"alone"}
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ROGUES)
def test_a_broken_rule_is_named_and_no_other(name: str) -> None:
    metric, rules = ROGUES[name]
    assert broken(metric) == rules
    assert "spoilt" not in ORDINARY.vars


def test_every_rule_can_be_broken() -> None:
    assert set.union(*(rules for _, rules in ROGUES.values())) == set(RULES)


def test_all_that_is_broken_is_told_with_the_answer_that_broke_it(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text("def share(output):\n    return len(output.strip()) / len(output.split())\n")
    with pytest.raises(AssertionError) as caught:
        check_metric(f"{path}:share")
    lines = str(caught.value).splitlines()
    assert lines[0].endswith("mine.py:share breaks 1 of 8 rules:")
    assert lines[1] == "  broken: raises nothing, and fails on no content"
    assert "on an ordinary answer" in lines[2] and "outside [0, 1]" in lines[2]
    assert "on an empty answer: ZeroDivisionError: division by zero (mine.py, line 2)" in lines[3]
    assert lines[-1].endswith(" more")


def test_a_metric_that_reads_the_case_is_checked_with_one_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text("def city(output, vars):\n    return vars['city'] in output\n")
    with pytest.raises(AssertionError, match="KeyError: 'city'"):
        check_metric(f"{path}:city")
    check_metric(f"{path}:city", case=Case(key="1", vars={"city": "Perth"}))


def test_a_metric_of_ones_own_holds_one_output() -> None:
    own = {"python": {"name": "letters", "threshold": 0.5, "options": {"target": f"{OWN}:share_of_letters"}}}
    (score,) = assert_case("abc1", metrics=[own])
    assert (score.value, score.reason) == (0.75, "3 letters")
    with pytest.raises(AssertionError, match="letters does not hold: 0, 0 letters"):
        assert_case("123", metrics=[own])


def test_what_cannot_be_loaded_is_no_violation() -> None:
    with pytest.raises(InvalidInput, match="there is no file"):
        check_metric("nowhere.py:own")
    with pytest.raises(InvalidInput, match="Did you mean 'exact'"):
        check_metric("exat")


@dataclass
class Saying:
    """A judge that always says the same."""

    text: str
    config: ModelConfig = field(
        default_factory=lambda: ModelConfig(name="mine", provider="echo", model="echo")
    )

    async def ask(self, request: ModelRequest) -> Reply:
        """Its reply."""
        assert request.vars["metric"] == "mine"
        return Reply(ModelResponse(text=self.text), None)


def test_a_scoring_service_is_checked_through_its_judge() -> None:
    config = MetricConfig(name="mine", type="http", options={"url": "http://localhost/score"})
    check_metric(config, judges={"mine": Saying('{"score": 0.5}')})
    with pytest.raises(AssertionError) as caught:
        check_metric(config, judges={"mine": Saying("fine")})
    assert "the service's reply is no score" in str(caught.value)


def test_the_probes_have_what_models_say_and_how_they_end() -> None:
    probes = probes_for()
    assert len({probe.name for probe in probes}) == len(probes)
    assert {probe.sample.response.finish for probe in probes} >= {"complete", "refused", "filtered", "paused"}
    assert sum(len(text) == 1_000_000 for text in TEXTS.values()) == 2
    assert any(probe.sample.case.expected is None for probe in probes)
    assert violations_text("m", []).startswith("m breaks 0")
