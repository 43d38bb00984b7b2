"""The names of workers, by which one process can tell that another one on this machine is dead."""

import socket
from pathlib import Path


def worker_name(pid: int) -> str:
    """host/boot/pid/start: unique over machines, reboots and reuse of process ids."""
    return f"{socket.gethostname()}/{_boot_id()}/{pid}/{_start_time(pid) or 0}"


def is_dead(name: str) -> bool:
    """Whether a worker of this machine is known to be gone; False for other machines and when unsure."""
    parts = name.split("/")
    if len(parts) != 4 or parts[0] != socket.gethostname() or not parts[2].isdigit():
        return False
    if parts[1] != _boot_id():
        return True
    started = _start_time(int(parts[2]))
    return started is None or (parts[3] != "0" and str(started) != parts[3])


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return "-"


def _start_time(pid: int) -> int | None:
    """Clock ticks since boot at which a process began; None when there is none (a zombie counts as none)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else int(fields[19])
