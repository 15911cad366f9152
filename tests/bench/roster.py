"""What a roster package costs: preparing it once, building it, its size, and opening it at the kiosk."""

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path
from statistics import median
from time import perf_counter

from config.roster_columns import load_roster_columns
from evidence import kiosks
from evidence.database import WriterDatabase
from evidence.kiosk_enrolments import enrol
from evidence.kiosk_secrets import KioskSecrets, renew_secret, secrets_of, signing_key
from evidence.roster import RosterRequest, import_roster
from evidence.roster_content import content_for, load_people, numbers_of
from evidence.roster_opening import RosterPackage
from evidence.roster_package import Revision, build_package
from evidence.roster_revisions import fingerprint, note_content
from evidence.staff_pins import keys_from_pin
from evidence.stretched_numbers import Stretcher, keep, load
from evidence.stretching import NUMBER_COST, PIN_COST, Cost, stretch
from evidence.vault import Vault
from tests.bench.bench_report import Row, print_report, progress
from tests.bench.big_site import BATCH, lay_site, write_big_roster
from tests.world import CLOCK_US

CHEAP = Cost(2)


class Timer:
    """Seconds of each step, by its name."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def __call__(self, name: str, work):  # type: ignore[no-untyped-def]
        started = perf_counter()
        result = work()
        self.seconds[name] = perf_counter() - started
        return result


def laid(folder: Path, candidates: int) -> tuple[WriterDatabase, Vault, KioskSecrets]:
    folder.mkdir()
    database, vault = lay_site(folder, candidates)
    write_big_roster(folder / "roster.xlsx", candidates)
    request = RosterRequest(folder / "roster.xlsx", BATCH, load_roster_columns())
    with database.write() as connection:
        import_roster(connection, vault, request, CLOCK_US)
        enrol(connection, "1号签到机", None, CLOCK_US)
        renew_secret(connection, vault, 1, CLOCK_US)
        keys = secrets_of(connection, vault, 1)
    assert keys is not None
    return database, vault, keys


def measure(folder: Path, candidates: int, cost: Cost) -> list[Row]:
    database, vault, keys = laid(folder, candidates)
    keys = replace(keys, stretcher=Stretcher(keys.stretcher.salt, cost))
    timed = Timer()
    with database.read() as connection:
        timed("unchanged_look", lambda: fingerprint(connection, CLOCK_US))
        people = timed("read", lambda: load_people(connection, vault, CLOCK_US))
        kiosk = kiosks.load_kiosks(connection)[0]
        content = timed("content", lambda: content_for(connection, kiosk, people, CLOCK_US))
    numbers = numbers_of(people)
    stretched = timed("stretch", lambda: {number: keys.stretcher.stretch(number) for number in numbers})
    with database.write() as connection:
        timed("keep", lambda: keep(connection, vault, stretched))
        timed("note", lambda: note_content(connection, vault, kiosk, content, CLOCK_US))
        timed("load", lambda: dict(load(connection, vault, numbers)))
    database.close()
    made = Revision(1, CLOCK_US)
    package = timed("build", lambda: build_package(content, stretched, keys, made, signing_key(vault)))
    opened = timed("open", lambda: RosterPackage(package, keys))
    read = opened.read(numbers[0])
    timed("look_up_after_stretching", lambda: opened.cards(read))
    if cost != NUMBER_COST:
        timed.seconds.pop("stretch")
    size = Row(f"package_bytes_{candidates}", len(package), "bytes", 1)
    times = timed.seconds.items()
    return [size, *(Row(f"{name}_{candidates}", round(took * 1000, 2), "ms", 1) for name, took in times)]


def price(cost: Cost, rounds: int) -> float:
    took = []
    for number in range(rounds):
        started = perf_counter()
        stretch(f"{number:06d}", b"salt", cost)
        took.append(perf_counter() - started)
    return median(took) * 1000


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="bench roster", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    arguments = parser.parse_args(argv)
    rows = [
        Row("stretch_one_number", round(price(NUMBER_COST, arguments.rounds), 1), "ms", arguments.rounds),
        Row("stretch_one_pin", round(price(PIN_COST, arguments.rounds), 1), "ms", arguments.rounds),
    ]
    started = perf_counter()
    keys_from_pin("730419", b"salt" * 4)
    rows.append(Row("keys_from_pin", round((perf_counter() - started) * 1000, 1), "ms", 1))
    with tempfile.TemporaryDirectory() as name:
        for candidates, cost in ((300, NUMBER_COST), (5000, CHEAP)):
            progress(f"{candidates} candidates")
            rows += measure(Path(name) / str(candidates), candidates, cost)
    print_report("roster", rows)
    return 0
