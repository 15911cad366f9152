"""Real disks that fill up, die, vanish, freeze or change places under the running recorder. Root only."""

import argparse
import hashlib
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path

from evidence.database import ReaderDatabase, WriterDatabase
from evidence.database_reserve import ReserveKeeper, released_at_us
from evidence.footage import Cause
from evidence.ledger import LeafKind, append, tree_size
from evidence.protection import Level, is_immutable
from evidence.volume_look import Trouble
from evidence.volume_rows import VolumeState, volume_states
from exam.clock import SECOND_US
from rehearsal.camera_plan import CameraPlan
from rehearsal.camera_server import RunningCameras, running_cameras
from tests.bench.bench_report import progress
from tests.recorder.live import CLOCK, LiveSite, live_site, start_service, stop_service, wait_until
from tests.soak.loop_disks import LoopDisk, loop_disk, run

ALARM_S, TAKEOVER_S, FREEZE_S = 5.0, 10.0, 10
DISK_MIB = 48
# How long a disk must be well before anything is brought there; how soon a fact is signed.
CALM_S, SIGNED_S = 60.0, 75.0
WRITES = 1000
QUIET = (Cause.STARTING, Cause.OPERATOR_STOP, Cause.RECORDER_OFF, Cause.LATE_PLAN)


@dataclass
class Trial:
    """A recorder on two small disks and a reserve; what was measured and what was found wrong."""

    site: LiveSite
    a: LoopDisk
    b: LoopDisk
    c: LoopDisk
    child: subprocess.Popen[bytes] | None = None
    measured: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def restart(self) -> None:
        """Kill the recorder without warning and start it again."""
        assert self.child is not None
        self.child.kill()
        self.child.wait()
        self.child = start_service(self.site.settings)

    def states(self) -> dict[str, VolumeState]:
        reader = ReaderDatabase(self.site.settings.footage_db)
        try:
            with reader.read() as connection:
                return {Path(state.path).name: state for state in volume_states(connection)}
        finally:
            reader.close()

    def released_at_us(self) -> int | None:
        """Since when the index lives without the room set aside for it."""
        reader = ReaderDatabase(self.site.settings.footage_db)
        try:
            with reader.read() as connection:
                return released_at_us(connection)
        finally:
            reader.close()

    def check(self, what: str, holds: object) -> None:
        if not holds:
            self.wrong.append(what)

    def timed(self, what: str, true: Callable[[], object], limit_s: float) -> None:
        """Wait until it is true and measure how long that took."""
        from_us = CLOCK.monotonic_us()
        wait_until(true, limit_s + 30)
        took_s = (CLOCK.monotonic_us() - from_us) / SECOND_US
        self.measured.append(f"{what} {took_s:.1f} s")
        self.check(f"{what} took {took_s:.1f} s, not {limit_s:.0f}", took_s <= limit_s)

    def timed_beside(self, what: str, true: Callable[[], object], limit_s: float) -> threading.Thread:
        """The same beside another wait."""
        thread = threading.Thread(target=self.timed, args=(what, true, limit_s))
        thread.start()
        return thread

    def alarms(self, name: str, trouble: Trouble) -> Callable[[], bool]:
        return lambda: name in self.states() and self.states()[name].trouble is trouble

    def records_on(self, point: Path) -> Callable[[], bool]:
        """Whether every camera's file grows there."""
        uuids = list(self.site.uuids.values())
        return lambda: all(
            any(_size(file) for file in (point / "growing").glob(f"{uuid}_*")) for uuid in uuids
        )

    def warm_up(self) -> None:
        wait_until(lambda: all(len(self.site.segments(name)) >= 2 for name in self.site.uuids))

    def causes(self) -> set[Cause]:
        return {gap.cause for name in self.site.uuids for gap in self.site.gaps(name)} - set(QUIET)

    def check_index(self) -> None:
        """Every row has its file with its digest, every finished file its row."""
        rows = {s.file: s for name in self.site.uuids for s in self.site.segments(name)}
        for file, segment in rows.items():
            there = file.exists() and hashlib.sha256(file.read_bytes()).digest() == segment.sha256
            self.check(f"{file.name} is not what its row says", there)
        for disk in (self.a, self.b):
            for file in (disk.point / "footage").rglob("*.mp4"):
                self.check(f"{file.name} has no row", file in rows)


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def digests(point: Path) -> dict[str, str]:
    files = (point / "footage").rglob("*.mp4")
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def names(point: Path) -> set[str]:
    return {file.name for file in (point / "footage").rglob("*.mp4")}


