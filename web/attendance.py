"""Check-in progress of a room as a picture: in, late, in doubt, at the staff window, absent, still expected.

A bar for thirty rooms, a seat map for one. Everything drawn is said in words, too.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from sqlite3 import Connection
from typing import Final

from evidence import overview
from evidence.overview import Attendance
from exam.identity import masked_name


class SeatState(StrEnum):
    """How it stands with one expected candidate, in the order of the bar. Values name classes and symbols."""

    IN = "in"
    LATE = "late"
    DOUBT = "doubt"
    WINDOW = "window"
    ABSENT = "absent"
    EXPECTED = "expected"


WORDS: Final[Mapping[SeatState, str]] = {
    SeatState.IN: "已到",
    SeatState.LATE: "迟到",
    SeatState.DOUBT: "存疑",
    SeatState.WINDOW: "在人工窗口",
    SeatState.ABSENT: "缺考",
    SeatState.EXPECTED: "未到",
}
# What a card with little room tells in words: what is not as it should be.
UNUSUAL: Final = (SeatState.LATE, SeatState.DOUBT, SeatState.WINDOW, SeatState.ABSENT)


@dataclass(frozen=True, slots=True)
class SeatView:
    """One expected candidate at his place."""

    seat: Attendance
    state: SeatState

    @property
    def word(self) -> str:
        return WORDS[self.state]

    @property
    def masked_name(self) -> str:
        return masked_name(self.seat.candidate_name)


@dataclass(frozen=True, slots=True)
class Segment:
    """One part of the bar: from where, how long, in seats."""

    state: SeatState
    start: int
    length: int


@dataclass(frozen=True, slots=True)
class RoomAttendance:
    """Everybody expected in one room of one session."""

    seats: Sequence[SeatView] = ()

    @property
    def counts(self) -> dict[SeatState, int]:
        """How many of each, in the order of the bar; none are left out."""
        found = Counter(view.state for view in self.seats)
        return {state: found[state] for state in SeatState if found[state]}

    @property
    def expected(self) -> int:
        return len(self.seats)

    @property
    def arrived(self) -> int:
        """Who has been let in, late or with a doubt too."""
        return sum(view.seat.admitted_at_us is not None for view in self.seats)

    @property
    def segments(self) -> list[Segment]:
        found, start = [], 0
        for state, length in self.counts.items():
            found.append(Segment(state, start, length))
            start += length
        return found

    @property
    def unusual(self) -> list[tuple[SeatState, str]]:
        """What is not as it should be, in words: 迟到 2."""
        counts = self.counts
        return [(state, f"{WORDS[state]} {counts[state]}") for state in UNUSUAL if state in counts]

    @property
    def words(self) -> str:
        """The whole picture in a sentence, for those who do not see it."""
        told = "，".join(f"{WORDS[state]}{number}人" for state, number in self.counts.items())
        return f"应到{self.expected}人，入场{self.arrived}人" + (f"：{told}" if told else "")

    @property
    def rows(self) -> int:
        return max((view.seat.grid_row for view in self.seats), default=0)

    @property
    def columns(self) -> int:
        return max((view.seat.grid_col for view in self.seats), default=0)

    @property
    def grid(self) -> list[list[SeatView | None]]:
        """Rows from the front, with None where nobody is expected."""
        found = {(view.seat.grid_row, view.seat.grid_col): view for view in self.seats}
        rows = sorted({row for row, _ in found})
        return [[found.get((row, column)) for column in range(1, self.columns + 1)] for row in rows]


def seat_state(seat: Attendance, started_at_us: int | None) -> SeatState:
    """A doubt outweighs everything; late is whoever came in after the room's own start signal (R4)."""
    if seat.is_in_doubt:
        return SeatState.DOUBT
    if seat.admitted_at_us is not None:
        is_late = started_at_us is not None and seat.admitted_at_us >= started_at_us
        return SeatState.LATE if is_late else SeatState.IN
    if seat.is_absent:
        return SeatState.ABSENT
    return SeatState.WINDOW if seat.is_referred else SeatState.EXPECTED


def attendance_of(
    connection: Connection, session_id: int, started: Mapping[int, int | None]
) -> dict[int, RoomAttendance]:
    """Of every room of the session, emergency rooms last; `started`: when each room's start signal came."""
    found = overview.attendance(connection, session_id)
    return {
        room_id: RoomAttendance(
            [SeatView(seat, seat_state(seat, started.get(room_id))) for seat in found.get(room_id, [])]
        )
        for room_id in [*started, *sorted(found.keys() - started.keys())]
    }
