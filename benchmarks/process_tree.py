"""What all descendants of this process use: CPU time and memory, of daemons and of ended processes too.

`adopt_orphans` makes this process the one to which the kernel gives descendants that lost their parent
(PR_SET_CHILD_SUBREAPER, Linux): a daemon that forked twice stays in the tree, and what it used is added to
this process's children when it ends and is waited for. It needs no privileges and no control groups.

    python benchmarks/process_tree.py --verify      checks the accounting with known work
"""

import argparse
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36
_TICKS = os.sysconf("SC_CLK_TCK")
TOLERANCE = 0.05


@dataclass(frozen=True, slots=True)
class Process:
    """A line of /proc/<pid>/stat. `cpu_s` includes the children that it has waited for."""

    pid: int
    parent: int
    state: str
    cpu_s: float
    children_cpu_s: float


def adopt_orphans() -> None:
    """Become the parent of descendants whose parents end. Raises OSError where there is no such thing."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def reap_orphans(own: Iterable[subprocess.Popen[bytes]]) -> None:
    """Wait for adopted processes that have ended; `own` children are left to their Popen."""
    kept = {child.pid for child in own}
    for process in list_processes():
        if process.parent == os.getpid() and process.state == "Z" and process.pid not in kept:
            with suppress(ChildProcessError):
                os.waitpid(process.pid, os.WNOHANG)


def list_processes() -> list[Process]:
    """All processes that can be seen."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with suppress(OSError):
                found.append(_parse(int(folder.name), (folder / "stat").read_text()))
    return found


def _parse(pid: int, text: str) -> Process:
    fields = text.rpartition(")")[2].split()
    own = (int(fields[11]) + int(fields[12])) / _TICKS
    children = (int(fields[13]) + int(fields[14])) / _TICKS
    return Process(pid, int(fields[1]), fields[0], own, children)


def list_descendants(without: Iterable[int] = ()) -> list[Process]:
    """The tree below this process, except the trees of the pids in `without`."""
    processes = list_processes()
    below: dict[int, list[Process]] = {}
    for process in processes:
        below.setdefault(process.parent, []).append(process)
    left_out = set(without)
    tree: list[Process] = []
    waiting = [os.getpid()]
    while waiting:
        for process in below.get(waiting.pop(), ()):
            if process.pid not in left_out:
                tree.append(process)
                waiting.append(process.pid)
    return tree


def cpu_seconds(without: Iterable[int] = ()) -> float:
    """CPU time of the tree until now: of those that live, and of those that ended and were waited for.

    Resolution: a clock tick a process (10 ms). Use differences of two calls.
    """
    waited = os.times()
    living = sum(process.cpu_s + process.children_cpu_s for process in list_descendants(without))
    return waited.children_user + waited.children_system + living


def pss_bytes(pid: int) -> int:
    """Proportional set size: private memory, and of shared memory this process's part. 0 if it is gone."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


@dataclass(slots=True)
class Peak:
    """The most memory that was seen at once, in bytes."""

    tree: int = 0
    main: int = 0
    samples: int = 0


class MemoryWatch:
    """Samples the memory of the tree and of one process in it, in a thread, until it is left."""

    def __init__(self, main: int, without: Iterable[int] = (), every_s: float = 0.5) -> None:
        self.peak = Peak()
        self._main, self._without, self._every_s = main, tuple(without), every_s
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "MemoryWatch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._end.wait(self._every_s):
            sizes = {process.pid: pss_bytes(process.pid) for process in list_descendants(self._without)}
            self.peak.tree = max(self.peak.tree, sum(sizes.values()))
            self.peak.main = max(self.peak.main, sizes.get(self._main, 0))
            self.peak.samples += 1


def end_all(grace_s: float = 10.0) -> None:
    """End every descendant: SIGTERM, and SIGKILL for what is left after `grace_s`."""
    for number, wait_s in ((signal.SIGTERM, grace_s), (signal.SIGKILL, 5.0)):
        deadline = time.monotonic() + wait_s
        for process in list_descendants():
            with suppress(ProcessLookupError, PermissionError):
                os.kill(process.pid, number)
        while list_descendants() and time.monotonic() < deadline:
            reap_orphans(())
            time.sleep(0.05)


_BUSY = """
import os, sys, time
end = float(sys.argv[1])
def spin():
    while time.process_time() < end: sum(range(2000))
spin()                                   # one part here
child = os.fork()
if child == 0:                           # one in a child that is waited for
    spin(); os._exit(0)
os.waitpid(child, 0)
if os.fork() == 0:                       # and two in a daemon and its child
    os.setsid()
    if os.fork() == 0:
        spin()
        child = os.fork()
        if child == 0:
            spin(); os._exit(0)
        os.waitpid(child, 0)
        os.write(1, b"done")
        os.read(0, 1)                    # lives until its input closes
    os._exit(0)
"""


def verify(seconds: float = 0.5) -> tuple[float, float, float]:
    """Known work: CPU seconds that were spent, that were seen while its daemon lived, and after its end.

    The parts: a process, its child, an orphaned daemon and the daemon's child, each `seconds` long (a
    process that forks hands none of its own time on).
    """
    adopt_orphans()
    before = cpu_seconds()
    command = [sys.executable, "-S", "-c", _BUSY, str(seconds)]
    work = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    work.wait()  # its daemon goes on, as a child of this process
    if work.stdin is None or work.stdout is None or work.stdout.read(4) != b"done":
        raise ChildProcessError("the work was not done")
    during = cpu_seconds() - before
    work.stdin.close()
    while list_descendants():
        reap_orphans(())
        time.sleep(0.02)
    return 4 * seconds, during, cpu_seconds() - before


def main() -> int:
    """Check the accounting; 0 when both figures are within the tolerance."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--verify", action="store_true", required=True)
    parser.parse_args()
    spent, during, after = verify()
    print(f"spent {spent:.2f} s   seen while the daemon lived {during:.2f} s   after its end {after:.2f} s")
    return 0 if all(abs(seen - spent) <= TOLERANCE * spent + 0.05 for seen in (during, after)) else 1


if __name__ == "__main__":
    sys.exit(main())
