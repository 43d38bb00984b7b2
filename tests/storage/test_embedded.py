"""The embedded PostgreSQL with its real binaries: shared, restarted, recovered, stopped, refused."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from assay.storage import embedded
from assay.storage.embedded import EmbeddedPostgresFailed
from assay.storage.embedded_folder import ServerFolder, find_state
from assay.storage.embedded_supervisor import LOG_LIMIT_BYTES, bound_log

CLIENT = """
import sys
from pathlib import Path
from assay.storage import embedded
server = embedded.start(Path(sys.argv[1]), idle_s=5)
print(embedded.status(Path(sys.argv[1])).pid, flush=True)
sys.stdin.readline()
"""

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def eventually(holds: Callable[[], bool], within_s: float = 20.0) -> bool:
    """Whether something becomes true in time."""
    give_up_at = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > give_up_at:
            return False
        time.sleep(0.02)
    return True


def processes_of(data_dir: Path) -> list[psutil.Process]:
    """Supervisors and postmasters of one data folder."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        line = " ".join(process.info["cmdline"] or [])
        if str(data_dir / "postgres") in line and ("supervisor" in line or "/bin/" in line):
            found.append(process)
    return found


def zombies_of_this_process() -> list[psutil.Process]:
    """Children that ended and that nobody waited for."""
    return [child for child in psutil.Process().children() if child.status() == psutil.STATUS_ZOMBIE]


