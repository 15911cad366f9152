"""Reads all footage again and again (完整性校验), sees that it is there, and has damages repaired.

The regular reading takes what was never read first, then what was read longest ago, in turns that are short
enough to lose little in a crash. What people order comes before it. What lies on the disks decides where
to go on: nothing but rows is remembered from one start to the next.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event
from typing import Final

import structlog

from evidence.fixity import check_files, present_volumes
from evidence.fixity_orders import ordered_files
from evidence.fixity_rows import (
    IndexedFile,
    Soundness,
    checked_before,
    never_checked,
    open_damages,
    write_progress,
)
from evidence.presence_scan import PresenceScan
from evidence.repair import Mending, repair
from evidence.work_orders import Order, OrderKind, Report, WorkState, write_report
from exam.clock import MINUTE_US
from recorder.chore_tools import ChoreTools, ExamReader, open_orders
from recorder.quiet_reading import Pacer, Search, yield_to_others

# Files of one turn: one leaf each. At 20 MB/s and 30 MB a file about two minutes.
TOGETHER: Final = 80
# Files between two reports of an order.
TOGETHER_ORDERED: Final = 10
PROGRESS_US: Final = 5 * MINUTE_US
# Pause after everything was read: files that come one by one would be a leaf each.
REST_US: Final = 5 * MINUTE_US
# A damage that could not be repaired is tried again after this time.
PATIENCE_US: Final = 10 * MINUTE_US
DAY_US: Final = 24 * 60 * MINUTE_US
EVERY_S: Final = 5.0
PRESENCE_S: Final = 50.0

_log: Final = structlog.get_logger("recorder")


@dataclass(slots=True)
class FixityWork:
    """For one thread, which yields to all others from its first turn on."""

    tools: ChoreTools
    exam: ExamReader
    prepare: Callable[[], object] = yield_to_others
    _is_prepared: bool = False
    _search: Search = field(default_factory=Search)
    _read_at_us: int | None = None
    _counted_at_us: int | None = None
    _tried_at_us: dict[int, int] = field(default_factory=dict)

    def __call__(self, is_over: Event) -> None:
        """One turn: orders, repairs, some files of the regular reading."""
        if not self._is_prepared:
            self.prepare()
            self._is_prepared = True
        self._carry_out_orders(is_over)
        self._repair(is_over)
        if self._is_resting():
            return
        while not is_over.is_set() and (files := self._due()):
            self._read(files, is_over)
            self._repair(is_over)
            self._count()
            self._carry_out_orders(is_over)
        self._count()

    def _read(self, files: list[IndexedFile], is_over: Event, order_id: int | None = None) -> None:
        store = self.tools.store
        pacer = Pacer(store.clock, self.tools.settings.recorder.fixity_mb_per_s, is_over)
        for reading in check_files(store, files, pacer, order_id):
            if reading.result is not Soundness.SOUND:
                _log.error("footage_damaged", segment=reading.segment_id, result=reading.result)

    def _due(self) -> list[IndexedFile]:
        """What is to be read next; nothing when everything was read within the period."""
        before_us = self._period_from_us()
        with self.tools.store.database.read() as connection:
            volumes = present_volumes(connection)
            after_id = self._search.after_id(self.tools.store.clock.monotonic_us())
            files = never_checked(connection, volumes, after_id, TOGETHER)
            self._search.came_to(files)
            return files or checked_before(connection, volumes, before_us, TOGETHER)

    def _is_resting(self) -> bool:
        """Whether everything was read a short while ago: new files wait until there is a turn of them."""
        now_us = self.tools.store.clock.monotonic_us()
        if self._read_at_us is not None and now_us - self._read_at_us < REST_US:
            return True
        self._read_at_us = now_us
        return False

    def _period_from_us(self) -> int:
        return self.tools.store.clock.wall_us() - self.tools.settings.recorder.fixity_days * DAY_US

    def _repair(self, is_over: Event) -> None:
        now_us = self.tools.store.clock.monotonic_us()
        with self.tools.store.database.read() as connection:
            damages = open_damages(connection)
        for damage in damages:
            tried_us = self._tried_at_us.get(damage.id)
            if is_over.is_set() or (tried_us is not None and now_us - tried_us < PATIENCE_US):
                continue
            self._tried_at_us[damage.id] = now_us
            self._repair_one(damage.segment_id)

    def _repair_one(self, segment_id: int) -> None:
        try:
            mending = repair(self.tools.store, segment_id)
        except OSError:
            _log.exception("not_repaired", segment=segment_id)
            return
        tell = _log.info if mending is Mending.WHOLE else _log.warning
        tell("footage_repair", segment=segment_id, result=mending)

    def _count(self) -> None:
        clock = self.tools.store.clock
        if self._counted_at_us is None or clock.monotonic_us() - self._counted_at_us >= PROGRESS_US:
            self._counted_at_us = clock.monotonic_us()
            with self.tools.store.database.write() as connection:
                write_progress(connection, self._period_from_us(), clock.wall_us())

    def _carry_out_orders(self, is_over: Event) -> None:
        exam = self.exam.database()
        orders = [] if exam is None else open_orders(exam, self.tools.store, OrderKind.FIXITY_CHECK)
        for order in orders:
            self._carry_out(order, is_over)
            self._counted_at_us = None

    def _carry_out(self, order: Order, is_over: Event) -> None:
        """Read what was ordered and not read since; a stop leaves the rest to the next start."""
        while not is_over.is_set():
            with self.tools.store.database.read() as connection:
                volumes = present_volumes(connection)
                asked = ordered_files(connection, order, volumes, TOGETHER_ORDERED)
            if not asked.files:
                words = f"已校验{asked.done}个文件，{asked.troubles}个有问题"
                words += f"，{asked.left}个所在的卷没有接上" if asked.left else ""
                state = WorkState.FAILED if asked.troubles or asked.left else WorkState.DONE
                outcome = {"done": asked.done, "troubles": asked.troubles, "left": asked.left}
                self._report(Report(order.id, state, asked.done, asked.total, words, outcome))
                return
            self._report(Report(order.id, WorkState.RUNNING, asked.done, asked.total, "正在校验"))
            self._read(asked.files, is_over, order.id)

    def _report(self, made: Report) -> None:
        with self.tools.store.database.write() as connection:
            write_report(connection, made, self.tools.store.clock.wall_us())


@dataclass(slots=True)
class PresenceWork:
    """Sees every minute whether files are where they were; see evidence.presence_scan."""

    scan: PresenceScan
    _told: frozenset[str] = frozenset()

    def __call__(self, is_over: Event) -> None:
        """One turn."""
        for path in self.scan.turn(is_over):
            _log.error("footage_missing", file=path)
        strays = frozenset(self.scan.strays())
        for path in sorted(strays - self._told):
            _log.warning("file_without_row", file=path)
        self._told = strays


def fixity_chore(tools: ChoreTools) -> FixityWork:
    """The chore as the recorder runs it."""
    return FixityWork(tools, ExamReader(tools.settings.exam_db))


def presence_chore(tools: ChoreTools) -> PresenceWork:
    """The chore as the recorder runs it."""
    return PresenceWork(PresenceScan(tools.store))
