"""A program of its own beside the recorder: follows all growing files, looks at keyframes, keeps thumbnails.

Started by `recorder.picture_desk` with low priority. It reads footage.db and the growing files, writes
thumbnails, and says one JSON line per fragment; it judges nothing and changes no evidence. When a picture
crashes the decoder, only this program dies. It ends when its standard input does.
"""

import base64
import json
import select
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final, TextIO

from config.picture_health import Limits, PictureHealth, ThumbnailRules, load_picture_health
from evidence.boxes import BoxError
from evidence.database import DatabaseError, ReaderDatabase
from evidence.footage import volume_paths
from evidence.health import load_reference_views
from evidence.keyframes import CodecSetup, GrowingFile, Keyframe
from evidence.naming import GROWING_FOLDER, NamingError, read_name
from evidence.thumbnails import Thumbnail, keep_thumbnail
from exam.clock import SECOND_US, Clock, SystemClock
from recorder.picture_decoder import KeyframeDecoder, UndecodableError
from recorder.picture_measures import Bytes, Glance, Reference, from_png, jpeg, measure, png, typical
from recorder.picture_rules import Measures, Reading

LOOK_S: Final = 0.5
# How often new reference views, volumes and the room on the thumbnails' disk are looked up.
LOOK_UP_US: Final = 5 * SECOND_US
# Looking that falls behind leaves older fragments out rather than report faults late.
LONGEST_BACKLOG: Final = 3
# A camera without a reference view: the middle of so many of its first pictures becomes one,
# provided that this share of their blocks shows anything.
FIRST_PICTURES: Final = 5
FIRST_DETAIL: Final = 0.2
# Keyframes arrive a little early or late.
_SLACK_US: Final = SECOND_US // 5
_MIB: Final = 1024 * 1024


@dataclass(slots=True)
class Camera:
    """What is remembered of one camera between two keyframes."""

    uuid: str
    reference: Reference | None = None
    before: Glance | None = None
    looked_at_us: int = 0
    thumbnail_at_us: int = 0
    _decoder: KeyframeDecoder | None = None
    _first: list[Bytes] = field(default_factory=list)

    def glance(self, setup: CodecSetup, keyframe: Keyframe) -> Glance | None:
        """The picture, or None when it is none."""
        if self._decoder is None or self._decoder.setup != setup:
            self._decoder = KeyframeDecoder(setup)
        try:
            return self._decoder.glance(keyframe.sample)
        except UndecodableError:
            return None

    def measure(self, glance: Glance) -> Measures:
        """Compare a picture with the one before and the reference view."""
        measures = measure(glance, self.before, self.reference)
        self.before = glance
        return measures

    def first_reference(self, glance: Glance, measures: Measures) -> Bytes | None:
        """A reference view out of the first pictures, once there are enough."""
        if self.reference is not None or measures.detail < FIRST_DETAIL:
            return None
        self._first.append(glance.grey)
        if len(self._first) < FIRST_PICTURES:
            return None
        grey = typical(self._first)
        self._first.clear()
        self.reference = Reference(grey)
        return grey


