"""The options that commands on a suite share."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from assay.cli.options import env_files_option
from assay.domain.errors import InvalidInput, NotFound
from assay.domain.suites import Suite
from assay.formats.suite import load_suite
from assay.services.selection import Filters
from assay.settings import Settings

SUITE_NAMES = ("assay.yaml", "assay.yml", "assay.json")
FILTERS = (
    "filter_pattern",
    "filter_tag",
    "filter_metadata",
    "filter_range",
    "filter_sample",
    "limit",
    "seed",
    "filter_prompts",
    "filter_models",
)

_OPTIONS = (
    click.argument("suite", required=False, type=click.Path(path_type=Path)),
    click.option("-c", "--config", type=click.Path(path_type=Path), help="The suite's file."),
    click.option("--repeat", type=click.IntRange(1, 1000), help="Ask every question so many times."),
    click.option(
        "--var", "variables", multiple=True, metavar="NAME=VALUE", help="Set a variable of the templates."
    ),
    env_files_option,
    click.option("--limit", type=click.IntRange(1), help="Take the first cases only."),
    click.option("--filter-pattern", metavar="REGEX", help="Take cases whose id matches."),
    click.option("--filter-tag", multiple=True, metavar="TAG", help="Take cases with this tag."),
    click.option(
        "--filter-metadata", multiple=True, metavar="NAME=VALUE", help="Take cases with this metadata."
    ),
    click.option(
        "--filter-range", metavar="FIRST:LAST", help="Take cases by number, from 0, LAST not included."
    ),
    click.option("--filter-sample", type=click.IntRange(1), help="Take so many cases at random (--seed)."),
    click.option("--seed", type=int, default=0, show_default=True, help="Decides the random sample."),
    click.option("--filter-prompts", metavar="REGEX", help="Take prompts whose name matches."),
    click.option("--filter-models", metavar="REGEX", help="Take models whose name matches."),
)


def suite_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options; the command gets `filters` in place of their parts."""

    @wraps(command)
    def with_filters(**given: Any) -> Any:
        parts = {name: given.pop(name) for name in FILTERS}
        return command(filters=_filters(parts), **given)

    for option in reversed(_OPTIONS):
        with_filters = option(with_filters)
    return with_filters


def find_suite(argument: Path | None, option: Path | None) -> Path:
    """The suite's file: what was named, or assay.yaml in the folder that was named, or in this one."""
    chosen = option or argument or Path()
    if not chosen.is_dir():
        if not chosen.exists():
            raise NotFound(f"{chosen}: no such file", remedy="Write a suite to start from: assay init")
        return chosen
    for name in SUITE_NAMES:
        if (chosen / name).is_file():
            return chosen / name
    raise NotFound(
        f"there is no {SUITE_NAMES[0]} in {chosen.resolve()}", remedy="Write one to start from: assay init"
    )


def read_suite(path: Path, settings: Settings, variables: tuple[str, ...]) -> Suite:
    """The suite of a file, with the variables of the command line."""
    return load_suite(path, environment=settings.environment, variables=dict(parse_pairs(variables, "--var")))


def _filters(parts: dict[str, Any]) -> Filters:
    first, last = _range(parts["filter_range"])
    return Filters(
        pattern=parts["filter_pattern"],
        tags=parts["filter_tag"],
        metadata=tuple(parse_pairs(parts["filter_metadata"], "--filter-metadata")),
        first=first,
        last=last,
        sample=parts["filter_sample"],
        limit=parts["limit"],
        seed=parts["seed"],
        prompts=parts["filter_prompts"],
        models=parts["filter_models"],
    )


def parse_pairs(texts: tuple[str, ...], option: str) -> list[tuple[str, str]]:
    """NAME=VALUE texts as pairs; raises InvalidInput for one that is not of this form."""
    pairs = []
    for text in texts:
        name, separator, value = text.partition("=")
        if not separator or not name:
            raise InvalidInput(
                f"{text!r} is not NAME=VALUE", field=option, remedy=f"Write {option} name=value."
            )
        pairs.append((name, value))
    return pairs


def _range(text: str | None) -> tuple[int | None, int | None]:
    if text is None:
        return None, None
    first, separator, last = text.partition(":")
    try:
        bounds = (int(first) if first else None, int(last) if last else None)
    except ValueError:
        separator = ""
    if not separator:
        raise InvalidInput(
            f"{text!r} is not FIRST:LAST", field="--filter-range", remedy="Write 0:100 or 100:."
        )
    return bounds
