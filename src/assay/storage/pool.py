"""Connections: a pool, and transactions that belong to one tenant."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from uuid import UUID

import orjson
import psycopg
from psycopg.types.json import set_json_dumps, set_json_loads
from psycopg_pool import AsyncConnectionPool, PoolClosed, PoolTimeout

from assay.domain.errors import StorageFailed
from assay.storage.tenancy import SYSTEM, Caller, Signer, find_signer

set_json_loads(orjson.loads)
set_json_dumps(orjson.dumps)

Connection = psycopg.AsyncConnection[Any]

Result = TypeVar("Result")

PASSING = ("08", "40", "53", "57")
"""SQLSTATE classes worth a second try: connection, rollback, resources, operator intervention."""
FIRST_WAIT_S, LONGEST_WAIT_S, PATIENCE_S, RECONNECT_S = 0.1, 5.0, 120.0, 5.0

ENTER_TENANT = """
select set_config('role', 'assay_app', true), set_config('assay.context', %s, true),
       set_config('assay.correlation_id', %s, true)
"""
SERVER_TIME = "select extract(epoch from clock_timestamp())::float8"


class Database:
    """A pool of connections. Nobody gets one but inside `transaction`, as the application's role.

    Role and tenant are set for the transaction only, so that a connection that goes back to the pool,
    or through a pooler in transaction mode, carries neither into the next use. The tenant is signed: without
    `signer`, by the key that the login of `dsn` may read.
    """

    def __init__(
        self,
        dsn: str,
        *,
        signer: Signer | None = None,
        max_connections: int = 8,
        timeout_s: float = 10.0,
        patience_s: float = PATIENCE_S,
        revive: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._revive, self._patience_s, self._dsn = revive, patience_s, dsn
        self._signer, self._ahead_s = signer, 0.0
        self._pool = AsyncConnectionPool(
            dsn,
            min_size=0,
            max_size=max_connections,
            timeout=timeout_s,
            # The pool waits twice as long after each refusal: it must not sleep when the server is back.
            reconnect_timeout=RECONNECT_S,
            open=False,
            num_workers=2,
            configure=self._read_time,
        )

    async def open(self) -> None:
        """Start the pool; connections are made when they are first needed."""
        await self._pool.open(wait=False)

    async def close(self) -> None:
        """Close every connection."""
        await self._pool.close()

    async def _read_time(self, connection: Connection) -> None:
        """Contexts expire by the server's clock: how far it is ahead of ours that never goes back."""
        row = await (await connection.execute(SERVER_TIME)).fetchone()
        await connection.commit()
        self._ahead_s = row[0] - asyncio.get_running_loop().time() if row else 0.0

    @asynccontextmanager
    async def transaction(self, organization_id: UUID, caller: Caller = SYSTEM) -> AsyncIterator[Connection]:
        """A transaction that sees and writes one tenant's rows; commits at the end of the block.

        Raises StorageFailed when no connection can be had, or the tenant cannot be proven to the database.
        """
        if self._signer is None:
            self._signer = await asyncio.to_thread(find_signer, self._dsn)
        try:
            async with self._pool.connection() as connection:
                now_s = asyncio.get_running_loop().time() + self._ahead_s
                context = self._signer.sign(organization_id, caller, now_s)
                await connection.execute(ENTER_TENANT, [context, caller.correlation_id])
                yield connection
        except PoolTimeout as error:
            raise StorageFailed(
                "no connection to PostgreSQL could be had",
                remedy="Check that the server of DATABASE_URL runs and has free connections: assay doctor",
            ) from error

    async def run(self, organization_id: UUID, work: Callable[[Connection], Awaitable[Result]]) -> Result:
        """`work` in a transaction of its own, again when the server or the connection went away meanwhile.

        Only for work that may be done twice: a connection can break after the commit. Between tries an
        embedded server that stopped is started again. Raises StorageFailed when `patience_s` are over.
        """
        clock = asyncio.get_running_loop().time
        began, wait_s = clock(), FIRST_WAIT_S
        while True:
            try:
                async with self.transaction(organization_id) as connection:
                    return await work(connection)
            except (psycopg.Error, StorageFailed) as error:
                if not is_passing(error):
                    raise
                if clock() - began >= self._patience_s:
                    raise StorageFailed(
                        f"PostgreSQL did not come back in {clock() - began:.0f} s: {error}",
                        remedy="Nothing that was acknowledged is lost. Start the server, then: assay resume",
                    ) from error
            await asyncio.sleep(wait_s)
            wait_s = min(wait_s * 2, LONGEST_WAIT_S)
            if self._revive is not None:
                await self._revive()
            # Connections that broke together would each cost a try of their own.
            await self._pool.check()


def is_passing(error: psycopg.Error | StorageFailed) -> bool:
    """Whether a database error may go away by itself: by its SQLSTATE, or a lost connection."""
    if isinstance(error, StorageFailed):
        return True
    if isinstance(error, PoolClosed):
        return False
    if error.sqlstate is None:
        return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    return error.sqlstate[:2] in PASSING
