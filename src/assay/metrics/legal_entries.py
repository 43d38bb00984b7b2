"""The catalog's rows for legal compliance."""

from assay.domain.scores import MetricInfo
from assay.metrics.entry import Entry, Option

OPTIONS = {
    "jurisdiction": Option(
        kind="texts",
        meaning="NSW, VIC, QLD, SA, WA, TAS, ACT, NT, AU or US, one or several; without it the case's "
        "jurisdiction or state, else what the text names, else AU",
    ),
    "as_of": Option(
        kind="text",
        meaning="the day whose law counts, such as 2025-08-01, where the case has no date; without a day the "
        "rules that have no end",
    ),
    "document": Option(
        kind="choice",
        choices=("listing", "advice", "contract_summary", "email", "application"),
        meaning="what the text is; without it the case's document, else any",
    ),
    "packs": Option(
        kind="texts", meaning="rule packs, by id or path of a YAML file; without it all built-in legal_ packs"
    ),
    "strict": Option(
        kind="boolean", default=False, meaning="a citation that the register does not know is a violation"
    ),
    "judge": Option(
        kind="text",
        meaning="label of the model that is asked what words cannot decide; without it none is asked",
    ),
}

LEGAL_ENTRIES: tuple[Entry, ...] = (
    Entry(
        info=MetricInfo(
            type="legal_compliance",
            version="1",
            kind="unit",
            summary="The weighted share of applicable legal rules that the answer keeps",
            needs=("output",),
            source="statutes named rule by rule; Australia by State and Territory, US fair housing",
            options={name: option.summary for name, option in OPTIONS.items()},
            prompts=("legal_rules",),
        ),
        module="assay.metrics.legal_judge",
        factory="make_legal",
        options=OPTIONS,
        may_ask=True,
    ),
)
