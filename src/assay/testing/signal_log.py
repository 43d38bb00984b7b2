"""What all tests of a run logged, gathered in the process that reports."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from assay.domain.results import Result
from assay.domain.scores import MetricConfig
from assay.formats.places import Place
from assay.formats.result_rows import result_of
from assay.formats.results import open_writer
from assay.metrics.catalog import get_info
from assay.reports.result_tables import ResultTables, tables_of
from assay.reports.values import MetricData
from assay.testing.signals import Gate, Group

PLACE = Place("a test's report")


@dataclass(slots=True)
class GroupLog:
    """The results of one group, by cell; a test that is run again replaces what it said before."""

    group: Group
    results: dict[int, Result] = field(default_factory=dict)

    @property
    def ordered(self) -> list[Result]:
        """In the order of the collection, whatever the order in which tests ended."""
        return [self.results[number] for number in sorted(self.results)]

    @property
    def planned(self) -> int:
        """Cells that were to be answered; skipped tests are not."""
        skipped = sum(result.state == "cancelled" for result in self.results.values())
        return max(self.group.planned, len(self.results)) - skipped

    def tables(self) -> ResultTables:
        """The columns of this group; its one candidate has number 0."""
        infos = {config.name: get_info(config.type) for config in self.group.metrics}
        thresholds = {config.name: config.threshold for config in self.group.metrics}
        return tables_of(self.ordered, infos=infos, thresholds=thresholds)

    def metric(self, name: str) -> MetricData | None:
        """The scores of one metric, of all that was planned."""
        found = (data for data in self.tables().metrics if data.metric == name)
        data = next(found, None)
        return None if data is None else replace(data, planned=self.planned)


@dataclass(slots=True)
class SignalLog:
    """Groups by name, and how many invariants held."""

    groups: dict[str, GroupLog] = field(default_factory=dict)
    held: int = 0
    broken: int = 0

    def add(self, payload: str) -> None:
        """Take in what `Observation.payload` wrote."""
        document = json.loads(payload)
        for passed, _ in document["invariants"]:
            self.held, self.broken = self.held + passed, self.broken + (not passed)
        if document["group"] is None or document["row"] is None:
            return
        group = _group(document["group"])
        log = self.groups.setdefault(group.name, GroupLog(group))
        result = result_of(document["row"], PLACE)
        log.results[result.item_no] = result

    def write(self, path: Path) -> None:
        """Write all results as rows; the format by the file's extension."""
        names = dict.fromkeys(config.name for log in self._sorted() for config in log.group.metrics)
        with open_writer(path, metrics=tuple(names), job={"name": "pytest"}) as writer:
            for log in self._sorted():
                writer.write(log.ordered)

    def _sorted(self) -> Iterable[GroupLog]:
        return [self.groups[name] for name in sorted(self.groups)]


def _group(document: Mapping[str, Any]) -> Group:
    return Group(
        name=document["name"],
        metrics=tuple(MetricConfig(**config) for config in document["metrics"]),
        gates=tuple(Gate(**gate) for gate in document["gates"]),
        planned=document["planned"],
    )
