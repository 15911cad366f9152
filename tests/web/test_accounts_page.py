from collections.abc import Callable
from itertools import count

import pytest
from flask import Flask

from evidence import logins
from exam.clock import MINUTE_US, SECOND_US
from tests.web.console import HTML, PageClient, account_with, client_for, tries_until_slowed
from tests.world import PASSWORD, World
from web.access import Role
from web.logins import CAREFUL_IDLE_US, IDLE_US, LONGEST_US, cookie_name

NEW = {
    "display_name": "赵六",
    "login_name": "ZhaoLiu",
    "password": "Blau-7-Esel",
    "password_again": "Blau-7-Esel",
    "roles": ["proctor"],
    "badge_no": "JK001",
}


def log_in(client: PageClient, name: str = "wangfang", password: str = PASSWORD, target: str = "") -> int:
    answer = client.post(
        "/login", data={"login_name": name, "password": password, "next": target}, headers=HTML
    )
    return int(answer.status_code)


def forget_accounts(world: World) -> str:
    """As at first start: nobody has an account. Returns the one-time token."""
    with world.exam.write() as connection:
        connection.execute("delete from account_role")
        connection.execute("delete from account")
        token = logins.invite_first_administrator(connection, world.clock.wall_us())
    assert token is not None
    return token


def test_the_right_password_opens_a_login_and_leads_to_the_first_page(anonymous: PageClient) -> None:
    answer = anonymous.post("/login", data={"login_name": " WangFang ", "password": PASSWORD}, headers=HTML)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    assert anonymous.get("/").headers["Location"] == "/proctor"
    cookie = next(one for one in answer.headers.getlist("Set-Cookie") if one.startswith("kaochang="))
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


