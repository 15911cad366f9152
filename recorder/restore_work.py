"""Brings the footage of a lost volume back from its mirror (整卷恢复), as the site lead ordered.

It works beside the recording. What is missing for it (the mirror, the target, room) is told and waited for:
an order ends only when every file is back or is known to be gone. A stop or a crash loses at most the file
that was under way.
"""

from collections import Counter
from dataclasses import dataclass
from threading import Event
from typing import Final

import structlog

from evidence.fixity import StoppedError
from evidence.fixity_rows import IndexedFile
from evidence.ingest import Store
from evidence.volume_restore import (
    Loss,
    Restored,
    RestoreError,
    declare_loss,
    declared_files,
    distrust_copies,
    holdings,
    note_lost_files,
    restorable,
    restore,
)
from evidence.work_orders import Order, OrderKind, Report, WorkState, write_report
from recorder.chore_tools import ChoreTools, ExamReader, open_orders
from recorder.quiet_reading import Pacer, yield_to_others

# Files between two reports of progress.
TOGETHER: Final = 10
EVERY_S: Final = 10.0

ABSENT_WORDS: Final = "第二份副本盘或目标卷没有接上，接好后自动继续"
DISK_WORDS: Final = "目标卷写不进去，处理后自动继续"
UNDER_WAY_WORDS: Final = "有文件正在迁回途中，没有恢复，请联系系统管理员"

_log: Final = structlog.get_logger("recorder")


@dataclass(slots=True)
class RestoreWork:
    """For one thread, which yields to all others from its first order on."""

    tools: ChoreTools
    exam: ExamReader
    _is_prepared: bool = False

    def __call__(self, is_over: Event) -> None:
        """One turn: every order that has no final report."""
        exam = self.exam.database()
        orders = [] if exam is None else open_orders(exam, self._store, OrderKind.VOLUME_RESTORE)
        for order in orders:
            if not self._is_prepared:
                yield_to_others()
                self._is_prepared = True
            self._carry_out(order, is_over)

    @property
    def _store(self) -> Store:
        return self.tools.store

    def _carry_out(self, order: Order, is_over: Event) -> None:
        volumes = (str(order.subject["volume_uuid"]), str(order.subject["target_uuid"]))
        try:
            loss = declare_loss(self._store, order.id, volumes)
        except RestoreError as error:
            self._report(Report(order.id, WorkState.FAILED, words=str(error), outcome={"done": 0, "gone": 0}))
            return
        try:
            met = self._walk(order, loss, is_over)
        except OSError as error:
            _log.exception("volume_not_restored", order=order.id)
            self._wait(order, f"{DISK_WORDS}：{error.strerror or error}")
            return
        if is_over.is_set():
            return
        if met[Restored.ABSENT]:
            self._wait(order, ABSENT_WORDS)
            return
        self._finish(order, loss, met)

    def _walk(self, order: Order, loss: Loss, is_over: Event) -> Counter[Restored]:
        """Every file that has a copy; what became of those that did not come back."""
        pacer = Pacer(self._store.clock, self.tools.settings.recorder.fixity_mb_per_s, is_over)
        met: Counter[Restored] = Counter()
        after_id = 0
        while not is_over.is_set():
            with self._store.database.read() as connection:
                files = restorable(connection, loss, after_id, TOGETHER)
                left = holdings(connection, loss.lost.id)
            if not files:
                break
            words = f"正在恢复，还剩{left.copied_files}个文件"
            self._report(Report(order.id, WorkState.RUNNING, words=words))
            met += self._restore_some(loss, files, pacer)
            after_id = files[-1].segment_id
        return met

    def _restore_some(self, loss: Loss, files: list[IndexedFile], pacer: Pacer) -> Counter[Restored]:
        met: Counter[Restored] = Counter()
        try:
            for file in files:
                became = restore(self._store, loss, file.segment_id)
                if became is Restored.BAD_COPY:
                    _log.error("second_copy_is_bad", segment=file.segment_id)
                    distrust_copies(self._store, file.segment_id)
                met[became] += 1
                pacer(file.size_bytes)
        except StoppedError:
            pass
        return met

    def _finish(self, order: Order, loss: Loss, met: Counter[Restored]) -> None:
        gone = note_lost_files(self._store, loss)
        with self._store.database.read() as connection:
            known = declared_files(connection, order.id)
            left = holdings(connection, loss.lost.id).files
        done = known - left
        words = f"已恢复{done}个文件" + (f"，{gone}个没有完好的副本，已记为缺失" if gone else "")
        words += f"；{UNDER_WAY_WORDS}" if met[Restored.UNDER_WAY] else ""
        state = WorkState.FAILED if left else WorkState.DONE
        _log.info("volume_restored", order=order.id, done=done, gone=gone)
        self._report(Report(order.id, state, done, known, words, {"done": done, "gone": gone}))

    def _wait(self, order: Order, words: str) -> None:
        self._report(Report(order.id, WorkState.RUNNING, words=words))

    def _report(self, made: Report) -> None:
        with self._store.database.write() as connection:
            write_report(connection, made, self._store.clock.wall_us())


def restore_chore(tools: ChoreTools) -> RestoreWork:
    """The chore as the recorder runs it."""
    return RestoreWork(tools, ExamReader(tools.settings.exam_db))
