"""A footage store on a real folder and database, and a disk that dies at any chosen step."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from evidence.database import WriterDatabase
from evidence.footage import Origin, Segment, segments_between
from evidence.footage_rows import NewRun, add_run
from evidence.ingest import ClosedFile, Store
from evidence.naming import read_name
from evidence.picture_time import Closing
from evidence.volume_look import open_volume
from evidence.volumes import Disk, LocalDisk, Volume
from exam.clock import SimulatedClock
from tests.evidence.recorded import CAMERA, RUN, flush_stamped, growing_name, put, recording

FIRST_US = 1_795_309_200_000_000
EVER = 1 << 60


class Crash(BaseException):
    """The power went. Not an Exception: no code may catch it."""


@dataclass
class CrashingDisk:
    """Counts the steps done on a real disk and stops the world before or after one of them."""

    before: int | None = None
    after: int | None = None
    steps: list[str] = field(default_factory=list)
    disk: LocalDisk = field(default_factory=LocalDisk)

    def __getattr__(self, name: str):  # type: ignore[no-untyped-def]
        def step(*arguments: object) -> object:
            number = len(self.steps)
            self.steps.append(name)
            if number == self.before:
                raise Crash
            result = getattr(self.disk, name)(*arguments)
            if number == self.after:
                raise Crash
            return result

        return step


@dataclass
class Footage:
    """Everything a test of ingest or adoption needs."""

    store: Store
    volume: Volume

    @property
    def database(self) -> WriterDatabase:
        return self.store.database

    def with_disk(self, disk: Disk) -> Store:
        return Store(self.store.database, disk, self.store.clock)

    def segments(self, camera: str = CAMERA) -> list[Segment]:
        with self.database.read() as connection:
            return segments_between(connection, camera, 0, EVER)

    def count(self, table: str) -> int:
        with self.database.read() as connection:
            return int(connection.execute(f"select count(*) from {table}").fetchone()[0])

    def grow(
        self, sequence: int = 0, start_us: int = FIRST_US, *, seconds: int = 4, end: bytes | None = None
    ) -> ClosedFile:
        """A file of two-second fragments in the growing folder, ready to be ingested."""
        fragments = flush_stamped(start_us, [2000] * (seconds // 2))
        content = recording(*fragments) if end is None else recording(*fragments, end=end)
        return self.put(growing_name(sequence), content, start_us + seconds * 1_000_000 + 40_000)

    def put(self, found: str, content: bytes, closed_at_us: int = FIRST_US) -> ClosedFile:
        path = put(self.volume.path, found, content, closed_at_us=closed_at_us)
        name = read_name(path.name)
        with self.database.write() as connection:
            run_id = add_run(connection, NewRun(name.run_uuid, name.camera_uuid, "boot", FIRST_US, 0))
        return ClosedFile(self.volume, found, run_id, Closing(closed_at_us), Origin.LIVE)


@contextmanager
def open_footage(folder: Path) -> Iterator[Footage]:
    database = WriterDatabase(folder / "footage.db", "footage")
    try:
        volume = open_volume(database, folder / "disk", FIRST_US)
        yield Footage(Store(database, LocalDisk(), SimulatedClock(FIRST_US + 100_000_000)), volume)
    finally:
        database.close()


__all__ = ["CAMERA", "EVER", "FIRST_US", "RUN", "Crash", "CrashingDisk", "Footage", "open_footage"]
