from dataclasses import replace

from flask import Flask
from structlog.testing import capture_logs

from config.procedures import load_procedures
from evidence.announcements import PlayedReport
from evidence.plan_changes import arm_session
from evidence.players import keep_heartbeats
from exam.clock import SECOND_US, SystemClock
from tests.exam.test_players import WELL
from tests.world import START_US, World
from web.audio import AUDIO_EXTENSION
from web.services import Bus, Services, room_topic
from web.signal_emission import due_now, emit
from web.signal_reports import take_report
from web.signal_ticker import REPORT_GRACE_US, SignalTicker, Ticking, prepare_audio, start_signals


def ticker_over(world: World) -> SignalTicker:
    with world.exam.write() as connection:
        arm_session(connection, world.session_id, world.site_lead_account_id, world.clock.wall_us())
    return SignalTicker(world.exam, world.clock, Bus(), load_procedures())


def outcomes(world: World, cue: str) -> list[str]:
    with world.exam.read() as connection:
        rows = connection.execute("select outcome from announcement where cue_code = ? order by id", (cue,))
        return [row["outcome"] for row in rows]


def move_to(world: World, moment_us: int) -> None:
    world.clock.sleep_us(moment_us - world.clock.wall_us())


def test_a_signal_goes_out_to_both_rooms_once_and_wakes_their_pages(world: World) -> None:
    ticker = ticker_over(world)
    move_to(world, START_US)
    ticker.tick()
    ticker.tick()
    assert outcomes(world, "C5") == ["emitted", "emitted"]
    assert ticker.bus.current(room_topic(world.room_1)) > 0


def test_a_session_whose_procedure_is_gone_silences_nobody_else(world: World) -> None:
    ticker = ticker_over(world)
    with world.exam.write() as connection:
        connection.execute(
            "insert into session (batch_id, code, kind, subject, procedure_code, planned_start_us,"
            " duration_us, armed_at_us, armed_by) select batch_id, 'T9', kind, subject, 'gone',"
            " planned_start_us, duration_us, armed_at_us, armed_by from session where id = ?",
            (world.session_id,),
        )
    move_to(world, START_US)
    ticker.tick()
    assert outcomes(world, "C5") == ["emitted", "emitted"]


def test_a_late_signal_waits_for_the_rooms_and_is_then_missed(world: World) -> None:
    ticker = ticker_over(world)
    move_to(world, START_US + 3 * SECOND_US)
    ticker.tick()
    assert outcomes(world, "C5") == []
    world.clock.sleep_us(REPORT_GRACE_US - 1)
    ticker.tick()
    assert outcomes(world, "C5") == []
    world.clock.sleep_us(1)
    ticker.tick()
    assert outcomes(world, "C5") == ["missed", "missed"]


def played(world: World, cue: str, started_at_us: int) -> PlayedReport:
    """What the player of the first room says of a cue it sounded by itself."""
    return PlayedReport(world.session_id, world.room_1, cue, 1, WELL.player, started_at_us, None, 0, 4_000)


def test_a_console_restarted_in_a_start_s_tolerance_lets_the_room_say_when_it_rang(world: World) -> None:
    ticker_over(world)
    seen_us = START_US - 3 * SECOND_US
    with world.exam.write() as connection:
        keep_heartbeats(connection, [replace(WELL, room_id=world.room_1, seen_at_us=seen_us)])
    move_to(world, START_US + 17 * SECOND_US // 10)
    restarted = SignalTicker(world.exam, world.clock, Bus(), load_procedures())
    restarted.tick()
    assert outcomes(world, "C5") == ["emitted"]  # 第2考场 has no player that could have rung it
    with world.exam.write() as connection:
        now_us = world.clock.wall_us()
        assert emit(connection, due_now(connection, load_procedures(), now_us), now_us) == []
        take_report(connection, played(world, "C5", START_US + 9_000), load_procedures(), now_us)
        rows = connection.execute("select room_id, emitted_at_us from announcement where cue_code = 'C5'")
        moments = {row["room_id"]: row["emitted_at_us"] for row in rows}
    assert moments == {world.room_1: START_US + 9_000, world.room_2: START_US + 17 * SECOND_US // 10}
    world.clock.sleep_us(2 * REPORT_GRACE_US)
    restarted.tick()
    assert outcomes(world, "C5") == ["emitted", "emitted"]


def test_a_room_that_never_says_so_has_missed_it_and_somebody_is_asked(world: World) -> None:
    ticker_over(world)
    with world.exam.write() as connection:
        for room_id in (world.room_1, world.room_2):
            keep_heartbeats(connection, [replace(WELL, room_id=room_id, seen_at_us=START_US)])
    ticker = SignalTicker(world.exam, world.clock, Bus(), load_procedures())
    for after_us in (SECOND_US, 2 * SECOND_US, 3 * SECOND_US, 3 * SECOND_US + REPORT_GRACE_US):
        assert outcomes(world, "C5") == []
        move_to(world, START_US + after_us)
        ticker.tick()
    assert outcomes(world, "C5") == ["missed", "missed"]


def test_a_clock_that_was_wrong_for_a_moment_costs_no_grace(world: World) -> None:
    ticker = ticker_over(world)
    world.clock.step_wall(3600 * SECOND_US)
    ticker.tick()
    world.clock.step_wall(-3600 * SECOND_US)
    ticker.tick()
    world.clock.sleep_us(REPORT_GRACE_US)
    world.clock.step_wall(3600 * SECOND_US)
    ticker.tick()
    assert outcomes(world, "C5") == []


def test_nothing_goes_out_before_the_session_is_armed(world: World) -> None:
    ticker = SignalTicker(world.exam, world.clock, Bus(), load_procedures())
    move_to(world, START_US)
    ticker.tick()
    assert outcomes(world, "C5") == []


def test_it_ticks_by_itself_until_stopped(app: Flask, services: Services, world: World) -> None:
    ticker_over(world)
    move_to(world, START_US)
    stop = start_signals(app, services)
    deadline = SystemClock().monotonic_us() + 30 * SECOND_US
    while not outcomes(world, "C5") and SystemClock().monotonic_us() < deadline:
        services.bus.wait(room_topic(world.room_2), services.bus.current(room_topic(world.room_2)), 0.1)
    stop()
    assert outcomes(world, "C5") == ["emitted", "emitted"]
    assert app.extensions[AUDIO_EXTENSION]["theory", "C5"].duration_us > 15 * SECOND_US


def test_the_heartbeat_brings_a_ticker_back_that_waits_for_a_clock_set_back(world: World) -> None:
    ticking = Ticking(ticker_over(world))
    try:
        # As if the wall clock had been an hour ahead when the next tick was planned.
        ticking._job.reschedule("interval", hours=1)
        move_to(world, START_US)
        deadline = SystemClock().monotonic_us() + 30 * SECOND_US
        while not outcomes(world, "C5") and SystemClock().monotonic_us() < deadline:
            ticking._stopping.wait(0.05)
        assert outcomes(world, "C5") == ["emitted", "emitted"]
    finally:
        ticking.stop()


def test_an_announcement_that_runs_into_the_next_is_logged(services: Services) -> None:
    theory = load_procedures()["demo_theory"]
    cues = {cue.code: cue for cue in theory.cues}
    hurried = replace(cues["C4"], offset_us=-SECOND_US)
    with capture_logs() as logs:
        prepare_audio(services.settings, {"demo_theory": replace(theory, cues=(hurried, cues["C5"]))})
    assert "announcement_too_long" in [log["event"] for log in logs]
