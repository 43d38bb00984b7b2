"""PostgreSQL as a child process: how its cluster is created and checked, how it starts and stops.

Standard library only: the supervisor imports this module and must start fast.
"""

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from assay.storage.embedded_folder import (
    POLL_S,
    DataFolderRefused,
    EmbeddedPostgresFailed,
    ServerFolder,
)
from assay.storage.embedded_identity import Identity, before_exec, give_to_nobody

PORT = 5432
ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
STOP_S = 60.0
RECOVER_S = 30.0


@dataclass(frozen=True, slots=True)
class Postgres:
    """The binaries, the folder they work in, and the identity under which they do."""

    binaries: Path
    folder: ServerFolder
    identity: Identity

    def arguments(self, settings: Mapping[str, str], socket_dir: Path) -> list[str]:
        """The postmaster's command line: a Unix socket and nothing on the network."""
        fixed = {"listen_addresses": "", "unix_socket_directories": str(socket_dir), "port": str(PORT)}
        options = [f"--{name}={value}" for name, value in {**settings, **fixed}.items()]
        return [str(self.binaries / "postgres"), "-D", str(self.folder.data), *options]


def binary_version(binaries: Path) -> str:
    """Version of the binaries, such as `18.6`."""
    text = subprocess.run(  # noqa: S603 - our own binary
        [binaries / "postgres", "--version"], capture_output=True, check=True, text=True, env=ENVIRONMENT
    ).stdout
    return text.split()[2]


def check_cluster(folder: ServerFolder, version: str) -> bool:
    """Whether there is a cluster of this major version; refuses one that is not to be touched."""
    data = folder.data
    if not data.is_dir() or not any(data.iterdir()):
        return False
    try:
        made_by = (data / "PG_VERSION").read_text().strip()
    except FileNotFoundError as error:
        raise DataFolderRefused(
            f"{data} holds files, but no PostgreSQL cluster",
            remedy="Choose another data folder, or move these files away.",
        ) from error
    major = version.split(".")[0]
    if made_by == major:
        return True
    raise DataFolderRefused(
        f"{data} was made by PostgreSQL {made_by}; this installation brings PostgreSQL {version}",
        remedy=f"Nothing was changed. Dump it with the Assay (or any pg_dump and server) of PostgreSQL "
        f"{made_by}, move {folder.root} away, start again and restore the dump; or run pg_upgrade.",
        made_by=made_by,
        version=version,
    )


def create_cluster(postgres: Postgres) -> None:
    """Make the cluster beside its place and rename it there: it is whole or it is not there."""
    partial = postgres.folder.partial
    if partial.exists():
        shutil.rmtree(partial)
    partial.mkdir(mode=0o700)
    if postgres.identity is Identity.NOBODY:
        give_to_nobody(partial)
    try:
        _run_initdb(postgres, partial)
        if postgres.folder.data.exists():
            postgres.folder.data.rmdir()
        partial.rename(postgres.folder.data)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


def _run_initdb(postgres: Postgres, target: Path) -> None:
    command = [str(postgres.binaries / "initdb"), "-D", str(target), "-U", "postgres", "-E", "UTF8"]
    command += ["--auth-local=trust", "--auth-host=reject", "--no-sync", "--no-instructions"]
    command += ["--no-locale", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    done = subprocess.run(  # noqa: S603 - our own binary
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        text=True,
        cwd="/",
        env=ENVIRONMENT,
        preexec_fn=before_exec(postgres.identity, signal.SIGKILL),
    )
    if done.returncode:
        reasons = [line for line in done.stdout.splitlines() if "FATAL" in line or "error" in line]
        raise EmbeddedPostgresFailed(
            f"the database could not be created in {target}: {(reasons or done.stdout.split(chr(10)))[0]}",
            remedy="Free some space or choose another data folder; the partial database was removed.",
        )


def adopt_cluster(postgres: Postgres) -> None:
    """Give an existing cluster the owner and the mode that PostgreSQL insists on."""
    data = postgres.folder.data
    owner = data.stat().st_uid
    if postgres.identity is Identity.NOBODY and owner == 0:
        give_to_nobody(data)
    elif postgres.identity is not Identity.NOBODY and owner != os.geteuid():
        raise DataFolderRefused(f"{data} belongs to user id {owner}, not to you", remedy="Run as its owner.")
    data.chmod(0o700)


def sync_to_disk(folder: ServerFolder) -> None:
    """Make a new cluster outlive a crash of the machine: in one call, where initdb takes seconds."""
    if sys.platform != "linux":
        os.sync()
        return
    fd = os.open(folder.data, os.O_RDONLY)
    try:
        ctypes.CDLL(None).syncfs(fd)
    finally:
        os.close(fd)


def find_postmaster(folder: ServerFolder) -> int | None:
    """Pid of a live postmaster of this cluster, whoever started it."""
    lines = _pid_file(folder)
    if not lines:
        return None
    # A server in single-user mode writes its pid with a minus.
    pid = abs(int(lines[0]))
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, PermissionError):
        return None
    return pid if _serves(pid, folder) else None


