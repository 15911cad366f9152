import subprocess
from itertools import pairwise

import pytest

from evidence.cameras import CameraSource
from evidence.sound import Sound, SoundKind
from recorder.capture_command import Rotation, capture_address, capture_command, secrets_of
from tests.evidence.recorded import CAMERA, RUN

SOURCE = CameraSource(CAMERA, 1, "前方", "rtsp://10.0.0.9:554/live?x='1'", "ad:min", "p'@ss/100%")


def test_the_command_copies_the_picture_into_fragments_and_carries_no_secret() -> None:
    command = capture_command(CAMERA, RUN, Rotation(60, 12.5))
    text = " ".join(command)
    assert command[:5] == ["setpriv", "--pdeathsig", "KILL", "--", "ffmpeg"]
    assert "-codec copy" in text
    assert "-map 0:v:0" in text
    assert "write_prft=wallclock" in text
    assert f"{CAMERA}_{RUN}_%06d.mp4" in command
    assert "-segment_clocktime_offset 12.5" in text
    assert "rtsp://" not in text


def test_the_address_goes_in_by_the_standard_input_with_everything_quoted() -> None:
    text = capture_address(SOURCE, 2_000_000)
    login = "ad%3Amin:p%27%40ss%2F100%25"
    assert f"file 'rtsp://{login}@10.0.0.9:554/live?x='\\''1'\\'''" in text
    assert "option timeout 2000000\n" in text
    assert "option rtsp_transport tcp\n" in text


def test_a_camera_without_login_has_a_bare_address_and_no_secrets() -> None:
    plain = CameraSource(CAMERA, 1, "前方", "rtsp://10.0.0.9/live")
    assert "file 'rtsp://10.0.0.9/live'" in capture_address(plain)
    assert secrets_of(plain) == []


def test_every_spelling_of_a_secret_is_known() -> None:
    assert secrets_of(SOURCE) == ["p'@ss/100%", "p%27%40ss%2F100%25"]


def test_the_real_program_understands_the_command() -> None:
    command = capture_command(CAMERA, RUN, Rotation(60, 0))
    done = subprocess.run(command, input=b"ffconcat version 1.0\n", capture_output=True, check=False)
    assert b"Unrecognized option" not in done.stderr
    assert b"Option not found" not in done.stderr


@pytest.mark.parametrize(
    ("sound", "wanted"),
    [
        (Sound(SoundKind.COPIED), {"-codec": "copy"}),
        (
            Sound(SoundKind.DERIVED, "pcm_alaw"),
            {"-vcodec": "copy", "-acodec": "aac", "-metadata:s:a:0": "handler_name=derived:pcm_alaw"},
        ),
    ],
)
def test_sound_is_copied_or_transcoded_and_pictures_are_always_copied(
    sound: Sound, wanted: dict[str, str]
) -> None:
    command = capture_command(CAMERA, RUN, Rotation(60, 0), sound)
    assert wanted.items() <= dict(pairwise(command)).items()
    assert "0:a:0?" in command
    assert "allowed_media_types video+audio" in capture_address(SOURCE, sound=sound)


def test_sound_that_is_left_out_is_not_even_asked_for_and_the_file_says_so() -> None:
    sound = Sound(SoundKind.LEFT_OUT, "pcm_mulaw")
    command = capture_command(CAMERA, RUN, Rotation(60, 0), sound)
    assert dict(pairwise(command))["-metadata:s:v:0"] == "handler_name=left_out:pcm_mulaw"
    assert "0:a:0?" not in command
    assert "allowed_media_types video\n" in capture_address(SOURCE, sound=sound)
