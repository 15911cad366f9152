"""Batches closed and opened again, days given to batches, and which footage belongs to whom."""

import json
from datetime import date, datetime

import pytest

from evidence.ledger import read_leaves, salted_digest
from evidence.retention import (
    Decision,
    Policy,
    RetentionError,
    assign_day,
    batch_reaches,
    close_batch,
    load_batches,
    load_terms,
    reach_text,
    read_reach,
    reopen_batch,
    session_room_reaches,
    site_day,
)
from exam.clock import SITE_ZONE, to_us
from exam.retention import AROUND_SESSION_US, Reach
from tests.world import DURATION_US, START_US, World, announce

POLICY = Policy("footage", 5)
CLOSED_US = to_us(datetime(2026, 12, 20, 17, 0, tzinfo=SITE_ZONE))


def decision(world: World, now_us: int = CLOSED_US, reason: str = "成绩已公布") -> Decision:
    return Decision(world.site_lead_account_id, reason, now_us)


def close(world: World, now_us: int = CLOSED_US, policy: Policy = POLICY) -> None:
    with world.exam.write() as connection:
        close_batch(connection, world.batch_id, policy, decision(world, now_us))


def reopen(world: World, now_us: int = CLOSED_US) -> None:
    with world.exam.write() as connection:
        reopen_batch(connection, world.batch_id, POLICY, decision(world, now_us))


def terms(world: World, years: int = 5):
    with world.exam.read() as connection:
        return load_terms(connection, years)


def test_a_batch_reaches_every_camera_of_its_rooms_two_hours_around_the_session(world: World) -> None:
    from_us, until_us = START_US - AROUND_SESSION_US, START_US + DURATION_US + AROUND_SESSION_US
    with world.exam.read() as connection:
        reaches = batch_reaches(connection)
        in_one_room = session_room_reaches(connection, world.session_id, world.room_1)
    cameras = (*world.cameras_1, world.camera_2)
    assert reaches == {world.batch_id: tuple(Reach(camera, from_us, until_us) for camera in cameras)}
    assert in_one_room == reaches[world.batch_id][:2]


def test_what_was_announced_outside_the_plan_widens_the_reach_of_its_room(world: World) -> None:
    late_us = START_US + 9 * 3_600_000_000
    announce(world, "C9", late_us, world.room_1)
    with world.exam.read() as connection:
        first, _second, other = batch_reaches(connection)[world.batch_id]
    assert first.until_us == late_us + AROUND_SESSION_US
    assert other.until_us == START_US + DURATION_US + AROUND_SESSION_US


def test_closing_sets_the_date_and_leaves_a_leaf_with_everything_that_belongs_to_it(world: World) -> None:
    close(world)
    (term,) = terms(world)
    assert (term.closed_at_us, term.years, term.days) == (CLOSED_US, 5, {date(2026, 11, 22)})
    with world.exam.read() as connection:
        body = next(leaf.body for leaf, _ in read_leaves(connection) if leaf.kind == "batch_closing")
        salt = connection.execute("select salt from batch_closing").fetchone()["salt"]
        reaches = batch_reaches(connection)[world.batch_id]
    assert json.loads(body) == {
        "batch_closing_id": 1,
        "batch_id": world.batch_id,
        "action": "closed",
        "years": 5,
        "reaches": [reach_text(reach) for reach in reaches],
        "days": ["2026-11-22"],
        "account_id": world.site_lead_account_id,
        "reason_salted_sha256": salted_digest(salt, "成绩已公布"),
    }
    assert "成绩已公布" not in body


def test_an_empty_batch_is_closed_with_a_leaf_that_names_no_footage(world: World) -> None:
    with world.exam.write() as connection:
        batch_id = connection.execute(
            "insert into batch (code, name, occupation, level) values ('B9', '空', '电工', '') returning id"
        ).fetchone()["id"]
        close_batch(connection, batch_id, POLICY, decision(world))
        (body,) = (leaf.body for leaf, _ in read_leaves(connection) if leaf.kind == "batch_closing")
    assert (json.loads(body)["reaches"], json.loads(body)["days"]) == ([], [])


