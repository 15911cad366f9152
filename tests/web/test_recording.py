import pytest

from evidence.accounts import load_account
from evidence.ledger import read_leaves
from evidence.recording_orders import load_moves, load_room_orders
from exam.clock import MINUTE_US
from exam.recording_decision import HandAct, RecordingMode
from tests.web.console import PageClient, account_with
from tests.world import CLOCK_US, PASSWORD, START_US, World, announce
from web.access import Role

REASON = {"reason": "设备检修"}


def spare_room(world: World) -> int:
    with world.exam.write() as connection:
        row = connection.execute(
            "insert into room (code, label, kind) values ('E1', '应急考场', 'contingency_hall') returning id"
        ).fetchone()
    return int(row["id"])


def acts(world: World, room_id: int) -> list[HandAct]:
    with world.exam.read() as connection:
        return [order.act for order in load_room_orders(connection)[room_id].by_hand]


def login_name(world: World, account_id: int) -> str:
    with world.exam.read() as connection:
        row = connection.execute("select login_name from account where id = ?", (account_id,)).fetchone()
    return str(row["login_name"])


def hours_later(client: PageClient, world: World, hours: int) -> None:
    """Somebody looks every hour, so that the login stays open."""
    for _ in range(hours):
        world.clock.step_wall(60 * MINUTE_US)
        client.get("/recording")


def before_the_day(world: World) -> None:
    world.clock.step_wall(-6 * 60 * MINUTE_US)


def test_the_page_says_what_every_room_does_and_until_when(site_lead: PageClient, world: World) -> None:
    page = site_lead.get("/recording").text
    assert page.count("按计划录像，到 10:15") == 2
    before_the_day(world)
    assert site_lead.get("/recording").text.count("待命，08:00 开始录像") == 2
    announce(world, "C8", START_US)
    hours_later(site_lead, world, 9)
    assert "待命，今天没有安排" in site_lead.get("/recording").text


def test_the_overview_shows_the_recording_of_each_room(site_lead: PageClient) -> None:
    assert site_lead.get("/overview").text.count("按计划录像，到 10:15") == 2


def test_a_start_outside_the_schedule_needs_a_reason_only(site_lead: PageClient, world: World) -> None:
    before_the_day(world)
    refused = site_lead.post(f"/recording/rooms/{world.room_1}/start", data={"reason": " "})
    assert (refused.status_code, acts(world, world.room_1)) == (400, [])
    assert "请写明原因" in refused.text
    started = site_lead.post(f"/recording/rooms/{world.room_1}/start", data=REASON)
    assert started.status_code == 302
    page = site_lead.get("/recording").text
    assert "手动录像，到人工停止为止" in page
    assert "原因：设备检修" in page
    site_lead.post(f"/recording/rooms/{world.room_1}/stop", data=REASON)
    assert acts(world, world.room_1) == [HandAct.START, HandAct.STOP]
    assert "手动录像，到" not in site_lead.get("/recording").text


def test_stopping_a_running_session_needs_a_second_person(site_lead: PageClient, world: World) -> None:
    address = f"/recording/rooms/{world.room_1}/stop"
    second = login_name(world, world.proctor_account_id)
    own = login_name(world, world.site_lead_account_id)
    administrator = login_name(world, world.administrator_account_id)
    for name, password in ((second, "wrong"), (own, PASSWORD), (administrator, PASSWORD), ("", "")):
        form = {**REASON, "second_name": name, "second_password": password}
        refused = site_lead.post(address, data=form)
        assert (refused.status_code, acts(world, world.room_1)) == (400, [])
    done = site_lead.post(address, data={**REASON, "second_name": second, "second_password": PASSWORD})
    assert done.status_code == 302
    assert acts(world, world.room_1) == [HandAct.STOP]
    page = site_lead.get("/recording").text
    assert "人工停止录像，应录到 10:15" in page
    assert "同意" in page
    assert "考试时间内人工停止了录像" in site_lead.get("/overview").text
    with world.exam.read() as connection:
        kinds = [leaf.kind for leaf, _ in read_leaves(connection)]
    assert kinds[-1] == "recording_order"
    site_lead.post(f"/recording/rooms/{world.room_1}/start", data=REASON)
    assert site_lead.get("/recording").text.count("按计划录像，到 10:15") == 2


def test_a_second_account_of_the_same_person_is_no_second_person(site_lead: PageClient, world: World) -> None:
    with world.exam.read() as connection:
        himself = load_account(connection, world.site_lead_account_id)
    assert himself is not None
    for staff_id in (himself.staff_id, None):  # without a badge nobody knows whose it is
        other = account_with(world, Role.INSPECTOR, staff_id=staff_id)
        form = {**REASON, "second_name": login_name(world, other), "second_password": PASSWORD}
        refused = site_lead.post(f"/recording/rooms/{world.room_1}/stop", data=form)
        assert (refused.status_code, acts(world, world.room_1)) == (400, [])
        assert "另一名工作人员" in refused.text


def test_guessing_the_second_password_is_slowed(site_lead: PageClient, world: World) -> None:
    form = {**REASON, "second_name": "wangfang-guess", "second_password": "wrong"}
    answers = [site_lead.post(f"/recording/rooms/{world.room_1}/stop", data=form) for _ in range(7)]
    assert "请在" in answers[-1].text or answers[-1].status_code == 429
    assert acts(world, world.room_1) == []


