"""What every use case works with: built once by a root, passed to all."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from random import Random
from uuid import UUID

from assay.domain.protocols import Clock, Emit, Sleep
from assay.services.keyring import Keyring
from assay.storage.pool import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The world round a use case: keys, time and chance.

    `environment` holds the keys of providers; `now` is the wall clock (UTC), `clock` never goes back.
    """

    environment: Mapping[str, str]
    clock: Clock
    sleep: Sleep
    rng: Random
    emit: Emit
    now: datetime
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Context(World):
    """A world with a store and a tenant. `worker` names this process: host/boot id/pid/start time.

    `keyring` reads the master keys when a secret is at hand, so that most commands need none.
    """

    database: Database
    organization_id: UUID
    worker: str
    keyring: Callable[[], Keyring]
