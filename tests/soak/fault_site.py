"""The demo site under a real `run.py serve`, and measuring what it makes of a fault.

The truth is the simulator's own record of what it sent when; what is seen comes from footage.db and from the
overview page of the console, read as a site lead would.
"""

import re
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import httpx

from config.procedures import load_procedures
from config.roster_columns import load_roster_columns
from config.settings import KioskSettings, RecorderSettings, Settings, WebSettings
from evidence import accounts
from evidence.checkpoints import Checkpoints
from evidence.coverage import PartKind, coverage
from evidence.database import ReaderDatabase, WriterDatabase
from evidence.footage import Recording
from evidence.import_file import Vocabulary, WantedImport, import_file
from evidence.ledger import LeafKind
from evidence.recording_orders import Who, change_mode
from evidence.timeline import Interval
from evidence.vault import Vault
from exam.clock import SECOND_US
from exam.recording_decision import RecordingMode
from rehearsal import demo_people, demo_site
from rehearsal.camera_plan import CameraPlan, Fault
from rehearsal.camera_server import RunningCameras
from rehearsal.camera_sound import Sound
from rehearsal.console_client import ConsoleClient
from rehearsal.demo_settings import write_settings
from rehearsal.sent_log import SentFrame
from tests.day.demo_day import free_ports
from tests.recorder.live import CLOCK, ROOT, LiveSite, children_of, wait_until
from tests.soak.crash_site import first_counter_of

VICTIM = "R01-1"
SEGMENT_SECONDS = 6
# Cameras of a room that are recorded beside the others and judged by one fault each.
ODD_ROOM = "V01"
ODD_KEYFRAMES, ODD_SOUND = "odd-keyframes", "odd-sound"
ODD_GOP_S = 12
# How often it is looked; so much the measuring itself adds.
POLL_US = SECOND_US // 10
# A busy simulator hesitates for less.
SILENCE_US = 8 * SECOND_US // 10
# The words of the overview page for a camera in trouble, whatever the cause.
NOT_RECORDING = ("未录像", "画面中断", "人工停止")


@dataclass(slots=True)
class FaultSite:
    """The running site."""

    site: LiveSite
    odd: LiveSite
    cameras: RunningCameras
    folder: Path
    logins: list[demo_people.Login]
    serve: "subprocess.Popen[bytes] | None" = None
    console: ConsoleClient | None = None
    began_at_us: int = field(default_factory=CLOCK.wall_us)

    @property
    def names(self) -> list[str]:
        return list(self.site.uuids)

    def start(self) -> None:
        """Start `serve` and log in as site lead."""
        words = [sys.executable, "run.py", "serve", "--settings", str(self.folder / "kaochang.toml")]
        self.serve = subprocess.Popen(words, cwd=ROOT)
        wait_until(self.all_recording, 90)
        wait_until(self.answers, 90)
        self.console = self.logged_in("site_lead")

    def logged_in(self, role: str) -> ConsoleClient:
        """The console as somebody of that role."""
        login = next(login for login in self.logins if role in login.roles)
        console = ConsoleClient(f"http://127.0.0.1:{self.site.settings.web.port}")
        console.log_in(login.name, login.password)
        return console

    def heal(self) -> None:
        """End whatever a fault that went wrong has left behind."""
        for fault in Fault:
            self.cameras.control.end_fault(VICTIM, fault)
        if self.serve is None or self.serve.poll() is not None:
            self.start()

    def answers(self) -> bool:
        """Whether the console answers."""
        try:
            address = f"http://127.0.0.1:{self.site.settings.web.port}/healthz"
            return httpx.get(address, timeout=2.0, trust_env=False).is_success
        except httpx.TransportError:
            return False

    def stop(self) -> None:
        """Stop `serve` in order."""
        if self.console is not None:
            self.console.close()
        if self.serve is not None and self.serve.poll() is None:
            self.serve.send_signal(signal.SIGTERM)
            self.serve.wait(60)
        self.serve = None

    def service_pid(self, name: str) -> int:
        """The process of one service below the supervisor."""
        assert self.serve is not None
        for pid in children_of(self.serve.pid):
            words = Path(f"/proc/{pid}/cmdline").read_text()
            if f"\0{name}\0" in words or f"[kaochang-{name}]" in words:  # a server may name itself
                return pid
        raise LookupError(f"no service {name} runs")

    def all_recording(self) -> bool:
        return all(self.is_recording(name) for name in self.names)

    def is_recording(self, name: str, since_us: int = 0) -> bool:
        """Whether the camera is shown as recording, in a state that is news and younger than that."""
        state = self.site.state(name)
        if state is None or CLOCK.wall_us() - state.updated_at_us > 5 * SECOND_US:
            return False
        return state.state is Recording.RECORDING and state.since_us > since_us

    def is_quiet(self) -> bool:
        """Whether every camera records and no page says otherwise."""
        return self.all_recording() and not self.shows_alarm()

    def alarms(self) -> str:
        """What the overview page says in red, as text."""
        assert self.console is not None
        return re.sub(r"<[^>]+>", " ", self.console.get("/overview/live").text)

    def shows_alarm(self) -> bool:
        """Whether a site lead sees that a camera does not record."""
        text = self.alarms()
        return any(word in text for word in NOT_RECORDING)

    def room_id(self, code: str) -> int:
        return self._exam("select id from room where code = ?", code)

    def order(self, room: str, act: str, second: demo_people.Login | None = None) -> None:
        """Start or stop the recording of a room, as the recording page does it."""
        assert self.console is not None
        agreed = {"second_name": second.name, "second_password": second.password} if second else {}
        self.console.post_form(f"/recording/rooms/{self.room_id(room)}/{act}", {"reason": "试验", **agreed})

    def orders(self) -> int:
        """How many orders people have given that are in the ledger too."""
        return self._exam(
            "select min((select count(*) from recording_order),"
            " (select count(*) from ledger_leaf where kind = ?))",
            LeafKind.RECORDING_ORDER,
        )

    def quarantined(self) -> list[str]:
        """The names under which files were found that lie in quarantine."""
        with self.site._read() as connection:
            return [
                Path(row[0]).name for row in connection.execute("select found_path from quarantined_file")
            ]

    def _exam(self, question: str, *words: str) -> int:
        with closing(ReaderDatabase(self.site.settings.exam_db)) as reader, reader.read() as connection:
            return int(connection.execute(question, words).fetchone()[0])

    def sent(self, name: str) -> list[SentFrame]:
        return self.cameras[name].sent()

    def runs(self) -> dict[str, int]:
        """The connection by which each camera's latest file came."""
        found = {name: self.site.segments(name) for name in self.names}
        return {name: segments[-1].run_id for name, segments in found.items() if segments}

    def unaccounted_us(self, name: str) -> int:
        """Time since the start of the trial that is neither footage nor a gap with a cause."""
        segments = self.site.segments(name)
        interval = Interval(segments[0].started_at_us, segments[-1].ended_at_us)
        with self.site._read() as connection:
            parts = coverage(connection, self.site.uuids[name], interval, CLOCK.wall_us())
        bad = [part for part in parts if part.kind in (PartKind.UNRECORDED, PartKind.UNREADABLE)]
        return sum(part.until_us - part.from_us for part in bad)


