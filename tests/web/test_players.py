"""Players over HTTP: heartbeats, the test tone and who heard it, loudspeakers that enrol and ask."""

import hashlib
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from evidence import players
from evidence.announcements import load_reports
from evidence.plan_changes import arm_session
from exam.clock import MINUTE_US, SECOND_US
from exam.enrolment import parse
from exam.players import AWAY_US
from tests.exam.test_players import WELL
from tests.web.console import HTML, PageClient, tries_until_slowed
from tests.world import START_US, World
from web.access import Role
from web.audio import AUDIO_EXTENSION, TEST_TONE, CueAudio
from web.players import TROUBLE_WORDS
from web.services import Services, room_topic

HEARTBEAT: dict[str, Any] = {
    "player": "player-0001",
    "label": "平板",
    "clock": {"offset_us": -40, "error_us": 800},
    "audio_ready": 6,
    "audio_wanted": 6,
    "allowed": True,
    "awake": True,
    "output": True,
    "audible": None,
    "played": None,
}


def beat(client: PageClient, room: str = "R01", **changed: Any) -> Any:
    return client.post(f"/api/rooms/{room}/players", json=HEARTBEAT | changed)


def day_before(world: World) -> None:
    world.clock.step_wall(-20 * 60 * MINUTE_US)


def speaker(lead: PageClient, anonymous: PageClient, *rooms: str) -> dict[str, str]:
    """Headers of a loudspeaker that has enrolled for these rooms, or for all."""
    told = {"label": "广播主机", "rooms": list(rooms)}
    code = parse(lead.post("/api/speakers", json=told).get_json()["code"]).token
    anonymous.without_csrf = True
    token = anonymous.post("/api/speaker/v1/enrol", json={"code": code}).get_json()["token"]
    return {"Authorization": f"Bearer {token}"}


class TestHeartbeat:
    def test_it_is_kept_for_its_room_and_shown(
        self, proctor: PageClient, site_lead: PageClient, world: World
    ) -> None:
        assert beat(proctor).get_json() == {"seen_at_us": world.clock.wall_us()}
        with world.exam.read() as connection:
            [state] = players.load_players(connection, world.clock.wall_us())
        assert (state.room_id, state.offset_us, state.is_allowed) == (world.room_1, -40, True)
        page = site_lead.get("/players", headers=HTML).text
        assert "就绪" in page
        assert "没有播放设备" in page  # the other room

    def test_pages_look_again_only_when_something_changed(
        self, proctor: PageClient, services: Services, world: World
    ) -> None:
        def woken(**changed: Any) -> bool:
            before = services.bus.current(room_topic(world.room_1))
            beat(proctor, **changed)
            return services.bus.current(room_topic(world.room_1)) > before

        assert woken()
        assert not woken()
        assert woken(allowed=False)
        played = {"key": "1@0:C5:1", "at_us": 5, "error": ""}
        assert woken(allowed=False, played=played)
        assert not woken(allowed=False, played=played)

    @pytest.mark.parametrize("changed", [{"player": "x"}, {"clock": {"offset_us": 1}}, {"more": 1}])
    def test_what_is_no_heartbeat_is_refused(self, proctor: PageClient, changed: dict[str, Any]) -> None:
        assert beat(proctor, **changed).status_code == 400

    def test_nobody_speaks_for_another_room(self, proctor: PageClient) -> None:
        assert beat(proctor, room="R02").status_code == 403

    def test_each_trouble_has_words_and_a_player_gone_is_told(
        self, proctor: PageClient, site_lead: PageClient, world: World
    ) -> None:
        beat(proctor, clock=None, allowed=False, output=False, audible=False, awake=False, audio_ready=0)
        page = site_lead.get("/players/live").text
        told = [words for words in TROUBLE_WORDS.values() if words in page]
        assert len(told) == len(TROUBLE_WORDS) - 2  # neither away nor unsure
        world.clock.sleep_us(AWAY_US + 1)
        assert "没有联系" in site_lead.get("/players/live").text


