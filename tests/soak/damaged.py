"""Damaged bars in front of the kiosk: a misread must never select another candidate.

Codes of three kinds, whose numbers all stand in one roster of consecutive numbers, so that a wrong digit is
likely to be somebody else's. Each is scratched, blotted, cut, bleached or stretched, and shown for some
frames to the scanner and to the rule of acceptance with the form learned from the roster. Then the roster
decides. Beside it, what pyzbar and zxing-cpp alone read from the first frame. Worst cases, not usual ones.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from exam.clock import SECOND_US
from exam.tickets import learn_form
from kiosk.acceptance import Acceptance
from kiosk.scanner import Picture, Scanner
from kiosk.visit import TicketRead
from tests.bench.bench_report import progress
from tests.bench.code_engines import alone
from tests.kiosk.paper import bars, printed, tray

SYMBOLOGIES = ("CODE128", "CODE39", "ITF")
ROSTER = tuple(f"20261122{number:04}" for number in range(1, 501))
FORM = learn_form(ROSTER)
FRAMES = 6
FRAME_US = SECOND_US // 10
MODULE_PX = 3
WHITE, BLACK = 255, 0

Damage = Callable[[Picture, np.random.Generator], Picture]


@dataclass(frozen=True)
class Shown:
    """One damaged code, and what came of it."""

    symbology: str
    number: str
    taken: str | None
    alone: dict[str, list[str]]

    @property
    def fate(self) -> str:
        """Read, unread, unknown (its form fits and nobody has it), or the wrong candidate."""
        if self.taken is None:
            return "unread"
        if self.taken == self.number:
            return "right"
        return "WRONG CANDIDATE" if self.taken in ROSTER else "not on roster"


def main(words: Sequence[str]) -> int:
    """Show the codes and print the table; the exit status is 1 when a wrong candidate was selected."""
    parser = argparse.ArgumentParser(prog="soak damaged", description=__doc__)
    parser.add_argument("--codes", type=int, default=1000, help="codes of each kind (1000)")
    parser.add_argument("--seed", type=int, default=0, help="another seed, other damages")
    chosen = parser.parse_args(words)
    wrong = 0
    for symbology in SYMBOLOGIES:
        fates, misread = Counter[str](), Counter[str]()
        for shown in trials(symbology, chosen.codes, chosen.seed):
            fates[shown.fate] += 1
            misread.update(
                name for name, texts in shown.alone.items() if any(text != shown.number for text in texts)
            )
        wrong += fates["WRONG CANDIDATE"]
        print(f"{symbology:8} {chosen.codes} codes: {dict(fates)}; engines alone misread: {dict(misread)}")
    print(f"{chosen.codes * len(SYMBOLOGIES)} damaged codes, {wrong} wrong candidates selected")
    return 1 if wrong else 0


def trials(symbology: str, count: int, seed: int) -> Iterator[Shown]:
    """Each damaged code, shown."""
    scanner, readers = Scanner([symbology]), alone([symbology])
    del readers["opencv"]  # reads none of these
    for number in range(count):
        if number % 100 == 0:
            progress(f"{symbology} {number} of {count}")
        dice = np.random.default_rng([seed, number, SYMBOLOGIES.index(symbology)])
        ticket = ROSTER[int(dice.integers(0, len(ROSTER)))]
        views = list(seen(damaged(code(symbology, ticket), dice), dice))
        raw = {name: read(views[0]) for name, read in readers.items()}
        yield Shown(symbology, ticket, taken(scanner, views), raw)
    scanner.close()


def taken(scanner: Scanner, views: Sequence[Picture]) -> str | None:
    """The ticket that the kiosk takes from these frames; None when it takes none."""
    acceptance = Acceptance([FORM] if FORM else [])
    for number, view in enumerate(views):
        what = acceptance.judge(scanner.scan(view), number * FRAME_US)
        if isinstance(what, TicketRead):
            return what.ticket_no
    return None


def code(symbology: str, text: str) -> Picture:
    """The bars before anything happened to them."""
    return bars(text, MODULE_PX) if symbology == "CODE128" else printed(symbology, text, MODULE_PX)


def damaged(whole: Picture, dice: np.random.Generator) -> Picture:
    """One to three mishaps."""
    harmed = whole.copy()
    for _ in range(int(dice.integers(1, 4))):
        harmed = DAMAGES[int(dice.integers(0, len(DAMAGES)))](harmed, dice)
    return harmed


def bleached(paper: Picture, dice: np.random.Generator) -> Picture:
    """A crease or a worn place: a stripe of bars is gone."""
    wide = int(dice.integers(1, 5 * MODULE_PX))
    left = int(dice.integers(0, paper.shape[1] - wide))
    paper[:, left : left + wide] = WHITE
    return paper


def blotted(paper: Picture, dice: np.random.Generator) -> Picture:
    """Ink over some bars, from edge to edge."""
    wide = int(dice.integers(1, 3 * MODULE_PX))
    left = int(dice.integers(0, paper.shape[1] - wide))
    paper[:, left : left + wide] = BLACK
    return paper


def scratched(paper: Picture, dice: np.random.Generator) -> Picture:
    """A line across, white or black."""
    height, width = paper.shape
    start, end = int(dice.integers(0, width)), int(dice.integers(0, width))
    shade = WHITE if dice.random() < 0.5 else BLACK
    return np.asarray(cv2.line(paper, (start, 0), (end, height), shade, int(dice.integers(1, 8))), np.uint8)


def cut(paper: Picture, dice: np.random.Generator) -> Picture:
    """One end is torn off, or lies under a thumb."""
    length = int(paper.shape[1] * dice.uniform(0.05, 0.4))
    if dice.random() < 0.5:
        paper[:, :length] = WHITE
    else:
        paper[:, -length:] = WHITE
    return paper


def stretched(paper: Picture, dice: np.random.Generator) -> Picture:
    """Curled paper: parts of the code seem wider than others."""
    width = paper.shape[1]
    wave = np.cumsum(1 + 0.6 * np.sin(np.linspace(0, dice.uniform(2, 14), width) + dice.uniform(0, 6)))
    across = ((wave - wave[0]) / (wave[-1] - wave[0]) * (width - 1)).astype(np.float32)
    down = np.arange(len(paper), dtype=np.float32)
    return np.asarray(cv2.remap(paper, *np.meshgrid(across, down), cv2.INTER_LINEAR), np.uint8)


def smudged(paper: Picture, dice: np.random.Generator) -> Picture:
    """Printed with too little or too much ink: bars thinner or thicker than they should be."""
    kernel = np.ones((1, int(dice.integers(2, 4))), np.uint8)
    change = cv2.dilate if dice.random() < 0.5 else cv2.erode
    return np.asarray(change(paper, kernel), np.uint8)


DAMAGES: tuple[Damage, ...] = (bleached, blotted, scratched, cut, stretched, smudged)


def seen(paper: Picture, dice: np.random.Generator) -> Iterator[NDArray[np.uint8]]:
    """Some frames of it, as a hand holds it under the camera."""
    turn, blur = float(dice.uniform(-12, 12)), float(dice.uniform(0.4, 1.4))
    still = tray(paper, turn_degrees=turn, blur=blur)[:, :, 0].astype(np.float32)
    for _ in range(FRAMES):
        yield np.clip(still + dice.normal(0, 5, still.shape), 0, 255).astype(np.uint8)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
