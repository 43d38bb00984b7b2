"""Metrics that compare an answer with another candidate's: whose it is, and what it said."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from assay.domain.errors import InvalidInput
from assay.domain.jobs import Plan
from assay.domain.scores import MetricConfig
from assay.reports.wording import candidate_labels
from assay.storage.pool import Connection
from assay.storage.scoring import Unscored, read_outputs

AGAINST = "against"
"""The option that names the other candidate."""


@dataclass(frozen=True, slots=True)
class Rival:
    """A candidate by its numbers in the grid."""

    prompt_no: int
    model_no: int

    def item_no(self, plan: Plan, row: Unscored) -> int | None:
        """Its cell for the same case and repeat; None for its own answers."""
        if (row.prompt_no, row.model_no) == (self.prompt_no, self.model_no):
            return None
        place = (row.case_no * len(plan.prompts) + self.prompt_no) * len(plan.models) + self.model_no
        return place * plan.repeats + row.repeat


def find_rivals(plan: Plan, metrics: Sequence[MetricConfig]) -> Mapping[str, Rival]:
    """The rivals of metrics, by the metric's name. Raises InvalidInput for a label that is no candidate's."""
    pairs = [(prompt.name, model.name) for prompt in plan.prompts for model in plan.models]
    labels = candidate_labels(pairs)
    found = {}
    for metric in metrics:
        label = metric.options.get(AGAINST)
        if label is None:
            continue
        if label not in labels:
            raise InvalidInput(
                f"there is no candidate {label!r}",
                field=f"metrics.{metric.name}.options.{AGAINST}",
                remedy=f"There are: {', '.join(labels)}.",
            )
        found[metric.name] = Rival(*divmod(labels.index(label), len(plan.models)))
    return found


async def read_rivals(
    connection: Connection,
    organization_id: UUID,
    jobs: Sequence[UUID],
    plan: Plan,
    wanted: tuple[Sequence[Unscored], Sequence[Rival]],
) -> Mapping[int, str]:
    """What the rivals answered where these rows did, by the number of the rivals' cells."""
    rows, rivals = wanted
    items = {rival.item_no(plan, row) for rival in rivals for row in rows} - {None}
    if not items:
        return {}
    return await read_outputs(connection, organization_id, jobs, [item for item in items if item is not None])
