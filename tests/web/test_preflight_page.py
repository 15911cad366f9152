"""The preflight page: who may order and see what, and what it says empty, running, broken and done."""

import io
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
from pypdf import PdfReader

from evidence.preflight import NewPreflight, Source, add_preflight
from evidence.work_orders import OrderKind, Report, WorkState, orders, write_report
from exam.clock import MINUTE_US, SECOND_US
from exam.preflight import Measured, Reach, judge
from tests.exam.test_preflight import LIMITS, SOUND_CAMERA
from tests.web.checked_cameras import check_cameras, order_check
from tests.web.console import PageClient, account_with, client_for
from tests.world import World
from web.access import Role
from web.services import Services

READERS = {
    Role.SITE_LEAD,
    Role.EXAMS_OFFICER,
    Role.INSPECTOR,
    Role.QUALITY_SUPERVISOR,
    Role.ADMINISTRATOR,
}
SEERS = READERS - {Role.ADMINISTRATOR}


def given(world: World) -> list[Mapping[str, object]]:
    with world.exam.read() as connection:
        return [
            {"subject": one.subject, "reason": one.reason, "by": one.ordered_by}
            for one in orders(connection, OrderKind.CAMERA_PREFLIGHT)
        ]


@pytest.mark.parametrize("role", list(Role))
def test_only_those_who_prepare_the_exam_read_it(as_role: Callable[[Role], PageClient], role: Role) -> None:
    assert as_role(role).get("/preflight/").status_code == (200 if role in READERS else 403)


def test_pictures_are_for_those_who_answer_for_the_rooms(
    as_role: Callable[[Role], PageClient], app, world: World
) -> None:
    order_id = check_cameras(world)
    address = f"/preflight/pictures/{order_id}/{world.camera_2}.jpg"
    for role in (Role.SITE_LEAD, Role.INSPECTOR, Role.EXAMS_OFFICER):
        answer = as_role(role).get(address)
        assert (answer.status_code, answer.mimetype) == (200, "image/jpeg")
        assert "no-store" in answer.headers["Cache-Control"]
    assert as_role(Role.ADMINISTRATOR).get(address).status_code == 403
    both = client_for(app, world, account_with(world, Role.EXAMS_OFFICER, Role.ADMINISTRATOR))
    assert both.get(address).status_code == 403, "nobody runs the machine and sees rooms with one account"
    page = both.get("/preflight/").text
    assert "本账户无权查看" in page
    assert ".jpg" not in page


def test_an_unknown_picture_is_a_404(site_lead: PageClient, world: World, services: Services) -> None:
    address = f"/preflight/pictures/7/{world.camera_2}.jpg"
    assert site_lead.get(address).status_code == 404
    services.footage.path = services.footage.path.with_name("not-yet.db")
    assert site_lead.get(address).status_code == 404


def test_before_any_check_every_camera_is_unchecked(site_lead: PageClient) -> None:
    page = site_lead.get("/preflight/").text
    assert "还有3台摄像机未检查" in page
    assert page.count("尚未检查") == 3
    assert "检查摄像机" in page


def test_a_site_without_cameras_says_what_to_do(site_lead: PageClient, world: World) -> None:
    with world.exam.write() as connection:
        connection.execute("update camera set retired_at_us = 1")
    assert "还没有摄像机" in site_lead.get("/preflight/").text
    site_lead.post("/preflight/")
    assert given(world) == []


def test_pressing_orders_a_check_with_who_and_why(site_lead: PageClient, world: World) -> None:
    answer = site_lead.post("/preflight/", data={"reason": "开考前检查"})
    assert answer.status_code == 303
    assert given(world) == [
        {"subject": {"cameras": []}, "reason": "开考前检查", "by": world.site_lead_account_id}
    ]
    site_lead.post("/preflight/")
    assert len(given(world)) == 1, "one that is going on is not ordered twice"


