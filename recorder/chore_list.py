"""Which chores the recorder has."""

from recorder.camera_clocks import EVERY_S as EVERY_CLOCK_S
from recorder.camera_clocks import camera_clocks_chore
from recorder.chore_tools import ChoreTools, ExamReader
from recorder.chores import Chore
from recorder.disposal_work import disposal_chore
from recorder.export_work import export_chore
from recorder.fixity_work import EVERY_S as EVERY_FIXITY_S
from recorder.fixity_work import PRESENCE_S, fixity_chore, presence_chore
from recorder.index_check import index_chore
from recorder.list_chore import list_chore
from recorder.mirror_work import EVERY_S as EVERY_MIRROR_S
from recorder.mirror_work import mirror_chore
from recorder.picture_desk import picture_chores
from recorder.preflight import preflight_chore
from recorder.relocation_work import EVERY_S as EVERY_RELOCATION_S
from recorder.relocation_work import relocation_chore
from recorder.restore_work import EVERY_S as EVERY_RESTORE_S
from recorder.restore_work import restore_chore
from recorder.schedule_chore import EVERY_S, schedule_chore

__all__ = ["ChoreTools", "ExamReader", "chores"]


def chores(tools: ChoreTools) -> list[Chore]:
    """Every chore of a running recorder. Add yours here, one line each, with how often it looks."""
    return [
        Chore("camera clocks", EVERY_CLOCK_S, camera_clocks_chore(tools)),
        Chore("preflight", 2, preflight_chore(tools)),
        *picture_chores(tools),
        Chore("export", 2, export_chore(tools)),
        Chore("disposal", 5, disposal_chore(tools)),
        Chore("fixity", EVERY_FIXITY_S, fixity_chore(tools)),
        Chore("presence of files", PRESENCE_S, presence_chore(tools)),
        Chore("mirror", EVERY_MIRROR_S, mirror_chore(tools)),
        Chore("restoring volumes", EVERY_RESTORE_S, restore_chore(tools)),
        Chore("relocation", EVERY_RELOCATION_S, relocation_chore(tools)),
        Chore("schedule", EVERY_S, schedule_chore(tools).work),
        index_chore(tools.store),
        list_chore(tools.store),
    ]
