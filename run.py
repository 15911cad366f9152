"""The front door of Kaochang, and the place where real things are put together. No rules.

Standard library only until the project's own environment exists: every command first makes sure
that the machine has what it needs, then starts again inside `.venv`.
"""

import argparse
import errno
import importlib
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final

if sys.version_info < (3, 11):  # noqa: UP036 - this sentence is for people whose Python is older
    sys.exit(f"Kaochang needs Python 3.11 or newer; this is {sys.version.split()[0]}.")

from config.machine import ROOT, VENV, Machine, MachineError, Purpose
from config.supervisor import Supervisor
from exam.clock import SystemClock

if TYPE_CHECKING:
    from config.settings import Settings

DEFAULT_SETTINGS: Final = Path("kaochang.toml")
BENCHES: Final = (
    "recorder",
    "checkin",
    "scanner",
    "import",
    "playback",
    "export",
    "ledger",
    "index",
    "fixity",
    "roster",
    "signals",
)
# Long trials of the running services, each a module of tests/soak with `main(words)`.
SOAKS: Final[tuple[str, ...]] = (
    *("bags", "export_live", "mutations", "mutants", "syscalls", "faults", "kills", "power_cut", "volumes"),
    *("health", "early_deletion", "disposal_kills", "archive_mutations", "fixity", "damaged"),
    *("signal_days", "agreement"),
)
# Commands that read their own words: a module with `main(words, settings_at) -> exit status`, and the help.
TOOLS: Final[dict[str, tuple[str, str]]] = {
    "export": ("recorder.export_command", "export footage as bags that prove themselves"),
    "verify": ("evidence.verify_command", "verify an exported bag with a key from outside it"),
    "check": ("recorder.check_command", "check that databases, ledgers and footage files are whole"),
    "rehearse": ("web.rehearsal_command", "rehearse the signals of an exam day with the rooms' players"),
    "speaker": ("kiosk.speaker_command", "sound in rooms or on the public address, without a screen"),
    "rebuild": ("recorder.rebuild_command", "make a lost or damaged footage index anew from the footage"),
}


def say(sentence: str) -> None:
    """Tell the person at the terminal; stdout is kept for results."""
    print(sentence, file=sys.stderr, flush=True)


