"""The user's own code, found by its name: `path/to/file.py:name` or `module:name`."""

import hashlib
import inspect
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from assay.domain.errors import InvalidInput

FIELD = "options.target"
WRITTEN = "Write it as my_metrics.py:polite or my_package.metrics:polite."
ARGUMENTS = (
    "output", "expected", "vars", "context", "metadata", "tool_calls", "case", "response", "options",
)  # fmt: skip
"""What a callable may ask for, by the names of its parameters."""
ELSEWHERE = {
    **dict.fromkeys(("answer", "completion", "prediction", "text", "actual_output"), "output"),
    **dict.fromkeys(("reference", "ground_truth", "label", "target", "expected_output"), "expected"),
    **dict.fromkeys(("input", "inputs", "variables"), "vars"),
    **dict.fromkeys(("documents", "retrieval_context"), "context"),
}
"""Names that other tools have for them."""


@dataclass(frozen=True, slots=True)
class Target:
    """A callable, ready. `names` are the arguments that it takes; of a batch there are none: it gets rows."""

    name: str
    call: Callable[..., Any]
    names: tuple[str, ...]
    is_async: bool
    is_batch: bool
    file: str | None

    @property
    def version(self) -> str:
        """The first digits of the SHA-256 of its file: changed code is another metric."""
        if self.file is None:
            return ""
        return hashlib.sha256(Path(self.file).read_bytes()).hexdigest()[:12]

    def fault(self, error: BaseException) -> str:
        """What went wrong, with the last line of the user's file that took part."""
        frames = traceback.extract_tb(error.__traceback__)
        own = [frame for frame in frames if frame.filename == self.file] or frames[-1:]
        place = f" ({Path(own[-1].filename).name}, line {own[-1].lineno})" if own else ""
        return f"{type(error).__name__}: {error}"[:300] + place


class _FreshLoader(SourceFileLoader):
    """Reads the source each time: kept bytecode is told from changed source by whole seconds only."""

    def path_stats(self, path: str) -> Mapping[str, Any]:
        """Nothing is known of the file, so that no bytecode is read or written."""
        raise OSError(f"no bytecode of {path}")


def load_target(text: str, options: Mapping[str, Any] | None) -> Target:
    """The callable that a target names; a class is made with `options`.

    Raises InvalidInput naming what is wrong: file, module, name, parameters, or an error of the code itself.
    """
    place, _, name = text.rpartition(":")
    if not place or not name:
        raise InvalidInput(f"{text!r} does not name file and function", field=FIELD, remedy=WRITTEN)
    is_file = place.endswith(".py")
    module = _load_file(place) if is_file else _load_module(place)
    file = getattr(module, "__file__", None)
    label = f"{Path(place).name}:{name}" if is_file else text
    return _target(label, _attribute(module, name, place), options, file)


def _load_file(place: str) -> ModuleType:
    path = Path(place).expanduser().resolve()
    if not path.is_file():
        raise InvalidInput(
            f"there is no file {place}", field=FIELD, remedy=f"It is looked for from the folder {Path.cwd()}."
        )
    # Another content is another module, so that a changed file is read again.
    digest = hashlib.sha256(str(path).encode() + path.read_bytes()).hexdigest()[:16]
    name = f"assay_target_{path.stem}_{digest}"
    if name in sys.modules:
        return sys.modules[name]
    loader = _FreshLoader(name, str(path))
    spec = spec_from_file_location(name, path, loader=loader)
    if spec is None:
        raise InvalidInput(f"{place} cannot be loaded as Python", field=FIELD)
    module = module_from_spec(spec)
    _look_in(path.parent)
    sys.modules[name] = module  # as the import system does it: dataclasses look there
    try:
        loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise _broken(place, error) from error
    return module


def _load_module(place: str) -> ModuleType:
    _look_in(Path.cwd())
    try:
        return import_module(place)
    except ModuleNotFoundError as error:
        if error.name and (place == error.name or place.startswith(f"{error.name}.")):
            raise InvalidInput(
                f"there is no module {error.name!r}",
                field=FIELD,
                remedy=f"It is looked for in {Path.cwd()} and among what is installed. {WRITTEN}",
            ) from error
        raise _broken(place, error) from error
    except (Exception, SystemExit) as error:
        raise _broken(place, error) from error


