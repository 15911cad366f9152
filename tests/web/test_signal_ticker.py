from dataclasses import replace

from flask import Flask
from structlog.testing import capture_logs

from config.procedures import load_procedures
from evidence.plan_changes import arm_session
from exam.clock import SECOND_US, SystemClock
from tests.world import START_US, World
from web.audio import AUDIO_EXTENSION
from web.services import Bus, Services, room_topic
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
    deadline = SystemClock().monotonic_us() + 5 * SECOND_US
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
        deadline = SystemClock().monotonic_us() + 5 * SECOND_US
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
