"""A workshop without real programs: children that only remember what was asked of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from evidence.cameras import CameraSource
from evidence.footage import Cause, Gap, gaps_between
from evidence.volumes import Volume
from recorder.camera_recorder import CameraRecorder, Workshop
from recorder.camera_watch import Moment
from recorder.keeper import Keeper
from recorder.recorder import Recorder
from tests.evidence.recorded import CAMERA, CAMERA_2, flush_stamped, put, recording
from tests.evidence.store import EVER, FIRST_US, Footage, open_footage

S = 1_000_000


def at(seconds: float, *, set_by_us: int = 0) -> Moment:
    return Moment(FIRST_US + round(seconds * S) + set_by_us, round(seconds * S))


@dataclass
class FakeChild:
    camera: CameraRecorder
    command: list[str]
    address: str
    folder: Path
    asked: list[str] = field(default_factory=list)

    def interrupt(self) -> None:
        self.asked.append("interrupt")

    def kill(self) -> None:
        self.asked.append("kill")

    def says(self, *lines: str, now: Moment) -> None:
        for line in lines:
            self.camera.on_output(line, now)

    def reports(self, frames: int, media_us: int, now: Moment) -> None:
        self.says(f"frame={frames}", f"out_time_us={media_us}", "progress=continue", now=now)

    def closes(self, sequence: int, start_us: int, now: Moment, *, seconds: int = 4) -> None:
        """A file of two-second fragments appears and is told to be closed."""
        pattern = next(word for word in self.command if word.endswith("_%06d.mp4"))
        content = recording(*flush_stamped(start_us, [2000] * (seconds // 2)))
        put(self.folder, pattern % sequence, content, closed_at_us=start_us + seconds * S + 40_000)
        self.says(f"{pattern % sequence},0.0,{(sequence + 1) * seconds}.0", now=now)

    def ends(self, now: Moment, *last_words: str) -> None:
        for line in last_words:
            self.camera.on_error_line(line)
        self.camera.on_ended(now)


@dataclass
class FakeLauncher:
    children: list[FakeChild] = field(default_factory=list)
    fault: OSError | None = None

    def launch(self, camera: CameraRecorder, command: list[str], address: str, folder: Path) -> FakeChild:
        if self.fault is not None:
            raise self.fault
        child = FakeChild(camera, command, address, folder)
        self.children.append(child)
        return child


@dataclass
class FakeVolumes:
    """One volume that is as a test says."""

    volume: Volume
    trouble: Cause | None = None
    hangs: bool = False
    blamed: int = 0

    def choose(self) -> Volume | Cause:
        return self.trouble or self.volume

    def blame(self, volume: Volume) -> None:
        assert volume == self.volume
        self.blamed += 1

    def cause_to_leave(self, volume: Volume) -> Cause | None:
        assert volume == self.volume
        return self.trouble

    def is_slow(self, volume: Volume) -> bool:
        assert volume == self.volume
        return self.hangs


@dataclass
class Fakes:
    """A recorder over a real footage store, with fake children and as much disk as a test says."""

    footage: Footage
    launcher: FakeLauncher
    keeper: Keeper
    recorder: Recorder
    volumes: FakeVolumes

    @property
    def child(self) -> FakeChild:
        return self.launcher.children[-1]

    def settled(self) -> None:
        """Wait until everything asked of the keeper is done."""
        self.keeper.close()

    def gaps(self, camera: str = CAMERA) -> list[Gap]:
        with self.footage.database.read() as connection:
            return gaps_between(connection, camera, 0, EVER)

    def runs(self) -> list[str | None]:
        with self.footage.database.read() as connection:
            return [row[0] for row in connection.execute("select end_cause from run order by id")]


def source(uuid: str = CAMERA, *, password: str = "") -> CameraSource:
    name = "recorder" if password else ""
    return CameraSource(uuid, 1, "前方", f"rtsp://10.0.0.9/{uuid[-2:]}", name, password)


@contextmanager
def open_fakes(folder: Path) -> Iterator[Fakes]:
    with open_footage(folder) as footage:
        launcher, keeper = FakeLauncher(), Keeper(footage.store)
        volumes = FakeVolumes(footage.volume)
        workshop = Workshop(launcher, keeper, "boot", 60, True, volumes)
        yield Fakes(footage, launcher, keeper, Recorder(workshop, keeper), volumes)
        keeper.close()


__all__ = ["CAMERA", "CAMERA_2", "FIRST_US", "Fakes", "at", "open_fakes", "source"]
