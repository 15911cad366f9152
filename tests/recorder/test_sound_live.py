"""Sound beside the pictures, against simulated cameras: recorded where possible, never at their price."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from evidence.footage import Recording, Segment
from evidence.fragments import Fragment
from evidence.sound import Sound, SoundKind
from rehearsal.camera_plan import CameraPlan, Fault
from rehearsal.camera_server import RunningCamera, RunningCameras, running_cameras
from rehearsal.camera_sound import Sound as SentSound
from tests.recorder.live import FRAME_US, LiveSite, live_site, taken_us, wait_until

pytestmark = [pytest.mark.media, pytest.mark.live]

KINDS = (SentSound.AAC, SentSound.PCMA, SentSound.G726, SentSound.UNKNOWN, SentSound.MUTE_PCMA)
# How late a picture may be dated: transcoded sound holds it back, by how much exactly is not known.
LATE_US = 200_000


@pytest.fixture(scope="module")
def cameras(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCameras]:
    plans = [CameraPlan(name=kind, sound=kind, resolution="640x368", bitrate_kbps=300) for kind in KINDS]
    with running_cameras(plans, tmp_path_factory.mktemp("cameras"), loop_seconds=4) as running:
        yield running


def sounds(site: LiveSite, name: str) -> list[Sound]:
    return [segment.stream.sound for segment in site.segments(name)]


def heard_seconds(segment: Segment) -> float:
    """How much sound a player decodes from the fragments that a playlist names."""
    last = segment.fragments[-1]
    content = segment.file.read_bytes()[: last.offset + last.size_bytes]
    command = [
        "ffmpeg",
        "-v",
        "error",
        "-i",
        "pipe:0",
        "-map",
        "0:a",
        "-f",
        "s16le",
        "-ar",
        "16000",
        "pipe:1",
    ]
    return len(subprocess.run(command, input=content, capture_output=True, check=True).stdout) / 32_000


def test_pictures_are_recorded_whatever_the_microphone_sends(cameras: RunningCameras, tmp_path: Path) -> None:
    site = live_site(tmp_path, cameras)
    heard = ("aac", "pcma", "g726")
    with site.recording():
        wait_until(lambda: all(len(site.segments(name)) >= 2 for name in heard))
        cameras.control.start_fault("aac", Fault.SOUND_STOPS)
        cameras.control.start_fault("pcma", Fault.SOUND_GARBAGE)
        wait_until(lambda: all(len(site.segments(name)) >= 4 for name in heard))
        states = {site.state(name).state for name in heard}  # type: ignore[union-attr]
        wait_until(lambda: all(site.segments(name) for name in site.uuids))
        wait_until(lambda: sounds(site, "unknown")[-1] == Sound(SoundKind.LEFT_OUT, "unknown"))
    assert states == {Recording.RECORDING}
    assert len({segment.run_id for segment in site.segments("aac")}) == 1, "the pictures went on"

    assert sounds(site, "aac")[0] == Sound(SoundKind.COPIED, "aac")
    assert set(sounds(site, "pcma")) == {Sound(SoundKind.DERIVED, "pcm_alaw")}
    assert set(sounds(site, "g726")) == {Sound(SoundKind.DERIVED, "adpcm_g726le")}
    assert sounds(site, "unknown")[-1] == Sound(SoundKind.LEFT_OUT, "unknown")
    assert sounds(site, "mute_pcma")[-1] == Sound(SoundKind.LEFT_OUT, "pcm_alaw")
    for name in heard:
        first, second = site.segments(name)[:2]
        assert heard_seconds(second) == pytest.approx(second.media_us / 1e6, abs=0.3)
        assert_dated_right(cameras[name], [*first.fragments, *second.fragments])


def assert_dated_right(camera: RunningCamera, fragments: list[Fragment]) -> None:
    sent = camera.sent()
    keyframes = [taken_us(sent, frame.counter) for frame in sent if frame.is_keyframe]
    shown = [fragment.wall_us for fragment in fragments]
    errors_us = [min((wall_us - sent_us for sent_us in keyframes), key=abs) for wall_us in shown]
    print(f"{camera.name}: index time minus sending: {min(errors_us)} to {max(errors_us)} us")  # noqa: T201
    assert min(errors_us) >= -FRAME_US
    assert max(errors_us) <= LATE_US