@pytest.mark.parametrize(
    ("target", "leads_to"),
    [
        ("/overview", "/overview"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example", "/"),
        ("", "/"),
    ],
)
def test_a_login_leads_back_but_never_outside(anonymous: PageClient, target: str, leads_to: str) -> None:
    answer = anonymous.post("/login", data={"login_name": "wangfang", "password": PASSWORD, "next": target})
    assert answer.headers["Location"] == leads_to


def test_a_wrong_password_and_an_unknown_name_get_the_same_answer(anonymous: PageClient) -> None:
    answers = [
        anonymous.post("/login", data={"login_name": name, "password": "wrong"}, headers=HTML)
        for name in ("wangfang", "nobody")
    ]
    assert [one.status_code for one in answers] == [401, 401]
    assert all("登录名或密码不正确" in one.text for one in answers)
    assert 'value="wangfang"' in answers[0].text, "the name typed is not lost"


def test_guessing_is_slowed_down_and_the_right_password_waits_too(
    anonymous: PageClient, world: World
) -> None:
    for _ in range(5):
        assert log_in(anonymous, password="wrong") == 401
    assert log_in(anonymous) == 429
    assert log_in(anonymous, name="liqiang") == 302, "nobody else is locked out"
    world.clock.sleep_us(16 * SECOND_US)
    assert log_in(anonymous) == 302


def test_every_try_is_kept_without_the_name_as_typed(anonymous: PageClient, world: World) -> None:
    log_in(anonymous, password="wrong")
    log_in(anonymous, name="MyPassword123", password="")
    log_in(anonymous)
    with world.exam.read() as connection:
        rows = connection.execute("select account_id, outcome from login_attempt order by id").fetchall()
    account_id = world.proctor_account_id
    assert [tuple(row) for row in rows] == [
        (account_id, "refused"),
        (None, "refused"),
        (account_id, "opened"),
    ]
    content = b"".join(path.read_bytes() for path in world.folder.glob("exam.db*"))
    assert b"MyPassword123" not in content
    assert b"mypassword123" not in content


def test_an_address_that_fails_too_often_is_refused(anonymous: PageClient) -> None:
    names = (f"nobody{number}" for number in count())
    codes = tries_until_slowed(lambda: log_in(anonymous, name=next(names), password="x"))
    assert (set(codes[:-1]), codes[-1]) == ({401}, 429)


def test_logging_out_ends_the_login_on_the_server(proctor: PageClient, app: Flask) -> None:
    cookie = proctor.get_cookie(cookie_name(app))
    assert cookie is not None
    assert proctor.post("/logout").headers["Location"] == "/login"
    proctor.set_cookie(cookie_name(app), cookie.value)
    assert proctor.get("/proctor").status_code == 401, "the old token opens nothing"


def test_a_new_login_ends_the_one_before(proctor: PageClient, world: World) -> None:
    assert log_in(proctor, name="liqiang") == 302
    with world.exam.read() as connection:
        open_logins = connection.execute("select account_id from login where closed_at_us is null").fetchall()
    assert [row[0] for row in open_logins] == [world.site_lead_account_id]


def test_an_invented_token_opens_nothing(anonymous: PageClient, app: Flask) -> None:
    anonymous.set_cookie(cookie_name(app), "invented")
    assert anonymous.get("/proctor").status_code == 401
    assert anonymous.post("/login", data={"login_name": "x"}, headers=HTML).status_code == 401
    assert anonymous.post("/logout").status_code == 401


def test_whoever_runs_the_machine_is_logged_out_after_half_an_hour_of_silence(
    administrator: PageClient, proctor: PageClient, world: World
) -> None:
    world.clock.sleep_us(CAREFUL_IDLE_US + SECOND_US)
    assert administrator.get("/accounts").status_code == 401
    assert administrator.get("/accounts").status_code == 401
    assert proctor.get("/proctor").status_code == 302, "a proctor stays for the session"


def test_a_page_that_refreshes_itself_is_no_sign_of_life(proctor: PageClient, world: World) -> None:
    address = f"/proctor/{world.session_id}/{world.room_1}/live"
    for _ in range(4):
        world.clock.sleep_us(IDLE_US // 4 + SECOND_US)
        answer = proctor.get(address, headers={"X-Automatic": "1"})
    assert answer.status_code == 401


def test_using_a_page_keeps_the_login_open_but_not_for_ever(proctor: PageClient, world: World) -> None:
    codes = []
    for _ in range(LONGEST_US // IDLE_US * 2 + 1):
        codes.append(proctor.get("/proctor").status_code)
        world.clock.sleep_us(IDLE_US // 2)
    assert codes[:-1] == [302] * (len(codes) - 1)
    world.clock.sleep_us(MINUTE_US)
    assert proctor.get("/proctor").status_code == 401


def test_the_first_administrator_makes_himself_once(anonymous: PageClient, world: World) -> None:
    token = forget_accounts(world)
    address = f"/first-administrator/{token}"
    assert "设置第一位系统管理员" in anonymous.get(address).text
    answer = anonymous.post(address, data=NEW)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    assert "赵六" in anonymous.get("/accounts").text
    assert anonymous.get(address).status_code == 404
    assert "链接无效" in anonymous.post(address, data=NEW).text


def test_two_people_with_the_link_at_once_make_one_administrator(app: Flask, world: World) -> None:
    token = forget_accounts(world)
    other = app.test_client()
    with world.exam.write() as connection:  # another request took the link after this one looked
        connection.execute("update invitation set used_at_us = 1")
    assert other.post(f"/first-administrator/{token}", data=NEW).status_code == 404


def test_a_link_that_was_never_given_is_worth_nothing(anonymous: PageClient) -> None:
    assert anonymous.get("/first-administrator/guess").status_code == 404


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"display_name": " "}, "请填写姓名和登录名"),
        ({"login_name": ""}, "请填写姓名和登录名"),
        ({"password_again": "anders"}, "两次输入的密码不一致"),
        ({"password": "kurz", "password_again": "kurz"}, "至少需要8个字符"),
        ({"badge_no": "XX999"}, "没有证卡号“XX999”"),
        ({"login_name": "wangfang"}, "可能已存在"),
        ({"roles": []}, "至少选择一个角色"),
        ({"roles": ["king"]}, "所选角色不存在"),
        ({"roles": ["administrator", "supervisor"]}, "不得兼任"),
        ({"roles": ["administrator", "site_lead"]}, "不得兼任"),
        ({"roles": ["administrator", "inspector"]}, "不得兼任"),
        ({"roles": ["administrator", "archivist"]}, "不得兼任"),
    ],
)
def test_a_faulty_account_is_refused_and_what_was_typed_stays(
    administrator: PageClient, change: dict[str, object], fault: str
) -> None:
    form = {**NEW, **change}
    answer = administrator.post("/accounts", data=form, headers=HTML)
    assert answer.status_code == 400
    assert fault in answer.text
    assert f'value="{form["login_name"]}"' in answer.text
    assert "Blau-7-Esel" not in answer.text


