"""The site key: personal numbers and camera passwords are ciphertext on disk (house law, section 7).

The key is made at first start in a file only its owner can read; it is never shipped, printed or
logged. Losing it loses the numbers, not the footage.
"""

import hmac
import os
from hashlib import sha256
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from evidence.small_files import create_whole

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12


class VaultError(Exception):
    """The site key is missing, open to others, or does not fit the ciphertext."""


class Vault:
    """Encrypts, decrypts and indexes secrets under one site key."""

    def __init__(self, master: bytes) -> None:
        """`master` is 32 random bytes; separate keys are derived for ciphertext and index."""
        self._cipher = AESGCM(_derive(master, b"kaochang/cipher/1"))
        self._index_key = _derive(master, b"kaochang/index/1")
        self._secrets_key = _derive(master, b"kaochang/secrets/1")

    @classmethod
    def open(cls, path: Path, guarding: Path | None = None) -> "Vault":
        """Read the key file, or make it at first start.

        `guarding` names the database whose secrets need the key: when that exists already, a missing key
        was lost, and with a new one nobody on the roster would be found. Raises VaultError then, when
        others can read the key, and when it has the wrong length.
        """
        if not path.exists():
            if guarding is not None and guarding.exists():
                raise VaultError(
                    f"site key {path} is missing, but {guarding} needs it: put the key back from your copy"
                )
            _create(path)
        if path.stat().st_mode & 0o077:
            raise VaultError(f"site key {path} can be read by others: run chmod 600 on it")
        master = path.read_bytes()
        if len(master) != KEY_BYTES:
            raise VaultError(f"site key {path} is damaged: {len(master)} bytes instead of {KEY_BYTES}")
        return cls(master)

    def encrypt(self, plain: str, purpose: str) -> bytes:
        """Ciphertext bound to its purpose (such as 'id_number'); different on every call."""
        return self.encrypt_bytes(plain.encode(), purpose)

    def decrypt(self, cipher: bytes, purpose: str) -> str:
        """The text again. Raises VaultError for a foreign key, purpose or a damaged value."""
        try:
            return self.decrypt_bytes(cipher, purpose).decode()
        except UnicodeDecodeError as error:
            raise VaultError(f"{purpose}: ciphertext holds no text") from error

    def encrypt_bytes(self, plain: bytes, purpose: str) -> bytes:
        """The same for bytes of any kind."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain, purpose.encode())

    def decrypt_bytes(self, cipher: bytes, purpose: str) -> bytes:
        """The bytes again. Raises VaultError for a foreign key, purpose or a damaged value."""
        try:
            return self._cipher.decrypt(cipher[:NONCE_BYTES], cipher[NONCE_BYTES:], purpose.encode())
        except (InvalidTag, ValueError) as error:  # ValueError: too short for a nonce
            raise VaultError(f"{purpose}: ciphertext does not belong to this site key") from error

    def index(self, plain: str) -> bytes:
        """Keyed digest for finding equal values, 32 bytes; useless without the key."""
        return hmac.digest(self._index_key, plain.encode(), sha256)

    def secret(self, purpose: str) -> bytes:
        """32 bytes for this purpose, always the same: keys that the site has without keeping them."""
        return hmac.digest(self._secrets_key, purpose.encode(), sha256)


def _derive(master: bytes, purpose: bytes) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=purpose).derive(master)


def _create(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    create_whole(path, os.urandom(KEY_BYTES), 0o600)