def test_a_session_around_midnight_has_the_days_it_was_held_on_and_not_those_of_its_margin(
    world: World,
) -> None:
    late_us = to_us(datetime(2026, 11, 22, 23, 0, tzinfo=SITE_ZONE))
    with world.exam.write() as connection:
        connection.execute("update session set planned_start_us = ?", (late_us,))
        connection.execute("update session set duration_us = 1800000000")
    assert terms(world)[0].days == {date(2026, 11, 22)}
    announce(world, "C9", late_us + 2 * 3_600_000_000, world.room_1)
    assert terms(world)[0].days == {date(2026, 11, 22), date(2026, 11, 23)}


def test_another_session_of_the_same_room_is_not_reached(world: World) -> None:
    with world.exam.read() as connection:
        assert session_room_reaches(connection, world.session_id + 1, world.room_1) == ()


def test_an_open_batch_has_no_date_and_opening_again_takes_it_away(world: World) -> None:
    assert terms(world)[0].closed_at_us is None
    close(world)
    reopen(world)
    assert terms(world)[0].closed_at_us is None


def test_closing_again_with_the_clock_set_back_or_fewer_years_makes_nothing_shorter(world: World) -> None:
    close(world, CLOSED_US, Policy("footage", 7))
    reopen(world, CLOSED_US + 1)
    close(world, CLOSED_US - 1_000_000)
    (term,) = terms(world)
    assert (term.closed_at_us, term.years) == (CLOSED_US + 1, 7)


def test_a_batch_closed_before_there_were_rows_counts_from_its_column(world: World) -> None:
    with world.exam.write() as connection:
        connection.execute("update batch set closed_at_us = ?", (CLOSED_US,))
    (term,) = terms(world, years=6)
    assert (term.closed_at_us, term.years) == (CLOSED_US, 6)


def test_nothing_is_closed_or_opened_twice(world: World) -> None:
    with pytest.raises(RetentionError, match="没有结束"):
        reopen(world)
    close(world)
    with pytest.raises(RetentionError, match="已经结束"):
        close(world)


def test_a_day_given_to_a_batch_is_one_of_its_days(world: World) -> None:
    with world.exam.write() as connection:
        for day in (date(2026, 11, 25), date(2026, 11, 26)):
            assign_day(connection, day, world.batch_id, decision(world, reason="设备调试"))
        leaves = [leaf.body for leaf, _ in read_leaves(connection) if leaf.kind == "day_assignment"]
        salt = connection.execute("select salt from day_assignment where id = 1").fetchone()["salt"]
    assert len(leaves) == 2
    assert json.loads(leaves[0]) == {
        "day_assignment_id": 1,
        "site_day": "2026-11-25",
        "batch_id": world.batch_id,
        "account_id": world.site_lead_account_id,
        "reason_salted_sha256": salted_digest(salt, "设备调试"),
    }
    (term,) = terms(world)
    assert term.days == {date(2026, 11, 22), date(2026, 11, 25), date(2026, 11, 26)}


def test_the_list_of_batches_shows_when_they_sat_and_when_they_were_closed(world: World) -> None:
    close(world)
    reopen(world)
    with world.exam.read() as connection:
        (batch,) = load_batches(connection)
    assert (batch.code, batch.closed_at_us, batch.last_closed_at_us) == ("B2026-1", None, CLOSED_US)
    assert (batch.sessions, batch.first_us, batch.last_us) == (1, START_US, START_US + DURATION_US)


def test_a_batch_without_sessions_reaches_nothing(world: World) -> None:
    with world.exam.write() as connection:
        connection.execute(
            "insert into batch (code, name, occupation, level) values ('B9', '空', '电工', '')"
        )
    empty = terms(world)[1]
    assert (empty.reaches, empty.days) == ((), frozenset())


def test_a_stretch_is_one_word(world: World) -> None:
    reach = Reach(world.camera_2, 1, 2)
    assert reach_text(reach) == f"{world.camera_2}/1/2"
    assert read_reach(reach_text(reach)) == reach


def test_the_day_is_the_sites() -> None:
    assert site_day(to_us(datetime(2026, 11, 22, 0, 30, tzinfo=SITE_ZONE))) == date(2026, 11, 22)
