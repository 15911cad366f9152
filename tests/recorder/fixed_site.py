"""The small world's footage with sound files, and the tools of a chore over it."""

import threading
from dataclasses import dataclass, field
from pathlib import Path

from config.settings import RecorderSettings, Settings
from evidence.ingest import Store
from evidence.naming import VOLUME_MARK
from evidence.volumes import LocalDisk
from exam.clock import SECOND_US
from recorder.chore_tools import ChoreTools
from tests.disposals import VOLUME_UUID
from tests.recordings import Reel, file_of
from tests.world import START_US, World

NEVER = threading.Event()


@dataclass
class Site:
    """Ten-second files of one camera of each room."""

    world: World
    ids: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        for camera in (self.world.cameras_1[0], self.world.camera_2):
            reel = Reel(self.world, camera)
            self.ids += [reel.invent(START_US + at * 10 * SECOND_US) for at in range(3)]
        (self.world.folder / "footage" / VOLUME_MARK).write_text(VOLUME_UUID + "\n", encoding="ascii")
        self.world.clock.step_wall(START_US + 3600 * SECOND_US - self.world.clock.wall_us())

    def tools(self, **recorder: object) -> ChoreTools:
        chosen = RecorderSettings.model_validate({"fixity_mb_per_s": 1e6, **recorder})
        settings = Settings(data_folder=self.world.folder, recorder=chosen)
        return ChoreTools(settings, Store(self.world.footage, LocalDisk(), self.world.clock))

    def file(self, number: int) -> Path:
        return file_of(self.world, self.ids[number])

    def rot(self, number: int) -> None:
        content = bytearray(self.file(number).read_bytes())
        content[7] ^= 1
        self.file(number).chmod(0o644)
        self.file(number).write_bytes(content)

    def rows(self, table: str) -> list[dict[str, object]]:
        with self.world.footage.read() as connection:
            return [dict(row) for row in connection.execute(f"select * from {table}")]
