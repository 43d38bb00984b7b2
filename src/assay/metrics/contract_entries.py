"""The catalog's rows for contract completeness."""

from assay.domain.scores import MetricInfo
from assay.metrics.entry import Entry, Option

_OPTIONS = {
    "contract": Option(
        kind="text", meaning="kind of contract; left out: the case's contract_type, else found in the text"
    ),
    "jurisdiction": Option(
        kind="text",
        meaning="code such as NSW, AU or US-CA; left out: the case's jurisdiction, else found in the text",
    ),
    "conditions": Option(
        kind="object",
        meaning="what is known, such as {strata: true, year_built: 1965}; else found in the text",
    ),
    "packs": Option(
        kind="texts",
        meaning="ids of built-in clause packs and paths of your own; left out: all built-in ones",
    ),
    "as_of": Option(
        kind="text", meaning="day on which clauses must be law; left out: those that have not ended"
    ),
    "include_recommended": Option(kind="boolean", default=False, meaning="count recommended clauses too"),
    "text": Option(kind="text", meaning="vars.NAME to look at a variable of the case in place of the answer"),
    "judge": Option(
        kind="text",
        meaning="label of the model that looks for the clauses that no rule finds; without it none is asked",
    ),
}

CONTRACT_ENTRIES: tuple[Entry, ...] = (
    Entry(
        info=MetricInfo(
            type="contract_completeness",
            version="1",
            kind="unit",
            summary="Complete clauses / required clauses that apply, by kind of contract and jurisdiction",
            needs=("output",),
            source="clause packs with statutes and market practice; each clause names its source",
            options={name: option.summary for name, option in _OPTIONS.items()},
            prompts=("contract_clauses",),
        ),
        module="assay.metrics.contract_judge",
        factory="make_contract",
        options=_OPTIONS,
        may_ask=True,
    ),
)
