"""Brings footage of the reserve volume home (迁回), beside the recording and much slower than it.

At most one file in each turn is brought, and at most one whose move is signed is released where it was
recorded. What does not go is left alone for an hour, and told. What is going on can be cut short anywhere.
"""

from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Final

import structlog

from evidence.disposal import release_duplicate
from evidence.duplicate_permit import ReleaseRefusal, ReleaseRefusedError
from evidence.ingest import Store
from evidence.relocation import RelocationError, bring, empty_leftovers, next_to_bring
from evidence.relocation_rows import open_relocations
from evidence.signed_ledger import SignedLedger
from evidence.work_orders import OrderKind
from exam.clock import MINUTE_US
from recorder.chore_tools import ChoreTools, ExamReader, open_orders

EVERY_S: Final = 2.0
# Never faster on the average; what eight cameras of 4 Mb/s bring.
BYTES_PER_S: Final = 4 * 1024 * 1024
# How long a file is left alone that could not be moved, or released.
REST_US: Final = 60 * MINUTE_US

_log: Final = structlog.get_logger("recorder")


@dataclass(slots=True)
class RelocationWork:
    """Moves one file at a time. For one thread."""

    store: Store
    exam: ExamReader
    keys_folder: Path
    # Until when, by the monotonic clock: segments that would not move; relocations refused a release.
    _resting: dict[int, int] = field(default_factory=dict)
    _kept: dict[int, int] = field(default_factory=dict)

    def __call__(self, is_over: Event) -> None:
        """One turn."""
        if not self._is_exporting():
            self._release_one()
        moved_bytes = self._bring_one()
        if not moved_bytes:
            empty_leftovers(self.store)
        is_over.wait(moved_bytes / BYTES_PER_S)

    def _is_exporting(self) -> bool:
        """An export notes where files lie and reads them later: meanwhile they must lie there."""
        exam = self.exam.database()
        return exam is not None and bool(open_orders(exam, self.store, OrderKind.EXPORT))

    def _bring_one(self) -> int:
        besides = _still(self._resting, self.store.clock.monotonic_us())
        with self.store.database.read() as connection:
            relocation = next_to_bring(connection, besides, self.store.clock.wall_us())
        if relocation is None:
            return 0
        try:
            bring(self.store, relocation)
        except (RelocationError, OSError) as error:
            self._resting[relocation.segment_id] = self.store.clock.monotonic_us() + REST_US
            _log.error("not_brought_home", segment=relocation.segment_id, because=str(error))
            return 0
        _log.info("brought_home", segment=relocation.segment_id, volume=str(relocation.home.path))
        return relocation.size_bytes

    def _release_one(self) -> None:
        besides = _still(self._kept, self.store.clock.monotonic_us())
        with self.store.database.read() as connection:
            moved = [each for each in open_relocations(connection) if each.is_moved]
        for relocation in moved:
            if relocation.id is not None and relocation.id not in besides:
                self._release(relocation.id)
                return

    def _release(self, relocation_id: int) -> None:
        signed = SignedLedger(self.store.database.path, self.keys_folder, "footage")
        try:
            release_duplicate(self.store, signed, relocation_id)
        except (ReleaseRefusedError, OSError) as error:
            if isinstance(error, ReleaseRefusedError) and error.reason is ReleaseRefusal.NOT_IN_LEDGER:
                return  # it is signed within a minute
            self._kept[relocation_id] = self.store.clock.monotonic_us() + REST_US
            _log.error("duplicate_kept", relocation=relocation_id, because=str(error))
        finally:
            signed.close()


def _still(resting: dict[int, int], now_us: int) -> set[int]:
    """Those whose rest is not over."""
    return {key for key, until_us in resting.items() if now_us < until_us}


def relocation_chore(tools: ChoreTools) -> RelocationWork:
    """The chore as the recorder runs it."""
    return RelocationWork(tools.store, ExamReader(tools.settings.exam_db), tools.settings.keys_folder)
