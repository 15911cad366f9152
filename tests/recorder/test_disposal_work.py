"""The recorder carries out what was ordered and approved, and goes on after a stop."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from config.settings import Settings
from evidence.work_orders import NewOrder, OrderKind, Report, WorkState, give_order, report
from recorder.chore_tools import ChoreTools
from recorder.disposal_work import (
    BROKEN_WORDS,
    SIGNED_WITHIN_US,
    TOGETHER,
    DisposalWork,
    disposal_chore,
)
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


def test_an_order_that_breaks_is_told_tried_again_and_holds_up_no_later_one(
    archive: Archive, work: DisposalWork
) -> None:
    """The first order's plan has a document that no program can read: somebody changed the row."""
    first, second = archive.segment_ids[:1], archive.segment_ids[1:2]
    broken, whole = archive.approved_order(first), archive.approved_order(second)
    with archive.world.exam.read() as connection:
        kept = connection.execute("select document from disposal_plan where id = 1").fetchone()[0]
    archive.edit("update disposal_plan set document = 'x\n{' where id = 1")
    for _ in range(2):
        with capture_logs() as logs:
            work(NEVER)
        assert answer(archive, whole).state is WorkState.DONE
        said = answer(archive, broken)
        assert (said.state, said.words) == (WorkState.RUNNING, BROKEN_WORDS)
        assert archive.file(first[0]).exists()
    assert [entry["event"] for entry in logs] == [], "the same again is one line a minute"
    archive.edit("update disposal_plan set document = ? where id = 1", kept)
    work(NEVER)
    assert answer(archive, broken).state is WorkState.DONE


def test_a_stop_between_two_orders_leaves_the_second(archive: Archive, work: DisposalWork) -> None:
    orders = [archive.approved_order([each]) for each in archive.segment_ids[:2]]
    work(_StopsSoon(3))
    assert [answer(archive, each).state for each in orders] == [WorkState.DONE, WorkState.WAITING]


def test_without_exam_db_there_is_nothing_to_do(archive: Archive, tmp_path: Path) -> None:
    disposal_chore(ChoreTools(Settings(data_folder=tmp_path / "empty"), archive.store))(NEVER)
