"""The signed readiness sheet and the printer: kept once with their leaves, read back as they were shown."""

import hashlib
import sqlite3

import pytest

from evidence.check_facts import EXAM_FACTS, check_facts
from evidence.ledger import LeafKind, read_leaves
from evidence.readiness import (
    NewSheet,
    Printed,
    find_sheet,
    keep_printer_check,
    last_printer_check,
    seated_counts,
    sheets_of,
    sign_sheet,
)
from exam.readiness import LineState, ReadinessLine, Topic
from tests.world import CLOCK_US, World

DAY = "2026-11-22"
LINES = [
    ReadinessLine(Topic.SOUND, "第1考场", LineState.READY, "试音已听到", "王芳", CLOCK_US),
    ReadinessLine(Topic.PRINTER, "", LineState.OPEN, "还没有人试打印", next_step="请打印测试页。"),
]


def signed(world: World, note: str = "下午再试") -> int:
    with world.exam.write() as connection:
        return sign_sheet(connection, NewSheet(DAY, LINES, note, world.site_lead_account_id), CLOCK_US)


def printed(world: World, outcome: Printed, at_us: int = CLOCK_US) -> None:
    with world.exam.write() as connection:
        keep_printer_check(connection, outcome, world.proctor_account_id, at_us)


def test_a_sheet_is_kept_as_it_was_shown_and_the_ledger_commits_to_it(world: World) -> None:
    sheet_id = signed(world)
    with world.exam.read() as connection:
        [sheet] = sheets_of(connection, DAY)
        assert sheets_of(connection, "2026-11-23") == []
        assert find_sheet(connection, sheet_id) == sheet
        assert find_sheet(connection, 99) is None
        leaves = [leaf for leaf, _ in read_leaves(connection) if leaf.kind == LeafKind.READINESS_SHEET]
    assert (sheet.lines, sheet.open_count, sheet.note, sheet.by) == (LINES, 1, "下午再试", "李强")
    assert sheet.sha256 == hashlib.sha256(sheet.content.encode()).hexdigest()
    assert sheet.sha256 in leaves[0].body
    assert "下午" not in leaves[0].body


def test_open_lines_need_a_note_and_none_does_where_all_is_ready(world: World) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        signed(world, "")
    ready = NewSheet(DAY, LINES[:1], "", world.site_lead_account_id)
    with world.exam.write() as connection:
        assert sign_sheet(connection, ready, CLOCK_US) == 1


def test_the_last_word_about_the_printer_counts_for_as_long_as_asked(world: World) -> None:
    with world.exam.read() as connection:
        assert last_printer_check(connection, 1) is None
    printed(world, Printed.NOT_PRINTED)
    printed(world, Printed.PRINTED, CLOCK_US + 1)
    with world.exam.read() as connection:
        last = last_printer_check(connection, CLOCK_US)
        assert last_printer_check(connection, CLOCK_US + 2) is None
    assert last is not None
    assert (last.outcome, last.by, last.checked_at_us) == (Printed.PRINTED, "王芳", CLOCK_US + 1)


def test_facts_and_ledger_agree_and_a_sheet_that_was_touched_is_found(world: World) -> None:
    signed(world)
    printed(world, Printed.PRINTED)
    with world.exam.write() as connection:
        assert list(check_facts(connection, EXAM_FACTS)) == []
        connection.execute("drop trigger readiness_sheet_never_changes")
        connection.execute("update readiness_sheet set content = replace(content, '第1', '第2')")
        assert len(list(check_facts(connection, EXAM_FACTS))) == 1


@pytest.mark.parametrize("table", ["printer_check", "readiness_sheet"])
def test_what_was_signed_is_never_changed(world: World, table: str) -> None:
    signed(world)
    printed(world, Printed.PRINTED)
    for statement in (f"update {table} set account_id = account_id", f"delete from {table}"):
        with world.exam.write() as connection, pytest.raises(sqlite3.IntegrityError, match="never"):
            connection.execute(statement)


def test_the_seated_are_counted_room_by_room(world: World) -> None:
    with world.exam.read() as connection:
        assert seated_counts(connection, [world.session_id]) == [3, 1]
        assert seated_counts(connection, []) == []
