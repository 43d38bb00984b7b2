"""Which templates are allowed, and how the meter is put into them."""

from collections.abc import Callable, Mapping
from typing import Any, NoReturn, cast

from jinja2 import nodes
from jinja2.exceptions import TemplateSyntaxError
from jinja2.visitor import NodeTransformer

from assay.engine.template_sandbox import METHOD_NAMES, PromptEnvironment

MAX_NODES = 20_000
_EXPRESSIONS = (
    *(nodes.Name, nodes.Const, nodes.Getattr, nodes.Getitem, nodes.Slice, nodes.Filter, nodes.Test),
    *(nodes.CondExpr, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Add, nodes.Sub),
    *(nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod, nodes.Neg, nodes.Pos, nodes.Concat, nodes.List),
    *(nodes.Tuple, nodes.Dict, nodes.Pair, nodes.Call, nodes.Keyword),
)
_STATEMENTS = (
    *(nodes.Template, nodes.Output, nodes.TemplateData, nodes.If, nodes.For, nodes.Assign),
    nodes.Scope,
)
ALLOWED = frozenset(_EXPRESSIONS + _STATEMENTS)


class _Metering(NodeTransformer):
    """Puts the meter into a tree that `check_tree` has accepted."""

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802 - the visitor's naming
        cost = 1 + sum(1 for _ in node.find_all(nodes.Node))
        self.generic_visit(node)
        node.iter = _call(node, "walk", cast(nodes.Expr, node.iter), nodes.Const(cost))
        return node

    def visit_Call(self, node: nodes.Call) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        target = node.node
        if isinstance(target, nodes.Getattr):
            call = _call(node, "method", target.node, nodes.Const(target.attr), *node.args)
        else:
            call = _call(node, "span", *node.args)
        call.kwargs = node.kwargs
        return call

    def visit_Compare(self, node: nodes.Compare) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        node.expr = _call(node, "weigh", node.expr)
        for operand in node.ops:
            operand.expr = _call(node, "weigh", operand.expr)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        node.nodes = [_call(node, "weigh", part) for part in node.nodes]
        return node

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _call(node, "weigh", node) if isinstance(node.arg, nodes.Slice) else node

    def visit_List(self, node: nodes.List) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _call(node, "weigh", node)

    def visit_Dict(self, node: nodes.Dict) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _call(node, "weigh", node)

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _call(node, "weigh", node) if node.ctx == "load" else node


def _call(node: nodes.Node, name: str, *args: nodes.Expr) -> nodes.Call:
    return nodes.Call(
        nodes.EnvironmentAttribute(name, lineno=node.lineno),
        list(args), [], None, None, lineno=node.lineno,
    )  # fmt: skip


def add_meter(tree: nodes.Template, environment: PromptEnvironment) -> nodes.Template:
    """The tree with its loops, calls, comparisons and literals paying for themselves."""
    metered = cast(nodes.Template, _Metering().visit(tree))
    metered.set_environment(environment)
    return metered


def check_tree(tree: nodes.Template, environment: PromptEnvironment) -> None:
    """Refuse what is not part of the language, with its line."""
    for count, node in enumerate(tree.find_all(nodes.Node)):
        if count >= MAX_NODES:
            _refuse(node, f"the template has more than {MAX_NODES:,} parts")
        if type(node) not in ALLOWED:
            _refuse(node, f"{_construct(node)} is not allowed in prompts")
        check = _CHECKS.get(type(node))
        if check is not None:
            check(node, environment)


def _construct(node: nodes.Node) -> str:
    name = type(node).__name__
    tags = {
        "FromImport": "import",
        "CallBlock": "call",
        "FilterBlock": "filter",
        "AssignBlock": "set block",
        "ScopedEvalContextModifier": "autoescape",
    }
    if isinstance(node, nodes.Stmt):
        return "{% " + tags.get(name, name.lower()) + " %}"
    return {"Pow": "the operator **", "NSRef": "assigning to an attribute"}.get(name, name)


def _refuse(node: nodes.Node, message: str) -> NoReturn:
    raise TemplateSyntaxError(message, node.lineno)


def _check_name(node: nodes.Name, _: PromptEnvironment) -> None:
    if node.name == "self":
        _refuse(node, "the name 'self' is reserved")


def _check_attribute(node: nodes.Getattr, _: PromptEnvironment) -> None:
    if node.attr.startswith("_"):
        _refuse(node, f"access to {node.attr!r} is not allowed: it begins with an underscore")


def _check_item(node: nodes.Getitem, _: PromptEnvironment) -> None:
    if isinstance(node.arg, nodes.Const) and str(node.arg.value).startswith("__"):
        _refuse(node, f"access to {node.arg.value!r} is not allowed: it begins with two underscores")


def _check_loop(node: nodes.For, _: PromptEnvironment) -> None:
    if node.recursive:
        _refuse(node, "recursive loops are not allowed")


def _check_filter(node: nodes.Filter, environment: PromptEnvironment) -> None:
    if node.name not in environment.filters:
        _refuse(
            node, f"there is no filter {node.name!r}; there are: {', '.join(sorted(environment.filters))}"
        )
    _check_arguments(node)


def _check_test(node: nodes.Test, environment: PromptEnvironment) -> None:
    if node.name not in environment.tests:
        _refuse(node, f"there is no test {node.name!r}; there are: {', '.join(sorted(environment.tests))}")
    _check_arguments(node)


def _check_call(node: nodes.Call, _: PromptEnvironment) -> None:
    target = node.node
    if isinstance(target, nodes.Getattr):
        if target.attr not in METHOD_NAMES:
            _refuse(node, f"there is no method {target.attr!r}; there are: {', '.join(sorted(METHOD_NAMES))}")
    elif not (isinstance(target, nodes.Name) and target.name == "range"):
        _refuse(node, "the only function is range")
    _check_arguments(node)


def _check_arguments(node: nodes.Call | nodes.Filter | nodes.Test) -> None:
    if node.dyn_args is not None or node.dyn_kwargs is not None:
        _refuse(node, "* and ** in arguments are not allowed")
    for keyword in node.kwargs:
        if isinstance(keyword, nodes.Keyword) and keyword.key.startswith("_"):
            _refuse(node, f"argument {keyword.key!r} is not allowed")


_CHECKS: Mapping[type[nodes.Node], Callable[[Any, PromptEnvironment], None]] = {
    nodes.Name: _check_name,
    nodes.Getattr: _check_attribute,
    nodes.Getitem: _check_item,
    nodes.For: _check_loop,
    nodes.Filter: _check_filter,
    nodes.Test: _check_test,
    nodes.Call: _check_call,
}