def fill_one(trial: Trial) -> None:
    """A full disk is left for the next one; nothing on it changes."""
    trial.warm_up()
    before = digests(trial.a.point)
    trial.a.fill()
    with_alarm = trial.timed_beside("alarm", trial.alarms("a", Trouble.FULL), ALARM_S)
    trial.timed("takeover", trial.records_on(trial.b.point), TAKEOVER_S)
    with_alarm.join()
    after = digests(trial.a.point)
    trial.check(
        "a file of the full disk changed", all(after.get(name) == was for name, was in before.items())
    )
    trial.check(f"gap causes {trial.causes()}", trial.causes() <= {Cause.DISK_FULL, Cause.DISK_FAULT})


def fill_all(trial: Trial) -> None:
    """When all are full recording stops loudly, and begins by itself when there is room."""
    trial.warm_up()
    fillers = [trial.a.fill(), trial.b.fill()]
    full = shutil.disk_usage(trial.a.point).free
    trial.timed("alarm", lambda: trial.causes() >= {Cause.DISK_FULL}, TAKEOVER_S)
    down = lambda: all((s := trial.site.state(n)) and s.cause is Cause.DISK_FULL for n in trial.site.uuids)  # noqa: E731
    trial.timed("all cameras tell", down, TAKEOVER_S)
    trial.measured.append(f"{full} bytes were free")
    fillers[1].unlink()
    trial.timed("begins by itself", trial.records_on(trial.b.point), TAKEOVER_S)


def die(trial: Trial) -> None:
    """A disk that the kernel makes read-only is left."""
    trial.warm_up()
    before = digests(trial.a.point)
    trial.a.fail()
    with_alarm = trial.timed_beside("alarm", trial.alarms("a", Trouble.READ_ONLY), ALARM_S)
    trial.timed("takeover", trial.records_on(trial.b.point), TAKEOVER_S)
    with_alarm.join()
    after = digests(trial.a.point)
    trial.check(
        "a file of the dead disk changed", all(after.get(name) == was for name, was in before.items())
    )
    trial.check(f"gap causes {trial.causes()}", trial.causes() <= {Cause.DISK_FAULT})


def vanish(trial: Trial) -> None:
    """A disk unmounted under the recorder is missed by name, and used again when it is back."""
    trial.warm_up()
    trial.a.unmount(lazily=True)
    with_alarm = trial.timed_beside("alarm", trial.alarms("a", Trouble.NOT_MOUNTED), ALARM_S)
    trial.timed("takeover", trial.records_on(trial.b.point), TAKEOVER_S)
    with_alarm.join()
    trial.check("something was written to the mount point", not any(trial.a.point.iterdir()))
    wait_until(lambda: not _is_used(trial.a.device), 20)
    trial.a.mount()
    trial.timed("known again", lambda: trial.states()["a"].trouble is None, ALARM_S)
    wait_until(lambda: not any((trial.a.point / "growing").iterdir()), 20)
    trial.b.fill()
    trial.timed("back on it", trial.records_on(trial.a.point), TAKEOVER_S)
    disks = {Cause.DISK_MISSING, Cause.DISK_FULL, Cause.DISK_FAULT}
    trial.check(f"gap causes {trial.causes()}", trial.causes() <= disks)


def _is_used(device: str) -> bool:
    """Whether a program still holds files of a disk that is mounted nowhere."""
    number = Path(device).stat().st_rdev
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if link.stat().st_dev == number:
                return True
        except OSError:
            continue
    return False


