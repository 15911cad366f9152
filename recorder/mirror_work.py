"""Keeps the second copy (第二份副本) up with the footage: copies, catches up, reads copies again.

A mirror that is away, full or wrong is an alarm and nothing more: recording never waits for it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from threading import Event
from typing import Final

import structlog

from evidence.fixity import present_volumes
from evidence.fixity_rows import IndexedFile
from evidence.joint_decisions import DecisionKind, decided_subjects
from evidence.mirror import (
    MirrorError,
    Wanted,
    copy_files,
    forget_mirror_state,
    unmirrored,
    write_mirror_state,
)
from evidence.mirror_look import Mirror, MirrorLook, MirrorLooker
from exam.clock import MINUTE_US
from recorder.chore_tools import ChoreTools, ExamReader
from recorder.quiet_reading import Pacer, Search, yield_to_others

# Files of one turn: one leaf each.
TOGETHER: Final = 50
# Files that come meanwhile are one leaf together.
EVERY_S: Final = 30.0
DAY_US: Final = 24 * 60 * MINUTE_US

_log: Final = structlog.get_logger("recorder")


@dataclass(slots=True)
class MirrorWork:
    """For one thread. `looker` is None when no mirror is set."""

    tools: ChoreTools
    looker: MirrorLooker | None
    prepare: Callable[[], object] = yield_to_others
    _is_prepared: bool = False
    _search: Search = field(default_factory=Search)

    def __call__(self, is_over: Event) -> None:
        """One turn: look at the mirror, and copy until there is nothing left or something is in the way."""
        if not self._is_prepared:
            self.prepare()
            self._is_prepared = True
        if self.looker is None:
            with self.tools.store.database.write() as connection:
                forget_mirror_state(connection)
            return
        look = self.looker.look(self.tools.store.clock.wall_us())
        while look.mirror is not None and look.trouble is None and not is_over.is_set():
            files = self._next(look.mirror)
            if not files:
                break
            look = self._copy(look, look.mirror, files, is_over)
            self._publish(look)
        self._publish(look)

    def _next(self, mirror: Mirror) -> list[IndexedFile]:
        store = self.tools.store
        since_us = store.clock.wall_us() - self.tools.settings.recorder.fixity_days * DAY_US
        with store.database.read() as connection:
            after_id = self._search.after_id(store.clock.monotonic_us())
            wanted = Wanted(present_volumes(connection), since_us, after_id, TOGETHER)
            files = unmirrored(connection, mirror.id, wanted)
        self._search.came_to(files)
        return files

    def _copy(self, look: MirrorLook, mirror: Mirror, files: list[IndexedFile], is_over: Event) -> MirrorLook:
        store = self.tools.store
        pacer = Pacer(store.clock, self.tools.settings.recorder.fixity_mb_per_s, is_over)
        try:
            copy_files(store, mirror, files, pacer)
        except MirrorError as error:
            self._search = Search()
            _log.error("mirror_failed", mirror=str(mirror.path), because=str(error))
            return replace(look, trouble=error.trouble, expected="copies that stay", found=error.found)
        return look

    def _publish(self, look: MirrorLook) -> None:
        assert self.looker is not None
        with self.tools.store.database.write() as connection:
            write_mirror_state(connection, self.looker.path, look, self.tools.store.clock.wall_us())


def mirror_chore(tools: ChoreTools) -> MirrorWork:
    """The chore as the recorder runs it."""
    chosen = tools.settings.recorder
    if chosen.mirror is None:
        return MirrorWork(tools, None)
    reserves = [] if chosen.reserve_volume is None else [chosen.reserve_volume]
    volumes = [path.absolute() for path in [*tools.settings.footage_volumes, *reserves]]
    exam = ExamReader(tools.settings.exam_db)
    looker = MirrorLooker(
        tools.store.database, chosen.mirror.absolute(), volumes, given_up=lambda: _given_up(exam)
    )
    return MirrorWork(tools, looker)


def _given_up(exam: ExamReader) -> set[str]:
    """The mirrors that two people have given up; none while exam.db cannot be read: then nothing changes."""
    database = exam.database()
    if database is None:
        return set()
    with database.read() as connection:
        return decided_subjects(connection, DecisionKind.GIVE_UP_MIRROR)
