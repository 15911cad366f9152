"""The recorder carries out export orders: done, failed, interrupted."""

from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from config.settings import RecorderSettings, Settings
from evidence import bag_verifier
from evidence.holds import NewHold, propose_hold, take_step
from evidence.retention import Decision
from evidence.work_orders import WorkState
from exam.clock import SECOND_US
from exam.holds import HoldKind, HoldStep
from recorder.export_work import UNEXPECTED_WORDS, _Telling
from tests.recorder.export_site import Site, open_site
from tests.recordings import file_of
from tests.world import START_US, World


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with open_site(tmp_path) as opened:
        yield opened


def test_an_order_becomes_a_bag_that_is_proved(site: Site) -> None:
    order_id = site.order()
    site.work(Event())
    made = site.report(order_id)
    assert (made.state, made.words) == (WorkState.DONE, "全部交付；已从介质读回核对")
    assert made.outcome is not None
    bag = Path(made.outcome["target"]) / made.outcome["bags"][0]
    assert bag_verifier.main([str(bag), "--fingerprint", made.outcome["fingerprint"]]) == 0
    site.work(Event())
    assert len(list(bag.parent.iterdir())) == 1, "a finished order is not made again"


def restrict(world: World) -> None:
    with world.exam.write() as connection:
        hold = NewHold(HoldKind.RESTRICTION, world.batch_id, (), "批次")
        hold_id = propose_hold(connection, hold, Decision(world.site_lead_account_id, "删除请求", START_US))
        take_step(
            connection, hold_id, HoldStep.CONFIRMED, Decision(world.proctor_account_id, "同意", START_US)
        )


def test_footage_restricted_while_it_is_exported_stops_the_export(site: Site) -> None:
    class RestrictsOnceAsked(Event):
        """Two people confirm a restriction in the middle of the order."""

        asked = 0

        def is_set(self) -> bool:
            self.asked += 1
            if self.asked == 3:
                restrict(site.world)
                site.world.clock.sleep_us(SECOND_US)
            return False

    order_id = site.order()
    site.work(RestrictsOnceAsked())
    made = site.report(order_id)
    assert made.state is WorkState.FAILED
    assert "限制处理" in made.words
    (left,) = site.settings.default_export_folder.iterdir()
    assert left.name.endswith(".unfinished")
    assert [each.stat().st_size for each in left.glob("data/camera-1/*.mp4")] == [0]


def test_restricted_footage_is_exported_for_nobody(site: Site) -> None:
    restrict(site.world)
    order_id = site.order()
    site.work(Event())
    made = site.report(order_id)
    assert made.state is WorkState.FAILED
    assert "限制处理" in made.words


def test_a_bag_with_missing_parts_is_reported_as_such(site: Site) -> None:
    file_of(site.world, site.segment_id).unlink()
    order_id = site.order()
    site.work(Event())
    assert "未交付" in site.report(order_id).words


def test_only_folders_of_the_settings_are_written_to(site: Site, tmp_path: Path) -> None:
    order_id = site.order(tmp_path / "keys")
    site.work(Event())
    assert site.report(order_id).state is WorkState.FAILED
    assert "允许的范围" in site.report(order_id).words


def test_a_folder_of_the_settings_is_not_made_when_it_is_missing(site: Site, tmp_path: Path) -> None:
    usb = tmp_path / "usb"
    site.work.settings = Settings(data_folder=tmp_path, recorder=RecorderSettings(export_folders=[usb]))
    order_id = site.order(usb)
    site.work(Event())
    assert "目标文件夹不存在" in site.report(order_id).words
    assert not usb.exists()


def test_an_order_that_breaks_unexpectedly_fails_and_holds_up_no_other(site: Site) -> None:
    site.settings.default_export_folder.write_text("a file where the folder should be")
    broken = site.order()
    site.work(Event())
    assert (site.report(broken).state, site.report(broken).words) == (WorkState.FAILED, UNEXPECTED_WORDS)
    site.settings.default_export_folder.unlink()
    following = site.order()
    site.work(Event())
    assert site.report(following).state is WorkState.DONE


def test_a_stop_leaves_the_order_for_the_next_start(site: Site) -> None:
    order_id = site.order()
    stopped = Event()
    stopped.set()
    site.work(stopped)
    assert site.report(order_id).state is WorkState.WAITING

    class StopsOnceAsked(Event):
        """Set from its second question on: in the middle of the first order."""

        asked = 0

        def is_set(self) -> bool:
            self.asked += 1
            return self.asked > 1

    site.work(StopsOnceAsked())
    assert not site.report(order_id).is_final
    site.work(Event())
    assert site.report(order_id).state is WorkState.DONE
    names = sorted(path.name for path in site.settings.default_export_folder.iterdir())
    assert [name.endswith(".unfinished") for name in names] == [True, False]


def test_progress_is_written_once_a_second_and_when_the_words_change(site: Site) -> None:
    telling = _Telling(site.work, 7, Event(), lambda: None)
    for done, words, pause_us in [(1, "a", 0), (2, "a", 0), (3, "b", 0), (4, "b", SECOND_US), (5, "b", 0)]:
        site.world.clock.sleep_us(pause_us)
        telling(done, 9, words)
    made = site.report(7)
    assert (made.done_units, made.words) == (4, "b")


def test_without_a_console_there_are_no_orders(site: Site, tmp_path: Path) -> None:
    site.work.exam.path = tmp_path / "nowhere.db"
    site.work(Event())
