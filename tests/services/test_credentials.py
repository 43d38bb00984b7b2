"""Stored keys open for their tenant, name and address only, and through a change of the master key."""

import asyncio
from dataclasses import replace
from typing import Any
from uuid import UUID

import psycopg
import pytest

from assay.domain.errors import Conflict, InvalidInput, MissingKey, NotFound, SecretUnreadable
from assay.domain.ids import new_id
from assay.domain.models import ModelConfig
from assay.models.addresses import lies_within
from assay.services.context import Context
from assay.services.credentials import (
    CredentialHead,
    check_credentials,
    find_unreadable,
    list_credentials,
    open_credentials,
    remove_credential,
    rotate_data_keys,
    set_credential,
)
from assay.services.keyring import MasterKey
from assay.storage.pool import Database
from contexts import make_context

CANARY = "sk-canary-0123456789abcdef"
OLD, NEW = b"1" * 32, b"2" * 32
OPENAI = "https://api.openai.com/v1"


def model(name: str = "m", **fields: Any) -> ModelConfig:
    """A model that names the credential `team`."""
    return ModelConfig(**{"name": name, "provider": "openai", "model": "x", "credential": "team", **fields})


@pytest.fixture
async def context(database: Database, organization_id: UUID) -> Context:
    """A tenant with a stored key for OpenAI."""
    made = make_context(database, organization_id, [OLD])
    await set_credential(made, "team", "openai", None, CANARY + "\n")
    return made


def change(dsn: str, query: str, **values: Any) -> None:
    """What somebody who can write to the database does."""
    with psycopg.connect(dsn) as connection:
        assert connection.execute(query, values).rowcount == 1


async def test_a_stored_key_is_handed_to_the_worker_and_shown_by_its_end(context: Context) -> None:
    assert await open_credentials(context, [model(), model("n", credential=None)]) == {"team": CANARY}
    (head,) = await list_credentials(context)
    assert (head.name, head.provider, head.base_url, head.last4) == ("team", "openai", OPENAI, "cdef")
    assert CANARY not in repr(head)


async def test_of_a_short_key_nothing_is_shown(context: Context) -> None:
    head = await set_credential(context, "short", "openai", None, "0123456789")
    assert head.last4 == ""


async def test_the_database_holds_no_key_in_any_form(context: Context, dsn: str) -> None:
    with psycopg.connect(dsn) as connection:
        rows = connection.execute(
            """select c::text || k::text from assay.provider_credentials c join assay.tenant_data_keys k
                 on k.organization_id = c.organization_id where c.organization_id = %s""",
            [context.organization_id],
        ).fetchall()
    assert len(rows) == 1
    for form in (CANARY, CANARY.encode().hex(), OLD.decode(), OLD.hex()):
        assert form not in rows[0][0]


MOVES = {
    "another name": "update assay.provider_credentials set name = 'team2' where organization_id = %(org)s",
    "another address": """update assay.provider_credentials set base_url = 'https://evil.example/v1'
                           where organization_id = %(org)s""",
    "another provider": """update assay.provider_credentials set provider = 'groq'
                            where organization_id = %(org)s""",
    "another id": "update assay.provider_credentials set id = assay.new_id() where organization_id = %(org)s",
    "a changed bit": """update assay.provider_credentials
                           set ciphertext = set_bit(ciphertext, 3, 1 - get_bit(ciphertext, 3))
                         where organization_id = %(org)s""",
    "a changed data key": """update assay.tenant_data_keys
                                set wrapped_key = set_bit(wrapped_key, 3, 1 - get_bit(wrapped_key, 3))
                              where organization_id = %(org)s""",
}


COPIES = (
    """insert into assay.tenant_data_keys
       select (jsonb_populate_record(t, %(new)s::jsonb)).* from assay.tenant_data_keys t
        where organization_id = %(org)s""",
    """insert into assay.provider_credentials
       select (jsonb_populate_record(t, %(new)s::jsonb)).* from assay.provider_credentials t
        where organization_id = %(org)s""",
)


@pytest.mark.parametrize("move", MOVES)
async def test_a_row_that_was_changed_does_not_open(context: Context, dsn: str, move: str) -> None:
    assert await find_unreadable(context) == []
    change(dsn, MOVES[move], org=context.organization_id)
    names = [head.name for head in await list_credentials(context)]
    assert await find_unreadable(context) == names
    moved = (await list_credentials(context))[0]
    with pytest.raises(SecretUnreadable) as caught:
        await open_credentials(
            context, [model(credential=moved.name, provider=moved.provider, base_url=moved.base_url)]
        )
    assert CANARY not in str(caught.value)


async def test_rows_that_were_copied_to_another_tenant_do_not_open(context: Context, dsn: str) -> None:
    thief = replace(context, organization_id=new_id())
    await set_credential(thief, "own", "openai", None, "sk-of-the-thief-0123")
    for query in COPIES:
        change(
            dsn,
            query,
            org=context.organization_id,
            new=f'{{"organization_id": "{thief.organization_id}"}}',
        )
    assert {head.name for head in await list_credentials(thief)} == {"own", "team"}
    assert await find_unreadable(thief) == ["team"]
    with pytest.raises(SecretUnreadable):
        await open_credentials(thief, [model()])


async def test_tenants_do_not_see_each_others(context: Context) -> None:
    other = replace(context, organization_id=new_id())
    assert await list_credentials(other) == []
    with pytest.raises(MissingKey, match="team"):
        await open_credentials(other, [model()])
    with pytest.raises(NotFound):
        await remove_credential(other, "team")
    assert await open_credentials(context, [model()]) == {"team": CANARY}


