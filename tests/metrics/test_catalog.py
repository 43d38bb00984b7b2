"""The catalog, option checks, and what all metrics do with answers that did not end well."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from assay.domain.datasets import Case
from assay.domain.errors import InvalidInput
from assay.domain.models import ModelResponse
from assay.domain.scores import MetricConfig, Sample
from assay.metrics.catalog import METRICS, list_metrics, make_any_metric, make_metric
from assay.metrics.judged_entries import JUDGED
from assay.metrics.sample_metric import Finding, SampleMetric

ROOT = Path(__file__).parents[2]
HEAVY = ["sacrebleu", "jsonschema", "numpy", "rapidfuzz", "rouge_score_rs", "re2"]
REQUIRED = {
    "json_schema": {"schema": {}},
    "rubric": {"rubric": "Is it kind?"},
    "g_eval": {"criteria": "Is it kind?"},
    "criteria": {"criteria": {"kind": "Is it kind?"}},
}
"""Options without which a metric cannot be made."""
UNJUDGED = [name for name, entry in METRICS.items() if not entry.info.judged]
TEXT_METRICS = [name for name in UNJUDGED if "output" in METRICS[name].info.needs]


def test_listing_metrics_imports_no_metric_library():
    program = (
        "import sys, assay.metrics.catalog as catalog\n"
        "assert len(catalog.list_metrics()) > 25\n"
        f"loaded = set({HEAVY!r}) & set(sys.modules)\n"
        "sys.exit(f'loaded: {loaded}' if loaded else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("info", list_metrics(), ids=lambda info: info.type)
def test_a_row_is_complete_and_its_factory_exists(info):
    config = MetricConfig(name="label", type=info.type, options=REQUIRED.get(info.type, {}))
    metric = make_any_metric(config, ["judge"])
    assert metric.info is info
    assert metric.config.name == "label"
    assert info.summary and info.source and info.needs and info.version
    assert (info.unit is not None) == (info.kind == "measure")
    assert info.kind == "measure" or info.better == "higher"


@pytest.mark.parametrize(
    ("config", "field", "said"),
    [
        (MetricConfig(name="a", type="rogue_l"), "type", "Did you mean 'rouge_l'?"),
        (MetricConfig(name="a", type="zzz"), "type", "There are: exact"),
        (
            MetricConfig(name="a", type="exact", options={"ignore_cse": True}),
            "options.ignore_cse",
            "'ignore_case'",
        ),
        (MetricConfig(name="a", type="meteor", options={"x": 1}), "options.x", "It has no options."),
        (
            MetricConfig(name="a", type="exact", options={"ignore_case": "yes"}),
            "options.ignore_case",
            "true or false",
        ),
        (
            MetricConfig(name="a", type="exact", options={"whitespace": "x"}),
            "options.whitespace",
            "trim, collapse",
        ),
        (MetricConfig(name="a", type="numeric", options={"tolerance": -1}), "options.tolerance", "0 or more"),
        (
            MetricConfig(name="a", type="numeric", options={"tolerance": True}),
            "options.tolerance",
            "a number",
        ),
        (
            MetricConfig(name="a", type="numeric", options={"tolerance": float("nan")}),
            "options.tolerance",
            "a number",
        ),
        (MetricConfig(name="a", type="contains", options={"value": []}), "options.value", "list of texts"),
        (MetricConfig(name="a", type="regex", options={"pattern": ""}), "options.pattern", "not empty"),
        (MetricConfig(name="a", type="json_schema", options={"schema": "x"}), "options.schema", "an object"),
        (MetricConfig(name="a", type="bleu", threshold=30), "threshold", "between 0 and 1"),
        (MetricConfig(name="a", type="length", threshold=float("nan")), "threshold", "finite"),
    ],
)
def test_what_is_wrong_in_a_configuration_is_said_before_any_call(config, field, said):
    with pytest.raises(InvalidInput) as caught:
        make_metric(config)
    assert caught.value.field == field
    assert said in str(caught.value)


def test_an_option_that_is_none_keeps_its_default(score):
    assert score("regex", "abc", "b", pattern=None).value == 1


@pytest.mark.parametrize("name", [n for n in TEXT_METRICS if n not in ("refusal", "json_schema")])
def test_answers_that_were_withheld_are_abstained_on_and_truncated_ones_scored_with_a_note(score, name):
    expected = "5" if name in ("numeric", "json_equal") else "Five words are written here."
    for finish in ("filtered", "refused", "paused"):
        found = score(name, "Five words are written here.", expected, finish=finish)
        assert (found.state, found.value, found.passed) == ("abstained", None, None)
    for finish in ("complete", "tool", "other"):
        assert score(name, "Five words are written here.", expected, finish=finish).state == "scored"
    found = score(name, "Five words are written here.", expected, finish="truncated")
    assert found.state == "scored"
    assert found.reason.endswith("; the answer was truncated")


@pytest.mark.parametrize("name", [name for name in UNJUDGED if "expected" in METRICS[name].info.needs])
def test_a_case_without_expected_is_skipped(score, name):
    found = score(name, "Some text")
    assert (found.state, found.value) == ("skipped", None)
    assert "no expected" in found.reason


@pytest.mark.parametrize("expected", [{"a": 1}, [["a"]], [None], []])
def test_text_metrics_skip_what_is_no_text(score, expected):
    assert score("bleu", "Some text", expected).state == "skipped"


def test_a_threshold_decides_and_without_one_only_binary_metrics_pass_or_fail(score):
    assert score("rouge_1", "a b", "a c").passed is None
    assert score("rouge_1", "a b", "a c", threshold=0.5).passed is True
    assert score("rouge_1", "a b", "a c", threshold=0.51).passed is False
    assert score("exact", "a", "a").passed is True
    assert score("exact", "a", "b").passed is False
    assert score("exact", "a", "b", threshold=0).passed is True


def _metric_of(measure) -> SampleMetric:
    info = METRICS["rouge_1"].info
    return SampleMetric(info, MetricConfig(name="label", type="rouge_1"), measure, {})


def test_a_fault_on_one_sample_costs_that_score_only():
    def measure(sample):
        if sample.response.text == "bad":
            raise KeyError("oops")
        return Finding(0.5, "fine")

    samples = [
        Sample(case=Case(key=text, vars={}), response=ModelResponse(text=text))
        for text in ("good", "bad", "good")
    ]
    scores = _metric_of(measure).score_batch(samples)
    assert [score.state for score in scores] == ["scored", "failed", "scored"]
    assert scores[1].reason == "KeyError: 'oops'"


@pytest.mark.parametrize(("value", "state"), [(float("nan"), "failed"), (1.5, "failed"), (-0.1, "failed")])
def test_a_value_outside_the_unit_interval_never_leaves(value, state):
    sample = Sample(case=Case(key="1", vars={}), response=ModelResponse(text=""))
    (score,) = _metric_of(lambda _: Finding(value, "wrong")).score_batch([sample])
    assert (score.state, score.value) == (state, None)


def test_rounding_errors_at_the_ends_are_removed():
    sample = Sample(case=Case(key="1", vars={}), response=ModelResponse(text=""))
    (score,) = _metric_of(lambda _: Finding(1.0 + 1e-15, "all")).score_batch([sample])
    assert score.value == 1.0


def sections() -> dict[str, str]:
    """Metric type -> its section of the documentation, of all pages."""
    found: dict[str, str] = {}
    for page in (ROOT / "docs" / "metrics.md", *sorted((ROOT / "docs" / "metrics").glob("*.md"))):
        parts = re.split(r"^### `(\w+)`.*$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
        assert found.keys().isdisjoint(parts[1::2])
        found |= zip(parts[1::2], parts[2::2], strict=True)
    return found


def test_the_documentation_has_each_metric_of_the_catalog_and_no_other():
    assert sorted(sections()) == sorted(info.type for info in list_metrics())


@pytest.mark.parametrize("info", list_metrics(), ids=lambda info: info.type)
def test_the_documentation_names_each_option(info):
    options = re.findall(r"^- `(\w+)`", sections()[info.type], flags=re.MULTILINE)
    shared = JUDGED if info.judged else ()
    assert [name for name in options if name not in shared] == [n for n in info.options if n not in shared]


def test_the_documentation_names_the_options_that_judged_metrics_share():
    text = (ROOT / "docs" / "metrics" / "judged.md").read_text(encoding="utf-8")
    shared = text.partition("## Options of every judged metric")[2].partition("\n## ")[0]
    assert re.findall(r"^- `(\w+)`", shared, flags=re.MULTILINE) == list(JUDGED)
