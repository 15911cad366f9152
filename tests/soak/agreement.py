"""Bags that the site itself changed and signed again: do three verifiers give each the same verdict?

`run.py soak agreement [--bags 500] [--seed 1]`: statement, leaves, proofs, checkpoint, names and what people
read are changed by one small edit of their text, then everything else is made to fit. Whoever accepts such a
bag may be right; but verify.py, verify.sh and the second verifier have to be of one opinion.
"""

import argparse
import contextlib
import io
import json
import random
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Final

from evidence import bag_verifier
from tests import second_verifier
from tests.bench.bench_report import progress
from tests.evidence.bags import Archive, open_archive, resign
from tests.evidence.forged_bags import sign_checkpoint
from tests.evidence.laid_out import SHELL_VERIFIER
from tests.evidence.relogged_bags import Leaves, relog

PATIENCE_S: Final = 60
# What an edit puts in: signs of JSON and of the shell, broken UTF-8, numbers on the edge of what awk counts.
PIECES: Final = (
    *(b" ", b"\n", b"\r", b"\t", b"\0", b"\x7f", b"\x1b", b'"', b"\\", b"\\n", b"\\u0041", b"\\u001f", b"/"),
    *(b",", b":", b"{", b"}", b"[", b"]", b"[]", b"_", b"-", b".", b"0", b"1", b"9", b"-1", b"1e3", b"null"),
    *(
        "考".encode(),
        "\u2028".encode(),
        b"\xc2\x85",
        b"\xff",
        b"\xc0\x80",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
    ),
    *(
        b"9007199254740991",
        b"9007199254740992",
        b"true",
        b"''",
        b"$(date)",
        b"`",
        b"%s",
        b"A",
        b"\xef\xbb\xbf",
    ),
)


def edited(text: bytes, chance: random.Random) -> bytes:
    """One small edit: of a byte, of a piece, of a line, of a number."""
    at = chance.randrange(len(text) + 1)
    lines = text.split(b"\n")
    line = chance.randrange(len(lines))
    kind = chance.randrange(6)
    if kind == 0:
        return text[:at] + text[at + 1 :]
    if kind == 1:
        return text[:at] + chance.choice(PIECES) + text[at:]
    if kind == 2:
        return text[:at] + chance.choice(PIECES) + text[at + 1 :]
    if kind == 3:
        other = chance.randrange(len(lines))
        lines[line], lines[other] = lines[other], lines[line]
    elif kind == 4:
        lines.insert(line, lines[line])
    else:
        del lines[line]
    return b"\n".join(lines)


def _edit_file(bag: Path, pattern: str, chance: random.Random) -> None:
    target = chance.choice(sorted(bag.glob(pattern)))
    target.write_bytes(edited(target.read_bytes(), chance))


def _edit_leaf(archive: Archive, bag: Path, chance: random.Random) -> None:
    def change(leaves: Leaves) -> None:
        place = chance.choice([*leaves, "camera-1/gap-13"])
        at, entry = leaves[place]
        leaves[place] = (at, edited(entry, chance))

    relog(archive, bag, change)


def _edit_checkpoint(archive: Archive, bag: Path, chance: random.Random) -> None:
    text = edited((bag / "proof/checkpoint.txt").read_bytes(), chance)
    sign_checkpoint(archive, bag, text.decode(errors="replace"))


def _edit_names(bag: Path, chance: random.Random) -> None:
    below = chance.choice([bag, bag / "data", bag / "data/camera-1", bag / "proof"])
    name = edited(chance.choice([b"more", b"more.txt", "怎样核验.txt".encode(), b"camera-1"]), chance)
    if b"/" not in name and b"\0" not in name and name.strip(b"."):
        with contextlib.suppress(OSError):
            (below / name.decode(errors="surrogateescape")).mkdir()


def _edits(archive: Archive, bag: Path, chance: random.Random) -> list[tuple[str, Callable[[], None]]]:
    return [
        *[("statement", lambda: _edit_file(bag, "delivery.json", chance))] * 4,
        *[("leaf", lambda: _edit_leaf(archive, bag, chance))] * 3,
        ("proof", lambda: _edit_file(bag, "proof/*/*.tlog-proof", chance)),
        ("entry", lambda: _edit_file(bag, "proof/*/*.entry", chance)),
        ("checkpoint", lambda: _edit_checkpoint(archive, bag, chance)),
        *[("bag-info", lambda: _edit_file(bag, "bag-info.txt", chance))] * 2,
        ("key", lambda: _edit_file(bag, "proof/key.pem", chance)),
        ("names", lambda: _edit_names(bag, chance)),
    ]


def verdicts(archive: Archive, bag: Path) -> tuple[int, int, int]:
    """Of verify.py, the second verifier, verify.sh."""
    fingerprint = archive.authority.fingerprint
    with contextlib.redirect_stdout(io.StringIO()):
        first = bag_verifier.main([str(bag), "--fingerprint", fingerprint])
    words = ["sh", str(SHELL_VERIFIER), str(bag), "--fingerprint", fingerprint]
    shell = subprocess.run(words, capture_output=True, check=False, timeout=PATIENCE_S)
    return first, second_verifier.status(bag, fingerprint), shell.returncode


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="soak agreement")
    parser.add_argument("--bags", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="a folder for the bags they disagree about")
    asked = parser.parse_args(words)
    found: Counter[tuple[int, int, int]] = Counter()
    differing: list[str] = []
    with tempfile.TemporaryDirectory() as folder, open_archive(Path(folder)) as archive:
        made, bag = archive.export()[0].path, Path(folder) / "bag"
        for turn in range(asked.seed * 1_000_000, asked.seed * 1_000_000 + asked.bags):
            chance = random.Random(turn)
            shutil.rmtree(bag, ignore_errors=True)
            shutil.copytree(made, bag)
            name, edit = chance.choice(_edits(archive, bag, chance))
            edit()
            resign(archive, bag)
            judged = verdicts(archive, bag)
            found[judged] += 1
            if len(set(judged)) > 1:
                differing.append(f"bag {turn}, {name}: {judged}")
                progress(differing[-1])
                if asked.keep:
                    shutil.copytree(bag, asked.keep / str(turn), dirs_exist_ok=True)
            if turn % 100 == 99:
                progress(f"{sum(found.values())} of {asked.bags} bags, {len(differing)} judged differently")
    verdict = {str(judged): count for judged, count in sorted(found.items())}
    print(json.dumps({"bags": asked.bags, "verdicts": verdict, "differing": differing}, indent=1))
    return 1 if differing else 0
