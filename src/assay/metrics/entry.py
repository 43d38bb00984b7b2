"""What a row of the metric catalog holds, and what a metric's factory is given."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf, isfinite
from typing import Any, Literal

from assay.domain.errors import InvalidInput
from assay.domain.scores import MetricConfig, MetricInfo

OptionKind = Literal["boolean", "number", "integer", "text", "texts", "choice", "object", "json"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One option of a metric. `choices` belong to kind "choice", `minimum` and `maximum` to numbers."""

    kind: OptionKind
    meaning: str
    default: Any = None
    required: bool = False
    choices: tuple[str, ...] = ()
    minimum: float = 0.0
    maximum: float = inf

    @property
    def summary(self) -> str:
        """The meaning with choices and default, as the catalog shows it."""
        choices = f" ({', '.join(self.choices)})" if self.choices else ""
        if self.required:
            return f"{self.meaning}{choices}; required"
        default = "" if self.default is None else f"; default {self.default}".lower()
        return self.meaning + choices + default


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A metric of the catalog: `factory` is the name of a function (MetricSpec) -> Metric in `module`.

    `trusted` metrics run the user's own code, `own_judge` ones ask an endpoint of their own. Those that
    `may_ask` ask a model if the option `judge` names one, and are none the less complete without: the
    suite's first judge is not taken.
    """

    info: MetricInfo
    module: str
    factory: str
    options: Mapping[str, Option] = field(default_factory=dict)
    trusted: bool = False
    own_judge: bool = False
    may_ask: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricSpec:
    """What a factory makes a metric from; `options` are checked and complete with their defaults.

    `judges` are the labels of the models that it asks, resolved from the options `judge` and `jury`; the
    metric's own name where its endpoint is its own.
    """

    info: MetricInfo
    config: MetricConfig
    options: Mapping[str, Any]
    judges: tuple[str, ...] = ()


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def _is_texts(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return bool(value) and all(isinstance(item, str) for item in value)
    return isinstance(value, str)


def _wanted(option: Option, value: Any) -> str | None:
    """What `value` should have been, or None when it is right."""
    match option.kind:
        case "boolean":
            return None if isinstance(value, bool) else "true or false"
        case "number":
            fits = _is_number(value) and option.minimum <= value <= option.maximum
            return None if fits else f"a number, {_range(option)}"
        case "integer":
            fits = type(value) is int and option.minimum <= value <= option.maximum
            return None if fits else f"a whole number, {_range(option)}"
        case "text":
            return None if isinstance(value, str) and value else "a text that is not empty"
        case "texts":
            return None if _is_texts(value) else "a text or a list of texts"
        case "choice":
            return None if value in option.choices else f"one of {', '.join(option.choices)}"
        case "object":
            return None if isinstance(value, dict | bool) else "an object"
        case "json":
            return None


def _range(option: Option) -> str:
    if option.maximum == inf:
        return f"{option.minimum:g} or more"
    return f"{option.minimum:g} to {option.maximum:g}"


def check_option(name: str, option: Option, value: Any) -> Any:
    """The value, or InvalidInput when it is not of the option's kind."""
    wanted = _wanted(option, value)
    if wanted is not None:
        raise InvalidInput(f"must be {wanted}, not {value!r:.80}", field=f"options.{name}")
    return value