@dataclass(slots=True)
class PictureWatch:
    """Looks at every camera whose file grows. `say` gets one line per fragment."""

    footage_db: Path
    thumbnails: Path
    clock: Clock
    say: TextIO
    rules: PictureHealth = field(default_factory=load_picture_health)
    _database: ReaderDatabase | None = None
    _volumes: list[Path] = field(default_factory=list)
    _files: dict[Path, GrowingFile] = field(default_factory=dict)
    _cameras: dict[str, Camera] = field(default_factory=dict)
    _last_view: int = 0
    _looked_up_us: int | None = None
    _has_room: bool = False

    @property
    def limits(self) -> Limits:
        return self.rules.limits

    @property
    def thumbnail_rules(self) -> ThumbnailRules:
        return self.rules.thumbnails

    def look(self) -> None:
        """One round over all growing files."""
        now_us = self.clock.monotonic_us()
        if self._looked_up_us is None or now_us - self._looked_up_us >= LOOK_UP_US:
            self._looked_up_us = now_us
            self._look_up()
        growing = set(self._growing())
        for path in growing - self._files.keys():
            try:
                self._files[path] = GrowingFile(path)
            except OSError:  # ingested in this instant
                continue
        for path, file in list(self._files.items()):
            self._follow(path, file)
            if path not in growing:
                self._leave(path)
        self.say.flush()

    def close(self) -> None:
        """Give files and database back."""
        for path in list(self._files):
            self._leave(path)
        if self._database is not None:
            self._database.close()

    def _look_up(self) -> None:
        try:
            if self._database is None:
                self._database = ReaderDatabase(self.footage_db)
            with self._database.read() as connection:
                self._volumes = volume_paths(connection)
                views = load_reference_views(connection, self._last_view)
        except (DatabaseError, sqlite3.Error):  # busy or not there yet: as before until the next look
            views = []
        for view in views:
            self._last_view = view.id
            grey = from_png(view.picture)
            if grey is not None:
                self._camera(view.camera_uuid).reference = Reference(grey)
        self._has_room = _free_bytes(self.thumbnails) >= self.thumbnail_rules.spare_mib * _MIB

    def _growing(self) -> Iterator[Path]:
        for volume in self._volumes:
            try:
                yield from (volume / GROWING_FOLDER).glob("*.mp4")
            except OSError:  # the disk has gone: the recorder says so
                continue

    def _camera(self, uuid: str) -> Camera:
        return self._cameras.setdefault(uuid, Camera(uuid))

    def _leave(self, path: Path) -> None:
        self._files.pop(path).close()

    def _follow(self, path: Path, file: GrowingFile) -> None:
        try:
            camera = self._camera(read_name(path.name).camera_uuid)
            keyframes = file.advance(LONGEST_BACKLOG)
        except (BoxError, NamingError, OSError):  # ingest will say what is wrong with the file
            return
        for keyframe in keyframes:
            assert file.setup is not None
            self._tell(camera, file.setup, keyframe)

    def _tell(self, camera: Camera, setup: CodecSetup, keyframe: Keyframe) -> None:
        measures = None
        if keyframe.moment_us - camera.looked_at_us >= self.limits.look_every_s * SECOND_US - _SLACK_US:
            camera.looked_at_us = keyframe.moment_us
            glance = camera.glance(setup, keyframe)
            if glance is not None:
                measures = camera.measure(glance)
                self._offer_reference(camera, glance, measures, keyframe.moment_us)
                self._keep(camera, glance, keyframe.moment_us)
        self._say(
            asdict(
                Reading(
                    camera.uuid,
                    keyframe.moment_us,
                    keyframe.duration_us,
                    keyframe.pictures,
                    keyframe.size_bytes,
                    measures,
                )
            )
        )

    def _offer_reference(self, camera: Camera, glance: Glance, measures: Measures, moment_us: int) -> None:
        grey = camera.first_reference(glance, measures)
        if grey is not None:
            picture = base64.b64encode(png(grey)).decode("ascii")
            self._say({"camera_uuid": camera.uuid, "taken_at_us": moment_us, "reference": picture})

    def _keep(self, camera: Camera, glance: Glance, moment_us: int) -> None:
        due_us = camera.thumbnail_at_us + self.thumbnail_rules.every_s * SECOND_US - _SLACK_US
        if not self._has_room or camera.thumbnail_at_us <= moment_us < due_us:
            return
        camera.thumbnail_at_us = moment_us
        picture = jpeg(glance, self.thumbnail_rules.jpeg_quality)
        try:
            keep_thumbnail(self.thumbnails, camera.uuid, Thumbnail(moment_us, picture))
        except OSError:  # derived: the next one may find a better disk
            self._has_room = False

    def _say(self, fact: dict[str, object]) -> None:
        self.say.write(json.dumps(fact) + "\n")


def _free_bytes(path: Path) -> int:
    """Room on the disk of a folder that may not exist yet; none when the disk does not answer."""
    while not path.exists() and path != path.parent:
        path = path.parent
    try:
        return shutil.disk_usage(path).free
    except OSError:
        return 0


def main(words: list[str]) -> int:
    """Look until standard input ends. Words: footage.db, folder of thumbnails."""
    watch = PictureWatch(Path(words[0]), Path(words[1]), SystemClock(), sys.stdout)
    while not select.select([sys.stdin], [], [], LOOK_S)[0]:
        watch.look()
    watch.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
