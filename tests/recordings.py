"""Footage for tests: indexed files, either invented bytes or real pictures made by ffmpeg.

Rows are written by the recorder's own functions, so what these tests read is what a recorder writes.
"""

import subprocess
import uuid
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from evidence.footage import ClockSource, Origin
from evidence.footage_rows import NewRun, NewSegment, add_run, add_segment, add_volume
from evidence.fragments import Fragment, ParsedFile, ParsedFragment, parse
from evidence.naming import SegmentName
from evidence.picture_time import Placement
from exam.clock import SECOND_US
from tests.world import World

INIT_BYTES = 100
FRAGMENT_BYTES = 50
FRAGMENT_US = 2 * SECOND_US


@dataclass
class Reel:
    """Lays files of one camera into the world's footage, one run until `reconnect`."""

    world: World
    camera_uuid: str
    run_uuid: str = field(default_factory=lambda: str(uuid.uuid4()))
    sequence: int = 0

    def reconnect(self) -> None:
        """The next file belongs to a new run."""
        self.run_uuid, self.sequence = str(uuid.uuid4()), 0

    def invent(self, started_at_us: int, fragments: int = 5) -> int:
        """A file of bytes that nobody can play, two seconds a fragment; returns the segment's id."""
        parsed = ParsedFile(
            init_bytes=INIT_BYTES,
            codec="avc1.64001f",
            width_px=640,
            height_px=360,
            fragments=tuple(
                ParsedFragment(
                    INIT_BYTES + at * FRAGMENT_BYTES, FRAGMENT_BYTES, at * FRAGMENT_US, FRAGMENT_US, None
                )
                for at in range(fragments)
            ),
            complete_bytes=INIT_BYTES + fragments * FRAGMENT_BYTES,
            has_torn_tail=False,
            frame_us=40_000,
        )
        content = bytes(at % 251 for at in range(parsed.complete_bytes))
        return self._lay(content, parsed, started_at_us)

    def film(self, started_at_us: int, colour: str, *, size: str = "320x180", seconds: int = 10) -> int:
        """A file of real pictures in one colour, a keyframe every second; returns the segment's id."""
        return self._film(started_at_us, f"color=c={colour}:s={size}:r=25:d={seconds}")

    def film_counter(self, started_at_us: int, *, size: str = "320x180", seconds: int = 8) -> int:
        """Grey pictures, each as bright as its number: 16 for the first, one more for every next."""
        counting = f"color=c=black:s={size}:r=25:d={seconds},geq=lum='16+mod(N,200)':cb=128:cr=128"
        return self._film(started_at_us, counting)

    def film_with_sound(self, started_at_us: int, colour: str, *, seconds: int = 10, heard: int = 0) -> int:
        """Like `film`, with a tone in AAC beside the pictures; `heard`: it ends after so many seconds."""
        tone = ("-f", "lavfi", "-i", f"sine=f=440:r=16000:d={heard or seconds}", "-c:a", "aac")
        return self._film(started_at_us, f"color=c={colour}:s=320x180:r=25:d={seconds}", *tone)

    def _film(self, started_at_us: int, picture: str, *sound: str) -> int:
        made = self.world.folder / f"film-{uuid.uuid4()}.mp4"
        codec = "-c:v libx264 -preset ultrafast -crf 10 -g 25 -sc_threshold 0 -bf 0 -pix_fmt yuv420p"
        movflags = "+frag_keyframe+empty_moov+default_base_moof"
        command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", picture, *sound, *codec.split()]
        subprocess.run([*command, "-movflags", movflags, str(made)], check=True)
        return self.take(made, started_at_us)

    def take(self, file: Path, started_at_us: int) -> int:
        """A copy of a fragmented MP4 that exists already; returns the segment's id."""
        return self._lay(file.read_bytes(), parse(file), started_at_us)

    def _lay(self, content: bytes, parsed: ParsedFile, started_at_us: int) -> int:
        name = SegmentName(self.camera_uuid, self.run_uuid, self.sequence, started_at_us)
        volume = self.world.folder / "footage"
        file = volume / name.path()
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        walls = [
            Fragment(
                part.offset, part.size_bytes, part.media_us, part.duration_us, started_at_us + part.media_us
            )
            for part in parsed.fragments
        ]
        with self.world.footage.write() as connection:
            run_id = add_run(connection, NewRun(self.run_uuid, self.camera_uuid, "boot", started_at_us, 0))
            new = NewSegment(
                run_id=run_id,
                sequence=self.sequence,
                camera_uuid=self.camera_uuid,
                volume_id=add_volume(
                    connection, "00000000-0000-4000-8000-000000000001", volume, started_at_us
                ),
                path=name.path(),
                size_bytes=len(content),
                sha256=sha256(content).digest(),
                origin=Origin.LIVE,
            )
            placement = Placement(walls, ClockSource.ARRIVAL, None)
            segment_id = add_segment(
                connection, new, parsed, placement, walls[-1].wall_us + walls[-1].duration_us
            )
        self.sequence += 1
        return segment_id


def file_of(world: World, segment_id: int) -> Path:
    """Where the segment's file lies."""
    with world.footage.read() as connection:
        row = connection.execute(
            "select volume.path as folder, segment.path from segment join volume on volume.id = volume_id"
            " where segment.id = ?",
            (segment_id,),
        ).fetchone()
    return Path(row["folder"]) / row["path"]
