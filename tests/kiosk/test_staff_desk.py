"""Staff at the kiosk: a PIN opens the rooms of its holder and nothing else, with or without the console."""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from evidence.staff_pins import unlock
from exam.clock import SECOND_US
from exam.kiosk_health import Part, PartState
from exam.pin_attempts import FIRST_WAIT_US, FREE, LONGEST_WAIT_US, NOTED_AT
from kiosk.bringing import SCAN_NOT_TAKEN
from kiosk.scan import Scan
from kiosk.staff_desk import IDLE_US, StaffDesk
from kiosk.staff_pins import Attempt, Tried
from tests.evidence.rostered import PIN, give_pin
from tests.kiosk.rostered_kiosk import Rostered, staff_screen, staffed
from tests.world import CLOCK_US, World

PARTS = {Part.CAMERA: PartState.OK}
OWN = {"X-Kaochang-Kiosk": "staff"}
WRONG = "000000"


@pytest.fixture
def kiosk(world: World, tmp_path: Path) -> Iterator[Rostered]:
    """A kiosk that works alone; 王芳 has duty in room 1, 李强 leads the site; both have a PIN."""
    made = staffed(world, tmp_path / "kiosk", is_alone=True)
    yield made
    made.local.close()


@pytest.fixture
def desk(kiosk: Rostered) -> StaffDesk:
    return kiosk.local.desk


def number_of(desk: StaffDesk, name: str) -> int:
    return next(one.account_id for one in desk.gate.people if one.name == name)


def names(desk: StaffDesk, words: str) -> list[str] | None:
    found = desk.find(words)
    return None if found is None else [one.name for one in found]


def test_another_try_closes_what_was_open(desk: StaffDesk) -> None:
    desk.unlock(number_of(desk, "李强"), PIN)
    assert desk.unlock(number_of(desk, "王芳"), WRONG).tried is Tried.WRONG
    assert desk.find("1") is None


