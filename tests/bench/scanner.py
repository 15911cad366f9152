"""How well and how fast codes are read: our scanner beside pyzbar, zxing-cpp and OpenCV alone.

Three sets. Photographs (`--images DIR`): CATEGORY/NAME.png|jpg|webp with the truth beside it in NAME.txt;
categories whose name begins with "falsepositives" hold no code; other pictures without a text are left
out and counted. Generated sequences of 15 frames (`--sequences N` of each symbology; tests.bench.hard_codes).
Generated pictures without codes (`--codeless N` of each kind).

Our scanner looks at a still picture 15 times, as the kiosk does at a ticket that lies there; an engine alone
would give the same answer each time and is asked once. Each engine gets the same symbologies, and its own
default settings. Texts are compared by their printable ASCII characters, and where the truth holds others
too, nine tenths of those suffice: which encoding a code without declaration has is everybody's guess, and a
wrong one swallows neighbours. The seeds here are not those the scanner was tuned with.
"""

import argparse
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from pathlib import Path
from statistics import quantiles

import cv2
import numpy as np

from exam.clock import SystemClock
from kiosk.scanner import Picture, Scanner
from tests.bench.bench_report import Row, print_report, progress
from tests.bench.code_engines import Read, alone, ours
from tests.bench.codeless_pictures import KINDS, codeless
from tests.bench.hard_codes import FRAMES, Trouble, frames, scene

CLOCK = SystemClock()
TICKETS = ("CODE128", "QRCODE")
EVERYTHING = ("CODE128", "CODE39", "ITF", "EAN13", "QRCODE", "PDF417")
SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp"})
CODELESS = "falsepositives"
OURS = "ours"
REPORT_SEED = 700_000
PROGRESS_EVERY = 10
ENOUGH = 0.9


@dataclass
class Tally:
    """What came of one set of pictures or sequences, by reader."""

    shown: Counter[str] = field(default_factory=Counter)
    read: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    at_once: int = 0
    wrong: Counter[str] = field(default_factory=Counter)
    ms: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def rate(self, reader: str, kind: str | None = None) -> float:
        """Share of what was shown, of one kind or of all."""
        counted = self.read[reader]
        read, shown = (
            (counted.total(), self.shown.total()) if kind is None else (counted[kind], self.shown[kind])
        )
        return round(read / shown, 4) if shown else 0.0

    def timed(self, reader: str, read: Read, grey: Picture) -> list[str]:
        """What the reader finds, with its time."""
        before_us = CLOCK.monotonic_us()
        texts = read(grey)
        self.ms[reader].append((CLOCK.monotonic_us() - before_us) / 1000)
        return texts


@dataclass(frozen=True)
class Photograph:
    """One picture and what stands in its code; None: it has none."""

    path: Path
    truth: str | None

    @property
    def kind(self) -> str:
        """The symbology: the category without its number."""
        return self.path.parent.name.rsplit("-", 1)[0]


def main(argv: list[str]) -> int:
    """Measure and print the report."""
    parser = argparse.ArgumentParser(prog="bench scanner", description=__doc__)
    parser.add_argument("--images", type=Path, help="folder of photographs; none: generated pictures only")
    parser.add_argument("--sequences", type=int, default=35, help="sequences of each symbology (35)")
    parser.add_argument("--codeless", type=int, default=12, help="pictures without codes of each kind (12)")
    parser.add_argument("--seed", type=int, default=REPORT_SEED, help="first seed of the generated sets")
    chosen = parser.parse_args(argv)
    rows: list[Row] = []
    if chosen.images is not None:
        rows += photograph_rows(*photographs(chosen.images))
    rows += sequence_rows(chosen.sequences, chosen.seed)
    rows += codeless_rows(chosen.codeless, chosen.seed)
    print_report("scanner", rows)
    return 0


