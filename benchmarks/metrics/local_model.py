"""A small real model as a judge, on this machine or wherever it is served."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from assay.demo.server import ServerOptions, start_local_model
from assay.demo.sources import QWEN_CODER_15B
from assay.demo.weights import fetch_weights
from assay.domain.models import Limits, ModelConfig, ModelRequest, Timeouts
from assay.domain.protocols import Judge, Model, Reply
from assay.models.catalog import make_model
from assay.models.transport import Transport

LABEL = "qwen2.5-coder-1.5b"
MODEL_ID = "qwen2.5-coder-1.5b-instruct"
CONTEXT_TOKENS = 4_096
ANSWER_S = 600.0
"""A busy machine may take that long for one answer."""


@dataclass(frozen=True, slots=True)
class ModelJudge:
    """A model that judges, without a run round it: no ledger, no cache, no price."""

    model: Model

    @property
    def config(self) -> ModelConfig:
        """The configuration of the model."""
        return self.model.config

    async def ask(self, request: ModelRequest) -> Reply:
        """Its answer, which costs nothing."""
        return Reply(await self.model.generate(request), 0)


@contextmanager
def served(cache: Path, base_url: str | None) -> Iterator[str]:
    """The address of the judge: `base_url`, or that of a server of our own on one thread.

    The weights are fetched into `cache` unless they are there.
    """
    if base_url is not None:
        yield base_url
        return
    weights = fetch_weights(cache, QWEN_CODER_15B)
    options = ServerOptions(threads=1, model_id=MODEL_ID, port=18_643, context_tokens=CONTEXT_TOKENS)
    local = start_local_model(weights, cache / "judge-model.log", options)
    try:
        yield local.base_url
    finally:
        local.close()


@asynccontextmanager
async def local_judges(base_url: str) -> AsyncIterator[Mapping[str, Judge]]:
    """The judge under its label, through the adapter that users' models take."""
    config = ModelConfig(
        name=LABEL,
        provider="llamacpp",
        model=MODEL_ID,
        base_url=base_url,
        timeouts=Timeouts(first_byte_s=ANSWER_S, idle_s=ANSWER_S, total_s=ANSWER_S),
        limits=Limits(max_concurrency=1),
    )
    async with Transport(clock=time.monotonic) as transport:
        model = make_model(
            config, environment=os.environ, transport=transport, clock=time.monotonic, sleep=asyncio.sleep
        )
        try:
            yield {LABEL: ModelJudge(model)}
        finally:
            await model.close()
