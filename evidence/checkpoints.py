"""Signed checkpoints of a ledger, and the refusal to go on with one that does not extend them.

A checkpoint is a C2SP signed note over origin, size and root. The Ed25519 key is made at first
start, in a file only its owner can read. Checkpoints lie in a small database of their own and are
added by compare-and-swap: each names the place after the last one its writer has seen. Only what is
durable in the ledger is signed, so a crash never looks like a rollback.
"""

import base64
import binascii
import hashlib
import sqlite3
import threading
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

import structlog
from cryptography.exceptions import InternalError, InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from evidence.database import DatabaseError, WriterDatabase
from evidence.ledger import LeafKind, LedgerError, has_kind_since, head_at, tree_head, tree_size
from evidence.merkle import TreeHead
from evidence.small_files import create_whole
from exam.clock import Clock

ED25519: Final = b"\x01"
KEY_ID_BYTES: Final = 4
SIGNATURE_MARK: Final = "\u2014 "
SIGNED_EVERY_S: Final = 60.0
# How often it is looked whether a signal was given, which is signed without waiting for the minute.
LOOK_S: Final = 1.0

_log: Final = structlog.get_logger("ledger")


class Refusal(StrEnum):
    """Why a ledger is not gone on with."""

    ROLLBACK = "rollback"
    FORK = "fork"
    FOREIGN_KEY = "foreign_key"
    CHECKPOINTS_LOST = "checkpoints_lost"
    UNUSABLE_KEY = "unusable_key"
    SECOND_WRITER = "second_writer"


class CheckpointError(DatabaseError):
    """The ledger, its checkpoints and its key do not belong together; `refusal` says how."""

    def __init__(self, refusal: Refusal, sentence: str) -> None:
        super().__init__(f"{refusal}: {sentence}")
        self.refusal = refusal


@dataclass(frozen=True, slots=True)
class Signer:
    """A ledger's name in the world and the key that signs for it."""

    origin: str
    key: Ed25519PrivateKey

    @classmethod
    def open(cls, path: Path, name: str) -> "Signer":
        """Read the key, or make it at first start: for `Checkpoints` alone. Raises CheckpointError."""
        if not path.exists():
            _create(path)
        return cls.load(path, name)

    @classmethod
    def load(cls, path: Path, name: str) -> "Signer":
        """Read the key that is there. Raises CheckpointError when it is missing or cannot be trusted."""
        if not path.exists():
            raise CheckpointError(Refusal.UNUSABLE_KEY, f"{path} is missing")
        if path.stat().st_mode & 0o077:
            raise CheckpointError(Refusal.UNUSABLE_KEY, f"{path} can be read by others: run chmod 600 on it")
        try:
            key = serialization.load_pem_private_key(path.read_bytes(), None)
        # TypeError: it asks for a password; InternalError: OpenSSL stumbles over one of another kind.
        except (ValueError, TypeError, UnsupportedAlgorithm, InternalError) as error:
            raise CheckpointError(Refusal.UNUSABLE_KEY, f"{path} is damaged") from error
        if not isinstance(key, Ed25519PrivateKey):
            raise CheckpointError(Refusal.UNUSABLE_KEY, f"{path} is not an Ed25519 key")
        fingerprint = hashlib.sha256(_raw(key.public_key())).hexdigest()[:16]
        return cls(f"kaochang/{name}/{fingerprint}", key)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the raw public key, in hex: what is compared with paper."""
        return hashlib.sha256(_raw(self.key.public_key())).hexdigest()

    @property
    def public_pem(self) -> bytes:
        """The public key, for whoever verifies."""
        return self.key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def sign(self, head: TreeHead) -> str:
        """The signed note about this tree head."""
        text = f"{self.origin}\n{head.size}\n{base64.b64encode(head.root).decode()}\n"
        signature = _key_id(self.origin, self.key.public_key()) + self.key.sign(text.encode())
        return f"{text}\n{SIGNATURE_MARK}{self.origin} {base64.b64encode(signature).decode()}\n"


def signed_text(note: str) -> str:
    """The three lines of a note that signatures are made over."""
    return "\n".join(note.split("\n")[:3]) + "\n"


def last_note(checkpoints: sqlite3.Connection) -> str | None:
    """The note that was signed last; None before the first."""
    row = checkpoints.execute("select note from checkpoint order by id desc limit 1").fetchone()
    return None if row is None else str(row[0])


def read_note(note: str, origin: str, public_key: Ed25519PublicKey) -> TreeHead:
    """What a signed note says. Raises CheckpointError unless this key signed exactly this text."""
    foreign = CheckpointError(Refusal.FOREIGN_KEY, f"the checkpoint is not signed by the key of {origin}")
    text, found, line = note.partition(f"\n\n{SIGNATURE_MARK}{origin} ")
    fields = text.split("\n")
    try:
        signature = base64.b64decode(line.removesuffix("\n"), validate=True)
        public_key.verify(signature[KEY_ID_BYTES:], f"{text}\n".encode())
        claimed, size, root = fields
        head = TreeHead(int(size), base64.b64decode(root, validate=True))
    except (binascii.Error, ValueError, InvalidSignature) as error:
        raise foreign from error
    if not found or claimed != origin or line != _line(_key_id(origin, public_key), signature):
        raise foreign
    return head


def _line(key_id: bytes, signature: bytes) -> str:
    """The one way to write a signature: in Base64 some letters have bits that say nothing."""
    return base64.b64encode(key_id + signature[KEY_ID_BYTES:]).decode() + "\n"


class Checkpoints:
    """The checkpoints of one ledger, held by the one service that writes it."""

    def __init__(self, ledger: WriterDatabase, keys_folder: Path, name: str) -> None:
        """Check the ledger against its last checkpoint. Raises CheckpointError, or WriterBusyError."""
        self._ledger = ledger
        self.has_signals = name == "exam"
        self._signer = Signer.open(keys_folder / f"ledger_{name}.key", name)
        self._store = WriterDatabase(ledger.path.with_name(f"{name}_checkpoints.db"), "checkpoint")
        try:
            self._last_id, self._signed = self._read_last()
            self._check()
        except CheckpointError:
            self._store.close()
            raise

    def sign(self, now_us: int) -> bool:
        """Sign what the ledger says now. False when the last checkpoint says it already."""
        with self._ledger.read() as connection:
            head = tree_head(connection)
        if head == self._signed:
            return False
        try:
            with self._store.write() as connection:
                connection.execute(
                    "insert into checkpoint (id, note, signed_at_us) values (?, ?, ?)",
                    (self._last_id + 1, self._signer.sign(head), now_us),
                )
        except sqlite3.IntegrityError as error:
            sentence = f"somebody else added checkpoint {self._last_id + 1} to {self._store.path.name}"
            raise CheckpointError(Refusal.SECOND_WRITER, sentence) from error
        self._last_id, self._signed = self._last_id + 1, head
        return True

    def is_urgent(self) -> bool:
        """Whether a fact was added since the last checkpoint that is signed at once: a signal."""
        signed = 0 if self._signed is None else self._signed.size
        with self._ledger.read() as connection:
            return has_kind_since(connection, LeafKind.ANNOUNCEMENT, signed)

    def watch_standing(self, clock: Clock) -> None:
        """Keep the sums of tables that are changed in place, in the ledger that has such tables."""
        if self.has_signals:
            self._ledger.watch_standing(clock)

    def close(self) -> None:
        """Give the writer's lock back."""
        self._store.close()

    def _read_last(self) -> tuple[int, TreeHead | None]:
        with self._store.read() as connection:
            row = connection.execute("select id, note from checkpoint order by id desc limit 1").fetchone()
        if row is None:
            return 0, None
        return row[0], read_note(row[1], self._signer.origin, self._signer.key.public_key())

    def _check(self) -> None:
        name = self._ledger.path.name
        with self._ledger.read() as connection:
            size = tree_size(connection)
            if self._signed is None:
                if size:
                    sentence = (
                        f"{name} has {size} ledger rows but no checkpoint: {self._store.path.name} is gone"
                    )
                    raise CheckpointError(Refusal.CHECKPOINTS_LOST, sentence)
                return
            if size < self._signed.size:
                sentence = (
                    f"{name} has {size} ledger rows, {self._signed.size} were signed: it is an older copy"
                )
                raise CheckpointError(Refusal.ROLLBACK, sentence)
            sentence = f"the first {self._signed.size} ledger rows of {name} are not those that were signed"
            try:
                then = head_at(connection, self._signed.size)
            except LedgerError as error:
                raise CheckpointError(Refusal.FORK, f"{sentence} ({error})") from error
            if then != self._signed:
                raise CheckpointError(Refusal.FORK, sentence)


