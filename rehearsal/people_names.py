"""Invents candidates for rehearsals and writes the roster an exam administration would send.

The same seed gives the same people. Their document numbers have right check digits but begin with
an area code that was never issued, so that no number can be anybody's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Final

from openpyxl import Workbook

from exam.identity import check_digit

# No administrative division has, or had, a code beginning with 99.
INVENTED_AREA: Final = "990101"
TICKET_PREFIX: Final = "9926"
FIRST_BIRTHDAY: Final = date(1968, 1, 1)
BIRTHDAY_DAYS: Final = 13_500
HEADINGS: Final = (
    "序号",
    "姓名",
    "证件类型",
    "证件号码",
    "准考证号",
    "场次",
    "考场",
    "座位号/工位号",
    "工作单位",
)
SURNAMES: Final = "王李张刘陈杨黄赵周吴徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程"
GIVEN: Final = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂英华玉建国文斌宇浩晨欣怡雨桐梓涵一诺思远嘉瑞子轩"
RARE_NAMES: Final = ("阿卜杜热西提·买买提", "欧阳思远", "司徒一诺", "卜一")
EMPLOYERS: Final = ("青山机电有限公司", "望江电力检修公司", "示范职业技术学院", "东湖物业服务中心", "")


@dataclass(frozen=True, slots=True)
class InventedPerson:
    """Somebody who does not exist, with both documents."""

    name: str
    id_number: str
    ticket_no: str
    employer: str


@dataclass(frozen=True, slots=True)
class RosterBlock:
    """So many candidates of one session in one room."""

    session: str
    room: str
    candidates: int


@dataclass(frozen=True, slots=True)
class RosterLine:
    """One line of the roster. An empty place lets the import give the next free one."""

    person: InventedPerson
    session: str
    room: str
    place: str = ""


def invent_people(count: int, seed: int) -> list[InventedPerson]:
    """So many different people with different numbers."""
    random = Random(seed)  # noqa: S311 - the same seed must give the same people
    numbers: dict[str, None] = {}
    while len(numbers) < count:
        numbers[_invent_number(random)] = None
    return [
        InventedPerson(_invent_name(random), number, f"{TICKET_PREFIX}{order:08d}", random.choice(EMPLOYERS))
        for order, number in enumerate(numbers, 1)
    ]


def write_roster(path: Path, blocks: Sequence[RosterBlock], seed: int) -> list[RosterLine]:
    """Write an XLSX roster with new people for every block; say who is on it, in the file's order."""
    people = iter(invent_people(sum(block.candidates for block in blocks), seed))
    lines = [
        RosterLine(next(people), block.session, block.room)
        for block in blocks
        for _ in range(block.candidates)
    ]
    write_lines(path, lines)
    return lines


def write_lines(path: Path, lines: Sequence[RosterLine]) -> None:
    """Write these lines as the export of an exam administration: a title, headings, text cells."""
    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet("参考花名册")
    sheet.append(["参考花名册（演练用，人员均为虚构）"])
    sheet.append(HEADINGS)
    for number, line in enumerate(lines, 1):
        person = line.person
        sheet.append(
            [
                number,
                person.name,
                "居民身份证",
                person.id_number,
                person.ticket_no,
                line.session,
                line.room,
                line.place,
                person.employer,
            ]
        )
    workbook.save(path)


def _invent_number(random: Random) -> str:
    born = FIRST_BIRTHDAY + timedelta(days=random.randrange(BIRTHDAY_DAYS))
    first = f"{INVENTED_AREA}{born:%Y%m%d}{random.randrange(1, 1000):03d}"
    return first + check_digit(first)


def _invent_name(random: Random) -> str:
    if random.random() < 0.03:
        return random.choice(RARE_NAMES)
    return random.choice(SURNAMES) + "".join(random.choices(GIVEN, k=random.choice((1, 2, 2))))
