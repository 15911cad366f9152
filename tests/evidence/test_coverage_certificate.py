import pytest

from config.procedures import load_procedures
from evidence.coverage import PartKind
from evidence.coverage_certificate import ACCOUNTS, CameraAccount, Certificate, certify, load_schedule
from evidence.footage import Cause
from evidence.footage_rows import note_absence
from exam.certificate import UNRECORDED, Account, Finding, Reckoning, Stretch
from exam.clock import MINUTE_US, SECOND_US
from tests.recordings import Reel, file_of
from tests.world import START_US, World, announce

OPENS_US = START_US - 60 * MINUTE_US
STOP_US = START_US + 60 * MINUTE_US
UNTIL_US = STOP_US + 15 * MINUTE_US
SCHEDULED_US = UNTIL_US - OPENS_US


def certificate(world: World, now_us: int = UNTIL_US + MINUTE_US, *, with_index: bool = True) -> Certificate:
    with world.exam.read() as exam, world.footage.read() as footage:
        head = load_schedule(exam, world.session_id, load_procedures(), now_us)
        assert head is not None
        return certify(footage if with_index else None, head, now_us)


def front(found: Certificate) -> CameraAccount:
    return found.rooms[0].cameras[0]


def film(world: World, camera: str, from_us: int, until_us: int) -> None:
    """Files of at most an hour in one run."""
    reel = Reel(world, camera)
    while from_us < until_us:
        length_us = min(30 * MINUTE_US, until_us - from_us)
        reel.invent(from_us, fragments=length_us // (2 * SECOND_US))
        from_us += length_us


def run_through(world: World) -> None:
    announce(world, "C5", START_US)
    announce(world, "C8", STOP_US)


def test_an_unknown_session_has_no_schedule(world: World) -> None:
    with world.exam.read() as connection:
        assert load_schedule(connection, 99, load_procedures(), START_US) is None


def test_every_camera_recorded_from_opening_to_handover_is_complete(world: World) -> None:
    run_through(world)
    for camera in (*world.cameras_1, world.camera_2):
        film(world, camera, OPENS_US - MINUTE_US, UNTIL_US + MINUTE_US)
    found = certificate(world)
    assert found.sums == Reckoning(recorded_us=3 * SCHEDULED_US)
    assert (found.sums.finding, found.sums.covered_share) == (Finding.COMPLETE, 10_000)
    assert [len(room.cameras) for room in found.rooms] == [2, 1]
    assert found.head.batch_name == "2026年第1批次"
    assert found.made_at_us == UNTIL_US + MINUTE_US


def test_a_gap_with_a_cause_is_accounted_for_with_its_exact_bounds(world: World) -> None:
    run_through(world)
    film(world, world.cameras_1[0], OPENS_US, START_US)
    with world.footage.write() as connection:
        note_absence(connection, world.cameras_1[0], START_US, Cause.UNREACHABLE, START_US)
    film(world, world.cameras_1[0], START_US + 12 * SECOND_US, UNTIL_US)
    account = front(certificate(world))
    assert account.stretches == (
        Stretch(Account.RECORDED, OPENS_US, START_US),
        Stretch(Account.GAP, START_US, START_US + 12 * SECOND_US, "unreachable"),
        Stretch(Account.RECORDED, START_US + 12 * SECOND_US, UNTIL_US),
    )
    assert account.sums.finding is Finding.ACCOUNTED


def test_a_lost_file_and_time_nobody_recorded_are_named_as_unaccounted(world: World) -> None:
    run_through(world)
    reel = Reel(world, world.cameras_1[0])
    lost = reel.invent(OPENS_US)
    file_of(world, lost).rename(world.folder / "elsewhere")
    account = front(certificate(world))
    assert account.stretches == (
        Stretch(Account.UNACCOUNTED, OPENS_US, OPENS_US + 10 * SECOND_US, "unreadable"),
        Stretch(Account.UNACCOUNTED, OPENS_US + 10 * SECOND_US, UNTIL_US, UNRECORDED),
    )
    assert account.sums == Reckoning(unaccounted_us=SCHEDULED_US)


def test_a_session_that_runs_is_provisional(world: World) -> None:
    film(world, world.cameras_1[0], OPENS_US, START_US)
    account = front(certificate(world, START_US))
    assert account.stretches[-1] == Stretch(Account.OPEN, START_US, UNTIL_US, "future")
    assert (account.sums.is_provisional, account.sums.covered_share) == (True, 10_000)


@pytest.mark.parametrize("with_index", [True, False])
def test_without_footage_what_is_over_is_unaccounted(world: World, with_index: bool) -> None:
    account = front(certificate(world, START_US, with_index=with_index))
    assert account.stretches == (
        Stretch(Account.UNACCOUNTED, OPENS_US, START_US, UNRECORDED),
        Stretch(Account.OPEN, START_US, UNTIL_US, "future"),
    )
    early = front(certificate(world, OPENS_US - MINUTE_US, with_index=with_index))
    assert early.sums == Reckoning(open_us=SCHEDULED_US)


def test_a_room_without_a_camera_owes_all_its_time(world: World) -> None:
    run_through(world)
    with world.exam.write() as connection:
        connection.execute("update camera set retired_at_us = 1 where uuid = ?", (world.camera_2,))
    room = certificate(world).rooms[1]
    assert room.cameras == ()
    assert room.sums == Reckoning(unaccounted_us=SCHEDULED_US)


def test_a_camera_retired_after_the_session_stands_on_its_certificate(world: World) -> None:
    with world.exam.write() as connection:
        connection.execute("update camera set retired_at_us = ?", (UNTIL_US,))
    assert [len(room.cameras) for room in certificate(world).rooms] == [2, 1]


def test_a_camera_added_after_the_session_stands_on_no_certificate_of_it(world: World) -> None:
    run_through(world)
    for added_us, counts in ((UNTIL_US - 1, [2, 1]), (UNTIL_US, [1, 1])):
        with world.exam.write() as connection:
            added = "update camera set added_at_us = ? where uuid = ?"
            connection.execute(added, (added_us, world.cameras_1[1]))
        assert [len(room.cameras) for room in certificate(world).rooms] == counts


def test_every_kind_of_part_has_its_account() -> None:
    assert set(ACCOUNTS) == set(PartKind)


def test_a_session_nobody_stopped_is_provisional_however_late_it_is(world: World) -> None:
    announce(world, "C5", START_US)
    with world.footage.write() as connection:
        note_absence(connection, world.camera_2, OPENS_US, Cause.UNREACHABLE, OPENS_US)
    late = certificate(world, UNTIL_US + 60 * MINUTE_US)
    assert late.rooms[1].scheduled.schedule.until_us == UNTIL_US + 60 * MINUTE_US
    assert (late.rooms[1].sums.is_provisional, late.is_provisional) == (False, True)
    announce(world, "C8", STOP_US)
    assert not certificate(world).is_provisional
