from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from evidence.announcements import load_reports
from evidence.plan_changes import arm_session
from exam.clock import MINUTE_US, SECOND_US
from tests.web.console import PageClient, account_with, client_for
from tests.world import START_US, World, announce
from web.access import Role
from web.audio import AUDIO_EXTENSION, CueAudio
from web.services import Services


def armed(world: World) -> None:
    with world.exam.write() as connection:
        arm_session(connection, world.session_id, world.site_lead_account_id, world.clock.wall_us())


def move_to(world: World, moment_us: int) -> None:
    world.clock.sleep_us(moment_us - world.clock.wall_us())


def rows(world: World, cue: str) -> list[dict[str, Any]]:
    with world.exam.read() as connection:
        found = connection.execute("select * from announcement where cue_code = ? order by id", (cue,))
        return [dict(row) for row in found]


def as_procedure(world: World, code: str) -> None:
    with world.exam.write() as connection:
        connection.execute("update session set procedure_code = ?", (code,))


def told(world: World, **changed: object) -> dict[str, object]:
    usual: dict[str, object] = {
        "session_id": world.session_id,
        "cue": "C5",
        "occurrence": 1,
        "started_at_us": START_US + 900,
        "ended_at_us": None,
        "offset_us": -40,
        "uncertainty_us": 800,
        "error": "",
    }
    return usual | changed


def send(client: PageClient, *reports: object, room: str = "R01") -> Any:
    return client.post(f"/api/rooms/{room}/reports", json={"player": "player-0001", "reports": list(reports)})


@pytest.fixture
def assessor(app: Flask, world: World) -> PageClient:
    """An assessor with duty in 第2考场 of T1."""
    with world.exam.write() as connection:
        staff = connection.execute("insert into staff (name, badge_no) values ('何平', 'KP001')").lastrowid
        connection.execute(
            "insert into duty (staff_id, session_id, room_id, role) values (?, ?, ?, 'lead_assessor')",
            (staff, world.session_id, world.room_2),
        )
    return client_for(app, world, account_with(world, Role.ASSESSOR, staff_id=staff))