class TestSoundCheck:
    def test_the_lead_orders_the_tone_and_rooms_find_it_in_their_schedule(
        self, app: Flask, proctor: PageClient, site_lead: PageClient, world: World
    ) -> None:
        day_before(world)
        app.extensions[AUDIO_EXTENSION] = {TEST_TONE: CueAudio("tone.wav", 4_000_000)}
        answer = site_lead.post("/api/sound-tests", json={})
        assert answer.get_json()["rooms"].keys() == {"R01", "R02"}
        told = proctor.get("/api/rooms/R01/schedule").get_json()
        assert told["tone"] == "/audio/tone.wav"
        assert told["test"]["audio"] == "/audio/tone.wav"
        assert told["test"]["sounds_at_us"] == world.clock.wall_us() + players.TEST_LEAD_US
        world.clock.sleep_us(players.TEST_LEAD_US + players.TEST_TOLERANCE_US + 1)
        assert proctor.get("/api/rooms/R01/schedule").get_json()["test"] is None

    def test_a_proctor_orders_it_in_the_own_room(self, proctor: PageClient, world: World) -> None:
        day_before(world)
        assert proctor.post("/api/rooms/R01/sound-tests").status_code == 200
        assert proctor.post("/api/rooms/R01/sound-tests").get_json()["rooms"].keys() == {"R01"}

    def test_nothing_sounds_half_an_hour_before_an_exam_or_in_it(self, site_lead: PageClient) -> None:
        answer = site_lead.post("/api/sound-tests", json={"rooms": ["R01"]})  # ten minutes before
        assert answer.status_code == 409
        assert "不能试音" in answer.get_json()["advice"]

    def test_a_named_person_says_that_it_was_heard(self, proctor: PageClient, site_lead: PageClient) -> None:
        answer = proctor.post("/api/rooms/R01/sound-checks", json={"outcome": "not_heard"}).get_json()
        assert answer["by"] == "王芳"
        assert "没有听到" in site_lead.get("/players/live").text
        proctor.post("/api/rooms/R01/sound-checks", json={"outcome": "heard"})
        page = site_lead.get("/players/live").text
        assert "已听到" in page
        assert "王芳" in page
        assert "1/2" in page

    @pytest.mark.parametrize("body", [{}, {"outcome": "perhaps"}, []])
    def test_anything_else_is_refused(self, proctor: PageClient, body: Any) -> None:
        assert proctor.post("/api/rooms/R01/sound-checks", json=body).status_code == 400


