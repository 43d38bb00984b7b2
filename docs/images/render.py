"""Draws what a terminal showed as an SVG picture.

tmux new-session -d -x 100 -y 60 -s demo; tmux send-keys -t demo 'assay demo' Enter
tmux capture-pane -e -p -t demo > demo.ansi
python docs/images/render.py demo.ansi docs/images/demo.svg
"""

import re
import sys
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

WIDTH = 100
THEME = TerminalTheme(
    (16, 20, 28),
    (214, 219, 227),
    [
        *((16, 20, 28), (240, 113, 120), (137, 202, 120), (229, 192, 123)),
        *((97, 175, 239), (198, 146, 233), (86, 182, 194), (214, 219, 227)),
    ],
)


def render(ansi: str, title: str) -> str:
    """The SVG of a terminal's text with its escape sequences."""
    with Path("/dev/null").open("w") as nowhere:
        console = Console(
            record=True, width=WIDTH, file=nowhere, force_terminal=True, color_system="truecolor"
        )
        console.print(Text.from_ansi(ansi.rstrip()), soft_wrap=True)
    drawn = console.export_svg(title=title, theme=THEME, unique_id="demo")
    # The reader's own monospace font will do: a picture fetches nothing.
    drawn = re.sub(r"@font-face \{.*?\}\s*", "", drawn, flags=re.DOTALL)
    return drawn.replace("Fira Code, monospace", "ui-monospace, DejaVu Sans Mono, Menlo, Consolas, monospace")


if __name__ == "__main__":
    source, target = sys.argv[1:]
    Path(target).write_text(render(Path(source).read_text(), "assay demo"))
