"""Rehearsals: the copy of a day that holds nobody's data, and what is kept of it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from evidence import logins
from evidence.check_facts import EXAM_FACTS, check_facts
from evidence.database import WriterDatabase
from evidence.day import load_rooms, load_sessions
from evidence.given_time import load_grants
from evidence.ledger import LeafKind, read_leaves
from evidence.rehearsal_copy import MARK, SessionIds, copy_day, shift_logins
from evidence.rehearsals import find_rehearsal, keep_rehearsal, rehearsals_of
from exam.clock import MINUTE_US
from exam.rehearsal import Became, Rehearsed, RehearsedSignal
from tests.world import CLOCK_US, START_US, World

DAY = "2026-11-22"
SIGNALS = (
    RehearsedSignal("T1", "第1考场", "C5", "开考信号", START_US, Became.HEARD, 4_000, 1),
    RehearsedSignal("T1", "第2考场", "C5", "开考信号", START_US, Became.SILENT, trouble="no_output"),
    RehearsedSignal("T1", "第1考场", "C8", "终止考试信号", START_US + MINUTE_US, Became.NOT_REACHED),
)


@pytest.fixture
def copy(tmp_path: Path) -> Iterator[WriterDatabase]:
    with closing(WriterDatabase(tmp_path / "copy" / "exam.db", "exam")) as database:
        yield database


def copied(world: World, copy: WriterDatabase) -> SessionIds:
    ids = SessionIds.at(CLOCK_US)
    with world.exam.read() as real, copy.write() as written:
        copy_day(real, written, [world.session_id], ids)
    return ids


def test_the_copy_has_the_plan_under_other_session_ids_and_no_candidate(
    world: World, copy: WriterDatabase
) -> None:
    with world.exam.write() as connection:
        connection.execute("update session set armed_at_us = 1, armed_by = 1")
        token = logins.open_login(connection, world.proctor_account_id, CLOCK_US)
        gone = logins.open_login(connection, world.proctor_account_id, CLOCK_US)
        found = logins.find_login(connection, gone)
        assert found is not None
        logins.close_login(connection, found.id, CLOCK_US)
    ids = copied(world, copy)
    with world.exam.read() as real, copy.read() as connection:
        [planned], [session] = load_sessions(real), load_sessions(connection)
        assert session.id == planned.id + ids.added
        assert (session.code, session.room_ids) == (planned.code, planned.room_ids)
        assert session.planned_start_us == planned.planned_start_us
        assert (session.armed_at_us, session.subject) == (None, MARK + planned.subject)
        assert load_rooms(connection) == load_rooms(real)
        assert logins.find_login(connection, token) is not None
        assert logins.find_login(connection, gone) is None
        for table in ("candidate", "seating", "checkin_attempt", "announcement"):
            assert connection.execute(f"select count(*) from {table}").fetchone()[0] == 0, table


def test_ids_of_two_rehearsals_never_meet_and_are_exact_in_a_browser() -> None:
    first, next_second = SessionIds.at(CLOCK_US), SessionIds.at(CLOCK_US + 1_000_000)
    assert next_second.added - first.added >= 1000
    assert next_second.added + 1000 < 2**53


def test_time_given_beforehand_goes_with_it_and_what_was_taken_back_stays_so(
    world: World, copy: WriterDatabase
) -> None:
    with world.exam.write() as connection:
        for given_us in (5, 7):
            connection.execute(
                "insert into time_grant (session_id, room_id, granted_us, reason, decided_by, decided_at_us)"
                " values (?, ?, ?, '设备', ?, 1)",
                (world.session_id, world.room_1, given_us * MINUTE_US, world.site_lead_account_id),
            )
        connection.execute(
            "insert into time_grant_withdrawal (grant_id, reason, account_id, withdrawn_at_us)"
            " select id, '误登', ?, 2 from time_grant where granted_us = ?",
            (world.site_lead_account_id, 7 * MINUTE_US),
        )
    ids = copied(world, copy)
    with world.exam.read() as real, copy.read() as connection:
        here = [one.granted_us for one in load_grants(real, world.session_id)]
        assert [one.granted_us for one in load_grants(connection, world.session_id + ids.added)] == here
        assert connection.execute("select count(*) from time_grant_withdrawal").fetchone()[0] == 1


def test_whoever_is_logged_in_stays_so_over_hours_left_out(world: World, copy: WriterDatabase) -> None:
    with world.exam.write() as connection:
        token = logins.open_login(connection, world.proctor_account_id, CLOCK_US)
    copied(world, copy)
    with copy.write() as connection:
        shift_logins(connection, 9 * MINUTE_US)
        found = logins.find_login(connection, token)
    assert found is not None
    assert (found.opened_at_us, found.last_used_at_us) == (CLOCK_US + 9 * MINUTE_US,) * 2


def test_a_rehearsal_is_kept_with_its_leaf_and_never_changes(world: World) -> None:
    done = Rehearsed(DAY, CLOCK_US, CLOCK_US + MINUTE_US, SIGNALS)
    with world.exam.write() as connection:
        rehearsal_id = keep_rehearsal(connection, done, world.site_lead_account_id)
    with world.exam.read() as connection:
        [kept] = rehearsals_of(connection, DAY)
        assert rehearsals_of(connection, "2026-11-23") == []
        assert find_rehearsal(connection, rehearsal_id) == kept
        assert find_rehearsal(connection, 99) is None
        [leaf] = [leaf for leaf, _ in read_leaves(connection) if leaf.kind == LeafKind.REHEARSAL]
    assert (kept.rehearsed, kept.by) == (done, "李强")
    assert '"signal_count":2' in leaf.body
    assert '"failed_count":1' in leaf.body
    assert '"open_count":1' in leaf.body
    for change in ("update rehearsal set failed_count = 0", "delete from rehearsal"):
        with pytest.raises(sqlite3.IntegrityError), world.exam.write() as connection:
            connection.execute(change)
    with world.exam.write() as connection:
        connection.execute("drop trigger rehearsal_never_changes")
        connection.execute("update rehearsal set content = replace(content, 'silent', 'heard')")
    with world.exam.read() as connection:
        assert check_facts(connection, EXAM_FACTS)
