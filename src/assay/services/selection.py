"""Which cases, prompts and models of a suite take part in a run."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from assay.domain.datasets import Case, Split
from assay.domain.errors import InvalidInput
from assay.domain.suites import Suite


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What a run is narrowed to. Patterns are regular expressions that must be found in the name.

    `sample` cases are drawn by `seed` after the other filters; `limit` keeps the first ones.
    `first`, `last` is a half-open range of case numbers from 0; `split` is the suite's.
    """

    pattern: str | None = None
    tags: tuple[str, ...] = ()
    metadata: tuple[tuple[str, str], ...] = ()
    keys: frozenset[str] | None = None
    first: int | None = None
    last: int | None = None
    sample: int | None = None
    limit: int | None = None
    seed: int = 0
    prompts: str | None = None
    models: str | None = None
    split: Split | None = None

    @property
    def narrow_cases(self) -> bool:
        """Whether any case may be left out."""
        chosen = (self.pattern, self.keys, self.first, self.last, self.sample, self.limit, self.split)
        return bool(self.tags or self.metadata) or any(value is not None for value in chosen)


def narrow_suite(suite: Suite, filters: Filters) -> Suite:
    """The suite with the prompts and models that are asked for; raises InvalidInput when none is left."""
    from_fields: dict[str, Any] = {}
    for name, pattern in (("prompts", filters.prompts), ("models", filters.models)):
        if pattern is None:
            continue
        expression = _compile(pattern, f"--filter-{name}")
        kept = tuple(each for each in getattr(suite, name) if expression.search(each.name))
        if not kept:
            known = ", ".join(each.name for each in getattr(suite, name))
            raise InvalidInput(
                f"no name matches {pattern!r}", field=f"--filter-{name}", remedy=f"There is: {known}"
            )
        from_fields[name] = kept
    return replace(suite, **from_fields) if from_fields else suite


class Selector:
    """Notes which cases of a stream are wanted, as half-open ranges of their numbers."""

    def __init__(self, filters: Filters) -> None:
        self.filters = filters
        self.seen = 0
        self.kept = 0
        self._ranges: list[tuple[int, int]] = []
        self._reservoir: list[int] = []
        self._pattern = _compile(filters.pattern, "--filter-pattern") if filters.pattern else None
        self._rng = Random(filters.seed)  # noqa: S311 - a sample that can be drawn again, no secret

    def watch(self, cases: Iterable[Case]) -> Iterator[tuple[Case, bool]]:
        """Every case, with whether it takes part as far as can be told by itself."""
        for number, case in enumerate(cases):
            self.seen += 1
            wanted = self._wants(number, case)
            if wanted:
                self._keep(number)
            yield case, wanted

    def finish(self) -> list[tuple[int, int]] | None:
        """The ranges that take part; None when every case does."""
        if self.filters.sample is not None:
            self._ranges.clear()
            for number in sorted(self._reservoir)[: self.filters.limit]:
                self._extend(number)
        return self._ranges if self.filters.narrow_cases else None

    def _wants(self, number: int, case: Case) -> bool:
        chosen = self.filters
        if chosen.first is not None and number < chosen.first:
            return False
        if chosen.last is not None and number >= chosen.last:
            return False
        if self._pattern is not None and not self._pattern.search(case.key):
            return False
        if chosen.keys is not None and case.key not in chosen.keys:
            return False
        if chosen.split is not None and case.split != chosen.split:
            return False
        return all(tag in case.tags for tag in chosen.tags) and all(
            str(case.metadata.get(name)) == value for name, value in chosen.metadata
        )

    def _keep(self, number: int) -> None:
        self.kept += 1
        if self.filters.sample is not None:
            self._draw(number)
        elif self.filters.limit is None or self.kept <= self.filters.limit:
            self._extend(number)

    def _draw(self, number: int) -> None:
        """Reservoir sampling (Vitter's algorithm R): uniform, one pass, memory of the sample."""
        if len(self._reservoir) < (self.filters.sample or 0):
            self._reservoir.append(number)
        elif (place := self._rng.randrange(self.kept)) < len(self._reservoir):
            self._reservoir[place] = number

    def _extend(self, number: int) -> None:
        if self._ranges and self._ranges[-1][1] == number:
            self._ranges[-1] = (self._ranges[-1][0], number + 1)
        else:
            self._ranges.append((number, number + 1))


def _compile(pattern: str, option: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise InvalidInput(f"{pattern!r} is not a regular expression: {error}", field=option) from error
