"""How long a roster of 5,000 candidates takes to come in, beside openpyxl reading the same file."""

import argparse
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

import openpyxl

from config.roster_columns import load_roster_columns
from evidence.roster import RosterRequest, import_roster
from tests.bench.bench_report import Row, print_report, progress
from tests.bench.big_site import BATCH, lay_site, write_big_roster
from tests.world import CLOCK_US


def seconds_to_import(folder: Path, path: Path, candidates: int) -> float:
    """Ours, from the file's path to the committed transaction, into a site without candidates."""
    folder.mkdir()
    database, vault = lay_site(folder, candidates)
    request = RosterRequest(path, BATCH, load_roster_columns())
    started = perf_counter()
    with database.write() as connection:
        report = import_roster(connection, vault, request, CLOCK_US)
    seconds = perf_counter() - started
    database.close()
    assert report.changes is not None
    assert len(report.changes.added) == candidates
    return seconds


def seconds_to_read(path: Path) -> float:
    """The baseline: openpyxl alone, every cell, read-only."""
    started = perf_counter()
    workbook = openpyxl.load_workbook(path, read_only=True, data_only=True)
    read = sum(1 for _ in workbook.worksheets[0].iter_rows(values_only=True))
    workbook.close()
    assert read
    return perf_counter() - started


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="bench import", description=__doc__)
    parser.add_argument("--candidates", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args(argv)
    pairs: list[tuple[float, float]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_big_roster(folder / "roster.xlsx", arguments.candidates)
        for number in range(1, arguments.rounds + 1):
            ours = seconds_to_import(folder / str(number), folder / "roster.xlsx", arguments.candidates)
            pairs.append((ours, seconds_to_read(folder / "roster.xlsx")))
            progress(f"round {number} of {arguments.rounds}: {ours:.2f} s, openpyxl {pairs[-1][1]:.2f} s")
    row = Row(
        metric=f"import_{arguments.candidates}_seconds",
        value=round(median(ours for ours, _ in pairs), 3),
        unit="s",
        n=len(pairs),
        baseline=round(median(theirs for _, theirs in pairs), 3),
        baseline_name="openpyxl reading the same file",
        ratio=round(median(ours / theirs for ours, theirs in pairs), 2),
    )
    print_report("import", [row])
    return 0
