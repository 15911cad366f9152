"""Announcements in the site's own voice: checked, listened to, confirmed, fetched by players, taken back."""

import io
import wave
from html import unescape
from typing import Any

import numpy as np
import pytest
from flask import Flask

from config.procedures import load_procedures
from evidence.own_recordings import load_spoken, text_digest
from evidence.plan_changes import arm_session
from exam.clock import MINUTE_US
from exam.own_recordings import RecordingRefusal
from tests.web.console import PageClient, account_with, client_for
from tests.world import CLOCK_US, PASSWORD, START_US, World
from web.access import Role
from web.audio import RENDERED_EXTENSION
from web.own_sounds import CHANGED_WORDS, REFUSAL_WORDS, UNDONE, lay_recordings
from web.services import Services
from web.sounds import RATE, from_wav
from web.uploaded_sound import UploadedSoundError, made_playable

START = load_procedures()["theory"].cue("C5")
assert START is not None
WORDS = START.text
SECOND = {"second_name": "wangfang", "second_password": PASSWORD}


def hum(seconds: float, loudness: float = 0.05, rate: int = 44_100) -> bytes:
    """A recording as a recorder makes it: two channels, quiet."""
    time = np.arange(round(seconds * rate)) / rate
    swelling = loudness * np.sin(2 * np.pi * 220 * time) * (1 + 0.2 * np.sin(2 * np.pi * 4 * time))
    both = np.repeat((swelling * 32767).astype("<i2"), 2)
    written = io.BytesIO()
    with wave.open(written, "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(both.tobytes())
    return written.getvalue()


def upload(client: PageClient, content: bytes, words: str = WORDS) -> tuple[int, str]:
    form = {"text": text_digest(words), "recording": (io.BytesIO(content), "录音.wav")}
    answer = client.post("/sounds", data=form, content_type="multipart/form-data")
    return answer.status_code, unescape(answer.text)


def act(client: PageClient, recording_id: int, what: str, **form: str) -> tuple[int, str]:
    answer = client.post(f"/sounds/{recording_id}/{what}", data=form)
    return answer.status_code, unescape(answer.text)


def confirm(client: PageClient, recording_id: int, **form: str) -> tuple[int, str]:
    """With 王芳 beside, who has listened."""
    return act(client, recording_id, "confirmed", listened="yes", **(form or SECOND))


def heard(client: PageClient) -> dict[str, Any]:
    """The start signal as a player is told of it."""
    cues = client.get("/api/rooms/R01/schedule").get_json()["cues"]
    return next(one for one in cues if one["cue"] == "C5")


def arm(world: World) -> None:
    with world.exam.write() as connection:
        arm_session(connection, world.session_id, world.site_lead_account_id, CLOCK_US)


def kept(world: World) -> int:
    with world.exam.read() as connection:
        return int(connection.execute("select count(*) from own_recording").fetchone()[0])


def test_a_recording_becomes_one_channel_as_loud_as_everything_else_without_silence_around() -> None:
    speech = from_wav(made_playable(hum(1.0)))
    assert speech.size == pytest.approx(RATE, rel=0.02)
    # A hum at -18 LUFS, measured as ffmpeg does: the mean power of one channel less 0.7 dB.
    assert 10 * np.log10(np.mean(speech**2)) == pytest.approx(-18, abs=2)


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (b"no sound at all", RecordingRefusal.NO_SOUND_FILE),
        (b"ffconcat version 1.0\nfile /etc/hostname\n", RecordingRefusal.NO_SOUND_FILE),
        (hum(0.3), RecordingRefusal.TOO_SHORT),
        (hum(1, loudness=0), RecordingRefusal.SILENT),
    ],
)
def test_what_is_no_speech_is_refused_with_a_reason(content: bytes, refusal: RecordingRefusal) -> None:
    with pytest.raises(UploadedSoundError) as refused:
        made_playable(content)
    assert refused.value.refusal is refusal