def freeze(trial: Trial) -> None:
    """A disk that hangs for ten seconds costs nothing."""
    trial.warm_up()
    segments = {name: len(trial.site.segments(name)) for name in trial.site.uuids}
    run("fsfreeze", "-f", trial.a.point)
    try:
        trial.timed("alarm", trial.alarms("a", Trouble.NO_ANSWER), ALARM_S + 1)
        CLOCK.sleep_us((FREEZE_S - 5) * SECOND_US)
    finally:
        run("fsfreeze", "-u", trial.a.point)
    trial.timed("answers again", lambda: trial.states()["a"].trouble is None, ALARM_S)
    wait_until(
        lambda: all(len(trial.site.segments(name)) >= segments[name] + 4 for name in trial.site.uuids), 40
    )
    for name in trial.site.uuids:
        runs = {segment.run_id for segment in trial.site.segments(name)}
        trial.check(f"{name} was connected {len(runs)} times", len(runs) == 1)
        sequences = [segment.sequence for segment in trial.site.segments(name)]
        trial.check(f"{name} lost a file", sequences == list(range(len(sequences))))
    trial.check(f"gap causes {trial.causes()}", not trial.causes())


def swap(trial: Trial) -> None:
    """Two disks that change places are both refused, and the reserve takes what there is."""
    trial.warm_up()
    trial.a.unmount(lazily=True)
    trial.b.unmount(lazily=True)
    wait_until(lambda: not _is_used(trial.a.device), 20)
    trial.a.mount(trial.b.point)
    trial.b.mount(trial.a.point)
    trial.timed("alarm a", trial.alarms("a", Trouble.SWAPPED), ALARM_S)
    trial.timed("alarm b", trial.alarms("b", Trouble.SWAPPED), ALARM_S)
    trial.check("a is told by name", str(trial.b.point) in trial.states()["a"].found)
    reserve = trial.site.settings.recorder.reserve_volume
    assert reserve is not None
    trial.timed("reserve records", trial.records_on(reserve), TAKEOVER_S)
    trial.a.unmount(lazily=True)
    trial.b.unmount(lazily=True)
    trial.a.mount()
    trial.b.mount()
    trial.timed("both known again", lambda: all(s.trouble is None for s in trial.states().values()), ALARM_S)


def come_home(trial: Trial) -> None:
    """What the reserve took comes home once the disks are well, and the reserve has its room again."""
    reserve = trial.site.settings.recorder.reserve_volume
    assert reserve is not None
    trial.warm_up()
    for disk in (trial.a, trial.b):
        disk.unmount(lazily=True)
    trial.timed("reserve records", trial.records_on(reserve), TAKEOVER_S)
    wait_until(lambda: len(digests(reserve)) >= 4, 60)
    spilled = digests(reserve)
    wait_until(lambda: not _is_used(trial.a.device) and not _is_used(trial.b.device), 20)
    for disk in (trial.a, trial.b):
        disk.mount()
    trial.timed("both known again", lambda: all(s.trouble is None for s in trial.states().values()), ALARM_S)
    trial.timed(
        "first file home",
        lambda: spilled.keys() & (names(trial.a.point) | names(trial.b.point)),
        CALM_S + TAKEOVER_S,
    )
    trial.timed("all released", lambda: not spilled.keys() & names(reserve), SIGNED_S + TAKEOVER_S)
    home = digests(trial.a.point) | digests(trial.b.point)
    trial.check("a file changed on its way", home.items() >= spilled.items())
    trial.measured.append(f"{len(spilled)} files")


def full_index(trial: Trial) -> None:
    """The disk of the databases is full: reads and writes go on, because room was set aside."""
    trial.warm_up()
    folder = trial.site.settings.data_folder
    reserve = folder / "footage.db.reserve"
    trial.check("no room was set aside", _size(reserve) > 0)
    filler = trial.c.fill()
    before = {name: len(trial.site.segments(name)) for name in trial.site.uuids}
    trial.timed("room given up", lambda: _size(reserve) == 0, ALARM_S)
    trial.timed("recorded as a fact", lambda: trial.released_at_us() is not None, ALARM_S)
    more = lambda: all(len(trial.site.segments(name)) >= before[name] + 2 for name in trial.site.uuids)  # noqa: E731
    trial.timed("two more files indexed", more, 20)
    trial.check(f"gap causes {trial.causes()}", not trial.causes())
    filler.unlink()
    trial.timed("set aside again", lambda: _size(reserve) > 0, ALARM_S)
    trial.timed("recorded as over", lambda: trial.released_at_us() is None, ALARM_S)


