"""The console's machine restarts during T1 with a wrong clock: the speaker rings, and gives it its time."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from config.procedures import load_procedures
from config.settings import Settings
from evidence import speakers
from evidence.announcements import load_reports
from evidence.day import load_announced
from evidence.plan_changes import arm_session
from exam.clock import MINUTE_US, SECOND_US
from exam.clock_restart import GATHER_US
from kiosk.speaker import Speaker
from kiosk.speaker_console import HttpSpeakerConsole
from kiosk.speaker_link import SpeakerLink
from kiosk.speaker_store import SpeakerStore
from kiosk.speaker_stream import Sound
from tests.kiosk.speakers import QuartzClock
from tests.web.console import console_over, serving
from tests.web.test_audio import HummingVoice
from tests.world import START_US, World, build_world
from web.audio import prepare
from web.console_clock import ClockKeeper, start_clock
from web.own_sounds import lay_recordings
from web.restart_doubt import EXTENSION, find_doubt
from web.services import Bus, FootageReader, Services
from web.signal_ticker import SignalTicker

PROCEDURES = load_procedures()
A_LITTLE_US = 20_000


class Bell:
    """A loudspeaker on which everything sounds exactly when it should, for a second."""

    def __init__(self) -> None:
        self.waiting: list[Sound] = []

    def begin(self, sound: Sound) -> None:
        self.waiting.append(sound)

    def withdraw(self, sound: Sound) -> bool:
        self.waiting.remove(sound)
        return True

    def trouble(self) -> str:
        return ""

    def run(self, stopping: threading.Event) -> None:
        stopping.wait()

    def ring(self) -> None:
        for sound in self.waiting:
            sound.began(sound.at_us)
            sound.ended(sound.at_us + SECOND_US, "")
        self.waiting.clear()


class Site:
    """A console that lives and dies on its machine, and a speaker on another one."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world, self.port = world, 0
        self.quartz = QuartzClock(now_us=1, uptime_us=77 * SECOND_US)
        self.bell = Bell()
        self.speaker = Speaker(SpeakerStore(folder), self.bell, self.quartz)
        with world.exam.write() as connection:
            arm_session(connection, world.session_id, world.site_lead_account_id, 1)
            code = speakers.invite(connection, "音箱", (world.room_1,), world.clock.wall_us())
            self.token = speakers.enrol(connection, code, world.clock.wall_us()) or ""

    @contextmanager
    def console(self, boot: str) -> Iterator[tuple[ClockKeeper, SignalTicker]]:
        """A life of the console, until it is killed."""
        exam, machine = self.world.exam, self.world.clock
        clock = start_clock(exam, machine, PROCEDURES, boot)
        footage = FootageReader(self.world.folder / "footage.db")
        services = Services(Settings(data_folder=self.world.folder), clock, exam, footage, self.world.vault)
        app = console_over(services)
        lay_recordings(app, services, prepare(services.settings.audio_folder, PROCEDURES, HummingVoice()))
        keeper = ClockKeeper(exam, clock, Bus(), PROCEDURES, boot, find_doubt(exam, clock, boot))
        app.extensions[EXTENSION] = keeper.doubt
        with serving(app, self.port) as address:
            self.port = int(address.rsplit(":", 1)[1])
            line = HttpSpeakerConsole(address, self.token)
            self.link = SpeakerLink(self.speaker, line, "boot")
            yield keeper, SignalTicker(exam, clock, services.bus, PROCEDURES, keeper)
            line.close()
        app.extensions.pop(EXTENSION)
        footage.close()

    def pass_us(self, duration_us: int) -> None:
        self.world.clock.sleep_us(duration_us)
        self.quartz.sleep_us(duration_us)

    def talk(self, times: int = 1) -> None:
        """Seconds of the speaker's line, each with a look at what is due."""
        for _ in range(times):
            self.link.talk()
            self.speaker.look()
            self.pass_us(SECOND_US)

    def ring_alone(self) -> None:
        self.pass_us(START_US - 200_000 - self.world.clock.wall_us())
        self.speaker.look()
        self.bell.ring()
        self.speaker.look()

    def restart_machine(self, ahead_us: int) -> None:
        """It comes back with a clock that is so far ahead."""
        self.world.clock.now_us += ahead_us
        self.world.clock.uptime_us = 15 * SECOND_US

    def started_at_us(self) -> tuple[int | None, int | None]:
        """When the start signal rang as the speaker told it, and when the console takes it to have been."""
        with self.world.exam.read() as connection:
            reports = load_reports(connection, self.world.session_id)
            announced = load_announced(connection, self.world.session_id)
        [report] = [one.started_at_us for one in reports if one.cue_code == "C5"]
        [start] = [
            one.emitted_at_us for one in announced if (one.cue_code, one.room_id) == ("C5", self.world.room_1)
        ]
        return report, start


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    world = build_world(tmp_path / "console")
    yield Site(world, tmp_path / "speaker")
    world.close()


@pytest.mark.parametrize("ahead_us", [30 * MINUTE_US, -30 * MINUTE_US, 700_000])
def test_a_start_that_rang_while_the_machine_restarted_is_told_by_the_time_the_speaker_gave_it_back(
    site: Site, ahead_us: int
) -> None:
    site.pass_us(START_US - 10 * SECOND_US - site.world.clock.wall_us())
    with site.console("boot-0") as (keeper, _):
        keeper.look()
        site.talk(3)
        name_before = keeper.clock.name
    site.ring_alone()
    site.pass_us(10 * SECOND_US)
    true_us = site.world.clock.wall_us() + SECOND_US + GATHER_US
    site.restart_machine(ahead_us)
    with site.console("boot-1") as (keeper, ticker):
        site.talk()
        assert keeper.is_in_doubt
        assert site.speaker.store.reports, "told by no clock that may be another one"
        site.pass_us(GATHER_US)
        ticker.tick()
        assert abs(keeper.clock.wall_us() - true_us) < A_LITTLE_US
        site.talk(2)
        ticker.tick()
        known = site.speaker.known_time()
    assert known is not None
    assert known.clock == keeper.clock.name != name_before
    assert site.speaker.store.reports == {}
    told_us, start_us = site.started_at_us()
    assert abs((told_us or 0) - START_US) < A_LITTLE_US
    assert start_us == max(told_us or 0, START_US)
