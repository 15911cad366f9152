"""The rooms of the signals bench: speaker processes with clocks of their own, real Chromiums, a bad line.

Each speaker is the real program over the real sound server; only its clock is another one: its wall clock
is up to half a minute off, its monotonic clock began at another moment and runs fast or slow.
"""

import asyncio
import multiprocessing
import os
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess

from playwright.sync_api import Browser, sync_playwright

from config.stop_signals import once_on_signals
from exam.clock import SECOND_US, SystemClock
from kiosk.speaker import Speaker
from kiosk.speaker_command import work
from kiosk.speaker_console import HttpSpeakerConsole
from kiosk.speaker_link import SpeakerLink
from kiosk.speaker_outputs import PulseOutput
from kiosk.speaker_store import SpeakerStore
from kiosk.speaker_stream import Stream
from tests.bench.signals_site import BenchSite
from tests.bench.signals_sound import AUX0, SoundServer
from tests.chromium import PROGRAM

MOST_OFF_US = 30 * SECOND_US
MOST_DRIFT = 30e-6
JITTER_S = 0.2
# All rooms share this machine's processors here; in a site a page has a tablet of its own.
SPEAKERS_YIELD = 5


@dataclass(frozen=True)
class SkewedClock:
    """This machine's clocks as another, worse machine would have them."""

    wall_off_us: int
    born_us: int
    drift: float
    _real: SystemClock = field(default_factory=SystemClock)

    @classmethod
    def of(cls, seed: int) -> "SkewedClock":
        seeded = random.Random(seed)
        return cls(
            seeded.randint(-MOST_OFF_US, MOST_OFF_US),
            seeded.randint(0, 10**12),
            seeded.uniform(-MOST_DRIFT, MOST_DRIFT),
        )

    def wall_us(self) -> int:
        return self._real.wall_us() + self.wall_off_us

    def monotonic_us(self) -> int:
        real = self._real.monotonic_us()
        return self.born_us + real + round(real * self.drift)

    def sleep_us(self, duration_us: int) -> None:
        self._real.sleep_us(duration_us)

    def slept_us(self) -> int:
        return 0


@dataclass(frozen=True)
class Room:
    """Where one room's sound comes out."""

    code: str
    server: int
    channel: int


@contextmanager
def speakers(site: BenchSite, rooms: list[Room], sound: list[SoundServer], address: str) -> Iterator[None]:
    """One process for each room, until the block ends."""
    context = multiprocessing.get_context("fork")
    children: list[BaseProcess] = []
    for seed, room in enumerate(rooms):
        os.environ.update(sound[room.server].environment)
        child = context.Process(target=_speak, args=(site, room, address, seed), daemon=True)
        child.start()
        children.append(child)
    try:
        yield
    finally:
        for child in children:
            child.terminate()
        for child in children:
            child.join(10)
            child.kill()


def _speak(site: BenchSite, room: Room, address: str, seed: int) -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # the report alone goes to stdout
    os.nice(SPEAKERS_YIELD)
    clock = SkewedClock.of(seed)
    stopping = threading.Event()
    once_on_signals(stopping.set)
    stream = Stream(lambda: PulseOutput("rooms", AUX0 + room.channel), clock)
    folder = site.settings.data_folder / "speakers" / room.code
    speaker = Speaker(SpeakerStore(folder), stream, clock)
    link = SpeakerLink(speaker, HttpSpeakerConsole(address, site.tokens[room.code]), "bench")
    speaker.on_report = link.wake
    work(speaker, link, stopping)


@contextmanager
def pages(site: BenchSite, rooms: dict[str, Room], sound: list[SoundServer], address: str) -> Iterator[None]:
    """A real Chromium with the room page for each name; the name is its sound output."""
    with sync_playwright() as playwright:
        browsers: list[Browser] = []
        try:
            for seed, (output, room) in enumerate(rooms.items()):
                browser = playwright.chromium.launch(
                    executable_path=PROGRAM,
                    args=["--no-sandbox", "--disable-gpu", "--autoplay-policy=no-user-gesture-required"],
                    ignore_default_args=["--mute-audio"],
                    env={**sound[room.server].environment, "PULSE_SINK": output},
                )
                browsers.append(browser)
                _open_page(browser, site, room, address, seed)
            yield
        finally:
            for browser in browsers:
                browser.close()


def _open_page(browser: Browser, site: BenchSite, room: Room, address: str, seed: int) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.add_cookies([{"name": "kaochang", "value": site.login, "url": address}])
    off_ms = random.Random(1000 + seed).randint(-MOST_OFF_US, MOST_OFF_US) // 1000
    context.add_init_script(f"const real = Date.now; Date.now = () => real() + ({off_ms});")
    page = context.new_page()
    page.goto(f"{address}/rooms/{room.code}")


@contextmanager
def bad_line(port: int, to_port: int) -> Iterator[str]:
    """A way to the console on which everything is late by up to 200 ms, each way, never twice the same."""
    context = multiprocessing.get_context("fork")
    child = context.Process(target=_carry, args=(port, to_port), daemon=True)
    child.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        child.terminate()
        child.join(10)


def _carry(port: int, to_port: int) -> None:
    seeded = random.Random(6)

    async def pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        try:
            while chunk := await source.read(65_536):
                await asyncio.sleep(seeded.uniform(0, JITTER_S))
                target.write(chunk)
                await target.drain()
        except OSError:
            pass
        finally:
            target.close()

    async def carry(near_in: asyncio.StreamReader, near_out: asyncio.StreamWriter) -> None:
        try:
            far_in, far_out = await asyncio.open_connection("127.0.0.1", to_port)
        except OSError:
            near_out.close()  # nobody is there
            return
        await asyncio.gather(pump(near_in, far_out), pump(far_in, near_out))

    async def serve() -> None:
        server = await asyncio.start_server(carry, "127.0.0.1", port)
        async with server:
            await server.serve_forever()

    asyncio.run(serve())
