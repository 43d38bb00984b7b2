"""Finer values than a judge's one word, from the probabilities of the words that it could have said instead.

Source: Liu et al. (2023), G-Eval, arXiv:2303.16634. Providers report the likeliest tokens at each place:
OpenAI and those who speak its protocol as `content`, Google as `chosenCandidates` and `topCandidates`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import exp, fsum, isfinite
from typing import Any, NamedTuple

from assay.stats.errors import StatisticsError
from assay.stats.token_scores import expected_score

_TRIMMED = " \t\r\n\"'`*.,:▁Ġ"
"""What tokenizers and writers put round a word."""
ROUNDED = 1.01
"""Providers round each probability, so that all of them may be a little more than 1."""


class Place(NamedTuple):
    """The token that was said at one place, and the probabilities of the likeliest ones there."""

    token: str
    shares: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Weigh:
    """Where the value is: the JSON field `field` (None: the first word of the reply), and what its words are
    worth. Only words that one token can say are told apart: single digits, yes and no."""

    worth: Mapping[str, float]
    field: str | None = None


class Weighted(NamedTuple):
    """The expected value, and the probability of each word among those that count."""

    value: float
    shares: Mapping[str, float]


def digits(low: int, high: int, field: str) -> Weigh | None:
    """For an integer in [low, high] in a field; None when a value takes more than one digit."""
    if not 0 <= low <= high <= 9:
        return None
    return Weigh(worth={str(value): float(value) for value in range(low, high + 1)}, field=field)


def weighted_value(logprobs: Any, weigh: Weigh, said: str) -> Weighted | None:
    """sum w p_w / sum p_w over the words that are worth something.

    `said` is the word of the verdict. None without probabilities, when the token that says it cannot be
    found, or when less than half of the probability is on such words.
    """
    places = list(_places(logprobs))
    place = _first_word(places) if weigh.field is None else _value_place(places, weigh.field)
    if place is None or _word(place.token) != said or said not in weigh.worth:
        return None
    shares = dict.fromkeys(weigh.worth, 0.0)
    for token, share in place.shares.items():
        if _word(token) in shares:
            shares[_word(token)] += share
    mass: dict[float, float] = {}
    for word, share in shares.items():
        mass[weigh.worth[word]] = mass.get(weigh.worth[word], 0.0) + share
    total = fsum(mass.values())
    if 1.0 < total <= ROUNDED:
        mass = {worth: share / total for worth, share in mass.items()}
    try:
        return Weighted(expected_score(mass), shares)
    except StatisticsError:
        return None


def _word(token: str) -> str:
    return token.strip(_TRIMMED).casefold()


def _first_word(places: list[Place]) -> Place | None:
    return next((place for place in places if _word(place.token)), None)


def _value_place(places: list[Place], field: str) -> Place | None:
    """The token that holds the whole value of the last such field; None if the value is not one token."""
    text = "".join(place.token for place in places)
    found = list(re.finditer(rf'"{re.escape(field)}"\s*:\s*"?([\w.-]+)', text))
    if not found:
        return None
    start, end = found[-1].span(1)
    at = 0
    for place in places:
        if at <= start and end <= at + len(place.token):
            return place if _word(place.token) == found[-1][1].casefold() else None
        at += len(place.token)
    return None


def _places(logprobs: Any) -> Iterator[Place]:
    if not isinstance(logprobs, Mapping):
        return
    if isinstance(logprobs.get("content"), list):
        for item in logprobs["content"]:
            said = item if isinstance(item, Mapping) else {}
            yield _place(said, said.get("top_logprobs"), "logprob")
        return
    chosen, likely = logprobs.get("chosenCandidates"), logprobs.get("topCandidates")
    if isinstance(chosen, list) and isinstance(likely, list):
        for said, top in zip(chosen, likely, strict=False):
            candidates = top.get("candidates") if isinstance(top, Mapping) else None
            yield _place(said if isinstance(said, Mapping) else {}, candidates, "logProbability")


def _place(said: Mapping[str, Any], likely: Any, name: str) -> Place:
    """One place; what is no token with a log probability is left out."""
    shares: dict[str, float] = {}
    for item in [*(likely if isinstance(likely, list) else ()), said]:
        token = item.get("token") if isinstance(item, Mapping) else None
        logprob = item.get(name) if isinstance(item, Mapping) else None
        if isinstance(token, str) and isinstance(logprob, int | float) and isfinite(logprob):
            shares[token] = min(1.0, exp(min(0.0, logprob)))
    token = said.get("token")
    return Place(token if isinstance(token, str) else "", shares)
