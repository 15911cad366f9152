"""The site of the signals bench: its rooms, interleaved sessions, one real console in its own process."""

import os
import signal
import subprocess
import sys
import wave
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from sqlite3 import Connection

import httpx
import numpy as np

from config.procedures import load_procedures
from config.settings import Settings, WebSettings
from evidence import accounts, logins, speakers
from evidence.accounts import NewAccount
from evidence.announcements import PlayedReport, load_reports
from evidence.checkpoints import Checkpoints, Signing
from evidence.database import WriterDatabase
from evidence.day import load_announced, load_rooms, load_sessions
from evidence.plan_changes import arm_session
from evidence.site_import import import_site
from evidence.vault import Vault
from exam.clock import SECOND_US, SystemClock
from exam.course import SessionCourse
from exam.cues import session_cues
from exam.day import Session
from tests.bench.big_site import BATCH
from tests.web.console import CHEAP_HASH
from web.signal_ticker import prepare_audio

ROOT = Path(__file__).resolve().parent.parent.parent
CLOCK = SystemClock()
# Two sessions at a time, the signals of one between those of the other; then the next two.
SHIFT_US = 4 * SECOND_US
PAIR_US = 66 * SECOND_US
DURATION_US = 22 * SECOND_US
# From the first signal to the planned start of the first session.
LEAD_US = 40 * SECOND_US
TONE_S = 0.2


@dataclass(frozen=True)
class Planned:
    """One signal in all rooms. `planned_us` hangs on the planned start, before anybody played anything."""

    session_id: int
    cue: str
    planned_us: int
    is_after_start: bool


@dataclass
class BenchSite:
    """Folder, settings and secrets of the site."""

    settings: Settings
    room_codes: list[str]
    # Token of each room's speaker; login of the site lead.
    tokens: dict[str, str]
    login: str
    consoles: "list[subprocess.Popen[bytes]]" = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.settings.web.port}"


def lay_site(folder: Path, port: int, rooms: int, sessions: int) -> BenchSite:
    """Rooms, sessions, a site lead who is logged in, and one enrolled speaker for each room."""
    settings = Settings(data_folder=folder, web=WebSettings(port=port, threads=300))
    settings.keys_folder.mkdir(parents=True)
    codes = [f"R{number:03d}" for number in range(1, rooms + 1)]
    plan = folder / "site.toml"
    plan.write_text(_plan(codes, sessions), encoding="utf-8")
    vault = Vault.open(settings.site_key)
    now_us = CLOCK.wall_us()
    with _written(settings) as connection:
        import_site(connection, vault, plan, load_procedures(), now_us)
        lead = accounts.create_account(
            connection, NewAccount("lead", "负责人", CHEAP_HASH, ("site_lead",), None), now_us
        )
        login = logins.open_login(connection, lead, now_us)
        tokens = {}
        for room in load_rooms(connection).values():
            code = speakers.invite(connection, f"音箱{room.code}", [room.id], now_us)
            token = speakers.enrol(connection, code, now_us)
            assert token is not None
            tokens[room.code] = token
    prepare_audio(settings)
    for sound in settings.audio_folder.glob("*.wav"):
        _write_tone(sound)
    return BenchSite(settings, codes, tokens, login)


def plan_day(site: BenchSite, first_in_us: int) -> list[Planned]:
    """Plan and arm the sessions so that the first signal comes so soon; every signal with its moment."""
    now_us = CLOCK.wall_us()
    with _written(site.settings) as connection:
        for number, session in enumerate(load_sessions(connection)):
            shift_us = number % 2 * SHIFT_US + number // 2 * PAIR_US
            start_us = now_us + first_in_us + LEAD_US + shift_us
            connection.execute(
                "update session set planned_start_us = ?, duration_us = ? where id = ?",
                (start_us, DURATION_US, session.id),
            )
            arm_session(connection, session.id, 1, now_us)
        found = [one for session in load_sessions(connection) for one in _signals(session)]
    return sorted(found, key=lambda one: one.planned_us)


