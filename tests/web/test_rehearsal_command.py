"""`run.py rehearse`: what it refuses, and one rehearsal as a process beside a real loudspeaker program."""

import io
import json
import os
import signal
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path

import httpx
import pytest

from config.settings import Settings
from evidence import speakers
from evidence.check_facts import EXAM_FACTS, check_facts
from evidence.database import ReaderDatabase, WriterBusyError, WriterDatabase, writer_lock
from evidence.plan_changes import arm_session
from evidence.rehearsals import rehearsals_of
from exam.clock import MINUTE_US, SECOND_US, SystemClock, site_time
from exam.rehearsal import Became
from rehearsal.console_client import ConsoleClient
from tests.kiosk.stage import free_port
from tests.kiosk.test_speaker_command import SPEAK
from tests.web.rehearsals import plan_for_tomorrow
from tests.world import PASSWORD, START_US, World, build_world
from web.rehearsal_command import Asked, Plan, RehearsalError, kept_closed, main, prepare, stop_console
from web.rehearsal_folder import clear_left, folder_of

ROOT = Path(__file__).resolve().parents[2]
REHEARSE = (
    "import json, sys; from config.settings import Settings; from web.rehearsal_command import main;"
    "sys.exit(main(sys.argv[2:], lambda _: Settings.model_validate(json.loads(sys.argv[1]))))"
)
DAY_BEFORE_US = START_US - 20 * 60 * MINUTE_US


@pytest.fixture
def world(tmp_path: Path) -> World:
    """The test closes it: only then may anybody else write."""
    return build_world(tmp_path)


def settings_of(world: World) -> Settings:
    world.close()
    return Settings(data_folder=world.folder)


def prepared(settings: Settings, now_us: int, asked: Asked) -> Plan:
    with kept_closed(settings) as lock:
        return prepare(settings, lock, now_us, asked)


def refused(
    world: World, now_us: int = DAY_BEFORE_US, name: str = "liqiang", password: str = PASSWORD
) -> str:
    settings = settings_of(world)
    with pytest.raises(RehearsalError) as raised:
        prepared(settings, now_us, Asked(name, password))
    assert not folder_of(settings).exists()
    return str(raised.value)


def test_the_plan_of_the_next_day_is_laid_with_the_keys_that_tablets_trust_and_no_others(
    world: World,
) -> None:
    settings = settings_of(world)
    (settings.keys_folder / "ca.crt").write_text("ca")
    plan = prepared(settings, DAY_BEFORE_US, Asked("LiQiang ", PASSWORD))
    assert plan.day.isoformat() == "2026-11-22"
    assert [one.code for one in plan.sessions] == ["T1"]
    assert plan.account_id == world.site_lead_account_id
    laid = folder_of(settings)
    assert sorted(path.name for path in (laid / "keys").iterdir()) == ["ca.crt", "site.key"]
    assert (laid / "keys").stat().st_mode & 0o77 == 0
    assert (laid / "exam.db").exists()


def test_who_may_not_or_does_not_prove_who_they_are_is_refused(world: World) -> None:
    assert "password is wrong" in refused(world, password="something else")


def test_a_name_nobody_has_is_refused_in_the_same_words(world: World) -> None:
    assert "password is wrong" in refused(world, name="nobody")


def test_a_proctor_does_not_rehearse_the_day(world: World) -> None:
    assert "site lead" in refused(world, name="wangfang")


@pytest.mark.parametrize("minutes", [-119, 0, 60 + 119])
def test_nobody_rehearses_beside_an_exam(world: World, minutes: int) -> None:
    assert "T1 is too near" in refused(world, START_US + minutes * MINUTE_US)


def test_a_day_that_is_over_is_not_rehearsed(world: World) -> None:
    assert "no exam day lies ahead" in refused(world, START_US + 24 * 60 * MINUTE_US)


