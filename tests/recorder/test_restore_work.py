"""The recorder brings a lost volume back, waits for what is missing, and ends with a true report."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest

from evidence.disk_views import RestoreRequest, give_restore_order, volume_views
from evidence.mirror_look import MirrorLooker
from evidence.volume_look import open_volume
from evidence.work_orders import Report, WorkState, report
from recorder.mirror_work import MirrorWork
from recorder.restore_work import ABSENT_WORDS, RestoreWork, restore_chore
from tests.evidence.fixed import flip
from tests.recorder.fixed_site import NEVER, Site
from tests.world import World


class Lost(Site):
    """The site when its volume is gone, with a mirror and a new disk."""

    def lose(self, folder: Path) -> int:
        self.mirror, self.target = folder / "mirror", folder / "new disk"
        self.mirror.mkdir()
        looker = MirrorLooker(self.world.footage, self.mirror, [self.world.folder / "footage"], str, 0)
        MirrorWork(self.tools(), looker, lambda: None)(NEVER)
        open_volume(self.world.footage, self.target, self.world.clock.wall_us())
        (self.world.folder / "footage").rename(self.world.folder / "dead")
        with self.world.footage.read() as connection:
            old, new = volume_views(connection)
        asked = RestoreRequest(old, new, "硬盘不转了", self.world.site_lead_account_id)
        with self.world.exam.write() as connection:
            return give_restore_order(connection, asked, self.world.clock.wall_us())

    def report(self, order_id: int) -> Report:
        with self.world.footage.read() as connection:
            return report(connection, order_id)


@pytest.fixture
def site(world: World) -> Lost:
    return Lost(world)


@pytest.fixture
def work(site: Lost) -> Iterator[RestoreWork]:
    made = restore_chore(site.tools())
    made._is_prepared = True  # this thread goes on to other tests
    yield made
    made.exam.close()


def restored(site: Lost) -> int:
    return len(list((site.target / "footage").rglob("*.mp4")))


def test_an_order_brings_every_file_back_and_says_so(site: Lost, work: RestoreWork, tmp_path: Path) -> None:
    order_id = site.lose(tmp_path)
    work(NEVER)
    made = site.report(order_id)
    assert (made.state, made.words, made.outcome) == (WorkState.DONE, "已恢复6个文件", {"done": 6, "gone": 0})
    assert restored(site) == 6
    work(NEVER)
    assert site.report(order_id) == made


def test_what_has_no_sound_copy_is_recorded_as_missing(site: Lost, work: RestoreWork, tmp_path: Path) -> None:
    order_id = site.lose(tmp_path)
    flip(next((site.mirror / "footage").rglob("*.mp4")))
    work(NEVER)
    made = site.report(order_id)
    assert (made.state, made.outcome) == (WorkState.FAILED, {"done": 5, "gone": 1})
    assert made.words == "已恢复5个文件，1个没有完好的副本，已记为缺失"
    assert [row["kind"] for row in site.rows("damage")] == ["missing"]


def test_without_its_mirror_the_order_waits_and_goes_on_by_itself(
    site: Lost, work: RestoreWork, tmp_path: Path
) -> None:
    order_id = site.lose(tmp_path)
    site.mirror.rename(tmp_path / "unplugged")
    work(NEVER)
    assert (site.report(order_id).state, site.report(order_id).words) == (WorkState.RUNNING, ABSENT_WORDS)
    (tmp_path / "unplugged").rename(site.mirror)
    work(NEVER)
    assert site.report(order_id).state is WorkState.DONE


def test_a_target_that_fails_is_told_and_tried_again(site: Lost, work: RestoreWork, tmp_path: Path) -> None:
    order_id = site.lose(tmp_path)
    (site.target / "restoring").write_text("in the way")
    work(NEVER)
    assert "目标卷写不进去" in site.report(order_id).words
    (site.target / "restoring").unlink()
    work(NEVER)
    assert site.report(order_id).state is WorkState.DONE


def test_a_volume_that_came_back_by_itself_needs_nothing(
    site: Lost, work: RestoreWork, tmp_path: Path
) -> None:
    order_id = site.lose(tmp_path)
    (site.world.folder / "dead").rename(site.world.folder / "footage")
    work(NEVER)
    assert site.report(order_id).state is WorkState.FAILED
    assert "仍然读得到" in site.report(order_id).words
    assert restored(site) == 0


class StopsAfter(Event):
    """Set once so many files are back."""

    def __init__(self, site: Lost, files: int) -> None:
        super().__init__()
        self.site, self.files = site, files

    def is_set(self) -> bool:
        return restored(self.site) >= self.files

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        return self.is_set()


def test_a_stop_leaves_the_rest_to_the_next_start(site: Lost, work: RestoreWork, tmp_path: Path) -> None:
    order_id = site.lose(tmp_path)
    (site.target / "footage").mkdir(exist_ok=True)
    work(StopsAfter(site, 2))
    assert restored(site) == 2
    assert not site.report(order_id).is_final
    work(NEVER)
    assert site.report(order_id).outcome == {"done": 6, "gone": 0}


def test_a_file_on_its_way_home_is_left_and_named(site: Lost, work: RestoreWork, tmp_path: Path) -> None:
    order_id = site.lose(tmp_path)
    with site.world.footage.write() as connection:
        connection.execute(
            "insert into segment_relocation (segment_id, from_volume_id, to_volume_id, begun_at_us)"
            " values (?, 1, 2, 1)",
            (site.ids[0],),
        )
    work(NEVER)
    made = site.report(order_id)
    assert made.state is WorkState.FAILED
    assert "正在迁回途中" in made.words


def test_without_a_console_there_are_no_orders(site: Lost, work: RestoreWork, tmp_path: Path) -> None:
    work.exam.path = tmp_path / "nowhere.db"
    work(NEVER)
    shutil.rmtree(site.world.folder / "footage")
    assert replace(work).exam is work.exam
