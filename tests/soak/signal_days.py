"""Whole exam days of signals on a fake clock, each made from its seed: `--days 10000 --seed 0 --processes 2`.

The real ticker, clock keeper, rules and database, with simulated players, people and troubles (tests/soak/
signals). No signal may be early, stale, double, or lost without a visible task; a day that breaks a law is
printed with its seed and its trail, and made again by `--seed N --days 1`. With `--state FILE` a run that was
cut short goes on where it stopped.
"""

import argparse
import json
import multiprocessing
import os
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from logging import CRITICAL
from pathlib import Path

import structlog

from exam.clock import SECOND_US, SystemClock
from tests.soak.signals.run import run_day
from tests.soak.signals.site import leave
from tests.soak.signals.truth import LawBrokenError

CHUNK = 50
CLOCK = SystemClock()


@dataclass
class Tally:
    """What a stretch of days came to."""

    first: int
    days: int
    counts: Counter[str] = field(default_factory=Counter)
    broken: list[tuple[int, str, str]] = field(default_factory=list)


def run_days(stretch: tuple[int, int]) -> Tally:
    """A stretch of days in this process."""
    logging = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(CRITICAL))
    first, days = stretch
    tally = Tally(first, days)
    for seed in range(first, first + days):
        try:
            tally.counts.update(run_day(seed))
        except LawBrokenError as error:
            tally.broken.append((seed, str(error), "\n".join(error.__notes__)))
    leave()
    structlog.configure(**logging)
    return tally


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="soak signal_days")
    parser.add_argument("--days", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0, help="the first day's seed")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--state", type=Path, help="file that remembers which days are done")
    asked = parser.parse_args(words)
    done = _done(asked.state)
    stretches = [
        (first, min(CHUNK, asked.seed + asked.days - first))
        for first in range(asked.seed, asked.seed + asked.days, CHUNK)
    ]
    todo = [one for one in stretches if one not in done]
    counts: Counter[str] = Counter()
    broken: list[int] = []
    days = 0
    began_us = CLOCK.monotonic_us()
    for tally in _tallies(todo, asked.processes):
        days += tally.days
        counts.update(tally.counts)
        broken += [seed for seed, _, _ in tally.broken]
        _tell(tally, days, (CLOCK.monotonic_us() - began_us) / SECOND_US)
        if asked.state is not None and not tally.broken:
            with asked.state.open("a", encoding="utf-8") as file:
                file.write(json.dumps([tally.first, tally.days]) + "\n")
    _print(days, len(done & set(stretches)) * CHUNK, counts, broken)
    return 1 if broken else 0


def _done(state: Path | None) -> set[tuple[int, int]]:
    if state is None or not state.exists():
        return set()
    return {tuple(json.loads(line)) for line in state.read_text(encoding="utf-8").splitlines()}


def _tallies(todo: list[tuple[int, int]], processes: int) -> Iterator[Tally]:
    if processes <= 1:
        yield from map(run_days, todo)
        return
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        yield from pool.imap_unordered(run_days, todo)


def _tell(tally: Tally, days: int, passed_s: float) -> None:
    sys.stderr.write(f"{days} days, {days / passed_s:.1f} a second\n")
    for seed, words, trail in tally.broken:
        sys.stderr.write(f"✖ seed {seed}: {words}\n{trail}\n")


def _print(days: int, before: int, counts: Counter[str], broken: list[int]) -> None:
    print(json.dumps(dict(sorted(counts.items())), indent=1))
    print(f"{days} days ({before} more were done before), {len(broken)} broke a law")
    for seed in broken:
        print(f"✖ python3 run.py soak signal_days -- --seed {seed} --days 1 --processes 1")
