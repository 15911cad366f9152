"""The last words of each kiosk, and since when something is wrong with it."""

from dataclasses import replace

from evidence.kiosk_states import Report, keep_report, load_beat, load_beats
from exam.clock import SECOND_US
from exam.kiosk_health import Part, PartState
from tests.world import CLOCK_US, World

REPORT = Report(
    sent_at_us=CLOCK_US + 1,
    queue_length=2,
    needs_human=1,
    roster_revision=4,
    disk_free_bytes=10**9,
    is_out_of_service=True,
    parts={Part.CAMERA: PartState.COVERED},
    versions={"agent": "1"},
    boot_id="boot",
)


def test_a_heartbeat_is_kept_as_it_came(world: World) -> None:
    with world.exam.write() as connection:
        assert load_beat(connection, world.kiosk_id) is None
        keep_report(connection, world.kiosk_id, REPORT, 4, CLOCK_US)
        beat = load_beat(connection, world.kiosk_id)
        assert load_beats(connection) == {world.kiosk_id: beat}
    assert beat is not None
    assert (beat.heard_at_us, beat.offset_us, beat.offset_since_us, beat.behind_since_us) == (
        CLOCK_US,
        1,
        None,
        None,
    )
    assert (beat.queue_length, beat.needs_human, beat.roster_revision) == (2, 1, 4)
    assert beat.is_out_of_service is True
    assert beat.parts == {Part.CAMERA: PartState.COVERED}
    assert (beat.versions, beat.boot_id) == ({"agent": "1"}, "boot")


def test_since_when_the_clock_is_off_and_the_roster_behind_stays_from_the_first_time(world: World) -> None:
    def told(second: int, offset_s: int, revision: int | None) -> tuple[int | None, int | None]:
        now_us = CLOCK_US + second * SECOND_US
        report = replace(REPORT, sent_at_us=now_us + offset_s * SECOND_US, roster_revision=revision)
        with world.exam.write() as connection:
            keep_report(connection, world.kiosk_id, report, 4, now_us)
            beat = load_beat(connection, world.kiosk_id)
        assert beat is not None
        return beat.offset_since_us, beat.behind_since_us

    assert told(0, 0, 4) == (None, None)
    assert told(5, -6, None) == (CLOCK_US + 5 * SECOND_US, CLOCK_US + 5 * SECOND_US)
    assert told(10, 9, 3) == (CLOCK_US + 5 * SECOND_US, CLOCK_US + 5 * SECOND_US)
    assert told(15, 5, 4) == (None, None)
