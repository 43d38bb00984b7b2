"""What reports say of a race."""

import io
from collections.abc import Callable

import pytest
from rich.console import Console

from assay.reports.html import write_html
from assay.reports.markdown import write_markdown
from assay.reports.race import with_race
from assay.reports.summary import CandidateData, RunSummary, summarise
from assay.reports.text import render_summary
from assay.services.documents import summary_values
from assay.stats.racing import Race, RaceResult


def race_of(rows: list[list[float]], n_cases: int, eps: float = 0.0) -> RaceResult:
    race = Race(len(rows), n_cases, eps=eps)
    for candidate, row in enumerate(rows):
        for position, value in enumerate(row):
            race.update(candidate, position, value)
    return race.result()


@pytest.fixture
def raced(run: Callable[..., RunSummary]) -> Callable[..., RunSummary]:
    """A run of two candidates that was a race: 60 of 100 cases each, the second always right."""

    def make(*names: tuple[str, str], **more: object) -> RunSummary:
        rows = [[0.0] * 60, [1.0] * 60]
        summary = run(*rows, names=names or [("plain", "small"), ("careful", "small")])
        return with_race(summary, "exact", race_of(rows, 100, **more))

    return make


def test_the_winner_the_promise_and_the_reasons_are_said(raced) -> None:
    race = raced().race
    assert race.sentence == (
        "careful wins the race on exact: the full grid on this data set would choose it, with 95% certainty."
    )
    assert [each.ending for each in race.candidates] == ["beaten", "won"]
    assert race.candidates[0].reason == "out: careful is better, as 9 cases show"
    assert raced().headline == race.sentence
    assert "the race chose whom to ask" in raced().warnings[0]


def test_a_winner_within_the_tolerance_is_said_to_be_no_more(run) -> None:
    rows = [[1.0] * 95, [1.0] * 95]
    summary = with_race(run(*rows), "exact", race_of(rows, 100, eps=0.05))
    assert "would choose it, or one at most 0.05 better, with 95% certainty" in summary.headline
    assert summary.race.candidates[1].reason == "not chosen: at most 0.05 better than the winner, if at all"


def test_a_race_that_is_not_decided_says_so(run) -> None:
    summary = with_race(run([1.0, 0.0], [1.0, 1.0]), "exact", race_of([[1.0, 0.0], [1.0, 1.0]], 50))
    assert summary.headline == "The race on exact is not decided yet: prompt-1 leads."
    assert summary.race.winner is None


def saved(candidate: Callable[..., CandidateData], *not_needed: int, **more: object) -> RunSummary:
    data = [
        candidate(f"p{number}", planned=100, succeeded=100 - count, cancelled=count, not_needed=count, **more)
        for number, count in enumerate(not_needed)
    ]
    plain = summarise(data, [], rng=None)
    return with_race(plain, "exact", race_of([[0.0] * 50, [1.0] * 50], 100))


def test_what_was_saved_is_estimated_from_what_ran(candidate) -> None:
    race = saved(candidate, 50, 25).race
    assert race.saved_cells == 75
    assert race.saved_tokens == pytest.approx(50 * 1200 / 50 + 25 * 1200 / 75)
    assert race.saved_usd == pytest.approx(50 * 0.005 / 50 + 25 * 0.005 / 75)
    assert race.savings == (
        "Saved against the full grid: 75 of 200 calls (38%), about 1,600 tokens and about $0.0067 "
        "(estimated from the means of the cells that ran)."
    )


def test_an_unknown_price_is_no_saving_of_nothing(candidate) -> None:
    race = saved(candidate, 50, 25, unknown_costs=75, cost_nanousd=0).race
    assert race.saved_usd is None
    assert "$" not in race.savings
    assert "tokens" in race.savings


def test_nothing_saved_is_said(candidate) -> None:
    assert saved(candidate, 0, 0).race.savings == "Nothing was saved: the whole grid was needed."


def test_cells_that_were_not_needed_are_not_missing(candidate) -> None:
    warnings = saved(candidate, 50, 25).warnings
    assert not any("cancelled" in warning or "not yet run" in warning for warning in warnings)


def test_all_reports_tell_of_the_race_and_trust_no_name(raced, payloads) -> None:
    for payload in payloads:
        summary = raced((payload, "small"), ("careful", "small"))
        page, lines = io.StringIO(), io.StringIO()
        write_html(page, summary, [], receipt={})
        write_markdown(lines, summary, receipt={})
        console = Console(file=io.StringIO(), width=100)
        render_summary(summary, console)
        assert 'id="race"' in page.getvalue()
        assert "<script>alert" not in page.getvalue()
        assert "<script>alert" not in lines.getvalue()
        assert "\x1b" not in console.file.getvalue()
        for text in (page.getvalue(), lines.getvalue(), console.file.getvalue()):
            assert "60 of 100" in text


def test_the_document_names_candidates(raced) -> None:
    race = summary_values(raced())["race"]
    assert (race["winner"], race["leader"]) == ("careful", "careful")
    assert [each["candidate"] for each in race["candidates"]] == ["plain", "careful"]
    assert "estimated" in race["estimates"]


def test_a_run_without_a_race_has_none(run) -> None:
    assert summary_values(run([1.0], [0.0]))["race"] is None
