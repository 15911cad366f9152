"""Carries out disposals (销毁) that the console ordered, beside the recording.

It only walks through the register: whether each file may go is asked by `evidence.disposal` itself. An order
that a stop or a crash interrupts goes on at the next start where it was.
"""

from collections.abc import Sequence
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

# Files between two reports of progress.
TOGETHER: Final = 20
# An order is signed within a minute; one that is not signed by then is refused like any other unknown one.
SIGNED_WITHIN_US: Final = 3 * MINUTE_US

_log: Final = structlog.get_logger("recorder")


@dataclass(slots=True)
class DisposalWork:
    """Looks for disposal orders and carries them out, the oldest first."""

    store: Store
    exam: ExamReader
    keys_folder: Path
    _footage: ReaderDatabase | None = field(default=None)

    def __call__(self, is_over: Event) -> None:
        """One turn: every order that has no final report."""
        exam = self.exam.database()
        if exam is None:
            return
        for order in open_orders(exam, self.store, OrderKind.DISPOSAL):
            if not is_over.is_set():
                self._carry_out(exam, order, is_over)

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
