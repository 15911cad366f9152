"""Whether a mark on the timeline can be watched: fetched by byte range, decoded, and of the right moment.

Asks the console as a player would (grant, timeline, playlist, ranges) and reads the counter in the
picture, which the simulated camera's own record turns back into the moment it was sent.
"""

import re
import tempfile
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urljoin

import cv2

from exam.clock import SECOND_US, site_time, to_us
from rehearsal.console_client import ConsoleClient
from rehearsal.picture_counter import read_counter
from rehearsal.sent_log import SentFrame

# Far less than any other sending of the same counter, far more than any transport takes.
NEAR_US: Final = 4 * SECOND_US


@dataclass(frozen=True, slots=True)
class Piece:
    """One fragment of a playlist: where its bytes and its initialisation bytes are, and when it begins."""

    address: str
    init: tuple[int, int]
    part: tuple[int, int]
    starts_at_us: int
    length_us: int


@dataclass(frozen=True, slots=True)
class MarkCheck:
    """How many marks of one room were covered by footage, and how many of those showed their moment."""

    room_code: str
    marks: int
    covered: int
    playable: int


def open_room(console: ConsoleClient, room_id: str, interval: tuple[int, int], reason: str) -> str:
    """Ask for footage with a reason; returns the address of the granted page."""
    start, end = (site_time(moment_us) for moment_us in interval)
    answer = console.post_form(
        "/playback/",
        {
            "room": room_id,
            "date": f"{start:%Y-%m-%d}",
            "time_from": f"{start:%H:%M:%S}",
            "time_until": f"{end:%H:%M:%S}",
            "reason": reason,
            "at": "",
        },
    )
    return answer.url.path


def pieces(playlist: str, address: str) -> Iterator[Piece]:
    """The fragments of a playlist, in order."""
    init, wall_us, part, length_us = (0, 0), 0, (0, 0), 0
    for line in playlist.splitlines():
        if found := re.fullmatch(r'#EXT-X-MAP:URI="[^"]+",BYTERANGE="(\d+)@(\d+)"', line):
            init = (int(found[1]), int(found[2]))
        elif line.startswith("#EXT-X-PROGRAM-DATE-TIME:"):
            wall_us = to_us(datetime.fromisoformat(line.split(":", 1)[1]))
        elif found := re.fullmatch(r"#EXT-X-BYTERANGE:(\d+)@(\d+)", line):
            part = (int(found[1]), int(found[2]))
        elif found := re.fullmatch(r"#EXTINF:([\d.]+),", line):
            length_us = round(float(found[1]) * SECOND_US)
        elif line and not line.startswith("#"):
            yield Piece(urljoin(address, line), init, part, wall_us, length_us)
            wall_us += length_us


def check_room(
    console: ConsoleClient, room_code: str, page: str, sent: Mapping[str, Sequence[SentFrame]]
) -> MarkCheck:
    """Watch every mark of the granted room from every camera. `sent` by camera uuid."""
    timeline: dict[str, Any] = console.get_json(f"{page}/timeline.json")
    moments = [int(mark["at_us"]) for mark in timeline["marks"]]
    covered = playable = 0
    for camera in timeline["cameras"]:
        address = f"{page}/cameras/{camera['uuid']}.m3u8"
        found = list(pieces(console.get(address).text, address))
        wanted = [_holding(found, moment_us) for moment_us in moments]
        seen = {
            piece: _shows_its_moment(console, piece, sent[camera["uuid"]]) for piece in set(wanted) if piece
        }
        covered += sum(piece is not None for piece in wanted)
        playable += sum(seen[piece] for piece in wanted if piece is not None)
    cameras = max(1, len(timeline["cameras"]))
    return MarkCheck(room_code, len(moments) * cameras, covered, playable)


def _holding(found: Sequence[Piece], moment_us: int) -> Piece | None:
    index = bisect_right([piece.starts_at_us for piece in found], moment_us) - 1
    if index < 0 or moment_us >= found[index].starts_at_us + found[index].length_us:
        return None
    return found[index]


def _shows_its_moment(console: ConsoleClient, piece: Piece, sent: Sequence[SentFrame]) -> bool:
    raw = b"".join(
        console.get_range(piece.address, offset, offset + size - 1)
        for size, offset in (piece.init, piece.part)
    )
    counter = _first_counter(raw)
    return any(
        frame.counter == counter and abs(frame.sent_at_us - piece.starts_at_us) < NEAR_US for frame in sent
    )


def _first_counter(raw: bytes) -> int | None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "piece.mp4"
        path.write_bytes(raw)
        video = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
        try:
            shown, frame = video.read()
        finally:
            video.release()
    return read_counter(frame) if shown else None
