from evidence.timeline import Interval, Mark, MarkKind, RoomCamera, marks, room_cameras, rooms_with_cameras
from exam.clock import MINUTE_US, SECOND_US
from tests.happenings import log, scan
from tests.world import START_US, World, announce

MORNING = Interval(START_US - 15 * MINUTE_US, START_US + 60 * MINUTE_US)


def seen(world: World, room_id: int, interval: Interval = MORNING) -> list[Mark]:
    with world.exam.read() as connection:
        return marks(connection, room_id, interval)


def test_an_admission_is_a_mark_in_the_room_of_the_seat_with_the_candidates_name(world: World) -> None:
    with world.exam.write() as connection:
        attempt_id = scan(connection, world, world.on_time, "OK_ADMITTED")
    assert seen(world, world.room_1) == [
        Mark(
            id=f"checkin-{attempt_id}",
            kind=MarkKind.ADMITTED,
            moment_us=START_US - 10 * MINUTE_US,
            code="OK_ADMITTED",
            text="签到成功",
            person="陈一诺",
            place=world.on_time.place_label,
        )
    ]
    assert seen(world, world.room_2) == []


def test_refused_and_referred_candidates_are_marks_where_they_should_have_sat(world: World) -> None:
    with world.exam.write() as connection:
        scan(connection, world, world.late, "LATE_CUTOFF", kind="R", title="已超过入场时间")
        scan(connection, world, world.wrong_ticket, "ID_TICKET_MISMATCH", kind="H", title="证件不一致")
    assert [(mark.kind, mark.person) for mark in seen(world, world.room_1)] == [
        (MarkKind.REFUSED, "赵迟"),
        (MarkKind.REFERRED, "孙错"),
    ]


def test_a_scan_that_names_nobody_belongs_to_the_room_of_its_kiosk_only(world: World) -> None:
    with world.exam.write() as connection:
        scan(connection, world, None, "NOT_ON_ROSTER", kind="H")
        assert marks(connection, world.room_1, MORNING) == []
        connection.execute("update kiosk set room_id = ?", (world.room_1,))
    assert [(mark.code, mark.person, mark.place) for mark in seen(world, world.room_1)] == [
        ("NOT_ON_ROSTER", "", "")
    ]


def test_a_scan_delivered_late_stands_where_it_was_scanned_and_a_fast_kiosk_clock_is_not_believed(
    world: World,
) -> None:
    early = START_US - 14 * MINUTE_US
    with world.exam.write() as connection:
        scan(connection, world, world.on_time, "OK_OFFLINE", scanned_us=early, received_us=START_US)
        scan(connection, world, world.late, "OK_LATE", scanned_us=MORNING.until_us, received_us=START_US)
    assert [mark.moment_us for mark in seen(world, world.room_1)] == [early, START_US]


def test_an_answer_without_a_title_still_makes_a_mark(world: World) -> None:
    with world.exam.write() as connection:
        scan(connection, world, world.on_time, "OK_ADMITTED")
        connection.execute("update checkin_attempt set answer = '{}'")
    assert [(mark.text, mark.code) for mark in seen(world, world.room_1)] == [("", "OK_ADMITTED")]


def test_a_signal_stands_at_its_emitted_moment_and_a_missed_one_where_it_was_planned(world: World) -> None:
    announce(world, "C5", START_US + 40_000)
    with world.exam.write() as connection:
        connection.execute(
            "insert into announcement (session_id, room_id, cue_code, planned_at_us, outcome, source,"
            " recorded_at_us) values (?, ?, 'C7', ?, 'missed', 'schedule', ?)",
            (world.session_id, world.room_1, START_US + 45 * MINUTE_US, START_US + 46 * MINUTE_US),
        )
    first, second = seen(world, world.room_1)
    assert (first.kind, first.moment_us, first.code, first.procedure_code) == (
        MarkKind.SIGNAL,
        START_US + 40_000,
        "C5",
        "theory",
    )
    assert (second.kind, second.moment_us) == (MarkKind.MISSED_SIGNAL, START_US + 45 * MINUTE_US)
    assert [mark.code for mark in seen(world, world.room_2)] == ["C5"]


def test_a_log_entry_names_the_candidate_and_the_entry_it_corrects(world: World) -> None:
    with world.exam.write() as connection:
        first = log(connection, world, START_US + MINUTE_US, "12号座考生离座", candidate_id=world.late.id)
        log(connection, world, START_US + 2 * MINUTE_US, "应为11号座", corrects_id=first)
    entry, correction = seen(world, world.room_1)
    assert (entry.kind, entry.code, entry.text) == (MarkKind.LOG_ENTRY, "reminder", "12号座考生离座")
    assert (entry.person, entry.place, entry.corrects) == ("赵迟", world.late.place_label, "")
    assert (correction.person, correction.corrects) == ("", f"log-{first}")


def test_marks_come_in_the_order_of_time_and_the_end_of_the_interval_is_outside(world: World) -> None:
    with world.exam.write() as connection:
        log(connection, world, START_US, "开考")
        log(connection, world, START_US + 10 * SECOND_US, "稍后")
        scan(connection, world, world.on_time, "OK_ADMITTED")
    announce(world, "C5", START_US - SECOND_US)
    all_kinds = [mark.kind for mark in seen(world, world.room_1)]
    assert all_kinds == [MarkKind.ADMITTED, MarkKind.SIGNAL, MarkKind.LOG_ENTRY, MarkKind.LOG_ENTRY]
    until_second = Interval(START_US, START_US + 10 * SECOND_US)
    assert [mark.text for mark in seen(world, world.room_1, until_second)] == ["开考"]


def test_a_retired_camera_counts_for_the_time_it_served(world: World) -> None:
    front, back = world.cameras_1
    with world.exam.write() as connection:
        connection.execute("update camera set retired_at_us = ? where uuid = ?", (START_US, back))
        before = room_cameras(connection, world.room_1, Interval(START_US - SECOND_US, START_US + SECOND_US))
        after = room_cameras(connection, world.room_1, Interval(START_US, START_US + SECOND_US))
    assert before == [RoomCamera(front, "前方"), RoomCamera(back, "后方")]
    assert after == [RoomCamera(front, "前方")]


def test_two_intervals_meet_only_when_they_share_a_moment() -> None:
    interval = Interval(10, 20)
    assert interval.meets(19, 25)
    assert interval.meets(5, 11)
    assert not interval.meets(20, 25)
    assert not interval.meets(5, 10)


def test_only_rooms_with_a_camera_can_have_footage(world: World) -> None:
    with world.exam.write() as connection:
        assert rooms_with_cameras(connection) == {world.room_1, world.room_2}
        connection.execute("delete from camera where room_id = ?", (world.room_2,))
        assert rooms_with_cameras(connection) == {world.room_1}
