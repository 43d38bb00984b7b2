"""Runs over a real queue."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from assay.engine.policy import RunPolicy
from scenes import QUICK, Scene
from tenants import Tenant


@pytest.fixture
def stage(tenant: Tenant) -> Callable[..., Awaitable[Scene]]:
    """Makes a scene; the keywords are those of a job's shape."""

    async def make(policy: RunPolicy = QUICK, **shape: Any) -> Scene:
        return Scene(tenant, await tenant.make_job(**shape), policy)

    return make