@dataclass(frozen=True, slots=True)
class Outage:
    """What was seen of one interruption of one camera, in microseconds; None: never."""

    noticed_us: int | None
    alarm_us: int | None
    resumed_us: int
    # How far the gap's bounds are from what the simulator knows.
    began_off_us: int
    ended_off_us: int
    causes: tuple[str, ...]
    unaccounted_us: int
    # Other cameras that lost their connection.
    disturbed: int

    def words(self) -> str:
        def seconds(value_us: int | None) -> str:
            return "never" if value_us is None else f"{value_us / SECOND_US:.1f} s"

        return (
            f"noticed {seconds(self.noticed_us)}, alarm {seconds(self.alarm_us)},"
            f" back {self.resumed_us / SECOND_US:.1f} s, bounds {self.began_off_us / SECOND_US:+.2f}"
            f"/{self.ended_off_us / SECOND_US:+.2f} s,"
            f" {'+'.join(self.causes)}, unaccounted {self.unaccounted_us / SECOND_US:.1f} s"
        )


def outage(
    world: FaultSite, name: str, begin: Callable[[], None], end: Callable[[], None], seconds: float
) -> Outage:
    """Interrupt one camera for so long, and measure."""
    wait_until(world.is_quiet, 60)
    before, began_us = world.runs(), CLOCK.wall_us()
    begin()
    until_us = began_us + round(seconds * SECOND_US)
    try:
        noticed_us, alarm_us = _watch(world, name, began_us, until_us)
    finally:
        ended_us = CLOCK.wall_us()
        end()
    wait_until(lambda: world.runs().get(name) != before.get(name), 60)
    new = next(s for s in world.site.segments(name) if s.run_id == world.runs()[name])
    first_us = _sent_at(world.sent(name), first_counter_of(new), new.started_at_us)
    gaps = [g for g in world.site.gaps(name) if g.ended_at_us is not None and g.ended_at_us > began_us]
    others = [other for other in world.names if other != name]
    after = world.runs()
    return Outage(
        noticed_us=noticed_us,
        alarm_us=alarm_us,
        resumed_us=first_us - ended_us,
        began_off_us=gaps[0].started_at_us - _silent_since_us(world.sent(name), began_us) if gaps else 0,
        ended_off_us=(gaps[-1].ended_at_us or 0) - first_us if gaps else 0,
        causes=tuple(dict.fromkeys(str(gap.cause) for gap in gaps)),
        unaccounted_us=world.unaccounted_us(name),
        disturbed=sum(before.get(other) != after.get(other) for other in others),
    )


