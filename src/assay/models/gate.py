"""One limit over all models of a run, and the mark of what has left."""

import asyncio

from assay.domain.models import ModelConfig, ModelRequest, ModelResponse
from assay.domain.protocols import Model


class Gate:
    """Lets a request out when one of the run's slots is free, and notes its lease as sent."""

    def __init__(self, model: Model, slots: asyncio.Semaphore, sent: set[int]) -> None:
        self._model, self._slots, self._sent = model, slots, sent

    @property
    def config(self) -> ModelConfig:
        """That of the model behind the gate."""
        return self._model.config

    async def generate(self, request: ModelRequest) -> ModelResponse:
        """The answer of the model behind the gate."""
        async with self._slots:
            if request.tag is not None:
                self._sent.add(request.tag.lease_token)
            return await self._model.generate(request)

    async def close(self) -> None:
        """Close the model behind the gate."""
        await self._model.close()
