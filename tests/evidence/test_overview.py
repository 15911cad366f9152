from collections.abc import Iterator
from pathlib import Path

import pytest

from config.outcomes import load_outcome_texts
from config.procedures import load_procedures
from evidence import overview, proctor_log
from evidence.check_in_facts import CheckInRules
from evidence.checkins import CheckInRequest, decide
from evidence.database import WriterDatabase
from evidence.doubt_cases import NewCase, open_case
from evidence.overview import HeadCount, OpenBatch
from evidence.proctor_log import NewEntry
from exam.admission import Outcome
from tests.web.crowd import admit
from tests.world import CLOCK_US, World, build_world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    built = build_world(tmp_path)
    yield built
    built.close()


def note_absent(world: World, candidate_id: int, corrects_id: int | None = None) -> int:
    with world.exam.write() as connection:
        return proctor_log.add_entry(
            connection,
            NewEntry(
                nonce=f"nonce-0000000000-{candidate_id}-{corrects_id}",
                session_id=world.session_id,
                room_id=world.room_1,
                account_id=world.proctor_account_id,
                kind="absent" if corrects_id is None else "withdrawn",
                happened_at_us=CLOCK_US,
                candidate_id=candidate_id,
                corrects_id=corrects_id,
            ),
            CLOCK_US,
        )


def counts(world: World) -> dict[int, HeadCount]:
    with world.exam.read() as connection:
        return overview.head_counts(connection, world.session_id)


def test_before_anybody_came_everybody_is_expected(world: World) -> None:
    assert counts(world) == {world.room_1: HeadCount(3, 0, 0, 0), world.room_2: HeadCount(1, 0, 0, 0)}


def test_people_are_counted_once_in_their_room(world: World) -> None:
    admit(world, world.wrong_ticket.id, "referred")
    admit(world, world.on_time.id)
    note_absent(world, world.late.id)
    assert counts(world)[world.room_1] == HeadCount(expected=3, admitted=1, referred=1, absent=1)


def test_who_was_referred_and_is_in_needs_nobody_any_more(world: World) -> None:
    admit(world, world.wrong_ticket.id, "referred")
    admit(world, world.wrong_ticket.id)
    assert counts(world)[world.room_1] == HeadCount(expected=3, admitted=1, referred=0, absent=0)


def test_two_documents_of_two_people_are_a_case_of_the_ticket_holders_room(world: World) -> None:
    """13(2): the site lead must see it, although the documents name nobody together."""
    rules = CheckInRules(load_procedures(), load_outcome_texts())
    holder, other = world.wrong_ticket, world.other_room
    request = CheckInRequest(world.kiosk_id, "nonce-0000000001", CLOCK_US, holder.ticket_no, other.id_number)
    with world.exam.write() as connection:
        answer = decide(connection, world.vault, request, rules, CLOCK_US)
    assert answer.outcome is Outcome.ID_TICKET_MISMATCH
    assert counts(world)[world.room_1].referred == 1
    assert counts(world)[world.room_2].referred == 0


def test_everybody_expected_is_told_with_how_it_stands(world: World) -> None:
    admit(world, world.on_time.id)
    admit(world, world.wrong_ticket.id, "referred")
    note_absent(world, world.late.id)
    with world.exam.write() as connection:
        doubt = NewCase(Outcome.FACE_DOUBT, world.on_time.id, world.session_id, world.room_1)
        open_case(connection, doubt, CLOCK_US)
    with world.exam.read() as connection:
        found = overview.attendance(connection, world.session_id)
    assert [(one.candidate_name, one.place_label) for one in found[world.room_2]] == [("周远", "1")]
    told = [
        (one.admitted_at_us is not None, one.is_in_doubt, one.is_absent, one.is_referred)
        for one in found[world.room_1]
    ]
    assert told == [(True, True, False, False), (False, False, True, False), (False, False, False, True)]


def test_a_withdrawn_absence_does_not_count(world: World) -> None:
    note_absent(world, world.late.id, corrects_id=note_absent(world, world.late.id))
    assert counts(world)[world.room_1].absent == 0


def test_the_seat_map_shows_every_place_and_who_is_in(world: World) -> None:
    admit(world, world.on_time.id)
    note_absent(world, world.late.id)
    with world.exam.read() as connection:
        seats = overview.seat_map(connection, world.session_id, world.room_1)
    assert len(seats) == 12
    taken = {seat.candidate_name: seat for seat in seats if seat.candidate_id}
    assert taken["陈一诺"].admitted_at_us == CLOCK_US
    assert taken["赵迟"].is_recorded_absent
    assert not taken["孙错"].is_recorded_absent
    free = seats[-1]
    assert (free.grid_row, free.grid_col, free.candidate_id, free.ticket_no) == (3, 4, None, None)


def test_retired_cameras_are_not_watched(world: World) -> None:
    with world.exam.write() as connection:
        connection.execute(
            "update camera set retired_at_us = ? where uuid = ?", (CLOCK_US, world.cameras_1[1])
        )
    with world.exam.read() as connection:
        cameras = overview.room_cameras(connection)
    assert [camera.uuid for camera in cameras[world.room_1]] == [world.cameras_1[0]]
    assert [camera.label for camera in cameras[world.room_2]] == ["前方"]


def test_only_open_batches_take_rosters(world: World) -> None:
    with world.exam.write() as connection:
        assert overview.open_batches(connection) == [OpenBatch("B2026-1", "2026年第1批次")]
        connection.execute("update batch set closed_at_us = 1")
        assert overview.open_batches(connection) == []


def test_a_site_has_a_name_once_its_plan_is_in(world: World, tmp_path: Path) -> None:
    empty = WriterDatabase(tmp_path / "empty" / "exam.db", "exam")
    with empty.read() as connection:
        assert overview.site_name(connection) is None
    empty.close()
    with world.exam.read() as connection:
        assert overview.site_name(connection) == "示例职业技能考点"