class Signing:
    """Holds a ledger's checkpoints for a service: signs now, every minute, at signals, when closed."""

    def __init__(self, checkpoints: Checkpoints, clock: Clock, every_s: float = SIGNED_EVERY_S) -> None:
        self._checkpoints, self._clock = checkpoints, clock
        # Signals are facts of exam.db: nothing is ever urgent in the other ledger, so nobody looks.
        self._every_s, self._look_s = every_s, min(LOOK_S, every_s) if checkpoints.has_signals else every_s
        checkpoints.watch_standing(clock)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._keep_signing, name="ledger-signing", daemon=True)
        self._sign()
        self._thread.start()

    def close(self) -> None:
        """Sign what was added last and give the writer's lock back."""
        self._closing.set()
        self._thread.join()
        self._sign()
        self._checkpoints.close()

    def _keep_signing(self) -> None:
        waited_s = 0.0
        while not self._closing.wait(self._look_s):
            waited_s += self._look_s
            if waited_s >= self._every_s or self._is_urgent():
                waited_s = 0.0
                self._sign()

    def _is_urgent(self) -> bool:
        try:
            return self._checkpoints.is_urgent()
        except sqlite3.Error:  # the minute's own try will say so
            return False

    def _sign(self) -> None:
        try:
            self._checkpoints.sign(self._clock.wall_us())
        except (sqlite3.Error, CheckpointError, LedgerError) as error:
            # The facts are safe in the ledger; the next minute tries again.
            _log.exception("checkpoint_not_signed", error=str(error))


def _create(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    content = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    create_whole(path, content, 0o600)


def _raw(public_key: Ed25519PublicKey) -> bytes:
    return public_key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def _key_id(origin: str, public_key: Ed25519PublicKey) -> bytes:
    return hashlib.sha256(origin.encode() + b"\n" + ED25519 + _raw(public_key)).digest()[:KEY_ID_BYTES]
