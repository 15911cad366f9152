"""Rows and rooms for roster tests: one theory session T1 in two small rooms, one practical P1."""

from exam.clock import MINUTE_US
from exam.day import Place, PlaceKind, Room, RoomKind, Session, SessionKind
from exam.identity import DocumentType
from exam.roster import Arrangement, CheckedRow, Field, RawCell, RawRow, RosterColumns
from tests.world import START_US, invented_number

ROOM_1 = Room(1, "R01", "第1考场", RoomKind.THEORY)
ROOM_2 = Room(2, "R02", "第2考场", RoomKind.THEORY)
WORKSHOP = Room(3, "P01", "实训室", RoomKind.PRACTICAL)
T1 = Session(1, 1, "T1", SessionKind.THEORY, "理论知识", "theory", START_US, 90 * MINUTE_US, room_ids=(1, 2))
P1 = Session(
    2, 1, "P1", SessionKind.PRACTICAL, "操作技能", "practical", START_US, 90 * MINUTE_US, room_ids=(3,)
)
GONE = Session(
    3, 1, "T9", SessionKind.THEORY, "理论知识", "theory", START_US, MINUTE_US, (1,), cancelled_at_us=1
)


def places(room: Room, count: int) -> list[Place]:
    kind = PlaceKind.STATION if room.kind is RoomKind.PRACTICAL else PlaceKind.SEAT
    return [Place(room.id * 100 + n, room.id, kind, str(n), 1, n) for n in range(1, count + 1)]


ARRANGEMENT = Arrangement(
    sessions=(T1, P1, GONE),
    rooms={1: ROOM_1, 2: ROOM_2, 3: WORKSHOP},
    places={1: places(ROOM_1, 12), 2: places(ROOM_2, 2), 3: places(WORKSHOP, 2)},
)
COLUMNS = RosterColumns(
    headings={},
    document_types={"身份证": DocumentType.ID_CARD, "护照": DocumentType.PASSPORT},
    field_words={field: field.value for field in Field},
    document_words={DocumentType.ID_CARD: "身份证", DocumentType.PASSPORT: "护照"},
)


def raw(row_no: int, **cells: str | RawCell) -> RawRow:
    """A sound row of candidate number `row_no`, but for the cells given."""
    every: dict[str, str | RawCell] = {
        "name": f"考生{row_no}",
        "document_type": "身份证",
        "id_number": invented_number(row_no),
        "ticket_no": f"99260000{row_no:04d}",
        "session": "T1",
        "room": "第1考场",
        **cells,
    }
    return RawRow(
        row_no,
        {Field(name): cell if isinstance(cell, RawCell) else RawCell(cell) for name, cell in every.items()},
    )


def checked(
    row_no: int,
    *,
    session: Session = T1,
    room: Room = ROOM_1,
    place: Place | None = None,
    ticket_no: str = "",
    number: int = 0,
    name: str = "",
) -> CheckedRow:
    """The checked row of candidate number `row_no`."""
    return CheckedRow(
        row_no=row_no,
        name=name or f"考生{row_no}",
        document_type=DocumentType.ID_CARD,
        id_number=invented_number(number or row_no),
        ticket_no=ticket_no or f"99260000{row_no:04d}",
        employer="",
        session=session,
        room=room,
        place=place,
    )
