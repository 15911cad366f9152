"""The page 导出: who may order an export, what is written down, and how its end is shown."""

from collections.abc import Callable

import pytest
from flask import Flask

from config.settings import Settings
from evidence.export_orders import export_orders
from evidence.export_plan import ExportWish
from evidence.work_orders import Report, WorkState, write_report
from exam.clock import MINUTE_US
from tests.web.console import HTML, PageClient, account_with, client_for
from tests.world import START_US, World
from web.access import Role

AsRole = Callable[[Role], PageClient]
LATER_US = START_US + 70 * MINUTE_US


@pytest.fixture
def supervisor(app: Flask, world: World) -> PageClient:
    world.clock.sleep_us(LATER_US - world.clock.wall_us())
    return client_for(app, world, account_with(world, Role.SUPERVISOR))


def form(world: World, **changes: object) -> dict[str, object]:
    return {
        "camera": list(world.cameras_1),
        "date": "2026-11-22",
        "time_from": "09:00:00",
        "time_until": "09:12:00",
        "typed_reason": "考生投诉核查",
        "organisation": "示例市人力资源和社会保障局",
        "second_person": "李强",
        "target": "0",
        "max_gb": "",
        "with_play": "on",
        **changes,
    }


def ordered(world: World) -> list[ExportWish]:
    with world.exam.read() as connection:
        return export_orders(connection)


def rows(world: World, table: str) -> int:
    with world.exam.read() as connection:
        return int(connection.execute(f"select count(*) from {table}").fetchone()[0])


def finish(world: World, report: Report) -> None:
    with world.footage.write() as connection:
        write_report(connection, report, LATER_US)


def test_an_order_is_written_down_with_everything_the_law_asks_for(
    supervisor: PageClient, world: World
) -> None:
    answer = supervisor.post("/exports/", data=form(world, burn_in="on", max_gb="8"))
    assert (answer.status_code, answer.headers["Location"]) == (303, "/exports/1")
    (wish,) = ordered(world)
    asker = wish.asker
    assert (asker.organisation, asker.second_person) == ("示例市人力资源和社会保障局", "李强")
    assert (asker.reason, asker.name[:2]) == ("考生投诉核查", "测试")
    assert tuple(camera.uuid for camera in wish.cameras) == world.cameras_1
    assert (wish.interval.from_us, wish.interval.until_us) == (START_US, START_US + 12 * MINUTE_US)
    assert (wish.options.max_bytes, wish.options.burn_in, wish.options.copies) == (8 * 10**9, True, 3)
    assert wish.target == Settings(data_folder=world.folder).default_export_folder
    assert rows(world, "footage_access") == 1


def test_an_export_over_two_rooms_is_a_look_into_both(supervisor: PageClient, world: World) -> None:
    supervisor.post("/exports/", data=form(world, camera=[world.cameras_1[0], world.camera_2]))
    assert rows(world, "footage_access") == 2


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"camera": []}, "请至少选择一台摄像机"),
        ({"camera": ["../../etc"]}, "请至少选择一台摄像机"),
        ({"organisation": ""}, "单位"),
        ({"second_person": "长" * 61}, "姓名过长"),
        ({"typed_reason": ""}, "理由"),
        ({"time_until": "08:00:00"}, "结束时间应晚于开始时间"),
        ({"target": "1"}, "导出到哪里"),
        ({"target": "/etc"}, "导出到哪里"),
        ({"max_gb": "0"}, "填写整数"),
        ({"max_gb": "many"}, "填写整数"),
    ],
)
def test_a_faulty_order_is_refused_with_words_and_keeps_what_was_typed(
    supervisor: PageClient, world: World, changes: dict[str, object], words: str
) -> None:
    answer = supervisor.post("/exports/", data=form(world, **changes))
    page = answer.get_data(as_text=True)
    assert answer.status_code == 400
    assert words in page
    assert "请选择考场" not in page
    assert 'value="09:00:00"' in page
    assert ordered(world) == []


def test_the_page_suggests_the_session_and_its_cameras(supervisor: PageClient, world: World) -> None:
    page = supervisor.get(f"/exports/?session={world.session_id}&room={world.room_1}").get_data(as_text=True)
    assert page.count("checked>") == 4  # two cameras, the playable copy, reading the medium back
    assert "还没有导出过录像" in page
    supervisor.post("/exports/", data=form(world))
    assert "等待录像服务" in supervisor.get("/exports/").get_data(as_text=True)


def test_progress_is_shown_until_the_end_and_then_where_the_bag_lies(
    supervisor: PageClient, world: World
) -> None:
    supervisor.post("/exports/", data=form(world))
    waiting = supervisor.get("/exports/1").get_data(as_text=True)
    assert "等待录像服务" in waiting
    assert 'http-equiv="refresh"' in waiting
    finish(world, Report(1, WorkState.RUNNING, 5_000_000, 10_000_000, "正在复制并校验"))
    assert "5 / 10 MB" in supervisor.get("/exports/1").get_data(as_text=True)
    outcome = {"bags": ["export-1_x"], "target": "/media/usb", "is_complete": 1, "fingerprint": "f" * 64}
    finish(world, Report(1, WorkState.DONE, 1, 1, "全部交付", outcome))
    page = supervisor.get("/exports/1").get_data(as_text=True)
    for words in ("/media/usb/export-1_x", "f" * 64, "全部交付"):
        assert words in page
    assert "refresh" not in page


def test_a_failed_export_says_why(supervisor: PageClient, world: World) -> None:
    supervisor.post("/exports/", data=form(world))
    finish(world, Report(1, WorkState.FAILED, words="目标介质已满", outcome={"bags": []}))
    page = supervisor.get("/exports/1").get_data(as_text=True)
    assert "目标介质已满" in page
    assert "notice-bad" in page


def test_the_page_works_before_any_recorder_ran(supervisor: PageClient, world: World) -> None:
    supervisor.post("/exports/", data=form(world))
    (world.folder / "footage.db").unlink()
    assert "等待录像服务" in supervisor.get("/exports/1").get_data(as_text=True)


def test_the_auditor_reads_the_register_and_orders_nothing(as_role: AsRole, world: World) -> None:
    auditor = as_role(Role.AUDITOR)
    assert "开始导出" not in auditor.get("/exports/").get_data(as_text=True)
    assert auditor.post("/exports/", data=form(world)).status_code == 403


def test_an_export_that_nobody_ordered_is_not_found(supervisor: PageClient) -> None:
    assert supervisor.get("/exports/7", headers=HTML).status_code == 404