def _look_in(folder: Path) -> None:
    """Let the user's code import its neighbours; last, so that they hide nothing that is installed."""
    if str(folder) not in sys.path:
        sys.path.append(str(folder))


def _broken(place: str, error: BaseException) -> InvalidInput:
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != __file__]
    own = [frame for frame in frames if "importlib" not in frame.filename]
    # A SyntaxError tells its place itself.
    line = f" (line {own[-1].lineno})" if own and not isinstance(error, SyntaxError) else ""
    return InvalidInput(f"{place} cannot be loaded: {type(error).__name__}: {error}{line}", field=FIELD)


def _attribute(module: ModuleType, name: str, place: str) -> Any:
    found: Any = module
    for step in name.split("."):
        if not hasattr(found, step):
            known = (
                [each for each in vars(found) if not each.startswith("_")]
                if hasattr(found, "__dict__")
                else []
            )
            near = get_close_matches(step, known, n=1)
            raise InvalidInput(
                f"{place} has no {name!r}", field=FIELD, remedy=f"Did you mean {near[0]!r}?" if near else None
            )
        found = getattr(found, step)
    return found


def _target(text: str, found: Any, options: Mapping[str, Any] | None, file: str | None) -> Target:
    made = isinstance(found, type)
    if made:
        found = _made(text, found, options or {})
    if callable(getattr(found, "score_batch", None)):
        call, is_batch = found.score_batch, True
    else:
        call, is_batch = getattr(found, "score", found), False
    if not callable(call):
        kind = type(found).__name__
        raise InvalidInput(
            f"{text} is of type {kind}, which has no score, score_batch or __call__", field=FIELD
        )
    is_async = inspect.iscoroutinefunction(call) or inspect.iscoroutinefunction(type(call).__call__)
    if is_batch and is_async:
        raise InvalidInput(f"score_batch of {text} is async", field=FIELD, remedy="Write `async def score`.")
    names = () if is_batch else _names(text, call)
    if options and not made and "options" not in names:
        raise InvalidInput(
            f"{text} takes no options", field="options.options", remedy="Give it a parameter `options`."
        )
    return Target(text, call, names, is_async, is_batch, file)


def _made(text: str, found: type, options: Mapping[str, Any]) -> Any:
    try:
        return found(**options)
    except (Exception, SystemExit) as error:
        raise InvalidInput(
            f"{text} cannot be made with these options: {type(error).__name__}: {error}",
            field="options.options",
        ) from error


def _names(text: str, call: Callable[..., Any]) -> tuple[str, ...]:
    """The arguments that a callable takes. Raises InvalidInput for one that it needs and nobody has."""
    try:
        parameters = inspect.signature(call).parameters.values()
    except (TypeError, ValueError) as error:
        raise InvalidInput(
            f"{text} does not say which parameters it has",
            field=FIELD,
            remedy="Wrap it: def score(output): ...",
        ) from error
    names = []
    for parameter in parameters:
        if parameter.kind is parameter.VAR_KEYWORD:
            return ARGUMENTS
        if parameter.kind is parameter.VAR_POSITIONAL:
            continue
        if parameter.kind is not parameter.POSITIONAL_ONLY and parameter.name in ARGUMENTS:
            names.append(parameter.name)
        elif parameter.default is parameter.empty:
            raise _unknown(text, parameter.name, ARGUMENTS)
    return tuple(names)


def _unknown(text: str, name: str, known: Iterable[str]) -> InvalidInput:
    near = ELSEWHERE.get(name) or next(iter(get_close_matches(name, list(known), n=1)), None)
    remedy = f"Did you mean {near!r}? " if near else ""
    return InvalidInput(
        f"{text} needs an argument {name!r}, which no metric is given",
        field=FIELD,
        remedy=f"{remedy}There are, by keyword: {', '.join(known)}.",
    )
