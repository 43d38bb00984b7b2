"""What a call costs: integers of a billionth of a US dollar, by a table with a version.

An unknown price is None and never 0. The table is genai-prices, which works offline; what a suite says
about its model goes before it; what runs on this machine costs nothing.
"""

import importlib
import ipaddress
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from urllib.parse import urlsplit

from assay.domain.models import ModelConfig, Price, Usage

LOCAL_VERSION = "local"
OFFLINE_PROVIDERS = frozenset({"echo", "replay"})
"""Answer without a call."""
SELF_HOSTED_PROVIDERS = frozenset({"ollama", "vllm", "llamacpp"})
"""Served from this machine when no base_url says otherwise."""
PRICED_AS = {"openai-embeddings": "openai"}
"""Providers of ours that the table lists under another name."""
UNPRICED_PROVIDERS = frozenset({"http", "python"})
"""The user's own programs: what they spend behind their own address is not known here."""

RATE_UNITS = 10**12
"""A rate is an integer: US dollars for a million tokens times this, which is exact for any list price."""
RATE_TO_NANOUSD = 10**9

LoadLibrary = Callable[[], Any]


def load_price_library() -> Any:
    """The table's library; loaded late, because reading its two thousand models takes 0.4 s."""
    return importlib.import_module("genai_prices")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Prices of calls with more than `above_tokens` input tokens: USD a million tokens x RATE_UNITS.

    `output` None: the model bills no output (embeddings).
    """

    input: int
    output: int | None
    cached: int
    cache_write: int
    reasoning: int
    above_tokens: int = -1

    @property
    def input_max(self) -> int:
        """The dearest way to bill an input token."""
        return max(self.input, self.cached, self.cache_write)

    @property
    def output_max(self) -> int:
        """The dearest way to bill an output token."""
        return max(self.output or 0, self.reasoning)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pricing:
    """The prices of one model. `tiers` ascend; the last that applies holds for all of a call's tokens."""

    version: str
    tiers: tuple[Rates, ...]
    request_nanousd: int = 0
    free: bool = False

    def cost_nanousd(self, usage: Usage) -> int | None:
        """The cost of a call, rounded half up; None when the provider did not say what it used.

        Cached and cache-write tokens are parts of the input, reasoning tokens of the output. Parts that
        exceed their whole, a contradiction of the provider's, are cut down to it.
        """
        if self.free:
            return 0
        inputs, outputs = usage.input_tokens, usage.output_tokens
        if inputs is None or inputs < 0:
            return None
        rates = self.rates(inputs)
        if rates.output is None:
            if outputs:
                return None
            outputs = 0
        elif outputs is None or outputs < 0:
            return None
        cached = min(usage.cached_tokens or 0, inputs)
        written = min(usage.cache_write_tokens or 0, inputs - cached)
        reasoning = min(usage.reasoning_tokens or 0, outputs)
        units = (
            (inputs - cached - written) * rates.input
            + cached * rates.cached
            + written * rates.cache_write
            + (outputs - reasoning) * (rates.output or 0)
            + reasoning * rates.reasoning
        )
        return (units + RATE_TO_NANOUSD // 2) // RATE_TO_NANOUSD + self.request_nanousd

    def cost_max_nanousd(self, input_tokens: int, output_tokens: int) -> int:
        """The most that so many tokens can cost, each billed as its dearest kind; rounded up."""
        if self.free:
            return 0
        rates = self.rates(input_tokens)
        units = input_tokens * rates.input_max + output_tokens * rates.output_max
        return -(-units // RATE_TO_NANOUSD) + self.request_nanousd

    def rates(self, input_tokens: int) -> Rates:
        """The rates for a call with so many input tokens."""
        found = self.tiers[0]
        for tier in self.tiers[1:]:
            if input_tokens > tier.above_tokens:
                found = tier
        return found


FREE = Pricing(
    version=LOCAL_VERSION, tiers=(Rates(input=0, output=0, cached=0, cache_write=0, reasoning=0),), free=True
)


class PriceTable:
    """Finds the prices of models, once for each: the result serves all its calls.

    `at` is the day whose prices hold. A model whose price depends on the hour has its dearest hour's.
    """

    def __init__(self, at: datetime, load: LoadLibrary = load_price_library) -> None:
        if at.tzinfo is None:
            raise ValueError("the time of a price table needs a time zone")
        self._at = at
        self._load = load

    def resolve(self, config: ModelConfig) -> Pricing | None:
        """The prices of a model, or None when nobody knows them."""
        if config.price is not None:
            return suite_pricing(config.price)
        if is_local(config):
            return FREE
        if config.provider in UNPRICED_PROVIDERS or (
            config.provider in SELF_HOSTED_PROVIDERS and config.base_url is not None
        ):
            return None
        library = self._load()
        prices = self._find(library, config)
        return (
            None if prices is None else _table_pricing(prices, config, f"genai-prices {library.__version__}")
        )

    def _find(self, library: Any, config: ModelConfig) -> Any:
        where = {"provider_id": PRICED_AS.get(config.provider, config.provider)}
        if config.base_url is not None:
            where = {"provider_api_url": config.base_url}
        name = config.model.removeprefix("models/")
        context = {
            key: value
            for key in ("service_tier", "speed")
            if isinstance(value := config.parameters.get(key), str)
        }

        def price_at(at: datetime) -> Any:
            return library.calc_price(
                library.Usage(), name, genai_request_timestamp=at, price_context=context, **where
            )

        try:
            found = price_at(self._at)
            if isinstance(found.model.prices, list):
                hours = (self._at.replace(hour=hour, minute=0) for hour in range(24))
                return _dearest(price_at(hour).model_price for hour in hours)
            return found.model_price
        except LookupError:
            return None


def suite_pricing(price: Price) -> Pricing:
    """The prices that a suite states."""
    cached = price.input_usd if price.cached_input_usd is None else price.cached_input_usd
    written = price.input_usd if price.cache_write_usd is None else price.cache_write_usd
    rates = Rates(
        input=_units(price.input_usd),
        output=_units(price.output_usd),
        cached=_units(cached),
        cache_write=_units(written),
        reasoning=_units(price.output_usd),
    )
    return _pricing(price.version, (rates,), 0)


def is_local(config: ModelConfig) -> bool:
    """Whether a model answers from this machine, where a call costs nothing."""
    if config.provider in OFFLINE_PROVIDERS:
        return True
    if config.provider in UNPRICED_PROVIDERS:
        return False
    if config.base_url is None:
        return config.provider in SELF_HOSTED_PROVIDERS
    return is_loopback(config.base_url)


def is_loopback(url: str) -> bool:
    """Whether a URL's host is this machine by its name or address."""
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or host.endswith(".localhost") or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _pricing(version: str, tiers: tuple[Rates, ...], request_nanousd: int) -> Pricing:
    free = not request_nanousd and not any(rates.input_max or rates.output_max for rates in tiers)
    return Pricing(version=version, tiers=tiers, request_nanousd=request_nanousd, free=free)


def _table_pricing(prices: Any, config: ModelConfig, version: str) -> Pricing | None:
    if prices.input_mtok is None:
        return None
    hint = config.parameters.get("cache_control")
    one_hour = isinstance(hint, Mapping) and hint.get("ttl") == "1h"
    columns = {
        "input": prices.input_mtok,
        "output": prices.output_mtok,
        "cached": _first_known(prices.cache_read_mtok, prices.input_mtok),
        "cache_write": _first_known(
            prices.cache_write_1h_mtok if one_hour else None, prices.cache_write_mtok, prices.input_mtok
        ),
        "reasoning": _first_known(prices.output_reasoning_mtok, prices.output_mtok),
    }
    starts = sorted({tier.start for price in columns.values() for tier in getattr(price, "tiers", ())})
    tiers = tuple(_rates_above(columns, start) for start in (-1, *starts))
    return _pricing(version, tiers, int((prices.requests_kcount or 0) * 10**6))


def _first_known(*prices: Any) -> Any:
    return next((price for price in prices if price is not None), None)


def _rates_above(columns: Mapping[str, Any], start: int) -> Rates:
    rates = {name: _units_above(price, start) for name, price in columns.items()}
    return Rates(
        input=rates["input"],
        output=None if columns["output"] is None else rates["output"],
        cached=rates["cached"],
        cache_write=rates["cache_write"],
        reasoning=rates["reasoning"],
        above_tokens=start,
    )


def _dearest(prices: Iterable[Any]) -> Any:
    """The highest by output and then input rate."""
    return max(
        prices, key=lambda each: (_units_above(each.output_mtok, -1), _units_above(each.input_mtok, -1))
    )


def _units_above(price: Any, start: int) -> int:
    """A table entry's rate for calls with more than `start` input tokens."""
    rate = getattr(price, "base", price)
    for tier in getattr(price, "tiers", ()):
        if tier.start <= start:
            rate = tier.price
    return 0 if rate is None else _units(rate)


def _units(usd_per_million: float | Decimal) -> int:
    exact = Decimal(repr(usd_per_million)) if isinstance(usd_per_million, float) else Decimal(usd_per_million)
    return int((exact * RATE_UNITS).to_integral_value(ROUND_HALF_UP))
