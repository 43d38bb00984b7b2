"""The pytest plugin: marked tests are scored, and gates judge the aggregate.

It costs nothing where it is not used: the rest is loaded by the first marked test, fixture or option.
"""

from collections.abc import Generator
from importlib import import_module
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest

from assay.domain.errors import AssayError

MARK = (
    "assay(dataset, metrics, repeats, gate, name, fields): score what the test logs with "
    "assay.log_output(...), and judge the aggregate by its gates"
)
OBSERVATION: pytest.StashKey[Any] = pytest.StashKey()
PLANS: pytest.StashKey[dict[str, Any]] = pytest.StashKey()
OUTCOMES = {"pass": "passed", "fail": "failed", "inconclusive": "skipped"}
MARKUP: dict[str, dict[str, bool]] = {
    "plain": {},
    "good": {"green": True},
    "bad": {"red": True},
    "open": {"yellow": True},
}
NOT_REPORTED = ("terminalreporter", "lfplugin", "nfplugin", "stepwiseplugin")
"""Plugins that must not take a gate for a test: it is in our section, and cannot be run again by itself."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options, and the same in the ini file."""
    group = parser.getgroup("assay", "assay: scores and gates")
    group.addoption(
        "--assay-gate", action="append", default=[], metavar="METRIC=LIMIT", dest="assay_gate",
        help="gate on a metric of every group that has it; may come more than once",
    )  # fmt: skip
    group.addoption(
        "--assay-strict", action="store_true", default=None, dest="assay_strict",
        help="fail when a gate is inconclusive",
    )  # fmt: skip
    group.addoption(
        "--assay-baseline", metavar="FILE", dest="assay_baseline",
        help="results to be no worse than: .jsonl or .json of --assay-output or assay export",
    )  # fmt: skip
    group.addoption(
        "--assay-margin", type=float, metavar="X", dest="assay_margin",
        help="the loss against the baseline that does not matter, in score points",
    )  # fmt: skip
    group.addoption(
        "--assay-output", metavar="FILE", dest="assay_output",
        help="write results as rows; jsonl, json, csv or parquet by extension",
    )  # fmt: skip
    group.addoption(
        "--assay-repeats", type=int, metavar="N", dest="assay_repeats",
        help="run every case of a data set so many times",
    )  # fmt: skip
    parser.addini("assay_gate", "gates, METRIC=LIMIT a line", type="linelist", default=[])
    parser.addini("assay_strict", "fail when a gate is inconclusive", type="bool", default=False)
    parser.addini("assay_baseline", "results to be no worse than", default="")
    parser.addini("assay_margin", "the loss that does not matter", default="")
    parser.addini("assay_repeats", "run every case so many times", default="")


def pytest_configure(config: pytest.Config) -> None:
    """Say what the mark is, and refuse options that cannot be used before any test runs."""
    config.addinivalue_line("markers", MARK)
    if _is_worker(config):
        return
    reporter = Reporter(config)
    config.pluginmanager.register(reporter, "assay-reporter")
    output = config.option.assay_output
    try:
        if output:
            _part("results", "formats").check_writable(Path(output))
        if _asks(config):
            reporter.options = _options(config)
    except AssayError as problem:
        raise pytest.UsageError(str(problem)) from None


