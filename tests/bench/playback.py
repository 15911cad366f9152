"""How long a supervisor waits: for the timeline, for the bytes of a moment, for its picture on every camera.

The footage is one real film, laid as every file of the room's cameras. The baseline asks the same
question as the timeline, where is footage and where is none, of the files themselves.
"""

import argparse
import logging
import random
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter

import httpx
from flask import Flask
from playwright.sync_api import Page, sync_playwright

from config.settings import Settings
from evidence import footage
from evidence.footage_access import FootageRequest, record_access
from evidence.timeline import Interval
from exam.clock import SECOND_US
from tests.bench.bench_report import Row, print_report, progress
from tests.happenings import log
from tests.recordings import Reel
from tests.web.console import serving, token_for
from tests.world import START_US, World, build_world
from web.app import create_app
from web.logins import cookie_name
from web.services import FootageReader, Services

CHROMIUM = "/usr/bin/chromium"
FILE_SECONDS = 60
SHOWN = """(id) => new Promise((done) => {
  const figures = [...document.querySelectorAll("figure.camera")];
  const pressed = performance.now();
  const frames = figures.map((figure) => new Promise((seen) => {
    const video = figure.querySelector("video");
    const near = () => figure.dataset.offsetMs !== "" && Math.abs(Number(figure.dataset.offsetMs)) <= 200;
    const look = () => (near() && !video.seeking ? seen() : video.requestVideoFrameCallback(look));
    video.requestVideoFrameCallback(look);
  }));
  document.querySelector(`#marks [data-mark="${id}"]`).click();
  Promise.all(frames).then(() => done(performance.now() - pressed));
})"""


def p95(values: Sequence[float]) -> float:
    return round(quantiles(values, n=20)[-1], 2)


def timed(act: Callable[[], object]) -> float:
    """Milliseconds."""
    started = perf_counter()
    act()
    return (perf_counter() - started) * 1000


def lay_footage(world: World, minutes: int) -> None:
    """Every camera of the first room recorded without a break; each file is the same film."""
    film = world.folder / "film.mp4"
    picture = f"testsrc2=s=640x360:r=25:d={FILE_SECONDS}"
    codec = "-c:v libx264 -preset ultrafast -g 50 -sc_threshold 0 -bf 0 -pix_fmt yuv420p"
    movflags = "+frag_keyframe+empty_moov+default_base_moof"
    command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", picture, *codec.split()]
    subprocess.run([*command, "-movflags", movflags, str(film)], check=True)
    for camera_uuid in world.cameras_1:
        reel = Reel(world, camera_uuid)
        for number in range(minutes):
            reel.take(film, START_US + number * FILE_SECONDS * SECOND_US)


@contextmanager
def console(world: World) -> Iterator[tuple[Flask, str]]:
    """The world's console on a real socket."""
    reader = FootageReader(world.folder / "footage.db")
    app = create_app(
        Services(Settings(data_folder=world.folder), world.clock, world.exam, reader, world.vault)
    )
    with serving(app) as address:
        yield app, address
    reader.close()


def ask_files(world: World) -> None:
    """The baseline: every file's start and length, as a script without an index would learn them."""
    found = subprocess.run(
        ["find", str(world.folder / "footage"), "-name", "*.mp4"], capture_output=True, text=True, check=True
    )
    for path in found.stdout.split():
        probe = ["ffprobe", "-v", "error", "-show_entries", "format=start_time,duration", "-of", "csv", path]
        subprocess.run(probe, capture_output=True, check=True)


def seek_bytes(world: World, client: httpx.Client, address: str, wall_us: int) -> None:
    """The server's part of a seek: the index names the fragment, the console sends its bytes."""
    with world.footage.read() as connection:
        place = footage.seek(connection, world.cameras_1[0], wall_us)
    assert place is not None
    segment, fragment, _ = place
    last = fragment.offset + fragment.size_bytes - 1
    answer = client.get(
        f"{address}/segments/{segment.id}.mp4", headers={"Range": f"bytes={fragment.offset}-{last}"}
    )
    assert answer.status_code == 206
    assert len(answer.content) == fragment.size_bytes


def first_frames(page: Page, marks: Sequence[int]) -> list[float]:
    """Milliseconds from a press on a mark to its picture on every camera."""
    page.wait_for_selector("#playback[data-ready]")
    page.wait_for_timeout(2000)
    return [float(page.evaluate(SHOWN, f"log-{mark}")) for mark in marks]


def measure(world: World, minutes: int, rounds: int) -> list[Row]:
    chance = random.Random(7)
    interval = Interval(START_US, START_US + minutes * FILE_SECONDS * SECOND_US)
    moments = [
        chance.randrange(START_US + 5 * SECOND_US, interval.until_us - SECOND_US) for _ in range(rounds)
    ]
    with world.exam.write() as connection:
        marks = [log(connection, world, moment, "测量") for moment in moments]
        wanted = FootageRequest(world.site_lead_account_id, world.room_1, interval, "测量")
        access_id = record_access(connection, wanted, world.clock.wall_us())
    token = token_for(world, world.site_lead_account_id)
    with console(world) as (app, host), httpx.Client(cookies={cookie_name(app): token}) as client:
        address = f"{host}/playback/{access_id}"
        client.get(f"{address}/timeline.json").raise_for_status()
        timelines = [timed(lambda: client.get(f"{address}/timeline.json")) for _ in range(rounds)]
        progress(f"timeline: median {median(timelines):.1f} ms")
        seeks = [timed(lambda at=moment: seek_bytes(world, client, address, at)) for moment in moments]
        progress(f"seek: median {median(seeks):.1f} ms")
        files = [timed(lambda: ask_files(world)) for _ in range(2)]
        progress(f"find and ffprobe: {min(files):.0f} ms")
        with sync_playwright() as playwright:
            arguments = ["--no-sandbox", "--disable-gpu", "--autoplay-policy=no-user-gesture-required"]
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
            context = browser.new_context(viewport={"width": 1920, "height": 1080})
            context.add_cookies([{"name": cookie_name(app), "value": token, "url": host}])
            page = context.new_page()
            page.goto(address)
            frames = first_frames(page, marks)
            browser.close()
        progress(f"first frame: median {median(frames):.0f} ms")
    return [
        Row(
            "timeline_p95",
            p95(timelines),
            "ms",
            rounds,
            round(median(files), 1),
            "find and ffprobe of every file",
            round(median(timelines) / median(files), 5),
        ),
        Row("seek_server_p95", p95(seeks), "ms", rounds),
        Row("first_frame_p95", p95(frames), "ms", rounds),
    ]


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="bench playback", description=__doc__)
    parser.add_argument("--minutes", type=int, default=60, help="footage of each of two cameras")
    parser.add_argument("--rounds", type=int, default=60)
    arguments = parser.parse_args(argv)
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    with tempfile.TemporaryDirectory() as name:
        world = build_world(Path(name))
        world.clock.now_us = START_US + 24 * 3600 * SECOND_US
        progress(f"laying {2 * arguments.minutes} files of {FILE_SECONDS} s")
        lay_footage(world, arguments.minutes)
        rows = measure(world, arguments.minutes, arguments.rounds)
        world.close()
    print_report("playback", rows)
    return 0
