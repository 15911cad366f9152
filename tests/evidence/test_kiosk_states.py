"""The last words of each kiosk, since when something is wrong with it, and the alarms that follow."""

from dataclasses import replace

from evidence.camera_alarms import AlarmKey, AlarmKind, CameraAlarm
from evidence.kiosk_alarms import kiosk_alarms
from evidence.kiosk_enrolments import revoke
from evidence.kiosk_states import keep_report, load_beat, load_beats
from exam.clock import SECOND_US
from exam.kiosk_health import LOST_US, Beat, Part, PartState, Report, Trouble
from tests.evidence.rostered import the_kiosk
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
    locked_pins=(3, 4),
)


def test_a_heartbeat_is_kept_as_it_came(world: World) -> None:
    with world.exam.write() as connection:
        assert load_beat(connection, world.kiosk_id) is None
        keep_report(connection, world.kiosk_id, REPORT, 4, CLOCK_US)
        beat = load_beat(connection, world.kiosk_id)
        assert load_beats(connection) == {world.kiosk_id: beat}
    assert beat == Beat(REPORT, CLOCK_US, 1, {Trouble.NEEDS_HUMAN: CLOCK_US})


def test_since_when_something_is_wrong_stays_from_the_first_time(world: World) -> None:
    def told(second: int, offset_s: int, revision: int | None) -> dict[Trouble, int]:
        now_us = CLOCK_US + second * SECOND_US
        sent_at_us = now_us + offset_s * SECOND_US
        report = replace(REPORT, sent_at_us=sent_at_us, roster_revision=revision, needs_human=0)
        with world.exam.write() as connection:
            keep_report(connection, world.kiosk_id, report, 4, now_us)
            beat = load_beat(connection, world.kiosk_id)
        assert beat is not None
        return dict(beat.since)

    both = dict.fromkeys((Trouble.CLOCK, Trouble.STALE_ROSTER), CLOCK_US + 5 * SECOND_US)
    assert [told(0, 0, 4), told(5, -6, None), told(10, 9, 3), told(15, 5, 4)] == [{}, both, both, {}]


def test_a_kiosks_troubles_are_alarms_until_it_is_revoked(world: World) -> None:
    kiosk = the_kiosk(world)
    with world.exam.write() as connection:
        assert kiosk_alarms(connection, CLOCK_US) == []
        keep_report(connection, kiosk.id, REPORT, 4, CLOCK_US)
        now_us = CLOCK_US + LOST_US + 1
        assert kiosk_alarms(connection, now_us) == [
            CameraAlarm(AlarmKey(AlarmKind.KIOSK, kiosk.uuid, trouble), CLOCK_US)
            for trouble in (Trouble.LOST_WITH_QUEUE, Trouble.NEEDS_HUMAN)
        ]
        revoke(connection, kiosk.id, None, now_us)
        assert kiosk_alarms(connection, now_us) == []
