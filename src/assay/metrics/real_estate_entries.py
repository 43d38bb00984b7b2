"""The catalog's rows for real estate accuracy."""

from collections.abc import Mapping

from assay.domain.scores import MetricInfo
from assay.metrics.entry import Entry, Option

OPTIONS: Mapping[str, Option] = {
    "record": Option(kind="text", meaning="where the case has the record, such as vars.property"),
    "required": Option(kind="texts", meaning="fields that the answer must state when the record has them"),
    "ignore": Option(kind="texts", meaning="fields that are not checked"),
    "rules": Option(kind="texts", meaning="paths of rule files that add to the built-in ones"),
    "date": Option(kind="text", meaning="day of the contract, where the record has none, such as 2026-03-14"),
}

REAL_ESTATE_ENTRIES: tuple[Entry, ...] = (
    Entry(
        info=MetricInfo(
            type="real_estate_accuracy",
            version="3",
            kind="unit",
            summary="Share of an answer's facts about a property that agree with its record",
            needs=("output", "record"),
            source="own definition; duty tables with their law in property_rules/",
            options={name: option.summary for name, option in OPTIONS.items()},
        ),
        module="assay.metrics.real_estate",
        factory="make_real_estate_accuracy",
        options=OPTIONS,
    ),
)
