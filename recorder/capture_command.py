"""The one place where capture commands are put together, with ffmpeg-python.

The camera's own pictures are copied, never decoded or re-encoded (invariant 6). Sound is copied,
transcoded or left out as `recorder.sound_choice` decides. The address with its password goes to the
child through its standard input, so that no list of running programs shows it.
"""

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

import ffmpeg

from evidence.cameras import CameraSource
from evidence.naming import growing_pattern
from evidence.sound import Sound, SoundKind

WITHOUT_SOUND: Final = Sound(SoundKind.LEFT_OUT)
# The child's own patience with a silent camera, in its socket: while it connects it gives up after that time
# without an answer, later after twice that without a packet (measured).
# Short: a camera that comes back while an attempt hangs waits for no more than its end; and a child that
# gives up by itself still writes the pictures it holds, before the watchdog must kill it and lose them.
# Patient: for a camera that is slow to answer, tried in turn as long as no picture has come.
SHORT_TIMEOUT_US: Final = 1_800_000
PATIENT_TIMEOUT_US: Final = 8_000_000
# Pictures wait no longer than this for the sound that belongs to them.
_WAIT_FOR_SOUND_US: Final = 500_000
# So many pictures may wait until the first sound is decoded; one more ends the child.
_PICTURES_WAITING: Final = 128
# How long the child listens for streams that are announced and do not come.
_LOOK_US: Final = 1_500_000
# What it looks at before it writes is written too (`nobuffer` would spend a connection's first group of
# pictures), so it must not look longer than it has to: the frame rate needs no guessing.
_LOOK_SHORTLY: Final = {"fpsprobesize": 0}
# A killed recorder takes its children with it, so that nobody writes files it does not know of.
_WITH_PARENT: Final = ("setpriv", "--pdeathsig", "KILL", "--")
_PROTOCOLS: Final = "pipe,tcp,udp,rtp,rtsp"
_FRAGMENTS: Final = (
    # One fragment per keyframe; each carries the camera's time and reaches the file at once.
    "movflags=+frag_keyframe+empty_moov+default_base_moof:write_prft=wallclock:flush_packets=1"
)


@dataclass(frozen=True, slots=True)
class Rotation:
    """How long files are, and at which second of that length this camera changes to the next file."""

    seconds: int
    offset_s: float


def capture_command(
    camera_uuid: str, run_uuid: str, rotation: Rotation, sound: Sound = WITHOUT_SOUND
) -> list[str]:
    """Program and arguments of one camera's capture; it runs in the folder of growing files.

    Standard output carries one line per closed file and a progress block per second; with sound, standard
    error also tells which streams there are.
    """
    has_sound = sound.kind is not SoundKind.LEFT_OUT
    look = _LOOK_SHORTLY | ({"analyzeduration": _LOOK_US} if has_sound else {})
    source = ffmpeg.input("pipe:0", format="concat", safe=0, protocol_whitelist=_PROTOCOLS, **look)
    capture = ffmpeg.output(
        *([source["v:0"], source["a:0?"]] if has_sound else [source["v:0"]]),
        growing_pattern(camera_uuid, run_uuid),
        format="segment",
        **_sound_options(sound),
        segment_time=rotation.seconds,
        segment_atclocktime=1,
        segment_clocktime_offset=rotation.offset_s,
        segment_format="mp4",
        segment_format_options=_FRAGMENTS,
        segment_list="pipe:1",
        segment_list_type="csv",
    ).global_args(
        *("-hide_banner", "-nostats", "-loglevel", "level+info" if has_sound else "level+warning"),
        *("-progress", "pipe:1", "-stats_period", "1"),
    )
    return [*_WITH_PARENT, *ffmpeg.compile(capture)]


def sample_command(seconds: int, file_name: str) -> list[str]:
    """Watch a camera for some seconds into one file; standard error tells what comes."""
    look = _LOOK_SHORTLY | {"analyzeduration": _LOOK_US}
    source = ffmpeg.input("pipe:0", format="concat", safe=0, protocol_whitelist=_PROTOCOLS, **look)
    sample = ffmpeg.output(
        source["v:0"],
        file_name,
        format="mp4",
        codec="copy",
        t=seconds,
        movflags="+frag_keyframe+empty_moov+default_base_moof",
        write_prft="wallclock",
        flush_packets=1,
    ).global_args("-hide_banner", "-nostats", "-loglevel", "level+info")
    return [*_WITH_PARENT, *ffmpeg.compile(sample)]


def _sound_options(sound: Sound) -> dict[str, str | int]:
    note = f"handler_name={sound.note()}"
    if sound.kind is SoundKind.LEFT_OUT:
        return {"codec": "copy", "metadata:s:v:0": note}
    waiting: dict[str, str | int] = {
        "max_interleave_delta": _WAIT_FOR_SOUND_US,
        "max_muxing_queue_size": _PICTURES_WAITING,
        "muxing_queue_data_threshold": 0,
    }
    if sound.kind is SoundKind.COPIED:
        return {"codec": "copy", **waiting}
    # Lost packets become silence, so that lips and voice stay together.
    derived = {"vcodec": "copy", "acodec": "aac", "af": "aresample=16000:async=1000", "metadata:s:a:0": note}
    return {**derived, **waiting}


def capture_address(
    source: CameraSource, timeout_us: int = SHORT_TIMEOUT_US, *, sound: Sound | None = None
) -> str:
    """What the child reads from its standard input: where the camera is and how to ask it.

    Streams that are not recorded are not even asked for; without a word about sound, every stream is.
    """
    address = _with_login(source).replace("'", r"'\''")
    asked = f"option analyzeduration {_LOOK_US}\n"
    if sound is not None and sound.kind is SoundKind.LEFT_OUT:
        asked = "option allowed_media_types video\n"
    elif sound is not None:
        asked = f"option allowed_media_types video+audio\n{asked}"
    return (
        "ffconcat version 1.0\n"
        f"file '{address}'\n"
        "option rtsp_transport tcp\n"
        "option fpsprobesize 0\n"
        f"option timeout {timeout_us}\n{asked}"
    )


def _with_login(source: CameraSource) -> str:
    if not source.username:
        return source.address
    login = f"{quote(source.username, safe='')}:{quote(source.password, safe='')}"
    return source.address.replace("rtsp://", f"rtsp://{login}@", 1)


def secrets_of(source: CameraSource) -> list[str]:
    """Every spelling of the login that the child might print."""
    if not source.password:
        return []
    return [source.password, quote(source.password, safe="")]
