"""The kiosk's own key: an Ed25519 pair made on the kiosk, whose private half never leaves it."""

from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from evidence.small_files import replace_whole


class KioskKeyError(Exception):
    """The key file is missing or damaged: the kiosk must enrol again."""


def make_key(path: Path) -> Ed25519PrivateKey:
    """A fresh key in a file that only its owner can read, in place of any that was there."""
    key = Ed25519PrivateKey.generate()
    write_key(path, key)
    return key


def write_key(path: Path, key: Ed25519PrivateKey) -> None:
    """Keep this key in a file that only its owner can read, in place of any that was there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_whole(path, key.private_bytes_raw(), 0o600)


def load_key(path: Path) -> Ed25519PrivateKey:
    """The key that is there. Raises KioskKeyError."""
    try:
        return Ed25519PrivateKey.from_private_bytes(path.read_bytes())
    except (OSError, ValueError) as error:
        raise KioskKeyError(f"{path} holds no key of a kiosk: enrol it again") from error


def public_bytes(key: Ed25519PrivateKey) -> bytes:
    """The public half, raw, as the console keeps it."""
    return key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
