"""Writes that come together, made at once."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Batches(Generic[Item, Answer]):
    """Hands over all items that wait as one batch; each waiter gets the answer to its batch, or its error."""

    def __init__(self, write: Callable[[list[Item]], Awaitable[Answer]]) -> None:
        self._write = write
        self._waiting: list[tuple[Item, asyncio.Future[Answer]]] = []
        self._flushing: asyncio.Task[None] | None = None

    async def put(self, item: Item) -> Answer:
        """Wait until the batch that the item goes with is written; what came of it."""
        done: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, done))
        if self._flushing is None:
            self._flushing = asyncio.create_task(self._flush())
        return await done

    async def _flush(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            try:
                answer = await self._write([item for item, _ in batch])
            except Exception as error:  # every waiter must hear of it, whatever it is
                for _, done in batch:
                    if not done.done():
                        done.set_exception(error)
                continue
            for _, done in batch:
                if not done.done():
                    done.set_result(answer)
        self._flushing = None
