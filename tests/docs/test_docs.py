"""What the documentation says is there, and what is there is in the documentation."""

import re
import tomllib
from pathlib import Path

import click
import pytest

from assay.cli.app import ALIASES, COMMANDS, cli
from assay.formats.suite import load_suite
from assay.metrics.catalog import list_metrics
from assay.models.catalog import PROVIDERS
from assay.testing.signals import ARGUMENTS

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md"), ROOT / "src/assay/demo/MODEL.md"])
LINK = re.compile(r"\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
CODE = re.compile(r"`[^`\n]*`")
HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)
COMPLETE = re.compile(r"^```yaml complete\n(.*?)^```", re.DOTALL | re.MULTILINE)
CASE = '{"id": "one", "vars": {"listing": "3 bedrooms", "question": "How many?"}, "expected": "3"}\n'


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def command_of(name: str) -> click.Command:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    return command


def sections() -> dict[str, str]:
    parts = re.split(r"^## assay ([a-z]+)$", text_of(DOCS / "cli.md"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as forges make them."""
    headings = HEADING.findall(FENCE.sub("", text_of(page)))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def links(page: Path) -> list[str]:
    text = CODE.sub("", FENCE.sub("", text_of(page)))
    return [link for link in LINK.findall(text) if not re.match(r"[a-z]+:", link)]


def test_every_command_and_alias_has_its_place() -> None:
    assert sections().keys() == COMMANDS.keys()
    assert [alias for alias in ALIASES if f"`assay {alias}`" not in text_of(DOCS / "cli.md")] == []


def parameters_of(command: click.Command) -> list[click.Parameter]:
    """Those of a command and, where it is a group, of all commands in it."""
    inner = command.commands.values() if isinstance(command, click.Group) else ()
    return [*command.params, *(parameter for each in inner for parameter in parameters_of(each))]


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_option_and_argument_is_described(name: str) -> None:
    section = sections()[name]
    for parameter in parameters_of(command_of(name)):
        if isinstance(parameter, click.Option):
            options = [*parameter.opts, *parameter.secondary_opts]
            assert [option for option in options if not re.search(rf"`{option}[ `]", section)] == []
        else:
            assert str(parameter.name).upper() in section


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_of_a_group_is_described(name: str) -> None:
    group = command_of(name)
    inner = group.commands if isinstance(group, click.Group) else ()
    assert [each for each in inner if f"`assay {name} {each}" not in sections()[name]] == []


def test_no_option_is_described_that_is_not_there() -> None:
    for name, section in sections().items():
        known = {option for parameter in parameters_of(command_of(name)) for option in parameter.opts}
        assert set(re.findall(r"^\| `(?:-\w`, `)?(--[a-z-]+)", section, re.MULTILINE)) - known == set()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_inside_the_project_leads_somewhere(page: Path) -> None:
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{name_of(page)} links to {link}"
        if anchor:
            assert anchor in anchors(target), f"{name_of(page)} links to {link}"


def test_every_page_is_in_the_index() -> None:
    linked = {(DOCS / link.partition("#")[0]).resolve() for link in links(DOCS / "index.md")}
    pages = {page for page in PAGES if DOCS in page.parents} - {DOCS / "index.md"}
    assert [name_of(page) for page in sorted(pages - linked)] == []


def test_every_metric_and_provider_is_described() -> None:
    pages = [DOCS / "metrics.md", *sorted((DOCS / "metrics").glob("*.md"))]
    metrics, models = "\n".join(map(text_of, pages)), text_of(DOCS / "models.md")
    assert [info.type for info in list_metrics() if f"### `{info.type}`" not in metrics] == []
    assert [name for name in PROVIDERS if f"`{name}`" not in models] == []


def test_every_setting_is_described() -> None:
    source = text_of(ROOT / "src/assay/settings.py")
    read = set(re.findall(r'"((?:ASSAY|XDG)_[A-Z_]+|DATABASE_URL|TMPDIR)"', source))
    assert "ASSAY_DATA_DIR" in read
    assert [name for name in sorted(read) if name not in text_of(DOCS / "cli.md")] == []
    example = text_of(ROOT / ".env.example")
    own = {name for name in read if name.startswith("ASSAY_")} | {"DATABASE_URL"}
    keys = {name for info in PROVIDERS.values() for name in info.key_variables}
    assert [name for name in sorted(own | keys) if f"\n# {name}=" not in example] == []
    uncommented = re.sub(r"^# (?=[A-Z_]+=)", "", example, flags=re.MULTILINE)
    assert set(re.findall(r"^([A-Z_]+)=", uncommented, re.MULTILINE)) == own | keys


def test_every_direct_dependency_has_its_reason() -> None:
    project = tomllib.loads(text_of(ROOT / "pyproject.toml"))
    listed = [*project["project"]["dependencies"], *project["project"]["optional-dependencies"]["demo"]]
    listed += [line for group in project["dependency-groups"].values() for line in group]
    names = {re.split(r"[<>=;~! ]", line)[0] for line in listed}
    described = text_of(DOCS / "dependencies.md")
    assert [name for name in sorted(names) if f"`{name}`" not in described] == []


@pytest.mark.parametrize("page", [page for page in PAGES if COMPLETE.search(text_of(page))], ids=name_of)
def test_suites_that_are_shown_whole_load(page: Path, tmp_path: Path) -> None:
    (tmp_path / "cases.jsonl").write_text(CASE)
    for block in COMPLETE.findall(text_of(page)):
        (tmp_path / "assay.yaml").write_text(block)
        suite = load_suite(tmp_path / "assay.yaml", environment={})
        assert suite.prompts and suite.models and suite.metrics


def test_every_option_and_setting_of_the_pytest_plugin_is_described() -> None:
    source, page = text_of(ROOT / "src/assay/pytest_plugin.py"), text_of(DOCS / "pytest.md")
    options = re.findall(r'"(--assay-[a-z]+)"', source)
    settings = re.findall(r'addini\("(assay_[a-z]+)"', source)
    assert len(options) > 3 and len(settings) > 3
    assert [name for name in (*options, *settings, *ARGUMENTS) if f"`{name}" not in page] == []