def photographs(folder: Path) -> tuple[list[Photograph], int]:
    """The pictures whose truth is known, and how many others there are."""
    known, unknown = [], 0
    for path in sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES):
        side = path.with_suffix(".txt")
        if side.exists():
            known.append(Photograph(path, side.read_text(encoding="utf-8")))
        elif path.parent.name.startswith(CODELESS):
            known.append(Photograph(path, None))
        else:
            unknown += 1
    return known, unknown


def printable(text: str) -> str:
    """The text's printable ASCII characters; the whole text when it has none."""
    return "".join(one for one in text if "!" <= one <= "~") or text.strip()


def is_same(truth: str, text: str) -> bool:
    """Whether a reader found what stands in the code."""
    if truth.isascii():
        return printable(truth) == printable(text)
    return SequenceMatcher(None, printable(truth), printable(text)).ratio() >= ENOUGH


def photograph_rows(pictures: Sequence[Photograph], unknown: int) -> list[Row]:
    """Read rates overall and by symbology, wrong and false reads, time of a first frame."""
    tally, false = Tally(), Counter[str]()
    readers = alone(EVERYTHING)
    for number, picture in enumerate(pictures):
        if number % PROGRESS_EVERY == 0:
            progress(f"photograph {number + 1} of {len(pictures)}")
        grey = np.asarray(cv2.imread(str(picture.path), cv2.IMREAD_GRAYSCALE), np.uint8)
        found = {name: tally.timed(name, read, grey) for name, read in readers.items()}
        found[OURS] = still(grey, tally)
        judge(picture, found, tally, false)
    codeless_count = sum(picture.truth is None for picture in pictures)
    named = [
        Row("photographs_with_truth_beside_them", len(pictures) - codeless_count, "count", len(pictures)),
        Row("photographs_without_code_by_folder", codeless_count, "count", len(pictures)),
        Row("photographs_left_out", unknown, "count", len(pictures) + unknown),
    ]
    return named + rate_rows("", tally, sorted(tally.shown)) + wrong_rows("", tally, false, codeless_count)


def still(grey: Picture, tally: Tally) -> list[str]:
    """What our scanner finds in a picture that it sees again and again."""
    scanner = Scanner(EVERYTHING)
    try:
        for look in range(FRAMES):
            if look == 0:
                texts = tally.timed(OURS, ours(scanner), grey)
                tally.at_once += bool(texts)
            else:
                texts = ours(scanner)(grey)
            if texts:
                return texts
        return []
    finally:
        scanner.close()


def judge(picture: Photograph, found: dict[str, list[str]], tally: Tally, false: Counter[str]) -> None:
    """Count what was found."""
    if picture.truth is None:
        false.update(name for name, texts in found.items() if texts)
        return
    tally.shown[picture.kind] += 1
    for name, texts in found.items():
        if any(is_same(picture.truth, text) for text in texts):
            tally.read[name][picture.kind] += 1
        elif texts:
            tally.wrong[name] += 1


def sequence_rows(count: int, first_seed: int) -> list[Row]:
    """Read rates of sequences, by symbology and by trouble; time of every frame."""
    rows: list[Row] = []
    both = Tally()
    for symbology in TICKETS:
        tally = Tally()
        for number in range(count):
            if number % PROGRESS_EVERY == 0:
                progress(f"{symbology} sequence {number + 1} of {count}")
            sequence(symbology, first_seed + number, tally, both)
        rows += rate_rows(f"{symbology.lower()}_sequence_", tally, list(Trouble))
        rows += [
            Row(
                f"{symbology.lower()}_sequence_wrong_frames_{name}",
                tally.wrong[name],
                "count",
                len(tally.ms[name]),
            )
            for name in (OURS, "pyzbar", "zxing", "opencv")
        ]
    return rows + time_rows("sequence_", both)


