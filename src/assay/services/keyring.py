"""Envelope encryption: a master key wraps the data keys of tenants, a data key seals their secrets.

Both steps are AES-256-GCM (NIST SP 800-38D) with a random nonce of 96 bits. What a secret belongs to is
authenticated with it, so that a row which was moved to another tenant, name or address does not open.
"""

import hashlib
import hmac
import importlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from assay.domain.content import canonical_json
from assay.domain.errors import SecretUnreadable

KEY_BYTES, NONCE_BYTES = 32, 12


@dataclass(frozen=True, slots=True)
class MasterKey:
    """32 secret bytes from the environment or the key file; `id` names it without telling anything of it."""

    secret: bytes = field(repr=False)

    @property
    def id(self) -> str:
        """16 hexadecimal digits that every process derives alike."""
        return derive(self.secret, "assay master key id", 8).hex()

    @property
    def pepper(self) -> bytes:
        """The key under which API keys are hashed."""
        return derive(self.secret, "assay api key pepper", KEY_BYTES)


@dataclass(frozen=True, slots=True)
class Keyring:
    """The master keys that are known: the first wraps, all of them unwrap."""

    keys: tuple[MasterKey, ...]

    @classmethod
    def of(cls, secrets: Sequence[bytes]) -> "Keyring":
        """A ring of secrets, the current one first; what comes twice counts once."""
        return cls(tuple(MasterKey(secret) for secret in dict.fromkeys(secrets)))

    @property
    def current(self) -> MasterKey:
        """The key that wraps what is new."""
        return self.keys[0]

    def find(self, key_id: str) -> MasterKey | None:
        """The key of this id, if it is known."""
        return next((key for key in self.keys if key.id == key_id), None)

    def hashes(self, text: str) -> Iterator[bytes]:
        """HMAC-SHA-256 of an API key under the pepper of each master key, the current one first."""
        return (hmac.digest(key.pepper, text.encode(), hashlib.sha256) for key in self.keys)


@dataclass(frozen=True, slots=True)
class Sealed:
    """What AES-256-GCM gives: the nonce, and the ciphertext with its tag of 16 bytes."""

    nonce: bytes
    ciphertext: bytes = field(repr=False)


def new_data_key() -> bytes:
    """32 bytes from the operating system."""
    return os.urandom(KEY_BYTES)


def seal(key: bytes, secret: bytes, belongs_to: Sequence[object]) -> Sealed:
    """Encrypt a secret for what it belongs to: purpose, tenant, id and so on, as JSON can write them.

    The nonce is random: a key should seal fewer than 2^32 secrets.
    """
    nonce = os.urandom(NONCE_BYTES)
    return Sealed(nonce, _cipher(key).encrypt(nonce, secret, canonical_json(belongs_to)))


def unseal(key: bytes, sealed: Sealed, belongs_to: Sequence[object]) -> bytes:
    """The secret. Raises SecretUnreadable for another key, a changed ciphertext or another belonging."""
    invalid: Any = importlib.import_module("cryptography.exceptions").InvalidTag
    try:
        secret: bytes = _cipher(key).decrypt(sealed.nonce, sealed.ciphertext, canonical_json(belongs_to))
    except invalid:
        raise SecretUnreadable(
            "a stored secret does not decrypt: its row was changed or moved, or belongs to another key",
            remedy="Store the credential again: assay credentials set NAME",
        ) from None
    return secret


def derive(secret: bytes, purpose: str, length: int) -> bytes:
    """HKDF with SHA-256 (RFC 5869), without salt: independent bytes for each purpose."""
    hkdf: Any = importlib.import_module("cryptography.hazmat.primitives.kdf.hkdf").HKDF
    sha256: Any = importlib.import_module("cryptography.hazmat.primitives.hashes").SHA256
    derived: bytes = hkdf(sha256(), length, None, purpose.encode()).derive(secret)
    return derived


def _cipher(key: bytes) -> Any:
    # Loaded here: most commands touch no secret, and need not pay for it.
    return importlib.import_module("cryptography.hazmat.primitives.ciphers.aead").AESGCM(key)
