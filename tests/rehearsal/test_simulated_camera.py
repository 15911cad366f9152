"""One simulated camera and the clients that watch it, without a network."""

import asyncio
import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from exam.clock import SECOND_US, SimulatedClock
from rehearsal.h264_loop import Loop
from rehearsal.h264_slices import NAL_SPS
from rehearsal.scene_loops import loop_for
from rehearsal.sent_log import SentLog, read_sent_log
from rehearsal.simulated_camera import SimulatedCamera, Viewer
from tests.rehearsal.camera_world import small_plan

pytestmark = pytest.mark.media
PLAN = small_plan("a", scene="viva_room", fps=10, gop_seconds=1, sender_reports=False)


class HurryingClock(SimulatedClock):
    """Every look at it takes longer than a frame, so that nobody ever waits."""

    def monotonic_us(self) -> int:
        self.sleep_us(200_000)
        return self.uptime_us


class FakeConnection:
    """Keeps what it was given, pretends that so much is not yet sent, and tells after each frame."""

    def __init__(self, after_frame: Callable[[int], None] = lambda _: None) -> None:
        self.frames: list[bytes] = []
        self.backlog = 0
        self._after_frame = after_frame

    def send(self, packets: bytes) -> None:
        self.frames.append(packets)
        self._after_frame(len(self.frames))

    def backlog_bytes(self) -> int:
        return self.backlog

    def close(self) -> None:
        raise AssertionError("a camera closes no connection by itself")


@pytest.fixture(scope="module")
def loop(tmp_path_factory: pytest.TempPathFactory) -> Loop:
    return loop_for(PLAN, 2, tmp_path_factory.mktemp("loops"))


async def until(camera: SimulatedCamera, connection: FakeConnection, frames: int) -> None:
    async with asyncio.timeout(60):
        while len(connection.frames) < frames:
            await asyncio.sleep(0.005)
    assert camera.viewers


def test_a_client_that_does_not_read_misses_pictures_until_a_keyframe(loop: Loop, tmp_path: Path) -> None:
    async def scene() -> None:
        log = SentLog(tmp_path / "a.sent")
        camera = SimulatedCamera(PLAN, loop, HurryingClock(1_795_000_000 * SECOND_US), 0, log)
        running = asyncio.create_task(camera.run())
        lazy = FakeConnection()

        def after_frame(number: int) -> None:
            lazy.backlog = 10_000_000 if 13 <= number < 15 else 0

        eager = FakeConnection(after_frame)
        viewers = [Viewer(connection, camera.new_sender(0)) for connection in (eager, lazy)]
        for viewer in viewers:
            camera.play(viewer)
        await until(camera, eager, 32)
        for viewer in viewers:
            camera.leave(viewer)
        camera.leave(viewers[0])  # leaving twice is no fault
        running.cancel()
        log.close()
        # Twelve frames from the first keyframe on, then none before the third keyframe.
        assert len(eager.frames) - len(lazy.frames) == 8
        assert lazy.frames[12][16] & 31 == NAL_SPS

    asyncio.run(scene())
    sent = read_sent_log(tmp_path / "a.sent")
    assert sent[0].is_keyframe
    assert [b.counter - a.counter for a, b in itertools.pairwise(sent)] == [1] * (len(sent) - 1)


def test_a_camera_that_nobody_watches_sends_nothing_and_begins_again_with_a_keyframe(
    loop: Loop, tmp_path: Path
) -> None:
    async def scene() -> None:
        log = SentLog(tmp_path / "a.sent")
        camera = SimulatedCamera(PLAN, loop, HurryingClock(1_795_000_000 * SECOND_US), 0, log)
        running = asyncio.create_task(camera.run())
        for _ in range(2):
            connection = FakeConnection()
            viewer = Viewer(connection, camera.new_sender(0))
            camera.play(viewer)
            await until(camera, connection, 3)
            camera.leave(viewer)
            await asyncio.sleep(0.05)
            before = len(connection.frames)
            await asyncio.sleep(0.05)
            assert len(connection.frames) == before
        running.cancel()
        log.close()

    asyncio.run(scene())
    sent = read_sent_log(tmp_path / "a.sent")
    assert sum(frame.is_keyframe for frame in sent) >= 2
    holes = [index for index in range(1, len(sent)) if sent[index].counter - sent[index - 1].counter > 1]
    assert holes
    assert all(sent[index].is_keyframe for index in holes)