def _silent_since_us(sent: list[SentFrame], began_us: int) -> int:
    """The last picture before the first silence: later ones may belong to a connection not yet recorded."""
    times = [frame.sent_at_us for frame in sent if frame.sent_at_us >= began_us - SECOND_US]
    pauses = (at_us for at_us, next_us in pairwise(times) if next_us - at_us > SILENCE_US)
    return next(pauses, times[-1])


def _watch(world: FaultSite, name: str, began_us: int, until_us: int) -> tuple[int | None, int | None]:
    """When it was first noticed in the index, and first shown in red, after the beginning."""
    noticed_us = alarm_us = None
    while (now := CLOCK.wall_us()) < until_us:
        if noticed_us is None and not world.is_recording(name):
            noticed_us = now - began_us
        if alarm_us is None and noticed_us is not None and world.shows_alarm():
            alarm_us = CLOCK.wall_us() - began_us
        CLOCK.sleep_us(POLL_US)
    return noticed_us, alarm_us


def _sent_at(sent: list[SentFrame], counter: int, near_us: int) -> int:
    """When the picture with this counter was sent, the time nearest to a moment."""
    times = [frame.sent_at_us for frame in sent if frame.counter == counter]
    return min(times, key=lambda at_us: abs(at_us - near_us))


@contextmanager
def fault_site(folder: Path, cameras: RunningCameras, password: str) -> Iterator[FaultSite]:
    """The demo site, recorded all day, under `run.py serve`."""
    settings = Settings(
        data_folder=folder / "site",
        web=WebSettings(port=free_ports()),
        recorder=RecorderSettings(segment_seconds=SEGMENT_SECONDS, immutable=False),
        kiosk=KioskSettings(enabled=False),
    )
    write_settings(folder / "kaochang.toml", settings)
    logins = demo_people.invent_logins()
    site = LiveSite(settings, _seed(folder, settings, cameras, password, logins))
    odd = LiveSite(settings, _add_odd(settings, cameras))
    world = FaultSite(site, odd, cameras, folder, logins)
    try:
        world.start()
        yield world
    finally:
        world.stop()


def plans(password: str) -> list[CameraPlan]:
    """The cameras of the demo site, and the odd ones."""
    size = {"resolution": "640x368", "bitrate_kbps": 300}
    return [
        *demo_site.camera_plans(password),
        CameraPlan.model_validate({"name": ODD_KEYFRAMES, "gop_seconds": ODD_GOP_S, **size}),
        CameraPlan.model_validate({"name": ODD_SOUND, "sound": Sound.UNKNOWN, **size}),
    ]


def _add_odd(settings: Settings, cameras: RunningCameras) -> dict[str, str]:
    uuids = {name: str(uuid.uuid4()) for name in (ODD_KEYFRAMES, ODD_SOUND)}
    with closing(WriterDatabase(settings.exam_db, "exam")) as database, database.write() as connection:
        for name, camera_uuid in uuids.items():
            connection.execute(
                "insert into camera (uuid, room_id, label, address, username)"
                " select ?, id, ?, ?, '' from room where code = ?",
                (camera_uuid, name, cameras[name].address, ODD_ROOM),
            )
    return uuids


def _seed(
    folder: Path, settings: Settings, cameras: RunningCameras, password: str, logins: list[demo_people.Login]
) -> dict[str, str]:
    now_us = CLOCK.wall_us()
    wanted = {plan.name for plan in demo_site.camera_plans(password)}
    addresses = {camera.name: camera.address for camera in cameras.cameras if camera.name in wanted}
    demo_site.write_site_plan(folder / "site.toml", demo_site.plan_day(now_us), addresses, password)
    WriterDatabase(settings.footage_db, "footage").close()
    vault = Vault.open(settings.site_key)
    database = WriterDatabase(settings.exam_db, "exam")
    checkpoints = Checkpoints(database, settings.keys_folder, "exam")
    vocabulary = Vocabulary(load_procedures(), load_roster_columns())
    import_file(database, vault, WantedImport(folder / "site.toml"), vocabulary, now_us)
    hashes = {login.name: accounts.hash_password(login.password) for login in logins}
    with database.write() as connection:
        demo_people.create_accounts(connection, logins, hashes, now_us)
        change_mode(connection, None, RecordingMode.ALL_DAY, Who(1, "试验"), now_us)
        rows = connection.execute("select uuid, address from camera").fetchall()
    checkpoints.sign(now_us)
    checkpoints.close()
    database.close()
    by_address = {address: name for name, address in addresses.items()}
    return {by_address[row["address"]]: row["uuid"] for row in rows}
