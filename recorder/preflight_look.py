"""Looks at one camera for the preflight: at the file being recorded, or through a connection of its own.

A camera that is being recorded is not asked again: many allow few sessions, and a check must not cost
footage. What is sampled goes to a temporary folder outside the evidence and vanishes with the check.
"""

import contextlib
import io
import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Final, cast

import av
import structlog
from av.container import InputContainer
from av.error import FFmpegError
from PIL import Image

from evidence.cameras import CameraSource
from evidence.codecs import is_browser_playable
from evidence.fragments import FragmentError, ParsedFile, ParsedFragment, parse
from evidence.picture_time import Closing, Ending, place
from exam.clock import SECOND_US
from exam.preflight import Measured, Reach
from recorder.capture_command import PATIENT_TIMEOUT_US, capture_address, sample_command, secrets_of
from recorder.capture_words import cause_of, scrubbed

SAMPLE: Final = "sample.mp4"
# Beyond the seconds of the sample: connecting, twice the child's own patience, and ending.
PATIENCE_S: Final = 20
_ASKED_EVERY_S: Final = 0.25
# Of a long file, this much at the end is judged.
JUDGED_US: Final = 30 * SECOND_US
JPEG_QUALITY: Final = 82
REFERENCE_PX: Final = (320, 180)

_SOUND: Final = re.compile(r"Stream #\S+ Audio: (\w+)")
# A microphone whose codec nobody knows: it is there, and what it sends will be left out.
_UNKNOWN_SOUND: Final = "(Audio: none"
_NO_PICTURE: Final = re.compile(
    r"not find codec parameters|matches no streams|unspecified size|Invalid data found"
)
# The address is somebody's, but no camera listens there.
_NOBODY_THERE: Final = re.compile(r"Connection to tcp\S* failed: Connection refused")
# By the codes of evidence.footage.Cause.
_REACHED: Final[Mapping[str, Reach]] = {
    "unreachable": Reach.NO_ANSWER,
    "unauthorized": Reach.UNAUTHORIZED,
    "refused": Reach.REFUSED,
    "too_many_sessions": Reach.REFUSED,
    "unplayable": Reach.UNPLAYABLE,
    "disk_full": Reach.NOT_CHECKED,
    "disk_fault": Reach.NOT_CHECKED,
}
_log: Final = structlog.get_logger("recorder")


@dataclass(frozen=True, slots=True)
class Looked:
    """What came of looking: measurements and a JPEG when pictures came."""

    reach: Reach
    measured: Measured | None = None
    picture: bytes | None = None


@dataclass(frozen=True, slots=True)
class Sampling:
    """How long to look, and how wide the kept picture is."""

    seconds: int
    picture_width_px: int


def look_by_connection(source: CameraSource, sampling: Sampling, is_over: Event) -> Looked:
    """Connect, watch for some seconds and measure what came."""
    with tempfile.TemporaryDirectory(prefix="kaochang-preflight-") as folder:
        words = _sample(source, Path(folder), sampling.seconds, is_over)
        file = Path(folder) / SAMPLE
        sound = _sound(words)
        looked = None if not file.exists() else look_into(file, sampling, Ending.INTERRUPTED, sound)
        if looked is not None:
            return looked
    _log.warning("preflight_without_picture", camera=source.uuid, words=words[-3:])
    return Looked(reach_of(words))


