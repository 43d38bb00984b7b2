"""The process that owns the embedded server: starts it, restarts it, and stops it when nobody is left.

It belongs to no client, so that killing one does not touch the others. It looks for clients once a
second. Should it be killed itself, the kernel tells the postmaster to shut down, and the next client
starts both again. Run as `python -m assay.storage.embedded_supervisor <order>`; it leaves the caller's
process tree at once, and the caller's wait ends when the lock has been handed over.
Standard library only.
"""

import json
import os
import select
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path
from types import FrameType
from typing import Literal, Self

from assay.domain.errors import AssayError
from assay.storage.embedded_folder import (
    DataFolderRefused,
    EmbeddedPostgresFailed,
    ServerFolder,
    ServerState,
    hold,
    list_clients,
    write_state,
)
from assay.storage.embedded_identity import choose_identity
from assay.storage.embedded_process import (
    Postgres,
    adopt_cluster,
    binary_version,
    check_cluster,
    clear_sockets,
    close_socket_dir,
    create_cluster,
    settle_predecessor,
    start_postmaster,
    stop_postmaster,
    sync_to_disk,
)

LOOK_S = 1.0
HAND_OVER_S = 2.0
LOG_LIMIT_BYTES = 16 * 1024 * 1024
CRASHES_ALLOWED, CRASH_WINDOW_S = 5, 60.0
EXIT_LOCKED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a client wants started."""

    root: str
    binaries: str
    socket_dir: str
    idle_s: float
    settings: Mapping[str, str]

    def to_json(self) -> str:
        """As one argument of a command line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Back from the command line."""
        return cls(**json.loads(text))


class Ending(Enum):
    """Why the supervisor stopped watching."""

    IDLE = "idle"
    ASKED = "asked"
    LEFT = "left"
    CRASHED = "crashed"


class Supervisor:
    """One embedded server, from start to stop. The caller holds `supervisor.lock`."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.folder = ServerFolder(Path(order.root))
        self.socket_dir = Path(order.socket_dir)
        self.version = ""
        self.asked = False
        self.created = False
        self.idle_s = order.idle_s
        self._wake = _waker()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self.asked = True

    def run(self) -> None:
        """Serve until idle, asked to stop, or unable to go on; the state file tells which."""
        self._say("starting")
        try:
            self._serve(self._prepare())
        except AssayError as error:
            self._say("failed", error=error)
        except (OSError, subprocess.SubprocessError) as error:
            self._say("failed", error=EmbeddedPostgresFailed(f"PostgreSQL could not be run: {error}"))
        finally:
            close_socket_dir(self.socket_dir)

    def _say(
        self,
        phase: Literal["starting", "ready", "stopping", "failed"],
        *,
        postmaster_pid: int | None = None,
        error: AssayError | None = None,
    ) -> None:
        state = ServerState(
            phase=phase,
            supervisor_pid=os.getpid(),
            postmaster_pid=postmaster_pid,
            version=self.version,
            socket_dir=str(self.socket_dir),
            code=error.code if error else "",
            message=error.message if error else "",
            remedy=error.remedy if error else None,
        )
        # A full disk or a folder that was deleted must not end a server that works.
        with suppress(OSError):
            write_state(self.folder, state)

    def _prepare(self) -> Postgres:
        binaries = Path(self.order.binaries)
        self.version = binary_version(binaries)
        exists = check_cluster(self.folder, self.version)
        postgres = Postgres(binaries, self.folder, choose_identity(self.folder))
        if exists:
            adopt_cluster(postgres)
        else:
            create_cluster(postgres)
        self.created = not exists
        settle_predecessor(self.folder)
        open_socket_dir(self.socket_dir)
        bound_log(self.folder.log)
        return postgres

    def _serve(self, postgres: Postgres) -> None:
        command = postgres.arguments(self.order.settings, self.socket_dir)
        crashes: deque[float] = deque(maxlen=CRASHES_ALLOWED)
        while True:
            postmaster = start_postmaster(postgres, command, lambda: self.asked)
            self._say("ready", postmaster_pid=postmaster.pid)
            if self.created:
                sync_to_disk(self.folder)
                self.created = False
            ending = self._watch(postmaster)
            self._say("starting" if ending is Ending.CRASHED else "stopping")
            stop_postmaster(postmaster)
            if ending is not Ending.CRASHED or not list_clients(self.folder, sweep=True):
                return
            now = time.monotonic()
            if len(crashes) == CRASHES_ALLOWED and now - crashes[0] < CRASH_WINDOW_S:
                raise EmbeddedPostgresFailed(
                    f"PostgreSQL crashed {CRASHES_ALLOWED + 1} times within {CRASH_WINDOW_S:g} s",
                    remedy=f"See {self.folder.log}.",
                )
            crashes.append(now)

    def _watch(self, postmaster: subprocess.Popen[bytes]) -> Ending:
        """Return when there is a reason to; wakes for signals at once, else once a second."""
        last_seen = time.monotonic()
        while not self.asked:
            code = postmaster.poll()
            if code is not None:
                return Ending.LEFT if code == 0 else Ending.CRASHED
            clients = list_clients(self.folder, sweep=True)
            now = time.monotonic()
            if clients:
                last_seen = now
                self.idle_s = max(client.idle_s for client in clients)
            remaining_s = self.idle_s - (now - last_seen)
            if not clients and remaining_s <= 0 and self._close_door():
                return Ending.IDLE
            bound_log(self.folder.log)
            self._sleep(LOOK_S if clients or remaining_s <= 0 else min(LOOK_S, remaining_s))
        return Ending.ASKED

    def _close_door(self) -> bool:
        """Keep starters out until this process has ended, unless one is in already."""
        try:
            door = hold(self.folder.start_lock)
        except FileNotFoundError:
            return True
        if door is None:
            return False
        if list_clients(self.folder, sweep=True):
            os.close(door)
            return False
        return True

    def _sleep(self, timeout_s: float) -> None:
        ready, _, _ = select.select([self._wake], [], [], timeout_s)
        if ready:
            self._wake.recv(4096)


