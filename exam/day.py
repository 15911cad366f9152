"""The day as values: rooms, places, sessions and what has been announced in them."""

from dataclasses import dataclass
from enum import StrEnum


class SessionKind(StrEnum):
    """What a session examines (Arts. 13, 14, 15)."""

    THEORY = "theory"
    PRACTICAL = "practical"
    REVIEW = "review"


class RoomKind(StrEnum):
    """What a room is for (Art. 11)."""

    THEORY = "theory"
    PRACTICAL = "practical"
    VIVA_ROOM = "viva_room"
    WAITING_ROOM = "waiting_room"
    SECURE_ROOM = "secure_room"
    EXAM_OFFICE = "exam_office"
    CONTINGENCY_HALL = "contingency_hall"
    BELONGINGS_AREA = "belongings_area"
    CHECK_IN = "check_in"


class PlaceKind(StrEnum):
    """A theory or review place is a seat, a practical place a station."""

    SEAT = "seat"
    STATION = "station"


@dataclass(frozen=True, slots=True)
class Room:
    """One walled room, as people know it."""

    id: int
    code: str
    label: str
    kind: RoomKind
    directions: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """A seat or station; the grid counts from the front left corner, from 1."""

    id: int
    room_id: int
    kind: PlaceKind
    label: str
    grid_row: int
    grid_col: int


@dataclass(frozen=True, slots=True)
class Session:
    """One sitting: one kind, one planned start, one or more rooms."""

    id: int
    batch_id: int
    code: str
    kind: SessionKind
    subject: str
    procedure_code: str
    planned_start_us: int
    duration_us: int
    room_ids: tuple[int, ...]
    armed_at_us: int | None = None
    cancelled_at_us: int | None = None


class Source(StrEnum):
    """How it came about that a cue sounded, or was missed."""

    SCHEDULE = "schedule"
    PRESS = "press"
    # Learned from a room that rang while the console was away.
    ROOM_REPORT = "room_report"
    # A person recorded when the signal was really given, by hand bell or voice.
    BY_HAND = "by_hand"


@dataclass(frozen=True, slots=True)
class Announced:
    """What became of one cue in one room. `emitted_at_us` is None exactly when it was missed.

    Occurrence 1 is the timetable's; a higher one made good a missed signal, repeats an on-demand cue or
    follows one that was corrected. `account_id`: who pressed or recorded it; None for the schedule.
    """

    session_id: int
    room_id: int
    cue_code: str
    planned_at_us: int
    emitted_at_us: int | None
    occurrence: int = 1
    source: Source = Source.SCHEDULE
    account_id: int | None = None

    @property
    def is_missed(self) -> bool:
        """Whether its tolerance passed before it could sound."""
        return self.emitted_at_us is None
