"""`run.py export`: alone, and beside a console and a recorder that run."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from threading import Event

import pytest

from config.settings import RecorderSettings, Settings
from evidence import bag_verifier
from evidence.database import WriterDatabase
from evidence.work_orders import Report, WorkState
from recorder.export_command import LEFT_WORDS, PATIENCE, WAITING_WORDS, main
from tests.recorder.export_site import Site, open_site
from tests.world import PASSWORD
from web.export_desk import open_export_desk
from web.local_desk import Desk
from web.services import FootageReader, Services


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with open_site(tmp_path) as opened:
        yield opened


def words(target: Path, *more: str) -> list[str]:
    begin, end = "2026-11-22 09:00:00", "2026-11-22 09:00:08"
    asked = ["--room", "第1考场", "--camera", "前方", "--from", begin, "--until", end, "--to", str(target)]
    who = ["--account", "liqiang", "--organisation", "某单位", "--reason", "考生投诉核查", "--no-play"]
    return [*asked, *who, *more]


def run(
    site: Site,
    *asked: str,
    password: str = PASSWORD,
    pause: Callable[[int], object] = lambda _us: pytest.fail("nothing to wait for"),
) -> int:
    return main(list(asked), lambda _path: site.settings, lambda _prompt: password, pause)


@pytest.fixture
def stopped(site: Site) -> Iterator[Site]:
    """The site with its services stopped, for as long as the command runs; opened again afterwards."""
    site.world.exam.close()
    site.world.footage.close()
    yield site
    object.__setattr__(site.world, "exam", WriterDatabase(site.settings.exam_db, "exam"))
    object.__setattr__(site.world, "footage", WriterDatabase(site.settings.footage_db, "footage"))


def test_the_command_exports_while_the_services_are_stopped(
    stopped: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "usb"
    target.mkdir()
    assert run(stopped, *words(target, "--max-gb", "1")) == 0
    said = capsys.readouterr()
    fingerprint = said.err.rsplit(maxsplit=1)[-1]
    assert bag_verifier.main([said.out.strip(), "--fingerprint", fingerprint]) == 0
    assert run(stopped, *words(tmp_path / "gone")) == 1
    assert "目标文件夹不存在" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "password", "said"),
    [
        ([], "wrong-password", "密码不正确"),
        (["--account", "nobody"], PASSWORD, "密码不正确"),
        (["--account", "guanli"], PASSWORD, "没有导出录像的权限"),
        (["--camera", "侧方", "--room", "第9考场"], PASSWORD, ""),
        (["--until", "2026-11-22 08:00:00"], PASSWORD, "结束时间"),
        (["--until", "soon"], PASSWORD, "时间写法不对"),
        (["--reason", " "], PASSWORD, "单位和事由"),
    ],
)
def test_the_command_says_what_it_does_not_accept(
    stopped: Site,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    more: list[str],
    password: str,
    said: str,
) -> None:
    asked = words(tmp_path, *more)
    if not said:
        asked, said = [word.replace("第1考场", "第8考场") for word in asked], "没有这个考场或摄像机"
    assert run(stopped, *asked, password=password) == 1
    assert said in capsys.readouterr().err


@pytest.fixture
def console(site: Site) -> Iterator[Desk]:
    """The desk of a console that runs, as does the recorder: the world holds both locks."""
    world, reader = site.world, FootageReader(site.settings.footage_db)
    services = Services(site.settings, world.clock, world.exam, reader, world.vault)
    with closing(open_export_desk(services)) as desk:
        yield desk


@pytest.mark.usefixtures("console")
def test_beside_running_services_the_console_orders_and_the_recorder_makes_the_bag(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    target = site.settings.default_export_folder
    assert run(site, *words(target), pause=lambda _us: site.work(Event())) == 0
    said = capsys.readouterr()
    fingerprint = said.err.rsplit(maxsplit=1)[-1]
    assert bag_verifier.main([said.out.splitlines()[-1], "--fingerprint", fingerprint]) == 0


@pytest.mark.usefixtures("console")
@pytest.mark.parametrize(
    ("more", "password", "said"),
    [
        ([], "wrong-password", "密码不正确"),
        (["--account", "guanli"], PASSWORD, "没有导出录像的权限"),
        (["--to", "/nowhere"], PASSWORD, "只能导出到设置中的文件夹"),
        (["--max-gb", "-1"], PASSWORD, "请填写正整数"),
    ],
)
def test_the_running_console_refuses_what_it_would_refuse_on_its_page(
    site: Site, capsys: pytest.CaptureFixture[str], more: list[str], password: str, said: str
) -> None:
    assert run(site, *words(site.settings.default_export_folder, *more), password=password) == 1
    assert said in capsys.readouterr().err


def test_a_console_that_does_not_answer_is_named(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(site, *words(site.settings.default_export_folder)) == 1
    assert "没有回应" in capsys.readouterr().err


def test_beside_a_recorder_alone_the_command_writes_the_order_itself(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.world.exam.close()
    target = site.settings.default_export_folder
    assert run(site, *words(target), pause=lambda _us: site.work(Event())) == 0
    assert Path(capsys.readouterr().out.splitlines()[-1]).parent == target
    object.__setattr__(site.world, "exam", WriterDatabase(site.settings.exam_db, "exam"))


@pytest.mark.usefixtures("console")
def test_an_export_that_fails_in_the_recorder_says_why(
    site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    usb = tmp_path / "usb"
    site.settings = Settings(data_folder=tmp_path, recorder=RecorderSettings(export_folders=[usb]))
    site.work.settings = site.settings
    assert run(site, *words(usb), pause=lambda _us: site.work(Event())) == 1
    assert "目标文件夹不存在" in capsys.readouterr().err


@pytest.mark.usefixtures("console")
def test_a_recorder_that_does_not_begin_is_named_and_can_be_left(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    paused = []

    def leaves_in_the_end(us: int) -> None:
        paused.append(us)
        if len(paused) > PATIENCE:
            raise KeyboardInterrupt

    assert run(site, *words(site.settings.default_export_folder), pause=leaves_in_the_end) == 1
    said = capsys.readouterr().err
    assert said.count(WAITING_WORDS) == 1
    assert LEFT_WORDS in said
    assert len(paused) == PATIENCE + 1


@pytest.mark.usefixtures("console")
def test_progress_is_shown_while_the_recorder_works(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    def works_in_two_turns(_us: int) -> None:
        with site.world.footage.read() as connection:
            is_taken_up = connection.execute("select 1 from work_report").fetchone()
        if is_taken_up:
            site.work(Event())
        else:
            site.work.report(Report(1, WorkState.RUNNING, 1, 4, "正在复制"))

    assert run(site, *words(site.settings.default_export_folder), pause=works_in_two_turns) == 0
    assert "正在复制 25 %" in capsys.readouterr().err
