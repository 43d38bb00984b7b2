"""What the embedded PostgreSQL makes of data folders, runtime folders and users."""

import os
import pwd
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg
import pytest

from assay.storage import embedded
from assay.storage.embedded import DataFolderRefused
from assay.storage.embedded_folder import ServerFolder, find_state
from assay.storage.embedded_identity import Identity
from assay.storage.embedded_process import Postgres, adopt_cluster

CREATE = """
import sys
from pathlib import Path
from assay.storage import embedded
embedded.start(Path(sys.argv[1]), idle_s=0).release()
"""

# Starts, writes, stops and starts again; prints the owner of the cluster.
ROUND_TRIP = """
import sys
from pathlib import Path
import psycopg
from assay.storage import embedded
data_dir = Path(sys.argv[1])
with embedded.start(data_dir) as server, psycopg.connect(server.dsn()) as connection:
    connection.execute("create table kept as select 7 as value")
embedded.stop(data_dir)
with embedded.start(data_dir) as server, psycopg.connect(server.dsn()) as connection:
    assert connection.execute("select value from kept").fetchone() == (7,)
embedded.stop(data_dir)
print(embedded.status(data_dir).data_dir.stat().st_uid)
"""

PROBE = "import psycopg; from assay.storage import embedded; embedded.binaries_dir()"

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")


def eventually(holds: Callable[[], bool], within_s: float = 20.0) -> bool:
    """Whether something becomes true in time."""
    give_up_at = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > give_up_at:
            return False
        time.sleep(0.02)
    return True