async def ciphertexts(context: Context) -> Any:
    async with context.database.transaction(context.organization_id) as connection:
        cursor = await connection.execute(
            "select nonce, ciphertext, updated_at from assay.provider_credentials order by id"
        )
        return await cursor.fetchall()


async def test_a_rotation_changes_the_wrapping_only_and_nobody_waits_for_it(context: Context) -> None:
    before = await ciphertexts(context)
    both = make_context(context.database, context.organization_id, [NEW, OLD])
    # While the old key is everywhere and the new one arrives, all can read.
    assert await open_credentials(both, [model()]) == {"team": CANARY}
    done = await rotate_data_keys(both, both.organization_id)
    assert (done.rewrapped, done.current) == (1, 0)
    assert await ciphertexts(context) == before
    assert await open_credentials(both, [model()]) == {"team": CANARY}
    done = await rotate_data_keys(both, both.organization_id)
    assert (done.rewrapped, done.current) == (0, 1)
    only_new = make_context(context.database, context.organization_id, [NEW])
    assert await open_credentials(only_new, [model()]) == {"team": CANARY}
    with pytest.raises(SecretUnreadable, match=MasterKey(NEW).id):
        await open_credentials(context, [model()])


async def test_a_rotation_without_the_old_key_changes_nothing_and_says_so(context: Context) -> None:
    lost = make_context(context.database, context.organization_id, [NEW])
    with pytest.raises(SecretUnreadable, match="ASSAY_MASTER_KEY_PREVIOUS"):
        await rotate_data_keys(lost, lost.organization_id)
    assert await open_credentials(context, [model()]) == {"team": CANARY}
    # Who has lost the key for good can store new ones.
    await set_credential(lost, "fresh", "openai", None, CANARY)
    assert await find_unreadable(lost) == ["team"]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"base_url": "https://evil.example/v1"}, "evil.example"),
        ({"base_url": "http://api.openai.com/v1"}, "http://"),
        ({"base_url": "https://api.openai.com:444/v1"}, "444"),
        ({"base_url": "https://api.openai.com/v2"}, "v2"),
        ({"base_url": "https://api.openai.com.evil.example/v1"}, "evil"),
        ({"provider": "groq"}, "groq"),
        ({"provider": "http", "options": {"url": "https://evil.example"}}, "http"),
    ],
)
async def test_a_key_goes_only_where_it_was_saved_for(
    context: Context, fields: dict[str, Any], said: str
) -> None:
    for use in (check_credentials, open_credentials):
        with pytest.raises(InvalidInput, match=said) as caught:
            await use(context, [model(**fields)])
        assert CANARY not in str(caught.value)


@pytest.mark.parametrize(
    ("address", "within"),
    [
        ("https://host/v1", True),
        ("https://HOST:443/v1/", True),
        ("https://host/v1/deployments/x", True),
        ("https://host/v10", False),
        ("https://host/", False),
        ("https://host/v1/../v2", False),
        ("https://host/v1/%2e%2e/v2", False),
        ("https://user@host/v1", False),
        ("https://host\\@evil/v1", False),
        ("https://host:x/v1", False),
        ("ftp://host/v1", False),
        ("", False),
    ],
)
def test_addresses_below_the_saved_one_are_meant_too(address: str, within: bool) -> None:
    assert lies_within(address, "https://host/v1") is within


async def test_another_address_takes_the_key_again(context: Context) -> None:
    await set_credential(context, "team", "openai", "https://proxy.example/v1/", "sk-of-the-proxy-9876")
    (head,) = await list_credentials(context)
    assert (head.base_url, head.last4) == ("https://proxy.example/v1", "9876")
    found = await open_credentials(context, [model(base_url="https://proxy.example/v1")])
    assert found == {"team": "sk-of-the-proxy-9876"}
    with pytest.raises(InvalidInput):
        await open_credentials(context, [model()])


@pytest.mark.parametrize(
    ("name", "provider", "base_url", "secret"),
    [
        ("a b", "openai", None, CANARY),
        ("", "openai", None, CANARY),
        ("a", "nobody", None, CANARY),
        ("a", "echo", None, CANARY),
        ("a", "azure", None, CANARY),
        ("a", "openai", "ftp://host", CANARY),
        ("a", "openai", "https://user:word@host/v1", CANARY),
        ("a", "openai", "https://host/v1?key=1", CANARY),
        ("a", "openai", None, " \n"),
        ("a", "openai", None, "sk-with-a-\x00-in-it-0123"),
        ("a", "openai", None, "x" * 8193),
    ],
)
async def test_what_cannot_be_a_credential_is_refused(
    context: Context, name: str, provider: str, base_url: str | None, secret: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        await set_credential(context, name, provider, base_url, secret)
    assert secret.strip("\n ") == "" or secret not in str(caught.value)
    assert [head.name for head in await list_credentials(context)] == ["team"]


async def test_of_many_who_store_one_name_at_once_one_counts(context: Context) -> None:
    secrets = [f"sk-of-number-{n}-0123456789" for n in range(8)]
    ended = await asyncio.gather(
        *(set_credential(context, "shared", "openai", None, secret) for secret in secrets),
        return_exceptions=True,
    )
    assert all(isinstance(each, CredentialHead | Conflict) for each in ended)
    assert any(isinstance(each, CredentialHead) for each in ended)
    assert await find_unreadable(context) == []
    assert (await open_credentials(context, [model(credential="shared")]))["shared"] in secrets


async def test_a_removed_credential_is_gone(context: Context) -> None:
    await remove_credential(context, "team")
    with pytest.raises(MissingKey, match="assay credentials set team --provider openai"):
        await check_credentials(context, [model()])
    with pytest.raises(NotFound):
        await remove_credential(context, "team")
