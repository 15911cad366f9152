"""Which chores the recorder has."""

from recorder.chore_tools import ChoreTools, ExamReader
from recorder.chores import Chore
from recorder.disposal_work import disposal_chore
from recorder.export_work import export_chore
from recorder.index_check import index_chore
from recorder.picture_desk import picture_chores
from recorder.preflight import preflight_chore
from recorder.schedule_chore import EVERY_S, schedule_chore

__all__ = ["ChoreTools", "ExamReader", "chores"]


def chores(tools: ChoreTools) -> list[Chore]:
    """Every chore of a running recorder. Add yours here, one line each, with how often it looks."""
    return [
        Chore("preflight", 1, preflight_chore(tools)),
        *picture_chores(tools),
        Chore("export", 1, export_chore(tools)),
        Chore("disposal", 5, disposal_chore(tools)),
        Chore("schedule", EVERY_S, schedule_chore(tools).work),
        index_chore(tools.store),
    ]