def test_a_day_without_sessions_is_not_rehearsed(world: World) -> None:
    settings = settings_of(world)
    day = site_time(START_US + 24 * 60 * MINUTE_US).date()
    with pytest.raises(RehearsalError, match="2026-11-23"):
        prepared(settings, DAY_BEFORE_US, Asked("liqiang", PASSWORD, day))


def test_while_the_console_runs_nothing_is_rehearsed(world: World) -> None:
    settings = Settings(data_folder=world.folder)
    with pytest.raises(RehearsalError, match="is running"), kept_closed(settings):
        pass
    world.close()


def test_while_it_is_rehearsed_neither_console_nor_second_rehearsal_comes_near(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_of(world)
    monkeypatch.setattr(sys, "stdin", io.StringIO("something else\n"))
    with kept_closed(settings) as lock:
        prepare(settings, lock, DAY_BEFORE_US, Asked("liqiang", PASSWORD))
        with pytest.raises(WriterBusyError):
            WriterDatabase(settings.exam_db, "exam")
        assert main(["--by", "liqiang"], lambda _: settings) == 1
        assert "another rehearsal, is running" in capsys.readouterr().err
        assert (folder_of(settings) / "exam.db").exists(), "what runs there is not taken away"
    WriterDatabase(settings.exam_db, "exam").close()


def test_a_day_that_is_armed_is_not_rehearsed_beside_itself(world: World) -> None:
    with world.exam.write() as connection:
        arm_session(connection, world.session_id, world.site_lead_account_id, DAY_BEFORE_US)
    assert "T1 is armed" in refused(world)


def test_a_session_that_nobody_knows_how_to_ring_is_named_and_not_left_out(world: World) -> None:
    with world.exam.write() as connection:
        connection.execute("update session set procedure_code = 'gone'")
    assert "T1 (gone)" in refused(world)


@pytest.mark.parametrize(
    "words", [["--speed", "nan"], ["--speed", "-2"], ["--speed", "0"], ["--gather", "-1"], ["--day", "soon"]]
)
def test_what_cannot_be_meant_is_refused_before_anybody_is_asked(words: list[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(words, lambda _: Settings())


def test_what_a_killed_rehearsal_left_is_taken_away_with_its_keys_when_the_console_starts(
    world: World,
) -> None:
    settings = settings_of(world)
    prepared(settings, DAY_BEFORE_US, Asked("liqiang", PASSWORD))
    laid = folder_of(settings)
    assert laid.stat().st_mode & 0o77 == 0
    with closing(WriterDatabase(settings.exam_db, "exam")) as real:
        with writer_lock(laid / "exam.db"):
            assert "cannot be cleared" in clear_left(settings, real, DAY_BEFORE_US), "one that runs stays"
        assert clear_left(settings, real, DAY_BEFORE_US) == ""
    assert not laid.exists()


def test_a_folder_that_cannot_be_made_is_told_in_a_sentence(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    plan_for_tomorrow(world, "demo_theory")
    settings = settings_of(world)
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{PASSWORD}\n"))
    (settings.keys_folder / "ca.key").mkdir()  # copying it fails as it does on a full disk
    assert main(["--by", "liqiang"], lambda _: settings) == 1
    assert "see whether the disk is full" in capsys.readouterr().err
    assert not folder_of(settings).exists()


def test_nobody_but_the_own_console_is_told_to_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: told.append((pid, number)))
    stop_console(os.getpid())  # it was killed, and this worker has another parent now
    assert told == []
    stop_console(os.getppid())
    assert told == [(os.getppid(), signal.SIGTERM)]


def test_without_a_site_there_is_nothing_to_rehearse(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n"))
    assert main(["--by", "liqiang"], lambda _: Settings(data_folder=tmp_path / "none")) == 1
    assert "take in a site plan first" in capsys.readouterr().err
    assert not (tmp_path / "none" / "exam.db").exists()


def short_procedure(folder: Path) -> Path:
    """Start, stop and what people may press: the demo's own words."""
    head, *cues = (ROOT / "config/procedures/demo_theory.toml").read_text(encoding="utf-8").split("[[cues]]")
    head = "".join(line for line in head.splitlines(keepends=True) if "_step" not in line)
    kept = [one for one in cues if any(f'code = "{code}"' in one for code in ("C5", "C8", "X1", "X2", "X3"))]
    folder.mkdir()
    (folder / "short.toml").write_text("[[cues]]".join([head, *kept]), encoding="utf-8")
    return folder


def enrolled_speaker(world: World, folder: Path, address: str) -> None:
    """What the enrolment of a loudspeaker program of 第1考场 leaves on its machine."""
    now_us = SystemClock().wall_us()
    with world.exam.write() as connection:
        code = speakers.invite(connection, "音箱", [world.room_1], now_us)
        token = speakers.enrol(connection, code, now_us)
    (folder / "speaker").mkdir(parents=True)
    (folder / "speaker" / "place.json").write_text(json.dumps({"url": address, "token": token}))


def until_the_first_signal(address: str) -> None:
    """The site lead looks at the page."""
    lead, clock = ConsoleClient(address), SystemClock()
    for _ in range(600):
        clock.sleep_us(SECOND_US // 5)
        with suppress(httpx.TransportError):
            lead.log_in("liqiang", PASSWORD)
            break
    for _ in range(600):
        clock.sleep_us(SECOND_US // 5)
        if "已播放1个" in lead.get("/rehearsal/live").text:
            break
    lead.close()


@pytest.mark.live
def test_a_loudspeaker_program_rings_until_the_lead_has_heard_enough_and_the_site_has_the_record(
    world: World, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder, port = tmp_path_factory.mktemp("rehearsal"), free_port()
    start_us = plan_for_tomorrow(world)
    enrolled_speaker(world, folder / "machine", f"http://127.0.0.1:{port}")
    world.close()
    chosen = {
        "data_folder": str(world.folder),
        "procedures_folder": str(short_procedure(folder / "procedures")),
        "web": {"port": port},
    }
    words = ["--by", "liqiang", "--gather", "12"]
    rehearsing = subprocess.Popen(
        [sys.executable, "-c", REHEARSE, json.dumps(chosen), *words],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    speaker = subprocess.Popen(
        [sys.executable, "-c", SPEAK, str(folder / "machine"), "--player", "sh -c 'sleep 3' {file}"],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert rehearsing.stdin is not None
        rehearsing.stdin.write(f"{PASSWORD}\n")
        rehearsing.stdin.flush()
        until_the_first_signal(f"http://127.0.0.1:{port}")
        os.killpg(rehearsing.pid, signal.SIGINT)  # as Ctrl-C does: the worker gets it as well
        said, _ = rehearsing.communicate(timeout=120)
    finally:
        for child in (rehearsing, speaker):
            child.kill()
            child.wait()
    assert "2 of 4 signals rehearsed, 1 not heard." in said, said
    [room] = json.loads((folder / "machine" / "speaker" / "schedule.json").read_text())
    assert [cue["may_sound"] for cue in room["cues"] if cue["cue"] == "C8"] == [False]
    assert rehearsing.returncode == 1
    assert PASSWORD not in said
    check_record(world, start_us)


def check_record(world: World, start_us: int) -> None:
    """What the site has of the rehearsal, and of nothing else."""
    assert not (world.folder / "rehearsal").exists()
    with closing(ReaderDatabase(world.folder / "exam.db")) as real, real.read() as connection:
        [kept] = rehearsals_of(connection, site_time(start_us).date().isoformat())
        assert list(check_facts(connection, EXAM_FACTS)) == []
        assert connection.execute("select armed_at_us from session").fetchone()[0] is None
        assert connection.execute("select count(*) from announcement").fetchone()[0] == 0
    became = {(one.room, one.cue): one.became for one in kept.rehearsed.signals}
    assert became == {
        ("第1考场", "C5"): Became.HEARD,
        ("第2考场", "C5"): Became.SILENT,
        ("第1考场", "C8"): Became.NOT_REACHED,
        ("第2考场", "C8"): Became.NOT_REACHED,
    }
    assert kept.by == "李强"
