"""Time from outside the machine, given over a plan's digest: what the host's own clock may not decide.

Two kinds of word count: an RFC 3161 response of a time stamping authority, checked by `openssl ts`
against the registered root, and a cosigner's Ed25519 signature over a short text that names digest
and moment. Both hold for one plan only: they are given over its digest.
"""

import base64
import binascii
import re
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from cryptography.x509 import load_pem_x509_certificates

from exam.clock import to_us

MOMENT: Final = "%Y-%m-%dT%H:%M:%SZ"
PATIENCE_S: Final = 20.0
_STATED: Final = re.compile(
    r"^Time stamp: (\w{3}) +(\d{1,2}) (\d\d:\d\d:\d\d)(?:\.\d+)? (\d{4}) GMT$", re.MULTILINE
)


class AuthorityKind(StrEnum):
    """Whose word about the time it is."""

    TSA = "tsa"
    COSIGNER = "cosigner"


class OutsideTimeError(Exception):
    """The word about the time does not hold; the message says why, in Chinese."""


@dataclass(frozen=True, slots=True)
class Authority:
    """Whose word is taken: root certificates of an authority, or a cosigner's public key, PEM."""

    kind: AuthorityKind
    public_pem: str


def check_authority(authority: Authority) -> None:
    """Raises OutsideTimeError unless the PEM is what its kind needs."""
    try:
        if authority.kind is AuthorityKind.TSA:
            load_pem_x509_certificates(authority.public_pem.encode())
        else:
            _cosigner_key(authority)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise OutsideTimeError("文件内容不是所需的证书或 Ed25519 公钥（PEM 格式）。") from error


def time_question(plan_digest: bytes) -> bytes:
    """The question (RFC 3161, DER) to put to a time stamping authority; asks it to send its certificates."""
    with TemporaryDirectory() as folder:
        question = Path(folder) / "question.tsq"
        _openssl("-query", "-digest", plan_digest.hex(), "-sha256", "-cert", "-out", str(question))
        return question.read_bytes()


def cosigned_text(plan_digest: bytes, moment: str) -> str:
    """What a cosigner signs: the whole text, three lines, with a line end after each."""
    return f"kaochang disposal\n{plan_digest.hex()}\n{moment}\n"


def cosigner_token(moment: str, signature_base64: str) -> bytes:
    """The entry as it is kept: the moment, a line end, the signature. Raises OutsideTimeError."""
    try:
        signature = base64.b64decode("".join(signature_base64.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise OutsideTimeError("签名不是 Base64 文本。") from error
    return moment.strip().encode() + b"\n" + signature


def proved_time_us(authority: Authority, token: bytes, plan_digest: bytes) -> int:
    """The moment that the word states over this plan. Raises OutsideTimeError when it does not hold."""
    if authority.kind is AuthorityKind.TSA:
        return _stamped_us(authority, token, plan_digest)
    return _cosigned_us(authority, token, plan_digest)


def _cosigned_us(authority: Authority, token: bytes, plan_digest: bytes) -> int:
    moment, _line_end, signature = token.partition(b"\n")
    try:
        stated = datetime.strptime(moment.decode(), MOMENT).replace(tzinfo=UTC)
        text = cosigned_text(plan_digest, moment.decode())
        _cosigner_key(authority).verify(signature, text.encode())
    except (ValueError, InvalidSignature, UnsupportedAlgorithm) as error:
        raise OutsideTimeError("共签人的签名与本清册、时间或登记的公钥不符。") from error
    return to_us(stated)


def _cosigner_key(authority: Authority) -> Ed25519PublicKey:
    key = load_pem_public_key(authority.public_pem.encode())
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError("not an Ed25519 key")
    return key


def _stamped_us(authority: Authority, response: bytes, plan_digest: bytes) -> int:
    with TemporaryDirectory() as folder:
        answer, token, roots = (Path(folder) / name for name in ("response.tsr", "token.der", "roots.pem"))
        answer.write_bytes(response)
        roots.write_text(authority.public_pem, encoding="ascii")
        # Only the token inside is signed. The response around it has room for words that anybody may put in,
        # also such as look like a moment.
        _openssl("-reply", "-in", str(answer), "-token_out", "-out", str(token))
        stated = _stated(_openssl("-reply", "-in", str(token), "-token_in", "-text"))
        # Checked as of the moment stated, so that the proof still holds when the certificate has run out.
        _openssl(
            "-verify",
            "-digest",
            plan_digest.hex(),
            "-in",
            str(token),
            "-token_in",
            "-CAfile",
            str(roots),
            "-attime",
            str(int(stated.timestamp())),
        )
    return to_us(stated)


def _stated(words: str) -> datetime:
    found = _STATED.search(words)
    if found is None:
        raise OutsideTimeError("时间戳文件中没有时间。")
    return datetime.strptime(" ".join(found.groups()), "%b %d %H:%M:%S %Y").replace(tzinfo=UTC)


def _openssl(*words: str) -> str:
    try:
        done = subprocess.run(
            ["openssl", "ts", *words], capture_output=True, check=True, timeout=PATIENCE_S, encoding="utf-8"
        )
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError) as error:
        raise OutsideTimeError("时间戳与本清册不符，或不能用登记的根证书验证。") from error
    return done.stdout
