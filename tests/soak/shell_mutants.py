"""Changes verify.sh, one place at a time, and lets it judge every bag the tests know, good and bad.

A change is noticed when any of these bags, or any wording of the command, gets another status than it should.
Part of `run.py soak mutants`.
"""

import json
import random
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ed25519, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from evidence import bag_verifier
from exam.clock import SECOND_US
from tests.bench.bench_report import progress
from tests.evidence.bags import FIRST_US, Archive, open_archive, relist, resign, wish
from tests.evidence.forged_bags import DISHONEST, FORGED, other_size_in_all
from tests.evidence.laid_out import TENTH_US, layout, lines_for_time, run_lines
from tests.evidence.lying_bags import LIES
from tests.evidence.odd_bags import NO_LETTERS, ODD, SIGNED_SO
from tests.evidence.spoiled_bags import ONLY_LISTS, SPOILING, UNLISTABLE, redeliver
from tests.evidence.told_bags import large_list
from tests.evidence.unusual_bags import UNUSUAL

SCRIPT: Final = Path(bag_verifier.__file__).with_suffix(".sh")
PATIENCE_S: Final = 20
# Each kind of change: what it finds, and what comes in its place.
CHANGES: Final = (
    (r"refuse \"", ': "'),
    (r"\bexit 1\b", "1"),
    # Every status of the script has its meaning; in awk all but 0 mean the same.
    (r"(?<=^exit )(\d)", None),
    (r"(?<=    exit )(2)$", None),
    (r"(?<=; exit )([12])(?=; }$)", None),
    (r" -eq ", " -ge "),
    (r" -eq ", " -ne "),
    (r" = ", " != "),
    (r" != ", " == "),
    (r" == ", " != "),
    (r" <= ", " < "),
    (r" >= ", " > "),
    (r" < ", " <= "),
    (r" > (?!\")", " >= "),
    (r" \|\| ", " \\&\\& "),
    (r" && ", " || "),
    (r"\[ -z ", "[ -n "),
    (r"\[ ! -s ", "[ -s "),
    (r"(?<!exit )\b(\d+)\b", None),
)
# Lines that only say what was found, in words for people: no verdict hangs on them.
LEFT_ALONE: Final = re.compile(
    r"^\s*#|^echo|^    echo|exec 3|^sed 's/\^/|^files=|^kept=|^clean <|^unseen=|^clean\(\)"
)
# What a refusal says is words too, and so is what of a program's answer is shown or thrown away. The refusal
# itself is changed: `refuse "` becomes `: "`.
WORDS: Final = re.compile(
    r"(?<=refuse )\"(?:\$\([^)]*\)|[^\"])*\"|2>&1|2>/dev/null|printf '结论[^']*'|>&3|\"\$tmp/\w+\""
)


@dataclass
class Found:
    """Numbers of lines with the text before and after."""

    killed: list[tuple[int, str, str]] = field(default_factory=list)
    survived: list[tuple[int, str, str]] = field(default_factory=list)
    pending: int = 0


def changes(script: str) -> Iterator[tuple[int, str, str]]:
    """Every change, by the number of its line."""
    for number, line in enumerate(script.split("\n"), 1):
        if LEFT_ALONE.search(line):
            continue
        words = [each.span() for each in WORDS.finditer(line)]
        for form, other in CHANGES:
            for match in re.finditer(form, line):
                if any(begins <= match.start() and match.end() <= ends for begins, ends in words):
                    continue
                text = _one_more(line, match) if other is None else other.replace("\\&", "&")
                yield number, line, line[: match.start()] + text + line[match.end() :]


def _one_more(line: str, match: re.Match[str]) -> str:
    """The number that follows; behind a stroke it is an octal one."""
    is_octal = line[match.start() - 1] == "\\" and len(match[1]) == 3
    return f"{int(match[1], 8) + 1:03o}" if is_octal else str(int(match[1]) + 1)


Change = tuple[int, str, str]


@dataclass(frozen=True, slots=True)
class Trial:
    """Words of the command, the status it has to end with, and the last line of the script it may reach."""

    words: tuple[str, ...]
    status: int
    reach: int = 1 << 30


