"""Who comes to the demo site on exam day, when, and what must become of each visit. Nobody here exists."""

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from openpyxl import Workbook

from evidence.stretched_numbers import Number, NumberKind, Stretcher
from evidence.vault import Vault
from exam.identity import check_digit
from rehearsal.demo_site import PRACTICAL_AFTER_S, REVIEW_AFTER_S

# Never issued as an area code, so that no real person has such a number.
AREA: Final = "990101"
HEADINGS: Final = ("姓名", "证件类型", "证件号码", "准考证号", "场次", "考场", "座位号", "工作单位")
EMPLOYERS: Final = ("青山机械厂", "青山供电所", "青山职业学校", "远山电子公司")

# Room, session and the people who sit there, seat by seat. The last of 第1考场 and 第2考场 stay away.
SEATED: Final = (
    (
        "T1",
        "第1考场",
        ("陈一诺", "林晓东", "何雨桐", "阿卜杜热西提·买买提", "郑浩然", "冯佳怡", "孙错", "钱未到"),
    ),
    ("T1", "第2考场", ("高志远", "罗文静", "梁永强", "宋子轩", "唐小迟", "吴未到")),
    ("P1", "电工实训室", ("韩铁生", "曹大力", "彭电明")),
    ("V1", "答辩室", ("蒋高工", "沈技师")),
)
# Seats are taken with gaps, so that the seat map looks like a room and not like a queue.
SEAT_STEP: Final = {"第1考场": 2, "第2考场": 3, "电工实训室": 2, "答辩室": 1}


@dataclass(frozen=True, slots=True)
class Candidate:
    """An invented candidate with the full number that only the candidate knows."""

    name: str
    id_number: str
    ticket_no: str
    session: str
    room: str
    place: str
    employer: str


@dataclass(frozen=True, slots=True)
class Visit:
    """One candidate at the kiosk, seconds after the planned theory start, and what must come of it."""

    candidate: Candidate
    at_s: int
    outcome: str
    # The number typed; another person's for a mismatch.
    id_number: str
    # Types one digit wrong first and is asked to look again.
    stumbles: bool = False


def candidates() -> list[Candidate]:
    """Everybody on the demo roster, in seat order."""
    found: list[Candidate] = []
    for session, room, names in SEATED:
        for index, name in enumerate(names):
            order = len(found) + 1
            found.append(
                Candidate(
                    name=name,
                    id_number=_invented_number(order),
                    ticket_no=f"20261122{order:06d}",
                    session=session,
                    room=room,
                    place=str(1 + index * SEAT_STEP[room]),
                    employer=EMPLOYERS[order % len(EMPLOYERS)],
                )
            )
    return found


def visits() -> list[Visit]:
    """The whole day at the kiosk, in order of arrival; about six seconds for each visit."""
    by_name = {candidate.name: candidate for candidate in candidates()}

    def visit(
        name: str, at_s: int, outcome: str = "OK_ADMITTED", *, lent_by: str = "", stumbles: bool = False
    ) -> Visit:
        candidate = by_name[name]
        number = by_name[lent_by].id_number if lent_by else candidate.id_number
        return Visit(candidate, at_s, outcome, number, stumbles)

    on_time = ["林晓东", "高志远", "何雨桐", "罗文静", "阿卜杜热西提·买买提", "梁永强", "郑浩然", "宋子轩"]
    return [
        visit("陈一诺", -52, "TOO_EARLY"),
        *(visit(name, -44 + 5 * index) for index, name in enumerate(on_time[:7])),
        visit("陈一诺", -9),
        visit("孙错", -4, "ID_TICKET_MISMATCH", lent_by="冯佳怡"),
        visit("宋子轩", 2, "OK_LATE", stumbles=True),
        visit("冯佳怡", 9, "OK_LATE"),
        visit("冯佳怡", 15, "OK_ALREADY_HERE"),
        visit("唐小迟", 23, "LATE_CUTOFF"),
        visit("韩铁生", PRACTICAL_AFTER_S - 30),
        visit("曹大力", PRACTICAL_AFTER_S - 24),
        visit("蒋高工", REVIEW_AFTER_S - 30),
        visit("沈技师", REVIEW_AFTER_S - 24),
    ]


def write_roster(path: Path) -> None:
    """The roster as a 考务系统 would export it: an XLSX with every number as text."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("参考花名册")
    sheet.append(HEADINGS)
    for row in _rows():
        sheet.append(row)
    book.save(path)


def stretched_numbers(vault: Vault) -> Mapping[Number, bytes]:
    """Everybody's ticket and ID number, stretched as this site does it: a few seconds, on all processors."""
    numbers = [
        number
        for one in candidates()
        for number in (Number(NumberKind.TICKET, one.ticket_no), Number(NumberKind.ID_NUMBER, one.id_number))
    ]
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        return dict(zip(numbers, threads.map(Stretcher.of(vault).stretch, numbers), strict=True))


def _rows() -> Iterator[tuple[str, ...]]:
    for one in candidates():
        yield (
            one.name,
            "居民身份证",
            one.id_number,
            one.ticket_no,
            one.session,
            one.room,
            one.place,
            one.employer,
        )


def _invented_number(order: int) -> str:
    first = f"{AREA}{1978 + order % 25}{1 + order % 12:02d}{1 + order % 28:02d}{order:03d}"
    return first + check_digit(first)