def started_us(site: BenchSite) -> dict[tuple[int, str], int]:
    """T0 of each session and room as it was recorded: what later signals hang on."""
    with _written(site.settings) as connection:
        codes = {room.id: room.code for room in load_rooms(connection).values()}
        return {
            (session.id, codes[one.room_id]): one.emitted_at_us
            for session in load_sessions(connection)
            for one in load_announced(connection, session.id)
            if one.cue_code == "C5" and one.emitted_at_us is not None
        }


def all_reports(site: BenchSite) -> list[PlayedReport]:
    """What the players said."""
    with _written(site.settings) as connection:
        return [one for session in load_sessions(connection) for one in load_reports(connection, session.id)]


@contextmanager
def _written(settings: Settings) -> Iterator[Connection]:
    """The day's database while no console runs; what is written gets its signed checkpoint."""
    database = WriterDatabase(settings.exam_db, "exam")
    try:
        with (
            closing(Signing(Checkpoints(database, settings.keys_folder, "exam"), CLOCK)),
            database.write() as connection,
        ):
            yield connection
    finally:
        database.close()


@contextmanager
def console(site: BenchSite) -> Iterator[None]:
    """The real console; it may be killed meanwhile."""
    child = _start_console(site)
    site.consoles.append(child)
    try:
        yield
    finally:
        _kill(child)


def kill_consoles(site: BenchSite) -> None:
    """As a power cut would: nobody says goodbye."""
    for child in site.consoles:
        _kill(child)


def _kill(child: "subprocess.Popen[bytes]") -> None:
    if child.poll() is None:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def _start_console(site: BenchSite) -> "subprocess.Popen[bytes]":
    file = site.settings.data_folder / "bench.toml"
    web = site.settings.web
    file.write_text(
        f'data_folder = "{site.settings.data_folder}"\n[web]\nport = {web.port}\nthreads = {web.threads}\n'
        "[kiosk]\nenabled = false\n",
        encoding="utf-8",
    )
    with (site.settings.data_folder / "console.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, str(ROOT / "run.py"), "web", "--settings", str(file)],
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def wait_for_console(site: BenchSite) -> None:
    for _ in range(300):
        try:
            if httpx.get(f"{site.address}/healthz", timeout=1, trust_env=False).is_success:
                return
        except httpx.HTTPError:
            pass
        CLOCK.sleep_us(100_000)
    raise TimeoutError("the console did not come up")


def _signals(session: Session) -> list[Planned]:
    cues = session_cues(SessionCourse(session, load_procedures()[session.procedure_code]))
    room_id = session.room_ids[0]
    return [
        Planned(session.id, one.cue.code, one.planned_at_us, one.is_projected)
        for one in cues
        if one.room_id == room_id and one.cue.is_audible
    ]


def _plan(codes: list[str], sessions: int) -> str:
    lines = ["[site]", 'code = "BENCH"', 'name = "测量用考点"']
    for code in codes:
        lines += ["[[rooms]]", f'code = "{code}"', f'label = "第{code[1:]}考场"', 'kind = "theory"']
        lines += ["places = { rows = 1, columns = 1 }"]
    lines += ["[batch]", f'code = "{BATCH}"', 'name = "测量"', 'occupation = "电工"', 'level = "三级"']
    for number in range(1, sessions + 1):
        lines += ["[[sessions]]", f'code = "T{number}"', 'kind = "theory"', 'subject = "理论知识"']
        lines += ['procedure = "demo_theory"', f"start = 2026-11-22T{number * 2:02d}:00:00", "minutes = 90"]
        lines += [f"rooms = {codes}"]
    return "\n".join(lines)


def _write_tone(path: Path) -> None:
    """A short tone that is loud from its first sample, in place of words: rooms may not overlap in time."""
    at = np.arange(round(TONE_S * 22_050))
    tone = (9_000 * np.sign(np.cos(2 * np.pi * 440 * at / 22_050))).astype("<i2")
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(22_050)
        sound.writeframes(tone.tobytes())
