"""Under which identity PostgreSQL runs.

PostgreSQL refuses to run as root. For root there are two ways round that, both leaving the modes of
every folder alone, so that a program inside `/root` works too:

* a user namespace in which our uid appears as an ordinary one;
* where namespaces are forbidden (containers), the uid of `nobody` with the one capability that lets
  it pass through root's folders; the cluster itself then belongs to `nobody`.

Standard library only, and for a process with one thread: code runs between fork and exec.
"""

import ctypes
import enum
import os
import pwd
import signal
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from assay.storage.embedded_folder import EmbeddedPostgresFailed, ServerFolder

_libc = ctypes.CDLL(None, use_errno=True)
_CLONE_NEWUSER = 0x10000000
_PR_SET_PDEATHSIG = 1
_PR_SET_KEEPCAPS = 8
_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE = 47, 2
_CAP_DAC_OVERRIDE = 1
_CAPABILITY_VERSION_3 = 0x20080522


class Identity(enum.Enum):
    """Who PostgreSQL runs as."""

    OWN = "own"
    NAMESPACE = "namespace"
    NOBODY = "nobody"


def choose_identity(folder: ServerFolder) -> Identity:
    """How PostgreSQL can run for this user; an existing cluster of `nobody` stays with `nobody`."""
    if os.geteuid() == 0:
        with suppress(FileNotFoundError, KeyError):
            if folder.data.stat().st_uid == pwd.getpwnam("nobody").pw_uid:
                return Identity.NOBODY
        return Identity.NAMESPACE if _namespaces_work() else Identity.NOBODY
    try:
        pwd.getpwuid(os.geteuid())
    except KeyError as error:
        # initdb insists on a name for its uid; containers often run under a number without one.
        if _namespaces_work():
            return Identity.NAMESPACE
        raise EmbeddedPostgresFailed(
            f"the user id {os.geteuid()} has no name here, which PostgreSQL needs",
            remedy="Run as a user with an entry in /etc/passwd, or set DATABASE_URL to a server.",
        ) from error
    return Identity.OWN


def _namespaces_work() -> bool:
    """Try it in a child that does nothing else: a process cannot leave a namespace it entered."""
    if sys.platform != "linux":
        return False
    child = os.fork()
    if child == 0:
        try:
            _enter_namespace()
        except (OSError, KeyError):
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1] == 0


def _checked(result: int, call: str) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, f"{call}: {os.strerror(number)}")


def _enter_namespace() -> None:
    """Appear as `nobody` to ourselves, while files keep their owner outside."""
    inside, uid, gid = pwd.getpwnam("nobody"), os.geteuid(), os.getegid()
    _checked(_libc.unshare(_CLONE_NEWUSER), "unshare")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{inside.pw_uid} {uid} 1")
    Path("/proc/self/gid_map").write_text(f"{inside.pw_gid} {gid} 1")


def _become_nobody() -> None:
    """Take the uid of `nobody`, keeping the capability to pass through folders that root closed."""
    nobody = pwd.getpwnam("nobody")
    _checked(_libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0), "keep capabilities")
    os.setgroups([])
    os.setgid(nobody.pw_gid)
    os.setuid(nobody.pw_uid)
    mask = 1 << _CAP_DAC_OVERRIDE
    header = struct.pack("Ii", _CAPABILITY_VERSION_3, 0)
    _checked(_libc.capset(header, struct.pack("6I", mask, mask, mask, 0, 0, 0)), "capset")
    ambient = _libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_OVERRIDE, 0, 0)
    _checked(ambient, "ambient capability")


def before_exec(identity: Identity, death_signal: signal.Signals) -> Callable[[], None]:
    """What a child does between fork and exec; it gets `death_signal` when this process dies."""
    parent = os.getpid()

    def prepare() -> None:
        if identity is Identity.NAMESPACE:
            _enter_namespace()
        elif identity is Identity.NOBODY:
            _become_nobody()
        if sys.platform == "linux":
            # Last, because a change of credentials clears it.
            _libc.prctl(_PR_SET_PDEATHSIG, death_signal.value, 0, 0, 0)
            if os.getppid() != parent:
                os._exit(1)

    return prepare


def give_to_nobody(folder: Path) -> None:
    """Change the owner of a folder and all in it, as root."""
    nobody = pwd.getpwnam("nobody")
    for path in (folder, *folder.rglob("*")):
        os.chown(path, nobody.pw_uid, nobody.pw_gid, follow_symlinks=False)
