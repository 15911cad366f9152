"""The cryptography of roster packages, the same for who builds and who opens them (kiosk-sync.md).

Everything hangs on the package secret of one kiosk: without it tags, boxes and wraps are noise, so that
deleting one small file wipes a kiosk. With it a number has still to be guessed at the price of
`evidence.stretching`. A package is signed by the site: what was changed on the way is not believed.
"""

import base64
import hmac
import json
import os
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16
PUBLIC_BYTES: Final = 32


class PackageError(Exception):
    """A package cannot be used; `code` says why: damaged, not_ours, other_kiosk, other_secret."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class WrongKeyError(Exception):
    """The key does not open the box: a wrong number or PIN, or a damaged box."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """Everything that follows from a kiosk's package secret."""

    secret: bytes

    def card_tag(self, stretched: bytes) -> str:
        """Under which name the card of a number lies in the package."""
        return to_text(self._digest("card tag", stretched)[:TAG_BYTES])

    def card_key(self, stretched: bytes) -> bytes:
        """What opens that card."""
        return self._digest("card key", stretched)

    def name_tag(self, ticket: bytes, id_number: bytes) -> str:
        """Under which name the name of the holder of both numbers lies."""
        return to_text(self._digest("name tag", ticket + id_number)[:TAG_BYTES])

    def name_key(self, ticket: bytes, id_number: bytes) -> bytes:
        """What opens that name."""
        return self._digest("name key", ticket + id_number)

    def day_key(self) -> bytes:
        """What opens the day part."""
        return self._digest("day key", b"")

    def wrap(self, room_key: bytes, public: bytes) -> str:
        """The room key for the holder of a PIN: only his PIN and this secret together unwrap it."""
        once = X25519PrivateKey.generate()
        own = once.public_key().public_bytes_raw()
        shared = once.exchange(X25519PublicKey.from_public_bytes(public))
        return to_text(own + _seal(self._wrap_key(shared, own, public), room_key, b"room key"))

    def unwrap(self, wrapped: str, key: X25519PrivateKey) -> bytes:
        """The room key again. Raises WrongKeyError for a wrong PIN."""
        content = from_text(wrapped)
        own, box = content[:PUBLIC_BYTES], content[PUBLIC_BYTES:]
        shared = key.exchange(X25519PublicKey.from_public_bytes(own))
        public = key.public_key().public_bytes_raw()
        return _unseal(self._wrap_key(shared, own, public), box, b"room key")

    def _wrap_key(self, shared: bytes, own: bytes, public: bytes) -> bytes:
        return self._digest("wrap key", shared + own + public)

    def _digest(self, purpose: str, content: bytes) -> bytes:
        info = f"kaochang/roster/{purpose}/1".encode()
        return hmac.digest(
            HKDF(SHA256(), KEY_BYTES, salt=None, info=info).derive(self.secret), content, sha256
        )


def seal(key: bytes, value: Any, purpose: str) -> str:
    """The value as JSON in a box that only this key opens."""
    return to_text(_seal(key, canonical(value), purpose.encode()))


def unseal(key: bytes, box: str, purpose: str) -> Any:
    """The value again. Raises WrongKeyError."""
    return json.loads(_unseal(key, from_text(box), purpose.encode()))


def sign(mark: str, body: bytes, key: Ed25519PrivateKey) -> bytes:
    """The body under its signature: one line with the mark and the signature, then the body."""
    return f"{mark} {to_text(key.sign(mark.encode() + b' ' + body))}\n".encode() + body


def verified(mark: str, content: bytes, public: bytes) -> dict[str, Any]:
    """The signed body as JSON object. Raises PackageError: damaged, not_ours."""
    head, _, body = content.partition(b"\n")
    words = head.split(b" ")
    if len(words) != 2 or words[0] != mark.encode():
        raise PackageError("damaged")
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(
            from_text(words[1].decode()), words[0] + b" " + body
        )
        told = json.loads(body)
    except (InvalidSignature, WrongKeyError) as error:
        raise PackageError("not_ours") from error
    except ValueError as error:
        raise PackageError("damaged") from error
    if not isinstance(told, dict):
        raise PackageError("damaged")
    return told


def canonical(value: Any) -> bytes:
    """The one way to write a value down: keys in order, no spaces, UTF-8."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def to_text(content: bytes) -> str:
    """Bytes in JSON: base64."""
    return base64.b64encode(content).decode()


def from_text(text: str) -> bytes:
    """The bytes again. Raises WrongKeyError when the text is none."""
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:
        raise WrongKeyError("damaged") from error


def _seal(key: bytes, plain: bytes, purpose: bytes) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, purpose)


def _unseal(key: bytes, box: bytes, purpose: bytes) -> bytes:
    try:
        return AESGCM(key).decrypt(box[:NONCE_BYTES], box[NONCE_BYTES:], purpose)
    except (InvalidTag, ValueError) as error:
        raise WrongKeyError(purpose.decode()) from error
