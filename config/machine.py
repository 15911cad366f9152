"""What a machine must have before Kaochang can run, and how it gets it.

Standard library only: this runs before anything is installed. A need is probed by what it does
(the program runs, the library loads), not by a package's name, because sites install the same
thing from different places.
"""

import ctypes
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
VENV: Final = ROOT / ".venv"
STAMP: Final = VENV / "installed.sha256"


class Purpose(StrEnum):
    """What the machine is about to do; each needs more than the one before."""

    PRODUCT = "product"
    DEMO = "demo"
    TESTS = "tests"


class MachineError(Exception):
    """The machine lacks something; the message is the sentence to print."""


@dataclass(frozen=True, slots=True)
class Need:
    """One thing the machine must have, and the Debian package that brings it."""

    package: str
    reason: str
    is_there: Callable[[], bool]
    purpose: Purpose = Purpose.PRODUCT


def _program(*names: str) -> Callable[[], bool]:
    return lambda: all(shutil.which(name) for name in names)


def _library(*names: str) -> Callable[[], bool]:
    def loads() -> bool:
        try:
            for name in names:
                ctypes.CDLL(name)
        except OSError:
            return False
        return True

    return loads


def _chinese_font() -> bool:
    folders = ("/usr/share/fonts", "/usr/local/share/fonts")
    return any(
        Path(folder, kind, "noto", "NotoSansCJK-Regular.ttc").exists()
        for folder in folders
        for kind in ("opentype", "truetype")
    )


def _venv_module() -> bool:
    return importlib.util.find_spec("ensurepip") is not None and importlib.util.find_spec("venv") is not None


NEEDS: Final = (
    Need("python3-venv", "own Python environment", _venv_module),
    Need("ffmpeg", "records and reads video", _program("ffmpeg", "ffprobe")),
    Need("libzbar0", "reads ticket barcodes", _library("libzbar.so.0")),
    Need("libgl1", "OpenCV", _library("libGL.so.1")),
    Need("libglib2.0-0", "OpenCV", _library("libgthread-2.0.so.0")),
    Need("fonts-noto-cjk", "Chinese type on screen and paper", _chinese_font),
    Need("libpango-1.0-0", "prints PDF", _library("libpango-1.0.so.0")),
    Need("libpangoft2-1.0-0", "prints PDF", _library("libpangoft2-1.0.so.0")),
    Need("libharfbuzz-subset0", "prints PDF", _library("libharfbuzz-subset.so.0")),
    Need("espeak-ng", "speaks the announcements", _program("espeak-ng")),
    Need("nodejs", "installs the front-end packages", _program("node")),
    Need("npm", "installs the front-end packages", _program("npm")),
    Need("util-linux", "ties recorder children to their parent", _program("setpriv")),
    Need("poppler-utils", "shows printed tickets to the simulated kiosk", _program("pdftoppm"), Purpose.DEMO),
    Need("chromium", "the tests look at every page in a real browser", _program("chromium"), Purpose.TESTS),
)

_INCLUDED: Final = {
    Purpose.PRODUCT: {Purpose.PRODUCT},
    Purpose.DEMO: {Purpose.PRODUCT, Purpose.DEMO},
    Purpose.TESTS: {Purpose.PRODUCT, Purpose.DEMO, Purpose.TESTS},
}


def missing(purpose: Purpose, needs: Iterable[Need] = NEEDS) -> list[Need]:
    """What this machine lacks for the purpose."""
    return [need for need in needs if need.purpose in _INCLUDED[purpose] and not need.is_there()]


def install_line(lacking: Iterable[Need]) -> str:
    """The exact command a person would type."""
    packages = " ".join(need.package for need in lacking)
    return f"apt-get update && apt-get install -y --no-install-recommends {packages}"


def prepare(purpose: Purpose, say: Callable[[str], None]) -> Path:
    """Install what is missing; return the Python interpreter of the project's environment.

    Raises MachineError with the line to type when the machine lacks something we may not install.
    """
    _install_packages(purpose, say)
    requirements = _requirement_files(purpose)
    if not _is_installed(requirements):
        _install_python(requirements, say)
    if not _front_end_is_installed():
        _install_front_end(say)
    return VENV / "bin" / "python"


def _install_packages(purpose: Purpose, say: Callable[[str], None]) -> None:
    lacking = missing(purpose)
    if not lacking:
        return
    line = install_line(lacking)
    rights = _installer_rights()
    if rights is None:
        reasons = "\n".join(f"  {need.package}: {need.reason}" for need in lacking)
        raise MachineError(
            f"This machine lacks:\n{reasons}\nPlease run this as root, then start again:\n  {line}"
        )
    say(f"installing: {' '.join(need.package for need in lacking)}")
    _run(
        [*rights, "sh", "-c", f"export DEBIAN_FRONTEND=noninteractive; {line}"], "installing Debian packages"
    )
    still = missing(purpose)
    if still:
        names = ", ".join(f"{need.package} ({need.reason})" for need in still)
        raise MachineError(f"Installed, but still not usable: {names}")


def _installer_rights() -> list[str] | None:
    if shutil.which("apt-get") is None:
        return None
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if sudo and subprocess.run([sudo, "-n", "true"], capture_output=True, check=False).returncode == 0:
        return [sudo, "-n"]
    return None


def _requirement_files(purpose: Purpose) -> list[Path]:
    names = (
        ["requirements.txt"]
        if purpose is not Purpose.TESTS
        else ["requirements.txt", "requirements-test.txt"]
    )
    return [ROOT / name for name in names]


def _digest(requirement: Path) -> str:
    return f"{requirement.name} {hashlib.sha256(requirement.read_bytes()).hexdigest()}"


def _is_installed(requirements: list[Path]) -> bool:
    if not STAMP.exists() or not (VENV / "bin" / "python").exists():
        return False
    installed = STAMP.read_text(encoding="ascii").splitlines()
    return all(_digest(requirement) in installed for requirement in requirements)


def _install_python(requirements: list[Path], say: Callable[[str], None]) -> None:
    if not (VENV / "bin" / "python").exists():
        say("making the Python environment .venv")
        _run([sys.executable, "-m", "venv", str(VENV)], "making the Python environment")
    pip = [str(VENV / "bin" / "python"), "-m", "pip", "install", "--disable-pip-version-check", "--quiet"]
    for requirement in requirements:
        say(f"installing Python packages from {requirement.name} (a few minutes the first time)")
        _run([*pip, "--require-hashes", "-r", str(requirement)], f"installing {requirement.name}")
    earlier = STAMP.read_text(encoding="ascii").splitlines() if STAMP.exists() else []
    fresh = [_digest(requirement) for requirement in requirements]
    kept = [line for line in earlier if line.split()[0] not in {line.split()[0] for line in fresh}]
    STAMP.write_text("\n".join([*kept, *fresh]) + "\n", encoding="ascii")


def _front_end_stamp() -> Path:
    return ROOT / "node_modules" / "installed.sha256"


def _front_end_is_installed() -> bool:
    stamp = _front_end_stamp()
    return stamp.exists() and stamp.read_text(encoding="ascii") == _digest(ROOT / "package-lock.json")


def _install_front_end(say: Callable[[str], None]) -> None:
    say("installing the front-end packages")
    _run(["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"], "installing the front-end packages")
    _front_end_stamp().write_text(_digest(ROOT / "package-lock.json"), encoding="ascii")


def _run(command: list[str], doing: str) -> None:
    done = subprocess.run(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode != 0:
        tail = "\n".join(done.stdout.splitlines()[-15:])
        raise MachineError(f"{doing} failed (exit status {done.returncode}):\n{tail}")
