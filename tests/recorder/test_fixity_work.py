"""The recorder reads all footage within the period, what people order first, and has damages repaired."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from evidence.fixity_orders import EVER, CheckRequest, give_check_order
from evidence.timeline import Interval
from evidence.work_orders import Report, WorkState, report
from exam.clock import SECOND_US
from recorder.fixity_work import DAY_US, PATIENCE_US, REST_US, FixityWork, fixity_chore, presence_chore
from recorder.mirror_work import MirrorWork
from tests.recorder.fixed_site import NEVER, Site
from tests.recorder.test_mirror_work import mirroring
from tests.recordings import Reel
from tests.world import START_US, World


@pytest.fixture
def site(world: World) -> Site:
    return Site(world)


@pytest.fixture
def work(site: Site) -> Iterator[FixityWork]:
    made = fixity_chore(site.tools())
    made.prepare = lambda: None
    yield made
    made.exam.close()


def order(site: Site, cameras: list[str], interval: Interval = EVER) -> int:
    asked = CheckRequest("全部", cameras, interval, "搬动设备之后", site.world.site_lead_account_id)
    with site.world.exam.write() as connection:
        return give_check_order(connection, asked, site.world.clock.wall_us())


def answer(site: Site, order_id: int) -> Report:
    with site.world.footage.read() as connection:
        return report(connection, order_id)


def checked_at(site: Site) -> list[object]:
    return [row["checked_at_us"] for row in site.rows("fixity_result")]


def test_everything_is_read_once_within_the_period(site: Site, work: FixityWork) -> None:
    work(NEVER)
    assert [row["result"] for row in site.rows("fixity_result")] == ["sound"] * 6
    first = checked_at(site)
    work(NEVER)
    assert checked_at(site) == first
    (progress,) = site.rows("fixity_progress")
    assert (progress["files"], progress["checked_files"]) == (6, 6)
    site.world.clock.sleep_us(90 * DAY_US + 1)
    work(NEVER)
    assert min(checked_at(site)) > max(first)  # type: ignore[type-var]
    assert len(site.rows("fixity_turn")) == 2


def test_new_files_wait_until_there_is_a_turn_of_them(site: Site, work: FixityWork) -> None:
    work(NEVER)
    Reel(site.world, site.world.camera_2).invent(site.world.clock.wall_us())
    work(NEVER)
    assert len(site.rows("fixity_result")) == 6
    site.world.clock.sleep_us(REST_US)
    work(NEVER)
    assert len(site.rows("fixity_result")) == 7


def test_the_threads_priorities_are_lowered_once(work: FixityWork) -> None:
    prepared: list[int] = []
    work.prepare = lambda: prepared.append(1)
    work(NEVER)
    work(NEVER)
    assert prepared == [1]


def test_a_stop_ends_the_reading_at_once(site: Site, work: FixityWork) -> None:
    over = threading.Event()
    over.set()
    work(over)
    assert site.rows("fixity_result") == []


def test_a_damage_is_repaired_from_the_mirror_in_the_same_turn(
    site: Site, work: FixityWork, tmp_path: Path
) -> None:
    mirror: MirrorWork = mirroring(site, tmp_path / "mirror")
    mirror(NEVER)
    site.rot(2)
    work(NEVER)
    (damage,) = site.rows("damage")
    assert (damage["kind"], damage["repaired_by"]) == ("damaged", "mirror")


def test_what_cannot_be_repaired_is_tried_again_after_a_while(site: Site, work: FixityWork) -> None:
    kept = site.file(1).read_bytes()
    site.rot(1)
    work(NEVER)
    site.file(1).write_bytes(kept)
    work(NEVER)
    assert site.rows("damage")[0]["repaired_at_us"] is None
    site.world.clock.sleep_us(PATIENCE_US)
    work(NEVER)
    assert site.rows("damage")[0]["repaired_by"] == "came_back"


def test_a_disk_that_refuses_the_repair_is_told_and_the_reading_goes_on(
    site: Site, work: FixityWork, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mirroring(site, tmp_path / "mirror")(NEVER)
    site.rot(0)
    (site.world.folder / "footage" / "restoring").write_text("in the way")
    work(NEVER)
    assert len(site.rows("fixity_result")) == 6
    assert site.rows("damage")[0]["repaired_at_us"] is None
    assert "not_repaired" in capsys.readouterr().out


def test_an_order_reads_a_room_now_and_says_how_far_it_is(site: Site, work: FixityWork) -> None:
    work(NEVER)
    site.world.clock.sleep_us(SECOND_US)
    order_id = order(site, [site.world.camera_2])
    site.world.clock.sleep_us(SECOND_US)
    work(NEVER)
    said = answer(site, order_id)
    assert (said.state, said.done_units, said.total_units) == (WorkState.DONE, 3, 3)
    assert said.words == "已校验3个文件，0个有问题"
    assert [row["order_id"] for row in site.rows("fixity_turn")] == [None, order_id]
    work(NEVER)
    assert answer(site, order_id) == said


def test_an_order_for_some_time_reads_what_lies_in_it_and_tells_of_troubles(
    site: Site, work: FixityWork
) -> None:
    site.rot(1)
    order_id = order(site, [], Interval(START_US + 12 * SECOND_US, START_US + 18 * SECOND_US))
    work(NEVER)
    said = answer(site, order_id)
    assert (said.state, said.words) == (WorkState.FAILED, "已校验2个文件，1个有问题")


def test_an_order_for_a_volume_that_is_away_says_so(site: Site, work: FixityWork) -> None:
    order_id = order(site, [])
    footage = site.world.folder / "footage"
    footage.rename(site.world.folder / "unplugged")
    work(NEVER)
    said = answer(site, order_id)
    assert (said.state, said.words) == (WorkState.FAILED, "已校验0个文件，0个有问题，6个所在的卷没有接上")


def test_a_stop_leaves_the_order_for_the_next_start(site: Site, work: FixityWork) -> None:
    order_id = order(site, [])
    over = threading.Event()
    over.set()
    work(over)
    assert answer(site, order_id).state is WorkState.WAITING


def test_a_deleted_file_and_a_stray_are_told(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    watching = presence_chore(site.tools())
    site.file(0).rename(site.file(0).with_name("stray.mp4"))
    for _ in range(3):
        watching(NEVER)
    told = capsys.readouterr().out
    assert (told.count("footage_missing"), told.count("file_without_row")) == (1, 1)
    assert [row["found_by"] for row in site.rows("damage")] == ["presence"]
