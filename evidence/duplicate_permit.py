"""Whether the first file of a relocation may be released: asked by the delete primitive itself.

The signed ledger must say that the segment has moved, the rows the same, and both disks must be there; the
copy that stays is read back now, and so is the one that goes: what is unlinked is what remains elsewhere.
No caller hands in a fact. Periods and holds are not asked: nothing is lost.
"""

import json
from enum import StrEnum
from pathlib import Path
from sqlite3 import Connection
from typing import Any, Final

from evidence.checkpoints import CheckpointError
from evidence.ingest import Store
from evidence.ledger import Leaf, LedgerError, prove_inclusion
from evidence.merkle import Inclusion, TreeHead, hash_leaf, is_included
from evidence.relocation_rows import Relocation, leaf_body, open_relocation
from evidence.signed_ledger import SignedLedger
from evidence.volume_look import has_mark


class ReleaseRefusal(StrEnum):
    """Why a file that was brought home stays where it was recorded, too."""

    NOT_OPEN = "not_open"
    NOT_MOVED = "not_moved"
    LEDGER_UNSOUND = "ledger_unsound"
    # Most often: not signed yet.
    NOT_IN_LEDGER = "not_in_ledger"
    RECORD_CHANGED = "record_changed"
    VOLUME_ABSENT = "volume_absent"
    SAME_FILE = "same_file"
    COPY_MISSING = "copy_missing"
    COPY_DAMAGED = "copy_damaged"
    DUPLICATE_DIFFERS = "duplicate_differs"


class ReleaseRefusedError(Exception):
    """The file stays; `reason` says why."""

    def __init__(self, reason: ReleaseRefusal) -> None:
        super().__init__(str(reason))
        self.reason = reason


def permit_release(store: Store, signed: SignedLedger, relocation_id: int) -> Relocation:
    """The relocation whose first file may go now. Raises ReleaseRefusedError."""
    try:
        head = signed.head()  # before the rows: they know at least what was signed
        with store.database.read() as connection:
            relocation = _moved(connection, relocation_id)
            _require_leaves(connection, head, relocation)
    except (CheckpointError, LedgerError) as error:
        raise ReleaseRefusedError(ReleaseRefusal.LEDGER_UNSOUND) from error
    for volume in (relocation.source, relocation.home):
        if not has_mark(volume.path, volume.uuid):
            raise ReleaseRefusedError(ReleaseRefusal.VOLUME_ABSENT)
    _require_copies(store, relocation)
    return relocation


def _moved(connection: Connection, relocation_id: int) -> Relocation:
    """The relocation, which the index must agree with."""
    relocation = open_relocation(connection, relocation_id)
    if relocation is None:
        raise ReleaseRefusedError(ReleaseRefusal.NOT_OPEN)
    row = connection.execute(
        "select volume_id from segment where id = ?", (relocation.segment_id,)
    ).fetchone()
    if not relocation.is_moved or row["volume_id"] != relocation.home.id:
        raise ReleaseRefusedError(ReleaseRefusal.NOT_MOVED)
    return relocation


def _require_leaves(connection: Connection, head: TreeHead, relocation: Relocation) -> None:
    """The leaf of the segment and that of its new place, both signed, must name this file."""
    segment = _signed_body(connection, head, _SEGMENT, relocation.segment_id)
    moved = _signed_body(connection, head, _RELOCATION, relocation.id or 0)
    facts = (relocation.path, relocation.size_bytes, relocation.sha256.hex())
    if facts != (segment["path"], segment["size_bytes"], segment["sha256"]) or moved != leaf_body(relocation):
        raise ReleaseRefusedError(ReleaseRefusal.RECORD_CHANGED)


def _signed_body(connection: Connection, head: TreeHead, question: str, key: int) -> dict[str, Any]:
    row = connection.execute(question, (key,)).fetchone()
    if row is None or row["id"] >= head.size:
        raise ReleaseRefusedError(ReleaseRefusal.NOT_IN_LEDGER)
    leaf = Leaf(row["id"], row["kind"], row["body"], row["recorded_at_us"])
    path = prove_inclusion(connection, leaf.index, head.size)
    if not is_included(Inclusion(hash_leaf(leaf.entry()), leaf.index, path), head):
        raise ReleaseRefusedError(ReleaseRefusal.LEDGER_UNSOUND)
    body: dict[str, Any] = json.loads(leaf.body)
    return body


_SEGMENT: Final = (
    "select * from ledger_leaf where kind = 'segment' and json_extract(body, '$.segment_id') = ? order by id"
)
_RELOCATION: Final = (
    "select * from ledger_leaf where kind = 'segment_relocated'"
    " and json_extract(body, '$.segment_relocation_id') = ? order by id desc"
)


def _require_copies(store: Store, relocation: Relocation) -> None:
    """Two files with the same, right contents; or one, when a crash came after the other was unlinked."""
    if not relocation.final.is_file():
        raise ReleaseRefusedError(ReleaseRefusal.COPY_MISSING)
    if not _is_good(store, relocation, relocation.final):
        raise ReleaseRefusedError(ReleaseRefusal.COPY_DAMAGED)
    if not relocation.first.exists():
        return
    if relocation.first.samefile(relocation.final):
        raise ReleaseRefusedError(ReleaseRefusal.SAME_FILE)
    if not _is_good(store, relocation, relocation.first):
        raise ReleaseRefusedError(ReleaseRefusal.DUPLICATE_DIFFERS)


def _is_good(store: Store, relocation: Relocation, path: Path) -> bool:
    if path.stat().st_size != relocation.size_bytes:
        return False
    store.disk.forget(path)
    return store.disk.digest(path) == relocation.sha256
