"""Looking at cameras for the preflight: simulated ones over real RTSP, and files made by real ffmpeg."""

import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest

from evidence.cameras import CameraSource
from evidence.picture_time import Ending
from exam.clock import SECOND_US
from exam.preflight import Reach
from recorder.preflight_look import Looked, Sampling, look_by_connection, look_into, reach_of
from rehearsal.camera_plan import CameraPlan, Fault
from rehearsal.camera_server import RunningCameras, running_cameras
from tests.evidence.recorded import flush_stamped, recording

pytestmark = pytest.mark.media

SIZE = "640x368"
SAMPLING = Sampling(seconds=3, picture_width_px=320)
FAULTS = (Fault.DROP, Fault.WRONG_PASSWORD, Fault.TOO_MANY_SESSIONS)
PASSWORD = "it's 100%/@"


@pytest.fixture(scope="module")
def cameras(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCameras]:
    usual = {"resolution": SIZE, "bitrate_kbps": 600}
    plans = [CameraPlan.model_validate({"name": "sound", "user": "rec", "password": PASSWORD, **usual})]
    plans += [CameraPlan.model_validate({"name": "strange", "sound": "unknown", **usual})]
    plans += [
        CameraPlan.model_validate({"name": fault.value, "faults": (fault,), **usual}) for fault in FAULTS
    ]
    with running_cameras(plans, tmp_path_factory.mktemp("cameras"), loop_seconds=4) as running:
        yield running


def sources(cameras: RunningCameras) -> dict[str, CameraSource]:
    found = {}
    for camera in cameras.cameras:
        login = camera.login
        found[camera.name] = CameraSource(
            camera.name,
            1,
            camera.name,
            camera.address,
            login.user if login else "",
            login.password if login else "",
        )
    return found


def test_every_fault_has_its_own_cause_and_a_sound_camera_is_measured(
    cameras: RunningCameras,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # where no other test looks at cameras
    asked = sources(cameras)
    with ThreadPoolExecutor(len(asked)) as workers:
        answers = workers.map(lambda one: look_by_connection(one, sampling_of(one), Event()), asked.values())
        looked = dict(zip(asked, answers, strict=True))
    assert {name: one.reach for name, one in looked.items()} == {
        "sound": Reach.ANSWERED,
        "strange": Reach.ANSWERED,
        "drop": Reach.NO_ANSWER,
        "wrong_password": Reach.UNAUTHORIZED,
        "too_many_sessions": Reach.REFUSED,
    }
    assert_measured(looked["sound"])
    strange = looked["strange"].measured
    assert strange is not None
    assert strange.sound_codec == "unknown"
    said = capfd.readouterr()
    assert PASSWORD not in said.out + said.err
    assert not list(tmp_path.iterdir())


def sampling_of(source: CameraSource) -> Sampling:
    """Who sends sound that nobody knows is listened to for three seconds before pictures count."""
    return replace(SAMPLING, seconds=8) if source.uuid == "strange" else SAMPLING


def assert_measured(looked: Looked) -> None:
    measured = looked.measured
    assert measured is not None
    assert (measured.codec, measured.width_px, measured.height_px) == ("h264", 640, 368)
    assert measured.fps_hundredths == 2500
    assert abs(measured.keyframe_us - 2_000_000) < 50_000
    assert measured.clock_offset_us is not None
    assert abs(measured.clock_offset_us - 7_300_000) < SECOND_US
    assert measured.sound_codec == ""
    assert looked.picture is not None
    assert looked.picture.startswith(b"\xff\xd8")


def test_a_check_that_is_called_off_ends_at_once(cameras: RunningCameras) -> None:
    is_over = Event()
    is_over.set()
    assert look_by_connection(sources(cameras)["sound"], SAMPLING, is_over).measured is None


def filmed(folder: Path, *options: str) -> Path:
    file = folder / "filmed.mp4"
    command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=10:duration=6"]
    command += ["-f", "lavfi", "-i", "sine=duration=6", *options]
    command += ["-movflags", "+frag_keyframe+empty_moov+default_base_moof", str(file)]
    subprocess.run(command, check=True)
    return file


def test_b_frames_and_the_sound_of_a_recording_are_seen(tmp_path: Path) -> None:
    file = filmed(tmp_path, "-c:v", "libx264", "-preset", "ultrafast", "-g", "20", "-bf", "2", "-c:a", "aac")
    looked = look_into(file, SAMPLING, Ending.NEXT_KEYFRAME, None)
    assert looked is not None
    assert looked.measured is not None
    assert looked.measured.has_b_frames
    assert looked.measured.sound_codec == "aac"
    assert not looked.measured.keyframe_is_at_least


def test_one_keyframe_tells_no_interval_but_a_bound(tmp_path: Path) -> None:
    file = filmed(tmp_path, "-c:v", "libx264", "-preset", "ultrafast", "-g", "100", "-an")
    looked = look_into(file, SAMPLING, Ending.INTERRUPTED, "")
    assert looked is not None
    assert looked.measured is not None
    assert looked.measured.keyframe_is_at_least
    assert looked.measured.keyframe_us == 6_000_000


def test_a_file_without_a_fragment_tells_nothing(tmp_path: Path) -> None:
    empty = tmp_path / "empty.mp4"
    empty.write_bytes(b"")
    assert look_into(empty, SAMPLING, Ending.NEXT_KEYFRAME, None) is None
    assert look_into(tmp_path / "none.mp4", SAMPLING, Ending.NEXT_KEYFRAME, None) is None


def test_pictures_that_cannot_be_decoded_are_measured_all_the_same(tmp_path: Path) -> None:
    file = tmp_path / "noise.mp4"
    file.write_bytes(recording(*flush_stamped(1_795_309_200_000_000, [2000, 2000])))
    looked = look_into(file, SAMPLING, Ending.NEXT_KEYFRAME, None)
    assert looked is not None
    assert looked.picture is None
    assert looked.measured is not None


@pytest.mark.parametrize(
    ("words", "reach"),
    [
        (["Connection to tcp://10.0.0.9:554 failed: Connection refused"], Reach.NO_ANSWER),
        (["Connection timed out"], Reach.NO_ANSWER),
        (["method DESCRIBE failed: 403 Forbidden"], Reach.UNAUTHORIZED),
        (["Could not find codec parameters for stream 0"], Reach.NO_PICTURE),
        # A camera that takes the session and sends nothing, as ffmpeg 5.1 puts it.
        (["pipe:0: Invalid data found when processing input"], Reach.NO_PICTURE),
        (["method SETUP failed: 453 Not Enough Bandwidth", "Server returned 4XX"], Reach.REFUSED),
        (["Could not write header"], Reach.UNPLAYABLE),
        (["No space left on device"], Reach.NOT_CHECKED),
        ([], Reach.NO_ANSWER),
    ],
)
def test_the_last_words_tell_why_no_picture_came(words: list[str], reach: Reach) -> None:
    assert reach_of(words) is reach
