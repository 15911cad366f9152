"""Checks a roster (参考花名册) before anything of it is believed: all or nothing.

Pure: typed rows in, checked entries or every fault out, each fault naming row, column and reason
in the words of the person who has to correct the file. Numbers are never repaired (domain rule
R20: the exam administration's system is the master).
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from exam.day import Place, Room, Session
from exam.identity import DocumentType, NumberFault, has_doubtful_birth_date, normalise, number_fault
from exam.tickets import TICKET, normalise_ticket

MAX_TEXT: Final = 100
LOST_DIGITS: Final = "单元格是数字格式，会丢失位数或开头的0；请按文本格式重新导出，不要手工补位"

NUMBER_FAULT_WORDS: Final = {
    NumberFault.MISSING: "不能为空",
    NumberFault.FIFTEEN_DIGITS: "是15位旧号码，已停止使用；请填18位号码",
    NumberFault.SCIENTIFIC: "成了科学计数法，已丢失位数；请按文本格式重新导出",
    NumberFault.WRONG_LENGTH: "位数不对",
    NumberFault.WRONG_CHARACTER: "含有不应出现的字符",
    NumberFault.WRONG_CHECK_DIGIT: "校验码不符，号码有误",
}


class Field(StrEnum):
    """What a column of the roster holds; keys of config/roster_columns.toml."""

    NAME = "name"
    DOCUMENT_TYPE = "document_type"
    ID_NUMBER = "id_number"
    TICKET_NO = "ticket_no"
    SESSION = "session"
    ROOM = "room"
    PLACE = "place"
    EMPLOYER = "employer"


OPTIONAL: Final = frozenset({Field.PLACE, Field.EMPLOYER})
REQUIRED: Final = tuple(field for field in Field if field not in OPTIONAL)


@dataclass(frozen=True, slots=True)
class RosterColumns:
    """How real exports name their columns and document types. Keys are as `heading_key` makes them."""

    headings: Mapping[str, Field]
    document_types: Mapping[str, DocumentType]
    # The official name of each column and document type, for reports.
    field_words: Mapping[Field, str]
    document_words: Mapping[DocumentType, str]


@dataclass(frozen=True, slots=True)
class RawCell:
    """One cell as the file holds it."""

    text: str
    # The file stores a number, not text: an identity or ticket number has lost digits then.
    is_number: bool = False


@dataclass(frozen=True, slots=True)
class RawRow:
    """One row as the file holds it; `row_no` as a spreadsheet counts."""

    row_no: int
    cells: Mapping[Field, RawCell]

    def text(self, field: Field) -> str:
        """The cell's plain text without outer spaces; empty when there is none."""
        cell = self.cells.get(field)
        return unicodedata.normalize("NFKC", cell.text).strip() if cell else ""

    def is_number(self, field: Field) -> bool:
        """Whether the cell holds a number instead of text."""
        cell = self.cells.get(field)
        return cell is not None and cell.is_number


@dataclass(frozen=True, slots=True)
class RowFault:
    """One thing wrong, or worth a look. No row: the whole file. No field: the whole row."""

    row_no: int | None
    field: Field | None
    reason: str


@dataclass(frozen=True, slots=True)
class Arrangement:
    """What the roster may refer to: sessions of the batch, rooms, and the places of each room."""

    sessions: Sequence[Session]
    rooms: Mapping[int, Room]
    places: Mapping[int, Sequence[Place]]


@dataclass(frozen=True, slots=True)
class CheckedRow:
    """One row understood: who, in which session and room, and the place when the row names one."""

    row_no: int
    name: str
    document_type: DocumentType
    id_number: str
    ticket_no: str
    employer: str
    session: Session
    room: Room
    place: Place | None


@dataclass(frozen=True, slots=True)
class CheckedRows:
    """All rows understood, or every fault; warnings are for people and stop nothing."""

    rows: tuple[CheckedRow, ...]
    faults: tuple[RowFault, ...]
    warnings: tuple[RowFault, ...]