def _pid_file(folder: ServerFolder) -> list[str]:
    try:
        return (folder.data / "postmaster.pid").read_text().splitlines()
    except (FileNotFoundError, NotADirectoryError):
        return []


def _serves(pid: int, folder: ServerFolder) -> bool:
    """A postmaster works in its cluster's folder; a zombie or a reused pid does not."""
    if sys.platform != "linux":
        command = ["/bin/ps", "-ww", "-o", "command=", "-p", str(pid)]
        shown = subprocess.run(command, capture_output=True, check=False, text=True)  # noqa: S603 - fixed
        return str(folder.data) in shown.stdout
    try:
        return Path(f"/proc/{pid}/cwd").readlink() == folder.data
    except OSError:
        return False


def clear_sockets(path: Path) -> None:
    """Remove a socket and its lock file; nobody listens there any more."""
    for name in (f".s.PGSQL.{PORT}", f".s.PGSQL.{PORT}.lock"):
        (path / name).unlink(missing_ok=True)


def close_socket_dir(path: Path) -> None:
    """Remove the socket's folder; whatever else somebody put there keeps it."""
    with suppress(OSError):
        path.rmdir()


def settle_predecessor(folder: ServerFolder) -> None:
    """Wait for a postmaster that lost its supervisor to end, or forget one that is long gone.

    Only while no supervisor is there: then such a postmaster is on its way down, or nobody's.
    """
    give_up_at = time.monotonic() + STOP_S
    pid = find_postmaster(folder)
    if pid is None and _pid_file(folder):
        # Its pid may be another program's by now, which PostgreSQL would take for a live server.
        (folder.data / "postmaster.pid").unlink(missing_ok=True)
    while pid is not None:
        _refuse_stranger(pid, folder)
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGINT)
        if time.monotonic() > give_up_at:
            raise EmbeddedPostgresFailed(
                f"an earlier server, process {pid}, does not end", remedy=f"End it: kill -QUIT {pid}"
            )
        time.sleep(POLL_S * 5)
        pid = find_postmaster(folder)


def _refuse_stranger(pid: int, folder: ServerFolder) -> None:
    """A server that somebody started by hand on this cluster is not ours to stop."""
    lines = _pid_file(folder)
    if len(lines) > 4 and Path(lines[4]).name != folder.socket_name:
        raise DataFolderRefused(
            f"{folder.data} is served by process {pid}, which Assay did not start",
            remedy=f"Stop that server: pg_ctl stop -D {folder.data}",
        )


def start_postmaster(
    postgres: Postgres, command: list[str], abandoned: Callable[[], bool]
) -> subprocess.Popen[bytes]:
    """Start the server and return when it accepts connections, crash recovery included.

    Recovery takes as long as it takes; `abandoned` is asked all the while whether to give up.
    """
    folder = postgres.folder
    give_up_at = time.monotonic() + RECOVER_S
    while True:
        seen = folder.log.stat().st_size
        with folder.log.open("ab") as log:
            process = subprocess.Popen(  # noqa: S603 - our own binary
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=ENVIRONMENT,
                start_new_session=True,
                preexec_fn=before_exec(postgres.identity, signal.SIGINT),
            )
        if _becomes_ready(process, folder, abandoned):
            return process
        if abandoned():
            raise EmbeddedPostgresFailed("it was asked to stop while it was starting")
        said = folder.log.read_bytes()[seen:].decode(errors="replace")
        # After kill -9 of a postmaster its last backends need a moment to notice.
        if "pre-existing shared memory block" in said and time.monotonic() < give_up_at:
            time.sleep(POLL_S * 10)
            continue
        raise EmbeddedPostgresFailed(
            f"PostgreSQL did not start: {_reason(said)}", remedy=f"See {folder.log}."
        )


def _becomes_ready(
    process: subprocess.Popen[bytes], folder: ServerFolder, abandoned: Callable[[], bool]
) -> bool:
    while process.poll() is None:
        if abandoned():
            stop_postmaster(process)
            return False
        lines = _pid_file(folder)
        if len(lines) >= 8 and lines[0] == str(process.pid) and lines[7].strip() == "ready":
            return True
        time.sleep(POLL_S)
    return False


def _reason(said: str) -> str:
    """The line of a log that names the cause."""
    lines = [line for line in said.splitlines() if line.strip()]
    fatal = [line for line in lines if any(word in line for word in ("FATAL:", "PANIC:", "error"))]
    return (fatal or lines or ["it ended without a word"])[0]


def stop_postmaster(process: subprocess.Popen[bytes]) -> None:
    """Fast shutdown; a server that does not end is stopped the way a crash would, which is safe."""
    for how, patience_s in ((signal.SIGINT, STOP_S), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 10.0)):
        if process.poll() is not None:
            return
        process.send_signal(how)
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=patience_s)
