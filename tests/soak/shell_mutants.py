"""Changes verify.sh, one place at a time, and lets it judge every bag the tests know, good and bad.

A change is noticed when any of these bags gets another status than it should. Part of `run.py soak mutants`.
"""

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from evidence import bag_verifier
from exam.clock import SECOND_US
from tests.bench.bench_report import progress
from tests.evidence.bags import FIRST_US, Archive, open_archive, relist, resign, wish
from tests.evidence.forged_bags import DISHONEST, FORGED, other_size_in_all
from tests.evidence.lying_bags import LIES
from tests.evidence.spoiled_bags import ONLY_LISTS, SPOILING, UNLISTABLE, redeliver

SCRIPT: Final = Path(bag_verifier.__file__).with_suffix(".sh")
PATIENCE_S: Final = 10
# Each kind of change: what it finds, and what comes in its place.
CHANGES: Final = (
    (r"refuse \"", ': "'),
    (r"\bexit 1\b", "1"),
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
    (r"\b(\d+)\b", None),
)
# Where a number says how something is printed or cut for people, or a change is no change.
LEFT_ALONE: Final = re.compile(r"^\s*#|printf '结论|^echo|^    echo|2>&1|exec 3|>&3|head -n 1|^sed 's/\^/")


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
        for form, other in CHANGES:
            for match in re.finditer(form, line):
                text = str(int(match[1]) + 1) if other is None else other.replace("\\&", "&")
                yield number, line, line[: match.start()] + text + line[match.end() :]


Change = tuple[int, str, str]


def run(state: Path, choose: Callable[[list[Change]], list[Change]], *, fresh: bool) -> Found:
    """Try what of the chosen was not tried yet, keeping what was; a script that changed begins anew."""
    script = SCRIPT.read_text(encoding="utf-8")
    known = json.loads(state.read_text()) if state.exists() and not fresh else {}
    wanted = list(changes(script))
    results: dict[str, bool] = known.get("results", {}) if known.get("script") == script else {}
    chosen = choose(wanted)
    if chosen:
        with _bags() as (bags, fingerprint):
            assert judge(script, bags, fingerprint), "the script as it is judges every bag as it should"
            for at, (number, _, after) in enumerate(chosen):
                key = f"{number}\n{after}"
                if key not in results:
                    lines = script.split("\n")
                    lines[number - 1] = after
                    results[key] = not judge("\n".join(lines), bags, fingerprint)
                    state.parent.mkdir(parents=True, exist_ok=True)
                    state.write_text(json.dumps({"script": script, "results": results}))
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


def judge(script: str, bags: list[tuple[Path, int, bool]], fingerprint: str) -> bool:
    """Whether this script gives every bag the status that it should have."""
    with tempfile.NamedTemporaryFile("w", suffix=".sh", encoding="utf-8") as kept:
        kept.write(script)
        kept.flush()
        for bag, status, has_key in bags:
            words = ["sh", kept.name, str(bag), *(["--fingerprint", fingerprint] if has_key else [])]
            try:
                ended = subprocess.run(words, capture_output=True, check=False, timeout=PATIENCE_S)
            except subprocess.TimeoutExpired:
                return False
            if ended.returncode != status:
                return False
    return True


@contextmanager
def _bags() -> Iterator[tuple[list[tuple[Path, int, bool]], str]]:
    """Good bags first, then every bad one, each with its status and whether a key comes from outside."""
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        (folder / "archive").mkdir()
        archive = opened.enter_context(open_archive(folder / "archive"))
        half_us = FIRST_US + SECOND_US // 2
        # The bag that the ways to spoil one are written for: a gap, files before and behind it, both cameras.
        made = archive.export(wish(archive))[0].path
        late = archive.export(wish(archive, half_us + 20 * SECOND_US, half_us + 90 * SECOND_US))[0].path
        only_gap = archive.export(wish(archive, half_us + 16 * SECOND_US, half_us + 17 * SECOND_US))[0].path
        bags = [(made, 0, True), (late, 3, True), (made, 2, False), (only_gap, 0, True)]
        for number, spoil in enumerate(_spoiling(archive)):
            bag = Path(shutil.copytree(made, folder / f"bad-{number}"))
            spoil(bag)
            bags.append((bag, 1, True))
        yield bags, archive.authority.fingerprint


def _spoiling(archive: Archive) -> Iterator[Callable[[Path], object]]:
    """Every way the tests know to make a bag bad."""
    for spoil in SPOILING:
        yield spoil
        if spoil not in {*ONLY_LISTS, *UNLISTABLE}:
            yield lambda bag, spoil=spoil: (spoil(bag), relist(bag))
    for cheat in DISHONEST:
        yield lambda bag, cheat=cheat: (cheat(bag), resign(archive, bag))
    for forge in FORGED:
        yield lambda bag, forge=forge: (forge(archive, bag), resign(archive, bag))
    for lie in LIES:
        yield lambda bag, lie=lie: (redeliver(bag, lie), resign(archive, bag))
    yield lambda bag: (other_size_in_all(bag), resign(archive, bag, weigh=False))
