"""A Context over the tests' database, for use cases that are called without a command line."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from random import Random
from uuid import UUID

from assay.services.context import Context
from assay.services.keyring import Keyring
from assay.storage.pool import Database


def make_context(
    database: Database,
    organization_id: UUID,
    master_keys: Sequence[bytes] = (b"m" * 32,),
    environment: Mapping[str, str] | None = None,
) -> Context:
    """A context of one tenant with these master keys, the current one first."""
    return Context(
        database=database,
        organization_id=organization_id,
        environment=environment or {},
        clock=time.monotonic,
        sleep=asyncio.sleep,
        rng=Random(0),
        emit=lambda _: None,
        now=datetime.now(UTC),
        worker="tests",
        version="tests",
        keyring=lambda: Keyring.of(master_keys),
    )
