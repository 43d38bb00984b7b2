"""A page that is a headline, tables and cautions: on a terminal and as Markdown."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TextIO

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from assay.reports.comparison_tables import TextTable
from assay.reports.markdown import markdown_table
from assay.reports.untrusted import markdown_prose, one_line

_LIMIT = 1000
_WORDS = frozenset({"", "what", "method", "candidate", "case", "judge", "who", "note"})


@dataclass(frozen=True, slots=True, kw_only=True)
class TablePage:
    """What is shown; names in it are as others wrote them. `footnote` says how to read the numbers."""

    title: str
    subtitle: str
    tables: tuple[TextTable, ...]
    cautions: tuple[str, ...]
    footnote: str


def render_page(page: TablePage, console: Console) -> None:
    """Print a page."""
    console.print()
    console.print(_line(page.title, style="bold"))
    console.print(_line(page.subtitle, style="dim"))
    for table in page.tables:
        _print_table(table, console)
    console.print()
    for caution in page.cautions:
        grid = Table.grid(padding=(0, 1))
        grid.add_row(Text("!", style="yellow"), _line(caution))
        console.print(Padding(grid, (0, 0, 0, 1), expand=False))
    console.print(_line(page.footnote, style="dim"))
    console.print()


def write_page_markdown(out: TextIO, page: TablePage) -> None:
    """Write a page as Markdown; names cannot become markup."""
    for line in _markdown(page):
        out.write(f"{line}\n")


def _print_table(table: TextTable, console: Console) -> None:
    console.print()
    console.print(Text(table.title, style="bold"))
    if table.note:
        console.print(_line(table.note, style="dim"))
    if not table.rows:
        return
    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), show_edge=False, header_style="dim")
    for head in table.heads:
        grid.add_column(head, justify="left" if head in _WORDS else "right", overflow="fold")
    for row in table.rows:
        grid.add_row(*(_line(cell) for cell in row))
    console.print(grid)


def _markdown(page: TablePage) -> Iterator[str]:
    yield f"### {markdown_prose(page.title)}"
    yield ""
    yield markdown_prose(page.subtitle)
    yield ""
    for table in page.tables:
        yield f"#### {table.title}"
        yield ""
        if table.note:
            yield markdown_prose(table.note)
            yield ""
        if table.rows:
            cells = [[markdown_prose(cell) for cell in row] for row in table.rows]
            yield from markdown_table(table.heads, cells)
    for caution in page.cautions:
        yield f"- {markdown_prose(caution)}"
    if page.cautions:
        yield ""
    yield f"<sub>{markdown_prose(page.footnote)}</sub>"


def _line(text: str, style: str = "") -> Text:
    """Text that others may have written: never read as markup, no control characters."""
    return Text(one_line(text, _LIMIT), style=style)