def run(state: Path, choose: Callable[[list[Change]], list[Change]], *, fresh: bool) -> Found:
    """Try what of the chosen was not tried yet, keeping what was; a script that changed begins anew."""
    script = SCRIPT.read_text(encoding="utf-8")
    known = json.loads(state.read_text()) if state.exists() and not fresh else {}
    wanted = list(changes(script))
    results: dict[str, bool] = known.get("results", {}) if known.get("script") == script else {}
    tests = _tests()
    if known.get("tests") != tests:  # what others did not notice is tried again
        results = {key: was_noticed for key, was_noticed in results.items() if was_noticed}
    chosen = choose(wanted)
    if any(f"{number}\n{after}" not in results for number, _, after in chosen):
        with _judge(script) as judge:
            for at, (number, _, after) in enumerate(chosen):
                key = f"{number}\n{after}"
                if key not in results:
                    results[key] = not judge.accepts(number, after)
                    state.parent.mkdir(parents=True, exist_ok=True)
                    state.write_text(json.dumps({"script": script, "tests": tests, "results": results}))
                if at % 20 == 19:
                    progress(f"verify.sh: {at + 1} of {len(chosen)} changes")
    found = Found()
    for number, before, after in wanted:
        became = results.get(f"{number}\n{after}")
        if became is None:
            found.pending += 1
        else:
            (found.killed if became else found.survived).append((number, before.strip(), after.strip()))
    return found


def _tests() -> str:
    """The digest of everything that makes bags, and of this."""
    made = [Path(__file__), *sorted((Path(__file__).parents[1] / "evidence").glob("*bags.py"))]
    return sha256(b"".join(each.read_bytes() for each in made)).hexdigest()


def reach(script: str, said: str) -> int:
    """The last line of the script that may have refused with these words; the very last if none is alike."""
    refusal = said.rpartition("REFUSED: ")[2]
    at = 0
    for number, line in enumerate(script.split("\n"), 1):
        for words in re.findall(r'refuse "([^"$]*)', line):
            if refusal and len(words) > 4 and refusal.startswith(words):
                at = number
    return at or 1 << 30


class Judge:
    """Everything that the script is tried on."""

    def __init__(self, script: str, trials: Sequence[Trial], folder: Path) -> None:
        self._lines, self._folder = script.split("\n"), folder
        self._main = next(at for at, line in enumerate(self._lines, 1) if line.startswith("bag=$(dirname"))
        self._time = lines_for_time(script)
        chance = random.Random(20261123)
        self._layouts = [layout(chance) for _ in range(300)]
        self._holes = self._free_time(self._lines)
        self._trials = [self._look(script, each) for each in trials]

    def _look(self, script: str, trial: Trial) -> Trial:
        status, said = self._run(self._lines, trial)
        assert status == trial.status, (trial, said)
        return Trial(trial.words, status, reach(script, said) if status == 1 else 1 << 30)

    def accepts(self, number: int, after: str) -> bool:
        """Whether the script with this line in the place of its own still does everything as it should."""
        lines = [*self._lines]
        lines[number - 1] = after
        begins, ends = self._time
        if begins < number <= ends and self._free_time(lines) != self._holes:
            return False
        first, *others = self._trials
        # What a line refuses is tried first; what ends above it never comes there.
        others = [each for each in others if each.reach >= number or number < self._main]
        others.sort(key=lambda each: abs(each.reach - number) if each.status == 1 else 20)
        return all(self._run(lines, each)[0] == each.status for each in [first, *others])

    def _run(self, lines: list[str], trial: Trial) -> tuple[int, str]:
        kept = self._folder / "verify.sh"
        kept.write_text("\n".join(lines), encoding="utf-8")
        try:
            ended = subprocess.run(
                ["sh", str(kept), *trial.words], capture_output=True, check=False, timeout=PATIENCE_S
            )
        except subprocess.TimeoutExpired:
            return -1, ""
        return ended.returncode, ended.stdout.decode(errors="replace").rstrip("\n")

    def _free_time(self, lines: list[str]) -> str:
        begins, ends = self._time
        try:
            return run_lines(lines[begins:ends], self._folder, 12 * TENTH_US, 25 * TENTH_US, self._layouts)
        except (subprocess.SubprocessError, UnicodeDecodeError):
            return "refused"


