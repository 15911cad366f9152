"""Changes the code that evidence hangs on in thousands of small ways, one at a time: do the tests notice?

`run.py soak mutants [--module ledger --module merkle] [--sample 150] [--fresh]`. The changes are mutmut's; it
works on a copy of the tree below var/mutants and asks only the tests that reach the changed function.
Finished changes are kept: a command that is cut short goes on where it was, a changed function is tried
again, and so is what survived earlier tests once these change. `verify.sh` has tests.soak.shell_mutants.

Not counted: words that only people read (arguments of `raise`, `require`, `say` and log lines), and changes
that change nothing, each with its reason in equivalent_mutants.toml or by a rule of mutant_words. What mutmut
leaves alone is not measured: properties, constants of modules, default values.
"""

import argparse
import json
import random
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, TypeVar

from tests.bench.bench_report import progress
from tests.soak import mutant_words, shell_mutants

T = TypeVar("T")

ROOT: Final = Path(__file__).resolve().parents[2]
WORKSHOPS: Final = ROOT / "var" / "mutants"
EQUIVALENT: Final = Path(__file__).with_name("equivalent_mutants.toml")
GOAL: Final = 90.0
# What a copy of the tree needs so that the tests run in it.
COPIED: Final = (
    *("exam", "evidence", "config", "recorder", "web", "kiosk", "rehearsal"),
    *("tests", "run.py"),
)
TIMED_OUT: Final = frozenset({-24, 24, 36, 152, 255})
KILLED: Final = TIMED_OUT | {1, 3, -11, -9}  # noticed by a test, or died of it
SHELL: Final = "verify.sh"
# They run the verifier of a bag on its own, where mutmut's harness is not.
UNFIT: Final = (
    "tests/evidence/test_export.py::test_the_copy_of_the_verifier_in_the_bag_needs_nothing_of_ours",
    "tests/evidence/test_bag_verifier.py::test_the_program_ends_with_the_status_it_found",
    "tests/evidence/test_bag_verifier.py::test_nothing_that_lies_in_a_bag_is_run",
    "tests/evidence/test_bag_verifier.py::test_a_terminal_without_chinese_letters_refuses_no_bag",
)
DISPOSING: Final = (
    "tests/evidence/test_disposal.py",
    "tests/evidence/test_disposal_permit.py",
    "tests/evidence/test_disposal_plans.py",
    "tests/evidence/test_disposal_people.py",
    "tests/evidence/test_disposal_remnants.py",
    "tests/evidence/test_joint_decisions.py",
    "tests/recorder/test_disposal_work.py",
)
VERIFYING: Final = (
    "tests/evidence/test_bag_verifier.py",
    "tests/test_verifiers.py",
    "tests/evidence/test_export.py",
)
# Each module and the tests that are to notice its changes.
MODULES: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "ledger": (
        "evidence/ledger.py",
        (
            "tests/evidence/test_ledger.py",
            "tests/evidence/test_checkpoints.py",
            "tests/evidence/test_check_facts.py",
        ),
    ),
    "merkle": ("evidence/merkle.py", ("tests/evidence/test_merkle.py", "tests/evidence/test_ledger.py")),
    "checkpoints": (
        "evidence/checkpoints.py",
        (
            "tests/evidence/test_checkpoints.py",
            "tests/evidence/test_standing_tables.py",
            "tests/evidence/test_check.py",
        ),
    ),
    "signed_ledger": (
        "evidence/signed_ledger.py",
        ("tests/evidence/test_signed_ledger.py", *DISPOSING[:2]),
    ),
    "standing_tables": ("evidence/standing_tables.py", ("tests/evidence/test_standing_tables.py",)),
    "proofs": ("evidence/proofs.py", ("tests/evidence/test_proofs.py", *VERIFYING)),
    "bag_verifier": ("evidence/bag_verifier.py", VERIFYING),
    "retention_rule": (
        "exam/retention.py",
        ("tests/exam/test_retention.py", "tests/evidence/test_due_list.py", *DISPOSING[1:2]),
    ),
    "holds_rule": ("exam/holds.py", ("tests/exam/test_holds.py", "tests/evidence/test_holds.py")),
    "approval_rule": (
        "exam/disposal_approval.py",
        ("tests/exam/test_disposal_approval.py", "tests/evidence/test_disposal_plans.py"),
    ),
    "joint_rule": ("exam/joint_decisions.py", ("tests/exam/test_joint_decisions.py",)),
    "retention": (
        "evidence/retention.py",
        (
            "tests/evidence/test_retention.py",
            "tests/evidence/test_due_list.py",
            "tests/evidence/test_holds.py",
        ),
    ),
    "holds": ("evidence/holds.py", ("tests/evidence/test_holds.py", *DISPOSING[1:2])),
    "joint_decisions": ("evidence/joint_decisions.py", DISPOSING[5:6]),
    **{
        name: (f"evidence/{name}.py", DISPOSING)
        for name in (
            *("disposal_facts", "disposal_people", "disposal_permit", "disposal_plans"),
            *("disposal_remnants", "disposal_times"),
        )
    },
    "disposal": ("evidence/disposal.py", (*DISPOSING, "tests/evidence/test_relocation.py")),
    "disposal_attempts": ("evidence/disposal_attempts.py", ("tests/web/test_disposals_page.py",)),
    "disposal_progress": (
        "evidence/disposal_progress.py",
        ("tests/web/test_disposals_page.py", "tests/evidence/test_disposal_progress.py"),
    ),
    "duplicate_permit": ("evidence/duplicate_permit.py", ("tests/evidence/test_relocation.py",)),
}


