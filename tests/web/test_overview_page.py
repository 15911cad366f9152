from evidence import announcements
from evidence.announcements import PlayedReport
from evidence.footage import Cause, Recording
from evidence.health import HealthKind, NewTrouble, begin_trouble
from evidence.plan_changes import arm_session
from exam.clock import MINUTE_US, SECOND_US
from tests.web.console import PageClient
from tests.web.crowd import add_rooms, admit, give_players, recording
from tests.world import CLOCK_US, START_US, World, announce
from web.services import Services


def arm(world: World, at_us: int = CLOCK_US - 60 * MINUTE_US) -> None:
    with world.exam.write() as connection:
        arm_session(connection, world.session_id, world.site_lead_account_id, at_us)


def report(world: World, room_id: int, cue: str, started_at_us: int | None = CLOCK_US) -> None:
    with world.exam.write() as connection:
        announcements.add_report(
            connection,
            PlayedReport(
                session_id=world.session_id,
                room_id=room_id,
                cue_code=cue,
                occurrence=1,
                player="player-0001",
                started_at_us=started_at_us,
                ended_at_us=None,
                offset_us=0,
                uncertainty_us=1000,
                error="" if started_at_us else "autoplay_refused",
            ),
            CLOCK_US,
        )


def tasks(page: str) -> str:
    return page.partition('data-live="sessions"')[0]


def test_a_quiet_site_says_that_nothing_needs_doing(site_lead: PageClient, world: World) -> None:
    arm(world)
    give_players(world)
    recording(world)
    page = site_lead.get("/overview").text
    assert "一切正常" in page
    assert "自动信号已启用" in page
    assert page.count("录像中") == 3
    assert "已入场 0/3" in page


def test_a_session_that_is_not_armed_is_the_first_task(site_lead: PageClient, world: World) -> None:
    recording(world)
    page = tasks(site_lead.get("/overview/live").text)
    assert "自动信号尚未启用" in page
    assert f'href="/sessions/{world.session_id}/arm"' in page


def test_hours_before_arming_is_offered_but_not_urgent(site_lead: PageClient, world: World) -> None:
    recording(world)
    world.clock.step_wall(-120 * MINUTE_US)
    page = site_lead.get("/overview/live").text
    assert "自动信号尚未启用" not in page
    assert "自动信号未启用" in page


def test_a_signal_that_no_room_reported_is_red_until_one_does(site_lead: PageClient, world: World) -> None:
    arm(world)
    give_players(world)
    recording(world)
    announce(world, "C3", CLOCK_US - 6 * SECOND_US)
    page = tasks(site_lead.get("/overview/live").text)
    assert "第1考场、第2考场" in page
    assert "考室未报告已播放" in page
    report(world, world.room_1, "C3", None)
    report(world, world.room_2, "C3")
    page = tasks(site_lead.get("/overview/live").text)
    assert "第2考场" not in page, "a report that it did not sound is no report that it did"
    assert "第1考场" in page


def test_a_missed_signal_can_be_made_good_from_here(site_lead: PageClient, world: World) -> None:
    arm(world)
    recording(world)
    with world.exam.write() as connection:
        for room_id in (world.room_1, world.room_2):
            connection.execute(
                "insert into announcement (session_id, room_id, cue_code, occurrence, planned_at_us, outcome,"
                " source, recorded_at_us) values (?, ?, 'C5', 1, ?, 'missed', 'schedule', ?)",
                (world.session_id, room_id, START_US, START_US),
            )
    world.clock.sleep_us(12 * MINUTE_US)
    page = tasks(site_lead.get("/overview/live").text)
    assert "开考信号：未发出" in page
    assert f"/api/sessions/{world.session_id}/press/C5" in page
    assert "立即补发" in page


def test_cameras_speak_in_words_and_silence_of_the_recorder_is_no_good_news(
    site_lead: PageClient, world: World
) -> None:
    page = site_lead.get("/overview/live").text
    assert "没有录像" in page
    recording(
        world,
        but={
            world.cameras_1[0]: (Recording.DOWN, Cause.UNAUTHORIZED),
            world.cameras_1[1]: (Recording.CONNECTING, Cause.STARTING),
            world.camera_2: (Recording.STOPPED, Cause.OPERATOR_STOP),
        },
    )
    page = site_lead.get("/overview/live").text
    for words in ("未录像（密码不对）", "正在连接", "已停止"):
        assert words in page
    world.clock.sleep_us(11 * SECOND_US)
    assert "录像服务无响应" in site_lead.get("/overview/live").text


