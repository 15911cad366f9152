"""What a kiosk fetches over HTTP so that it can work alone, opened as the kiosk opens it."""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from evidence.kiosk_day import open_day
from evidence.kiosk_secrets import KioskSecrets, read_secrets
from evidence.roster_opening import RosterPackage
from evidence.stretched_numbers import Number, NumberKind
from tests.floor_plans import drawn, put_up
from tests.world import CLOCK_US, KIOSK_TOKEN, World
from web.roster_keeper import RosterKeeper
from web.services import Services

API = "/api/kiosk/v1"
BEARER = {"Authorization": f"Bearer {KIOSK_TOKEN}"}
BEAT = {
    "sent_at_us": CLOCK_US,
    "queue_length": 0,
    "needs_human": 0,
    "roster_revision": None,
    "disk_free_bytes": 10**9,
    "is_out_of_service": False,
}


@pytest.fixture
def kiosk(app: Flask) -> FlaskClient:
    return FlaskClient(app, app.response_class, use_cookies=False)


@pytest.fixture
def keeper(services: Services) -> Iterator[RosterKeeper]:
    made = RosterKeeper(services)
    yield made
    made.close()


def keys_of(kiosk: FlaskClient) -> KioskSecrets:
    told = kiosk.get(f"{API}/keys", headers=BEARER).json
    assert told is not None
    return read_secrets(told)


def test_a_package_that_is_not_ready_says_how_far_it_is(kiosk: FlaskClient) -> None:
    answer = kiosk.get(f"{API}/roster", headers=BEARER)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "3")
    assert answer.json == {"outcome": "ROSTER_PREPARING", "done": 0, "total": 8}


def test_the_kiosk_opens_what_it_fetched_and_is_told_when_nothing_changed(
    kiosk: FlaskClient, keeper: RosterKeeper, world: World
) -> None:
    keeper.tend()
    answer = kiosk.get(f"{API}/roster", headers=BEARER)
    keys = keys_of(kiosk)
    package = RosterPackage(answer.data, keys)
    ticket = package.read(Number(NumberKind.TICKET, world.on_time.ticket_no))
    assert [card.candidate_id for card in package.cards(ticket)] == [world.on_time.id]
    assert answer.headers["ETag"] == f'"1-{keys.secret_id}"'
    again = kiosk.get(f"{API}/roster", headers={**BEARER, "If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_a_changed_roster_is_another_revision_once_the_keeper_has_seen_it(
    kiosk: FlaskClient, keeper: RosterKeeper, world: World
) -> None:
    keeper.tend()
    with world.exam.write() as connection:
        connection.execute("update candidate set name = '陈二诺' where id = ?", (world.on_time.id,))
    assert kiosk.get(f"{API}/roster", headers=BEARER).status_code == 503
    keeper.tend()
    assert kiosk.get(f"{API}/roster", headers=BEARER).headers["ETag"].startswith('"2-')


def test_the_heartbeat_tells_which_revision_secret_and_day_are_in_force(
    kiosk: FlaskClient, keeper: RosterKeeper, world: World
) -> None:
    first = kiosk.post(f"{API}/heartbeat", json=BEAT, headers=BEARER).json
    assert first is not None
    assert (first["secret"], first["roster_revision"]) == (None, None)
    keeper.tend()
    secret = keys_of(kiosk).secret_id
    second = kiosk.post(f"{API}/heartbeat", json=BEAT, headers=BEARER).json
    assert second is not None
    assert (second["secret"], second["roster_revision"]) == (secret, 1)
    assert second["day_digest"] == first["day_digest"]
    assert kiosk.get(f"{API}/day", headers=BEARER).headers["ETag"] == f'"{second["day_digest"]}-{secret}"'
    with world.exam.read() as connection:
        since = connection.execute("select since from kiosk_state").fetchone()[0]
    assert since == f'{{"stale_roster": {CLOCK_US}}}'


def test_the_day_part_is_opened_and_not_sent_twice(kiosk: FlaskClient) -> None:
    answer = kiosk.get(f"{API}/day", headers=BEARER)
    told = open_day(answer.data, keys_of(kiosk))
    assert (told.day.label, told.made_at_us) == ("一号签到机", CLOCK_US)
    again = kiosk.get(f"{API}/day", headers={**BEARER, "If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


def test_a_floor_plan_comes_under_the_name_that_the_day_part_tells(
    kiosk: FlaskClient, keeper: RosterKeeper, world: World, tmp_path: Path
) -> None:
    put_up(world, tmp_path, world.room_2, drawn(), None)
    keeper.tend()
    day = open_day(kiosk.get(f"{API}/day", headers=BEARER).data, keys_of(kiosk)).day
    [told] = day.maps
    answer = kiosk.get(f"{API}/maps/{told.sha256}", headers=BEARER)
    assert (told.room_id, sha256(answer.data).hexdigest()) == (world.room_2, told.sha256)
    assert kiosk.get(f"{API}/maps/{'0' * 64}", headers=BEARER).status_code == 404
    assert kiosk.get(f"{API}/maps/{told.sha256}").status_code == 401


def test_keys_are_made_once(kiosk: FlaskClient) -> None:
    assert keys_of(kiosk) == keys_of(kiosk)


def test_the_keeper_works_in_its_own_thread_and_stops_when_told(
    keeper: RosterKeeper, services: Services, world: World
) -> None:
    keeper.start()
    bus = services.bus
    assert bus.wait("kiosks", 0, 30) == 1
    keeper.close()
    with world.exam.read() as connection:
        assert connection.execute("select count(*) from stretched_number").fetchone()[0] == 8
        assert connection.execute("select count(*) from roster_revision").fetchone()[0] == 1
    keeper.tend()
    assert bus.current("kiosks") == 1


def test_a_keeper_that_is_told_to_stop_leaves_the_rest_for_the_next_start(
    keeper: RosterKeeper, world: World
) -> None:
    keeper.close()
    keeper.tend()
    with world.exam.read() as connection:
        assert connection.execute("select count(*) from roster_revision").fetchone()[0] == 0


def test_a_fault_does_not_end_the_keeper(
    keeper: RosterKeeper, services: Services, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.roster_keeper.EVERY_S", 0.01)
    with world.exam.write() as connection:
        connection.execute("alter table kiosk_room rename to elsewhere")
    keeper.start()
    assert services.bus.wait("kiosks", 0, 0.2) == 0
    with world.exam.write() as connection:
        connection.execute("alter table elsewhere rename to kiosk_room")
    assert services.bus.wait("kiosks", 0, 30) == 1


def test_without_a_procedure_the_kiosk_keeps_the_day_it_has(kiosk: FlaskClient, world: World) -> None:
    with world.exam.write() as connection:
        connection.execute("update session set procedure_code = 'gone'")
    assert kiosk.get(f"{API}/day", headers=BEARER).status_code == 503
    told = kiosk.post(f"{API}/heartbeat", json=BEAT, headers=BEARER).json
    assert told is not None
    assert (told["day_digest"], told["steps"]) == (None, [])


def test_numbers_of_later_days_are_stretched_a_few_at_a_time(
    keeper: RosterKeeper, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.roster_keeper.AT_ONCE", 6)
    with world.exam.write() as connection:
        connection.execute("update session set planned_start_us = planned_start_us + 864000000000")
    keeper.tend()
    assert [keeper.tend_later(), keeper.tend_later()] == [True, False]
    with world.exam.read() as connection:
        assert connection.execute("select count(*) from stretched_number").fetchone()[0] == 8
