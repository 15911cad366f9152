"""Runs every test: those that mostly wait beside those that compute, so that two processors are busy.

What waits meets deadlines of real time (signals, cameras, browsers), so what computes makes way for it.
Prints each run whole once it is over; ends with the worst exit status.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
Run = tuple[str, ...]
UNMEASURED = (sys.executable, "-m", "pytest")
PYTEST = (sys.executable, "-m", "coverage", "run", "-m", "pytest")
MEMORY, ROOM_BYTES = Path("/dev/shm"), 4 << 30


def in_memory() -> Run:
    """Where memory has room, what computes keeps its files there: it would wait for the disk at each fact."""
    if not MEMORY.is_dir() or shutil.disk_usage(MEMORY).free < ROOM_BYTES:
        return ()
    return ("env", f"PYTEST_DEBUG_TEMPROOT={MEMORY}")


YIELDING = (
    *("nice", "-n", "10", *in_memory(), *PYTEST, "-o", "tmp_path_retention_policy=failed"),
    *("-m", "not day and not live and not browser"),
)
# About half of the computing each; with more runs at once, cameras and signals miss their deadlines.
FIRST_HALF = ("tests/evidence", "tests/recorder", "tests/rehearsal", "tests/test_verifiers.py")
COMPUTING = (*YIELDING, *FIRST_HALF)
REST = (*YIELDING, *(f"--ignore={folder}" for folder in FIRST_HALF))
# Python processes are started by the hundred: what one of them has compiled, the others need not.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def marked(mark: str) -> list[str]:
    """The files that name the mark: to ask pytest for them costs less than to let it look through all."""
    files = sorted((ROOT / "tests").rglob("test_*.py"))
    return [str(file.relative_to(ROOT)) for file in files if f"mark.{mark}" in file.read_text("utf-8")]


LIVE, BROWSER = (*PYTEST, "-m", "live", *marked("live")), (*PYTEST, "-m", "browser and not day and not live")
KIOSK_PAGES = (*BROWSER, *(page for page in marked("browser") if page.startswith("tests/kiosk/")))
PAGES = [page for page in marked("browser") if not page.startswith("tests/kiosk/")]
# Pages of the console, about half of them in each of two runs.
EARLY_PAGES = [page for page in PAGES if page.startswith("tests/web/browser/") and Path(page).name < "test_d"]
FIRST_PAGES = (*BROWSER, *EARLY_PAGES)
LAST_PAGES = (*BROWSER, *(page for page in PAGES if page not in EARLY_PAGES))
# Runs of one lane follow one another, lanes run beside each other; each file of whole days has its own lane.
# The lines of a whole day are measured in the first.
DAYS: list[list[Run]] = [
    [(*(UNMEASURED if number else PYTEST), "-m", "day", file)] for number, file in enumerate(marked("day"))
]
LANES: list[list[Run]] = [
    [*DAYS[0], KIOSK_PAGES],
    [*DAYS[1], FIRST_PAGES],
    *DAYS[2:],
    [LIVE, LAST_PAGES],
    [REST],
]


def say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


def unseen(lane: Sequence[Sequence[str]]) -> list[tuple[int, str]]:
    """Every run of the lane: its exit status, and what it printed."""
    done = [
        subprocess.run(
            run,
            cwd=ROOT,
            env=ENVIRONMENT,
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for run in lane
    ]
    return [(one.returncode, one.stdout) for one in done]


def told(run: Sequence[str]) -> str:
    return " ".join(run[run.index("pytest") :])


def main() -> int:
    with ThreadPoolExecutor(len(LANES)) as pool:
        lanes: list[Future[list[tuple[int, str]]]] = [pool.submit(unseen, lane) for lane in LANES]
        say(f"== {told(COMPUTING)}")
        codes = [subprocess.run(COMPUTING, cwd=ROOT, env=ENVIRONMENT, check=False).returncode]
        for lane, future in zip(LANES, lanes, strict=True):
            say(f"== waiting for {' and '.join(told(run) for run in lane)}")
            for code, words in future.result():
                print(words, flush=True)
                codes.append(code)
    return max(codes, key=abs)


if __name__ == "__main__":
    sys.exit(main())
