"""Prompts become messages: compiled once, rendered once for each evaluation.

A text of plain words and `{{ name }}` or `{{ name.key }}` is filled in by joining its parts. Everything
else runs in the sandbox of `template_sandbox`. Both write exactly the same for the same values.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Any, Protocol

from jinja2 import Template, meta, nodes
from jinja2.exceptions import SecurityError, TemplateError, TemplateSyntaxError, UndefinedError

from assay.domain.errors import InvalidInput
from assay.domain.prompts import Message, Prompt
from assay.engine.template_filters import FILTERS, TESTS
from assay.engine.template_grammar import add_meter, check_tree
from assay.engine.template_sandbox import (
    MAX_TEXT,
    Meter,
    PromptContext,
    PromptEnvironment,
    describe,
)

ENVIRONMENT = PromptEnvironment(FILTERS, TESTS)
_RENDER_ERRORS = (
    *(TemplateError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError),
    RecursionError,
)

Values = Mapping[str, Any]
Fill = Callable[[Values], Any]


class Text(Protocol):
    """A compiled text."""

    @property
    def variables(self) -> frozenset[str]:
        """Names that it reads."""

    def fill(self, values: Values) -> str:
        """The text for these values."""


@dataclass(frozen=True, slots=True)
class Joined:
    """Words with values between them. `slots` holds place, name and keys of each value."""

    parts: tuple[str, ...]
    slots: tuple[tuple[int, str, tuple[str, ...]], ...]
    fixed_size: int
    variables: frozenset[str]

    def fill(self, values: Values) -> str:
        """The text for these values."""
        parts = list(self.parts)
        size = self.fixed_size
        for place, name, keys in self.slots:
            if name not in values:
                raise UndefinedError(f"variable {name!r} is not set")
            value = values[name]
            for key in keys:
                value = _value_of(value, key)
            text = value if type(value) is str else str(value)
            size += len(text)
            if size > MAX_TEXT:
                raise SecurityError(f"the text has more than {MAX_TEXT:,} characters")
            parts[place] = text
        return "".join(parts)


@dataclass(frozen=True, slots=True)
class Sandboxed:
    """A text with tags, filters or operators, compiled by Jinja2."""

    template: Template
    variables: frozenset[str]

    def fill(self, values: Values) -> str:
        """The text for these values."""
        context = PromptContext(ENVIRONMENT, dict(values), None, {})
        context.meter = Meter()
        parts = []
        size = 0
        for part in self.template.root_render_func(context):
            size += len(part)
            if size > MAX_TEXT:
                raise SecurityError(f"the text has more than {MAX_TEXT:,} characters")
            parts.append(part)
        return "".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledPrompt:
    """A prompt that is ready to be rendered. `variables` are the names that its templates read.

    A name that is read only where it may be missing (`is defined`, `default`) counts too.
    """

    name: str
    variables: frozenset[str]
    messages: tuple[Message | Fill, ...]
    source: str | None = None

    def render(self, variables: Values, *, case: str | None = None) -> tuple[Message, ...]:
        """The messages for one case; raises InvalidInput naming prompt, variable and `case`."""
        try:
            return tuple(
                message if isinstance(message, Message) else message(variables) for message in self.messages
            )
        except InvalidInput as problem:
            raise self._explain(problem, variables, case) from problem.__cause__

    def _explain(self, problem: InvalidInput, values: Values, case: str | None) -> InvalidInput:
        remedy = None
        if isinstance(problem.__cause__, UndefinedError):
            remedy = f"Variables that are set: {', '.join(sorted(map(str, values))) or 'none'}."
        return InvalidInput(
            problem.message if case is None else f"case {case!r}: {problem.message}",
            file=_place(self.name, self.source),
            line=problem.line,
            field=problem.field,
            remedy=remedy,
        )


def compile_prompt(prompt: Prompt, *, source: str | None = None) -> CompiledPrompt:
    """Check and compile a prompt's templates.

    `source` names the file that the prompt comes from. Raises InvalidInput naming the prompt, the
    message (`field`) and the line within its template.
    """
    variables: set[str] = set()
    messages: list[Message | Fill] = []
    for number, message in enumerate(prompt.messages):
        fill = _compile_content(message.content, f"messages.{number}.content", variables, prompt.name, source)
        if fill is None:
            messages.append(message)
        else:
            messages.append(partial(_message, message.role, fill))
    return CompiledPrompt(
        name=prompt.name, variables=frozenset(variables), messages=tuple(messages), source=source
    )


def compile_text(text: str) -> Text:
    """Check and compile one template; raises jinja2's TemplateSyntaxError with the line."""
    if len(text) > MAX_TEXT:
        raise TemplateSyntaxError(f"the template has more than {MAX_TEXT:,} characters", 1)
    try:
        tree = ENVIRONMENT.parse(text)
        check_tree(tree, ENVIRONMENT)
        joined = _joined(tree)
        if joined is not None:
            return joined
        tree = add_meter(tree, ENVIRONMENT)
        variables = frozenset(meta.find_undeclared_variables(tree))
        code = ENVIRONMENT.compile(tree)
    except (RecursionError, MemoryError, OverflowError, SyntaxError) as problem:
        raise TemplateSyntaxError("the template is nested too deeply", 1) from problem
    except ValueError as problem:
        raise TemplateSyntaxError(f"the template cannot be read: {problem}", 1) from problem
    return Sandboxed(Template.from_code(ENVIRONMENT, code, {}), variables)