class TestSchedule:
    def cue(self, client: PageClient, code: str) -> dict[str, Any]:
        answer = client.get("/api/rooms/R01/schedule").get_json()
        return next(cue for cue in answer["cues"] if cue["cue"] == code)

    def test_a_room_knows_its_whole_day_beforehand(self, proctor: PageClient, world: World) -> None:
        armed(world)
        answer = proctor.get("/api/rooms/R01/schedule").get_json()
        assert answer["room"] == {"code": "R01", "label": "第1考场"}
        assert answer["session"]["armed"] is True
        assert answer["session"]["last"] is None
        assert [cue["cue"] for cue in answer["cues"]] == ["C2", "C3", "C4", "C5", "C7", "C8"]
        assert self.cue(proctor, "C5")["sounds_at_us"] == START_US
        assert self.cue(proctor, "C8")["after"] == self.cue(proctor, "C5")["key"]

    def test_nothing_may_sound_before_the_session_is_armed(self, proctor: PageClient, world: World) -> None:
        assert not self.cue(proctor, "C5")["may_sound"]
        armed(world)
        assert self.cue(proctor, "C5")["may_sound"]
        assert not self.cue(proctor, "C3")["may_sound"]  # planned when nobody had armed

    def test_a_start_that_was_corrected_as_it_rang_is_not_rung_again_by_the_room(
        self, proctor: PageClient, world: World
    ) -> None:
        armed(world)
        announce(world, "C5", START_US, world.room_1)
        announce(world, "X1", START_US + SECOND_US // 2, world.room_1)
        again = self.cue(proctor, "C5")
        assert (again["occurrence"], again["may_sound"]) == (2, False)

    def test_what_sounded_is_not_sounded_again_under_the_key_of_a_moved_start(
        self, proctor: PageClient, world: World
    ) -> None:
        armed(world)
        announce(world, "C2", START_US - 15 * MINUTE_US, world.room_1)
        before = self.cue(proctor, "C2")
        assert before["may_sound"], "whoever has not sounded it yet still may"
        with world.exam.write() as connection:
            connection.execute(
                "update session set planned_start_us = planned_start_us + ?", (10 * MINUTE_US,)
            )
        after = self.cue(proctor, "C2")
        assert after["key"] != before["key"]
        assert (after["outcome"], after["may_sound"]) == ("emitted", False)

    def test_an_emitted_cue_keeps_its_planned_moment_and_is_the_last_word(
        self, proctor: PageClient, world: World
    ) -> None:
        armed(world)
        move_to(world, START_US + SECOND_US)
        send(proctor, told(world))
        assert self.cue(proctor, "C5")["sounds_at_us"] == START_US
        assert self.cue(proctor, "C5")["outcome"] == "emitted"
        last = proctor.get("/api/rooms/R01/schedule").get_json()["session"]["last"]
        assert last["text"] == "考试开始，请考生答题。"

    def test_prepared_audio_is_named_with_its_length(
        self, proctor: PageClient, app: Flask, services: Services
    ) -> None:
        app.extensions[AUDIO_EXTENSION] = {("theory", "C5"): CueAudio("abc.wav", 18_000_000)}
        assert self.cue(proctor, "C5")["audio"] == "/audio/abc.wav"
        assert self.cue(proctor, "C8")["audio"] is None
        services.settings.audio_folder.mkdir()
        (services.settings.audio_folder / "abc.wav").write_bytes(b"RIFF")
        answer = proctor.get("/audio/abc.wav")
        assert answer.data == b"RIFF"
        assert "immutable" in answer.headers["Cache-Control"]
        answer.close()

    def test_a_room_without_a_session_today_says_so(self, site_lead: PageClient, world: World) -> None:
        with world.exam.write() as connection:
            connection.execute(
                "update session set planned_start_us = planned_start_us - ?", (24 * 60 * MINUTE_US,)
            )
        answer = site_lead.get("/api/rooms/R01/schedule").get_json()
        assert (answer["session"], answer["cues"]) == (None, [])

    def test_after_the_stop_of_the_last_session_the_page_still_shows_it(
        self, site_lead: PageClient, world: World
    ) -> None:
        as_procedure(world, "review")
        move_to(world, START_US)
        site_lead.post(f"/api/sessions/{world.session_id}/press/C5")
        move_to(world, START_US + MINUTE_US)
        site_lead.post(f"/api/sessions/{world.session_id}/press/C8")
        assert site_lead.get("/api/rooms/R01/schedule").get_json()["session"]["code"] == "T1"
        assert self.cue(site_lead, "C8")["sounds_at_us"] == START_US + MINUTE_US + SECOND_US // 2


class TestWho:
    def test_a_proctor_sees_only_the_own_room(self, proctor: PageClient) -> None:
        assert proctor.get("/api/rooms/R01/schedule").status_code == 200
        assert proctor.get("/rooms/R01", headers={"Accept": "text/html"}).status_code == 200
        assert proctor.get("/api/rooms/R02/schedule").status_code == 403
        assert proctor.get("/rooms/R02").status_code == 403
        assert proctor.get("/api/rooms/R99/schedule").status_code == 404

    def test_others_have_no_business_with_signals(self, as_role: Callable[[Role], PageClient]) -> None:
        for role in (Role.ADMINISTRATOR, Role.AUDITOR, Role.SUPERVISOR):
            assert as_role(role).get("/api/rooms/R01/schedule").status_code == 403


class TestReports:
    def test_the_clock_tells_the_servers_moment(self, proctor: PageClient, world: World) -> None:
        assert proctor.get("/api/clock").get_json() == {"server_now_us": world.clock.wall_us(), "clock": ""}

    def test_a_room_quicker_than_the_tick_gives_the_signal_in_all_rooms(
        self, proctor: PageClient, world: World
    ) -> None:
        armed(world)
        move_to(world, START_US + 30_000)
        assert send(proctor, told(world)).get_json() == {"kept": 1, "dropped": 0}
        found = rows(world, "C5")
        assert [row["source"] for row in found] == ["schedule", "schedule"]
        assert {row["emitted_at_us"] for row in found} == {START_US + 30_000}

    def test_a_room_that_rang_while_we_were_away_gives_its_own_room_the_start(
        self, proctor: PageClient, world: World
    ) -> None:
        armed(world)
        move_to(world, START_US + MINUTE_US)
        send(proctor, told(world))
        send(proctor, told(world))
        [row] = rows(world, "C5")
        assert (row["room_id"], row["source"], row["emitted_at_us"]) == (
            world.room_1,
            "room_report",
            START_US + 900,
        )

    def test_after_a_recorded_miss_the_report_belongs_to_the_occurrence_that_made_it_good(
        self, proctor: PageClient, world: World
    ) -> None:
        armed(world)
        move_to(world, START_US + MINUTE_US)
        with world.exam.write() as connection:
            connection.execute(
                "insert into announcement (session_id, room_id, cue_code, planned_at_us, outcome, source,"
                " recorded_at_us) values (?, ?, 'C5', ?, 'missed', 'schedule', ?)",
                (world.session_id, world.room_1, START_US, START_US + 9 * SECOND_US),
            )
        send(proctor, told(world))
        send(proctor, told(world, ended_at_us=START_US + 18 * SECOND_US))
        assert [row["outcome"] for row in rows(world, "C5")] == ["missed", "emitted"]
        with world.exam.read() as connection:
            [report] = load_reports(connection, world.session_id)
        assert (report.occurrence, report.ended_at_us) == (2, START_US + 18 * SECOND_US)

    def test_the_same_report_again_after_a_correction_is_no_second_ring(
        self, proctor: PageClient, world: World
    ) -> None:
        armed(world)
        move_to(world, START_US + MINUTE_US)
        with world.exam.write() as connection:
            connection.execute(
                "insert into announcement (session_id, room_id, cue_code, planned_at_us, outcome, source,"
                " recorded_at_us) values (?, ?, 'C5', ?, 'missed', 'schedule', ?)",
                (world.session_id, world.room_1, START_US, START_US + 9 * SECOND_US),
            )
        send(proctor, told(world))
        announce(world, "X1", START_US + 30 * SECOND_US, world.room_1)
        send(proctor, told(world, ended_at_us=START_US + 18 * SECOND_US))
        assert [row["outcome"] for row in rows(world, "C5")] == ["missed", "emitted"]
        with world.exam.read() as connection:
            [report] = load_reports(connection, world.session_id)
        assert (report.occurrence, report.ended_at_us) == (2, START_US + 18 * SECOND_US)

    def test_a_ring_outside_the_tolerance_or_unarmed_starts_nothing(
        self, proctor: PageClient, world: World
    ) -> None:
        move_to(world, START_US + MINUTE_US)
        send(proctor, told(world))
        armed(world)
        send(proctor, told(world, started_at_us=START_US + 40 * SECOND_US, occurrence=2))
        assert rows(world, "C5") == []

    def test_a_ring_that_is_still_to_come_is_no_signal_and_does_not_silence_it(
        self, proctor: PageClient, world: World
    ) -> None:
        armed(world)
        move_to(world, START_US - 10 * MINUTE_US)
        send(proctor, told(world, started_at_us=START_US))
        assert rows(world, "C5") == []

    def test_silence_is_kept_with_its_reason(self, proctor: PageClient, world: World) -> None:
        send(proctor, told(world, started_at_us=None, error="autoplay_refused"))
        with world.exam.read() as connection:
            [report] = load_reports(connection, world.session_id)
        assert report.error == "autoplay_refused"

    def test_what_belongs_to_no_session_room_or_cue_is_dropped(
        self, site_lead: PageClient, world: World
    ) -> None:
        with world.exam.write() as connection:
            connection.execute("insert into room (code, label, kind) values ('R09', '第9考场', 'theory')")
        assert send(site_lead, told(world), room="R09").get_json() == {"kept": 0, "dropped": 1}
        strangers = [told(world, session_id=77), told(world, cue="Z9")]
        assert send(site_lead, *strangers).get_json() == {"kept": 0, "dropped": 2}

    @pytest.mark.parametrize(
        "change",
        [
            {"started_at_us": "noon"},
            {"started_at_us": -5},
            {"started_at_us": None},
            {"occurrence": 0},
            {"uncertainty_us": -1},
            {"colour": "red"},
        ],
    )
    def test_what_cannot_be_read_is_refused(
        self, proctor: PageClient, world: World, change: dict[str, object]
    ) -> None:
        assert send(proctor, told(world, **change)).status_code == 400

    def test_an_on_demand_cue_is_reported_by_its_occurrence(
        self, site_lead: PageClient, world: World
    ) -> None:
        site_lead.post(f"/api/sessions/{world.session_id}/press/X1")
        send(site_lead, told(world, cue="X1", started_at_us=world.clock.wall_us()))
        with world.exam.read() as connection:
            assert [one.cue_code for one in load_reports(connection, world.session_id)] == ["X1"]


class TestPress:
    @pytest.fixture(autouse=True)
    def practical(self, world: World) -> None:
        as_procedure(world, "practical")

    def press(self, client: PageClient, world: World, cue: str, **body: object) -> Any:
        return client.post(f"/api/sessions/{world.session_id}/press/{cue}", json=body or None)

    def test_the_assessor_starts_the_own_room_a_moment_from_now(
        self, assessor: PageClient, world: World
    ) -> None:
        assert self.press(assessor, world, "C5").status_code == 409
        move_to(world, START_US)
        answer = self.press(assessor, world, "C5")
        emitted_us = START_US + SECOND_US // 2
        assert answer.get_json()["rooms"] == {"R02": {"outcome": "emitted", "emitted_at_us": emitted_us}}
        again = self.press(assessor, world, "C5").get_json()["rooms"]["R02"]
        assert again == {"outcome": "already", "emitted_at_us": emitted_us}
        assert [row["source"] for row in rows(world, "C5")] == ["press"]

    def test_a_refusal_says_why_in_words(self, assessor: PageClient, world: World) -> None:
        answer = self.press(assessor, world, "C8").get_json()["rooms"]["R02"]
        assert answer == {"outcome": "not_started", "advice": "本考场尚未开考。"}

    def test_a_proctor_starts_nothing_and_an_assessor_corrects_nothing(
        self, proctor: PageClient, assessor: PageClient, world: World
    ) -> None:
        assert self.press(proctor, world, "C5").status_code == 403
        assert self.press(assessor, world, "X1").status_code == 403
        assert self.press(assessor, world, "C5", rooms=["R01"]).status_code == 403
        assert self.press(assessor, world, "Z9").status_code == 404

    def test_the_site_lead_corrects_a_wrong_bell_in_named_rooms(
        self, site_lead: PageClient, world: World
    ) -> None:
        assert self.press(site_lead, world, "X1", rooms=["R01"]).status_code == 200
        schedule = site_lead.get("/api/rooms/R01/schedule").get_json()
        [correction] = [cue for cue in schedule["cues"] if cue["cue"] == "X1"]
        assert correction["may_sound"]
        assert correction["sounds_at_us"] == world.clock.wall_us() + SECOND_US // 2
        assert schedule["session"]["last"]["cue"] == "X1"
        other = site_lead.get("/api/rooms/R02/schedule").get_json()["cues"]
        assert not [cue for cue in other if cue["cue"] == "X1"]

    def test_a_body_that_is_no_object_is_refused(self, site_lead: PageClient, world: World) -> None:
        assert site_lead.post(f"/api/sessions/{world.session_id}/press/X1", json=[1]).status_code == 400
        assert self.press(site_lead, world, "X1", rooms=5).status_code == 400


class TestConfirm:
    def confirm(self, client: PageClient, world: World, cue: object, room: str = "R01") -> Any:
        path = f"/api/sessions/{world.session_id}/rooms/{room}/confirmations"
        return client.post(path, json={"cue": cue})

    def test_a_proctor_ticks_a_step_once_its_moment_has_come(self, proctor: PageClient, world: World) -> None:
        assert self.confirm(proctor, world, "C4").status_code == 409
        first = self.confirm(proctor, world, "C3").get_json()
        assert (first["cue"], first["is_first"]) == ("C3", True)
        move_to(world, START_US - 5 * MINUTE_US)
        assert self.confirm(proctor, world, "C3").get_json() == first | {"is_first": False}
        assert self.confirm(proctor, world, "C4").status_code == 200

    def test_steps_of_others_and_steps_that_do_not_exist_cannot_be_ticked(
        self, proctor: PageClient, world: World
    ) -> None:
        assert self.confirm(proctor, world, "B1").status_code == 403
        assert self.confirm(proctor, world, "X1").status_code == 404
        assert self.confirm(proctor, world, "C3", room="R02").status_code == 403

    def test_a_room_outside_the_session_has_no_steps(self, site_lead: PageClient, world: World) -> None:
        with world.exam.write() as connection:
            connection.execute("insert into room (code, label, kind) values ('R09', '第9考场', 'theory')")
        assert self.confirm(site_lead, world, "C3", room="R09").status_code == 404
        assert self.confirm(site_lead, world, "B1").status_code == 200

    def test_the_lead_assessor_is_an_assessor(self, assessor: PageClient, world: World) -> None:
        as_procedure(world, "practical")
        assert self.confirm(assessor, world, "B2", room="R02").status_code == 200


def test_a_wake_comes_when_something_happens_in_the_room(proctor: PageClient, services: Services) -> None:
    services.bus.close()  # the stream says "look" once and ends
    answer = proctor.get("/api/rooms/R01/wakes")
    assert answer.mimetype == "text/event-stream"
    assert b"data:" in answer.data
