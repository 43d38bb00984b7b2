"""Files in the making: whole, or not there at all."""

import errno
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from assay.domain.errors import InvalidInput
from assay.formats.drafts import draft_of, written

BOTH = pytest.mark.parametrize("draft", [draft_of, written])
Draft = Callable[[Path], AbstractContextManager[Path]]


@BOTH
def test_a_file_gets_its_name_when_it_is_whole(tmp_path: Path, draft: Draft) -> None:
    path = tmp_path / "report.md"
    path.write_text("old")
    with draft(path) as part:
        part.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


@BOTH
@pytest.mark.parametrize("problem", [KeyError("stop"), KeyboardInterrupt()])
def test_after_an_error_the_old_file_stays(tmp_path: Path, draft: Draft, problem: BaseException) -> None:
    path = tmp_path / "report.md"
    path.write_text("old")
    with pytest.raises(type(problem)), draft(path) as part:
        part.write_text("half")
        raise problem
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_only_a_block_that_only_writes_has_its_system_errors_named(tmp_path: Path) -> None:
    path = tmp_path / "report.md"
    full = OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(OSError, match="No space left"), draft_of(path):
        raise full
    with pytest.raises(InvalidInput, match="cannot be written: No space left") as caught, written(path):
        raise full
    assert caught.value.details["file"] == str(path)
    missing = tmp_path / "none" / "report.md"
    with pytest.raises(InvalidInput, match="mkdir -p"), written(missing) as part:
        part.write_text("")
    assert list(tmp_path.iterdir()) == []
