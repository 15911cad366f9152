"""How a kiosk comes in and stays in touch over HTTP."""

import base64
from collections.abc import Mapping
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask import Flask
from flask.testing import FlaskClient

from evidence import kiosks
from evidence.kiosk_enrolments import Offer, offer, switch, want_roll
from evidence.kiosk_key import public_bytes
from evidence.kiosk_states import load_beat
from evidence.kiosks import Scope
from evidence.recording_orders import Who
from exam.enrolment import VALID_US, enrolment_message, roll_message
from tests.web.console import tries_until_slowed
from tests.world import CLOCK_US, KIOSK_TOKEN, World
from web.kiosk_sync import ENROLMENT_WORDS, ROLL_WORDS

API = "/api/kiosk/v1"
KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
BEARER = {"Authorization": f"Bearer {KIOSK_TOKEN}"}
BEAT: dict[str, Any] = {
    "sent_at_us": CLOCK_US + 40,
    "queue_length": 3,
    "needs_human": 1,
    "roster_revision": None,
    "disk_free_bytes": 10**9,
    "is_out_of_service": False,
    "parts": {"camera": "ok", "scanner": "absent"},
    "versions": {"agent": "1.0"},
    "boot_id": "boot-1",
}


@pytest.fixture
def kiosk(app: Flask) -> FlaskClient:
    return FlaskClient(app, app.response_class, use_cookies=False)


def text(content: bytes) -> str:
    return base64.b64encode(content).decode()


def offered(world: World) -> str:
    with world.exam.write() as connection:
        return offer(
            connection, Offer("7号签到机", Scope((world.room_1,))), world.administrator_account_id, CLOCK_US
        )


def enrolment(token: str, **changed: Any) -> dict[str, Any]:
    public = public_bytes(KEY)
    signature = KEY.sign(enrolment_message(token, public))
    body = {"token": token, "public_key": text(public), "signature": text(signature)}
    return {**body, "hardware": {"host": "mini"}, **changed}


def test_a_machine_with_the_one_time_token_gets_one_that_lasts(kiosk: FlaskClient, world: World) -> None:
    told = kiosk.post(f"{API}/enrolments", json=enrolment(offered(world)))
    assert told.status_code == 200
    assert told.json is not None
    assert (told.json["kiosk_label"], told.json["server_time_us"]) == ("7号签到机", CLOCK_US)
    answer = kiosk.get(f"{API}/heartbeat", headers={"Authorization": f"Bearer {told.json['token']}"})
    assert answer.json is not None
    assert answer.json["kiosk_label"] == "7号签到机"


@pytest.mark.parametrize("fault", ["unknown_token", "used", "expired", "bad_signature"])
def test_every_refusal_is_said_in_words(kiosk: FlaskClient, world: World, fault: str) -> None:
    token = offered(world)
    body = enrolment(token)
    if fault == "unknown_token":
        body = enrolment("aaaaaaaaaaaaaaaa")
    if fault == "used":
        kiosk.post(f"{API}/enrolments", json=body)
    if fault == "expired":
        world.clock.sleep_us(VALID_US)
    if fault == "bad_signature":
        body = enrolment(token, signature=text(b"s" * 64))
    told = kiosk.post(f"{API}/enrolments", json=body)
    assert told.status_code == 401
    assert told.json == {"error": ENROLMENT_WORDS[fault], "reason": fault}


@pytest.mark.parametrize(
    "body",
    [None, {}, {"token": "x"}, enrolment("x", public_key="äöü"), enrolment("x", surprise=1)],
)
def test_a_malformed_enrolment_is_refused(kiosk: FlaskClient, body: Mapping[str, Any] | None) -> None:
    assert kiosk.post(f"{API}/enrolments", json=body).status_code == 400


def test_guessing_one_time_tokens_is_slowed_down(kiosk: FlaskClient) -> None:
    codes = tries_until_slowed(lambda: kiosk.post(f"{API}/enrolments", json=enrolment("a" * 16)).status_code)
    assert (set(codes[:-1]), codes[-1]) == ({401}, 429)


