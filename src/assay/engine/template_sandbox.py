"""Where prompt templates run: a small part of Jinja2 in which work and memory are metered.

Three walls, each enough for the known escapes: a template is refused unless every node of its syntax
tree is on the list of `template_grammar`; no expression reaches an attribute of a Python object (a dot
reads keys of mappings, a call goes to a table of methods); and Jinja's own immutable sandbox lies
beneath. Loops, filters, operators and literals are rewritten so that they pay for what they do from one
budget of steps.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, cast

from jinja2 import StrictUndefined, Undefined, pass_context
from jinja2.exceptions import SecurityError, UndefinedError
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import missing

MAX_TEXT = 1_000_000
"""Characters that one text may become."""
MAX_STEPS = 500_000
"""A step is one node of the template evaluated, or `CHARACTERS_A_STEP` characters handled."""
CHARACTERS_A_STEP = 32
MAX_RANGE = 10_000
MAX_INTEGER_BITS = 4_096

LOOP_ATTRIBUTES = frozenset(
    ["index", "index0", "revindex", "revindex0", "first", "last", "length", "previtem", "nextitem"]
)
METHODS: Mapping[type[Any], frozenset[str]] = {
    str: frozenset(
        (
            *("upper", "lower", "title", "capitalize", "strip", "lstrip", "rstrip", "startswith", "endswith"),
            *("split", "rsplit", "splitlines", "removeprefix", "removesuffix", "find", "count", "isdigit"),
            *("replace", "join"),
        )
    ),
    Mapping: frozenset(["get", "items", "keys", "values"]),
    list: frozenset(["index", "count"]),
    tuple: frozenset(["index", "count"]),
    LoopContext: frozenset(["cycle", "changed"]),
}
METHOD_NAMES = frozenset().union(*METHODS.values())


class Meter:
    """What one rendering may still do."""

    __slots__ = ("steps",)

    def __init__(self) -> None:
        self.steps = MAX_STEPS

    def charge(self, steps: int) -> None:
        """Pay; raises when nothing is left."""
        self.steps -= steps
        if self.steps < 0:
            raise SecurityError(f"the template takes more than {MAX_STEPS:,} steps")

    def weigh(self, *values: Any) -> None:
        """Pay for the size of values. Shared parts count as often as they would be written.

        A missing value is let through alone, for `default` and `is defined`, but not inside another.
        """
        stack = [value for value in values if not isinstance(value, Undefined)]
        while stack:
            value = stack.pop()
            if isinstance(value, str):
                self.charge(1 + len(value) // CHARACTERS_A_STEP)
            elif isinstance(value, Mapping):
                self.charge(1 + len(value))
                stack.extend(value.keys())
                stack.extend(value.values())
            elif isinstance(value, list | tuple | range):
                self.charge(1 + len(value))
                stack.extend(() if isinstance(value, range) else value)
            elif isinstance(value, Undefined):
                raise UndefinedError(value._undefined_message)
            else:
                self.charge(1)


class PromptContext(Context):
    """A rendering's variables and its meter."""

    meter: Meter


class MissingVariable(StrictUndefined):
    """A variable or key that is not there; any use of it fails, except `is defined` and `default`."""

    __slots__ = ()

    @property
    def _undefined_message(self) -> str:
        if self._undefined_hint:
            return self._undefined_hint
        if self._undefined_obj is missing:
            return f"variable {self._undefined_name!r} is not set"
        return f"{self._undefined_name!r} is not in {describe(self._undefined_obj)}"


def describe(value: Any) -> str:
    """What a value is, in a word or two, for messages."""
    names = {str: "a text", bool: "a boolean", int: "a number", float: "a number", type(None): "none"}
    if isinstance(value, Mapping):
        return "the mapping"
    if isinstance(value, list | tuple):
        return f"the list of {len(value)}"
    return names.get(type(value), "the value")


@pass_context
def finalize(context: PromptContext, value: Any) -> str:
    """The text that an output expression becomes."""
    context.meter.weigh(value)
    return str(value)


