"""Prompts are kept in versions that are told apart by their content, under any name."""

import asyncio
from dataclasses import replace

import pytest

from assay.domain.errors import InvalidInput, NotFound
from assay.domain.prompts import Message, Prompt
from assay.domain.versions import Reference
from assay.storage import prompts
from assay.storage.prompts import AddedPrompt, FoundPrompt
from tenants import Tenant

PROMPT = Prompt(
    name="support",
    messages=(
        Message("system", "Be kind."),
        Message(
            "user", [{"type": "text", "text": "{{ q }}"}, {"type": "image_url", "image_url": {"url": "u"}}]
        ),
    ),
    tools=({"type": "function", "function": {"name": "f", "parameters": {"b": 1, "a": [1.5, None]}}},),
    response_format={"type": "json_object"},
)
NAMES = [
    "x'; drop table assay.prompt_templates; --",
    "100% %s {labels} $1",
    '"quoted" \\ back',
    "[red]markup[/red]",
    "../../etc/passwd",
    "=cmd|' /C calc'!A0",
    "ünïcödé 提示 \U0001f600",
    "a:b@c",
    " spaces ",
    "n" * 200,
]


async def add(tenant: Tenant, prompt: Prompt, note: str = "") -> AddedPrompt:
    async with tenant.database.transaction(tenant.organization_id) as connection:
        return await prompts.add_prompt_version(connection, tenant.organization_id, prompt, note=note)


async def get(tenant: Tenant, reference: Reference) -> FoundPrompt:
    async with tenant.database.transaction(tenant.organization_id) as connection:
        return await prompts.get_prompt_version(connection, tenant.organization_id, reference)


async def test_every_part_of_a_prompt_comes_back(tenant: Tenant) -> None:
    await add(tenant, PROMPT, "the first")
    found = (await get(tenant, Reference("support"))).value
    assert replace(found.prompt, template=None, version=None) == PROMPT
    assert (found.version, found.note, found.labels) == (1, "the first", ())
    assert found.content_hash == found.prompt.content_hash == PROMPT.content_hash


async def test_the_same_content_is_the_same_version_and_keeps_its_note(tenant: Tenant) -> None:
    first = await add(tenant, PROMPT, "one")
    second = await add(tenant, replace(PROMPT, tools=()), "two")
    again = await add(tenant, PROMPT, "three")
    assert (first.version, second.version) == (1, 2)
    assert (again.id, again.version, again.is_new) == (first.id, 1, False)
    assert (await get(tenant, Reference("support", version=1))).value.note == "one"
    assert (await get(tenant, Reference("support"))).value.version == 2


async def test_writers_at_once_make_one_version_of_each_content(tenant: Tenant) -> None:
    texts = ["a", "b", "a", "c", "b", "a", "c", "a"]
    made = await asyncio.gather(
        *(add(tenant, Prompt(name="p", messages=(Message("user", text),))) for text in texts)
    )
    assert sorted({each.version for each in made}) == [1, 2, 3]
    assert sum(each.is_new for each in made) == 3


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
async def test_a_hostile_name_is_a_name(tenant: Tenant, name: str) -> None:
    added = await add(tenant, replace(PROMPT, name=name))
    await add(tenant, replace(PROMPT, name="innocent"))
    found = await get(tenant, Reference(name))
    assert (found.id, found.value.prompt.name) == (added.id, name)
    async with tenant.database.transaction(tenant.organization_id) as connection:
        heads = await prompts.list_prompts(connection, tenant.organization_id, tag=None, limit=10)
    assert {head.name for head in heads} == {name, "innocent"}


@pytest.mark.parametrize("name", ["", "  ", "n" * 201, "a\x00b", "a\nb", "\x1b[31mred", "half \ud83d"])
async def test_a_name_that_cannot_be_kept_is_refused(tenant: Tenant, name: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        await add(tenant, replace(PROMPT, name=name))
    assert refused.value.field == "name"
    assert await tenant.rows("select from assay.prompt_templates") == []


async def test_what_is_not_there_is_said_with_what_is(tenant: Tenant) -> None:
    await add(tenant, PROMPT)
    with pytest.raises(NotFound, match=r"there is no 'support:7'\n.*versions 1 to 1"):
        raise await failure(tenant, Reference("support", version=7))
    with pytest.raises(NotFound, match="assay prompts list"):
        raise await failure(tenant, Reference("suport"))


async def failure(tenant: Tenant, reference: Reference) -> Exception:
    """The error with its remedy as text."""
    with pytest.raises(NotFound) as missing:
        await get(tenant, reference)
    return NotFound(str(missing.value))


async def test_a_prompt_from_the_store_is_its_own_version_under_another_name(tenant: Tenant) -> None:
    first = await add(tenant, PROMPT)
    stored = (await get(tenant, Reference("support"))).value.prompt
    again = await add(tenant, replace(stored, name="as the suite calls it"))
    assert (again.id, again.is_new) == (first.id, False)
    assert await tenant.rows("select name from assay.prompt_templates") == [("support",)]