@dataclass
class Survivor:
    """A change that no test noticed: in which function, the line before and after."""

    function: str
    before: str
    after: str

    @property
    def key(self) -> tuple[str, str, str]:
        return self.function, self.before, self.after


@dataclass
class Row:
    """What became of the changes of one module."""

    name: str
    mutants: int = 0
    killed: int = 0
    timed_out: int = 0  # among the killed
    pending: int = 0
    words: int = 0
    equivalent: list[tuple[Survivor, str]] = field(default_factory=list)
    survived: list[Survivor] = field(default_factory=list)

    @property
    def score(self) -> float | None:
        """Per cent noticed of those tried; None before any was."""
        counted = self.killed + len(self.survived)
        return 100.0 * self.killed / counted if counted else None

    def is_good(self, sample: int | None = None) -> bool:
        """All, or at least a sample, were tried and enough of them noticed."""
        enough = not self.pending or (sample is not None and self.mutants - self.pending >= sample)
        return self.score is not None and self.score >= GOAL and enough

    def line(self) -> str:
        facts = (
            self.mutants,
            self.words,
            len(self.equivalent),
            self.killed,
            self.timed_out,
            len(self.survived),
            self.pending,
        )
        score = "not tried" if self.score is None else f"{self.score:.1f} %"
        return f"{self.name:18}" + "".join(f"{each:>11}" for each in facts) + f"{score:>11}"


HEAD: Final = f"{'module':18}" + "".join(
    f"{word:>11}"
    for word in ("mutants", "words", "equivalent", "killed", "timed out", "survived", "not tried")
)


def lay_workshop(module: str, *, fresh: bool) -> Path:
    """The copy of the tree as it is now, with mutmut's settings; results of earlier turns stay."""
    workshop = WORKSHOPS / module
    if fresh:
        shutil.rmtree(workshop, ignore_errors=True)
    workshop.mkdir(parents=True, exist_ok=True)
    for name in COPIED:
        _mirror(ROOT / name, workshop / name)
    path, tests = MODULES[module]
    settings = {
        "source_paths": [path],
        "pytest_add_cli_args_test_selection": sorted(tests),
        "pytest_add_cli_args": ["-p", "no:cacheprovider", *(f"--deselect={each}" for each in UNFIT)],
        "also_copy": list(COPIED),
        "use_git_change_detection": False,
        "track_dependencies": False,
        # An endless loop is cut short after (the tests' time + 3 s) x 6, or twice that of the processor.
        "timeout_constant": 3.0,
        "timeout_multiplier": 6.0,
    }
    lines = [f"{key} = {json.dumps(value)}\n" for key, value in settings.items()]
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (workshop / "pyproject.toml").write_text(f"{text}\n[tool.mutmut]\n{''.join(lines)}", encoding="utf-8")
    _retry_survivors(workshop)
    return workshop