class PromptEnvironment(ImmutableSandboxedEnvironment):
    """Jinja's sandbox without globals, loaders and attributes, and with a meter."""

    intercepted_binops = frozenset(["+", "-", "*", "/", "//", "%"])
    context_class = PromptContext

    def __init__(
        self, filters: Mapping[str, Callable[..., Any]], tests: Mapping[str, Callable[..., Any]]
    ) -> None:
        super().__init__(
            undefined=MissingVariable, autoescape=False, optimized=False, finalize=finalize, cache_size=0
        )
        self.globals = {}
        self.filters = dict(filters)
        self.tests = dict(tests)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """A dot reads a key of a mapping or a property of `loop`, and nothing else."""
        if isinstance(obj, Mapping) and attribute in obj:
            return obj[attribute]
        if isinstance(obj, LoopContext) and attribute in LOOP_ATTRIBUTES:
            return getattr(obj, attribute)
        if isinstance(obj, Undefined):
            raise UndefinedError(obj._undefined_message)
        return self.undefined(obj=obj, name=attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Brackets read a key of a mapping, an element of a list or a character of a text."""
        if isinstance(obj, Undefined):
            raise UndefinedError(obj._undefined_message)
        if not isinstance(obj, Mapping | list | tuple | str | range):
            return self.undefined(obj=obj, name=argument)
        try:
            return obj[argument]
        except (TypeError, LookupError):
            return self.undefined(obj=obj, name=argument)

    def call(self, context: Context, function: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Calls reach the four functions below only; the rewriting puts nothing else into a template."""
        kwargs.pop("_loop_vars", None)
        if getattr(function, "__self__", None) is not self:
            raise SecurityError("calls of values are not allowed")
        return function(context, *args, **kwargs)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Arithmetic, refused where a result could be far larger than what it is made of."""
        cast(PromptContext, context).meter.weigh(left, right)
        if operator == "*":
            _check_product(left, right)
        if operator == "%" and isinstance(left, str):
            raise SecurityError("formatting with % is not allowed; write the values where they belong")
        result = self.binop_table[operator](left, right)
        if isinstance(result, int) and result.bit_length() > MAX_INTEGER_BITS:
            raise SecurityError("a number has grown too large")
        return result

    def walk(self, context: PromptContext, values: Iterable[Any], cost: int) -> Iterator[Any]:
        """The elements of a loop; each costs what its body will do."""
        for value in values:
            context.meter.charge(cost)
            yield value

    def weigh(self, context: PromptContext, value: Any) -> Any:
        """A value, paid for."""
        context.meter.weigh(value)
        return value

    def span(self, context: PromptContext, *args: int) -> range:
        """`range`, of at most MAX_RANGE numbers."""
        context.meter.charge(1)
        numbers = range(*args)
        if len(numbers) > MAX_RANGE:
            raise SecurityError(f"range of more than {MAX_RANGE:,} numbers")
        return numbers

    def method(self, context: PromptContext, obj: Any, name: str, *args: Any, **kwargs: Any) -> Any:
        """One of METHODS, on the types that have it."""
        if isinstance(obj, Undefined):
            raise UndefinedError(obj._undefined_message)
        kind = next(
            (kind for kind, names in METHODS.items() if isinstance(obj, kind) and name in names), None
        )
        if kind is None:
            raise SecurityError(f"{describe(obj)} has no method {name!r}")
        context.meter.weigh(obj, *args, *kwargs.values())
        if kind is str and name in ("replace", "join"):
            check_growth(name, obj, *args)
        result = getattr(obj, name)(*args, **kwargs)
        result = list(result) if kind is Mapping and name != "get" else result
        context.meter.weigh(result)
        return result


def check_growth(name: str, text: str, *args: Any) -> None:
    """Refuse `replace` and `join` whose result would be longer than MAX_TEXT, before it exists."""
    if name == "replace" and len(args) >= 2:
        old, new = str(args[0]), str(args[1])
        size = len(text) + text.count(old) * max(0, len(new) - len(old))
    else:
        items = list(args[0]) if args else []
        size = len(text) * len(items) + sum(len(item) for item in items if isinstance(item, str))
    if size > MAX_TEXT:
        raise SecurityError(f"{name!r} would make a text of more than {MAX_TEXT:,} characters")


def _check_product(left: Any, right: Any) -> None:
    for sequence, times in ((left, right), (right, left)):
        if isinstance(sequence, str | list | tuple) and isinstance(times, int):
            if len(sequence) * times > MAX_RANGE:
                raise SecurityError(f"repetition to more than {MAX_RANGE:,} elements")
            return
    integers = isinstance(left, int) and isinstance(right, int)
    if integers and left.bit_length() + right.bit_length() > MAX_INTEGER_BITS:
        raise SecurityError("a number has grown too large")
