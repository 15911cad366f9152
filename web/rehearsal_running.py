"""Whether this console is a rehearsal's, for whoever must know: what it hears may be of an exam."""

from collections.abc import Sequence
from typing import Final

from flask import current_app

from evidence.announcements import PlayedReport
from evidence.reports_set_aside import set_aside
from web.rehearsal_folder import set_aside_in
from web.rehearsing import Conductor

# Where the app keeps it.
EXTENSION: Final = "kaochang.rehearsal"


def running() -> Conductor | None:
    """The rehearsal that this console is; None: it is the real one."""
    found: Conductor | None = current_app.extensions.get(EXTENSION)
    return found


def set_strangers_aside(reports: Sequence[PlayedReport]) -> None:
    """In a rehearsal, keep reports of other sessions for the site: they may be of an exam. Raises OSError."""
    conductor = running()
    if conductor is not None and reports:
        set_aside(set_aside_in(conductor.services.settings), reports)