def test_before_any_recorder_ran_no_camera_records(site_lead: PageClient, services: Services) -> None:
    services.footage.path = services.footage.path.with_name("not-yet.db")
    assert "没有录像" in site_lead.get("/overview/live").text


def test_doubts_wait_for_the_lead(site_lead: PageClient, world: World) -> None:
    admit(world, world.wrong_ticket.id, "referred")
    page = tasks(site_lead.get("/overview/live").text)
    assert "1名考生转到人工窗口" in page


def test_the_same_trouble_in_many_rooms_is_one_task(site_lead: PageClient, world: World) -> None:
    add_rooms(world, 6)
    page = tasks(site_lead.get("/overview/live").text)
    assert "等7个考场" in page
    assert page.count("没有录像") == 2, "one with two cameras each, one with one"


def test_phases_follow_the_signals_of_the_room(site_lead: PageClient, world: World) -> None:
    arm(world)
    assert "签到入场" in site_lead.get("/overview/live").text
    announce(world, "C5", START_US, world.room_1)
    world.clock.sleep_us(20 * MINUTE_US)
    page = site_lead.get("/overview/live").text
    assert "考试中" in page
    assert "等待开考" in page, "the other room has not started"
    assert f'data-countdown-us="{START_US + 60 * MINUTE_US}"' in page
    announce(world, "C5", START_US, world.room_2)
    announce(world, "C8", START_US + 60 * MINUTE_US)
    world.clock.sleep_us(60 * MINUTE_US)
    page = site_lead.get("/overview/live").text
    assert "已终止" in page
    assert "已结束" in page


def test_waiting_for_an_assessor_is_usual(site_lead: PageClient, world: World) -> None:
    with world.exam.write() as connection:
        connection.execute("update session set procedure_code = 'practical', kind = 'practical'")
    world.clock.sleep_us(12 * MINUTE_US)
    page = site_lead.get("/overview/live").text
    assert '<span class="state state-wait">' in page
    assert "等待开考" in page


def test_a_cancelled_session_is_quiet(site_lead: PageClient, world: World) -> None:
    with world.exam.write() as connection:
        connection.execute("update session set cancelled_at_us = 1")
    page = site_lead.get("/overview/live").text
    assert "已取消" in page
    assert "全场应急播报" not in page


def test_an_empty_day_says_what_to_do(site_lead: PageClient, world: World) -> None:
    world.clock.step_wall(-72 * 60 * MINUTE_US)
    assert "今天没有场次" in site_lead.get("/overview/live").text


def test_the_correction_is_within_reach_of_the_lead(site_lead: PageClient, world: World) -> None:
    page = site_lead.get("/overview").text
    assert f"/api/sessions/{world.session_id}/press/X1" in page


def test_the_stream_wakes_for_any_room(site_lead: PageClient, services: Services) -> None:
    with site_lead.get("/overview/stream") as answer:
        frames = iter(answer.response)
        assert next(frames).startswith(b"retry")
        services.bus.publish("room:7")
        assert next(frames) == b"id: 1\ndata: 1\n\n"
    services.bus.close()


def test_a_camera_whose_picture_is_in_trouble_is_red_and_says_what_to_do(
    site_lead: PageClient, world: World
) -> None:
    arm(world)
    recording(world)
    with world.footage.write() as connection:
        new = NewTrouble(world.cameras_1[0], HealthKind.COVERED, world.clock.wall_us(), {})
        begin_trouble(connection, new, world.clock.wall_us())
    page = site_lead.get("/overview/live").text
    assert "镜头被遮挡。到现场移开遮挡物" in page
    assert page.count("镜头被遮挡") >= 2, "among the alarms, and at the camera of its room"
    recording(world, but={world.cameras_1[0]: (Recording.DOWN, Cause.UNREACHABLE)})
    assert "未录像（连接不上）" in site_lead.get("/overview/live").text, "no picture is the greater trouble"