def test_a_look_that_is_under_way_does_not_open_anew_what_is_locked_meanwhile(
    kiosk: Rostered, desk: StaffDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked_meanwhile() -> int:
        desk.lock()
        return 0

    desk.unlock(number_of(desk, "王芳"), PIN)
    with monkeypatch.context() as patched:
        patched.setattr(kiosk.clock, "monotonic_us", locked_meanwhile)
        desk.find("1")
    assert desk.name == ""


def test_nobody_is_named_before_he_has_proved_himself(client: FlaskClient, desk: StaffDesk) -> None:
    assert desk.is_ready
    told = client.get("/local/staff/state")
    assert told.json == {"open": "", "ready": True, "aside": []}
    assert not any(name in client.get("/staff").text for name in ("李强", "王芳"))


def test_a_number_that_is_nobodys_is_told_as_a_wrong_pin_is(desk: StaffDesk) -> None:
    assert desk.unlock(999, PIN) == desk.unlock(number_of(desk, "王芳"), WRONG) == Attempt(Tried.WRONG)
    third = desk.unlock(999, PIN)
    assert third == Attempt(Tried.WRONG, until_us=CLOCK_US + FIRST_WAIT_US)
    assert desk.unlock(number_of(desk, "李强"), PIN).tried is Tried.PAUSED


def test_a_pin_opens_the_rooms_of_its_holder(desk: StaffDesk, world: World) -> None:
    assert desk.unlock(number_of(desk, "王芳"), PIN) == Attempt(Tried.OPEN)
    assert desk.name == "王芳"
    assert names(desk, world.on_time.ticket_no[-5:]) == ["陈一诺"]
    assert names(desk, world.on_time.id_number[-6:].lower()) == ["陈一诺"]
    assert names(desk, world.on_time.place_label) == ["陈一诺"]
    assert names(desk, world.other_room.ticket_no[-5:]) == []
    desk.unlock(number_of(desk, "李强"), PIN)
    assert names(desk, world.other_room.ticket_no[-5:]) == ["周远"]


def test_it_tells_where_and_when_and_who_came_in(kiosk: Rostered, desk: StaffDesk, world: World) -> None:
    kiosk.local.asker.ask(Scan(world.on_time.ticket_no, world.on_time.id_number))
    desk.unlock(number_of(desk, "王芳"), PIN)
    (found,) = desk.find(world.on_time.ticket_no[-5:]) or []
    (place,) = found.places
    assert (found.ticket_tail, found.id_tail, found.is_blocked) == (
        world.on_time.ticket_no[-5:],
        world.on_time.id_number[-6:],
        False,
    )
    assert (place.room, place.directions, place.place) == ("第1考场", "一楼东侧", world.on_time.place_label)
    assert (place.starts, place.admitted) == ("11-22 09:00", "08:50")
    (late,) = desk.find(world.late.ticket_no[-5:]) or []
    assert late.places[0].admitted == ""


def test_without_a_pin_or_after_locking_nothing_is_told(desk: StaffDesk, world: World) -> None:
    assert desk.find(world.on_time.ticket_no[-5:]) is None
    desk.unlock(number_of(desk, "王芳"), PIN)
    desk.lock()
    assert (desk.find("1"), desk.name) == (None, "")


def test_whoever_walks_away_leaves_nothing_open(kiosk: Rostered, desk: StaffDesk) -> None:
    desk.unlock(number_of(desk, "王芳"), PIN)
    kiosk.clock.sleep_us(IDLE_US - 1)
    assert desk.find("1") is not None
    kiosk.clock.sleep_us(IDLE_US - 1)
    assert desk.name == "王芳"
    kiosk.clock.sleep_us(1)
    assert (desk.name, desk.find("1")) == ("", None)


def test_wrong_tries_make_the_kiosk_wait_also_across_a_restart_and_nobody_is_locked_out(
    kiosk: Rostered,
) -> None:
    number = number_of(kiosk.local.desk, "王芳")
    for _ in range(FREE + 1):
        assert kiosk.local.desk.unlock(number, WRONG).tried is Tried.WRONG
    kiosk.restart()
    desk = kiosk.local.desk
    assert desk.unlock(number, PIN) == Attempt(Tried.PAUSED, until_us=CLOCK_US + FIRST_WAIT_US)
    for _ in range(NOTED_AT - FREE - 1):
        kiosk.clock.sleep_us(LONGEST_WAIT_US)
        assert desk.unlock(number, WRONG).tried is Tried.WRONG
    kiosk.clock.sleep_us(LONGEST_WAIT_US)
    kiosk.console.is_away = False
    kiosk.local.contact.turn(PARTS)
    assert len(kiosk.console.reports[-1].locked_pins) == 1  # the site lead hears of it
    assert desk.unlock(number, PIN).tried is Tried.OPEN
    kiosk.local.contact.turn(PARTS)
    assert kiosk.console.reports[-1].locked_pins == ()


def test_a_right_pin_forgets_the_wrong_tries_of_its_holder_alone(desk: StaffDesk) -> None:
    desk.unlock(number_of(desk, "李强"), WRONG)
    desk.unlock(number_of(desk, "王芳"), WRONG)
    desk.unlock(number_of(desk, "王芳"), PIN)
    assert desk.unlock(number_of(desk, "李强"), WRONG).until_us is None
    assert desk.unlock(number_of(desk, "李强"), WRONG).until_us == CLOCK_US + FIRST_WAIT_US


def test_the_site_lead_lifts_the_wait(kiosk: Rostered, world: World) -> None:
    number = number_of(kiosk.local.desk, "王芳")
    for _ in range(FREE + 1):
        kiosk.local.desk.unlock(number, WRONG)
    with world.exam.write() as connection:
        unlock(connection, world.proctor_account_id, world.site_lead_account_id, CLOCK_US)
    kiosk.console.is_away = False
    kiosk.publish(revision=2)
    kiosk.local.contact.turn(PARTS)
    assert kiosk.local.desk.unlock(number, PIN).tried is Tried.OPEN


def test_a_pin_without_duty_here_opens_nothing(kiosk: Rostered, world: World) -> None:
    give_pin(world, world.administrator_account_id)
    kiosk.console.is_away = False
    kiosk.publish(revision=2)
    kiosk.local.contact.turn(PARTS)
    assert kiosk.local.desk.unlock(world.administrator_account_id, PIN).tried is Tried.NO_ROOM


def test_without_a_roster_nothing_opens(kiosk: Rostered, desk: StaffDesk) -> None:
    kiosk.local.contact.packages.wipe()
    assert (desk.is_ready, desk.unlock(1, PIN).tried) == (False, Tried.UNKNOWN)
    assert desk.gate.guessed() == ()
    assert desk.gate.prove(1, PIN) == Attempt(Tried.UNKNOWN)
    assert kiosk.local.contact.came_in(1) == {}


@pytest.fixture
def client(kiosk: Rostered, tmp_path: Path) -> Iterator[FlaskClient]:
    with staff_screen(kiosk, tmp_path / "other") as app:
        yield app.test_client()


def test_the_interface_tells_words_for_people(client: FlaskClient, desk: StaffDesk, world: World) -> None:
    number = number_of(desk, "王芳")
    wrong = client.post("/local/staff/unlock", json={"number": number, "pin": WRONG}, headers=OWN)
    assert (wrong.status_code, wrong.json) == (403, {"tried": "wrong", "words": "工号或口令不正确。"})
    locked = client.post("/local/staff/lookup", json={"words": "1"}, headers=OWN)
    assert (locked.status_code, locked.json) == (403, {"words": "已锁定，请重新输入口令。"})
    opened = client.post("/local/staff/unlock", json={"number": number, "pin": PIN}, headers=OWN)
    assert (opened.status_code, opened.json) == (200, {"tried": "open", "words": ""})
    looked = client.post("/local/staff/lookup", json={"words": world.late.ticket_no[-5:]}, headers=OWN)
    assert [one["name"] for one in (looked.json or {})["found"]] == ["赵迟"]
    assert world.late.id_number not in json.dumps(looked.json)
    assert client.post("/local/staff/lock", json={}, headers=OWN).status_code == 200
    assert client.post("/local/staff/lookup", json={"words": "1"}, headers=OWN).status_code == 403


def test_what_the_console_does_not_take_is_listed_for_those_with_a_pin(
    client: FlaskClient, kiosk: Rostered, desk: StaffDesk, world: World
) -> None:
    kiosk.local.asker.ask(Scan(world.on_time.ticket_no, world.on_time.id_number))
    kiosk.console.is_away, kiosk.console.refuses = False, True
    kiosk.local.contact.turn(PARTS)
    assert (client.get("/local/staff/state").json or {})["aside"] == []
    desk.unlock(number_of(desk, "王芳"), PIN)
    told = client.get("/local/staff/state").json or {}
    assert told["aside"] == [{"at": "11-22 08:50", "problem": SCAN_NOT_TAKEN}]


def test_a_pause_says_until_when(client: FlaskClient, desk: StaffDesk, kiosk: Rostered) -> None:
    number = number_of(desk, "王芳")
    for _ in range(FREE + 1):
        desk.unlock(number, WRONG)
    kiosk.clock.sleep_us(SECOND_US)
    paused = client.post("/local/staff/unlock", json={"number": number, "pin": PIN}, headers=OWN)
    assert (paused.json or {})[
        "words"
    ] == "本机输错次数过多。请08:50:10以后再试；急用请换一台签到机，或在控制台办理。"


def test_a_disk_that_takes_nothing_is_said(client: FlaskClient, desk: StaffDesk, kiosk: Rostered) -> None:
    number = number_of(desk, "王芳")
    with kiosk.local.store.database.write() as connection:
        connection.execute(
            "create trigger full before insert on pin_try begin select raise(abort, 'full'); end"
        )
    broken = client.post("/local/staff/unlock", json={"number": number, "pin": PIN}, headers=OWN)
    assert (broken.status_code, (broken.json or {})["tried"]) == (503, "broken")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("unlock", {"number": "1", "pin": PIN}),
        ("unlock", {"number": True, "pin": PIN}),
        ("unlock", {"number": 1, "pin": "12345"}),
        ("unlock", {"number": 1, "pin": "一二三四五六"}),
        ("unlock", []),
        ("lookup", {"words": ""}),
        ("lookup", {"words": "1" * 21}),
    ],
)
def test_what_makes_no_sense_is_refused(client: FlaskClient, path: str, body: object) -> None:
    assert client.post(f"/local/staff/{path}", json=body, headers=OWN).status_code == 400


