"""A big invented site for measurements: theory session T1 in rooms of thirty seats."""

from math import ceil
from pathlib import Path

from config.procedures import load_procedures
from evidence.database import WriterDatabase
from evidence.site_import import import_site
from evidence.vault import Vault
from rehearsal.people_names import RosterBlock, RosterLine, write_roster
from tests.world import CLOCK_US

SEATS = 30
BATCH = "BENCH"


def room_codes(candidates: int) -> list[str]:
    return [f"R{number:03d}" for number in range(1, ceil(candidates / SEATS) + 1)]


def lay_site(folder: Path, candidates: int) -> tuple[WriterDatabase, Vault]:
    """A database in `folder` whose site seats so many candidates. Close it when done."""
    rooms = room_codes(candidates)
    lines = ["[site]", 'code = "BENCH"', 'name = "测量用考点"']
    for code in rooms:
        lines += ["[[rooms]]", f'code = "{code}"', f'label = "第{code[1:]}考场"', 'kind = "theory"']
        lines += ["places = { rows = 6, columns = 5 }"]
    lines += ["[batch]", f'code = "{BATCH}"', 'name = "测量"', 'occupation = "电工"', 'level = "三级"']
    lines += [
        "[[sessions]]",
        'code = "T1"',
        'kind = "theory"',
        'subject = "理论知识"',
        'procedure = "theory"',
    ]
    # As in the small world: check-in is open at CLOCK_US.
    lines += ["start = 2026-11-22T09:00:00", "minutes = 90", f"rooms = {rooms}"]
    plan = folder / "site.toml"
    plan.write_text("\n".join(lines), encoding="utf-8")
    vault = Vault.open(folder / "site.key")
    database = WriterDatabase(folder / "exam.db", "exam")
    with database.write() as connection:
        import_site(connection, vault, plan, load_procedures(), CLOCK_US)
    return database, vault


def write_big_roster(path: Path, candidates: int, seed: int = 1) -> list[RosterLine]:
    """A roster that fills the rooms one after the other."""
    blocks = [
        RosterBlock("T1", code, min(SEATS, candidates - index * SEATS))
        for index, code in enumerate(room_codes(candidates))
    ]
    return write_roster(path, blocks, seed)
