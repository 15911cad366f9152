from sqlite3 import Connection, IntegrityError

import pytest

from config.procedures import load_procedures
from evidence.courses import load_course
from evidence.day import load_session
from evidence.given_time import (
    GivenTimeError,
    NewDelay,
    NewGrant,
    approve_delays,
    end_delay,
    grant_time,
    record_delay,
    recorded_delays,
    stop_station,
    withdraw_delay,
    withdraw_grant,
)
from evidence.ledger import LeafKind, read_leaves
from exam.clock import MINUTE_US
from exam.course import Approval, Delay, DelayReason, Grant, Loss, SessionCourse, StationStop
from tests.world import CLOCK_US, START_US, World

STOPPED_US = START_US + 5 * MINUTE_US
WENT_ON_US = START_US + 12 * MINUTE_US


def place(connection: Connection, room_id: int) -> int:
    return int(connection.execute("select min(id) from place where room_id = ?", (room_id,)).fetchone()[0])


def delay(connection: Connection, world: World, *, is_station: bool = True) -> int:
    new = NewDelay(
        world.session_id,
        world.room_1,
        place(connection, world.room_1) if is_station else None,
        DelayReason.EQUIPMENT,
        STOPPED_US,
        "王芳",
        "主轴不转",
    )
    return record_delay(connection, new, world.proctor_account_id, STOPPED_US)


def course(connection: Connection, world: World) -> SessionCourse:
    session = load_session(connection, world.session_id)
    assert session is not None
    return load_course(connection, session, load_procedures())


def kinds(connection: Connection) -> list[str]:
    return [leaf.kind for leaf, _ in read_leaves(connection)]


def test_a_delay_is_recorded_ends_and_is_read_with_who_saw_it(world: World) -> None:
    who = world.proctor_account_id
    with world.exam.write() as connection:
        delay_id = delay(connection, world)
        assert course(connection, world).delays[0].stopped_at_us is None
        assert end_delay(connection, delay_id, WENT_ON_US, who, WENT_ON_US)
        assert not end_delay(connection, delay_id, WENT_ON_US + 1, who, WENT_ON_US)
        (read,) = recorded_delays(connection, world.session_id)
        assert (read.place_label, read.witness, read.comment, read.by) == ("1", "王芳", "主轴不转", "王芳")
        expected = Delay(
            delay_id,
            world.room_1,
            place(connection, world.room_1),
            DelayReason.EQUIPMENT,
            STOPPED_US,
            WENT_ON_US,
        )
        assert course(connection, world).delays == [expected]
        assert kinds(connection) == [LeafKind.DELAY, LeafKind.DELAY_END]


def test_a_delay_of_the_whole_room_names_no_station(world: World) -> None:
    with world.exam.write() as connection:
        delay(connection, world, is_station=False)
        (read,) = recorded_delays(connection, world.session_id)
        assert (read.place_label, read.delay.place_id) == (None, None)


def test_a_station_of_another_room_and_an_end_before_the_beginning_are_refused(world: World) -> None:
    with world.exam.write() as connection:
        elsewhere = place(connection, world.room_2)
        new = NewDelay(world.session_id, world.room_1, elsewhere, DelayReason.VENUE, STOPPED_US, "王芳")
        with pytest.raises(GivenTimeError, match="not in this room"):
            record_delay(connection, new, world.proctor_account_id, STOPPED_US)
        delay_id = delay(connection, world)
        with pytest.raises(GivenTimeError, match="ends after it began"):
            end_delay(connection, delay_id, STOPPED_US, world.proctor_account_id, STOPPED_US)


def test_a_delay_recorded_by_mistake_stays_and_no_longer_counts(world: World) -> None:
    who = world.proctor_account_id
    with world.exam.write() as connection:
        delay_id = delay(connection, world)
        assert withdraw_delay(connection, delay_id, "登错工位", who, WENT_ON_US)
        assert not withdraw_delay(connection, delay_id, "登错工位", who, WENT_ON_US)
        assert course(connection, world).delays[0].is_withdrawn
        assert kinds(connection)[-1] == LeafKind.DELAY_WITHDRAWN


def test_long_delays_are_agreed_to_and_stations_stopped(world: World) -> None:
    who = world.site_lead_account_id
    with world.exam.write() as connection:
        station = place(connection, world.room_1)
        approval = Approval(world.room_1, station, 40 * MINUTE_US)
        approve_delays(connection, world.session_id, approval, who, WENT_ON_US)
        stop = StationStop(world.room_1, station, WENT_ON_US)
        assert stop_station(connection, world.session_id, stop, who, WENT_ON_US)
        assert not stop_station(connection, world.session_id, stop, who, WENT_ON_US)
        found = course(connection, world)
        assert (found.approvals, found.station_stops) == ([approval], [stop])
        assert kinds(connection) == [LeafKind.DELAY_APPROVED, LeafKind.STATION_STOP]


def test_time_is_granted_declined_and_taken_back(world: World) -> None:
    lead = world.site_lead_account_id
    loss = Loss(world.room_1, "X1", 1)
    with world.exam.write() as connection:
        own = grant_time(
            connection,
            NewGrant(
                world.session_id, world.room_1, 5 * MINUTE_US, "停电", agreed_by=world.proctor_account_id
            ),
            lead,
            WENT_ON_US,
        )
        declined = NewGrant(world.session_id, world.room_1, 0, "不足10秒", loss, lost_us=9)
        about = grant_time(connection, declined, lead, WENT_ON_US)
        assert course(connection, world).grants == [
            Grant(own, world.room_1, 5 * MINUTE_US),
            Grant(about, world.room_1, 0, loss),
        ]
        assert withdraw_grant(connection, own, "误登记", lead, WENT_ON_US)
        assert not withdraw_grant(connection, own, "误登记", lead, WENT_ON_US)
        assert course(connection, world).grants[0].is_withdrawn
        assert kinds(connection) == [LeafKind.TIME_GRANT, LeafKind.TIME_GRANT, LeafKind.TIME_GRANT_WITHDRAWN]


@pytest.mark.parametrize(
    "table",
    [
        *("delay", "delay_end", "delay_withdrawal", "delay_approval"),
        *("time_grant", "time_grant_withdrawal", "station_stop"),
    ],
)
def test_what_was_recorded_is_neither_changed_nor_taken_away(world: World, table: str) -> None:
    who = world.site_lead_account_id
    with world.exam.write() as connection:
        delay_id = delay(connection, world)
        end_delay(connection, delay_id, WENT_ON_US, who, WENT_ON_US)
        withdraw_delay(connection, delay_id, "误", who, WENT_ON_US)
        station = place(connection, world.room_1)
        approve_delays(connection, world.session_id, Approval(world.room_1, station, 1), who, WENT_ON_US)
        stop_station(connection, world.session_id, StationStop(world.room_1, station, 1), who, WENT_ON_US)
        grant_id = grant_time(
            connection, NewGrant(world.session_id, world.room_1, 1, "停电"), who, WENT_ON_US
        )
        withdraw_grant(connection, grant_id, "误", who, WENT_ON_US)
        column = {"delay_end": "account_id", "delay_withdrawal": "account_id"}.get(table)
        column = column or ("account_id" if table == "time_grant_withdrawal" else "room_id")
        for statement in (f"update {table} set {column} = {column}", f"delete from {table}"):
            with pytest.raises(IntegrityError):
                connection.execute(statement)
    assert CLOCK_US < STOPPED_US
