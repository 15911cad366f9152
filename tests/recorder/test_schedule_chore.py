"""What the recorder settles beside recording, over the small world's databases."""

import json
import threading

import pytest

from config.settings import Settings
from evidence.footage import Cause, gaps_between
from evidence.footage_rows import note_absence
from evidence.ingest import Store
from evidence.kept_certificates import KeptCertificate, kept_certificates
from evidence.ledger import read_leaves
from evidence.presence import begin_presence, keep_presence
from evidence.volumes import LocalDisk
from exam.clock import MINUTE_US, SECOND_US, SimulatedClock
from recorder.chore_tools import ChoreTools, ExamReader
from recorder.schedule_chore import ScheduleAccounts, schedule_chore
from tests.recordings import Reel
from tests.world import START_US, World, announce

OPENS_US = START_US - 60 * MINUTE_US
STOP_US = START_US + 60 * MINUTE_US
UNTIL_US = STOP_US + 15 * MINUTE_US
DELAY_US = 150 * SECOND_US
SETTLED_US = UNTIL_US + 30 * MINUTE_US + DELAY_US + 16 * SECOND_US


def accounts(world: World, now_us: int, began_us: int = OPENS_US) -> ScheduleAccounts:
    store = Store(world.footage, LocalDisk(immutable=False), SimulatedClock(now_us))
    return ScheduleAccounts(store, ExamReader(world.exam.path), DELAY_US, began_us)


def settle(world: World, now_us: int, began_us: int = OPENS_US) -> None:
    accounts(world, now_us, began_us).work(threading.Event())


def gaps(world: World, camera: str) -> list[tuple[Cause, int, int | None]]:
    with world.footage.read() as connection:
        found = gaps_between(connection, camera, 0, 1 << 60)
    return [(gap.cause, gap.started_at_us, gap.ended_at_us) for gap in found]


def recorder_ran(world: World, from_us: int, until_us: int) -> None:
    with world.footage.write() as connection:
        keep_presence(connection, begin_presence(connection, "boot", from_us), until_us)


def kept(world: World) -> dict[int, KeptCertificate]:
    with world.footage.read() as connection:
        return kept_certificates(connection)


def test_a_recorder_started_in_the_middle_accounts_for_the_time_before(world: World) -> None:
    began_us = OPENS_US + 20 * MINUTE_US
    recorder_ran(world, began_us, START_US)
    settle(world, began_us + SECOND_US, began_us)
    assert gaps(world, world.camera_2) == [(Cause.RECORDER_OFF, OPENS_US, began_us)]


def test_settling_again_changes_nothing_and_goes_on_where_it_was(world: World) -> None:
    recorder_ran(world, OPENS_US - MINUTE_US, START_US)
    again = accounts(world, START_US)
    again.work(threading.Event())
    again.work(threading.Event())
    assert gaps(world, world.camera_2) == [(Cause.LATE_PLAN, OPENS_US, START_US - DELAY_US)]


def test_a_camera_retired_while_no_recorder_ran_keeps_no_open_gap(world: World) -> None:
    retired_us = OPENS_US + 10 * MINUTE_US
    with world.footage.write() as connection:
        note_absence(connection, world.camera_2, OPENS_US, Cause.OPERATOR_STOP, OPENS_US)
    with world.exam.write() as connection:
        connection.execute("update camera set retired_at_us = ? where uuid = ?", (retired_us, world.camera_2))
    settle(world, START_US)
    assert gaps(world, world.camera_2) == [(Cause.OPERATOR_STOP, OPENS_US, retired_us)]


def finish(world: World) -> None:
    """Everything was recorded but one camera's last minute."""
    recorder_ran(world, OPENS_US - MINUTE_US, SETTLED_US)
    announce(world, "C5", START_US)
    announce(world, "C8", STOP_US)
    for camera in (*world.cameras_1, world.camera_2):
        reel, from_us = Reel(world, camera), OPENS_US
        end_us = UNTIL_US - (MINUTE_US if camera == world.camera_2 else 0)
        while from_us < end_us:
            length_us = min(30 * MINUTE_US, end_us - from_us)
            reel.invent(from_us, fragments=length_us // (2 * SECOND_US))
            from_us += length_us


def test_the_certificate_of_a_session_that_is_over_is_kept_once_with_its_leaf(world: World) -> None:
    finish(world)
    settle(world, SETTLED_US - 2 * SECOND_US)
    assert kept(world) == {}
    settle(world, SETTLED_US)
    settle(world, SETTLED_US + MINUTE_US)
    certificate = kept(world)[world.session_id]
    content = json.loads(certificate.content)
    assert content["sums"]["gap_us"] == MINUTE_US
    assert content["rooms"][1]["cameras"][0]["stretches"][-1]["reason"] == "starting"
    with world.footage.read() as connection:
        leaf = next(leaf for leaf, _ in read_leaves(connection, certificate.leaf_index))
    assert leaf.kind == "coverage_certificate"
    assert json.loads(leaf.body)["sha256"] == certificate.sha256
    assert certificate.made_at_us == SETTLED_US


def test_a_session_nobody_stopped_gets_no_certificate_until_its_cap(world: World) -> None:
    recorder_ran(world, OPENS_US - MINUTE_US, SETTLED_US)
    settle(world, SETTLED_US)
    assert kept(world) == {}


def test_without_a_console_there_is_nothing_to_settle(world: World) -> None:
    store = Store(world.footage, LocalDisk(immutable=False), world.clock)
    nothing = ScheduleAccounts(store, ExamReader(world.folder / "none.db"), DELAY_US, OPENS_US)
    nothing.work(threading.Event())
    assert gaps(world, world.camera_2) == []


def test_the_accounts_begin_where_this_recorder_did(world: World) -> None:
    settings = Settings(data_folder=world.folder)
    tools = ChoreTools(settings, Store(world.footage, LocalDisk(immutable=False), world.clock))
    assert schedule_chore(tools).began_us == world.clock.wall_us()
    recorder_ran(world, OPENS_US, START_US)
    made = schedule_chore(tools)
    assert (made.began_us, made.delay_us) == (OPENS_US, DELAY_US)


@pytest.mark.parametrize("camera", [0, 1])
def test_a_stop_leaves_the_rest_to_the_next_start(world: World, camera: int) -> None:
    asked = threading.Event()
    asked.set()
    recorder_ran(world, OPENS_US, START_US)
    accounts(world, START_US).work(asked)
    assert gaps(world, world.cameras_1[camera]) == []


def test_a_session_whose_procedure_has_gone_hinders_no_account(world: World) -> None:
    recorder_ran(world, OPENS_US - MINUTE_US, START_US)
    with world.exam.write() as connection:
        connection.execute("update session set procedure_code = 'gone'")
    settle(world, SETTLED_US)
    found = gaps(world, world.camera_2)
    midnight_us = START_US - 9 * 60 * MINUTE_US
    assert found[0][1] == midnight_us
    assert found[-1][2] == SETTLED_US - DELAY_US
    assert kept(world) == {}
