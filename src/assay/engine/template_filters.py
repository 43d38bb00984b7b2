"""The filters and tests that prompt templates may use, each paying for what it reads and makes.

Most are Jinja's own and behave as its documentation says. Ours are those that could make a result far
larger than what they are given (`join`, `replace`, `indent`, `round`, `sum`), and those that Jinja
makes for web pages (`tojson`, `escape`).
"""

import functools
import html
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

from jinja2 import pass_context, pass_environment
from jinja2.exceptions import SecurityError
from jinja2.filters import FILTERS as JINJA_FILTERS
from jinja2.filters import make_attrgetter
from jinja2.tests import TESTS as JINJA_TESTS

from assay.engine.template_sandbox import PromptContext, PromptEnvironment, check_growth

MAX_INDENT = 100
MAX_DIGITS = 15

_JINJAS_FILTERS = (
    *("abs", "capitalize", "count", "d", "default", "dictsort", "first", "float", "int", "items", "last"),
    *("length", "list", "lower", "map", "max", "min", "reject", "rejectattr", "reverse", "select"),
    *("selectattr", "sort", "string", "title", "trim", "truncate", "unique", "upper", "wordcount"),
)
_JINJAS_TESTS = (
    *("boolean", "defined", "divisibleby", "eq", "equalto", "even", "false", "float", "ge", "greaterthan"),
    *("gt", "in", "integer", "iterable", "le", "lessthan", "lower", "lt", "mapping", "ne", "none", "number"),
    *("odd", "sameas", "sequence", "string", "true", "undefined", "upper"),
    *("==", "!=", ">", ">=", "<", "<="),
)


@pass_environment
def join(environment: PromptEnvironment, value: Any, d: str = "", attribute: Any = None) -> str:
    """The elements as texts with `d` between them."""
    items = value if attribute is None else map(make_attrgetter(environment, attribute), value)
    texts = [str(item) for item in items]
    check_growth("join", str(d), texts)
    return str(d).join(texts)


def replace(value: Any, old: str, new: str, count: int = -1) -> str:
    """Each `old` becomes `new`, or the first `count` of them."""
    text = str(value)
    check_growth("replace", text, old, new)
    return text.replace(str(old), str(new), count)


def indent(value: Any, width: int | str = 4, first: bool = False, blank: bool = False) -> str:
    """Each line but the first is moved to the right by `width` spaces, or begins with that text."""
    margin = width if isinstance(width, str) else " " * min(width, MAX_INDENT + 1)
    if len(margin) > MAX_INDENT:
        raise SecurityError(f"indent by more than {MAX_INDENT} characters")
    lines = str(value).split("\n")
    check_growth("join", margin, lines)
    moved = [margin + line if line or blank else line for line in lines]
    return "\n".join(moved if first else [lines[0], *moved[1:]])


def round_number(value: float, precision: int = 0) -> float:
    """The number with at most `precision` digits after the point."""
    if abs(precision) > MAX_DIGITS:
        raise SecurityError(f"round to more than {MAX_DIGITS} digits")
    return round(float(value), precision)


@pass_environment
def add_up(environment: PromptEnvironment, value: Any, attribute: Any = None) -> Any:
    """The sum of numbers."""
    items = value if attribute is None else map(make_attrgetter(environment, attribute), value)
    return sum(item + 0 if isinstance(item, bool) else item for item in items)


def tojson(value: Any, indent: int | None = None) -> str:
    """JSON as a model should read it: no escapes for web pages, letters of all scripts as they are."""
    if indent is not None and not 0 <= indent <= MAX_DIGITS:
        raise SecurityError(f"tojson with an indent of more than {MAX_DIGITS}")
    return json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent)


def escape(value: Any) -> str:
    """`& < > " '` as entities of HTML and XML."""
    return html.escape(str(value))


def metered(function: Callable[..., Any]) -> Callable[..., Any]:
    """A filter or test that charges the rendering's meter for its input and its result."""
    wanted = getattr(getattr(function, "jinja_pass_arg", None), "name", None)

    @pass_context
    @functools.wraps(function, updated=())
    def charge(context: PromptContext, value: Any, *args: Any, **kwargs: Any) -> Any:
        context.meter.weigh(value, *args, *kwargs.values())
        first = {"context": context, "environment": context.environment, "eval_context": context.eval_ctx}
        extra = (first[wanted],) if wanted else ()
        result = function(*extra, value, *args, **kwargs)
        if isinstance(result, Iterator):
            result = list(weigh_each(context, result))
        context.meter.weigh(result)
        return result

    return charge


def weigh_each(context: PromptContext, values: Iterator[Any]) -> Iterator[Any]:
    """The elements of a lazy result, each paid for as it appears."""
    for value in values:
        context.meter.weigh(value)
        yield value


FILTERS: Mapping[str, Callable[..., Any]] = {
    **{name: metered(JINJA_FILTERS[name]) for name in _JINJAS_FILTERS},
    "join": metered(join),
    "replace": metered(replace),
    "indent": metered(indent),
    "round": metered(round_number),
    "sum": metered(add_up),
    "tojson": metered(tojson),
    "e": metered(escape),
    "escape": metered(escape),
}
TESTS: Mapping[str, Callable[..., Any]] = {
    name: metered(cast(Callable[..., Any], JINJA_TESTS[name])) for name in _JINJAS_TESTS
}