def parser() -> argparse.ArgumentParser:
    """All commands with their help in plain words."""
    top = argparse.ArgumentParser(
        prog="run.py",
        description="Kaochang (考场): runs an exam day on this machine: check-in, signals, recording.",
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    demo = commands.add_parser("demo", help="a whole shortened exam day with simulated cameras and people")
    demo.add_argument(
        "--once", action="store_true", help="run the day without anybody watching, print a JSON summary"
    )
    demo.add_argument(
        "--folder", type=Path, help="where to keep the day's files (default: a new one below var/demo)"
    )
    demo.add_argument("--port", type=int, default=8600, help="port of the console (default 8600)")

    serve = commands.add_parser("serve", help="run the site: console, recorder and this machine's kiosk")
    for name, sentence in (
        ("web", "run the console alone"),
        ("recorder", "run the recorder alone"),
        ("kiosk", "run this machine's check-in kiosk alone"),
    ):
        command = commands.add_parser(name, help=sentence)
        _settings_option(command)
        if name == "kiosk":
            command.add_argument(
                "--enrol", action="store_true", help="make it a kiosk of the console whose text you paste"
            )
    _settings_option(serve)

    for name, sentence in (
        ("camera", "simulated room cameras (RTSP)"),
        *((name, sentence) for name, (_module, sentence) in TOOLS.items()),
    ):
        commands.add_parser(name, help=sentence, add_help=False).add_argument(
            "rest", nargs=argparse.REMAINDER
        )

    importer = commands.add_parser(
        "import", help="take in a site plan (.toml), a roster (.xlsx, .csv) or its photos (.zip, folder)"
    )
    importer.add_argument("file", type=Path, help="the file or folder to take in")
    importer.add_argument("--batch", help="batch code the roster or the photos belong to")
    importer.add_argument("--dry-run", action="store_true", help="check and report, change nothing")
    _settings_option(importer)

    test = commands.add_parser("test", help="check style, types, rules of the house and every test")
    test.add_argument("rest", nargs=argparse.REMAINDER, help="further words go to pytest")

    bench = commands.add_parser("bench", help=f"measure: {', '.join(BENCHES)}")
    bench.add_argument("name", choices=BENCHES)
    bench.add_argument("rest", nargs=argparse.REMAINDER, help="further words go to the benchmark")

    soak = commands.add_parser("soak", help=f"long trials of the running services: {', '.join(SOAKS)}")
    soak.add_argument("name", choices=SOAKS)
    soak.add_argument("rest", nargs=argparse.REMAINDER, help="further words go to the trial")
    return top


def _settings_option(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--settings", type=Path, help="settings file (default: kaochang.toml, if there is one)"
    )


PURPOSES: Final = {
    "demo": Purpose.DEMO,
    "camera": Purpose.DEMO,
    "test": Purpose.TESTS,
    "bench": Purpose.TESTS,
    "soak": Purpose.TESTS,
}
# What works on the project itself, not on a site's files.
WORKSHOP: Final = ("test", "bench", "soak")


def parsed(argv: list[str]) -> argparse.Namespace:
    """The command and its words. What follows 'camera' or a tool is passed on untouched, --help included."""
    if argv[:1] == ["camera"] or (argv and argv[0] in TOOLS):
        return argparse.Namespace(command=argv[0], rest=argv[1:])
    return parser().parse_args(argv)


def main(argv: list[str]) -> int:
    """Prepare the machine, enter the environment, run the command; return its exit status."""
    arguments = parsed(argv)
    try:
        python = Machine(say).prepare(PURPOSES.get(arguments.command, Purpose.PRODUCT))
    except MachineError as error:
        say(str(error))
        return 1
    if Path(sys.prefix).resolve() != VENV.resolve():
        os.chdir(ROOT if arguments.command in WORKSHOP else Path.cwd())
        os.execv(python, [str(python), str(ROOT / "run.py"), *argv])  # noqa: S606 - our own interpreter
    if arguments.command not in WORKSHOP:
        os.umask(0o077)  # footage and rosters are for the account that runs the site, not for its guests
    run: Callable[[argparse.Namespace], int] = COMMANDS[arguments.command]
    return run(arguments)


def _settings(arguments: argparse.Namespace) -> "Settings":
    return settings_at(arguments.settings)


def settings_at(path: Path | None) -> "Settings":
    """The settings in this file; without one those of kaochang.toml, else the defaults. Ends the program."""
    from config.settings import SettingsError, load_settings

    if path is None and DEFAULT_SETTINGS.exists():
        path = DEFAULT_SETTINGS
    try:
        return load_settings(path)
    except SettingsError as error:
        raise SystemExit(str(error)) from error


def run_service(arguments: argparse.Namespace) -> int:
    """One service in this process, until it is told to stop."""
    from config.logs import configure_logs

    settings = _settings(arguments)
    clock = SystemClock()
    configure_logs()
    if getattr(arguments, "enrol", False):
        from kiosk.enrolment import enrol_from_input

        return enrol_from_input(settings, sys.stdin.readline, say)
    try:
        serve: Callable[[Settings, SystemClock], int] = importlib.import_module(
            f"{arguments.command}.service"
        ).serve
        return serve(settings, clock)
    except (OSError, RuntimeError) as error:
        say(f"{arguments.command}: {error}")
        return 1


def run_serve(arguments: argparse.Namespace) -> int:
    """Web, recorder and kiosk as supervised children."""
    settings = _settings(arguments)
    names = ["web", "recorder", *(["kiosk"] if settings.kiosk.enabled else [])]
    places = {"web": (settings.web.host, settings.web.port), "kiosk": ("127.0.0.1", settings.kiosk.port)}
    for name in [name for name in names if name in places]:
        trouble = _port_trouble(*places[name])
        if trouble:
            say(f"{name}: {trouble}; stop the other program or change [{name}] port in the settings")
            return 1
    chosen = arguments.settings or (DEFAULT_SETTINGS if DEFAULT_SETTINGS.exists() else None)
    tail = ["--settings", str(chosen)] if chosen else []
    # Without the console nothing else makes sense; without a disk or a kiosk the exam still goes on.
    supervisor = Supervisor({name: [str(ROOT / "run.py"), name, *tail] for name in names}, {"web"})
    supervisor.stop_on_signals()
    return supervisor.run()


def _port_trouble(host: str, port: int) -> str:
    """Why nothing can listen there, in words; empty when it can."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return f"port {port} on {host} is already in use"
            return f"port {port} on {host} cannot be used ({error.strerror})"
    return ""


def run_camera(arguments: argparse.Namespace) -> int:
    """Simulated cameras, until stopped."""
    from rehearsal.camera_server import main as camera_main

    return camera_main(arguments.rest)


def run_tool(arguments: argparse.Namespace) -> int:
    """One command with words of its own."""
    module, _help = TOOLS[arguments.command]
    tool_main: Callable[[list[str], Callable[[Path | None], Settings]], int]
    tool_main = importlib.import_module(module).main
    return tool_main(arguments.rest, settings_at)


def run_import(arguments: argparse.Namespace) -> int:
    """Take in a site plan, a roster or its photos; everything or nothing."""
    from config.procedures import load_procedures
    from config.roster_columns import load_roster_columns
    from evidence.checkpoints import Checkpoints, Signing
    from evidence.database import DatabaseError, WriterDatabase
    from evidence.import_file import ImportRefusedError, Vocabulary, WantedImport, import_file
    from evidence.vault import Vault, VaultError

    settings = _settings(arguments)
    wanted = WantedImport(arguments.file, arguments.batch, arguments.dry_run)
    vocabulary = Vocabulary(load_procedures(settings.procedures_folder), load_roster_columns())
    try:
        vault = Vault.open(settings.site_key, settings.exam_db)
        database = WriterDatabase(settings.exam_db, "exam")
    except (DatabaseError, VaultError) as error:
        say(f"{error}\n(While the site is running, take rosters in on the console's 花名册 page.)")
        return 1
    clock = SystemClock()
    try:
        with closing(Signing(Checkpoints(database, settings.keys_folder, "exam"), clock)):
            print(import_file(database, vault, wanted, vocabulary, clock.wall_us()))
    except (DatabaseError, ImportRefusedError) as error:
        say(str(error))
        return 1
    finally:
        database.close()
    return 0


def run_demo(arguments: argparse.Namespace) -> int:
    """The shortened exam day."""
    from rehearsal.camera_server import CamerasNotReadyError
    from rehearsal.demo import Demo

    for port in (arguments.port, arguments.port + 10):
        trouble = _port_trouble("127.0.0.1", port)
        if trouble:
            say(f"demo: {trouble}; stop the other program or choose --port")
            return 1
    demo = Demo(folder=arguments.folder, port=arguments.port, say=say)
    try:
        return demo.run(Supervisor, once=arguments.once)
    except (RuntimeError, CamerasNotReadyError) as error:
        say(f"demo: {error}")
        return 1


def run_test(arguments: argparse.Namespace) -> int:
    """Style, types, house rules, tests, coverage floors; stops at the first that fails."""
    rest = [word for word in arguments.rest if word != "--"]
    binary = VENV / "bin"
    checks = [
        [str(binary / "ruff"), "check", "--quiet", "."],
        [str(binary / "ruff"), "format", "--check", "--quiet", "."],
        [str(binary / "mypy")],
        [str(binary / "lint-imports"), "--no-cache"],
        [str(binary / "coverage"), "erase"],
    ]
    code = next((code for code in map(_step, checks) if code), 0)
    if code:
        return code
    if rest:
        return _step([sys.executable, "-m", "pytest", *rest])
    modules = ("tests.every_test", "tests.coverage_floors")
    return next((code for code in (_step([sys.executable, "-m", name]) for name in modules) if code), 0)


def _step(command: list[str]) -> int:
    say(f"== {Path(command[0]).name} {' '.join(command[1:])}")
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def run_bench(arguments: argparse.Namespace) -> int:
    """One benchmark; JSON on stdout, progress on stderr."""
    module = {"import": "import_roster"}.get(arguments.name, arguments.name)
    return _workshop_main(f"tests.bench.{module}", arguments.rest)


def run_soak(arguments: argparse.Namespace) -> int:
    """One long trial; its table on stdout, progress on stderr."""
    return _workshop_main(f"tests.soak.{arguments.name}", arguments.rest)


def _workshop_main(module: str, rest: list[str]) -> int:
    main_function: Callable[[list[str]], int] = importlib.import_module(module).main
    return main_function([word for word in rest if word != "--"])


COMMANDS: Final[dict[str, Callable[[argparse.Namespace], int]]] = {
    "demo": run_demo,
    "serve": run_serve,
    "web": run_service,
    "recorder": run_service,
    "kiosk": run_service,
    "camera": run_camera,
    "import": run_import,
    "test": run_test,
    "bench": run_bench,
    "soak": run_soak,
    **dict.fromkeys(TOOLS, run_tool),
}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
