"""The recorder carries out what was ordered and approved, and goes on after a stop."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.settings import Settings
from evidence.work_orders import NewOrder, OrderKind, Report, WorkState, give_order, report
from recorder.chore_tools import ChoreTools
from recorder.disposal_work import SIGNED_WITHIN_US, TOGETHER, DisposalWork, disposal_chore
from tests.disposals import Archive, open_archive
from tests.world import World

NEVER = threading.Event()


@pytest.fixture
def archive(world: World) -> Iterator[Archive]:
    with open_archive(world, files=TOGETHER + 2) as opened:
        yield opened


@pytest.fixture
def work(archive: Archive) -> Iterator[DisposalWork]:
    made = disposal_chore(ChoreTools(Settings(data_folder=archive.world.folder), archive.store))
    yield made
    made.exam.close()


def answer(archive: Archive, order_id: int) -> Report:
    with archive.world.footage.read() as connection:
        return report(connection, order_id)


def test_an_approved_order_is_carried_out_and_reported(archive: Archive, work: DisposalWork) -> None:
    order_id = archive.approved_order()
    work(NEVER)
    said = answer(archive, order_id)
    assert (said.state, said.done_units, said.total_units) == (WorkState.DONE, 22, 22)
    assert said.words == "已销毁22个文件"
    assert said.outcome == {"done": 22, "refused": 0}
    assert archive.files_left() == 0
    work(NEVER)
    assert answer(archive, order_id) == said


def test_refused_files_are_counted_and_the_order_fails(archive: Archive, work: DisposalWork) -> None:
    order_id = archive.approved_order()
    archive.file(archive.segment_ids[3]).write_bytes(b"damaged")
    work(NEVER)
    said = answer(archive, order_id)
    assert said.state is WorkState.FAILED
    assert said.words == "已销毁21个文件，1个未销毁，原因见登记"


def test_an_order_that_is_not_signed_yet_waits_and_is_no_refusal(
    archive: Archive, work: DisposalWork
) -> None:
    archive.sign()
    plan_id = archive.propose()
    archive.approve(plan_id)
    archive.stamp(plan_id)
    order_id = archive.order(plan_id)
    work(NEVER)
    assert answer(archive, order_id).state is WorkState.WAITING
    assert archive.rows("disposal_refusal") == []
    archive.sign()
    work(NEVER)
    assert answer(archive, order_id).state is WorkState.DONE


def test_an_order_that_is_never_signed_is_refused_after_a_while(archive: Archive, work: DisposalWork) -> None:
    archive.sign()
    with archive.world.exam.write() as connection:
        new = NewOrder(OrderKind.DISPOSAL, {"plan_id": 7, "plan_sha256": "ab"}, "销毁", archive.archivist)
        order_id = give_order(connection, new, archive.world.clock.wall_us())
    archive.world.clock.step_wall(SIGNED_WITHIN_US)
    work(NEVER)
    assert answer(archive, order_id).state is WorkState.FAILED
    assert [row["reasons"] for row in archive.rows("disposal_refusal")] == ["unknown_order"]


def test_an_unsound_ledger_refuses_every_file(archive: Archive, work: DisposalWork) -> None:
    order_id = archive.approved_order()
    (archive.world.folder / "exam_checkpoints.db").rename(archive.world.folder / "gone.db")
    work(NEVER)
    assert answer(archive, order_id).state is WorkState.FAILED
    assert {row["reasons"] for row in archive.rows("disposal_refusal")} == {"ledger_unsound"}
    assert archive.files_left() == 22


def test_a_stop_leaves_the_order_for_the_next_start(archive: Archive, work: DisposalWork) -> None:
    order_id = archive.approved_order()
    over = threading.Event()
    over.set()
    work(over)
    assert answer(archive, order_id).state is WorkState.WAITING
    stopping = _StopsSoon(2)
    work(stopping)
    assert answer(archive, order_id).state is WorkState.WAITING
    assert archive.files_left() == 21
    work(NEVER)
    assert answer(archive, order_id).state is WorkState.DONE


class _StopsSoon(threading.Event):
    """Set after it was looked at so often."""

    def __init__(self, looks: int) -> None:
        super().__init__()
        self.looks = looks

    def is_set(self) -> bool:
        self.looks -= 1
        return self.looks < 0


def test_without_exam_db_there_is_nothing_to_do(archive: Archive, tmp_path: Path) -> None:
    disposal_chore(ChoreTools(Settings(data_folder=tmp_path / "empty"), archive.store))(NEVER)