def test_modes_of_the_site_and_of_a_room(site_lead: PageClient, world: World) -> None:
    before_the_day(world)
    site_lead.post("/recording/mode", data={**REASON, "mode": "all_day"})
    assert site_lead.get("/recording").text.count("全天录像，不停止") == 2
    site_lead.post("/recording/mode", data={**REASON, "mode": "manual", "room_id": world.room_1})
    with world.exam.read() as connection:
        orders = load_room_orders(connection)[world.room_1]
    assert [change.mode for change in orders.room_modes] == [RecordingMode.MANUAL]
    site_lead.post("/recording/mode", data={**REASON, "mode": "as_site", "room_id": world.room_1})
    assert site_lead.get("/recording").text.count("全天录像，不停止") == 2


@pytest.mark.parametrize("form", [{"mode": "never"}, {"mode": "as_site"}, {}])
def test_a_mode_that_does_not_exist_is_refused(site_lead: PageClient, form: dict[str, str]) -> None:
    assert site_lead.post("/recording/mode", data={**REASON, **form}).status_code == 400


def test_nobody_switches_a_running_session_to_recording_by_hand(site_lead: PageClient, world: World) -> None:
    refused = site_lead.post("/recording/mode", data={**REASON, "mode": "manual"})
    assert (refused.status_code, "考试正在进行" in refused.text) == (400, True)
    no_reason = site_lead.post("/recording/mode", data={"mode": "all_day", "room_id": world.room_1})
    assert no_reason.status_code == 400


def test_nor_by_letting_its_room_follow_a_site_that_records_by_hand(
    site_lead: PageClient, world: World
) -> None:
    before_the_day(world)
    site_lead.post("/recording/mode", data={**REASON, "mode": "manual"})
    site_lead.post("/recording/mode", data={**REASON, "mode": "schedule", "room_id": world.room_1})
    hours_later(site_lead, world, 6)
    form = {**REASON, "mode": "as_site", "room_id": world.room_1}
    assert site_lead.post("/recording/mode", data=form).status_code == 400
    with world.exam.read() as connection:
        changes = load_room_orders(connection)[world.room_1].room_modes
    assert [change.mode for change in changes] == [RecordingMode.SCHEDULE]


def test_a_session_moves_and_its_recording_follows(site_lead: PageClient, world: World) -> None:
    spare = spare_room(world)
    form = {**REASON, "from": f"{world.session_id}-{world.room_1}", "to_room": spare}
    assert site_lead.post("/recording/moves", data={**form, "moves_at": "9点"}).status_code == 400
    assert site_lead.post("/recording/moves", data={**form, "to_room": 999}).status_code == 400
    for far in ("07:49", "09:51"):  # it is 08:50
        refused = site_lead.post("/recording/moves", data={**form, "moves_at": far})
        assert refused.status_code == 400
        assert f"转场时间 {far} 与现在（08:50）相差超过1小时" in refused.text
    with world.exam.read() as connection:
        assert load_moves(connection, world.session_id) == []
    assert site_lead.post("/recording/moves", data={**form, "moves_at": "09:30"}).status_code == 302
    with world.exam.read() as connection:
        (move,) = load_moves(connection, world.session_id)
    assert (move.to_room_id, move.moves_at_us) == (spare, START_US + 30 * MINUTE_US)
    assert "按计划录像，到 09:40" in site_lead.get("/recording").text
    assert site_lead.post("/recording/moves", data=form).status_code == 409
    back = {**form, "from": f"{world.session_id}-{spare}", "to_room": world.room_1}
    assert site_lead.post("/recording/moves", data=back).status_code == 302
    assert "场次换到 应急考场" in site_lead.get("/recording").text
    assert site_lead.post("/recording/moves", data={**REASON, "from": "x"}).status_code == 400


def test_a_stop_signal_that_never_came_is_red(site_lead: PageClient, world: World) -> None:
    world.clock.step_wall(START_US + 95 * MINUTE_US - CLOCK_US)
    page = site_lead.get("/recording").text
    assert "按计划录像，到终止考试并交接为止" in page
    assert page.count("终止考试信号迟迟未发出，请核实") == 2
    assert "仍在录像，请核实" in site_lead.get("/overview").text
    hours_later(site_lead, world, 4)
    assert "录像已停止等待" in site_lead.get("/recording").text


def test_patrols_look_and_decide_nothing(as_role, world: World) -> None:  # type: ignore[no-untyped-def]
    inspector = as_role(Role.INSPECTOR)
    assert "停止录像" not in inspector.get("/recording").text
    assert inspector.post(f"/recording/rooms/{world.room_1}/start", data=REASON).status_code == 403
    assert account_with(world, Role.SUPERVISOR)
    assert as_role(Role.SUPERVISOR).get("/recording").status_code == 403


def test_a_room_without_cameras_has_nothing_to_decide(site_lead: PageClient, world: World) -> None:
    spare = spare_room(world)
    assert site_lead.post(f"/recording/rooms/{spare}/start", data=REASON).status_code == 404
    assert site_lead.post(f"/recording/rooms/{world.room_1}/pause", data=REASON).status_code == 404


def test_times_on_another_day_bear_their_date(site_lead: PageClient, world: World) -> None:
    with world.exam.write() as connection:
        connection.execute("update room set kind = 'secure_room' where id = ?", (world.room_2,))
        connection.execute("delete from session_room where room_id = ?", (world.room_2,))
    assert "考试日录像，到 24:00" in site_lead.get("/recording").text
    world.clock.step_wall(-24 * 60 * MINUTE_US)
    assert "待命，11月22日 08:00 开始录像" in site_lead.get("/recording").text


def test_a_move_entered_late_leaves_the_old_room_on_for_ten_minutes(
    site_lead: PageClient, world: World
) -> None:
    form = {**REASON, "from": f"{world.session_id}-{world.room_1}", "to_room": spare_room(world)}
    assert site_lead.post("/recording/moves", data={**form, "moves_at": "08:20"}).status_code == 302
    assert "按计划录像，到 09:00" in site_lead.get("/recording").text