def test_a_heartbeat_is_kept_and_answered(kiosk: FlaskClient, world: World) -> None:
    told = kiosk.post(f"{API}/heartbeat", json=BEAT, headers=BEARER)
    assert told.json is not None
    assert told.json["server_time_us"] == CLOCK_US
    assert (told.json["kiosk_label"], told.json["ticket_forms"]) == ("一号签到机", [])
    assert (told.json["out_of_service"], told.json["roll_token"]) == (False, False)
    with world.exam.read() as connection:
        beat = load_beat(connection, world.kiosk_id)
        seen = connection.execute("select last_seen_at_us from kiosk").fetchone()[0]
    assert beat is not None
    assert (beat.report.queue_length, beat.offset_us, seen) == (3, 40, CLOCK_US)


def test_a_heartbeat_tells_what_people_want_of_the_kiosk(kiosk: FlaskClient, world: World) -> None:
    with world.exam.write() as connection:
        switch(connection, world.kiosk_id, Who(1, "屏幕坏了"), CLOCK_US, is_out=True)
        want_roll(connection, world.kiosk_id, CLOCK_US)
    told = kiosk.post(f"{API}/heartbeat", json=BEAT, headers=BEARER).json
    assert told is not None
    assert (told["out_of_service"], told["roll_token"]) == (True, True)


@pytest.mark.parametrize(
    "changed",
    [
        {"queue_length": -1},
        {"parts": {"nose": "ok"}},
        {"parts": {"camera": "sleepy"}},
        {"versions": {"agent": "x" * 200}},
        {"sent_at_us": 0},
        {"surprise": 1},
    ],
)
def test_a_malformed_heartbeat_is_refused(kiosk: FlaskClient, changed: dict[str, Any]) -> None:
    assert kiosk.post(f"{API}/heartbeat", json={**BEAT, **changed}, headers=BEARER).status_code == 400


def roll_body(uuid: str, token: str) -> dict[str, Any]:
    return {"asked_at_us": CLOCK_US, "signature": text(KEY.sign(roll_message(uuid, token, CLOCK_US)))}


def test_a_kiosk_changes_its_token_and_the_old_one_ends_with_the_first_use(
    kiosk: FlaskClient, world: World
) -> None:
    taken = kiosk.post(f"{API}/enrolments", json=enrolment(offered(world))).json
    assert taken is not None
    old = {"Authorization": f"Bearer {taken['token']}"}
    told = kiosk.post(f"{API}/token", json=roll_body(taken["kiosk_uuid"], taken["token"]), headers=old)
    assert told.json is not None
    new = {"Authorization": f"Bearer {told.json['token']}"}
    statuses = [kiosk.get(f"{API}/heartbeat", headers=one).status_code for one in (old, new, old, new)]
    assert statuses == [200, 200, 401, 200]
    with world.exam.read() as connection:
        assert kiosks.find_by_token(connection, taken["token"]) is None


def test_a_kiosk_that_cannot_sign_gets_no_other_token(kiosk: FlaskClient) -> None:
    told = kiosk.post(f"{API}/token", json=roll_body("u", KIOSK_TOKEN), headers=BEARER)
    assert told.status_code == 409
    assert told.json == {"error": ROLL_WORDS["no_key"], "reason": "no_key"}


def self_test(**changed: Any) -> dict[str, Any]:
    checks = [{"check": "camera", "result": "good", "words": ""}, {"check": "speaker", "result": "bad"}]
    return {"nonce": "0123456789abcdef", "tested_at_us": CLOCK_US, "checks": checks, **changed}


def test_a_self_test_is_kept_once_and_judged(kiosk: FlaskClient, world: World) -> None:
    answers = [kiosk.post(f"{API}/self-tests", json=self_test(), headers=BEARER).json for _ in range(2)]
    assert answers == [{"self_test": 1, "standing": "failed"}] * 2
    with world.exam.read() as connection:
        assert connection.execute("select count(*) from kiosk_self_test").fetchone()[0] == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"nonce": "short"},
        {"checks": []},
        {"checks": [{"check": "nose", "result": "good"}]},
        {"checks": [{"check": "camera", "result": "good"}, {"check": "camera", "result": "bad"}]},
        {"checks": [{"check": "camera", "result": "good", "words": "长" * 201}]},
    ],
)
def test_a_malformed_self_test_is_refused(kiosk: FlaskClient, changed: dict[str, Any]) -> None:
    assert kiosk.post(f"{API}/self-tests", json=self_test(**changed), headers=BEARER).status_code == 400
