"""Looks for damaged pages in the footage index at every start and once a day, beside the recording.

Recording goes on with a damaged index: the files describe themselves, and the index can be made anew
after the exam. What must not happen is that nobody knows: the console says it until a look finds it sound.
"""

import sqlite3
import threading
from typing import Final

import structlog

from evidence.index_look import keep_look
from evidence.ingest import Store
from evidence.lost_index import damage_in
from recorder.chores import Chore

EVERY_S: Final = 24 * 3600.0
REMEDY: Final = "after the exam stop the recorder and run: python3 run.py rebuild"

_log: Final = structlog.get_logger("recorder")


def index_chore(store: Store) -> Chore:
    """Looks at once, and then every day."""

    def work(_is_over: threading.Event) -> None:
        check_index(store)

    return Chore("index", EVERY_S, work)


def check_index(store: Store) -> bool:
    """Read every page of the index. False, and told loudly and on the console, when one is damaged."""
    try:
        with store.database.read() as connection:
            damage = damage_in(connection)
    except sqlite3.DatabaseError as error:
        damage = str(error)
    if damage:
        _log.error("index_damaged", file=str(store.database.path), found=damage, remedy=REMEDY)
    try:
        keep_look(store.database.path, damage, store.clock.wall_us())
    except OSError:  # the log has it
        _log.exception("index_look_not_kept")
    return not damage
