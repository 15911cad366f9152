from collections.abc import Callable
from typing import Any

import pytest

from evidence.coverage import PartKind
from evidence.footage import Cause
from evidence.footage_access import GRANT_US
from evidence.footage_rows import note_absence
from exam.clock import MINUTE_US, SECOND_US
from tests.happenings import log, scan
from tests.recordings import FRAGMENT_BYTES, INIT_BYTES, Reel, file_of
from tests.web.console import PageClient
from tests.world import START_US, World, announce
from web.access import Role
from web.playback import SETTLED_US
from web.services import Services

FORM = {
    "date": "2026-11-22",
    "time_from": "09:00:00",
    "time_until": "09:10:00",
    "reason": "质量督导检查",
}
UNTIL_US = START_US + 10 * MINUTE_US
HTML = {"Accept": "text/html"}


@pytest.fixture(autouse=True)
def _after_the_exam(world: World) -> None:
    world.clock.now_us = UNTIL_US + SETTLED_US


@pytest.fixture
def supervisor(as_role: Callable[[Role], PageClient]) -> PageClient:
    return as_role(Role.SUPERVISOR)


def ask(client: PageClient, world: World, **changes: str) -> Any:
    return client.post("/playback/", data=FORM | {"room": str(world.room_1)} | changes, headers=HTML)


def opened(client: PageClient, world: World, **changes: str) -> str:
    """The address of a new grant."""
    answer = ask(client, world, **changes)
    assert answer.status_code == 303
    return str(answer.location).partition("?")[0]


def accesses(world: World) -> list[tuple[Any, ...]]:
    with world.exam.read() as connection:
        rows = connection.execute("select room_id, from_us, until_us, reason from footage_access order by id")
        return [tuple(row) for row in rows]


@pytest.mark.parametrize(("role", "may_export"), [(Role.SUPERVISOR, True), (Role.AUDITOR, False)])
def test_whoever_may_export_is_led_from_what_is_played_to_its_export(
    as_role: Callable[[Role], PageClient], world: World, role: Role, may_export: bool
) -> None:
    client = as_role(role)
    page = client.get(opened(client, world), headers=HTML).get_data(as_text=True)
    link = f"/exports/?room={world.room_1}&amp;from={START_US}&amp;until={UNTIL_US}"
    assert (link in page) is may_export
    if may_export:
        form = client.get(link.replace("&amp;", "&"), headers=HTML).get_data(as_text=True)
        assert 'value="09:00:00"' in form
        assert 'value="09:10:00"' in form


def test_a_reason_opens_the_footage_and_is_written_down(supervisor: PageClient, world: World) -> None:
    address = opened(supervisor, world)
    assert accesses(world) == [(world.room_1, START_US, UNTIL_US, "质量督导检查")]
    page = supervisor.get(address, headers=HTML)
    assert page.status_code == 200
    text = page.get_data(as_text=True)
    assert "第1考场" in text
    assert "质量督导检查" in text


def test_without_a_reason_there_is_no_access_and_the_form_keeps_what_was_typed(
    supervisor: PageClient, world: World
) -> None:
    answer = ask(supervisor, world, reason="", typed_reason=" ")
    assert answer.status_code == 400
    text = answer.get_data(as_text=True)
    assert "请选择或填写调阅理由" in text
    assert 'value="09:10:00"' in text
    assert accesses(world) == []


def test_a_typed_reason_counts_when_none_was_pressed(supervisor: PageClient, world: World) -> None:
    opened(supervisor, world, reason="", typed_reason="家长来信核查")
    assert accesses(world)[0][3] == "家长来信核查"


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.PROCTOR, Role.EXAMS_OFFICER, Role.ARCHIVIST])
def test_other_roles_see_no_footage_and_no_form(
    as_role: Callable[[Role], PageClient], supervisor: PageClient, world: World, role: Role
) -> None:
    address = opened(supervisor, world)
    other = as_role(role)
    for path in ("/playback/", address, f"{address}/timeline.json"):
        assert other.get(path).status_code == 403
    assert ask(other, world).status_code == 403
    assert len(accesses(world)) == 1