def _waker() -> socket.socket:
    """A socket that becomes readable when a signal arrives, so that none is slept through."""
    receiver, sender = socket.socketpair()
    receiver.setblocking(False)
    sender.setblocking(False)
    signal.set_wakeup_fd(sender.detach(), warn_on_full_buffer=False)
    return receiver


def open_socket_dir(path: Path) -> None:
    """Make the socket's folder, or take the one that is there if nobody else can enter it."""
    with suppress(FileExistsError):
        path.mkdir(mode=0o700)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise DataFolderRefused(
            f"{path} is not a folder that only you can enter: it is {stat.filemode(found.st_mode)} "
            f"and belongs to user id {found.st_uid}",
            remedy="Remove it, or choose another folder for sockets.",
        )
    # What a killed server left here names a pid that may be a zombie, or another program's by now.
    clear_sockets(path)


def bound_log(log: Path) -> None:
    """Keep the log and one predecessor below the limit; writers append, so cutting is safe."""
    try:
        if log.stat().st_size < LOG_LIMIT_BYTES:
            return
        shutil.copyfile(log, log.with_suffix(".log.1"))
        os.truncate(log, 0)
    except OSError:
        # Housekeeping that fails on a full disk is tried again with the next look.
        return


def main(arguments: list[str]) -> int:
    """Take the lock, leave the caller, supervise."""
    os.umask(0o077)
    # A client's thread may have blocked signals, and a blocked mask is inherited.
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    order = Order.from_json(arguments[0])
    folder = ServerFolder(Path(order.root))
    # A status query holds the lock for a moment; another supervisor holds it for good.
    if hold(folder.supervisor_lock, patience_s=HAND_OVER_S) is None:
        return EXIT_LOCKED
    folder.state.unlink(missing_ok=True)
    if os.fork():
        os._exit(0)
    Supervisor(order).run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
