"""Carries out disposals (销毁) that the console ordered, beside the recording.

It only walks through the register: whether each file may go is asked by `evidence.disposal` itself. An order
that a stop or a crash interrupts goes on at the next start where it was. One that breaks in a way nobody
foresaw is told, tried again at each turn, and keeps no later one waiting.
"""

import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from threading import Event
from typing import Final

import structlog

from config.retention import load_retention_policy
from evidence.database import ReaderDatabase
from evidence.disposal import Disposer, Tally
from evidence.disposal_permit import DisposalRefusedError, Permits
from evidence.disposal_plans import PlanError, find_plan
from evidence.ingest import Store
from evidence.work_orders import Order, OrderKind, Report, WorkState, write_report
from exam.clock import MINUTE_US
from recorder.chore_tools import ChoreTools, ExamReader, open_orders
from recorder.chores import Failures

# Files between two reports of progress.
TOGETHER: Final = 20
# An order is signed within a minute; one that is not signed by then is refused like any other unknown one.
SIGNED_WITHIN_US: Final = 3 * MINUTE_US

BROKEN_WORDS: Final = "发生意外错误，将自动重试；已登记的销毁不受影响。长时间没有进展请联系系统管理员。"

_log: Final = structlog.get_logger("recorder")


@dataclass(slots=True)
class DisposalWork:
    """Looks for disposal orders and carries them out, the oldest first."""

    store: Store
    exam: ExamReader
    keys_folder: Path
    _footage: ReaderDatabase | None = field(default=None)
    # What broke, by order, since this start.
    _broken: dict[int, Failures] = field(default_factory=dict)

    def __call__(self, is_over: Event) -> None:
        """One turn: every order that has no final report."""
        exam = self.exam.database()
        if exam is None:
            return
        for order in open_orders(exam, self.store, OrderKind.DISPOSAL):
            if is_over.is_set():
                return
            try:
                self._carry_out(exam, order, is_over)
                self._broken.pop(order.id, None)
            except Exception as error:  # noqa: BLE001 - the boundary of an order: later ones go on
                self._tell(order, error)

    def _tell(self, order: Order, error: Exception) -> None:
        if order.id not in self._broken:
            with suppress(sqlite3.Error):  # the log tells it anyway
                self._report(Report(order.id, WorkState.RUNNING, words=BROKEN_WORDS))
        clock = self.store.clock
        self._broken.setdefault(order.id, Failures(f"disposal {order.id}", clock.monotonic_us)).tell(error)

    def _carry_out(self, exam: ReaderDatabase, order: Order, is_over: Event) -> None:
        permits = Permits(self._index(), exam, self.keys_folder, self.store.clock, _years)
        try:
            if self._is_to_be_signed(permits, order):
                return
            self._walk(exam, Disposer(self.store, permits), order, is_over)
        finally:
            permits.close()

    def _is_to_be_signed(self, permits: Permits, order: Order) -> bool:
        age_us = self.store.clock.wall_us() - order.ordered_at_us
        try:
            return 0 <= age_us < SIGNED_WITHIN_US and not permits.is_known(order.id)
        except DisposalRefusedError:
            return False  # an unsound ledger: every file is refused, and that is written down

    def _walk(self, exam: ReaderDatabase, disposer: Disposer, order: Order, is_over: Event) -> None:
        segment_ids = _segment_ids(exam, order)
        done = refused = 0
        remaining = iter(segment_ids)
        while batch := list(islice(remaining, TOGETHER)):
            tally: Tally = disposer.carry_out(order.id, batch, is_over)
            done, refused = done + tally.done, refused + tally.refused
            if is_over.is_set():
                return
            self._report(Report(order.id, WorkState.RUNNING, done, len(segment_ids), "正在销毁"))
        _log.info("disposal_order_finished", order=order.id, done=done, refused=refused)
        self._report(_final(order, done, refused, segment_ids))

    def _report(self, made: Report) -> None:
        with self.store.database.write() as connection:
            write_report(connection, made, self.store.clock.wall_us())

    def _index(self) -> ReaderDatabase:
        if self._footage is None:
            self._footage = ReaderDatabase(self.store.database.path)
        return self._footage


def _years() -> int:
    return load_retention_policy().footage.years


def _segment_ids(exam: ReaderDatabase, order: Order) -> Sequence[int]:
    """The files of the order's plan; file 0, which is refused and on record, when nobody knows the plan."""
    plan_id = order.subject.get("plan_id")
    try:
        with exam.read() as connection:
            return [each.segment_id for each in find_plan(connection, int(plan_id or 0)).files]
    except PlanError:
        return [0]


def _final(order: Order, done: int, refused: int, segment_ids: Sequence[int]) -> Report:
    is_whole = not refused
    words = f"已销毁{done}个文件" if is_whole else f"已销毁{done}个文件，{refused}个未销毁，原因见登记"
    state = WorkState.DONE if is_whole else WorkState.FAILED
    outcome = {"done": done, "refused": refused}
    return Report(order.id, state, done, len(segment_ids), words, outcome)


def disposal_chore(tools: ChoreTools) -> DisposalWork:
    """The chore as the recorder runs it."""
    return DisposalWork(tools.store, ExamReader(tools.settings.exam_db), tools.settings.keys_folder)
