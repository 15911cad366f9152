"""Destroying footage (销毁): the one module of the product that unlinks a recorded file (invariant 3).

For each file: ask for the permit, see that the file is the one named, write row and leaf DISPOSAL,
unlink it, its second copies and what is left of it in quarantine, make the folders durable, write
DISPOSAL_DONE. A crash between any two steps leaves the file, or the register's row that names it; doing
all again ends the same. What is refused is written down.
"""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from sqlite3 import Connection, Error, Row
from typing import Final

import structlog

from evidence.disposal_permit import (
    DisposalRefusal,
    DisposalRefusedError,
    Permit,
    Permits,
    check_file,
    check_volume,
)
from evidence.disposal_remnants import Remnant, note_remnants, remnants, set_aside_copies
from evidence.duplicate_permit import permit_release
from evidence.ingest import Store
from evidence.ledger import LeafKind, append
from evidence.mirror import SecondCopy, copies_of
from evidence.naming import RESTORING_FOLDER
from evidence.relocation_rows import finish, is_relocating
from evidence.signed_ledger import SignedLedger
from evidence.volume_look import has_mark
from evidence.volumes import MOVING

_log: Final = structlog.get_logger("disposal")


@dataclass(frozen=True, slots=True)
class Disposed:
    """A file that is no more: which register names it, and since when."""

    segment_id: int
    plan_id: int
    plan_number: str
    done_at_us: int


@dataclass(frozen=True, slots=True)
class Tally:
    """How far carrying out an order came."""

    done: int = 0
    refused: int = 0


class Disposer:
    """Carries out disposals on this machine's footage. For one thread."""

    def __init__(self, store: Store, permits: Permits) -> None:
        self._store, self._permits = store, permits

    def carry_out(self, order_id: int, segment_ids: list[int], is_over: threading.Event) -> Tally:
        """Dispose of the files of an order, one after another, until told to stop; refused ones stay."""
        done = refused = 0
        for segment_id in segment_ids:
            if is_over.is_set():
                break
            try:
                self.dispose(order_id, segment_id)
                done += 1
            except DisposalRefusedError:
                refused += 1
        return Tally(done, refused)

    def dispose(self, order_id: int, segment_id: int) -> None:
        """Destroy one file, or finish what a crash left. Raises DisposalRefusedError once it is on record."""
        try:
            with MOVING:
                self._dispose(order_id, segment_id)
        except DisposalRefusedError as refusal:
            self._note_refusal(order_id, segment_id, refusal)
            raise

    def _dispose(self, order_id: int, segment_id: int) -> None:
        begun = self._begun(segment_id)
        if begun is not None and begun["done_at_us"] is not None:
            return
        permit = self._permits.permit(order_id, segment_id)
        self._require_settled(segment_id)
        with self._store.database.read() as connection:
            copies = copies_of(connection, segment_id)
            left = remnants(connection, permit.path.name)
        _check_mirrors(copies, permit.lost_mirrors)
        _check_remnants(left)
        if begun is None:
            check_file(permit, self._store.disk.digest)
            # Reading took its time: somebody may have asked for a hold meanwhile.
            permit = self._permits.permit(order_id, segment_id)
            self._begin(permit, copies, left)
        elif begun["plan_digest"].hex() != permit.plan.digest:
            raise DisposalRefusedError([DisposalRefusal.OTHER_PLAN])
        check_volume(permit)
        reachable = [copy for copy in copies if copy.is_reachable()]
        for path in (permit.path, *_copies(permit, reachable), *(each.file for each in left)):
            self._unlink(path)
        self._finish(permit)

    def _require_settled(self, segment_id: int) -> None:
        """A file on its way from one volume to another has two copies: one of them would live on."""
        with self._store.database.read() as connection:
            if is_relocating(connection, segment_id):
                raise DisposalRefusedError([DisposalRefusal.BEING_RELOCATED])

    def _begun(self, segment_id: int) -> Row | None:
        with self._store.database.read() as connection:
            row: Row | None = connection.execute(
                "select plan_digest, done_at_us from disposal where segment_id = ?", (segment_id,)
            ).fetchone()
        return row

    def _begin(self, permit: Permit, copies: list[SecondCopy], left: list[Remnant]) -> None:
        """Rows and leaf, durable before the file goes."""
        now_us = self._store.clock.wall_us()
        plan = permit.plan
        with self._store.database.write() as connection:
            connection.execute(
                "insert into disposal (segment_id, order_id, plan_id, plan_number, plan_digest, proved_at_us,"
                " decided_at_us) values (?, ?, ?, ?, ?, ?, ?)",
                (
                    permit.segment_id,
                    permit.order_id,
                    plan.plan_id,
                    plan.number,
                    bytes.fromhex(plan.digest),
                    permit.proved_at_us,
                    now_us,
                ),
            )
            note_remnants(connection, permit.segment_id, left)
            body = {
                **_names(permit),
                "proposed_by": plan.proposal.account_id,
                "approved_by": [str(each.account_id) for each in plan.approvals],
                "proved_at_us": permit.proved_at_us,
                "quarantined_file_ids": [str(each.quarantined_file_id) for each in left],
                # Copies there cannot be destroyed: two people have given these mirrors up for lost.
                "lost_mirrors": [copy.mirror_uuid for copy in copies if not copy.is_reachable()],
            }
            append(connection, LeafKind.DISPOSAL, body, now_us)

    def _unlink(self, path: Path) -> None:
        try:
            if path.exists():
                self._store.disk.unprotect(path)
                path.unlink()
            if path.parent.exists():
                self._store.disk.sync_folder(path.parent)
        except OSError as error:
            _log.exception("not_unlinked", path=str(path))
            raise DisposalRefusedError([DisposalRefusal.DISK_REFUSES]) from error

    def _finish(self, permit: Permit) -> None:
        now_us = self._store.clock.wall_us()
        with self._store.database.write() as connection:
            connection.execute(
                "update disposal set done_at_us = ? where segment_id = ?", (now_us, permit.segment_id)
            )
            append(connection, LeafKind.DISPOSAL_DONE, _names(permit), now_us)

    def _note_refusal(self, order_id: int, segment_id: int, refusal: DisposalRefusedError) -> None:
        now_us = self._store.clock.wall_us()
        _log.warning("disposal_refused", order=order_id, segment=segment_id, reasons=str(refusal))
        try:
            with self._store.database.write() as connection:
                note_refusal(connection, order_id, segment_id, refusal, now_us)
        except Error:
            # A full disk: the log line above stands, and nothing was deleted.
            _log.exception("refusal_not_recorded", order=order_id, segment=segment_id)


