"""The simulator's own record of when it sent which picture: the truth that tests compare an index with."""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rehearsal.picture_counter import COUNTER_LIMIT

_RECORD: Final = struct.Struct("<QQIIB3x")


@dataclass(frozen=True, slots=True)
class SentFrame:
    """One frame handed to the network, with the counter its pixels show."""

    sent_at_us: int  # the host's wall clock
    camera_us: int  # the camera's own clock at the same moment
    counter: int
    rtp_timestamp: int
    is_keyframe: bool


class SentLog:
    """Appends one record per frame; a reader may follow while it is written."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab", buffering=0)

    def append(self, frame: SentFrame) -> None:
        self._file.write(
            _RECORD.pack(
                frame.sent_at_us, frame.camera_us, frame.counter, frame.rtp_timestamp, frame.is_keyframe
            )
        )

    def close(self) -> None:
        self._file.close()


def read_sent_log(path: Path) -> list[SentFrame]:
    """Every complete record so far, in the order of sending."""
    raw = path.read_bytes() if path.exists() else b""
    whole = raw[: len(raw) - len(raw) % _RECORD.size]
    return [
        SentFrame(sent, camera, counter, timestamp, bool(key))
        for sent, camera, counter, timestamp, key in _RECORD.iter_unpack(whole)
    ]


def sent_at(frames: list[SentFrame], counter: int) -> int | None:
    """When the picture with this counter was sent (first time, if it was repeated); None if never."""
    return next((frame.sent_at_us for frame in frames if frame.counter == counter), None)


def first_counter(wall_us: int, fps: int, camera_index: int) -> int:
    """Where a camera starts counting.

    From the wall clock, so that a restarted simulator does not repeat a counter for days, and far from
    its neighbours, so that the picture of one camera is not taken for that of another.
    """
    return (wall_us * fps // 1_000_000 + camera_index * (1 << 18)) % COUNTER_LIMIT