def test_only_known_cameras_are_ordered_and_a_reason_is_never_empty(
    site_lead: PageClient, world: World
) -> None:
    site_lead.post("/preflight/", data={"camera": [world.camera_2, "strange"], "reason": " "})
    assert given(world)[0]["subject"] == {"cameras": [world.camera_2]}
    assert given(world)[0]["reason"] == "考前摄像机检查"


def test_patrols_read_and_do_not_order(as_role: Callable[[Role], PageClient]) -> None:
    inspector = as_role(Role.INSPECTOR)
    assert "check-all" not in inspector.get("/preflight/").text
    assert inspector.post("/preflight/").status_code == 403


def test_a_running_check_shows_how_far_it_is(site_lead: PageClient, world: World) -> None:
    order_id = order_check(world)
    assert "等待录像程序" in site_lead.get("/preflight/live").text
    with world.footage.write() as connection:
        write_report(connection, Report(order_id, WorkState.RUNNING, 1, 3), world.clock.wall_us())
    page = site_lead.get("/preflight/live").text
    assert "已完成 1/3 台" in page
    assert '<progress max="3" value="1"' in page
    assert "没有进展" not in page
    world.clock.sleep_us(2 * MINUTE_US)
    assert "检查没有进展" in site_lead.get("/preflight/live").text


def test_an_order_that_nobody_takes_up_says_that_the_recorder_is_away(
    site_lead: PageClient, world: World, services: Services
) -> None:
    order_check(world)
    assert "录像程序没有响应" not in site_lead.get("/preflight/live").text
    world.clock.sleep_us(11 * SECOND_US)
    assert "录像程序没有响应" in site_lead.get("/preflight/live").text
    services.footage.path = services.footage.path.with_name("not-yet.db")
    assert "录像程序没有响应" in site_lead.get("/preflight/live").text


def test_all_good_is_said_in_one_sentence(site_lead: PageClient, world: World) -> None:
    check_cameras(world)
    page = site_lead.get("/preflight/").text
    assert "全部合格，共3台摄像机" in page
    assert "H.264 High@3.1，可录制，可在控制台回放" in page
    assert "关键帧间隔 2.0 秒" in page
    assert "每秒 25 帧" in page
    assert "李强" in page
    assert "复查" not in page


def test_each_trouble_stands_first_with_what_to_do(site_lead: PageClient, world: World) -> None:
    check_cameras(
        world,
        {
            world.cameras_1[0]: Reach.UNAUTHORIZED,
            world.cameras_1[1]: replace(
                SOUND_CAMERA, codec="hevc", plays_in_browsers=False, keyframe_us=5_000_000
            ),
        },
    )
    page = site_lead.get("/preflight/").text
    assert "不合格：2台摄像机需要处理" in page
    assert "摄像机拒绝登录" in page
    assert "再次导入后重新检查" in page
    assert "关键帧间隔 5.0 秒，过长" in page
    assert "H.265：可以录制，但本控制台的浏览器不能回放" in page
    assert "只复查未合格的 2 台" in page


def test_a_warning_lets_the_exam_begin(site_lead: PageClient, world: World) -> None:
    check_cameras(world, {world.camera_2: replace(SOUND_CAMERA, clock_offset_us=7_300_000)})
    page = site_lead.get("/preflight/").text
    assert "可以开考，1台摄像机需要注意" in page
    assert "相差 +7.3 秒（按视频流）" in page


def test_the_cameras_own_word_about_its_clock_is_told_with_its_age(
    site_lead: PageClient, world: World
) -> None:
    asked = replace(SOUND_CAMERA, clock_source="onvif")
    check_cameras(world, {world.camera_2: asked})
    assert "相差 +0.1 秒（按 ONVIF，检查时读取）" in site_lead.get("/preflight/").text
    check_cameras(world, {world.camera_2: replace(asked, clock_age_us=9 * MINUTE_US)})
    assert "（按 ONVIF，9 分钟前读取）" in site_lead.get("/preflight/").text