@pytest.mark.parametrize(
    "role", [Role.SUPERVISOR, Role.SITE_LEAD, Role.INSPECTOR, Role.QUALITY_SUPERVISOR, Role.AUDITOR]
)
def test_those_who_review_may_ask(as_role: Callable[[Role], PageClient], world: World, role: Role) -> None:
    client = as_role(role)
    assert client.get("/playback/", headers=HTML).status_code == 200
    opened(client, world)


def test_nobody_looks_under_somebody_elses_reason(
    as_role: Callable[[Role], PageClient], supervisor: PageClient, world: World
) -> None:
    segment_id = Reel(world, world.cameras_1[0]).invent(START_US)
    address = opened(supervisor, world)
    other = as_role(Role.AUDITOR)
    for path in (
        "",
        "/timeline.json",
        f"/cameras/{world.cameras_1[0]}.m3u8",
        f"/segments/{segment_id}.mp4",
    ):
        assert other.get(address + path).status_code == 403


def test_a_grant_that_is_over_asks_for_a_new_reason(supervisor: PageClient, world: World) -> None:
    address = opened(supervisor, world)
    with world.exam.write() as connection:
        connection.execute("update footage_access set accessed_at_us = accessed_at_us - ?", (GRANT_US,))
    assert supervisor.get(f"{address}/timeline.json").status_code == 403
    again = supervisor.get(f"{address}?at={START_US + 1}", headers=HTML)
    assert again.status_code == 302
    assert again.location == f"/playback/?room={world.room_1}&at={START_US + 1}"
    assert supervisor.get("/playback/4711", headers=HTML).status_code == 404


def test_the_timeline_tells_parts_with_causes_and_marks_with_words(
    supervisor: PageClient, world: World
) -> None:
    front, back = world.cameras_1
    reel = Reel(world, front)
    reel.invent(START_US)
    with world.footage.write() as connection:
        note_absence(connection, front, START_US + 10 * SECOND_US, Cause.STALLED, START_US + 10 * SECOND_US)
    announce(world, "C5", START_US)
    with world.exam.write() as connection:
        scan(connection, world, world.late, "OK_LATE", scanned_us=START_US + SECOND_US, title="迟到签到")
        scan(connection, world, None, "NOT_ON_ROSTER", kind="H", scanned_us=START_US + SECOND_US)
        first = log(connection, world, START_US + 60 * SECOND_US, "已提醒", candidate_id=world.on_time.id)
        log(connection, world, START_US + 90 * SECOND_US, "更正上条", corrects_id=first)
        connection.execute("update kiosk set room_id = ?", (world.room_1,))
    told = supervisor.get(opened(supervisor, world) + "/timeline.json").get_json()
    assert (told["from_us"], told["until_us"], told["live"]) == (START_US, UNTIL_US, False)
    assert [camera["uuid"] for camera in told["cameras"]] == [front, back]
    assert [(part["kind"], part["words"]) for part in told["cameras"][0]["parts"]] == [
        ("footage", ""),
        ("gap", "摄像机停止发送画面"),
    ]
    assert [(part["kind"], part["words"]) for part in told["cameras"][1]["parts"]] == [
        ("unrecorded", "没有录像，也没有缺口记录")
    ]
    assert [(mark["kind_words"], mark["title"], mark["text"]) for mark in told["marks"]] == [
        ("播报", "开考信号", ""),
        ("签到入场", "赵迟", "2号 迟到签到"),
        ("转人工", "未识别的考生", "签到成功"),
        ("监考日志", "违纪提醒", "1号 陈一诺 已提醒"),
        ("监考日志", "违纪提醒", "更正 更正上条"),
    ]


