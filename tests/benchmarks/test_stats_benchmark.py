"""The benchmark of the statistics: it passes what is right, and fails what is wrong."""

import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def load(monkeypatch):
    """Modules of the benchmark by name, as its program finds them."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module


def test_quick_checks_are_within_their_bounds():
    names = ["wilson_mean", "pass_rates", "anytime_betting", "wald_contrast"]
    program = [sys.executable, str(BENCHMARKS / "run_stats.py"), "--quick"]
    done = subprocess.run(
        [*program, *(word for name in names for word in ("--only", name))],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [line.split("|") for line in done.stdout.splitlines() if line.startswith("| ")][1:]
    assert [row[4].strip() for row in rows] == ["ok", "ok", "ok", ""]
    assert "4 rows, 0 failed" in done.stdout


def test_a_broken_interval_fails_the_check_that_wilson_passes(load):
    intervals = load("stats.intervals")
    assert intervals.mean_coverage(intervals.wilson, "Wilson", 0.945).ok
    broken = intervals.mean_coverage(intervals.wald, "Wald", 0.945)
    assert not broken.ok
    assert min(broken.measured) < 0.86


def test_a_failed_check_fails_the_run(load, capsys):
    run_stats, intervals = load("run_stats"), load("stats.intervals")

    def wald_as_default(_):
        return intervals.mean_coverage(intervals.wald, "Wald", 0.945)

    effort = run_stats.Effort(quick=True)
    assert run_stats.report([intervals.wald_contrast], effort, 1) == 0
    assert run_stats.report([intervals.wald_contrast, wald_as_default], effort, 1) == 1
    assert re.search(r"Wald: mean coverage .* FAILED", capsys.readouterr().out)


def test_peeking_at_the_usual_test_fails_the_bound_of_planned_looks(load):
    looks, rows = load("stats.looks"), load("stats.rows")
    effort = rows.Effort(quick=True)
    measured = looks.peeking_contrast(effort).measured
    assert not rows.at_most("peeking", "", measured, 0.06, effort.slack(0.06, 3000)).ok


def test_quick_bounds_are_wider_by_the_error_of_fewer_draws(load):
    rows = load("stats.rows")
    full, quick = rows.Effort(), rows.Effort(quick=True)
    assert (full.draws(4000), quick.draws(4000), quick.draws(50)) == (4000, 400, 100)
    assert full.slack(0.05, 4000) == 0.0
    assert 0.02 < quick.slack(0.05, 4000) < 0.04
    assert quick.rng("holm").random() == full.rng("holm").random() != full.rng("gate").random()


def test_a_check_may_answer_several_questions(load, capsys):
    run_stats, rows = load("run_stats"), load("stats.rows")

    def race(_):
        kept = rows.Row(
            check="race", design="8 arms", measured="wrong 0%, saved 68%", bound="saved >= 65%", ok=True
        )
        return kept, rows.at_most("miss", "", [0.2], 0.1)

    assert run_stats.report([race], rows.Effort(), 1) == 1
    out = capsys.readouterr().out
    assert "wrong 0%, saved 68%" in out
    assert "2 rows, 1 failed" in out


def test_each_check_has_a_name_of_its_own(load):
    catalog = load("stats.catalog")
    assert len(catalog.CHECKS) == sum(len(module.CHECKS) for module in catalog.MODULES)
