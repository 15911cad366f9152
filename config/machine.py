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
STAMP: Final = "installed.sha256"

Say = Callable[[str], None]
Run = Callable[[list[str], Path, str], None]


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


def _alsa_over_pulse() -> bool:
    return any(Path("/usr/lib").glob("*/alsa-lib/libasound_module_pcm_pulse.so"))


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
    Need("libpulse0", "the loudspeaker program sounds through PulseAudio", _library("libpulse-simple.so.0")),
    Need("libasound2", "the loudspeaker program sounds through ALSA", _library("libasound.so.2")),
    Need("nodejs", "installs the front-end packages", _program("node")),
    Need("npm", "installs the front-end packages", _program("npm")),
    Need("util-linux", "ties recorder children to their parent", _program("setpriv")),
    Need("e2fsprogs", "makes footage files immutable", _program("chattr", "lsattr")),
    Need("openssl", "verifies exported bags without this program", _program("openssl")),
    Need("poppler-utils", "shows printed tickets to the simulated kiosk", _program("pdftoppm"), Purpose.DEMO),
    Need("libatomic1", "drives the browser of the tests", _library("libatomic.so.1"), Purpose.TESTS),
    Need("pulseaudio", "the tests capture what players sound", _program("pulseaudio"), Purpose.TESTS),
    Need("pulseaudio-utils", "the tests capture what players sound", _program("parec"), Purpose.TESTS),
    Need("libasound2-plugins", "the tests sound through ALSA", _alsa_over_pulse, Purpose.TESTS),
    Need("strace", "the tests make system calls fail", _program("strace"), Purpose.TESTS),
    Need("chromium", "the benchmarks listen to a real browser", _program("chromium"), Purpose.TESTS),
    Need(
        "chromium-headless-shell",
        "the tests look at every page in a real browser",
        _program("chromium-headless-shell"),
        Purpose.TESTS,
    ),
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


def installer_rights() -> list[str] | None:
    """The words before a command that lets us install packages; None when we may not."""
    if shutil.which("apt-get") is None:
        return None
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if sudo and subprocess.run([sudo, "-n", "true"], capture_output=True, check=False).returncode == 0:
        return [sudo, "-n"]
    return None


def run_step(command: list[str], folder: Path, doing: str) -> None:
    """Run one installation step. Raises MachineError with its last lines when it fails."""
    done = subprocess.run(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode != 0:
        tail = "\n".join(done.stdout.splitlines()[-15:])
        raise MachineError(f"{doing} failed (exit status {done.returncode}):\n{tail}")


@dataclass(frozen=True, slots=True)
class Machine:
    """This machine and the project's folder on it; how things get installed is replaceable."""

    say: Say
    root: Path = ROOT
    needs: tuple[Need, ...] = NEEDS
    rights: Callable[[], list[str] | None] = installer_rights
    run: Run = run_step

    @property
    def python(self) -> Path:
        """The interpreter of the project's own environment."""
        return self.root / ".venv" / "bin" / "python"

    def prepare(self, purpose: Purpose) -> Path:
        """Install what is missing; return the Python interpreter of the project's environment.

        Raises MachineError with the line to type when the machine lacks something we may not install.
        """
        self._install_packages(purpose)
        names = ["requirements.txt", *(["requirements-test.txt"] if purpose is Purpose.TESTS else [])]
        self._install_python([self.root / name for name in names])
        self._install_front_end()
        return self.python

    def _install_packages(self, purpose: Purpose) -> None:
        lacking = missing(purpose, self.needs)
        if not lacking:
            return
        line = install_line(lacking)
        rights = self.rights()
        if rights is None:
            reasons = "\n".join(f"  {need.package}: {need.reason}" for need in lacking)
            raise MachineError(
                f"This machine lacks:\n{reasons}\nPlease run this as root, then start again:\n  {line}"
            )
        self.say(f"installing: {' '.join(need.package for need in lacking)}")
        step = [*rights, "sh", "-c", f"export DEBIAN_FRONTEND=noninteractive; {line}"]
        self.run(step, self.root, "installing Debian packages")
        still = missing(purpose, self.needs)
        if still:
            names = ", ".join(f"{need.package} ({need.reason})" for need in still)
            raise MachineError(f"Installed, but still not usable: {names}")

    def _install_python(self, requirements: list[Path]) -> None:
        stamp = self.root / ".venv" / STAMP
        installed = stamp.read_text(encoding="ascii").splitlines() if stamp.exists() else []
        wanted = [requirement for requirement in requirements if _digest(requirement) not in installed]
        if not wanted:
            return
        if not self.python.exists():
            self.say("making the Python environment .venv")
            self.run([sys.executable, "-m", "venv", ".venv"], self.root, "making the Python environment")
        pip = [str(self.python), "-m", "pip", "install", "--disable-pip-version-check", "--quiet"]
        for requirement in wanted:
            self.say(f"installing Python packages from {requirement.name} (a few minutes the first time)")
            step = [*pip, "--require-hashes", "-r", str(requirement)]
            self.run(step, self.root, f"installing {requirement.name}")
            installed = [line for line in installed if line.split()[0] != requirement.name]
            installed.append(_digest(requirement))
            stamp.write_text("\n".join(installed) + "\n", encoding="ascii")

    def _install_front_end(self) -> None:
        lock = self.root / "package-lock.json"
        stamp = self.root / "node_modules" / STAMP
        if stamp.exists() and stamp.read_text(encoding="ascii") == _digest(lock):
            return
        self.say("installing the front-end packages")
        step = ["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"]
        self.run(step, self.root, "installing the front-end packages")
        stamp.write_text(_digest(lock), encoding="ascii")


def _digest(pinned: Path) -> str:
    return f"{pinned.name} {hashlib.sha256(pinned.read_bytes()).hexdigest()}"
