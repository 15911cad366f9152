"""The shortened exam day: simulated cameras and people around the real services.

Everything a real site does by hand happens here by the same doors: the site plan and the roster
are imported, the services are started as `serve` starts them, and people use HTTP only.
"""

import json
import secrets
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

import httpx

from config.machine import ROOT
from config.procedures import load_procedures
from config.roster_columns import load_roster_columns
from config.settings import KioskSettings, RecorderSettings, Settings, WebSettings
from config.stop_signals import once_on_signals
from evidence import accounts
from evidence.checkpoints import Checkpoints, Signing
from evidence.database import WriterDatabase
from evidence.import_file import Vocabulary, WantedImport, import_file
from evidence.stretched_numbers import keep
from evidence.vault import Vault
from exam.clock import SECOND_US, SystemClock, site_time
from rehearsal import cast, demo_people, demo_site
from rehearsal.camera_server import RunningCameras, running_cameras
from rehearsal.demo_settings import write_settings

READY_PATIENCE_US: Final = 120 * SECOND_US
Say = Callable[[str], None]


class Supervisor(Protocol):
    """Keeps child processes running; run.py has the real one."""

    def stop(self) -> None:
        """Ask every child to finish."""
        ...

    def run(self) -> int:
        """Keep the children running until stopped."""
        ...


class DemoError(RuntimeError):
    """The demo cannot run; the message says why."""


