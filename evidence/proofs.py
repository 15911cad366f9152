"""The proof part of a bag: leaves with their inclusion proofs (C2SP tlog-proof), the checkpoint, the key."""

import base64
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from sqlite3 import Connection
from typing import Final

from evidence.bag import BagWriter
from evidence.checkpoints import KEY_ID_BYTES, CheckpointError, Signer, last_note, read_note, signed_text
from evidence.database import ReaderDatabase
from evidence.export_plan import BagPlan, ExportError
from evidence.ledger import Leaf, prove_inclusion
from evidence.merkle import TreeHead
from exam.clock import SECOND_US, Clock

LEDGER: Final = "footage"
# The recorder signs every minute; a little longer than that is waited for.
PATIENCE_US: Final = 90 * SECOND_US
LOOK_US: Final = SECOND_US // 4


@dataclass(frozen=True, slots=True)
class SignedHead:
    """A checkpoint in the forms a bag carries."""

    note: str
    head: TreeHead

    @property
    def text(self) -> str:
        """What is signed."""
        return signed_text(self.note)

    @property
    def signature(self) -> bytes:
        """The plain Ed25519 signature of the text."""
        return base64.b64decode(self.note.rstrip("\n").rpartition(" ")[2])[KEY_ID_BYTES:]


@dataclass(frozen=True, slots=True)
class Authority:
    """Who signs for the footage ledger, and where its checkpoints are found."""

    signer: Signer
    checkpoints: Path
    clock: Clock

    @classmethod
    def open(cls, keys_folder: Path, folder: Path, clock: Clock) -> "Authority":
        """The authority of a site. Raises CheckpointError when its key is missing or cannot be trusted."""
        signer = Signer.load(keys_folder / f"ledger_{LEDGER}.key", LEDGER)
        return cls(signer, folder / f"{LEDGER}_checkpoints.db", clock)

    @property
    def public_pem(self) -> bytes:
        """The public key as it lies in every bag."""
        return self.signer.public_pem

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the raw public key, to be compared with what is known from outside."""
        return self.signer.fingerprint

    def head_over(self, size: int, wait: Callable[[], None]) -> SignedHead:
        """A signed checkpoint of at least so many leaves; waits for the next one if need be.

        Raises ExportError when none comes, or when the last one is signed by another key.
        """
        until_us = self.clock.monotonic_us() + PATIENCE_US
        found = self._last()
        while found is None or found.head.size < max(size, 1):
            if self.clock.monotonic_us() >= until_us:
                raise ExportError("台账检查点迟迟没有签名，不能导出；请确认录像服务正在运行后重试。")
            wait()
            self.clock.sleep_us(LOOK_US)
            found = self._last()
        return found

    def _last(self) -> SignedHead | None:
        with closing(ReaderDatabase(self.checkpoints)) as store, store.read() as connection:
            note = last_note(connection)
        if note is None:
            return None
        try:
            head = read_note(note, self.signer.origin, self.signer.key.public_key())
        except CheckpointError as error:
            raise ExportError("台账检查点不是用本考点的密钥签名的，不能导出；请联系系统管理员。") from error
        return SignedHead(note, head)


def write_proofs(bag: BagWriter, footage: Connection, plan: BagPlan, signed: SignedHead) -> None:
    """Every leaf the bag speaks of, with its way to the checkpoint."""
    for camera in plan.cameras:
        leaves = [(each.name, each.leaf) for each in camera.files]
        leaves += [(each.name, each.leaf) for each in camera.gaps]
        for name, leaf in leaves:
            place = f"proof/{camera.folder}/{name}"
            bag.put(f"{place}.entry", leaf.entry())
            bag.put(f"{place}.tlog-proof", _proof(footage, leaf, signed))


def write_authority(bag: BagWriter, authority: Authority, signed: SignedHead) -> None:
    """The checkpoint as a note and as openssl wants it, and the key to compare with one from outside."""
    bag.put("proof/key.pem", authority.public_pem)
    bag.put("proof/checkpoint.note", signed.note.encode())
    bag.put("proof/checkpoint.txt", signed.text.encode())
    bag.put("proof/checkpoint.sig", signed.signature)


def _proof(footage: Connection, leaf: Leaf, signed: SignedHead) -> bytes:
    hashes = prove_inclusion(footage, leaf.index, signed.head.size)
    lines = ["c2sp.org/tlog-proof@v1", f"index {leaf.index}"]
    lines += [base64.b64encode(each).decode() for each in hashes]
    return "\n".join([*lines, "", signed.note]).encode()