def test_codes_without_words_are_shown_as_they_are(supervisor: PageClient, world: World) -> None:
    announce(world, "C5", START_US)
    with world.exam.write() as connection:
        log(connection, world, START_US + SECOND_US, "")
        connection.execute("update log_entry set kind = 'of_old'")
        connection.execute("update session set procedure_code = 'forgotten'")
    told = supervisor.get(opened(supervisor, world) + "/timeline.json").get_json()
    assert [mark["title"] for mark in told["marks"]] == ["C5", "of_old"]


def test_while_the_interval_may_still_grow_the_page_and_the_playlist_say_so(
    supervisor: PageClient, world: World
) -> None:
    Reel(world, world.cameras_1[0]).invent(START_US)
    world.clock.now_us = UNTIL_US + SETTLED_US - 1
    address = opened(supervisor, world)
    assert supervisor.get(f"{address}/timeline.json").get_json()["live"] is True
    text = supervisor.get(f"{address}/cameras/{world.cameras_1[0]}.m3u8").get_data(as_text=True)
    assert "#EXT-X-PLAYLIST-TYPE:EVENT" in text


def test_the_playlist_names_files_by_number_and_leaves_out_what_cannot_be_read(
    supervisor: PageClient, world: World
) -> None:
    reel = Reel(world, world.cameras_1[0])
    good, lost = reel.invent(START_US), reel.invent(START_US + 10 * SECOND_US)
    file_of(world, lost).rename(world.folder / "elsewhere")
    address = opened(supervisor, world)
    answer = supervisor.get(f"{address}/cameras/{world.cameras_1[0]}.m3u8")
    assert answer.mimetype == "application/vnd.apple.mpegurl"
    assert answer.headers["Cache-Control"] == "private, no-store"
    text = answer.get_data(as_text=True)
    assert f"../segments/{good}.mp4" in text
    assert f"{lost}.mp4" not in text
    assert str(world.folder) not in text
    assert "#EXT-X-ENDLIST" in text


def test_bytes_come_by_range_as_they_were_recorded(supervisor: PageClient, world: World) -> None:
    segment_id = Reel(world, world.cameras_1[0]).invent(START_US)
    recorded = file_of(world, segment_id).read_bytes()
    path = f"{opened(supervisor, world)}/segments/{segment_id}.mp4"
    last = INIT_BYTES + FRAGMENT_BYTES - 1
    part = supervisor.get(path, headers={"Range": f"bytes={INIT_BYTES}-{last}"}, buffered=True)
    assert part.status_code == 206
    assert part.data == recorded[INIT_BYTES : last + 1]
    assert part.headers["Content-Range"] == f"bytes {INIT_BYTES}-{last}/{len(recorded)}"
    whole = supervisor.get(path, buffered=True)
    assert (whole.status_code, whole.data) == (200, recorded)
    assert whole.headers["Accept-Ranges"] == "bytes"
    assert whole.headers["Cache-Control"] == "private, no-store"
    assert supervisor.get(path, headers={"Range": "bytes=999999-"}).status_code == 416


def test_a_grant_serves_its_room_and_its_time_and_nothing_else(supervisor: PageClient, world: World) -> None:
    elsewhere = Reel(world, world.camera_2).invent(START_US)
    later = Reel(world, world.cameras_1[0]).invent(UNTIL_US)
    address = opened(supervisor, world)
    for segment_id in (elsewhere, later, 4711):
        assert supervisor.get(f"{address}/segments/{segment_id}.mp4").status_code == 404
    assert supervisor.get(f"{address}/cameras/{world.camera_2}.m3u8").status_code == 404


def test_a_file_that_went_away_and_a_damaged_map_are_not_found(supervisor: PageClient, world: World) -> None:
    reel = Reel(world, world.cameras_1[0])
    lost, damaged = reel.invent(START_US), reel.invent(START_US + 10 * SECOND_US)
    file_of(world, lost).rename(world.folder / "elsewhere")
    with world.footage.write() as connection:
        connection.execute("update fragment_map set fragments = x'09' where segment_id = ?", (damaged,))
    address = opened(supervisor, world)
    for segment_id in (lost, damaged):
        assert supervisor.get(f"{address}/segments/{segment_id}.mp4").status_code == 404