@pytest.mark.usefixtures("sounding")
def test_rooms_hear_a_recording_once_somebody_listened_and_confirmed(
    site_lead: PageClient, proctor: PageClient
) -> None:
    before = heard(proctor)
    assert upload(site_lead, hum(1))[0] == 303
    page = unescape(site_lead.get("/sounds").text)
    assert "等待听后确认" in page
    assert heard(proctor)["audio"] == before["audio"], "nobody has listened yet"
    assert act(site_lead, 1, "confirmed")[0] == 400
    assert confirm(site_lead, 1)[0] == 303
    told = heard(proctor)
    assert told["audio"] != before["audio"]
    # Fifteen seconds of bell, a pause, a second of speech.
    assert told["duration_us"] == pytest.approx(16_400_000, abs=50_000)
    with proctor.get(told["audio"]) as sound:
        assert sound.headers["Content-Digest"].startswith("sha-256=:")
        assert from_wav(sound.data).size / RATE == pytest.approx(16.4, abs=0.05)
    assert "考室使用：自备录音" in unescape(site_lead.get("/sounds").text)
    assert act(site_lead, 1, "taken-back")[0] == 303
    assert heard(proctor)["audio"] == before["audio"]


def test_a_restart_gives_rooms_the_confirmed_recording_and_one_that_is_damaged_no_silence(
    sounding: Flask,
    services: Services,
    site_lead: PageClient,
    proctor: PageClient,
    world: World,
) -> None:
    rendered = heard(proctor)["audio"]
    upload(site_lead, hum(0.8))
    confirm(site_lead, 1)
    own = heard(proctor)["audio"]
    library = sounding.extensions[RENDERED_EXTENSION]
    lay_recordings(sounding, services, library)
    assert heard(proctor)["audio"] == own
    with world.exam.write() as connection:
        connection.execute("drop trigger own_recording_never_changes")
        connection.execute("update own_recording set content = zeroblob(99)")
    lay_recordings(sounding, services, library)
    assert heard(proctor)["audio"] == rendered


@pytest.mark.usefixtures("sounding")
@pytest.mark.parametrize("badge", ["his own", "none"])
def test_whoever_uploaded_a_recording_does_not_confirm_it(
    app: Flask, site_lead: PageClient, proctor: PageClient, world: World, badge: str
) -> None:
    before = heard(proctor)["audio"]
    upload(site_lead, hum(0.6))
    code, page = act(site_lead, 1, "confirmed", listened="yes")
    assert (code, REFUSAL_WORDS[RecordingRefusal.SAME_PERSON] + UNDONE in page) == (409, True)
    assert "须由上传人以外、有证卡号的工作人员听完确认" in page
    staff_id = world.site_lead_staff_id if badge == "his own" else None
    other = client_for(app, world, account_with(world, Role.EXAMS_OFFICER, staff_id=staff_id))
    code, page = act(other, 1, "confirmed", listened="yes")
    assert (code, REFUSAL_WORDS[RecordingRefusal.SAME_PERSON] in page) == (409, True)
    assert heard(proctor)["audio"] == before
    himself = {"second_name": "liqiang", "second_password": PASSWORD}
    assert [confirm(one, 1, **himself)[0] for one in (site_lead, other)] == [400, 400]
    assert heard(proctor)["audio"] == before
    assert confirm(site_lead, 1)[0] == 303, "with 王芳 beside"


@pytest.mark.usefixtures("sounding")
def test_another_of_the_lead_confirms_with_one_press_and_a_second_person_by_an_own_password(
    app: Flask, site_lead: PageClient, world: World
) -> None:
    with world.exam.write() as connection:
        connection.execute("insert into staff (id, name, badge_no) values (77, '赵云', 'KW001')")
    officer_id = account_with(world, Role.EXAMS_OFFICER, staff_id=77)
    officer = client_for(app, world, officer_id)
    upload(site_lead, hum(0.6))
    assert "听的人的密码" in unescape(site_lead.get("/sounds").text)
    assert confirm(site_lead, 1)[0] == 303
    upload(site_lead, hum(0.6))
    assert "听的人的密码" not in unescape(officer.get("/sounds").text)
    assert act(officer, 2, "confirmed", listened="yes")[0] == 303
    with world.exam.read() as connection:
        rows = connection.execute("select account_id from own_recording_act order by id").fetchall()
    assert [row["account_id"] for row in rows] == [world.proctor_account_id, officer_id]


