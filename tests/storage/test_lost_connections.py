"""Work goes on when connections break, ends with a remedy when they stay broken, and hides no mistake."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from assay.domain.errors import InvalidInput, StorageFailed
from assay.domain.ids import new_id
from assay.storage.pool import Connection, Database, is_passing
from tenants import SIGNER, Tenant, make_success


@pytest.fixture
async def lonely(dsn: str) -> AsyncIterator[Database]:
    """A pool whose patience is short."""
    database = Database(dsn, max_connections=4, patience_s=1.0, timeout_s=0.3)
    await database.open()
    yield database
    await database.close()


async def kill(dsn: str, *pids: int) -> None:
    """End backends, as a crash of the server does."""
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
        for pid in pids:
            await connection.execute("select pg_terminate_backend(%s, 10000)", [pid])


async def backend_of(connection: Connection) -> int:
    """The process that serves a connection."""
    row = await (await connection.execute("select pg_backend_pid()")).fetchone()
    assert row
    return int(row[0])


async def test_work_is_done_again_after_its_backend_was_killed(dsn: str, database: Database) -> None:
    organization_id, tries = new_id(), []

    async def work(connection: Connection) -> int:
        tries.append(await backend_of(connection))
        if len(tries) == 1:
            await kill(dsn, tries[0])
        return await backend_of(connection)

    assert await database.run(organization_id, work) == tries[1]
    assert len(set(tries)) == 2


async def test_connections_that_broke_while_idle_are_replaced_together(dsn: str, database: Database) -> None:
    gathered = asyncio.Barrier(6)

    async def meet(connection: Connection) -> int:
        await gathered.wait()
        return await backend_of(connection)

    pids = await asyncio.gather(*(database.run(new_id(), meet) for _ in range(6)))
    assert len(set(pids)) == 6
    await kill(dsn, *pids)
    tries = 0

    async def work(connection: Connection) -> int:
        nonlocal tries
        tries += 1
        return await backend_of(connection)

    began = asyncio.get_running_loop().time()
    assert await database.run(new_id(), work) not in pids
    assert tries == 1, "a broken connection is noticed before the work begins"
    assert asyncio.get_running_loop().time() - began < 5


class Forgetful(Database):
    """Loses its connection after each first commit, so that all work is done twice."""

    async def run(self, organization_id: UUID, work: Any) -> Any:
        await super().run(organization_id, work)
        return await super().run(organization_id, work)


async def test_work_whose_acknowledgement_was_lost_counts_once(dsn: str, tenant: Tenant) -> None:
    job = await tenant.make_job(cases=1)
    (item,) = await job.queue.claim(1)
    forgetful = Forgetful(dsn)
    await forgetful.open()
    try:
        queue = Tenant(forgetful, tenant.organization_id).queue(job)
        assert await queue.heartbeat([item.lease_token]) == {item.lease_token}
        assert await queue.record([make_success(item)]) == ["already"]
        assert (await queue.sweep()).state == "completed"
    finally:
        await forgetful.close()
    assert await tenant.money(job) == (0, 50, 0)
    assert await tenant.violations() == []


async def test_patience_ends_with_what_to_do(lonely: Database, dsn: str) -> None:
    async def work(connection: Connection) -> None:
        await kill(dsn, await backend_of(connection))
        await connection.execute("select 1")

    with pytest.raises(StorageFailed, match="did not come back") as failed:
        await lonely.run(new_id(), work)
    assert "assay resume" in str(failed.value)


async def test_a_server_that_is_not_there_is_revived_between_tries(dsn: str) -> None:
    revivals = 0

    async def revive() -> None:
        nonlocal revivals
        revivals += 1

    away = dsn.replace("assay_tests", "no_such_database")
    database = Database(away, signer=SIGNER, timeout_s=0.1, patience_s=0.5, revive=revive)
    await database.open()
    try:
        with pytest.raises(StorageFailed, match="did not come back"):
            await database.run(new_id(), backend_of)
        with pytest.raises(StorageFailed, match="no connection"):
            async with database.transaction(new_id()):
                pass
    finally:
        await database.close()
    assert revivals >= 2


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("select nothing", psycopg.errors.UndefinedColumn),
        ("selec", psycopg.errors.SyntaxError),
        ("select 1 / 0", psycopg.errors.DivisionByZero),
        ("delete from assay.evaluation_jobs", psycopg.errors.InsufficientPrivilege),
        ("insert into assay.organizations (name) values ('')", psycopg.errors.InsufficientPrivilege),
    ],
)
async def test_a_mistake_is_raised_at_once(
    database: Database, statement: str, error: type[Exception]
) -> None:
    tries = 0

    async def work(connection: Connection) -> None:
        nonlocal tries
        tries += 1
        await connection.execute(statement)

    with pytest.raises(error):
        await database.run(new_id(), work)
    assert tries == 1


async def test_our_own_errors_pass_through_and_undo_the_work(database: Database) -> None:
    organization_id = new_id()

    async def work(connection: Connection) -> None:
        await connection.execute(
            "insert into assay.organizations (id, name) values (%s, 'x')", [organization_id]
        )
        raise InvalidInput("no")

    with pytest.raises(InvalidInput):
        await database.run(organization_id, work)
    assert await Tenant(database, organization_id).rows("select from assay.organizations") == []


async def test_a_closed_pool_is_no_passing_trouble(dsn: str) -> None:
    database = Database(dsn)
    await database.open()
    await database.close()
    with pytest.raises(psycopg.OperationalError, match="closed"):
        await database.run(new_id(), backend_of)


PASSING = ("08006", "40P01", "40001", "53100", "53300", "57P01")
LASTING = ("55000", "23505", "22P02", "42P01", "0A000", "25006")


@pytest.mark.parametrize("sqlstate", [*PASSING, *LASTING])
def test_only_some_classes_of_errors_pass_by_themselves(sqlstate: str) -> None:
    assert is_passing(psycopg.errors.lookup(sqlstate)()) is (sqlstate in PASSING)


@pytest.mark.skipif(sys.platform != "linux", reason="mounts a file system in a namespace of its own")
def test_a_disk_that_fills_up_loses_no_answer_that_was_acknowledged(tmp_path: Path) -> None:
    mount = tmp_path / "small"
    mount.mkdir()
    script = 'mount -t tmpfs -o size=220m none "$1" || exit 77; exec "$2" "$3" "$1" </dev/null'
    program = Path(__file__).parents[1] / "full_disk.py"
    done = subprocess.run(
        ["unshare", "-Urm", "sh", "-c", script, "sh", str(mount), sys.executable, str(program)],
        capture_output=True,
        check=False,
        text=True,
    )
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip("cannot mount a small file system here")
    assert done.stdout.split("\n")[0] == "60 60 completed [] True True", done.stderr
