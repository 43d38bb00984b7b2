"""assay metrics: the list, one metric, and what judges are asked."""

from bench import Bench

from assay.judging.templates import get_template
from assay.metrics.catalog import list_metrics


def test_the_list_has_all_of_them_with_or_without_its_name(lonely: Bench) -> None:
    done = lonely.run("metrics", "--json")
    assert [each["type"] for each in done.json] == [info.type for info in list_metrics()]
    assert lonely.run("metrics", "list", "--json").out == done.out
    assert "faithfulness" in lonely.run("metrics").out


def test_a_judged_metric_shows_its_prompts_word_for_word(lonely: Bench) -> None:
    out = lonely.run("metrics", "show", "relevance").out
    template = get_template("relevance")
    assert template.hash in out and f"version {template.version}" in out and template.source in out
    for text in (template.system, template.user):
        assert all(line in out for line in text.splitlines())
    assert '"additionalProperties": false' in out


def test_as_json_the_prompts_have_schema_and_hash(lonely: Bench) -> None:
    for arguments in ("show faithfulness --json", "--json show faithfulness", "faithfulness --json"):
        found = lonely.run("metrics", *arguments.split()).json
        claims, verify, verdict = found["judge_prompts"]
        assert claims["hash"] == get_template("faithfulness_claims").hash
        assert verify["schema"]["required"] == ["cannot_judge", "checks"]
        assert (verdict["schema"], verdict["words"]) == (None, ["yes", "no", "unknown"])


def test_a_metric_that_asks_no_model_has_no_prompt(lonely: Bench) -> None:
    assert "judge prompt" not in lonely.run("metrics", "exact").out
    assert lonely.run("metrics", "show", "exact", "--json").json["judge_prompts"] == []


def test_an_unknown_metric_is_said(lonely: Bench) -> None:
    done = lonely.run("metrics", "show", "nonsense")
    assert done.code == 2 and "assay metrics list" in done.err