def _mirror(source: Path, target: Path) -> None:
    """Make the copy the same; what is the same already keeps its time."""
    if source.is_file():
        if not target.exists() or target.read_bytes() != source.read_bytes():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read_bytes())
        return
    wanted = {each.name for each in source.iterdir() if each.name != "__pycache__"}
    for gone in {each.name for each in target.iterdir()} - wanted if target.exists() else ():
        shutil.rmtree(target / gone) if (target / gone).is_dir() else (target / gone).unlink()
    for name in wanted:
        _mirror(source / name, target / name)


def _retry_survivors(workshop: Path) -> None:
    """What earlier tests did not notice is tried again once they are others."""
    tests = b"".join(each.read_bytes() for each in sorted(workshop.glob("tests/**/*.py")))
    made, seen = sha256(tests).hexdigest(), workshop / "tests.sha256"
    if not seen.exists() or seen.read_text() != made:
        for meta in workshop.glob("mutants/**/*.meta"):
            found = json.loads(meta.read_bytes())
            codes = found["exit_code_by_key"]
            found["exit_code_by_key"] = {key: code if code in KILLED else None for key, code in codes.items()}
            meta.write_text(json.dumps(found, indent=4))
        (workshop / "mutants" / "mutmut-stats.json").unlink(missing_ok=True)
    seen.write_text(made)


def judge(name: str, reasons: Mapping[tuple[str, str, str], str]) -> Row:
    """What became of a module's changes."""
    path, row, workshop = MODULES[name][0], Row(name), WORKSHOPS / name
    meta = workshop / "mutants" / f"{path}.meta"
    codes: dict[str, int | None] = json.loads(meta.read_bytes())["exit_code_by_key"] if meta.exists() else {}
    row.mutants = len(codes)
    row.pending = sum(code is None or code == 2 for code in codes.values())
    row.killed = sum(code in KILLED for code in codes.values())
    row.timed_out = sum(code in TIMED_OUT for code in codes.values())
    left = [key for key, code in codes.items() if code is not None and code != 2 and code not in KILLED]
    words = mutant_words.of_module((ROOT / path).read_text(encoding="utf-8"))
    for survivor in _survivors(workshop, path, left):
        reason = reasons.get(survivor.key) or mutant_words.equivalence(survivor.before, survivor.after)
        if mutant_words.is_word(words, survivor.before, survivor.after):
            row.words += 1
        elif reason:
            row.equivalent.append((survivor, reason))
        else:
            row.survived.append(survivor)
    return row


# Asks mutmut for the difference that each change makes.
_ASK: Final = (
    "import json, sys; from mutmut.mutation.diff_apply import get_diff_for_mutant as ask;"
    " path, *names = sys.argv[1:]; print(json.dumps([ask(each, path=path) for each in names]))"
)


def _survivors(workshop: Path, path: str, names: Sequence[str]) -> Iterator[Survivor]:
    for some in [names[at : at + 200] for at in range(0, len(names), 200)]:
        asked = subprocess.run(
            [sys.executable, "-c", _ASK, path, *some], cwd=workshop, capture_output=True, check=True
        )
        for name, difference in zip(some, json.loads(asked.stdout), strict=True):
            lines = [line for line in difference.split("\n")[2:] if not line.startswith("@@")]
            before, after = (
                " ".join(line[1:].strip() for line in lines if line[:1] == sign) for sign in ("-", "+")
            )
            yield Survivor(_plain(name), before, after)


