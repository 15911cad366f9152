"""Footage that nobody may view or export while its processing is restricted (限制处理; PIPL Art. 47).

Asked by playback and export before any byte is shown. Storage and its checks go on.
"""

from collections.abc import Iterable
from sqlite3 import Connection

from evidence.holds import closing_to_viewers
from evidence.retention import load_terms
from evidence.timeline import Interval, room_cameras
from exam.retention import FLOOR_YEARS, Reach, is_held, owners


def restricted(exam: Connection, reaches: Iterable[Reach]) -> list[int]:
    """The ids of the restrictions that touch any of these stretches; empty: may be shown."""
    holds = closing_to_viewers(exam)
    if not holds:
        return []
    terms = load_terms(exam, FLOOR_YEARS)
    wanted = list(reaches)
    batches = {reach: [term.batch_id for term in owners(reach, terms)] for reach in wanted}
    return [hold.hold_id for hold in holds if any(is_held(reach, batches[reach], hold) for reach in wanted)]


def restricted_room(exam: Connection, room_id: int, interval: Interval) -> list[int]:
    """The same for all cameras of a room over one interval."""
    cameras = room_cameras(exam, room_id, interval)
    return restricted(exam, [Reach(each.uuid, interval.from_us, interval.until_us) for each in cameras])