@contextmanager
def _judge(script: str) -> Iterator[Judge]:
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        (folder / "archive").mkdir()
        archive = opened.enter_context(open_archive(folder / "archive"))
        yield Judge(script, list(_trials(archive, folder)), folder)


def _trials(archive: Archive, folder: Path) -> Iterator[Trial]:
    """Good bags first, then every bad one, each with the key's fingerprint from outside."""
    key = ("--fingerprint", archive.authority.fingerprint)
    half_us = FIRST_US + SECOND_US // 2
    # The bag that the ways to spoil one are written for: a gap, files before and behind it, both cameras.
    made = archive.export(wish(archive))[0].path
    late = archive.export(wish(archive, half_us + 20 * SECOND_US, half_us + 90 * SECOND_US))[0].path
    yield Trial((str(made), *key), 0)
    yield Trial((str(late), *key), 3)
    yield from _wordings(archive, folder, str(made))
    for number, (spoil, status) in enumerate(_changed(archive)):
        bag = Path(shutil.copytree(made, folder / f"bag-{number}"))
        spoil(bag)
        yield Trial((str(bag), *key), status)


def _wordings(archive: Archive, folder: Path, bag: str) -> Iterator[Trial]:
    """Keys from outside, good ones and others, and words that mean nothing."""
    own, fingerprint = archive.authority.public_pem, archive.authority.fingerprint
    other, exchange = ed25519.Ed25519PrivateKey.generate(), x25519.X25519PrivateKey.generate()
    form = (Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    pems = {
        "own": (own, 0),
        "other": (other.public_key().public_bytes(*form), 1),
        "exchange": (exchange.public_key().public_bytes(*form), 1),
        "nothing": (b"", 1),
    }
    for name, (pem, status) in pems.items():
        path = folder / f"{name}.pem"
        path.write_bytes(pem)
        yield Trial((bag, "--key", str(path)), status)
    yield Trial(("--key", str(folder / "own.pem"), bag), 0)
    yield Trial((bag,), 2)
    grouped = " ".join(fingerprint.upper()[at : at + 4] for at in range(0, 64, 4))
    yield Trial((bag, "--fingerprint", f"{grouped[:39]}:-\n{grouped[40:]}"), 0)
    yield Trial((bag, "--fingerprint", "0" * 64), 1)
    for wrong in (fingerprint + "0", fingerprint[:-1], "g" + fingerprint[1:], fingerprint[:-1] + "g"):
        yield Trial((bag, "--fingerprint", wrong), 2)
    for words in (("--key",), ("--fingerprint",), ("--what",)):
        yield Trial((bag, *words), 2)
    yield Trial((f"{bag}-that-is-not-there", "--fingerprint", fingerprint), 1)


def _changed(archive: Archive) -> Iterator[tuple[Callable[[Path], object], int]]:
    """Every way the tests know to make a bag unusual or bad, and the status it then has."""
    for make, status in UNUSUAL.values():
        yield lambda bag, make=make: (make(archive, bag), resign(archive, bag)), status
    for spoil in SPOILING:
        yield spoil, 1
        if spoil not in {*ONLY_LISTS, *UNLISTABLE}:
            yield lambda bag, spoil=spoil: (spoil(bag), relist(bag)), 1
    for cheat in DISHONEST:
        yield lambda bag, cheat=cheat: (cheat(bag), resign(archive, bag)), 1
    for forge in (*FORGED, *ODD.values(), *NO_LETTERS.values(), large_list):
        yield lambda bag, forge=forge: (forge(archive, bag), resign(archive, bag)), 1
    for make in SIGNED_SO.values():
        yield lambda bag, make=make: make(archive, bag), 1
    for lie in LIES:
        yield lambda bag, lie=lie: (redeliver(bag, lie), resign(archive, bag)), 1
    yield lambda bag: (other_size_in_all(bag), resign(archive, bag, weigh=False)), 1
