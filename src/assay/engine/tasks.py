"""Ending tasks."""

import asyncio
from collections.abc import Collection
from typing import Any

CANCEL_AGAIN_S = 1.0
"""How long a cancelled task has to end before it is cancelled again."""


async def end_tasks(tasks: Collection[asyncio.Task[Any]]) -> None:
    """Cancel tasks until all have ended: who catches a cancellation while something else ends can lose it."""
    pending = {task for task in tasks if not task.done()}
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=CANCEL_AGAIN_S)
    await asyncio.gather(*tasks, return_exceptions=True)
