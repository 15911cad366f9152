"""The address that kiosks ask: token, answers, repeats, and nothing personal in a refusal."""

import logging

import pytest
from flask.testing import FlaskClient

from exam.clock import MINUTE_US
from tests.world import CLOCK_US, KIOSK_TOKEN, Person, World
from web.services import Services, room_topic

CHECKINS = "/api/kiosk/v1/checkins"
HEARTBEAT = "/api/kiosk/v1/heartbeat"
BEARER = {"Authorization": f"Bearer {KIOSK_TOKEN}"}


def scan(person: Person, nonce: str = "nonce-0000000001", **changed: object) -> dict[str, object]:
    return {
        "nonce": nonce,
        "scanned_at_us": CLOCK_US - 1,
        "ticket_no": person.ticket_no,
        "id_number": person.id_number,
        **changed,
    }


def test_a_candidate_on_time_is_admitted_and_told_where_to_go(kiosk: FlaskClient, world: World) -> None:
    answer = kiosk.post(CHECKINS, json=scan(world.on_time), headers=BEARER)
    assert answer.status_code == 200
    assert answer.json is not None
    assert answer.json["outcome"] == "OK_ADMITTED"
    assert answer.json["admitted"] is True
    assert (answer.json["room_label"], answer.json["place_label"]) == ("第1考场", world.on_time.place_label)
    assert answer.json["masked_name"] == "陈*诺"


def test_the_answer_holds_no_full_number_and_no_full_name(kiosk: FlaskClient, world: World) -> None:
    body = kiosk.post(CHECKINS, json=scan(world.on_time), headers=BEARER).get_data(as_text=True)
    assert world.on_time.id_number not in body
    assert world.on_time.name not in body


def test_the_same_nonce_gets_the_same_bytes_even_after_the_cut_off(kiosk: FlaskClient, world: World) -> None:
    first = kiosk.post(CHECKINS, json=scan(world.on_time), headers=BEARER)
    world.clock.sleep_us(300 * MINUTE_US)
    assert kiosk.post(CHECKINS, json=scan(world.on_time), headers=BEARER).data == first.data
    with world.exam.read() as connection:
        assert connection.execute("select count(*) from checkin_attempt").fetchone()[0] == 1


def test_the_scan_time_of_the_kiosk_is_kept_beside_ours(kiosk: FlaskClient, world: World) -> None:
    kiosk.post(CHECKINS, json=scan(world.on_time), headers=BEARER)
    with world.exam.read() as connection:
        row = connection.execute("select scanned_at_us, received_at_us from checkin_attempt").fetchone()
    assert tuple(row) == (CLOCK_US - 1, CLOCK_US)


def test_somebody_elses_ticket_is_recorded_and_admits_nobody(kiosk: FlaskClient, world: World) -> None:
    swapped = scan(world.wrong_ticket, ticket_no=world.on_time.ticket_no)
    answer = kiosk.post(CHECKINS, json=swapped, headers=BEARER)
    assert answer.json is not None
    assert (answer.json["outcome"], answer.json["admitted"]) == ("ID_TICKET_MISMATCH", False)
    with world.exam.read() as connection:
        assert connection.execute("select count(*) from admission").fetchone()[0] == 0
        assert connection.execute("select count(*) from checkin_attempt").fetchone()[0] == 1


def test_an_admission_wakes_the_pages_that_show_it(
    kiosk: FlaskClient, world: World, services: Services
) -> None:
    kiosk.post(CHECKINS, json=scan(world.on_time), headers=BEARER)
    assert services.bus.current("checkins") == 1
    assert services.bus.current(room_topic(world.room_1)) == 1


def test_a_refusal_wakes_no_room(kiosk: FlaskClient, world: World, services: Services) -> None:
    kiosk.post(CHECKINS, json=scan(world.on_time, id_number=None), headers=BEARER)
    assert services.bus.current("checkins") == 1
    assert services.bus.current(room_topic(world.room_1)) == 0


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Bearer stolen"}, {"Authorization": "Basic " + KIOSK_TOKEN}]
)
def test_without_a_good_token_nothing_is_judged(
    kiosk: FlaskClient, world: World, headers: dict[str, str]
) -> None:
    assert kiosk.post(CHECKINS, json=scan(world.on_time), headers=headers).status_code == 401
    assert kiosk.get(HEARTBEAT, headers=headers).status_code == 401
    with world.exam.read() as connection:
        assert connection.execute("select count(*) from checkin_attempt").fetchone()[0] == 0


@pytest.mark.parametrize(
    "changed",
    [
        {"nonce": "short"},
        {"nonce": None},
        {"scanned_at_us": 0},
        {"scanned_at_us": "yesterday"},
        {"ticket_no": "9" * 81},
        {"id_number": 123},
        {"surprise": True},
    ],
)
def test_a_malformed_request_is_refused_without_repeating_what_it_held(
    kiosk: FlaskClient, world: World, changed: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        answer = kiosk.post(CHECKINS, json=scan(world.on_time, **changed), headers=BEARER)
    assert answer.status_code == 400
    assert world.on_time.id_number not in answer.get_data(as_text=True) + caplog.text


def test_a_body_that_is_not_json_is_refused(kiosk: FlaskClient) -> None:
    assert kiosk.post(CHECKINS, data="{", headers=BEARER).status_code == 400


def test_the_heartbeat_tells_time_name_and_forms_and_is_remembered(kiosk: FlaskClient, world: World) -> None:
    with world.exam.write() as connection:
        connection.execute("update batch set ticket_form = '2026[0-9]{8}'")
    answer = kiosk.get(HEARTBEAT, headers=BEARER)
    assert answer.json == {
        "server_time_us": CLOCK_US,
        "kiosk_label": "一号签到机",
        "ticket_forms": ["2026[0-9]{8}"],
    }
    with world.exam.read() as connection:
        assert connection.execute("select last_seen_at_us from kiosk").fetchone()[0] == CLOCK_US
