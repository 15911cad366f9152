"""The figures of a day, read back from both databases."""

from evidence import announcements, day_summary, proctor_log
from evidence.announcements import Confirmation, PlayedReport
from evidence.footage import Cause
from evidence.footage_rows import end_absence, note_absence
from evidence.proctor_log import NewEntry
from exam.clock import SECOND_US
from exam.outcomes import Outcome
from tests.evidence.check_ins import Desk
from tests.recordings import Reel
from tests.world import CLOCK_US, START_US, World, announce


def report(world: World, started_at_us: int | None, player: str, error: str = "") -> None:
    with world.exam.write() as connection:
        announcements.add_report(
            connection,
            PlayedReport(
                session_id=world.session_id,
                room_id=world.room_1,
                cue_code="C5",
                occurrence=1,
                player=player,
                started_at_us=started_at_us,
                ended_at_us=started_at_us,
                offset_us=0,
                uncertainty_us=0,
                error=error,
            ),
            START_US,
        )


def test_a_signal_tells_the_first_sound_anybody_reported(world: World) -> None:
    announce(world, "C5", START_US)
    report(world, START_US + 300, "player-two")
    report(world, START_US + 100, "player-one")
    report(world, None, "player-mute", "autoplay_refused")
    with world.exam.read() as connection:
        heard = {row.room_code: row.heard_at_us for row in day_summary.signals(connection)}
    assert heard == {"R01": START_US + 100, "R02": None}


def test_ticks_and_log_entries_are_counted(world: World) -> None:
    with world.exam.write() as connection:
        tick = Confirmation(world.session_id, world.room_1, "C1", world.proctor_account_id, CLOCK_US)
        announcements.confirm(connection, tick)
        entry = NewEntry(
            nonce="a" * 32,
            session_id=world.session_id,
            room_id=world.room_1,
            happened_at_us=CLOCK_US,
            account_id=world.proctor_account_id,
            kind="absent",
            text="",
            candidate_id=world.late.id,
            corrects_id=None,
        )
        proctor_log.add_entry(connection, entry, CLOCK_US)
    with world.exam.read() as connection:
        assert day_summary.confirmed(connection) == {("T1", "R01", "C1")}
        assert day_summary.log_kinds(connection) == {"absent": 1}
        assert day_summary.outcomes(connection) == {}


def test_footage_is_summed_per_camera_with_every_gap(world: World) -> None:
    Reel(world, world.camera_2).invent(CLOCK_US, fragments=5)
    with world.footage.write() as connection:
        note_absence(
            connection, world.camera_2, CLOCK_US + 10 * SECOND_US, Cause.STALLED, CLOCK_US + 10 * SECOND_US
        )
        end_absence(connection, world.camera_2, CLOCK_US + 13 * SECOND_US, CLOCK_US + 13 * SECOND_US)
        note_absence(connection, world.cameras_1[0], CLOCK_US, Cause.UNREACHABLE, CLOCK_US)
    with world.exam.read() as exam, world.footage.read() as index:
        found = {(one.room_code, one.label): one for one in day_summary.footage(exam, index)}
    filmed = found["R02", "前方"]
    assert (filmed.recorded_s, filmed.segments, filmed.gaps) == (10.0, 1, (("stalled", 3.0),))
    assert found["R01", "前方"].gaps == (), "a gap that still lasts has no length yet"


def test_doubts_without_a_decision_are_counted(world: World) -> None:
    desk = Desk(world)
    with world.exam.read() as connection:
        assert day_summary.open_doubts(connection) == 0
    desk.ask(world.on_time, declared=frozenset({Outcome.FACE_DOUBT}))
    with world.exam.read() as connection:
        assert day_summary.open_doubts(connection) == 1
