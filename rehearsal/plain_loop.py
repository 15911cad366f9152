"""Loops of codecs the simulator cannot draw into: H.265, and H.264 with pictures out of order (B-frames).

They carry no counter; everything else is as with the usual loops. The order of pictures follows from
how the encoder is told to work: closed groups, two B-frames between others, none used as a reference.
"""

import re
import subprocess
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rehearsal.camera_picture import EncodedPicture, PictureState
from rehearsal.rtp import H264_PAYLOAD_TYPE, RTP_CLOCK_HZ, payloads_of_hevc_nal, payloads_of_nal

_START_CODE: Final = re.compile(rb"\x00\x00\x00?\x01")
_GROUP: Final = 3


@dataclass(frozen=True, slots=True)
class _Kind:
    """What differs between the two codecs."""

    encoder: tuple[str, ...]
    option: str
    settings: str
    delimiter: int
    parameters: tuple[int, ...]

    @property
    def is_hevc(self) -> bool:
        return len(self.parameters) == 3

    def type_of(self, nal: bytes) -> int:
        return nal[0] >> 1 & 63 if self.is_hevc else nal[0] & 31


_KINDS: Final = {
    "h265": _Kind(
        ("-c:v", "libx265", "-preset", "ultrafast"), "-x265-params",
        "bframes=0:aud=1:scenecut=0:open-gop=0:log-level=error:pools=1:frame-threads=1",
        35, (32, 33, 34),
    ),
    "h264_b_frames": _Kind(
        ("-c:v", "libx264", "-preset", "veryfast", "-profile:v", "main"), "-x264-params",
        "bframes=2:b-adapt=0:b-pyramid=none:aud=1:scenecut=0:open-gop=0", 9, (7, 8),
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class PlainFrame:
    """One frame in the order of sending, and by how many frames it is shown later than sent."""

    payloads: tuple[bytes, ...]
    is_keyframe: bool
    shown_later: int


@dataclass(frozen=True, slots=True)
class PlainLoop:
    """A whole loop, beginning with a keyframe."""

    fps: int
    gop_frames: int
    frames: tuple[PlainFrame, ...]
    lines: tuple[str, ...]

    def description(self) -> tuple[str, ...]:
        """The lines of the session description that name the codec."""
        return self.lines


class PlainSource:
    """Plays a plain loop; it can show neither counter nor faults of the picture."""

    def __init__(self, loop: PlainLoop) -> None:
        self.wanted_loop = loop

    def forget(self) -> None:
        """Nothing is remembered."""

    def picture(self, frame: int, state: PictureState) -> EncodedPicture:
        """The next frame."""
        found = self.wanted_loop.frames[frame % len(self.wanted_loop.frames)]
        return EncodedPicture(found.payloads, state.counter, found.is_keyframe, found.shown_later)


def encode_plain(codec: str, size: str, fps: int, gop_frames: int, path: Path) -> None:
    """Encode one group after another of moving test pictures into an annex-B file."""
    kind = _KINDS[codec]
    source = f"testsrc2=s={size}:r={fps}:d={2 * gop_frames / fps}"
    settings = f"{kind.settings}:keyint={gop_frames}:min-keyint={gop_frames}"
    command = [
        "ffmpeg",
        "-v",
        "error",
        "-y",
        "-f",
        "lavfi",
        "-i",
        source,
        "-pix_fmt",
        "yuv420p",
        *kind.encoder,
    ]
    command += ["-b:v", "600k", kind.option, settings, "-f", "hevc" if kind.is_hevc else "h264", str(path)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)


def read_plain(codec: str, fps: int, gop_frames: int, path: Path) -> PlainLoop:
    """The loop in a file that `encode_plain` made."""
    kind = _KINDS[codec]
    units = [nal for nal in _START_CODE.split(path.read_bytes()) if nal]
    pictures: list[list[bytes]] = []
    for nal in units:
        if kind.type_of(nal) == kind.delimiter:
            pictures.append([])
        else:
            pictures[-1].append(nal)
    cut = payloads_of_hevc_nal if kind.is_hevc else payloads_of_nal
    frames = tuple(
        PlainFrame(
            tuple(payload for nal in nals for payload in cut(nal)),
            number % gop_frames == 0,
            0 if kind.is_hevc else _shown_later(number % gop_frames, gop_frames),
        )
        for number, nals in enumerate(pictures)
    )
    sets = {kind.type_of(nal): nal for nal in units if kind.type_of(nal) in kind.parameters}
    return PlainLoop(fps, gop_frames, frames, tuple(_lines(kind, sets, fps)))


def _shown_later(sent: int, gop_frames: int) -> int:
    """I, then groups of three: sent P B B, shown B B P."""
    if sent == 0:
        return 0
    place = (sent - 1) % _GROUP
    group = min(_GROUP, gop_frames - (sent - place))
    return group - 1 if place == 0 else -1


def _lines(kind: _Kind, sets: dict[int, bytes], fps: int) -> Iterator[str]:
    coded = [b64encode(sets[number]).decode() for number in kind.parameters]
    yield f"m=video 0 RTP/AVP {H264_PAYLOAD_TYPE}"
    if kind.is_hevc:
        yield f"a=rtpmap:{H264_PAYLOAD_TYPE} H265/{RTP_CLOCK_HZ}"
        yield f"a=fmtp:{H264_PAYLOAD_TYPE} sprop-vps={coded[0]};sprop-sps={coded[1]};sprop-pps={coded[2]}"
    else:
        yield f"a=rtpmap:{H264_PAYLOAD_TYPE} H264/{RTP_CLOCK_HZ}"
        level = sets[7][1:4].hex()
        yield (
            f"a=fmtp:{H264_PAYLOAD_TYPE} packetization-mode=1;profile-level-id={level};"
            f"sprop-parameter-sets={','.join(coded)}"
        )
    yield f"a=framerate:{fps}"
