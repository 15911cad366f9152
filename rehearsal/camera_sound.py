"""What a simulated camera's microphone sends: a melody as AAC, G.711, G.726, or something nobody knows.

The sound is encoded once per kind by ffmpeg, kept beside the picture loops, and repeated for ever.
"""

import subprocess
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

_SECONDS: Final = 4
_ADTS_BYTES: Final = 7
_G711_BYTES, _G711_SAMPLES = 160, 160
_G726_BYTES, _G726_SAMPLES = 80, 160
_SOURCE: Final = f"aevalsrc='0.3*sin(2*PI*(300+100*floor(mod(2*t,4)))*t)':d={_SECONDS}"


class Sound(StrEnum):
    """Which sound a simulated camera sends."""

    NONE = "none"
    AAC = "aac"
    PCMA = "pcma"
    PCMU = "pcmu"
    G726 = "g726"
    UNKNOWN = "unknown"
    # Announced, but no packet ever comes: a camera whose microphone is broken.
    MUTE_AAC = "mute_aac"
    MUTE_PCMA = "mute_pcma"


@dataclass(frozen=True, slots=True)
class SoundFormat:
    """How a sound is announced and paced."""

    payload_type: int
    rate_hz: int
    samples: int
    encoder: tuple[str, ...]
    description: tuple[str, ...]


# AAC-LC, 16 kHz, one channel: the two bytes of its AudioSpecificConfig.
_AAC: Final = SoundFormat(
    97, 16_000, 1024, ("-c:a", "aac", "-b:a", "32k", "-f", "adts"),
    ("a=rtpmap:97 MPEG4-GENERIC/16000/1",
     "a=fmtp:97 streamtype=5;profile-level-id=15;mode=AAC-hbr;sizelength=13;indexlength=3;"
     "indexdeltalength=3;config=1408"),
)  # fmt: skip
_PCMA: Final = SoundFormat(8, 8000, _G711_SAMPLES, ("-f", "alaw"), ("a=rtpmap:8 PCMA/8000",))
FORMATS: Final = {
    Sound.AAC: _AAC,
    Sound.MUTE_AAC: _AAC,
    Sound.PCMA: _PCMA,
    Sound.MUTE_PCMA: _PCMA,
    Sound.PCMU: SoundFormat(0, 8000, _G711_SAMPLES, ("-f", "mulaw"), ("a=rtpmap:0 PCMU/8000",)),
    Sound.G726: SoundFormat(
        98, 8000, _G726_SAMPLES, ("-c:a", "g726le", "-code_size", "4", "-f", "g726le"),
        ("a=rtpmap:98 G726-32/8000",),
    ),
    Sound.UNKNOWN: SoundFormat(99, 8000, _G711_SAMPLES, ("-f", "alaw"), ("a=rtpmap:99 X-NOBODY-KNOWS/8000",)),
}  # fmt: skip
_MUTE: Final = frozenset({Sound.MUTE_AAC, Sound.MUTE_PCMA})


@dataclass(frozen=True, slots=True)
class SoundLoop:
    """A sound ready to be sent: one RTP payload per packet, each so many samples long."""

    format: SoundFormat
    payloads: tuple[bytes, ...]

    def description(self) -> tuple[str, ...]:
        """The lines of the session description."""
        return (
            f"m=audio 0 RTP/AVP {self.format.payload_type}",
            *self.format.description,
            "a=control:track2",
        )


def sound_for(sound: Sound, cache: Path) -> SoundLoop | None:
    """The sound of that kind, encoded now if the folder does not have it; None for none."""
    if sound is Sound.NONE:
        return None
    wanted = FORMATS[sound]
    if sound in _MUTE:
        return SoundLoop(wanted, ())
    path = cache / f"sound-{sound}-{wanted.rate_hz}.raw"
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        _encode(wanted, path)
    return SoundLoop(wanted, tuple(_payloads(sound, path.read_bytes())))


def _encode(wanted: SoundFormat, path: Path) -> None:
    unfinished = path.with_suffix(".unfinished")
    command = ["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", _SOURCE]
    command += ["-ar", str(wanted.rate_hz), "-ac", "1", *wanted.encoder, str(unfinished)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    unfinished.replace(path)


def _payloads(sound: Sound, stream: bytes) -> list[bytes]:
    if sound is Sound.AAC:
        return _aac_payloads(stream)
    size = _G726_BYTES if sound is Sound.G726 else _G711_BYTES
    return [stream[at : at + size] for at in range(0, len(stream) - size + 1, size)]


def _aac_payloads(adts: bytes) -> list[bytes]:
    """Each access unit behind its header section (RFC 3640: 16 bits of length, 13 of size, 3 of index)."""
    payloads = []
    at = 0
    while at + _ADTS_BYTES <= len(adts):
        length = (adts[at + 3] & 3) << 11 | adts[at + 4] << 3 | adts[at + 5] >> 5
        unit = adts[at + _ADTS_BYTES : at + length]
        payloads.append(b"\x00\x10" + (len(unit) << 3).to_bytes(2, "big") + unit)
        at += length
    return payloads


class CameraSound:
    """The sound beside one camera's pictures, paced by the same clock."""

    def __init__(self, loop: SoundLoop, fps: int) -> None:
        self.loop = loop
        self._fps = fps

    def due(self, frame: int) -> list[tuple[bytes, int]]:
        """The payloads that go out with this frame, each with its RTP timestamp."""
        payloads, samples = self.loop.payloads, self.loop.format.samples
        if not payloads:
            return []
        return [
            (payloads[number % len(payloads)], number * samples & 0xFFFFFFFF)
            for number in range(self._first(frame), self._first(frame + 1))
        ]

    def timestamp(self, frame: int) -> int:
        """The RTP timestamp of the moment in which the frame is taken, for sender reports."""
        return frame * self.loop.format.rate_hz // self._fps & 0xFFFFFFFF

    def _first(self, frame: int) -> int:
        return -(-frame * self.loop.format.rate_hz // (self._fps * self.loop.format.samples))