def test_only_our_own_page_may_ask(client: FlaskClient, desk: StaffDesk) -> None:
    body = {"number": number_of(desk, "王芳"), "pin": PIN}
    assert client.post("/local/staff/unlock", json=body).status_code == 403
    other = client.get("/local/staff/state", headers={"Host": "attacker.example"})
    assert other.status_code == 403
    assert client.get("/staff").status_code == 200


def test_a_seat_that_the_day_does_not_know_is_shown_without_room_and_time(
    kiosk: Rostered, desk: StaffDesk, world: World
) -> None:
    alone = kiosk.local.contact.packages.alone
    assert alone is not None
    alone.day = replace(alone.day, all_rooms=(), rule=replace(alone.day.rule, sittings=()))
    desk.unlock(number_of(desk, "王芳"), PIN)
    (found,) = desk.find(world.on_time.ticket_no[-5:]) or []
    assert (found.places[0].room, found.places[0].starts) == ("", "")


def test_a_broken_database_is_no_reason_to_open(kiosk: Rostered, desk: StaffDesk) -> None:
    with kiosk.local.store.database.write() as connection:
        connection.execute(
            "create trigger full before insert on pin_try begin select raise(abort, 'full'); end"
        )
    with pytest.raises(sqlite3.Error):
        desk.unlock(number_of(desk, "王芳"), PIN)
    assert desk.name == ""
