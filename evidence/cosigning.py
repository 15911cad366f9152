"""Cosigning by a visitor's key: what goes to the stick and what comes back.

The forms are C2SP's tlog-witness and tlog-cosignature. The cosigner's own program
(`evidence/cosigner_tool.py`) remembers the last checkpoint it signed and refuses one that does not
extend it. A time stamping authority is asked the same way: by file.
"""

import base64
import binascii
import hashlib
import subprocess
from sqlite3 import Connection
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from evidence.anchors import AnchorError, AnchorKind, Answer, SignedHead
from evidence.checkpoints import SIGNATURE_MARK, signed_text
from evidence.ledger import prove_consistency
from evidence.outside_time import Authority, OutsideTimeError, proved_time_us
from exam.clock import SECOND_US

COSIGNATURE: Final = b"\x04"
_KEY_ID_BYTES: Final = 4
_MOMENT_BYTES: Final = 8
_SIGNATURE_BYTES: Final = 64
_OPENSSL_PATIENCE_S: Final = 20.0


def is_answered_by(note: str, text: str) -> bool:
    """Whether a cosigner's answer is about this checkpoint."""
    return signed_text(note) == signed_text(text.replace("\r", ""))


def is_stamped_by(note: str, response: bytes) -> bool:
    """Whether a time stamping authority's response is about this checkpoint; it names the digest as it is."""
    return hashlib.sha256(signed_text(note).encode()).digest() in response


def cosign_request(ledger: Connection, head: SignedHead, old_size: int) -> str:
    """What a cosigner needs who signed `old_size` leaves last. Raises AnchorError for more than there are."""
    if not 0 <= old_size <= head.head.size:
        raise AnchorError(f"台账目前签名到第 {head.head.size} 条，不能从第 {old_size} 条起证明。")
    hashes = prove_consistency(ledger, old_size, head.head.size)
    proof = "".join(base64.b64encode(each).decode() + "\n" for each in hashes)
    return f"old {old_size}\n{proof}\n{head.note}"


def read_cosignature(head: SignedHead, authority_id: int, key: Ed25519PublicKey, text: str) -> Answer:
    """The cosigner's answer for exactly this checkpoint. Raises AnchorError."""
    for line in text.replace("\r", "").split("\n"):
        name, _, packed = line.removeprefix(SIGNATURE_MARK).rpartition(" ")
        if line.startswith(SIGNATURE_MARK) and name not in ("", head.origin):
            return Answer(
                AnchorKind.COSIGNED, authority_id, line.encode(), _cosigned_us(head, key, name, packed)
            )
    raise AnchorError("文件中没有共签人的签名行。")


def _cosigned_us(head: SignedHead, key: Ed25519PublicKey, name: str, packed: str) -> int:
    foreign = AnchorError("共签与这个检查点或登记的公钥不符，没有保存。请确认使用的是最近一次导出的文件。")
    raw = key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    expected = hashlib.sha256(name.encode() + b"\n" + COSIGNATURE + raw).digest()[:_KEY_ID_BYTES]
    try:
        signature = base64.b64decode(packed, validate=True)
    except (binascii.Error, ValueError) as error:
        raise foreign from error
    moment_at, signed_at = _KEY_ID_BYTES, _KEY_ID_BYTES + _MOMENT_BYTES
    if len(signature) != signed_at + _SIGNATURE_BYTES or signature[:moment_at] != expected:
        raise foreign
    moment_s = int.from_bytes(signature[moment_at:signed_at], "big")
    message = f"cosignature/v1\ntime {moment_s}\n{signed_text(head.note)}"
    try:
        key.verify(signature[signed_at:], message.encode())
    except InvalidSignature as error:
        raise foreign from error
    return moment_s * SECOND_US


def stamped_digest(head: SignedHead) -> bytes:
    """What a time stamping authority is asked to stamp: SHA-256 of the signed lines."""
    return hashlib.sha256(signed_text(head.note).encode()).digest()


def stamp_query(head: SignedHead) -> bytes:
    """The RFC 3161 question about this checkpoint, made by openssl. Raises AnchorError."""
    words = ["openssl", "ts", "-query", "-digest", stamped_digest(head).hex(), "-sha256", "-cert"]
    try:
        done = subprocess.run(words, capture_output=True, check=True, timeout=_OPENSSL_PATIENCE_S)
    except (OSError, subprocess.SubprocessError) as error:
        raise AnchorError("无法生成时间戳请求：本机的 openssl 不可用。") from error
    return done.stdout


def read_stamp(head: SignedHead, authority_id: int, authority: Authority, response: bytes) -> Answer:
    """The authority's response for exactly this checkpoint. Raises AnchorError."""
    try:
        stated_us = proved_time_us(authority, response, stamped_digest(head))
    except OutsideTimeError as error:
        raise AnchorError("时间戳与这个检查点不符，或不能用登记的根证书验证，没有保存。") from error
    return Answer(AnchorKind.STAMPED, authority_id, response, stated_us)
