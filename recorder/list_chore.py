"""Completes the lists of digests of all days at every start, beside the recording: evidence.day_lists."""

import threading
from typing import Final

import structlog

from evidence.day_lists import complete_lists
from evidence.ingest import Store
from recorder.chores import Chore

# A volume that was away at the start has its turn the next day.
EVERY_S: Final = 24 * 3600.0

_log: Final = structlog.get_logger("recorder")


def list_chore(store: Store) -> Chore:
    """Looks at once, and then every day."""

    def work(is_over: threading.Event) -> None:
        for folder, lines in complete_lists(store):
            if lines:  # told: on a site that always kept lists nothing may be missing in one
                _log.warning("digest_lines_added", folder=str(folder), lines=lines)
            if is_over.is_set():
                return

    return Chore("lists of digests", EVERY_S, work)