class TestSpeaker:
    def test_it_enrols_once_and_learns_its_own_rooms_only(
        self, site_lead: PageClient, anonymous: PageClient
    ) -> None:
        token = speaker(site_lead, anonymous, "R02")
        told = anonymous.get("/api/speaker/v1/schedules", headers=token).get_json()
        assert [one["room"]["code"] for one in told["rooms"]] == ["R02"]
        assert told["label"] == "广播主机"
        assert "server_now_us" in anonymous.get("/api/speaker/v1/clock", headers=token).get_json()
        page = site_lead.get("/players/live").text
        assert "第2考场" in page
        assert "已登记" in page

    def test_without_rooms_it_serves_all(self, site_lead: PageClient, anonymous: PageClient) -> None:
        token = speaker(site_lead, anonymous)
        told = anonymous.get("/api/speaker/v1/schedules", headers=token).get_json()
        assert {one["room"]["code"] for one in told["rooms"]} == {"R01", "R02"}
        assert "全部考场" in site_lead.get("/players/live").text
        with anonymous.get("/api/speaker/v1/wakes", headers=token) as stream:
            assert stream.mimetype == "text/event-stream"

    def test_its_reports_are_believed_as_those_of_the_room(
        self, site_lead: PageClient, anonymous: PageClient, world: World
    ) -> None:
        with world.exam.write() as connection:
            arm_session(connection, world.session_id, world.site_lead_account_id, world.clock.wall_us())
        token = speaker(site_lead, anonymous, "R01")
        world.clock.sleep_us(START_US + SECOND_US - world.clock.wall_us())
        report = {
            "session_id": world.session_id,
            "cue": "C5",
            "occurrence": 1,
            "started_at_us": START_US + 5,
            "ended_at_us": None,
            "offset_us": 1,
            "uncertainty_us": 2,
            "error": "",
        }
        body = {"rooms": {"R01": [report], "R02": [report]}}
        answer = anonymous.post("/api/speaker/v1/reports", json=body, headers=token)
        assert answer.get_json() == {"kept": 1}  # the other room is not its own
        with world.exam.read() as connection:
            [kept] = load_reports(connection, world.session_id)
        assert len(kept.player) == 36

    def test_its_heartbeat_counts_for_its_rooms(
        self, site_lead: PageClient, anonymous: PageClient, world: World
    ) -> None:
        token = speaker(site_lead, anonymous)
        answer = anonymous.post(
            "/api/speaker/v1/heartbeat", json=HEARTBEAT | {"rooms": ["R02"]}, headers=token
        )
        assert answer.status_code == 200
        with world.exam.read() as connection:
            [state] = players.load_players(connection, world.clock.wall_us())
        assert (state.room_id, state.kind, state.label) == (world.room_2, "speaker", "广播主机")

    @pytest.mark.parametrize(
        ("address", "body"),
        [
            ("reports", []),
            ("reports", {"rooms": {"R01": 5}}),
            ("heartbeat", []),
            ("heartbeat", {}),
            ("enrol", {}),
        ],
    )
    def test_what_it_should_not_say_is_refused(
        self, site_lead: PageClient, anonymous: PageClient, address: str, body: Any
    ) -> None:
        token = speaker(site_lead, anonymous)
        answer = anonymous.post(f"/api/speaker/v1/{address}", json=body, headers=token)
        assert answer.status_code == 400

    def test_a_wrong_code_and_a_revoked_token_are_shut_out(
        self, site_lead: PageClient, anonymous: PageClient
    ) -> None:
        token = speaker(site_lead, anonymous)
        assert anonymous.post("/api/speaker/v1/enrol", json={"code": "WRONG"}).status_code == 403
        site_lead.post("/api/speakers/1/revoke")
        assert anonymous.get("/api/speaker/v1/clock", headers=token).status_code == 401

    def test_guessing_codes_is_slowed_down(self, anonymous: PageClient) -> None:
        anonymous.without_csrf = True
        guess = {"code": "GUESS"}
        codes = tries_until_slowed(lambda: anonymous.post("/api/speaker/v1/enrol", json=guess).status_code)
        assert (set(codes[:-1]), codes[-1]) == ({403}, 429)

    @pytest.mark.parametrize("told", [{}, {"label": " "}, {"label": "音箱" * 30}, []])
    def test_a_speaker_needs_a_name(self, site_lead: PageClient, told: Any) -> None:
        assert site_lead.post("/api/speakers", json=told).status_code == 400

    def test_sounds_come_with_the_digest_of_their_bytes(
        self, site_lead: PageClient, anonymous: PageClient, services: Services
    ) -> None:
        token = speaker(site_lead, anonymous)
        services.settings.audio_folder.mkdir()
        (services.settings.audio_folder / "a.wav").write_bytes(b"RIFF")
        with anonymous.get("/api/speaker/v1/audio/a.wav", headers=token) as answer:
            digest = b64encode(hashlib.sha256(b"RIFF").digest()).decode()
            assert answer.headers["Content-Digest"] == f"sha-256=:{digest}:"
        assert anonymous.get("/api/speaker/v1/audio/none.wav", headers=token).status_code == 404


def test_patrols_look_and_order_nothing(as_role: Callable[[Role], PageClient]) -> None:
    inspector = as_role(Role.INSPECTOR)
    assert inspector.get("/players").status_code == 200
    assert inspector.post("/api/sound-tests", json={}).status_code == 403


def test_a_site_without_rooms_says_so(site_lead: PageClient, world: World) -> None:
    with world.exam.write() as connection:
        connection.execute("delete from session_room")
    assert "还没有考场" in site_lead.get("/players").text


def test_the_heartbeat_of_the_rule_fits_the_table(world: World) -> None:
    with world.exam.write() as connection:
        players.keep_heartbeats(connection, [replace(WELL, room_id=world.room_1)])