def _plain(name: str) -> str:
    """A function's name without what mutmut adds: `evidence.merkle.Frontier.root`."""
    module, _, function = re.sub(r"__mutmut_\d+$", "", name).rpartition(".")
    return f"{module}.{function.removeprefix('x_').removeprefix('xǁ').replace('ǁ', '.')}"


def known_equivalents() -> dict[tuple[str, str, str], str]:
    """The changes that change nothing, with the reason for each."""
    listed: list[dict[str, Any]] = tomllib.loads(EQUIVALENT.read_text(encoding="utf-8")).get("equivalent", [])
    return {(each["function"], each["before"], each["after"]): each["reason"] for each in listed}


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="soak mutants")
    parser.add_argument(
        "--module", action="append", choices=[*MODULES, SHELL], help="without it: all of them"
    )
    parser.add_argument("--fresh", action="store_true", help="forget what was found before")
    parser.add_argument("--report", action="store_true", help="tell what is known, try nothing")
    parser.add_argument("--children", type=int, default=1, help="changes tried at the same time")
    parser.add_argument("--sample", type=int, help="so many changes of each module, by chance (default: all)")
    asked = parser.parse_args(words)
    chosen = asked.module or [*MODULES, SHELL]
    names = [name for name in chosen if name != SHELL]
    rows = []
    for name in names:
        if not asked.report:
            _try(name, asked)
        rows.append(judge(name, known_equivalents()))
        progress(rows[-1].line())
    if SHELL in chosen:
        most = 0 if asked.report else asked.sample
        rows.append(_shell_row(WORKSHOPS / "verify.sh.json", most=most, fresh=asked.fresh))
    return _tell(rows, asked.sample)


def _try(name: str, asked: argparse.Namespace) -> None:
    """Let mutmut try a module's changes: all, or the same ones by chance each time."""
    workshop = lay_workshop(name, fresh=asked.fresh)
    run = [sys.executable, "-m", "mutmut", "run", "--max-children", str(asked.children)]
    chosen: list[str] = []
    with (workshop / "mutmut.log").open("w") as said:
        if asked.sample:
            # It makes the changes and then finds none of this name; every change has a name afterwards.
            subprocess.run([*run, "none"], cwd=workshop, check=False, stdout=said, stderr=said)
            meta = json.loads((workshop / "mutants" / f"{MODULES[name][0]}.meta").read_bytes())
            chosen = by_chance(meta["exit_code_by_key"], asked.sample)
            run += [each for each in chosen if meta["exit_code_by_key"][each] in (None, 2)]
        if not asked.sample or run[-1] in chosen:
            subprocess.run(run, cwd=workshop, check=False, stdout=said, stderr=said)


def by_chance(every: Iterable[T], most: int | None) -> list[T]:
    """So many of them, the same ones each time; None: all, as they came."""
    listed = list(every)
    return listed if most is None else random.Random(len(listed)).sample(listed, min(most, len(listed)))


def _shell_row(state: Path, *, most: int | None, fresh: bool) -> Row:
    found = shell_mutants.run(state, partial(by_chance, most=most), fresh=fresh)
    every = len(found.killed) + len(found.survived) + found.pending
    row = Row(SHELL, every, len(found.killed), pending=found.pending)
    reasons = known_equivalents()
    for number, before, after in found.survived:
        survivor = Survivor(f"{SHELL}:{number}", before, after)
        reason = reasons.get((SHELL, before, after))
        (row.equivalent.append((survivor, reason)) if reason else row.survived.append(survivor))
    return row


def _tell(rows: Sequence[Row], sample: int | None) -> int:
    for row in rows:
        for survivor, reason in row.equivalent:
            print(f"= {survivor.function}: {reason}\n    - {survivor.before}\n    + {survivor.after}")
        for survivor in row.survived:
            print(f"SURVIVED {survivor.function}\n    - {survivor.before}\n    + {survivor.after}")
    print(HEAD)
    for row in rows:
        print(row.line())
    return 0 if all(row.is_good(sample) for row in rows) else 1