def test_before_any_recorder_ran_there_is_a_timeline_without_footage(
    supervisor: PageClient, world: World, services: Services
) -> None:
    services.footage.path = world.folder / "nowhere.db"
    address = opened(supervisor, world)
    told = supervisor.get(f"{address}/timeline.json").get_json()
    assert [part["kind"] for part in told["cameras"][0]["parts"]] == ["unrecorded"]
    assert supervisor.get(f"{address}/cameras/{world.cameras_1[0]}.m3u8").status_code == 404
    assert supervisor.get(f"{address}/segments/1.mp4").status_code == 404


def test_a_link_to_a_moment_fills_in_its_session(supervisor: PageClient, world: World) -> None:
    at_us = START_US + MINUTE_US
    text = supervisor.get(f"/playback/?room={world.room_2}&at={at_us}", headers=HTML).get_data(as_text=True)
    assert f'<option value="{world.room_2}" selected>' in text
    assert 'value="08:40:00"' in text
    assert "将从09:01:00前3秒开始播放" in text
    answer = ask(supervisor, world, at=str(at_us))
    assert answer.location.endswith(f"?at={at_us}")
    assert "at=" not in ask(supervisor, world, at=str(UNTIL_US)).location


def test_rooms_without_a_camera_are_not_offered(supervisor: PageClient, world: World) -> None:
    with world.exam.write() as connection:
        connection.execute("delete from camera where room_id = ?", (world.room_2,))
    text = supervisor.get("/playback/", headers=HTML).get_data(as_text=True)
    assert "第1考场" in text
    assert "第2考场" not in text
    with world.exam.write() as connection:
        connection.execute("delete from camera")
    assert "还没有带摄像机的考场" in supervisor.get("/playback/", headers=HTML).get_data(as_text=True)


def test_visitors_without_login_are_sent_to_the_door(anonymous: PageClient) -> None:
    assert anonymous.get("/playback/", headers=HTML).status_code == 302
    assert anonymous.get("/playback/1/segments/1.mp4").status_code == 401


def test_a_log_line_leads_those_who_may_look_to_its_moment(
    site_lead: PageClient, proctor: PageClient, world: World
) -> None:
    with world.exam.write() as connection:
        log(connection, world, START_US + SECOND_US, "已提醒")
    room_page = f"/proctor/{world.session_id}/{world.room_1}"
    link = f"/playback/?room={world.room_1}&amp;at={START_US + SECOND_US}"
    assert link in site_lead.get(room_page, headers=HTML).get_data(as_text=True)
    assert link not in proctor.get(room_page, headers=HTML).get_data(as_text=True)
    opened(site_lead, world)


def test_the_legend_names_everything_that_a_timeline_draws(supervisor: PageClient, world: World) -> None:
    page = supervisor.get(opened(supervisor, world), headers=HTML).get_data(as_text=True)
    drawn = set(PartKind) - {PartKind.FUTURE}  # nothing is drawn of the time to come
    assert {kind for kind in drawn if f"swatch-{kind}" not in page} == set()
    assert "已录，需导出观看" in page


def test_pictures_that_no_browser_shows_are_told_as_recorded(supervisor: PageClient, world: World) -> None:
    segment = Reel(world, world.cameras_1[0]).invent(START_US)
    with world.footage.write() as connection:
        connection.execute("update fragment_map set codec = 'hev1.1.6.L93' where segment_id = ?", (segment,))
    answer = supervisor.get(f"{opened(supervisor, world)}/timeline.json")
    part = answer.json["cameras"][0]["parts"][0]
    assert part["kind"] == "other_codec"
    assert part["words"].startswith("已录制")