def sequence(symbology: str, seed: int, tally: Tally, both: Tally) -> None:
    """Show one sequence to everybody until all have read it or it is over; the time counts while we look."""
    what = scene(symbology, seed)
    scanner = Scanner(TICKETS)
    readers = {OURS: ours(scanner), **alone(TICKETS)}
    waiting = set(readers)
    tally.shown[what.trouble] += 1
    for grey in frames(what):
        we_look = OURS in waiting
        for name in [name for name in readers if name in waiting or we_look]:
            texts = both.timed(name, readers[name], grey) if we_look else readers[name](grey)
            tally.ms[name].append(0.0)
            if what.text in texts and name in waiting:
                tally.read[name][what.trouble] += 1
                waiting.discard(name)
            elif texts and what.text not in texts:
                tally.wrong[name] += 1
        if not waiting:
            break
    scanner.close()


def codeless_rows(count: int, first_seed: int) -> list[Row]:
    """False reads in generated pictures without codes: ours after 15 looks, the engines after one."""
    false, shown = Counter[str](), 0
    for kind in KINDS:
        progress(f"pictures without codes: {kind}")
        for number in range(count):
            shown += 1
            grey = codeless(kind, first_seed + number)
            false.update(name for name, read in alone(TICKETS).items() if read(grey))
            scanner = Scanner(TICKETS)
            false[OURS] += any(scanner.scan(grey) for _ in range(FRAMES))
            scanner.close()
    best = min(false[name] for name in ("pyzbar", "zxing", "opencv"))
    return [Row("codeless_false_reads", false[OURS], "count", shown, best, "best single engine")]


def rate_rows(prefix: str, tally: Tally, kinds: Sequence[str]) -> list[Row]:
    """Our read rate beside the best engine's, each engine's, and ours by kind."""
    engines = {name: tally.rate(name) for name in ("pyzbar", "zxing", "opencv")}
    best = max(engines, key=lambda name: engines[name])
    mine, shown = tally.rate(OURS), tally.shown.total()
    ratio = round(mine / engines[best], 3) if engines[best] else None
    rows = [Row(f"{prefix}read_rate", mine, "fraction", shown, engines[best], f"{best} alone", ratio)]
    rows += [Row(f"{prefix}read_rate_{name}", rate, "fraction", shown) for name, rate in engines.items()]
    for kind in kinds:
        best = max(engines, key=lambda name: tally.rate(name, kind))
        rows.append(
            Row(
                f"{prefix}read_rate_of_{kind}",
                tally.rate(OURS, kind),
                "fraction",
                tally.shown[kind],
                tally.rate(best, kind),
                f"{best} alone",
            )
        )
    return rows


def wrong_rows(prefix: str, tally: Tally, false: Counter[str], codeless_count: int) -> list[Row]:
    """Wrong texts and texts where there is no code, beside the best engine, and the time."""
    engines = ("pyzbar", "zxing", "opencv")
    shown = tally.shown.total()
    least_wrong, least_false = (min(counted[name] for name in engines) for counted in (tally.wrong, false))
    return [
        Row(f"{prefix}read_rate_at_first_look", round(tally.at_once / shown, 4), "fraction", shown),
        Row(f"{prefix}wrong_reads", tally.wrong[OURS], "count", shown, least_wrong, "best single engine"),
        Row(f"{prefix}false_reads", false[OURS], "count", codeless_count, least_false, "best single engine"),
        *time_rows(prefix, tally),
    ]


def time_rows(prefix: str, tally: Tally) -> list[Row]:
    """Median and 95th percentile of a frame, beside the engine that is fastest by median."""
    engines = {name: tally.ms[name] for name in ("pyzbar", "zxing", "opencv")}
    fastest = min(engines, key=lambda name: percentile(engines[name], 50))
    return [
        Row(
            f"{prefix}ms_per_frame_p{at}",
            percentile(tally.ms[OURS], at),
            "ms",
            len(tally.ms[OURS]),
            percentile(engines[fastest], at),
            f"{fastest} alone",
            round(percentile(tally.ms[OURS], at) / percentile(engines[fastest], at), 3),
        )
        for at in (50, 95)
    ]


def percentile(values: Sequence[float], at: int) -> float:
    return round(quantiles(values, n=100, method="inclusive")[at - 1], 2)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
