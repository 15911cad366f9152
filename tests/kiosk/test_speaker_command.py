"""`run.py speaker` against a real console over HTTP: enrolled once, ringing by a program, told to stop."""

import io
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from config.settings import Settings, SpeakerSettings
from evidence import speakers
from exam.clock import SECOND_US, SystemClock
from exam.enrolment import EnrolmentText
from kiosk.enrolment import EnrolmentFailedError
from kiosk.speaker_command import enrol_here, main, make_loudspeaker
from kiosk.speaker_console import ConsoleAwayError, HttpSpeakerConsole, ReportsRefusedError, ShutOutError
from kiosk.speaker_programs import ProgramLoudspeaker
from kiosk.speaker_stream import Stream
from tests.recorder.live import wait_until
from tests.web.console import serving
from tests.web.signal_site import SignalSite, spoken_audio
from tests.world import build_world

CLOCK = SystemClock()
ROOT = Path(__file__).resolve().parents[2]
SPEAK = (
    "import sys; from pathlib import Path; from config.settings import Settings;"
    "from kiosk.speaker_command import main;"
    "sys.exit(main(sys.argv[2:], lambda _: Settings(data_folder=Path(sys.argv[1]))))"
)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[SignalSite]:
    world = build_world(tmp_path / "console")
    (world.folder / "audio").symlink_to(spoken_audio())
    yield SignalSite(world)
    world.close()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """The loudspeaker's own machine."""
    return Settings(data_folder=tmp_path / "speaker")


def text_for(site: SignalSite, address: str, *rooms: int) -> io.StringIO:
    """What the console's page shows, as somebody pastes it."""
    with site.world.exam.write() as connection:
        code = speakers.invite(connection, "音箱", rooms or None, site.clock.wall_us())
    return io.StringIO(EnrolmentText(address, code, "").to_line() + "\n")


def speak(settings: Settings, *words: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", SPEAK, str(settings.data_folder), *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.live
def test_an_enrolled_speaker_rings_and_reports_until_it_is_told_to_stop(
    site: SignalSite, settings: Settings
) -> None:
    with site.running() as (address, _):
        assert enrol_here(settings, text_for(site, address, site.world.room_1)) == 0
        site.plan(start_in_s=7200)
        child = speak(settings, "--room", "R01", "--player", "sh -c 'sleep 9' {file}")
        wait_until(site.players)
        second = speak(settings)
        start_us = site.plan(start_in_s=10)
        wait_until(lambda: site.reports("C5"))
        [report] = site.reports("C5")
        assert report.started_at_us is not None
        assert 0 <= report.started_at_us - start_us < 2 * SECOND_US
        assert [one.label for one in site.players()] == ["音箱"]
        assert "another speaker runs already" in second.communicate()[0]
        child.send_signal(signal.SIGTERM)
        child.communicate()
        assert child.returncode == 0


def test_a_speaker_that_is_not_enrolled_says_what_to_do(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([], lambda _path: settings) == 1
    assert "not enrolled: python3 run.py speaker --enrol" in capsys.readouterr().err


def test_rooms_it_has_not_enrolled_for_are_refused(
    site: SignalSite, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    with site.running() as (address, _):
        enrol_here(settings, text_for(site, address, site.world.room_1))
        assert main(["--room", "R02"], lambda _path: settings) == 1
        assert "not enrolled for R02; it has ['R01']" in capsys.readouterr().err
        with site.world.exam.write() as connection:
            speakers.revoke(connection, 1, site.clock.wall_us())
        assert main(["--room", "R01"], lambda _path: settings) == 1
        assert "does not know this speaker" in capsys.readouterr().err


def test_a_text_that_was_used_is_refused(
    site: SignalSite, settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with site.running() as (address, _):
        text = text_for(site, address)
        assert enrol_here(settings, text) == 0
        text.seek(0)
        monkeypatch.setattr(sys, "stdin", text)
        assert main(["--enrol"], lambda _path: settings) == 1
        assert "make a new one" in capsys.readouterr().err
    text.seek(0)
    with pytest.raises(EnrolmentFailedError, match="did not answer"):
        enrol_here(settings, text)


def test_another_address_of_the_same_console_may_be_named(site: SignalSite, settings: Settings) -> None:
    with site.running() as (address, _):
        text = text_for(site, "http://127.0.0.1:9")
        assert enrol_here(settings, text, address) == 0


def test_streams_and_programs_are_chosen_by_name() -> None:
    assert isinstance(make_loudspeaker(SpeakerSettings(player="alsa"), CLOCK), Stream)
    assert isinstance(make_loudspeaker(SpeakerSettings(player="aplay"), CLOCK), ProgramLoudspeaker)


class TestConsole:
    def test_every_answer_that_is_none_is_told_apart(self, site: SignalSite) -> None:
        with site.running() as (address, _):
            with site.world.exam.write() as connection:
                code = speakers.invite(connection, "音箱", None, site.clock.wall_us())
                token = speakers.enrol(connection, code, site.clock.wall_us()) or ""
            console = HttpSpeakerConsole(address, token)
            assert abs(console.server_now().now_us - site.clock.wall_us()) < SECOND_US
            assert console.schedules()["label"] == "音箱"
            assert next(console.wakes()) is None
            with pytest.raises(ReportsRefusedError):
                console.tell_reports({"R01": [{}]})
            with pytest.raises(ConsoleAwayError, match="404"):
                console.sound("/audio/none.wav")
            with pytest.raises(ShutOutError):
                HttpSpeakerConsole(address, "wrong").server_now()
        with pytest.raises(ConsoleAwayError):
            console.server_now()
        with pytest.raises(ConsoleAwayError):
            next(console.wakes())
        console.close()

    def test_something_else_on_that_port_is_no_console(self) -> None:
        stranger = Flask("stranger")
        stranger.add_url_rule("/api/speaker/v1/clock", "clock", lambda: "hello")
        stranger.add_url_rule("/api/speaker/v1/schedules", "schedules", lambda: {"rooms": []})
        stranger.extensions["kaochang"] = _Bus()
        with serving(stranger) as address:
            console = HttpSpeakerConsole(address, "token")
            with pytest.raises(ConsoleAwayError, match="not one of our console"):
                console.server_now()
            with pytest.raises(ConsoleAwayError, match="not one of our console"):
                console.schedules()
            console.close()


class _Bus:
    """What the tests' server closes at its end."""

    def __init__(self) -> None:
        self.bus = self

    def close(self) -> None:
        return None
