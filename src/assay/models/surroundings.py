"""What a wrapper needs of the world round it."""

from dataclasses import dataclass
from random import Random

from assay.domain.protocols import Clock, Emit, Sleep


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Time, chance and the listener for events; given from outside, so that a run can be replayed."""

    clock: Clock
    sleep: Sleep
    rng: Random
    emit: Emit
