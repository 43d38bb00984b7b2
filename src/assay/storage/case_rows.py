"""A case from a row."""

from collections.abc import Sequence
from typing import Any

from assay.domain.datasets import Case


def case_of(row: Sequence[Any]) -> Case:
    """The case in a row of key, vars, expected, context, metadata, tags, cluster, weight and maybe split."""
    key, variables, expected, context, metadata, tags, cluster, weight, *split = row
    return Case(
        key=key,
        vars=variables,
        expected=expected,
        context=tuple(context or ()),
        metadata=metadata or {},
        tags=tuple(tags),
        cluster=cluster,
        weight=weight,
        split=split[0] if split else None,
    )
