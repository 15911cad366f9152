"""What the front door finds missing, and what it says about it."""

import subprocess
import sys
from pathlib import Path

import pytest

from config import machine
from config.machine import Machine, MachineError, Need, Purpose

ROOT = Path(__file__).resolve().parent.parent.parent


def need(package: str, *, there: bool, purpose: Purpose = Purpose.PRODUCT) -> Need:
    return Need(package, f"reason of {package}", lambda: there, purpose)


def test_only_what_the_purpose_needs_is_asked_for() -> None:
    needs = [
        need("a", there=False),
        need("b", there=True),
        need("c", there=False, purpose=Purpose.DEMO),
        need("d", there=False, purpose=Purpose.TESTS),
    ]
    assert [n.package for n in machine.missing(Purpose.PRODUCT, needs)] == ["a"]
    assert [n.package for n in machine.missing(Purpose.DEMO, needs)] == ["a", "c"]
    assert [n.package for n in machine.missing(Purpose.TESTS, needs)] == ["a", "c", "d"]


def test_the_line_to_type_is_complete() -> None:
    line = machine.install_line([need("a", there=False), need("b", there=False)])
    assert line == "apt-get update && apt-get install -y --no-install-recommends a b"


class Bench:
    """A project folder and an installer that only writes down what it was asked to do."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.said: list[str] = []
        self.steps: list[list[str]] = []
        self.present = {"ffmpeg": False}
        (root / "requirements.txt").write_text("a==1")
        (root / "requirements-test.txt").write_text("b==1")
        (root / "package-lock.json").write_text("{}")

    def run(self, command: list[str], folder: Path, doing: str) -> None:
        assert folder == self.root
        assert doing
        self.steps.append(command)
        if "venv" in command:
            (self.root / ".venv" / "bin").mkdir(parents=True)
            (self.root / ".venv" / "bin" / "python").touch()
        if command[0] == "npm":
            (self.root / "node_modules").mkdir(exist_ok=True)
        if "sh" in command:
            self.present["ffmpeg"] = True

    def machine(self, rights: list[str] | None) -> Machine:
        needs = (Need("ffmpeg", "records", lambda: self.present["ffmpeg"]),)
        return Machine(self.said.append, self.root, needs, lambda: rights, self.run)


def test_everything_missing_is_installed_in_order(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.machine(["sudo", "-n"]).prepare(Purpose.TESTS)
    apt, venv, product, tests, npm = bench.steps
    assert apt[:2] == ["sudo", "-n"]
    assert "install -y --no-install-recommends ffmpeg" in apt[-1]
    assert venv[1:] == ["-m", "venv", ".venv"]
    assert [product[-1], tests[-1]] == [
        str(tmp_path / "requirements.txt"),
        str(tmp_path / "requirements-test.txt"),
    ]
    assert "--require-hashes" in product
    assert npm[:2] == ["npm", "ci"]


def test_the_second_start_does_nothing(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.machine([]).prepare(Purpose.TESTS)
    bench.steps.clear()
    assert bench.machine([]).prepare(Purpose.PRODUCT) == tmp_path / ".venv" / "bin" / "python"
    assert bench.steps == []


def test_changed_requirements_are_installed_again_into_the_same_environment(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.machine([]).prepare(Purpose.TESTS)
    bench.steps.clear()
    (tmp_path / "requirements.txt").write_text("a==2")
    bench.machine([]).prepare(Purpose.TESTS)
    assert [step[-1] for step in bench.steps] == [str(tmp_path / "requirements.txt")]


def test_without_the_right_to_install_the_exact_line_is_said_and_nothing_is_done(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    with pytest.raises(MachineError, match="apt-get install -y --no-install-recommends ffmpeg"):
        bench.machine(None).prepare(Purpose.PRODUCT)
    assert bench.steps == []


def test_a_package_that_installs_but_does_not_work_is_named(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    broken = Machine(bench.said.append, tmp_path, (need("libx", there=False),), list, bench.run)
    with pytest.raises(MachineError, match="still not usable: libx"):
        broken.prepare(Purpose.PRODUCT)


def test_nobody_may_install_without_apt_and_a_user_may_with_sudo(tmp_path: Path) -> None:
    """In a real interpreter of its own, with a PATH that holds only what each case has."""
    script = (
        "from config.machine import installer_rights as r; import os; os.geteuid = lambda: 1000; print(r())"
    )
    answers = []
    for programs in ([], ["apt-get"], ["apt-get", "sudo"]):
        folder = tmp_path / "-".join(["path", *programs])
        folder.mkdir()
        for program in programs:
            (folder / program).write_text("#!/bin/sh\nexit 0\n")
            (folder / program).chmod(0o755)
        done = subprocess.run(
            [sys.executable, "-c", script],
            cwd=ROOT,
            env={"PATH": str(folder)},
            capture_output=True,
            text=True,
            check=True,
        )
        answers.append(done.stdout.strip())
    assert answers[:2] == ["None", "None"]
    assert answers[2].endswith("/sudo', '-n']")


def test_this_machine_has_everything_the_tests_need() -> None:
    assert machine.missing(Purpose.TESTS) == []


def test_a_library_or_program_that_is_not_there_is_missing() -> None:
    assert not machine._library("libdoesnotexist.so.99")()
    assert not machine._program("no-such-program")()


def test_a_failed_step_shows_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(MachineError, match=r"trying failed \(exit status 3\):\nlast words"):
        machine.run_step(
            [sys.executable, "-c", "print('last words'); raise SystemExit(3)"], tmp_path, "trying"
        )