def look_into(file: Path, sampling: Sampling, ending: Ending, sound: str | None) -> Looked | None:
    """Measure the end of a file; None while it holds no complete fragment."""
    try:
        closing = Closing(file.stat().st_mtime_ns // 1000, ending)
        parsed = parse(file)
    except (FragmentError, FileNotFoundError):
        return None
    shown = _open_last(file, parsed)
    if shown is None:
        return Looked(Reach.ANSWERED, _measured(parsed, closing, _Stream("", "", 0), sound))
    with shown:
        stream = _stream(shown, parsed)
        picture = _picture(shown, sampling.picture_width_px)
        kept_sound = next((one.codec_context.name for one in shown.streams.audio), sound)
    return Looked(Reach.ANSWERED, _measured(parsed, closing, stream, kept_sound), picture)


def reference_picture(jpeg: bytes) -> bytes:
    """The same view, grey and small, as picture health compares it: PNG."""
    small = Image.open(io.BytesIO(jpeg)).convert("L").resize(REFERENCE_PX, Image.Resampling.BOX)
    kept = io.BytesIO()
    small.save(kept, "PNG")
    return kept.getvalue()


def reach_of(words: Sequence[str]) -> Reach:
    """Why no picture came, by the child's last words."""
    text = "\n".join(words)
    if _NO_PICTURE.search(text):
        return Reach.NO_PICTURE
    if _NOBODY_THERE.search(text):
        return Reach.NO_ANSWER
    return _REACHED.get(cause_of(words, has_recorded=False).value, Reach.NO_PICTURE)


def _sample(source: CameraSource, folder: Path, seconds: int, is_over: Event) -> list[str]:
    """Let the child watch; what it said, without any login."""
    child = subprocess.Popen(
        sample_command(seconds, SAMPLE),
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    assert child.stdin is not None
    with contextlib.suppress(BrokenPipeError), child.stdin:
        child.stdin.write(capture_address(source, PATIENT_TIMEOUT_US).encode())
    child.stdin = None
    turns = round((seconds + PATIENCE_S) / _ASKED_EVERY_S)
    for _ in range(turns):
        try:
            _, said = child.communicate(timeout=_ASKED_EVERY_S)
            break
        except subprocess.TimeoutExpired:
            if is_over.is_set():
                break
    if child.returncode is None:
        child.kill()
        _, said = child.communicate()
    return [scrubbed(line, secrets_of(source)) for line in said.decode("utf-8", "replace").splitlines()]


def _sound(words: Sequence[str]) -> str:
    text = "\n".join(words)
    found = _SOUND.search(text)
    return found[1] if found else "unknown" if _UNKNOWN_SOUND in text else ""


@dataclass(frozen=True, slots=True)
class _Stream:
    codec: str
    profile: str
    level_tenths: int
    has_b_frames: bool = False


def _open_last(file: Path, parsed: ParsedFile) -> InputContainer | None:
    """The description and the last complete fragment: all that a decoder needs for one picture."""
    last = parsed.fragments[-1]
    with file.open("rb") as opened:
        content = opened.read(parsed.init_bytes)
        opened.seek(last.offset)
        content += opened.read(last.size_bytes)
    try:
        container = cast(InputContainer, av.open(io.BytesIO(content), format="mp4"))
    except FFmpegError:
        return None
    if container.streams.video:
        return container
    container.close()
    return None


def _stream(container: InputContainer, parsed: ParsedFile) -> _Stream:
    video = container.streams.video[0]
    context = video.codec_context
    shown_at = [packet.pts for packet in container.demux(video) if packet.pts is not None]
    _, _, parameters = parsed.codec.partition(".")
    level = int(parameters[4:6], 16) if len(parameters) == 6 else 0
    return _Stream(context.name, context.profile or "", level, shown_at != sorted(shown_at))


def _picture(container: InputContainer, width_px: int) -> bytes | None:
    video = container.streams.video[0]
    try:
        container.seek(0)
        frame = next(iter(container.decode(video)), None)
        if frame is None:
            return None
        image = frame.to_image()  # type: ignore[no-untyped-call]
    except FFmpegError:
        return None
    image.thumbnail((width_px, width_px))
    kept = io.BytesIO()
    image.save(kept, "JPEG", quality=JPEG_QUALITY)
    return kept.getvalue()


def _measured(parsed: ParsedFile, closing: Closing, stream: _Stream, sound: str | None) -> Measured:
    fragments = _judged(parsed.fragments)
    media_us = sum(fragment.duration_us for fragment in fragments)
    # The last group of pictures of a sample is cut by its end; of a recording it is whole.
    whole = fragments[:-1] if closing.ending is Ending.INTERRUPTED else fragments
    return Measured(
        codec=stream.codec or parsed.codec.partition(".")[0],
        profile=stream.profile,
        level_tenths=stream.level_tenths,
        has_b_frames=stream.has_b_frames,
        width_px=parsed.width_px,
        height_px=parsed.height_px,
        keyframe_us=max(fragment.duration_us for fragment in whole or fragments),
        keyframe_is_at_least=not whole,
        frame_us=parsed.frame_us,
        bitrate_bps=8 * SECOND_US * sum(fragment.size_bytes for fragment in fragments) // max(media_us, 1),
        clock_offset_us=place(parsed, closing, None).camera_offset_us,
        sound_codec=sound,
        plays_in_browsers=is_browser_playable(parsed.codec),
    )


def _judged(fragments: Sequence[ParsedFragment]) -> Sequence[ParsedFragment]:
    ended_us = fragments[-1].media_us + fragments[-1].duration_us
    return [fragment for fragment in fragments if fragment.media_us >= ended_us - JUDGED_US] or fragments[-1:]
