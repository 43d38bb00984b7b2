"""Whether another worker is dead: only said where it is certain."""

import os
import subprocess
import sys

from assay.services.workers import is_dead, worker_name


def test_this_process_is_alive() -> None:
    assert not is_dead(worker_name(os.getpid()))


def test_a_killed_process_is_dead_even_before_it_is_reaped() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    name = worker_name(child.pid)
    assert not is_dead(name)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert is_dead(name)
    child.communicate()
    assert is_dead(name)


def test_another_process_with_the_same_number_does_not_keep_a_dead_one_alive() -> None:
    host, boot, pid, start = worker_name(os.getpid()).split("/")
    assert is_dead("/".join((host, boot, pid, str(int(start) - 1))))


def test_a_worker_before_the_last_boot_is_dead() -> None:
    host, _, pid, start = worker_name(os.getpid()).split("/")
    assert is_dead("/".join((host, "another-boot", pid, start)))


def test_a_worker_of_another_machine_is_never_called_dead() -> None:
    _, boot, _, _ = worker_name(os.getpid()).split("/")
    assert not is_dead(f"elsewhere/{boot}/999999/1")


def test_a_name_that_is_none_of_ours_is_never_called_dead() -> None:
    assert not is_dead("someone")
    assert not is_dead("a/b/c/d")
