"""Carries out exports (导出) that the console ordered, one after the other, beside the recording.

An order that a stop or a crash interrupts is made again from its beginning at the next start: an unfinished
bag is never gone on with. Only folders named in the settings are written to.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from threading import Event
from typing import Final

import structlog

from config.footage_words import load_footage_words
from config.settings import Settings
from evidence.database import ReaderDatabase
from evidence.export import ExportTools, MadeBag, carry_out
from evidence.export_orders import read_wish, refuse_restricted
from evidence.export_plan import ExportError, ExportWish
from evidence.ingest import Store
from evidence.proofs import Authority
from evidence.work_orders import Order, OrderKind, Report, WorkState, write_report
from exam.clock import SECOND_US
from recorder.chore_tools import ChoreTools, ExamReader, open_orders

# So often progress is written down: a page asks every two seconds.
REPORT_US: Final = SECOND_US

UNEXPECTED_WORDS: Final = "发生意外错误，导出未完成，已写部分不能使用；档案未受影响。请联系系统管理员。"

_log: Final = structlog.get_logger("recorder")


class _StopAskedError(Exception):
    """The service stops; the order is taken up again at the next start."""


def export_words() -> Mapping[str, str]:
    """Why there is no footage, by cause and kind of stretch."""
    words = load_footage_words()
    return {**words.parts, **words.causes}


@dataclass(slots=True)
class ExportWork:
    """Looks for export orders and carries them out, the oldest first."""

    settings: Settings
    store: Store
    exam: ExamReader

    def __call__(self, is_over: Event) -> None:
        """One turn: every order that has no final report."""
        exam = self.exam.database()
        if exam is None:
            return
        for order in open_orders(exam, self.store, OrderKind.EXPORT):
            if not is_over.is_set():
                self._carry_out(exam, order, is_over)

    def _carry_out(self, exam: ReaderDatabase, order: Order, is_over: Event) -> None:
        try:
            with exam.read() as connection:
                wish = read_wish(connection, order)
            require_allowed = partial(self._require_allowed, exam, wish)
            require_allowed()
            self._check(wish)
            tools = replace(self._tools(), require_allowed=require_allowed)
            made = carry_out(tools, wish, _Telling(self, order.id, is_over, require_allowed))
        except _StopAskedError:
            return
        except ExportError as error:
            _log.warning("export_failed", order=order.id, because=str(error))
            self._fail(order, str(error))
            return
        except Exception:  # noqa: BLE001 - the boundary of an order: tried for ever it would hold up all others
            _log.exception("export_broken", order=order.id)
            self._fail(order, UNEXPECTED_WORDS)
            return
        _log.info("exported", order=order.id, bags=[bag.path.name for bag in made])
        self.report(final_report(wish, made, tools.authority.fingerprint))

    def _require_allowed(self, exam: ReaderDatabase, wish: ExportWish) -> None:
        with exam.read() as connection, self.store.database.read() as footage:
            refuse_restricted(connection, footage, wish)

    def _fail(self, order: Order, words: str) -> None:
        self.report(Report(order.id, WorkState.FAILED, words=words, outcome={"bags": []}))

    def _check(self, wish: ExportWish) -> None:
        if wish.target not in self.settings.export_folders:
            raise ExportError("目标文件夹不在设置允许的范围内。")
        if wish.target == self.settings.default_export_folder:
            wish.target.mkdir(parents=True, exist_ok=True)

    def _tools(self) -> ExportTools:
        clock, settings = self.store.clock, self.settings
        authority = Authority.open(settings.keys_folder, settings.data_folder, clock)
        return ExportTools(self.store.database, authority, export_words())

    def report(self, made: Report) -> None:
        """Write down how far the order is."""
        with self.store.database.write() as connection:
            write_report(connection, made, self.store.clock.wall_us())


@dataclass(slots=True)
class _Telling:
    """Passes progress on, not too often, asking each time whether that may go on; and a stop at once."""

    work: ExportWork
    order_id: int
    is_over: Event
    require_allowed: Callable[[], None]
    told_at_us: int | None = None
    words: str = ""

    def __call__(self, done: int, total: int, words: str) -> None:
        if self.is_over.is_set():
            raise _StopAskedError
        now_us = self.work.store.clock.monotonic_us()
        is_due = self.told_at_us is None or now_us - self.told_at_us >= REPORT_US
        if is_due or words != self.words:
            self.told_at_us, self.words = now_us, words
            self.require_allowed()
            self.work.report(Report(self.order_id, WorkState.RUNNING, done, total, words))


def final_report(wish: ExportWish, made: list[MadeBag], fingerprint: str) -> Report:
    """What came of an export that was carried out."""
    names = [bag.path.name for bag in made]
    is_whole = all(bag.is_complete for bag in made)
    words = "全部交付" if is_whole else "已导出，但有未交付或无法说明的部分，见电子数据清单"
    words += "；已从介质读回核对" if wish.options.read_back else "；没有从介质读回核对"
    outcome = {
        "bags": names,
        "target": str(wish.target),
        "is_complete": int(is_whole),
        "fingerprint": fingerprint,
    }
    return Report(wish.order_id, WorkState.DONE, len(made), len(made), words, outcome)


def export_chore(tools: ChoreTools) -> ExportWork:
    """The chore as the recorder runs it."""
    return ExportWork(tools.settings, tools.store, ExamReader(tools.settings.exam_db))
