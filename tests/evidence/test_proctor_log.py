from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from evidence import proctor_log
from evidence.proctor_log import LogEntryError, NewEntry
from tests.world import CLOCK_US, World, build_world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    built = build_world(tmp_path)
    yield built
    built.close()


def entry(world: World, **changes: Any) -> NewEntry:
    facts = {
        "nonce": "nonce-000000000001",
        "session_id": world.session_id,
        "room_id": world.room_1,
        "account_id": world.proctor_account_id,
        "kind": "absent",
        "happened_at_us": CLOCK_US,
        "candidate_id": world.late.id,
    }
    return NewEntry(**{**facts, **changes})


def add(world: World, wanted: NewEntry, now_us: int = CLOCK_US + 1) -> int:
    with world.exam.write() as connection:
        return proctor_log.add_entry(connection, wanted, now_us)


def log(world: World) -> list[proctor_log.LogEntry]:
    with world.exam.read() as connection:
        return proctor_log.load_entries(connection, world.session_id, world.room_1)


def test_an_entry_is_read_back_with_name_seat_and_author(world: World) -> None:
    entry_id = add(world, entry(world, text="未到场"))
    [kept] = log(world)
    assert kept == proctor_log.LogEntry(
        id=entry_id,
        kind="absent",
        text="未到场",
        happened_at_us=CLOCK_US,
        recorded_at_us=CLOCK_US + 1,
        author="王芳",
        candidate_name="赵迟",
        place_label=world.late.place_label,
        corrects_id=None,
        corrected_by_id=None,
    )


def test_a_repeated_request_adds_nothing(world: World) -> None:
    first = add(world, entry(world))
    assert add(world, entry(world), CLOCK_US + 900) == first
    assert len(log(world)) == 1


def test_the_newest_stands_first(world: World) -> None:
    early = add(world, entry(world, nonce="nonce-early-0000001", happened_at_us=CLOCK_US - 5))
    late = add(world, entry(world, nonce="nonce-late-00000001", candidate_id=None, kind="other", text="停电"))
    assert [one.id for one in log(world)] == [late, early]


def test_a_correction_names_the_old_entry_and_leaves_it(world: World) -> None:
    wrong = add(world, entry(world))
    right = add(world, entry(world, nonce="nonce-000000000002", kind="late", corrects_id=wrong))
    by_id = {one.id: one for one in log(world)}
    assert by_id[wrong].corrected_by_id == right
    assert by_id[wrong].kind == "absent"
    assert by_id[right].corrects_id == wrong


def test_an_entry_is_corrected_once(world: World) -> None:
    wrong = add(world, entry(world))
    add(world, entry(world, nonce="nonce-000000000002", corrects_id=wrong))
    with pytest.raises(LogEntryError, match="corrected already"):
        add(world, entry(world, nonce="nonce-000000000003", corrects_id=wrong))


def test_what_contradicts_the_day_is_refused(world: World) -> None:
    with pytest.raises(LogEntryError, match="does not sit in this room"):
        add(world, entry(world, candidate_id=world.other_room.id))
    with pytest.raises(LogEntryError, match="session does not sit"):
        add(world, entry(world, session_id=999))
    with pytest.raises(LogEntryError, match="not in this log"):
        add(world, entry(world, corrects_id=999))
    assert log(world) == []