def test_a_new_account_can_log_in_and_has_the_duties_of_its_badge(
    administrator: PageClient, app: Flask, world: World
) -> None:
    assert administrator.post("/accounts", data=NEW).status_code == 302
    client = app.test_client()
    assert isinstance(client, PageClient)
    assert log_in(client, "zhaoliu", "Blau-7-Esel") == 302
    assert client.get(f"/proctor/{world.session_id}/{world.room_1}").status_code == 200


def test_a_first_administrator_with_a_faulty_form_may_try_again(anonymous: PageClient, world: World) -> None:
    address = f"/first-administrator/{forget_accounts(world)}"
    answer = anonymous.post(address, data={**NEW, "password_again": "anders"}, headers=HTML)
    assert answer.status_code == 400
    assert "两次输入的密码不一致" in answer.text
    assert anonymous.post(address, data={**NEW, "badge_no": ""}).status_code == 302


def test_a_disabled_account_is_out_at_once(
    administrator: PageClient, proctor: PageClient, world: World
) -> None:
    assert administrator.post(f"/accounts/{world.proctor_account_id}/disable").status_code == 302
    assert proctor.get("/proctor").status_code == 401
    assert "已停用" in administrator.get("/accounts").text


def test_nobody_disables_himself_or_the_last_administrator(
    administrator: PageClient, app: Flask, world: World
) -> None:
    own = administrator.post(f"/accounts/{world.administrator_account_id}/disable", headers=HTML)
    assert "不能停用自己" in own.text
    second = account_with(world, Role.ADMINISTRATOR)
    other = client_for(app, world, second)
    assert other.post(f"/accounts/{world.administrator_account_id}/disable").status_code == 302
    with world.exam.write() as connection:  # the second one is shut while his request is on its way
        connection.execute("update account set disabled_at_us = 1 where id = ?", (second,))
        connection.execute(
            "update account set disabled_at_us = null where id = ?", (world.administrator_account_id,)
        )
    third = client_for(app, world, world.administrator_account_id)
    with world.exam.write() as connection:
        connection.execute("delete from account_role where account_id = ?", (second,))
    assert third.post(f"/accounts/{second}/disable").status_code == 302


def test_an_account_that_lost_its_roles_is_told_so(app: Flask, world: World) -> None:
    account_id = account_with(world, Role.ARCHIVIST)
    with world.exam.write() as connection:
        connection.execute("delete from account_role where account_id = ?", (account_id,))
    refused = client_for(app, world, account_id).get("/", headers=HTML)
    assert refused.status_code == 403
    assert "请联系现场负责人或系统管理员" in refused.text


@pytest.mark.parametrize("role", list(Role))
def test_logging_in_leads_every_role_to_a_page_of_its_own(
    as_role: Callable[[Role], PageClient], role: Role
) -> None:
    home = as_role(role).get("/", headers=HTML)
    assert home.status_code == 302