def _message(role: str, fill: Fill, values: Values) -> Message:
    return Message(role, fill(values))


def _place(name: str, source: str | None) -> str:
    return f"{source}: prompt {name}" if source else f"prompt {name}"


def _compile_content(
    content: Any, field: str, variables: set[str], prompt: str, source: str | None
) -> Fill | None:
    """How to fill content in, or None when nothing in it is a template."""
    if isinstance(content, str):
        return _compile_field(content, field, variables, prompt, source)
    if isinstance(content, Mapping):
        items = list(content.items())
    elif isinstance(content, list | tuple):
        items = list(enumerate(content))
    else:
        return None
    fills = {
        key: fill
        for key, value in items
        if (fill := _compile_content(value, f"{field}.{key}", variables, prompt, source)) is not None
    }
    if not fills:
        return None
    kind = dict if isinstance(content, Mapping) else list
    return partial(_fill_parts, kind, tuple(items), fills)


def _fill_parts(
    kind: type[dict[Any, Any]] | type[list[Any]],
    items: tuple[Any, ...],
    fills: Mapping[Any, Fill],
    values: Values,
) -> Any:
    filled = [(key, fills[key](values) if key in fills else value) for key, value in items]
    return dict(filled) if kind is dict else [value for _, value in filled]


def _compile_field(
    text: str, field: str, variables: set[str], prompt: str, source: str | None
) -> Fill | None:
    try:
        compiled = compile_text(text)
    except TemplateSyntaxError as problem:
        raise InvalidInput(
            problem.message or "not a template",
            file=_place(prompt, source),
            line=problem.lineno,
            field=field,
            remedy="Literal braces are written {{ '{{' }} or between {% raw %} and {% endraw %}."
            if "{" in text and "unexpected" in str(problem.message)
            else None,
        ) from problem
    variables |= compiled.variables
    if isinstance(compiled, Joined) and not compiled.slots and compiled.parts == (text,):
        return None
    return partial(_fill_field, compiled, field)


def _fill_field(compiled: Text, field: str, values: Values) -> str:
    try:
        return compiled.fill(values)
    except _RENDER_ERRORS as problem:
        message = str(problem) or type(problem).__name__
        raise InvalidInput(message, field=field, line=_line_of(compiled, problem.__traceback__)) from problem


def _line_of(compiled: Text, trace: TracebackType | None) -> int | None:
    """The template's line in which rendering failed."""
    if not isinstance(compiled, Sandboxed):
        return None
    line = None
    while trace is not None:
        if trace.tb_frame.f_globals.get("environment") is ENVIRONMENT:
            line = compiled.template.get_corresponding_lineno(trace.tb_lineno)
        trace = trace.tb_next
    return line


def _value_of(value: Any, key: str) -> Any:
    if isinstance(value, Mapping) and key in value:
        return value[key]
    raise UndefinedError(f"{key!r} is not in {describe(value)}")


def _joined(tree: nodes.Template) -> Joined | None:
    """The tree as words and plain values, or None when there is more in it."""
    parts: list[str] = []
    slots: list[tuple[int, str, tuple[str, ...]]] = []
    for output in tree.body:
        if not isinstance(output, nodes.Output):
            return None
        for node in output.nodes:
            if isinstance(node, nodes.TemplateData):
                parts.append(node.data)
                continue
            path = _path_of(node)
            if path is None:
                return None
            slots.append((len(parts), path[0], path[1:]))
            parts.append("")
    if not slots:
        parts = ["".join(parts)]
    return Joined(tuple(parts), tuple(slots), sum(map(len, parts)), frozenset(name for _, name, _ in slots))


def _path_of(node: nodes.Expr) -> tuple[str, ...] | None:
    """`name.key.key` as its parts, or None for any other expression."""
    keys: list[str] = []
    while isinstance(node, nodes.Getattr):
        keys.append(node.attr)
        node = node.node
    return (node.name, *reversed(keys)) if isinstance(node, nodes.Name) else None
