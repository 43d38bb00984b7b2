"""On a terminal: a bar while it runs, colours, and Ctrl-C typed on the keyboard."""

import fcntl
import os
import pty
import subprocess
import sys
import termios

import pytest
from bench import Bench
from provider import Provider

CTRL_C = b"\x03"


def on_terminal(bench: Bench, provider: Provider, *, interrupt: bool = False, **more: str) -> tuple[int, str]:
    """Run the suite on a terminal of its own, with Ctrl-C typed after a while; how it ended."""
    terminal, inner = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-m", "assay", "run", "-j", "4"],
        env={**bench.environment, "TERM": "xterm-256color", "COLUMNS": "100", **more},
        cwd=bench.folder,
        stdin=inner,
        stdout=inner,
        stderr=inner,
        start_new_session=True,
        preexec_fn=take_terminal,
    )
    os.close(inner)
    bench.children.append(child)
    shown = b""
    while chunk := read(terminal):
        shown += chunk
        if interrupt and provider.count >= 8:
            os.write(terminal, CTRL_C)
            interrupt = False
    os.close(terminal)
    return child.wait(60), shown.decode()


def take_terminal() -> None:
    """Make standard input the terminal of this session, so that its keys become signals."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def read(terminal: int) -> bytes:
    """What is shown next; nothing at the end."""
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""


def test_a_terminal_shows_a_bar_with_rate_and_cost(bench: Bench, provider: Provider) -> None:
    provider.latency_s = 0.1
    bench.suite(24)
    code, shown = on_terminal(bench, provider)
    assert code == 0
    assert "\x1b[" in shown
    assert "━" in shown
    assert "24/24" in shown
    assert "eta" in shown


@pytest.mark.parametrize("name", ["CI", "NO_COLOR"])
def test_a_terminal_of_a_build_shows_neither_bar_nor_colour(
    bench: Bench, provider: Provider, name: str
) -> None:
    provider.latency_s = 0.1
    bench.suite(12)
    code, shown = on_terminal(bench, provider, **{name: "1"})
    assert code == 0
    assert "\x1b" not in shown
    assert "eta" not in shown


def test_ctrl_c_on_the_keyboard_says_how_to_go_on(bench: Bench, provider: Provider) -> None:
    provider.latency_s = 0.1
    bench.suite(400)
    code, shown = on_terminal(bench, provider, interrupt=True)
    assert code == 130
    assert "Ctrl-C again stops now" in shown
    assert "assay resume" in shown
    assert bench.states()["succeeded"] == provider.count
    assert bench.broken() == []
