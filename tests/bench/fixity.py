"""Reading footage for fixity against `openssl dgst -sha256` of the same files.

`--mb 1500 --file-mb 30 --rounds 5`: both read from the disk, unpaced: what memory holds of the files is
dropped before each turn. Ours includes the rows and the leaf of the turn.
"""

import argparse
import os
import subprocess
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

from evidence.fixity import check_files, unpaced
from evidence.fixity_rows import IndexedFile, Soundness, find_file
from tests.bench.bench_report import Row, print_report, progress
from tests.bench.export import lay
from tests.evidence.recorded import CAMERA, RUN
from tests.evidence.store import Footage, open_footage

GB = 1_000_000_000


def forget(files: list[IndexedFile]) -> None:
    """Drop what memory holds of the files."""
    for each in files:
        descriptor = os.open(each.file, os.O_RDONLY)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)


def ours(footage: Footage, files: list[IndexedFile]) -> float:
    began = perf_counter()
    readings = check_files(footage.store, files, unpaced)
    took = perf_counter() - began
    assert {each.result for each in readings} == {Soundness.SOUND}
    return took


def openssl(files: list[IndexedFile]) -> float:
    began = perf_counter()
    command = ["openssl", "dgst", "-sha256", *(str(each.file) for each in files)]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    took = perf_counter() - began
    assert all(each.sha256.hex() in said for each in files)
    return took


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="bench fixity")
    parser.add_argument("--mb", type=int, default=1500)
    parser.add_argument("--file-mb", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args(words)
    with (
        tempfile.TemporaryDirectory(dir=Path.cwd() / "var" if Path("var").is_dir() else None) as folder,
        open_footage(Path(folder)) as footage,
    ):
        for number in range(max(1, asked.mb // asked.file_mb)):
            lay(footage, CAMERA, RUN, number, os.urandom(asked.file_mb * 1_000_000))
        os.sync()
        print_report("fixity", [_measure(footage, asked.rounds)])
    return 0


def _measure(footage: Footage, rounds: int) -> Row:
    with footage.database.read() as connection:
        found = [find_file(connection, each.id) for each in footage.segments()]
    files = [each for each in found if each is not None]
    gb = sum(each.size_bytes for each in files) / GB
    progress(f"{len(files)} files, {gb:.1f} GB")
    pairs: list[tuple[float, float]] = []
    for number in range(rounds):
        forget(files)
        theirs = openssl(files)
        forget(files)
        own = ours(footage, files)
        pairs.append((own, theirs))
        progress(f"round {number + 1}: ours {own:.2f} s, openssl {theirs:.2f} s")
    return Row(
        "fixity_gb",
        round(median(own for own, _ in pairs) / gb, 3),
        "s/GB",
        len(pairs),
        round(median(theirs for _, theirs in pairs) / gb, 3),
        "openssl dgst -sha256",
        round(median(own / theirs for own, theirs in pairs), 3),
    )
