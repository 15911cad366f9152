"""Playable copies for a bag: the originals of one camera joined in one MP4. Derived, never evidence.

`play.mp4` is a remux: the camera's own pictures in another container. The copy with the time burnt in is
encoded anew. Both are made of the files in the bag, so the archive is not touched.
"""

import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import ffmpeg

from exam.clock import SECOND_US

REMUXED: Final = "由原始文件转封装，未重新编码，仅供观看"
BURNT_IN: Final = "重新编码并叠加时间，仅供观看"
# drawtext knows UTC only: the site's hours are added.
_SITE_OFFSET_US: Final = 8 * 3600 * SECOND_US
_TIME_LOOK: Final = {
    "fontsize": "h/18",
    "fontcolor": "white",
    "box": 1,
    "boxcolor": "black@0.6",
    "x": 16,
    "y": 16,
}
# A child must not outlive the service that waits for it.
_LEASH: Final = ("setpriv", "--pdeathsig", "KILL", "--")


class PlayCopyError(Exception):
    """A copy could not be made; the originals are in the bag all the same."""


@dataclass(frozen=True, slots=True)
class Reel:
    """A file in the bag and when its first picture was taken."""

    file: Path
    started_at_us: int


def join(reels: Sequence[Reel], made: Path) -> None:
    """One MP4 of all files, pictures untouched. Raises PlayCopyError."""
    listing = "ffconcat version 1.0\n" + "".join(map(_line, reels))
    joined = ffmpeg.input("pipe:0", f="concat", safe=0, protocol_whitelist="file,pipe")
    _run(joined.output(str(made), c="copy", movflags="+faststart"), listing.encode())


def burn_in(reels: Sequence[Reel], made: Path) -> None:
    """One MP4 of all files with the time of day in the picture, encoded anew. Raises PlayCopyError."""
    with tempfile.TemporaryDirectory() as folder:
        burnt = [_burnt(reel, Path(folder) / f"{number:06d}.ts") for number, reel in enumerate(reels)]
        join(burnt, made)


def _line(reel: Reel) -> str:
    # Without "file:" the name would be taken as one beside the list, which has no place.
    quoted = str(reel.file.absolute()).replace("'", r"'\''")
    return f"file 'file:{quoted}'\n"


def _burnt(reel: Reel, made: Path) -> Reel:
    seconds, rest_us = divmod(reel.started_at_us + _SITE_OFFSET_US, SECOND_US)
    video = ffmpeg.input(str(reel.file)).video.filter("setpts", f"PTS-STARTPTS+{rest_us / SECOND_US}/TB")
    timed = video.filter("drawtext", text=f"%{{pts\\:gmtime\\:{seconds}}}", **_TIME_LOOK)
    _run(timed.output(str(made), vcodec="libx264", preset="veryfast", crf=23), b"")
    return Reel(made, reel.started_at_us)


def _run(output: "ffmpeg.nodes.OutputStream", words: bytes) -> None:
    command = [*_LEASH, *output.global_args("-v", "error", "-n").compile()]
    done = subprocess.run(command, input=words, capture_output=True, check=False)
    if done.returncode:
        raise PlayCopyError(done.stderr.decode("utf-8", "replace")[-500:])