def heading_key(words: str) -> str:
    """How headings and document names are compared: without spaces, stars and brackets' width."""
    return re.sub(r"[\s*:：]", "", unicodedata.normalize("NFKC", words))


def check_rows(
    rows: Sequence[RawRow], arrangement: Arrangement, columns: RosterColumns, today: date
) -> CheckedRows:
    """Every row understood on its own and beside the others."""
    checked: list[CheckedRow] = []
    faults: list[RowFault] = []
    for row in rows:
        reader = _RowReader(row, arrangement, columns)
        understood = reader.read()
        faults += reader.faults
        if understood is not None:
            checked.append(understood)
    faults += _conflicts(checked)
    warnings = [
        RowFault(row.row_no, Field.ID_NUMBER, "号码中的出生日期不合理，请核对")
        for row in checked
        if has_doubtful_birth_date(row.id_number, today)
    ]
    return CheckedRows(tuple(checked), tuple(sorted(faults, key=_position)), tuple(warnings))


def _position(fault: RowFault) -> tuple[int, str]:
    return (fault.row_no or 0, fault.field or "")


@dataclass(slots=True)
class _RowReader:
    row: RawRow
    arrangement: Arrangement
    columns: RosterColumns
    faults: list[RowFault]

    def __init__(self, row: RawRow, arrangement: Arrangement, columns: RosterColumns) -> None:
        self.row, self.arrangement, self.columns, self.faults = row, arrangement, columns, []

    def read(self) -> CheckedRow | None:
        name, employer = self._words(Field.NAME), self._words(Field.EMPLOYER)
        document_type = self._document_type()
        id_number = self._id_number(document_type)
        ticket_no = self._ticket_no()
        session = self._session()
        room = self._room(session)
        place = self._place(room) if room else None
        if self.faults or document_type is None or session is None or room is None:
            return None
        return CheckedRow(
            row_no=self.row.row_no,
            name=name,
            document_type=document_type,
            id_number=id_number,
            ticket_no=ticket_no,
            employer=employer,
            session=session,
            room=room,
            place=place,
        )

    def _fault(self, field: Field, reason: str) -> None:
        self.faults.append(RowFault(self.row.row_no, field, reason))

    def _text(self, field: Field) -> str:
        text = self.row.text(field)
        if not text and field not in OPTIONAL:
            self._fault(field, "不能为空")
        return text

    def _words(self, field: Field) -> str:
        text = self._text(field)
        if len(text) > MAX_TEXT or not text.isprintable():
            self._fault(field, "过长或含有不可见字符")
        elif self.row.is_number(field):
            self._fault(field, "应为文字，而单元格是数字")
        return text

    def _document_type(self) -> DocumentType | None:
        text = self._text(Field.DOCUMENT_TYPE)
        found = self.columns.document_types.get(heading_key(text))
        if text and found is None:
            known = "、".join(self.columns.document_words.values())
            self._fault(Field.DOCUMENT_TYPE, f"不认识“{text}”；可以填：{known}")
        return found

    def _id_number(self, document_type: DocumentType | None) -> str:
        if self.row.is_number(Field.ID_NUMBER):
            self._fault(Field.ID_NUMBER, LOST_DIGITS)
            return ""
        number = normalise(self._text(Field.ID_NUMBER))
        fault = number_fault(document_type, number) if document_type and number else None
        if fault is not None:
            hint = "（末三位是000，可能在表格软件中丢失了位数）" if number.endswith("000") else ""
            self._fault(Field.ID_NUMBER, NUMBER_FAULT_WORDS[fault] + hint)
        return number

    def _ticket_no(self) -> str:
        if self.row.is_number(Field.TICKET_NO):
            self._fault(Field.TICKET_NO, LOST_DIGITS)
            return ""
        number = normalise_ticket(self._text(Field.TICKET_NO))
        if number and not TICKET.fullmatch(number):
            self._fault(Field.TICKET_NO, "只能由数字、字母和短横线组成，3至40位；科学计数法说明已丢失位数")
        return number

    def _session(self) -> Session | None:
        code = self._text(Field.SESSION)
        found = next((one for one in self.arrangement.sessions if one.code == code), None)
        if code and found is None:
            known = "、".join(one.code for one in self.arrangement.sessions) or "无"
            self._fault(Field.SESSION, f"本批次没有场次“{code}”；已有场次：{known}")
        elif found is not None and found.cancelled_at_us is not None:
            self._fault(Field.SESSION, f"场次“{code}”已取消")
        return found

    def _room(self, session: Session | None) -> Room | None:
        words = self._text(Field.ROOM)
        if not words or session is None:
            return None
        rooms = self.arrangement.rooms.values()
        found = next((room for room in rooms if heading_key(words) in _room_names(room)), None)
        if found is None:
            self._fault(Field.ROOM, f"考点没有考场“{words}”")
        elif found.id not in session.room_ids:
            self._fault(Field.ROOM, f"场次“{session.code}”不使用考场“{words}”")
            return None
        return found

    def _place(self, room: Room) -> Place | None:
        words = self._text(Field.PLACE)
        label = _place_label(words)
        places = self.arrangement.places.get(room.id, ())
        found = next((place for place in places if _place_label(place.label) == label), None)
        if words and found is None:
            self._fault(Field.PLACE, f"{room.label}没有“{words}”号")
        return found


