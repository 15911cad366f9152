"""The recorder keeps the second copy up with the footage, and says when it cannot."""

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from evidence.joint_decisions import DecisionKind, decide_jointly, propose_jointly
from evidence.mirror_look import MirrorLooker
from evidence.retention import Decision
from exam.joint_decisions import Step
from recorder.chore_tools import ChoreTools
from recorder.mirror_work import MirrorWork, mirror_chore
from tests.disposals import account
from tests.evidence.test_mirror import LyingDisk
from tests.recorder.fixed_site import NEVER, Site
from tests.world import World


@pytest.fixture
def site(world: World) -> Site:
    return Site(world)


def mirroring(site: Site, folder: Path) -> MirrorWork:
    """As if every folder were a disk of its own."""
    folder.mkdir(exist_ok=True)
    looker = MirrorLooker(site.world.footage, folder, [site.world.folder / "footage"], str, 0)
    return MirrorWork(site.tools(), looker, lambda: None)


def state(site: Site) -> dict[str, object]:
    (row,) = site.rows("mirror_state")
    return row


def test_everything_is_copied_and_said_to_be(site: Site, tmp_path: Path) -> None:
    work = mirroring(site, tmp_path / "mirror")
    work(NEVER)
    work(NEVER)
    assert len(list((tmp_path / "mirror" / "footage").rglob("*.mp4"))) == 6
    assert (state(site)["trouble"], state(site)["behind_files"]) == ("", 0)
    assert len(site.rows("mirror_turn")) == 1


def test_without_a_mirror_nothing_is_said_of_one(site: Site) -> None:
    mirror_chore(site.tools())(NEVER)
    assert site.rows("mirror_state") == []


def test_the_disk_of_the_volume_is_refused_and_nothing_copied(site: Site, tmp_path: Path) -> None:
    (tmp_path / "mirror").mkdir()
    work = mirror_chore(site.tools(mirror=tmp_path / "mirror", reserve_volume=tmp_path / "reserve"))
    work.prepare = lambda: None
    work(NEVER)
    assert state(site)["trouble"] == "same_disk"
    assert list((tmp_path / "mirror").iterdir()) == []


def test_a_mirror_that_two_people_gave_up_is_refused_when_it_comes_back(site: Site, tmp_path: Path) -> None:
    folder, now_us = tmp_path / "mirror", site.world.clock.wall_us()
    mirroring(site, folder)(NEVER)
    work = mirror_chore(site.tools(mirror=folder))
    assert work.looker is not None
    work.prepare, work.looker = lambda: None, replace(work.looker, disk=str, keep_free_bytes=0)
    work(NEVER)
    assert state(site)["trouble"] == ""
    uuid = str(site.rows("mirror")[0]["uuid"])
    lead, auditor = site.world.site_lead_account_id, account(site.world, "quality_supervisor")
    with site.world.exam.write() as connection:
        asked = Decision(auditor, "盘被盗", now_us)
        decision_id = propose_jointly(connection, DecisionKind.GIVE_UP_MIRROR, uuid, asked)
        decide_jointly(connection, decision_id, Step.CONFIRMED, Decision(lead, "已核实", now_us))
    work(NEVER)
    assert state(site)["trouble"] == "given_up"


def test_without_a_console_no_mirror_was_given_up(site: Site, tmp_path: Path) -> None:
    tools = site.tools(mirror=tmp_path / "mirror")
    alone = replace(tools, settings=tools.settings.model_copy(update={"data_folder": tmp_path / "nowhere"}))
    work = mirror_chore(alone)
    assert work.looker is not None
    assert work.looker.given_up() == set()


def test_a_mirror_that_fails_is_said_so_and_caught_up_with_later(site: Site, tmp_path: Path) -> None:
    work = mirroring(site, tmp_path / "mirror")
    (tmp_path / "mirror" / "footage").write_text("in the way")
    work(NEVER)
    since_us = state(site)["since_us"]
    assert state(site)["trouble"] == "fault"
    (tmp_path / "mirror" / "footage").rename(tmp_path / "away")
    site.file(0).rename(site.file(0).with_name("away"))
    work(NEVER)
    assert (state(site)["trouble"], state(site)["behind_files"]) == ("", 1)
    assert state(site)["since_us"] >= since_us  # type: ignore[operator]


def test_copies_that_do_not_stay_are_a_trouble_that_lasts(site: Site, tmp_path: Path) -> None:
    work = mirroring(site, tmp_path / "mirror")
    store = replace(work.tools.store, disk=LyingDisk())  # type: ignore[arg-type]
    work.tools = ChoreTools(work.tools.settings, store)
    work(NEVER)
    since_us = state(site)["since_us"]
    site.world.clock.sleep_us(1_000_000)
    work(NEVER)
    assert (state(site)["trouble"], state(site)["since_us"]) == ("bad_copies", since_us)
    assert state(site)["behind_files"] == 6


def test_a_stop_leaves_the_rest_to_the_next_start(site: Site, tmp_path: Path) -> None:
    over = threading.Event()
    over.set()
    mirroring(site, tmp_path / "mirror")(over)
    assert site.rows("mirror_copy") == []