def open_client(data_dir: Path) -> subprocess.Popen[str]:
    """A process that uses the server until it is killed or its input is closed."""
    return subprocess.Popen(
        [sys.executable, "-c", CLIENT, str(data_dir)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def said_by(process: subprocess.Popen[str]) -> str:
    """One line of what a client process prints."""
    assert process.stdout
    return process.stdout.readline().strip()


def end(process: subprocess.Popen[str]) -> None:
    """Kill a client process the hard way and wait for it."""
    process.kill()
    process.communicate()


def rows_kept(server: embedded.EmbeddedServer, *, ask: bool = False) -> int:
    """Number of rows in `kept`, by a new connection, waiting for a restart or asking for one."""
    counted: list[int] = []

    def count() -> bool:
        if ask:
            server.ensure_running()
        try:
            with psycopg.connect(server.dsn()) as connection:
                row = connection.execute("select count(*) from kept").fetchone()
        except psycopg.OperationalError:
            return False
        assert row
        counted.append(row[0])
        return True

    assert eventually(count)
    return counted[0]


def write_rows(server: embedded.EmbeddedServer, count: int) -> None:
    """Commit rows one by one."""
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute("create table if not exists kept (id bigserial primary key)")
        for _ in range(count):
            connection.execute("insert into kept default values")


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "data"
    yield path
    embedded.stop(path)
    assert eventually(lambda: not processes_of(path))
    assert not zombies_of_this_process()
    shutil.rmtree(path, ignore_errors=True)


def test_a_first_start_makes_a_server_that_listens_on_a_private_socket_only(data_dir: Path) -> None:
    with embedded.start(data_dir) as server:
        with psycopg.connect(server.dsn()) as connection:
            shown = [
                connection.execute(f"show {name}").fetchone()
                for name in ("listen_addresses", "fsync", "synchronous_commit", "server_encoding")
            ]
            connection.execute("create extension vector")
        assert shown == [("",), ("on",), ("on",), ("UTF8",)]
        assert server.version.startswith("18.")
        assert server.log_path.is_file()
        entered = server.socket_dir.stat()
        assert stat.S_IMODE(entered.st_mode) == 0o700
        assert entered.st_uid == os.geteuid()
        assert len(str(server.socket_dir)) < 100
        found = embedded.status(data_dir)
    assert (found.running, found.clients, found.version) == (True, 1, server.version)
    assert found.size_bytes > 10_000_000
    assert found.pid in [process.pid for process in processes_of(data_dir)]


def test_rows_are_there_after_stop_and_start(data_dir: Path) -> None:
    with embedded.start(data_dir) as server:
        write_rows(server, 3)
    assert embedded.stop(data_dir)
    assert not embedded.status(data_dir).running
    with embedded.start(data_dir) as server:
        assert rows_kept(server) == 3


def test_processes_share_one_server(data_dir: Path) -> None:
    with embedded.start(data_dir):
        other = open_client(data_dir)
        assert said_by(other) == str(embedded.status(data_dir).pid)
        assert embedded.status(data_dir).clients == 2
        end(other)
        assert eventually(lambda: embedded.status(data_dir).clients == 1)


def test_six_processes_that_start_at_once_get_one_server(data_dir: Path) -> None:
    clients = [open_client(data_dir) for _ in range(6)]
    pids = {said_by(client) for client in clients}
    found = embedded.status(data_dir)
    assert pids == {str(found.pid)}
    assert found.clients == 6
    assert sorted(process.pid for process in processes_of(data_dir)) == sorted(
        [found.pid or 0, found.supervisor_pid or 0]
    )
    for client in clients:
        end(client)


def test_killing_the_process_that_started_the_server_disturbs_nobody(data_dir: Path) -> None:
    starter = open_client(data_dir)
    said_by(starter)
    with embedded.start(data_dir) as server, psycopg.connect(server.dsn()) as connection:
        before = embedded.status(data_dir)
        end(starter)
        assert eventually(lambda: embedded.status(data_dir).clients == 1)
        assert connection.execute("select 1").fetchone() == (1,)
        assert embedded.status(data_dir).pid == before.pid


def test_a_killed_supervisor_takes_the_server_down_cleanly_and_the_next_use_brings_it_back(
    data_dir: Path,
) -> None:
    with embedded.start(data_dir) as server:
        write_rows(server, 50)
        before = embedded.status(data_dir)
        assert before.supervisor_pid
        os.kill(before.supervisor_pid, signal.SIGKILL)
        assert rows_kept(server, ask=True) == 50
        assert embedded.status(data_dir).pid != before.pid
    assert "automatic recovery in progress" not in server.log_path.read_text()


def test_a_killed_postmaster_is_restarted_for_its_clients_with_every_acknowledged_row(data_dir: Path) -> None:
    with embedded.start(data_dir) as server:
        write_rows(server, 50)
        before = embedded.status(data_dir)
        assert before.pid
        os.kill(before.pid, signal.SIGKILL)
        assert rows_kept(server) == 50
        assert eventually(lambda: embedded.status(data_dir).running)
        after = embedded.status(data_dir)
    assert after.pid != before.pid
    assert after.supervisor_pid == before.supervisor_pid


def test_a_server_killed_with_its_supervisor_recovers_at_the_next_start(data_dir: Path) -> None:
    with embedded.start(data_dir) as server:
        write_rows(server, 50)
        before = embedded.status(data_dir)
        assert before.pid
        assert before.supervisor_pid
        os.kill(before.supervisor_pid, signal.SIGKILL)
        os.kill(before.pid, signal.SIGKILL)
        assert eventually(lambda: not processes_of(data_dir))
    with embedded.start(data_dir) as server:
        assert rows_kept(server) == 50


def test_a_server_that_crashes_again_and_again_is_given_up_until_somebody_asks(data_dir: Path) -> None:
    with embedded.start(data_dir) as server:
        write_rows(server, 1)

        def crashed_for_good() -> bool:
            pid = embedded.status(data_dir).pid
            if pid and psutil.pid_exists(pid):
                os.kill(pid, signal.SIGKILL)
            return not processes_of(data_dir)

        assert eventually(crashed_for_good)
        state = find_state(ServerFolder.below(data_dir))
        assert state
        assert "crashed 6 times" in state.message
        server.ensure_running()
        assert rows_kept(server) == 1


def test_an_unused_server_stops_and_leaves_no_socket(data_dir: Path) -> None:
    server = embedded.start(data_dir, idle_s=0.2)
    assert embedded.status(data_dir).running
    server.release()
    assert eventually(lambda: not processes_of(data_dir))
    assert not server.socket_dir.exists()
    assert not list((data_dir / "postgres" / "clients").iterdir())


def test_clients_that_come_while_the_server_closes_are_served(data_dir: Path) -> None:
    for pause_s in (0.0, 1.0, 0.0):
        with embedded.start(data_dir, idle_s=0) as server, psycopg.connect(server.dsn()) as connection:
            assert connection.execute("select 1").fetchone() == (1,)
        time.sleep(pause_s)


def test_stop_stops_a_server_in_use_and_the_client_can_have_it_back(data_dir: Path) -> None:
    with embedded.start(data_dir) as server:
        write_rows(server, 2)
        assert embedded.stop(data_dir)
        assert not processes_of(data_dir)
        assert not embedded.stop(data_dir)
        server.ensure_running()
        assert rows_kept(server) == 2


def test_nothing_is_made_by_asking_about_nothing(data_dir: Path) -> None:
    found = embedded.status(data_dir)
    assert (found.running, found.pid, found.clients, found.version, found.size_bytes) == (
        False,
        None,
        0,
        None,
        0,
    )
    assert not embedded.stop(data_dir)
    assert not data_dir.exists()


def test_settings_can_be_added_and_a_bad_one_is_named(data_dir: Path) -> None:
    with pytest.raises(EmbeddedPostgresFailed, match="work_mem"):
        embedded.start(data_dir, settings={"work_mem": "plenty"})
    assert eventually(lambda: not processes_of(data_dir))
    with (
        embedded.start(data_dir, settings={"work_mem": "3MB"}) as server,
        psycopg.connect(server.dsn()) as connection,
    ):
        assert connection.execute("show work_mem").fetchone() == ("3MB",)


@on_linux
def test_the_server_does_not_inherit_the_environment(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("PGOPTIONS", "-c work_mem=1MB")
    with embedded.start(data_dir):
        for process in processes_of(data_dir):
            assert not {"OPENAI_API_KEY", "PGOPTIONS"} & process.environ().keys()


def test_the_log_is_bounded(tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    log.touch()
    os.truncate(log, LOG_LIMIT_BYTES)
    bound_log(log)
    assert log.stat().st_size == 0
    assert (tmp_path / "server.log.1").stat().st_size == LOG_LIMIT_BYTES


@pytest.mark.parametrize(
    "program", [embedded.psql_path(), embedded.pg_dump_path(), embedded.pg_restore_path()]
)
def test_the_client_programs_are_there_and_run(program: Path) -> None:
    shown = subprocess.run([program, "--version"], capture_output=True, check=True, text=True)
    assert " 18." in shown.stdout
