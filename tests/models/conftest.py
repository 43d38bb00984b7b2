"""Servers, transports and models of the provider tests."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "servers"))

import wire

from assay.domain.models import ModelConfig, ModelRequest, Timeouts
from assay.domain.prompts import Message
from assay.domain.protocols import Model
from assay.models.catalog import make_model
from assay.models.transport import Transport

KEY = "sk-canary-0123456789"
PATIENT = Timeouts(connect_s=5.0, first_byte_s=20.0, idle_s=20.0, total_s=30.0)
USED = {"input_tokens": "used.in", "output_tokens": "used.out"}
USED |= {"cached_tokens": "used.cached", "reasoning_tokens": "used.thought"}


@pytest.fixture
async def server() -> AsyncIterator[wire.WireServer]:
    """A server that does what it is told."""
    async with wire.WireServer() as running:
        yield running


@pytest.fixture
async def transport() -> AsyncIterator[Transport]:
    """A transport, closed at the end."""
    async with Transport(clock=time.monotonic) as made:
        yield made


@pytest.fixture
def make(server: wire.WireServer, transport: Transport) -> Callable[..., Model]:
    """Makes a model of a provider that asks the server."""

    def make_one(provider: str, **fields: Any) -> Model:
        if provider == "http":
            fields.setdefault("options", {"usage": USED})
        config = ModelConfig(
            name="under-test",
            provider=provider,
            model=fields.pop("model", "test-model"),
            base_url=fields.pop("base_url", server.url + ("/" if provider == "http" else "")),
            key_variable=fields.pop("key_variable", "TEST_KEY"),
            timeouts=fields.pop("timeouts", PATIENT),
            **fields,
        )
        return make_model(
            config,
            environment={"TEST_KEY": KEY},
            transport=transport,
            clock=time.monotonic,
            sleep=asyncio.sleep,
        )

    return make_one


@pytest.fixture
def ask() -> Callable[..., ModelRequest]:
    """Makes a request from texts of a user, with a system message before them."""

    def request(text: str = "Say hello.", **fields: Any) -> ModelRequest:
        messages = (Message("system", "Be brief."), Message("user", text))
        return ModelRequest(messages=fields.pop("messages", messages), **fields)

    return request


@pytest.fixture
def key() -> str:
    """The key that models of `make` send."""
    return KEY
