"""The house's table of imports, held by reading the source."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "assay"
MAY_IMPORT: dict[str, frozenset[str]] = {
    "domain": frozenset(),
    "stats": frozenset(),
    "models": frozenset({"domain"}),
    "formats": frozenset({"domain"}),
    "storage": frozenset({"domain"}),
    "observability": frozenset({"domain"}),
    "judging": frozenset({"domain", "stats"}),
    "extract": frozenset({"domain"}),
    "metrics": frozenset({"domain", "stats", "models", "formats", "judging", "extract"}),
    "engine": frozenset({"domain", "models", "metrics"}),
    "experiments": frozenset({"domain", "stats"}),
    "reports": frozenset({"domain", "stats"}),
    "testing": frozenset({"domain", "stats", "formats", "metrics", "reports"}),
    "optimize": frozenset({"domain", "stats", "models", "metrics", "engine"}),
    "services": frozenset(
        {
            *("domain", "stats", "models", "formats", "storage", "judging", "metrics", "engine"),
            *("experiments", "reports", "optimize"),
        }
    ),
    "workers": frozenset({"domain", "services"}),
    "api": frozenset({"domain", "services"}),
    "demo": frozenset({"domain"}),
}
ROOTS = frozenset(
    {"cli", "settings.py", "__main__.py", "__init__.py", "asgi.py", "celery_app.py", "pytest_plugin.py"}
)
VERSION = "__init__.py"
"""Everyone may import the version: `from assay import __version__`."""
FILES = sorted(SOURCE.rglob("*.py"))


def layer_of(path: Path) -> str:
    """The folder below the package, or the file in it."""
    return path.relative_to(SOURCE).parts[0]


def imports_of(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and dotted name of each import; of `from assay import x` the name is `assay.x`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: a relative import"
            module = node.module or ""
            names = (f"{module}.{alias.name}" for alias in node.names) if module == "assay" else (module,)
            yield from ((node.lineno, name) for name in names)


def imported_layer(name: str) -> str | None:
    """The layer of one of our modules; None for those of others."""
    package, _, rest = name.partition(".")
    if package != "assay":
        return None
    first = rest.partition(".")[0]
    return (
        first
        if (SOURCE / first).is_dir() and first
        else VERSION
        if not (SOURCE / f"{first}.py").exists()
        else f"{first}.py"
    )


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_follow_the_table(path: Path) -> None:
    layer = layer_of(path)
    if layer in ROOTS:
        return
    assert layer in MAY_IMPORT, f"{layer} is no layer of the table"
    allowed = MAY_IMPORT[layer] | {layer, VERSION}
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = [(line, name) for line, name in imports_of(tree) if imported_layer(name) not in {None, *allowed}]
    assert found == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_no_function_imports(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    inside = [
        node.lineno
        for function in functions
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert inside == []


def test_nothing_imports_in_a_circle() -> None:
    graph: dict[str, set[str]] = {}
    for path in FILES:
        module = ".".join(["assay", *path.relative_to(SOURCE).with_suffix("").parts])
        tree = ast.parse(path.read_text(encoding="utf-8"))
        graph[module] = {name for _, name in imports_of(tree) if name.startswith("assay.")}
    done: set[str] = set()

    def visit(module: str, trail: tuple[str, ...]) -> None:
        assert module not in trail, " > ".join((*trail[trail.index(module) :], module))
        if module not in done:
            for imported in sorted(graph.get(module, ())):
                visit(imported, (*trail, module))
            done.add(module)

    for module in sorted(graph):
        visit(module, ())


def test_below_the_roots_nothing_reads_environment_or_wall_clock() -> None:
    found = []
    for path in FILES:
        if layer_of(path) in ROOTS:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                read = f"{node.value.id}.{node.attr}"
                if read in {"os.environ", "os.getenv", "time.time", "datetime.utcnow", "random.random"}:
                    found.append(f"{path.relative_to(SOURCE)}:{node.lineno}: {read}")
    known = {"storage/embedded.py", "demo/weights.py"}  # what they start inherits it
    assert [line for line in found if line.partition(":")[0] not in known] == []