def _room_names(room: Room) -> set[str]:
    return {heading_key(room.code), heading_key(room.label)}


def _place_label(words: str) -> str:
    """'012', '12号' and '12' are the same place."""
    label = words.removesuffix("号").strip()
    return str(int(label)) if label.isdecimal() else label


def _conflicts(rows: Sequence[CheckedRow]) -> Iterator[RowFault]:
    yield from _repeated(
        rows, [(row.session.id, row.ticket_no) for row in rows], Field.TICKET_NO, "同一场次中准考证号重复"
    )
    yield from _repeated(
        rows, [(row.session.id, row.id_number) for row in rows], Field.ID_NUMBER, "同一场次中证件号码重复"
    )
    seated = [row for row in rows if row.place is not None]
    places = [(row.session.id, row.place.id) for row in seated if row.place is not None]
    yield from _repeated(seated, places, Field.PLACE, "同一场次中座位重复")
    yield from _disagreeing(rows)


def _repeated(
    rows: Sequence[CheckedRow], keys: Sequence[tuple[int, object]], field: Field, words: str
) -> Iterator[RowFault]:
    first: dict[tuple[int, object], int] = {}
    for row, key in zip(rows, keys, strict=True):
        if key in first:
            yield RowFault(row.row_no, field, f"{words}：与第{first[key]}行相同")
        else:
            first[key] = row.row_no


def _disagreeing(rows: Sequence[CheckedRow]) -> Iterator[RowFault]:
    """A person may sit several sessions; then every row must say the same of him."""
    by_ticket: dict[str, CheckedRow] = {}
    ticket_of: dict[str, CheckedRow] = {}
    for row in rows:
        known = by_ticket.setdefault(row.ticket_no, row)
        for field in _differences(known, row):
            yield RowFault(row.row_no, field, f"与第{known.row_no}行准考证号相同，而此项不同")
        owner = ticket_of.setdefault(row.id_number, row)
        if owner.ticket_no != row.ticket_no:
            yield RowFault(row.row_no, Field.TICKET_NO, f"与第{owner.row_no}行证件号码相同，而准考证号不同")


def _differences(one: CheckedRow, other: CheckedRow) -> list[Field]:
    pairs = {
        Field.NAME: one.name == other.name,
        Field.DOCUMENT_TYPE: one.document_type is other.document_type,
        Field.ID_NUMBER: one.id_number == other.id_number,
        Field.EMPLOYER: one.employer == other.employer,
    }
    return [field for field, is_equal in pairs.items() if not is_equal]


def rows_by_room(rows: Iterable[CheckedRow]) -> Mapping[tuple[int, int], list[CheckedRow]]:
    """The rows of each session and room, in the order of their ticket numbers."""
    found: defaultdict[tuple[int, int], list[CheckedRow]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: (len(row.ticket_no), row.ticket_no)):
        found[row.session.id, row.room.id].append(row)
    return found
