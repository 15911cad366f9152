"""Everybody's own PIN: set with one's password, refused when weak, never shown."""

from collections.abc import Callable

import pytest

from evidence.staff_pins import keys_from_pin, load_pins
from tests.web.console import PageClient
from tests.world import CLOCK_US, PASSWORD, World
from web.access import Role

PIN = "730419"


def form(**changed: str) -> dict[str, str]:
    return {"pin": PIN, "pin_again": PIN, "password": PASSWORD, **changed}


def test_a_proctor_sets_and_changes_the_own_pin(proctor: PageClient, world: World) -> None:
    assert "您还没有签到口令" in proctor.get("/pin").text
    assert proctor.post("/pin", data=form()).status_code == 303
    with world.exam.read() as connection:
        (pin,) = load_pins(connection)
    assert (pin.account_id, pin.set_at_us) == (world.proctor_account_id, CLOCK_US)
    keys = keys_from_pin(PIN, pin.salt, pin.cost)
    assert keys.signing.public_key().public_bytes_raw() == pin.signing_public
    page = proctor.get("/pin").text
    assert "已设置（2026年11月22日 08:50:00）" in page
    assert f'<strong class="number">{world.proctor_account_id}</strong>' in page
    assert PIN not in page


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"pin": "123456", "pin_again": "123456"}, "过于简单"),
        ({"pin": "12345", "pin_again": "12345"}, "6位数字"),
        ({"pin_again": "730418"}, "两次输入的口令不一致"),
        ({"password": "wrong-password"}, "登录密码不正确"),
        ({"password": ""}, "登录密码不正确"),
    ],
)
def test_what_will_not_do_is_said_and_changes_nothing(
    proctor: PageClient, world: World, changed: dict[str, str], words: str
) -> None:
    answer = proctor.post("/pin", data=form(**changed))
    assert answer.status_code == 400
    assert words in answer.text
    with world.exam.read() as connection:
        assert load_pins(connection) == []


def test_guessing_the_password_is_slowed_down(proctor: PageClient) -> None:
    answers = [proctor.post("/pin", data=form(password="wrong-password")).text for _ in range(7)]
    assert "连续多次输入有误" in answers[-1]


@pytest.mark.parametrize(
    ("role", "code"), [(Role.EXAMS_OFFICER, 200), (Role.ASSESSOR, 200), (Role.AUDITOR, 403)]
)
def test_whoever_works_at_kiosks_has_a_pin(
    as_role: Callable[[Role], PageClient], role: Role, code: int
) -> None:
    assert as_role(role).get("/pin").status_code == code