def any_process_names(path: Path) -> bool:
    """Whether a supervisor or a postmaster of this data folder is alive."""
    folder = str(path / "postgres")
    lines = [" ".join(process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"])]
    return any(folder in line and ("supervisor" in line or "/bin/postgres" in line) for line in lines)


def write_row(server: embedded.EmbeddedServer) -> None:
    """Commit one row."""
    with psycopg.connect(server.dsn()) as connection:
        connection.execute("create table kept as select 7 as value")


def has_row(server: embedded.EmbeddedServer) -> bool:
    """Whether the row is there."""
    with psycopg.connect(server.dsn()) as connection:
        return connection.execute("select value from kept").fetchone() == (7,)


def run_as(uid: int, command: list[str]) -> subprocess.CompletedProcess[str]:
    """Run a program as another user, with this process's modules."""
    return subprocess.run(
        command,
        user=uid,
        group=uid,
        extra_groups=[],
        cwd="/",
        env={"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        check=False,
        text=True,
    )


def python_for(uid: int) -> str:
    """An interpreter that this user may read: root's own is often in root's home."""
    for python in (sys.executable, f"/usr/bin/python3.{sys.version_info.minor}"):
        with suppress(OSError):
            if run_as(uid, [python, "-c", PROBE]).returncode == 0:
                return python
    pytest.skip("no interpreter and installation that other users may read")


@pytest.fixture
def short_dir() -> Iterator[Path]:
    """A folder with a path short enough for a socket, and with letters that need quoting."""
    with tempfile.TemporaryDirectory(prefix="it's \\ odd ") as path:
        yield Path(path).resolve()


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "data"
    yield path
    embedded.stop(path)
    assert eventually(lambda: not any_process_names(path))
    shutil.rmtree(path, ignore_errors=True)


def test_a_cluster_of_another_version_is_refused_and_left_alone(data_dir: Path) -> None:
    folder = ServerFolder.below(data_dir)
    folder.clients.mkdir(parents=True)
    folder.data.mkdir()
    (folder.data / "PG_VERSION").write_text("15\n")
    with pytest.raises(DataFolderRefused, match=r"made by PostgreSQL 15.*brings PostgreSQL 18") as refused:
        embedded.start(data_dir)
    assert "pg_dump" in str(refused.value)
    assert [path.name for path in folder.data.iterdir()] == ["PG_VERSION"]


@pytest.mark.parametrize("place", ["PG_VERSION", "postgres/notes.txt"])
def test_a_folder_of_something_else_is_refused_and_left_alone(data_dir: Path, place: str) -> None:
    foreign = data_dir / place
    foreign.parent.mkdir(parents=True)
    foreign.write_text("18")
    with pytest.raises(DataFolderRefused):
        embedded.start(data_dir)
    assert [path for path in data_dir.rglob("*") if path.is_file()] == [foreign]


def test_files_in_the_place_of_the_cluster_are_refused_and_left_alone(data_dir: Path) -> None:
    folder = ServerFolder.below(data_dir)
    folder.clients.mkdir(parents=True)
    folder.data.mkdir()
    (folder.data / "thesis.txt").write_text("mine")
    with pytest.raises(DataFolderRefused, match="no PostgreSQL cluster"):
        embedded.start(data_dir)
    assert (folder.data / "thesis.txt").read_text() == "mine"


@as_root
def test_a_folder_of_another_user_is_refused(data_dir: Path) -> None:
    folder = ServerFolder.below(data_dir)
    folder.root.mkdir(parents=True)
    os.chown(folder.root, 12345, 12345)
    with pytest.raises(DataFolderRefused, match="belongs to user id 12345"):
        embedded.start(data_dir)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_refused(data_dir: Path) -> None:
    data_dir.mkdir(mode=0o500)
    with pytest.raises(DataFolderRefused, match="Permission denied"):
        embedded.start(data_dir)


def test_a_file_in_the_place_of_the_folder_is_refused(data_dir: Path) -> None:
    data_dir.write_text("a file")
    with pytest.raises(DataFolderRefused):
        embedded.start(data_dir)


def test_a_creation_that_fails_leaves_nothing_and_can_be_repeated(data_dir: Path) -> None:
    limited = subprocess.run(
        [sys.executable, "-c", CREATE, str(data_dir)],
        capture_output=True,
        check=False,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000)),
    )
    assert "the database could not be created" in limited.stderr
    folder = ServerFolder.below(data_dir)
    assert not folder.partial.exists()
    assert not folder.data.exists()
    with embedded.start(data_dir) as server:
        assert embedded.status(data_dir).running
        assert server.version


def test_a_creation_cut_short_by_a_kill_is_begun_anew(data_dir: Path) -> None:
    folder = ServerFolder.below(data_dir)
    first = subprocess.Popen([sys.executable, "-c", CREATE, str(data_dir)], stderr=subprocess.PIPE)
    assert eventually(lambda: (folder.partial / "global").exists())
    state = find_state(folder)
    assert state
    os.kill(state.supervisor_pid, signal.SIGKILL)
    assert b"ended before the server was ready" in first.communicate()[1]
    with embedded.start(data_dir) as server, psycopg.connect(server.dsn()) as connection:
        assert connection.execute("select 1").fetchone() == (1,)
    assert not folder.partial.exists()


@on_linux
def test_a_full_disk_is_named_and_leaves_no_partial_database(tmp_path: Path) -> None:
    mount = tmp_path / "small"
    mount.mkdir()
    script = (
        'mount -t tmpfs -o size=16m none "$1" || exit 77; '
        '"$2" -c "$3" "$1/data" </dev/null; ls "$1/data/postgres"; df --output=pcent "$1"'
    )
    done = subprocess.run(
        ["unshare", "-Urm", "sh", "-c", script, "sh", str(mount), sys.executable, CREATE],
        capture_output=True,
        check=False,
        text=True,
    )
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip("cannot mount a small file system here")
    assert "No space left on device" in done.stderr
    assert "data" not in done.stdout.split()
    assert "data.partial" not in done.stdout.split()


def test_a_stale_pid_file_whose_pid_lives_on_as_another_program_is_forgotten(data_dir: Path) -> None:
    with embedded.start(data_dir) as server:
        write_row(server)
    embedded.stop(data_dir)
    folder = ServerFolder.below(data_dir)
    (folder.data / "postmaster.pid").write_text(
        f"{os.getpid()}\n{folder.data}\n1700000000\n5432\n/tmp\n\n  1  1\nready\n"
    )
    with embedded.start(data_dir) as server:
        assert has_row(server)


@on_linux
def test_a_server_that_somebody_started_by_hand_is_not_stopped(data_dir: Path) -> None:
    embedded.start(data_dir).release()
    embedded.stop(data_dir)
    folder = ServerFolder.below(data_dir)
    by_hand = subprocess.Popen(["sleep", "60"], cwd=folder.data)
    (folder.data / "postmaster.pid").write_text(
        f"{by_hand.pid}\n{folder.data}\n1700000000\n5432\n/run/postgresql\n\n  1  1\nready\n"
    )
    with pytest.raises(DataFolderRefused, match="Assay did not start"):
        embedded.start(data_dir)
    assert by_hand.poll() is None
    by_hand.kill()
    by_hand.wait()


def test_a_deep_data_folder_and_a_deep_runtime_folder_work(data_dir: Path, tmp_path: Path) -> None:
    deep = data_dir / ("a folder with a long name " * 5) / ("and another " * 10)
    runtime = tmp_path / ("r" * 120)
    runtime.mkdir()
    with (
        embedded.start(deep, runtime_dir=runtime) as server,
        psycopg.connect(server.dsn()) as connection,
    ):
        assert connection.execute("select 1").fetchone() == (1,)
        assert not server.socket_dir.is_relative_to(runtime)
    embedded.stop(deep)


def test_a_runtime_folder_with_odd_letters_works(short_dir: Path, data_dir: Path) -> None:
    with (
        embedded.start(data_dir, runtime_dir=short_dir) as server,
        psycopg.connect(server.dsn()) as connection,
    ):
        assert connection.execute("select 1").fetchone() == (1,)
        assert server.socket_dir.parent == short_dir


def test_a_socket_folder_that_others_can_enter_is_refused(data_dir: Path, short_dir: Path) -> None:
    planted = short_dir / ServerFolder.below(data_dir).socket_name
    planted.mkdir()
    planted.chmod(0o755)
    with pytest.raises(DataFolderRefused, match="not a folder that only you can enter"):
        embedded.start(data_dir, runtime_dir=short_dir)


def test_a_link_in_the_place_of_the_socket_folder_is_refused(data_dir: Path, short_dir: Path) -> None:
    elsewhere = short_dir / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    (short_dir / ServerFolder.below(data_dir).socket_name).symlink_to(elsewhere)
    with pytest.raises(DataFolderRefused, match="not a folder that only you can enter"):
        embedded.start(data_dir, runtime_dir=short_dir)


@pytest.mark.parametrize("uid", [pwd.getpwnam("nobody").pw_uid, 54321])
@as_root
def test_an_ordinary_user_with_or_without_a_name_can_run_it(uid: int) -> None:
    home = Path(tempfile.mkdtemp())
    os.chown(home, uid, uid)
    try:
        python = python_for(uid)
        done = run_as(uid, [python, "-c", ROUND_TRIP, str(home)])
        if "has no name here" in done.stderr:
            pytest.skip("user namespaces are forbidden here")
        assert (done.stderr, done.stdout.strip()) == ("", str(uid))
        assert not any_process_names(home)
    finally:
        shutil.rmtree(home)


@as_root
def test_root_without_namespaces_runs_it_as_nobody_within_folders_of_its_own(data_dir: Path) -> None:
    folder = ServerFolder.below(data_dir)
    folder.clients.mkdir(parents=True, mode=0o700)
    folder.data.mkdir()
    nobody = pwd.getpwnam("nobody").pw_uid
    # An empty place that belongs to nobody makes the choice that forbidden namespaces would make.
    os.chown(folder.data, nobody, nobody)
    with embedded.start(data_dir) as server:
        write_row(server)
        pid = embedded.status(data_dir).pid
        assert pid
        assert psutil.Process(pid).uids().effective == nobody
        assert server.socket_dir.stat().st_uid == 0
        before = embedded.status(data_dir)
        assert before.supervisor_pid
        os.kill(before.supervisor_pid, signal.SIGKILL)
        assert eventually(lambda: not any_process_names(data_dir))


@as_root
def test_a_cluster_of_root_is_given_to_nobody_where_namespaces_went_away(data_dir: Path) -> None:
    with embedded.start(data_dir) as server:
        write_row(server)
    embedded.stop(data_dir)
    adopt_cluster(Postgres(embedded.binaries_dir(), ServerFolder.below(data_dir), Identity.NOBODY))
    with embedded.start(data_dir) as server:
        assert has_row(server)
    assert embedded.status(data_dir).data_dir.stat().st_uid == pwd.getpwnam("nobody").pw_uid
