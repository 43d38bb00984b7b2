"""Master keys and what they seal."""

import base64
import hashlib
import hmac
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.domain.errors import InvalidInput, MissingKey, SecretUnreadable
from assay.services.keyring import Keyring, MasterKey, Sealed, derive, seal, unseal
from assay.services.master_keys import add_master_key, load_keyring, parse_master_key
from assay.settings import read_settings

KEY, OTHER = b"k" * 32, b"o" * 32


def test_the_derivation_is_rfc_5869s() -> None:
    # Computed with HMAC alone, as the RFC writes it: extract with a salt of zeros, expand once.
    extracted = hmac.digest(bytes(32), KEY, hashlib.sha256)
    expanded = hmac.digest(extracted, b"purpose\x01", hashlib.sha256)
    assert derive(KEY, "purpose", 32) == expanded


@given(secret=st.binary(max_size=200), belongs_to=st.lists(st.text(max_size=20), max_size=4))
def test_what_was_sealed_opens_for_the_same_belonging_only(secret: bytes, belongs_to: list[str]) -> None:
    sealed = seal(KEY, secret, belongs_to)
    assert unseal(KEY, sealed, belongs_to) == secret
    assert len(sealed.ciphertext) == len(secret) + 16
    for key, belonging in (
        (OTHER, belongs_to),
        (KEY, [*belongs_to, "more"]),
        (KEY, ["".join(belongs_to), 1]),
    ):
        with pytest.raises(SecretUnreadable):
            unseal(key, sealed, belonging)


@given(position=st.integers(0, 19), bit=st.integers(0, 7))
def test_one_changed_bit_is_noticed(position: int, bit: int) -> None:
    sealed = seal(KEY, b"four", ["x"])
    changed = bytearray(sealed.ciphertext)
    changed[position] ^= 1 << bit
    with pytest.raises(SecretUnreadable):
        unseal(KEY, Sealed(sealed.nonce, bytes(changed)), ["x"])


def test_no_nonce_comes_twice_and_equal_secrets_look_different() -> None:
    sealed = [seal(KEY, b"secret", ["x"]) for _ in range(1000)]
    assert len({each.nonce for each in sealed}) == len({each.ciphertext for each in sealed}) == 1000


def test_keys_are_in_no_representation() -> None:
    ring = Keyring.of([KEY, OTHER, KEY])
    sealed = seal(KEY, b"secret", ["x"])
    assert len(ring.keys) == 2
    for value in (ring, ring.current, sealed):
        assert "kkkk" not in repr(value)
        assert "ciphertext" not in repr(value)
    settings = read_settings({"ASSAY_MASTER_KEY": base64.b64encode(KEY).decode(), "HOME": "/home/ada"})
    assert settings.master_keys == (KEY,)
    assert "kkkk" not in repr(settings)
    assert base64.b64encode(KEY).decode() not in repr(settings)


def test_an_id_tells_keys_apart_and_nothing_of_them() -> None:
    first, second = MasterKey(KEY), MasterKey(OTHER)
    assert first.id != second.id
    assert len(first.id) == 16
    assert first.pepper not in (KEY, second.pepper)


def test_the_file_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    file = tmp_path / "data" / "master.key"
    ring = load_keyring((), file)
    assert file.stat().st_mode & 0o777 == 0o600
    assert load_keyring((), file).current == ring.current
    assert [path.name for path in file.parent.iterdir()] == ["master.key"]
    file.chmod(0o640)
    with pytest.raises(InvalidInput, match="chmod 600"):
        load_keyring((), file)


def key_id(file: Path, _: int) -> str:
    return load_keyring((), file).current.id


def test_processes_that_start_at_once_use_one_key(tmp_path: Path) -> None:
    file = tmp_path / "master.key"
    with ProcessPoolExecutor(4, mp_context=get_context("spawn")) as pool:
        assert len(set(pool.map(partial(key_id, file), range(16)))) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["master.key"]


def test_a_new_key_in_the_file_comes_first_and_the_old_one_stays(tmp_path: Path) -> None:
    file = tmp_path / "master.key"
    old = load_keyring((), file)
    add_master_key(file)
    ring = load_keyring((), file)
    assert ring.keys[1:] == old.keys
    assert file.stat().st_mode & 0o777 == 0o600


def test_the_environments_key_wraps_and_the_files_still_unwrap(tmp_path: Path) -> None:
    file = tmp_path / "master.key"
    assert load_keyring([KEY], file).keys == (MasterKey(KEY),)
    assert not file.exists()
    made = load_keyring((), file)
    assert load_keyring([KEY], file).keys == (MasterKey(KEY), *made.keys)


def test_a_server_has_to_be_given_its_key() -> None:
    with pytest.raises(MissingKey, match="ASSAY_MASTER_KEY"):
        load_keyring((), None)


@pytest.mark.parametrize("text", ["", "short", "&" * 44, base64.b64encode(bytes(31)).decode(), "é" * 44])
def test_a_key_that_is_none_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_master_key(text, "ASSAY_MASTER_KEY")
    assert not text or text not in str(caught.value)


def test_previous_keys_are_read_and_need_a_current_one() -> None:
    one, two, three = (base64.b64encode(bytes([n]) * 32).decode() for n in range(3))
    found = read_settings({"ASSAY_MASTER_KEY": one, "ASSAY_MASTER_KEY_PREVIOUS": f"{two}, {three}"})
    assert found.master_keys == (bytes(32), b"\x01" * 32, b"\x02" * 32)
    with pytest.raises(InvalidInput, match="ASSAY_MASTER_KEY_PREVIOUS"):
        read_settings({"ASSAY_MASTER_KEY_PREVIOUS": one})