def release_duplicate(store: Store, signed: SignedLedger, relocation_id: int) -> None:
    """Unlink the first file of a relocation: its copy was read back just now. Raises ReleaseRefusedError.

    No plan is asked for, because nothing is lost. Doing it again after a crash ends the same.
    """
    with MOVING:
        relocation = permit_release(store, signed, relocation_id)
        if relocation.first.exists():
            store.disk.unprotect(relocation.first)
            relocation.first.unlink()
        store.disk.sync_folder(relocation.first.parent)
        with store.database.write() as connection:
            finish(connection, relocation, store.clock.wall_us())


def note_refusal(
    connection: Connection, order_id: int, segment_id: int, refusal: DisposalRefusedError, now_us: int
) -> None:
    """A refused attempt as row and leaf."""
    row = connection.execute(
        "insert into disposal_refusal (order_id, segment_id, reasons, refused_at_us) values (?, ?, ?, ?)"
        " returning id",
        (order_id, segment_id, str(refusal), now_us),
    ).fetchone()
    body = {
        "disposal_refusal_id": row["id"],
        "order_id": order_id,
        "segment_id": segment_id,
        "reasons": list(refusal.reasons),
    }
    append(connection, LeafKind.DISPOSAL_REFUSED, body, now_us)


def _check_mirrors(copies: list[SecondCopy], lost: frozenset[str]) -> None:
    """Raises DisposalRefusedError when a mirror is away that nobody gave up: the copy on it would live on."""
    if not all(copy.mirror_uuid in lost or copy.is_reachable() for copy in copies):
        raise DisposalRefusedError([DisposalRefusal.MIRROR_ABSENT])


def _check_remnants(left: list[Remnant]) -> None:
    """Raises DisposalRefusedError when the disk of something in quarantine is away: it would live on."""
    if not all(has_mark(each.volume, each.volume_uuid) for each in left):
        raise DisposalRefusedError([DisposalRefusal.VOLUME_ABSENT])


def _copies(permit: Permit, copies: list[SecondCopy]) -> Iterator[Path]:
    """Where else the file's bytes may lie: half restored by a repair, copied, half copied, or set aside."""
    yield permit.volume / RESTORING_FOLDER / permit.path.name
    for copy in copies:
        yield from (copy.file, copy.growing, *set_aside_copies(copy))


def _names(permit: Permit) -> dict[str, int | str]:
    return {
        "segment_id": permit.segment_id,
        "order_id": permit.order_id,
        "plan_id": permit.plan.plan_id,
        "plan_sha256": permit.plan.digest,
        "size_bytes": permit.size_bytes,
        "sha256": permit.sha256.hex(),
    }
