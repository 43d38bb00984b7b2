"""Suites that take prompts or cases from the store: which versions are meant is settled once, and kept."""

from dataclasses import replace

from assay.domain.errors import InvalidInput, NotFound
from assay.domain.prompts import Prompt, StoredPrompt
from assay.domain.suites import Suite
from assay.domain.versions import Reference
from assay.services.context import Context
from assay.storage.dataset_versions import get_dataset_version
from assay.storage.pool import Connection
from assay.storage.prompts import get_prompt_version


async def resolve_suite(context: Context, suite: Suite) -> Suite:
    """The suite with its stored prompts read and its stored data set pinned to a version by number.

    Labels that move later change nothing of it. Raises InvalidInput, with the suite's line, for what is
    not there.
    """
    if not suite.is_stored:
        return suite
    async with context.database.transaction(context.organization_id) as connection:
        prompts = [await _read_prompt(connection, context, suite, each) for each in suite.prompts]
        dataset = suite.dataset
        if dataset.stored is not None:
            try:
                found = await get_dataset_version(connection, context.organization_id, dataset.stored)
            except NotFound as problem:
                raise _at(suite, "dataset.stored", problem) from problem
            pinned = Reference(dataset.stored.name, version=found.value.version)
            dataset = replace(dataset, stored=pinned)
    return replace(suite, prompts=tuple(prompts), dataset=dataset)


def prompts_of(suite: Suite) -> tuple[Prompt, ...]:
    """The prompts of a suite that is resolved; raises InvalidInput for one that is not."""
    prompts = tuple(each for each in suite.prompts if isinstance(each, Prompt))
    if len(prompts) != len(suite.prompts):
        raise InvalidInput(
            "a prompt of this suite is in the store", field="prompts", remedy="Open the store first."
        )
    return prompts


async def _read_prompt(
    connection: Connection, context: Context, suite: Suite, prompt: Prompt | StoredPrompt
) -> Prompt:
    if isinstance(prompt, Prompt):
        return prompt
    try:
        found = await get_prompt_version(connection, context.organization_id, prompt.reference)
    except NotFound as problem:
        raise _at(suite, prompt.place, problem) from problem
    return replace(found.value.prompt, name=prompt.name)


def _at(suite: Suite, field: str, problem: NotFound) -> InvalidInput:
    return InvalidInput(
        problem.message,
        file=None if suite.path is None else str(suite.path),
        line=suite.lines.get(field),
        field=field,
        remedy=problem.remedy,
    )