@pytest.hookimpl(trylast=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test for each case and repeat; the ids are the ids of the cases."""
    if metafunc.definition.get_closest_marker("assay") is None:
        return
    plan = _plan_of(metafunc.definition)
    needed = ("assay",) if plan.cases is None else ("case", "assay")
    if any(name not in metafunc.fixturenames for name in needed):
        raise pytest.Collector.CollectError(
            f"{metafunc.definition.nodeid}: a test with this mark takes the arguments {' and '.join(needed)}"
        )
    if plan.cases is not None:
        metafunc.parametrize("case", plan.cases, ids=[case.key for case in plan.cases])
    if plan.repeats > 1:
        ids = [f"repeat{number + 1}" for number in range(plan.repeats)]
        metafunc.parametrize("assay_repeat", range(plan.repeats), ids=ids)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Number the cells that take part in this run, the same in every worker."""
    marked = [
        item
        for item in items
        if isinstance(item, pytest.Function) and item.get_closest_marker("assay") is not None
    ]
    if marked:
        observations = _part("run").observe(marked, [_plan_of(item) for item in marked])
        for item, observation in zip(marked, observations, strict=True):
            item.stash[OBSERVATION] = observation


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> None:
    """The clock of an answer starts with its test."""
    if (observation := item.stash.get(OBSERVATION, None)) is not None:
        observation.started_s = perf_counter()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What a test logged travels with its report, to this process or from a worker."""
    report = yield
    observation = item.stash.get(OBSERVATION, None)
    if observation is not None and (report.when == "call" or (report.when == "setup" and not report.passed)):
        error = None if call.excinfo is None else (call.excinfo.typename, str(call.excinfo.value))
        report.assay_payload = observation.payload(error, skipped=report.skipped)  # type: ignore[attr-defined]
    return report


@pytest.fixture
def case() -> Any:
    """The case of a test that is marked with a data set."""
    raise pytest.UsageError('mark the test with a data set: @pytest.mark.assay(dataset="cases.jsonl", ...)')


@pytest.fixture
def assay_repeat() -> int:
    """The repeat of this test, from 0."""
    return 0


@pytest.fixture
def assay(request: pytest.FixtureRequest, assay_repeat: int) -> Any:
    """Log the application's output with log_output(...), or hold it to metrics with assert_case(...)."""
    item: Any = request.node
    observation = item.stash.get(OBSERVATION, None)
    if observation is None:
        observation = item.stash[OBSERVATION] = _part("run").observe_alone(item)
    observation.repeat = assay_repeat
    return _part("recorder").Recorder(
        observation, perf_counter, lambda name, text: item.user_properties.append((name, text))
    )


class Reporter:
    """Gathers what tests logged and judges the gates, in the one process that reports."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.log: Any = None
        self.options: Any = None
        self.verdicts: list[Any] = []
        self.stopped = True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take in a test's payload."""
        payload = getattr(report, "assay_payload", None)
        if payload is not None:
            if self.log is None:
                self.log = _part("signal_log").SignalLog()
            self.log.add(payload)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self) -> Generator[None, object, object]:
        """Judge when all tests have ended; not where the run was stopped."""
        result = yield
        self.stopped = False
        if self.log is not None:
            self.verdicts = _part("run").judge(self.log, self.options or _part("run").Options())
            for verdict in self.verdicts:
                self._report(verdict)
        return result

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """Write the results, those of a stopped run too, and none where there are none."""
        if self.config.option.assay_output and not self.config.option.collectonly:
            log = self.log or _part("signal_log").SignalLog()
            log.write(Path(self.config.option.assay_output))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """The table of signals."""
        if self.log is None:
            return
        lines = list(_part("section").section_lines(self.log, self.verdicts, self.stopped))
        if lines:
            terminalreporter.section("assay")
            for line in lines:
                terminalreporter.write_line(line.text, **MARKUP[line.tone])
            if self.config.option.assay_output:
                terminalreporter.write_line(f"wrote {self.config.option.assay_output}")

    def _report(self, verdict: Any) -> None:
        """A gate as a report: it counts for the exit code and stands in the JUnit file."""
        outcome = OUTCOMES[verdict.outcome]
        if outcome == "skipped" and _strict(self.config):
            outcome = "failed"
        plugins = self.config.pluginmanager
        others = [plugin for name in NOT_REPORTED if (plugin := plugins.get_plugin(name)) is not None]
        hook = plugins.subset_hook_caller("pytest_runtest_logreport", others)
        for when in ("call", "teardown"):
            report = _gate_report(verdict, outcome if when == "call" else "passed", when)
            hook(report=report)
            if when == "call" and outcome != "passed":
                self._count("failed" if outcome == "failed" else "inconclusive", report)

    def _count(self, category: str, report: pytest.TestReport) -> None:
        terminal = self.config.pluginmanager.get_plugin("terminalreporter")
        if terminal is not None:
            terminal.stats.setdefault(category, []).append(report)


def _gate_report(verdict: Any, outcome: Any, when: Any) -> pytest.TestReport:
    group = verdict.group or "assay"
    path = group.partition("::")[0]
    longrepr: Any = None
    if outcome == "failed":
        longrepr = f"{verdict.sentence}\n(gate of {group})"
    elif outcome == "skipped":
        longrepr = (path, 0, verdict.sentence)
    return pytest.TestReport(
        nodeid=f"{group}::gate[{verdict.key}]",
        location=(path, None, f"gate {verdict.key} of {group.rpartition('::')[2]}"),
        keywords={},
        outcome=outcome,
        longrepr=longrepr,
        when=when,
        user_properties=[
            ("assay.gate", verdict.asked),
            ("assay.verdict", verdict.outcome),
            ("assay.found", verdict.found),
        ],
    )


def _part(name: str, folder: str = "testing") -> Any:
    """A part of ours, loaded when it is first needed."""
    return import_module(f"assay.{folder}.{name}")


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def _strict(config: pytest.Config) -> bool:
    return bool(config.option.assay_strict or config.getini("assay_strict"))


def _asks(config: pytest.Config) -> bool:
    """Whether the command line or the ini file asks for anything to be judged."""
    given = (config.option.assay_gate, config.option.assay_baseline)
    return any(given) or any(config.getini(name) for name in ("assay_gate", "assay_baseline"))


def _options(config: pytest.Config) -> Any:
    baseline = config.option.assay_baseline or config.getini("assay_baseline")
    margin = config.option.assay_margin
    return _part("run").read_options(
        config.option.assay_gate,
        config.getini("assay_gate"),
        Path(baseline) if baseline else None,
        config.getini("assay_margin") if margin is None else margin,
    )


def _repeats(value: Any) -> dict[str, Any]:
    """The argument `repeats` of a setting; none where it is not set."""
    if value in (None, ""):
        return {}
    return {"repeats": int(value) if str(value).isdecimal() else value}


def _plan_of(node: Any) -> Any:
    """The plan of a marked function, read once for all of its tests."""
    plans = node.config.stash.setdefault(PLANS, {})
    name = f"{node.parent.nodeid}::{node.originalname}"
    if name not in plans:
        mark = node.get_closest_marker("assay")
        if mark.args:
            raise pytest.Collector.CollectError(
                f"{name}: the mark takes named arguments: dataset=..., metrics=..."
            )
        arguments = {**_repeats(node.config.getini("assay_repeats")), **mark.kwargs}
        arguments |= _repeats(node.config.option.assay_repeats)
        try:
            plans[name] = _part("signals").read_mark(
                name, arguments, (node.path.parent, node.config.rootpath)
            )
        except AssayError as problem:
            raise pytest.Collector.CollectError(f"{name}: @pytest.mark.assay: {problem}") from None
    return plans[name]
