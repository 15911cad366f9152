"""The recorder brings the reserve's footage home by and by, and leaves alone what does not go."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.settings import Settings
from evidence.naming import RELOCATING
from evidence.volume_look import Trouble
from evidence.work_orders import NewOrder, OrderKind, Report, WorkState, give_order, write_report
from exam.clock import SECOND_US, SimulatedClock
from recorder.chore_tools import ChoreTools
from recorder.relocation_work import REST_US, RelocationWork, relocation_chore
from tests.evidence.spilled import NOW_US, Spilled, files, open_spilled
from tests.world import World

NEVER = threading.Event()


@pytest.fixture
def spilled(tmp_path: Path) -> Iterator[Spilled]:
    with open_spilled(tmp_path / "site") as opened:
        yield opened


@pytest.fixture
def work(spilled: Spilled) -> RelocationWork:
    return relocation_chore(ChoreTools(Settings(data_folder=spilled.folder), spilled.store))


def rest(spilled: Spilled) -> None:
    """An hour later, with everything looked at again."""
    clock = spilled.store.clock
    assert isinstance(clock, SimulatedClock)
    clock.sleep_us(REST_US)
    spilled.look(at_us=clock.wall_us())


def test_files_come_home_one_in_each_turn_and_are_released_once_signed(
    spilled: Spilled, work: RelocationWork
) -> None:
    work(NEVER)
    assert len(files(spilled.footage.volume)) == 1
    work(NEVER)
    work(NEVER)
    assert (len(files(spilled.footage.volume)), len(files(spilled.reserve.volume))) == (2, 2)
    spilled.sign()
    work(NEVER)
    assert len(files(spilled.reserve.volume)) == 1
    work(NEVER)
    work(NEVER)
    assert files(spilled.reserve.volume) == []
    assert spilled.findings() == []


def test_what_a_crash_left_half_copied_is_emptied_while_nothing_may_move(
    spilled: Spilled, work: RelocationWork
) -> None:
    (spilled.footage.volume.path / RELOCATING).write_bytes(b"half a file")
    spilled.look(spilled.home(Trouble.FAULT), spilled.spare())
    work(NEVER)
    assert (spilled.footage.volume.path / RELOCATING).stat().st_size == 0
    assert files(spilled.footage.volume) == []


def test_a_file_that_does_not_go_rests_and_the_others_go_on(spilled: Spilled, work: RelocationWork) -> None:
    first = spilled.footage.segments()[0].file
    content = first.read_bytes()
    first.chmod(0o644)
    first.write_bytes(b"damaged")
    for _ in range(3):
        work(NEVER)
    assert [segment.file == first for segment in spilled.footage.segments()] == [True, False]
    first.write_bytes(content)
    work(NEVER)
    assert first in {segment.file for segment in spilled.footage.segments()}
    rest(spilled)
    work(NEVER)
    assert first not in {segment.file for segment in spilled.footage.segments()}


def test_a_first_copy_that_may_not_go_rests_too(spilled: Spilled, work: RelocationWork) -> None:
    relocation = spilled.moved()
    content = relocation.final.read_bytes()
    relocation.final.chmod(0o644)
    relocation.final.write_bytes(b"damaged")
    spilled.look(spilled.home(Trouble.FAULT), spilled.spare())
    work(NEVER)
    relocation.final.write_bytes(content)
    work(NEVER)
    assert relocation.first.exists()
    rest(spilled)
    work(NEVER)
    assert not relocation.first.exists()


def test_nothing_is_released_while_an_export_may_read_it(
    world: World, spilled: Spilled, work: RelocationWork
) -> None:
    relocation = spilled.moved()
    work.exam.path = world.exam.path
    with world.exam.write() as connection:
        new = NewOrder(OrderKind.EXPORT, {}, "取证", world.site_lead_account_id)
        order_id = give_order(connection, new, NOW_US)
    work(NEVER)
    assert relocation.first.exists()
    with spilled.footage.database.write() as connection:
        write_report(connection, Report(order_id, WorkState.DONE, outcome={}), NOW_US + SECOND_US)
    work(NEVER)
    assert not relocation.first.exists()
    work.exam.close()