@pytest.mark.usefixtures("sounding")
def test_what_somebody_uploaded_who_left_since_can_still_be_confirmed(
    site_lead: PageClient, app: Flask, world: World
) -> None:
    upload(site_lead, hum(0.6))
    officer = client_for(app, world, account_with(world, Role.EXAMS_OFFICER, staff_id=world.proctor_staff_id))
    with world.exam.write() as connection:
        connection.execute(
            "update account set disabled_at_us = ? where id = ?", (CLOCK_US, world.site_lead_account_id)
        )
    assert "听的人的密码" not in unescape(officer.get("/sounds").text)
    assert act(officer, 1, "confirmed", listened="yes")[0] == 303


@pytest.mark.usefixtures("sounding")
def test_a_second_person_who_cannot_be_proved_changes_nothing(site_lead: PageClient, world: World) -> None:
    upload(site_lead, hum(0.6))
    code, page = confirm(site_lead, 1, second_name="wangfang", second_password="falsch")
    assert (code, "须由第二人输入本人的登录名和密码确认" in page, UNDONE in page) == (400, True, True)
    assert "falsch" not in page
    assert confirm(site_lead, 1, second_name="guanli", second_password=PASSWORD)[0] == 400
    with world.exam.read() as connection:
        [spoken] = load_spoken(connection).values()
    assert spoken.used is None


@pytest.mark.usefixtures("sounding")
def test_a_recording_that_runs_into_the_next_signal_changes_nothing(
    site_lead: PageClient, world: World
) -> None:
    wordy = load_procedures()["demo_theory"].cue("C4")
    assert wordy is not None
    long = hum(25, rate=4_000)
    assert upload(site_lead, long, wordy.text)[0] == 303, "no session of the site has so little time"
    with world.exam.write() as connection:
        connection.execute("update session set procedure_code = 'demo_theory'")
    for code, page in (upload(site_lead, long, wordy.text), confirm(site_lead, 1)):
        assert code in {400, 409}
        assert REFUSAL_WORDS[RecordingRefusal.RUNS_INTO_NEXT] + UNDONE in page
    assert kept(world) == 1


@pytest.mark.usefixtures("sounding")
def test_confirmed_twice_it_is_told_that_it_stands_otherwise_now(site_lead: PageClient) -> None:
    upload(site_lead, hum(0.6))
    assert confirm(site_lead, 1)[0] == 303
    code, page = confirm(site_lead, 1)
    assert (code, CHANGED_WORDS + UNDONE in page) == (409, True)


@pytest.mark.usefixtures("sounding")
def test_an_armed_session_hears_what_people_knew_and_a_bad_recording_can_be_taken_back(
    site_lead: PageClient, world: World
) -> None:
    for recording_id in (1, 2):
        upload(site_lead, hum(0.6))
        if recording_id == 1:
            confirm(site_lead, 1)
    arm(world)
    code, page = confirm(site_lead, 2)
    assert (code, REFUSAL_WORDS[RecordingRefusal.ARMED] + UNDONE in page) == (409, True)
    world.clock.sleep_us(START_US - MINUTE_US - CLOCK_US)
    code, page = act(site_lead, 1, "taken-back")
    assert (code, REFUSAL_WORDS[RecordingRefusal.SOUNDS_SOON] + UNDONE in page) == (409, True)
    assert act(site_lead, 2, "taken-back")[0] == 303, "one that waits concerns nobody"
    with world.exam.read() as connection:
        [spoken] = load_spoken(connection).values()
    assert (spoken.used and spoken.used.id, spoken.waiting) == (1, None)


@pytest.mark.usefixtures("sounding")
def test_taking_back_twice_is_told_and_unknown_ones_are_not_found(site_lead: PageClient) -> None:
    upload(site_lead, hum(0.6))
    assert act(site_lead, 1, "taken-back")[0] == 303
    code, page = act(site_lead, 1, "taken-back")
    assert (code, "情况已变化" in page) == (409, True)
    assert confirm(site_lead, 9)[0] == 404
    assert upload(site_lead, hum(0.6), "不是播报。")[0] == 404
    assert upload(site_lead, b"")[0] == 400
    assert upload(site_lead, b"no sound")[0] == 400


def test_without_prepared_sounds_the_page_says_so(site_lead: PageClient) -> None:
    page = unescape(site_lead.get("/sounds").text)
    assert "声音还没有准备好" in page
    assert "距离考试结束还有15分钟" in page


def test_every_refusal_has_words() -> None:
    assert set(REFUSAL_WORDS) == set(RecordingRefusal)
