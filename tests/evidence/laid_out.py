"""Stretches of time laid over one another by chance, and what the shell verifier finds free among them."""

import os
import random
import subprocess
from pathlib import Path
from typing import Final

from evidence import bag_verifier
from exam.clock import SECOND_US

SHELL_VERIFIER: Final = Path(bag_verifier.__file__).with_suffix(".sh")
TENTH_US: Final = SECOND_US // 10
# Of two runs the first four files, and gaps, whose run is empty.
OWNERS: Final = [(run, sequence) for run in ("a", "b") for sequence in range(4)] + [("", 0)] * 4
Layout = list[tuple[int, int, str, int]]


def layout(chance: random.Random) -> Layout:
    """Up to six stretches: start, end, run, sequence."""
    starts = [chance.randrange(40) * TENTH_US for _ in range(chance.randrange(7))]
    return [
        (start_us, start_us + chance.randrange(15) * TENTH_US, *chance.choice(OWNERS)) for start_us in starts
    ]


def lines_for_time(script: str) -> tuple[int, int]:
    """Which lines of verify.sh look for free time: the first, and the one behind the last (from 0)."""
    lines = script.split("\n")
    begins = next(at for at, line in enumerate(lines) if line.startswith('sort -t "$tab" -k 1,1'))
    return begins, next(at for at, line in enumerate(lines) if line.endswith('>"$tmp/computed"')) + 1


def holes_by_shell(folder: Path, from_us: int, until_us: int, layouts: list[Layout]) -> list[list[list[int]]]:
    """What verify.sh finds: its own lines for that, each layout as another camera."""
    script = SHELL_VERIFIER.read_text(encoding="utf-8")
    begins, ends = lines_for_time(script)
    found: list[list[list[int]]] = [[] for _ in layouts]
    for line in run_lines(script.split("\n")[begins:ends], folder, from_us, until_us, layouts).splitlines():
        camera, *hole = line.split("\t")
        found[int(camera.removeprefix("camera-"))].append([int(moment) for moment in hole])
    return found


def run_lines(lines: list[str], folder: Path, from_us: int, until_us: int, layouts: list[Layout]) -> str:
    """These lines of the script over the layouts. Raises CalledProcessError if the shell refuses them."""
    spans = [
        f"camera-{number}\t{each[0]}\t{each[1]}\t{each[2] or '-'}\t{each[3]}\n"
        for number, laid in enumerate(layouts)
        for each in [(0, 0, "", 0), *laid]
    ]
    (folder / "spans").write_text("".join(spans))
    (folder / "asked").write_text(f"{from_us} {until_us}\n")
    first = "set -eu; LC_ALL=C; export LC_ALL; tab=$(printf '\\t')"
    words = ["sh", "-c", "\n".join([first, *lines, 'cat "$tmp/computed"'])]
    here = {**os.environ, "tmp": str(folder)}
    return subprocess.run(words, capture_output=True, check=True, text=True, env=here, timeout=100).stdout