def full_exam(trial: Trial) -> None:
    """The console's database goes on on a full disk: no write is lost, none has to be asked twice."""
    database = WriterDatabase(trial.a.point / "exam.db", "exam", 8 << 20)
    with closing(database), closing(ReserveKeeper(database, CLOCK)):
        wait_until(lambda: database.reserve.is_there)
        filler = trial.a.fill()
        for number in range(WRITES):
            with database.write() as connection:
                append(connection, LeafKind.LOG_ENTRY, {"log_entry_id": number}, CLOCK.wall_us())
        trial.check("room was not given up", not database.reserve.is_there)
        with database.read() as connection:
            trial.check("a write is missing", tree_size(connection) == WRITES)
            trial.check("damaged", connection.execute("pragma integrity_check").fetchone()[0] == "ok")
        filler.unlink()
        trial.timed("set aside again", lambda: database.reserve.is_there, ALARM_S)
    trial.measured.append(f"{WRITES} writes on a full disk")


def immutable(trial: Trial) -> None:
    """Finished files cannot be deleted by root's rm, also those adopted after a kill -9."""
    trial.warm_up()
    trial.restart()
    wait_until(lambda: len(trial.site.segments("reports")) >= 4)
    files = [segment.file for name in trial.site.uuids for segment in trial.site.segments(name)]
    locked = [file for file in files if is_immutable(file)]
    trial.check(f"{len(files) - len(locked)} files are not immutable", len(locked) == len(files))
    refused = [file for file in files if subprocess.run(["rm", "-f", file], check=False).returncode]
    trial.check("rm deleted a file", len(refused) == len(files))
    trial.check("console says another level", trial.states()["a"].level is Level.SINGLE_MACHINE)
    trial.measured.append(f"rm refused {len(refused)} of {len(files)}")


TRIALS = {
    "exam": full_exam,
    "immutable": immutable,
    "index": full_index,
    "fill": fill_one,
    "all-full": fill_all,
    "die": die,
    "vanish": vanish,
    "freeze": freeze,
    "swap": swap,
    "home": come_home,
}


def tried(name: str, cameras: RunningCameras) -> Trial:
    """One trial on disks of its own, with the recorder in a process of its own."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kaochang-volumes-")))
        a = stack.enter_context(loop_disk(folder, "a", DISK_MIB))
        b = stack.enter_context(loop_disk(folder, "b", DISK_MIB))
        # The databases lie on a disk of their own.
        c = stack.enter_context(loop_disk(folder, "c", DISK_MIB))
        site = live_site(c.point, cameras)
        reserve = folder / "reserve" if name in ("swap", "home") else None
        chosen = {
            "volumes": [a.point, b.point],
            "reserve_volume": reserve,
            "keep_free_mb": 8,
            "immutable": name == "immutable",
        }
        recorder = site.settings.recorder.model_copy(update=chosen)
        site.settings = site.settings.model_copy(update={"recorder": recorder, "database_reserve_mb": 8})
        trial = Trial(site, a, b, c)
        trial.child = start_service(site.settings)
        try:
            TRIALS[name](trial)
            stop_service(trial.child)
            trial.check_index()
        except AssertionError as error:
            trial.wrong.append(str(error))
        finally:
            if trial.child.poll() is None:
                trial.child.kill()
                trial.child.wait()
        return trial


def main(words: Sequence[str]) -> int:
    """Every trial, or those that are named; 0 when all went as they should."""
    asking = argparse.ArgumentParser(prog="run.py soak volumes", description=__doc__)
    asking.add_argument("trials", nargs="*", metavar="TRIAL", help=f"of {', '.join(TRIALS)}; default: all")
    asked = asking.parse_args(words).trials or list(TRIALS)
    plans = [
        CameraPlan(name=name, resolution="640x368", bitrate_kbps=600, sender_reports=name == "reports")
        for name in ("reports", "silent")
    ]
    is_wrong = False
    with (
        tempfile.TemporaryDirectory() as folder,
        running_cameras(plans, Path(folder), loop_seconds=4) as cameras,
    ):
        for name in asked:
            progress(f"{name}: {TRIALS[name].__doc__}")
            trial = tried(name, cameras)
            is_wrong = is_wrong or bool(trial.wrong)
            verdict = "as it should be" if not trial.wrong else "; ".join(trial.wrong)
            print(f"{name}: {', '.join(trial.measured)}: {verdict}", flush=True)
    return int(is_wrong)