@dataclass(slots=True)
class Demo:
    """One demo day in its own folder."""

    folder: Path | None
    port: int
    say: Say
    _clock: SystemClock = field(default_factory=SystemClock)
    _stopping: threading.Event = field(default_factory=threading.Event)
    _logins: list[demo_people.Login] = field(default_factory=demo_people.invent_logins)

    def run(self, make_supervisor: Callable[[dict[str, list[str]]], Supervisor], *, once: bool) -> int:
        """Run the day; 0 when everything planned is in the databases (`once`), or when ended by Ctrl-C."""
        once_on_signals(self._stopping.set)
        folder = self._own_folder()
        settings = self._settings(folder)
        self.say(f"The day's files: {folder}")
        password = secrets.token_hex(8)
        self.say("Preparing the simulated cameras (drawn and encoded once, kept in var/cache) ...")
        with running_cameras(demo_site.camera_plans(password), folder) as cameras:
            day = self._seed(folder, settings, cameras, password)
            supervisor = make_supervisor(self._commands(folder))
            keeper = threading.Thread(target=supervisor.run, name="services")
            keeper.start()
            try:
                self._wait_until_ready(settings, keeper)
                return self._live(folder, settings, cameras, day, once=once)
            finally:
                supervisor.stop()
                keeper.join()

    def _own_folder(self) -> Path:
        now = site_time(self._clock.wall_us())
        folder = self.folder or ROOT / "var" / "demo" / f"{now:%Y%m%d-%H%M%S}"
        if folder.exists() and any(folder.iterdir()):
            raise DemoError(f"folder {folder} is not empty; a demo day needs a folder of its own")
        folder.mkdir(parents=True, exist_ok=True)
        return folder.resolve()

    def _settings(self, folder: Path) -> Settings:
        settings = Settings(
            data_folder=folder / "site",
            web=WebSettings(port=self.port),
            # Short files, so that a moment can be played back seconds after it happened.
            # Without the immutable flag: who tries the demo must be able to delete it.
            recorder=RecorderSettings(segment_seconds=6, immutable=False),
            kiosk=KioskSettings(
                port=self.port + 10,
                server=f"http://127.0.0.1:{self.port}",
                camera=f"folder:{folder / 'kiosk-camera'}",
            ),
        )
        (folder / "kiosk-camera").mkdir()
        write_settings(folder / "kaochang.toml", settings)
        return settings

    def _commands(self, folder: Path) -> dict[str, list[str]]:
        tail = ["--settings", str(folder / "kaochang.toml")]
        return {name: [str(ROOT / "run.py"), name, *tail] for name in ("web", "recorder", "kiosk")}

    def _seed(
        self, folder: Path, settings: Settings, cameras: RunningCameras, password: str
    ) -> "demo_site.DemoDay":
        hashes = {login.name: accounts.hash_password(login.password) for login in self._logins}
        vault = Vault.open(settings.site_key)
        # Slow on purpose, so before the day begins: at a real site it is done the day before.
        stretched = cast.stretched_numbers(vault)
        day = demo_site.plan_day(self._clock.wall_us())
        addresses = {camera.name: camera.address for camera in cameras.cameras}
        demo_site.write_site_plan(folder / "site.toml", day, addresses, password)
        cast.write_roster(folder / "roster.xlsx")
        database = WriterDatabase(settings.exam_db, "exam")
        vocabulary = Vocabulary(load_procedures(), load_roster_columns())
        checkpoints = Checkpoints(database, settings.keys_folder, "exam")
        with closing(database), closing(Signing(checkpoints, self._clock)):
            for wanted in (
                WantedImport(folder / "site.toml"),
                WantedImport(folder / "roster.xlsx", demo_site.BATCH),
            ):
                import_file(database, vault, wanted, vocabulary, self._clock.wall_us())
            with database.write() as connection:
                keep(connection, vault, stretched)
                demo_people.create_accounts(connection, self._logins, hashes, self._clock.wall_us())
        return day

    def _live(
        self,
        folder: Path,
        settings: Settings,
        cameras: RunningCameras,
        day: "demo_site.DemoDay",
        *,
        once: bool,
    ) -> int:
        self._greet(settings, day)
        people = demo_people.DemoPeople(settings, folder, self._logins, day, self._clock)
        people.come(self._stopping)
        while self._clock.wall_us() < day.end_us and not self._stopping.wait(0.5):
            pass
        people.go()
        if once:
            if self._stopping.is_set():
                return 1
            return self._report(people.summary(cameras))
        if not self._stopping.is_set():
            self.say("The day is over. Look at it in playback; Ctrl-C ends the demo.")
            self._stopping.wait()
        return 0

    def _wait_until_ready(self, settings: Settings, keeper: threading.Thread) -> None:
        deadline_us = self._clock.monotonic_us() + READY_PATIENCE_US
        waiting = [
            f"http://127.0.0.1:{settings.web.port}/healthz",
            f"http://127.0.0.1:{settings.kiosk.port}/local/state",
        ]
        while waiting and not self._stopping.wait(0.2):
            if not keeper.is_alive():
                raise DemoError("the services could not start; the lines above say why")
            if self._clock.monotonic_us() > deadline_us:
                raise DemoError(f"no answer from {waiting[0]}; the lines above say why")
            if _answers(waiting[0]):
                waiting.pop(0)

    def _greet(self, settings: Settings, day: "demo_site.DemoDay") -> None:
        self.say(f"\nConsole  http://127.0.0.1:{settings.web.port}/")
        self.say(f"Kiosk    http://127.0.0.1:{settings.kiosk.port}/")
        self.say("Invented accounts, all with the password " + self._logins[0].password)
        for login in self._logins:
            self.say(f"  {login.name:11} {login.display_name} ({', '.join(login.roles)})")
        start, end = site_time(day.theory_start_us), site_time(day.end_us)
        self.say(f"Theory starts at {start:%H:%M:%S}; the day ends at {end:%H:%M:%S}.\n")

    def _report(self, found: dict[str, Any]) -> int:
        sys.stdout.write(json.dumps(found, ensure_ascii=False, indent=2) + "\n")
        sys.stdout.flush()
        return 1 if found["missing"] or found["troubles"] else 0


def _answers(address: str) -> bool:
    try:
        return httpx.get(address, timeout=2.0, trust_env=False).is_success
    except httpx.TransportError:
        return False
