"""Splits by share: the same case falls into the same split on every machine, whatever else is in the file."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from assay.domain.datasets import SPLITS, Case, Split
from assay.domain.errors import InvalidInput

_RANGE = 2**64
_REMEDY = f"Write shares that add up to 1, as in train=0.7,test=0.3; the splits are {', '.join(SPLITS)}."


@dataclass(frozen=True, slots=True)
class Shares:
    """The share of each split, adding up to 1, and a seed: another seed draws another assignment."""

    shares: Mapping[Split, Fraction]
    seed: int = 0

    def split_of(self, case: Case) -> Split:
        """The split of a case.

        Its cluster (the case itself where there is none) and the seed are hashed to a number u, uniform in
        [0, 1); the split is that in whose part of [0, 1) u lies, the parts lying in the order of SPLITS.
        Cases of one cluster stay together, and cases that are added move no other one. The shares hold for
        clusters in expectation, not exactly.
        """
        unit = f"cluster\0{case.cluster}" if case.cluster is not None else f"case\0{case.key}"
        digest = hashlib.blake2b(f"{self.seed}\0{unit}".encode(), digest_size=8).digest()
        place, end = int.from_bytes(digest), Fraction(0)
        last: Split = SPLITS[0]
        for split in SPLITS:
            share = self.shares.get(split, Fraction(0))
            if share:
                end, last = end + share, split
                if place < end * _RANGE:
                    return split
        return last


def parse_shares(text: str, seed: int = 0) -> Shares:
    """`train=0.7,test=0.3`, exactly: shares are decimal or common fractions. Raises InvalidInput."""
    shares: dict[Split, Fraction] = {}
    for part in text.split(","):
        name, _, number = part.partition("=")
        split = next((each for each in SPLITS if each == name.strip()), None)
        if split is None:
            raise InvalidInput(f"{name.strip()!r} is no split", field="--split", remedy=_REMEDY)
        try:
            share = Fraction(number.strip())
        except (ValueError, ZeroDivisionError):
            raise InvalidInput(f"{number.strip()!r} is no share", field="--split", remedy=_REMEDY) from None
        if share < 0 or split in shares:
            raise InvalidInput(
                f"the share of {split!r} is " + ("less than 0" if share < 0 else "there twice"),
                field="--split",
                remedy=_REMEDY,
            )
        shares[split] = share
    if sum(shares.values()) != 1:
        raise InvalidInput(
            f"the shares add up to {float(sum(shares.values())):g}", field="--split", remedy=_REMEDY
        )
    return Shares(shares, seed)
