"""From settings to a Context: the database is found or started, its schema checked."""

import asyncio
import os
import random
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

import psycopg

import assay
from assay.domain.errors import StorageFailed
from assay.domain.protocols import Emit
from assay.services.context import Context
from assay.services.master_keys import FILE_NAME, load_keyring
from assay.services.workers import worker_name
from assay.settings import Settings, process_environment, read_settings
from assay.storage import embedded, migrate
from assay.storage.pool import Database
from assay.storage.tenancy import find_signer

Result = TypeVar("Result")


def silent(_event: object) -> None:
    """Listens to nothing."""


def load_settings(env_files: tuple[Path, ...] = ()) -> Settings:
    """Settings from the process, a .env file in this folder and the files that were named."""
    here = Path(".env")
    files = (here, *env_files) if here.is_file() else env_files
    return read_settings(process_environment(files))


@asynccontextmanager
async def open_session(settings: Settings, emit: Emit = silent) -> AsyncIterator[Context]:
    """A Context over the database of the settings; an embedded one is started and brought up to date."""
    server: embedded.EmbeddedServer | None = None
    if settings.database_url is None:
        server = start_embedded(settings)
        signer = migrate.ensure_head(server.dsn(), settings.context_key)
        dsn = server.dsn(user="assay_app")
    else:
        dsn = settings.database_url
        migrate.require_head(dsn)
        signer = find_signer(dsn, settings.context_key)
    try:
        database = Database(dsn, signer=signer, revive=None if server is None else _reviver(server))
        await database.open()
        try:
            yield _context(settings, database, emit)
        except psycopg.Error as error:
            raise StorageFailed(
                f"PostgreSQL refused: {error}", remedy="Look into it with: assay doctor"
            ) from error
        finally:
            await database.close()
    finally:
        if server is not None:
            server.release()


def start_embedded(settings: Settings) -> embedded.EmbeddedServer:
    """The embedded server of the settings, started if it does not run."""
    return embedded.start(settings.data_dir, runtime_dir=settings.runtime_dir, idle_s=settings.idle_s)


def _reviver(server: embedded.EmbeddedServer) -> Callable[[], Coroutine[Any, Any, None]]:
    async def revive() -> None:
        await asyncio.to_thread(server.ensure_running)

    return revive


def _context(settings: Settings, database: Database, emit: Emit) -> Context:
    return Context(
        database=database,
        organization_id=settings.organization_id,
        environment=settings.environment,
        clock=time.monotonic,
        sleep=asyncio.sleep,
        rng=random.Random(),  # noqa: S311 - spreads retries, keeps no secret
        emit=emit,
        now=datetime.now(UTC),
        worker=worker_name(os.getpid()),
        version=assay.__version__,
        keyring=partial(load_keyring, settings.master_keys, master_key_file(settings)),
    )


def master_key_file(settings: Settings) -> Path | None:
    """Where an embedded database keeps its master key; None for a server, which has to be given one."""
    return settings.data_dir / FILE_NAME if settings.database_url is None else None


def run_async(work: Coroutine[Any, Any, Result]) -> Result:
    """The one place where the command line enters asyncio; uvloop where there is one."""
    if sys.platform == "win32":
        return asyncio.run(work)
    loops = import_module("uvloop")
    result: Result = loops.run(work)
    return result
