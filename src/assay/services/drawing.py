"""Rows that an event loop reads, for plain code in a thread."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from typing import TypeVar
from uuid import UUID

from assay.domain.datasets import Case
from assay.storage.dataset_versions import stream_cases
from assay.storage.pool import Connection

Row = TypeVar("Row")
Made = TypeVar("Made")

ReadCases = Callable[[], Iterator[Case]]


def drawn(source: AsyncGenerator[list[Row], None], loop: asyncio.AbstractEventLoop) -> Iterator[Row]:
    """The rows of batches that `loop` reads; to be used in another thread than the loop's."""

    async def following() -> list[Row] | None:
        return await anext(source, None)

    while (batch := asyncio.run_coroutine_threadsafe(following(), loop).result()) is not None:
        yield from batch


async def with_cases(
    connection: Connection, organization_id: UUID, version_id: UUID, work: Callable[[ReadCases], Made]
) -> Made:
    """What plain code makes of a stored version's cases, in a thread; it may read them more than once."""
    loop = asyncio.get_running_loop()
    sources: list[AsyncGenerator[list[Case], None]] = []

    def read() -> Iterator[Case]:
        source = stream_cases(connection, organization_id, version_id)
        sources.append(source)
        return drawn(source, loop)

    try:
        return await asyncio.to_thread(work, read)
    finally:
        for source in sources:
            await source.aclose()
