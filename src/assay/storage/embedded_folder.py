"""The folder of the embedded server: its layout, its locks and what is known about its state.

Below the user's data folder:

    postgres/
        data/             the cluster, owned by PostgreSQL
        data.partial/     a cluster being created; renamed to `data` when complete
        clients/          one locked file for each process that uses the server
        start.lock        held while a process looks for the server, starts it or stops it
        supervisor.lock   held by the supervisor for its whole life
        state.json        what the holder of supervisor.lock says about itself
        server.log

Every lock is a `flock`, which the kernel releases when its holder dies, however it dies. Locks are
dropped by closing the file and never by unlocking it: a forked child shares them.
Standard library only: the supervisor imports this module and must start fast.
"""

import fcntl
import hashlib
import json
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, Self

from assay.domain.errors import StorageFailed

POLL_S = 0.01


class EmbeddedPostgresFailed(StorageFailed):
    """The embedded PostgreSQL could not be created, started or stopped."""

    code = "embedded_postgres_failed"


class DataFolderRefused(StorageFailed):
    """The data folder belongs to somebody or something else; nothing in it was touched."""

    code = "data_folder_refused"
    exit_code = 2


@dataclass(frozen=True, slots=True)
class ServerFolder:
    """Paths of one embedded server."""

    root: Path

    @classmethod
    def below(cls, data_dir: Path) -> Self:
        """The server's folder in the user's data folder."""
        return cls(data_dir.expanduser().resolve() / "postgres")

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def partial(self) -> Path:
        return self.root / "data.partial"

    @property
    def clients(self) -> Path:
        return self.root / "clients"

    @property
    def start_lock(self) -> Path:
        return self.root / "start.lock"

    @property
    def supervisor_lock(self) -> Path:
        return self.root / "supervisor.lock"

    @property
    def state(self) -> Path:
        return self.root / "state.json"

    @property
    def log(self) -> Path:
        return self.root / "server.log"

    @property
    def socket_name(self) -> str:
        """Name of the socket's folder: short, and the same for each process of this user."""
        digest = hashlib.sha256(os.fsencode(self.root)).hexdigest()[:16]
        return f"assay-{os.geteuid()}-{digest}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerState:
    """What the supervisor last said about itself."""

    phase: Literal["starting", "ready", "stopping", "failed"]
    supervisor_pid: int
    postmaster_pid: int | None = None
    version: str = ""
    socket_dir: str = ""
    code: str = ""
    message: str = ""
    remedy: str | None = None


@dataclass(frozen=True, slots=True)
class Client:
    """A process that uses the server, and how long the server shall outlive it."""

    pid: int
    idle_s: float


def write_state(folder: ServerFolder, state: ServerState) -> None:
    """Replace the state in one step, so that no reader sees half of it."""
    partial = folder.state.with_suffix(".partial")
    partial.write_text(json.dumps(asdict(state)))
    partial.replace(folder.state)


def find_state(folder: ServerFolder) -> ServerState | None:
    """The last state written; worth something only while `supervisor.lock` is held."""
    try:
        return ServerState(**json.loads(folder.state.read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def _lock(fd: int, kind: int) -> bool:
    try:
        fcntl.flock(fd, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_held(path: Path) -> bool:
    """Whether another open file holds this lock."""
    try:
        fd = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        return not _lock(fd, fcntl.LOCK_SH)
    finally:
        os.close(fd)


def hold(path: Path, *, patience_s: float = 0.0) -> int | None:
    """Lock a file and return its descriptor, or None if it stayed locked for `patience_s`."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    give_up_at = time.monotonic() + patience_s
    while not _lock(fd, fcntl.LOCK_EX):
        if time.monotonic() >= give_up_at:
            os.close(fd)
            return None
        time.sleep(POLL_S)
    return fd


@contextmanager
def starting(folder: ServerFolder, timeout_s: float) -> Iterator[None]:
    """Be the one process that starts or stops the server."""
    fd = hold(folder.start_lock, patience_s=timeout_s)
    if fd is None:
        raise EmbeddedPostgresFailed(
            f"another process has been starting or stopping the server for {timeout_s:g} s",
            remedy=f"See {folder.log}.",
        )
    try:
        yield
    finally:
        os.close(fd)


def enter(folder: ServerFolder, idle_s: float) -> int:
    """Become a client: a locked file says so until the descriptor is closed or the process dies.

    All that the supervisor needs is in the name, so that a full disk does not keep a client out.
    """
    while True:
        path = folder.clients / f"{os.getpid()}_{idle_s:g}_{secrets.token_hex(4)}"
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        # A sweep that came between the two calls has locked the file, or removed it already.
        if _lock(fd, fcntl.LOCK_EX) and os.fstat(fd).st_nlink:
            return fd
        os.close(fd)


def list_clients(folder: ServerFolder, *, sweep: bool = False) -> list[Client]:
    """Processes that use the server now; `sweep` removes the files of those that are gone."""
    clients = []
    with suppress(FileNotFoundError):
        for path in sorted(folder.clients.iterdir()):
            if _present(path, sweep=sweep):
                pid, idle_s, _ = path.name.split("_")
                clients.append(Client(int(pid), float(idle_s)))
    return clients


def _present(path: Path, *, sweep: bool) -> bool:
    try:
        fd = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        if not _lock(fd, fcntl.LOCK_EX if sweep else fcntl.LOCK_SH):
            return True
        if sweep:
            path.unlink(missing_ok=True)
        return False
    finally:
        os.close(fd)