def test_each_camera_can_be_checked_alone_unless_a_check_is_going_on(
    as_role: Callable[[Role], PageClient], world: World
) -> None:
    lead = as_role(Role.SITE_LEAD)
    check_cameras(world)
    assert lead.get("/preflight/").text.count("只检查这一台") == 3
    assert "只检查这一台" not in as_role(Role.INSPECTOR).get("/preflight/").text
    lead.post("/preflight/", data={"camera": world.camera_2, "reason": "单台检查"})
    last = given(world)[-1]
    assert (last["subject"], last["reason"]) == ({"cameras": [world.camera_2]}, "单台检查")
    assert "只检查这一台" not in lead.get("/preflight/live").text


def test_yesterdays_result_says_nothing_about_today(
    as_role: Callable[[Role], PageClient], world: World
) -> None:
    check_cameras(world)
    world.clock.step_wall(25 * 60 * MINUTE_US)
    page = as_role(Role.SITE_LEAD).get("/preflight/").text
    assert "检查已过期" in page
    assert "还有3台摄像机未检查" in page


def test_a_recheck_replaces_only_the_cameras_it_looked_at(site_lead: PageClient, world: World) -> None:
    check_cameras(world, {world.camera_2: Reach.NO_ANSWER})
    assert "不合格：1台" in site_lead.get("/preflight/").text
    order_id = order_check(world)
    findings = judge(Reach.ANSWERED, SOUND_CAMERA, LIMITS, has_picture=True)
    with world.footage.write() as connection:
        new = NewPreflight(order_id, world.camera_2, Source.RECORDING, findings, SOUND_CAMERA, b"\xff\xd8")
        add_preflight(connection, new, world.clock.wall_us())
        made = Report(order_id, WorkState.DONE, 1, 1, outcome={})
        write_report(connection, made, world.clock.wall_us())
    page = site_lead.get("/preflight/").text
    assert "全部合格" in page
    assert page.count("检查正在录制的文件") == 1


def test_the_pdf_says_the_same_on_a4(site_lead: PageClient, administrator: PageClient, world: World) -> None:
    check_cameras(world, {world.camera_2: Reach.NO_ANSWER})
    answer = site_lead.get("/preflight/sheet.pdf")
    assert answer.mimetype == "application/pdf"
    pages = PdfReader(io.BytesIO(answer.data)).pages
    assert [round(float(side)) for side in pages[0].mediabox[2:]] == [595, 842]
    text = "".join(page.extract_text() for page in pages)
    assert "第2考场" in text
    assert len(pages[0].images) == 2
    without = PdfReader(io.BytesIO(administrator.get("/preflight/sheet.pdf").data)).pages
    assert len(without[0].images) == 0


def test_no_inline_style_no_address_and_no_password(site_lead: PageClient, world: World) -> None:
    check_cameras(world, {world.camera_2: Reach.UNAUTHORIZED})
    page = site_lead.get("/preflight/").text
    assert "style=" not in page
    assert "rtsp://" not in page


def test_every_finding_the_rule_can_make_has_a_sentence_with_its_figures(
    site_lead: PageClient, world: World
) -> None:
    odd = Measured("mpeg4", "", 0, True, 640, 360, 3_000_000, True, 200_000, 9_000_000, None, "pcm_alaw")
    check_cameras(world, {world.camera_2: odd, world.cameras_1[0]: replace(SOUND_CAMERA, sound_codec=None)})
    page = site_lead.get("/preflight/").text
    for words in ("编码格式 mpeg4 不能回放", "低于 720 线", "每秒 5 帧", "9.0 Mb/s，偏高", "PCM_ALAW"):
        assert words in page


def test_the_stream_wakes_when_a_check_is_ordered(site_lead: PageClient, services: Services) -> None:
    with site_lead.get("/preflight/stream") as answer:
        frames = iter(answer.response)
        assert next(frames).startswith(b"retry")
        services.bus.publish("preflight")
        assert next(frames) == b"id: 1\ndata: 1\n\n"
    services.bus.close()
