"""The loopback interface of the candidate screen: who may speak to it and what it says."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient

from exam.clock import SystemClock
from kiosk.agent import Agent
from kiosk.clips import Clips
from kiosk.intake import Intake
from kiosk.scan_text import SetupSheet
from kiosk.scanner import Picture
from kiosk.screen_app import create_screen
from kiosk.visit import TicketRead
from tests.kiosk.stage import ID_NUMBER, TICKET, FakeConsole, agent_of

OWN = {"X-Kaochang-Kiosk": "test"}


class Tray:
    """What lies before the camera."""

    picture: Picture | None = None


@pytest.fixture
def tray() -> Tray:
    return Tray()


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Agent]:
    with agent_of(FakeConsole(), tmp_path, SystemClock()) as made:
        yield made


@pytest.fixture
def client(agent: Agent, tray: Tray) -> FlaskClient:
    return create_screen(agent, lambda: tray.picture).test_client()


def post(client: FlaskClient, path: str, body: Any, **headers: str) -> Any:
    return client.post(path, json=body, headers={**OWN, **headers})


def test_the_page_comes_with_its_look_and_may_load_nothing_from_elsewhere(client: FlaskClient) -> None:
    page = client.get("/")
    assert page.status_code == 200
    assert "default-src 'self'" in page.headers["Content-Security-Policy"]
    assert page.headers["Cache-Control"] == "no-store"
    with client.get("/look/tokens.css") as tokens, client.get("/static/kiosk.css") as own:
        assert b"--page" in tokens.data
        assert own.status_code == 200


def test_the_state_is_told_at_once_and_after_a_change(client: FlaskClient, agent: Agent) -> None:
    first = client.get("/local/state").json
    assert first is not None
    assert (first["screen"], first["version"]) == ("idle", 1)
    agent.happened(TicketRead(TICKET))
    later = client.get("/local/state?after=1").json
    assert later is not None
    assert (later["screen"], later["version"]) == ("need_id_number", 2)


def test_a_typed_number_is_taken_and_not_repeated(client: FlaskClient, agent: Agent) -> None:
    agent.happened(TicketRead(TICKET))
    answer = post(client, "/local/id-number", {"id_number": ID_NUMBER})
    assert (answer.status_code, answer.json) == (200, {"usable": "id_number"})
    assert agent.snapshot().screen["screen"] == "asking"
    assert ID_NUMBER not in client.get("/local/state").get_data(as_text=True)


def test_a_number_that_cannot_be_is_refused(client: FlaskClient) -> None:
    answer = post(client, "/local/id-number", {"id_number": "123"})
    assert (answer.status_code, answer.json) == (422, {"usable": "neither"})


@pytest.mark.parametrize("body", [None, [], {}, {"id_number": 5}, {"id_number": ""}, {"id_number": "E" * 41}])
def test_a_malformed_number_is_refused(client: FlaskClient, body: object) -> None:
    assert post(client, "/local/id-number", body).status_code == 400


def test_a_request_too_large_is_refused(client: FlaskClient) -> None:
    assert post(client, "/local/id-number", {"id_number": "1" * 9000}).status_code in {400, 413}


@pytest.mark.parametrize(
    ("touch", "screen"), [("restart", "idle"), ("more_time", "need_id_number"), ("no_document", "referred")]
)
def test_touches_do_what_they_say(client: FlaskClient, agent: Agent, touch: str, screen: str) -> None:
    agent.happened(TicketRead(TICKET))
    assert post(client, "/local/touch", {"touch": touch}).json == {"taken": touch}
    assert agent.snapshot().screen["screen"] == screen


@pytest.mark.parametrize(
    "body", [None, {}, {"bag_no": 7}, {"bag_no": ""}, {"bag_no": "袋7"}, {"bag_no": "1234567"}]
)
def test_only_digits_are_the_number_of_a_bag(client: FlaskClient, body: object) -> None:
    assert post(client, "/local/bag", body).status_code == 400


@pytest.mark.parametrize("body", [None, {}, {"strokes": [], "width": 1280, "height": 560}])
def test_only_strokes_are_a_signature(client: FlaskClient, body: object) -> None:
    assert post(client, "/local/signature", body).status_code == 400


def test_what_nobody_asked_for_is_taken_by_nobody(client: FlaskClient, agent: Agent) -> None:
    strokes = [[[step, step, step] for step in range(12)]]
    assert post(client, "/local/notice", {}).status_code == 200
    assert (
        post(client, "/local/signature", {"strokes": strokes, "width": 1280, "height": 560}).status_code
        == 200
    )
    assert agent.snapshot().screen["screen"] == "idle"


def test_a_bag_nobody_asked_for_changes_nothing(client: FlaskClient, agent: Agent) -> None:
    assert post(client, "/local/bag", {"bag_no": "07"}).status_code == 200
    assert agent.snapshot().screen["screen"] == "idle"


@pytest.mark.parametrize(
    "body", [None, {}, {"touch": "tick"}, {"touch": "console_back"}, {"touch": "open_door"}]
)
def test_only_touches_are_touches(client: FlaskClient, body: object) -> None:
    assert post(client, "/local/touch", body).status_code == 400


def test_a_foreign_page_cannot_type_into_the_kiosk(client: FlaskClient, agent: Agent) -> None:
    body = {"id_number": ID_NUMBER}
    assert client.post("/local/id-number", json=body).status_code == 403
    assert post(client, "/local/id-number", body, Origin="https://elsewhere.example").status_code == 403
    assert agent.snapshot().version == 1
    assert post(client, "/local/id-number", body, Origin="http://localhost").status_code == 200


@pytest.mark.parametrize(
    ("texts", "screen"),
    [
        (["陈一诺", ID_NUMBER], "need_ticket"),
        ([f"]C1{TICKET}"], "need_id_number"),
        (["12345678"], "idle"),
    ],
)
def test_what_a_device_typed_into_the_page_is_understood(
    client: FlaskClient, agent: Agent, texts: list[str], screen: str
) -> None:
    answer = post(client, "/local/scan", {"texts": texts})
    assert (answer.status_code, answer.json) == (200, {"taken": len(texts)})
    assert agent.snapshot().screen["screen"] == screen


@pytest.mark.parametrize("body", [None, {}, {"texts": TICKET}, {"texts": [5]}])
def test_a_malformed_scan_is_refused(client: FlaskClient, body: object) -> None:
    assert post(client, "/local/scan", body).status_code == 400


def test_a_scan_too_long_to_be_one_is_refused(client: FlaskClient) -> None:
    assert post(client, "/local/scan", {"texts": ["7" * 1500, "7" * 600]}).status_code == 413


def test_the_page_is_told_the_prefix_of_the_guns_and_how_each_device_is(agent: Agent) -> None:
    intake = Intake(agent.acceptance, agent, agent.clock, SetupSheet("~K", ""))
    state = create_screen(agent, lambda: None, intake).test_client().get("/local/state").json
    assert state is not None
    assert state["scan_prefix"] == "~K"
    assert [device["part"] for device in state["devices"]] == ["camera"]


def test_a_name_that_merely_resolves_to_this_machine_is_refused(client: FlaskClient) -> None:
    assert client.get("/local/state", headers={"Host": "evil.example:8610"}).status_code == 403
    assert client.get("/local/state", headers={"Host": "127.0.0.1:8610"}).status_code == 200


def test_the_preview_shows_what_the_camera_sees_and_nothing_without_one(
    client: FlaskClient, tray: Tray
) -> None:
    assert client.get("/local/preview.jpg").status_code == 204
    tray.picture = np.zeros((72, 128, 3), np.uint8)
    answer = client.get("/local/preview.jpg")
    assert (answer.mimetype, answer.data[:2]) == ("image/jpeg", b"\xff\xd8")
    assert answer.headers["Cache-Control"] == "no-store"
    assert client.get("/local/face.jpg").status_code == 200


def test_prompts_are_fetched_by_name_and_the_page_is_told_how_to_say_them(agent: Agent, clips: Clips) -> None:
    client = create_screen(agent, lambda: None, clips=clips).test_client()
    state = client.get("/local/state").json
    assert state is not None
    assert state["sound"] == {
        "volume": 0.8,
        "languages": ["zh", "en"],
        "fault": "",
        "time_is_short": "more_time",
    }
    with client.get("/local/clips/come_in.zh.wav") as clip:
        assert (clip.mimetype, clip.data[:4]) == ("audio/wav", b"RIFF")
    assert client.get("/local/clips/come_in.fr.wav").status_code == 404


def test_a_kiosk_without_prompts_says_so(client: FlaskClient) -> None:
    state = client.get("/local/state").json
    assert state is not None
    assert state["sound"] is None
    assert client.get("/local/clips/come_in.zh.wav").status_code == 404
