"""A recorder service in a process of its own, over a site whose cameras are simulated."""

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from config.settings import PictureSettings, RecorderSettings, Settings
from evidence.cameras import PASSWORD_PURPOSE
from evidence.database import ReaderDatabase, WriterDatabase
from evidence.footage import (
    CameraState,
    Gap,
    Segment,
    camera_states,
    gaps_between,
    segments_between,
)
from evidence.recording_orders import Who, change_mode
from evidence.vault import Vault
from exam.clock import SECOND_US, SystemClock
from exam.recording_decision import RecordingMode
from recorder.service import serve
from rehearsal.camera_server import RunningCamera, RunningCameras
from rehearsal.sent_log import SentFrame

EVER = 1 << 60
ROOT = Path(__file__).resolve().parent.parent.parent
CLOCK = SystemClock()
FRAME_US = 40_000


@dataclass
class LiveSite:
    """Settings, databases and cameras of one site; `recording` runs the service over it."""

    settings: Settings
    uuids: dict[str, str] = field(default_factory=dict)

    def add_camera(self, name: str, address: str, username: str = "", password: str = "") -> None:
        exam = WriterDatabase(self.settings.exam_db, "exam")
        vault = Vault.open(self.settings.site_key)
        self.uuids[name] = str(uuid.uuid4())
        with exam.write() as connection:
            connection.execute(
                "insert or ignore into room (id, code, label, kind) values (1, 'R01', '第1考场', 'theory')"
            )
            cipher = vault.encrypt(password, PASSWORD_PURPOSE) if username else None
            connection.execute(
                "insert into camera (uuid, room_id, label, address, username, password_cipher)"
                " values (?, 1, ?, ?, ?, ?)",
                (self.uuids[name], name, address, username, cipher),
            )
        exam.close()

    def add_running(self, camera: RunningCamera) -> None:
        login = camera.login
        if login is None:
            self.add_camera(camera.name, camera.address)
        else:
            self.add_camera(camera.name, camera.address, login.user, login.password)

    def segments(self, name: str) -> list[Segment]:
        with self._read() as connection:
            return segments_between(connection, self.uuids[name], 0, EVER)

    def gaps(self, name: str) -> list[Gap]:
        with self._read() as connection:
            return gaps_between(connection, self.uuids[name], 0, EVER)

    def state(self, name: str) -> CameraState | None:
        with self._read() as connection:
            return camera_states(connection).get(self.uuids[name])

    @contextmanager
    def _read(self):  # type: ignore[no-untyped-def]
        reader = ReaderDatabase(self.settings.footage_db)
        try:
            with reader.read() as connection:
                yield connection
        finally:
            reader.close()

    @contextmanager
    def recording(self) -> Iterator[subprocess.Popen[bytes]]:
        """The service as a child process; stopped in order at the end unless it is gone already."""
        child = start_service(self.settings)
        try:
            yield child
            stop_service(child)
        finally:
            if child.poll() is None:
                child.kill()
                child.wait()


def live_site(
    folder: Path,
    cameras: RunningCameras | None = None,
    *,
    segment_seconds: int = 4,
    looks_at_pictures: bool = False,
) -> LiveSite:
    settings = Settings(
        data_folder=folder / "site",
        recorder=RecorderSettings(segment_seconds=segment_seconds, immutable=False),
        pictures=PictureSettings(enabled=looks_at_pictures),
    )
    WriterDatabase(settings.footage_db, "footage").close()
    record_all_day(settings.exam_db)
    site = LiveSite(settings)
    for camera in cameras.cameras if cameras else ():
        site.add_running(camera)
    return site


def record_all_day(exam_db: Path) -> None:
    """Nothing is planned at a live site: its cameras record because somebody said so."""
    exam = WriterDatabase(exam_db, "exam")
    with exam.write() as connection:
        connection.execute(
            "insert into account (id, login_name, display_name, password_hash, created_at_us)"
            " values (1, 'tester', '测试员', '$argon2id$none', 1)"
        )
        change_mode(connection, None, RecordingMode.ALL_DAY, Who(1, "测试"), CLOCK.wall_us())
    exam.close()


def start_service(settings: Settings) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.recorder.live", settings.model_dump_json()]
    return subprocess.Popen(command, cwd=ROOT)


def stop_service(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is None:
        child.send_signal(signal.SIGTERM)
        assert child.wait(60) == 0


def wait_until(true: Callable[[], object], seconds: float = 120) -> None:
    """Look every tenth of a second. Fails when it does not come true in time."""
    until_us = CLOCK.monotonic_us() + round(seconds * SECOND_US)
    while not true():
        assert CLOCK.monotonic_us() < until_us, "it did not come true in time"
        CLOCK.sleep_us(SECOND_US // 10)


def taken_us(sent: list[SentFrame], counter: int) -> int:
    """When a simulated picture was due by the camera's clock.

    A busy machine sends some pictures late. How late is known, because counters are a frame apart: the
    least delayed pictures of the seconds around tell when this one should have left.
    """
    near = [frame for frame in sent if abs(frame.counter - counter) <= 100]
    assert any(frame.counter == counter for frame in near)
    return min(frame.sent_at_us - (frame.counter - counter) * FRAME_US for frame in near)


def children_of(pid: int) -> list[int]:
    """The programs a process has started, by the list the kernel keeps."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += [int(number) for number in (task / "children").read_text().split()]
    return found


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()


if __name__ == "__main__":
    sys.exit(serve(Settings.model_validate_json(sys.argv[1]), SystemClock()))
