"""A recorder that records while its finished files rot and vanish: `--seconds 60 --mirror FOLDER`.

The mirror's folder must lie on another disk; by default it is memory, which is one as far as this goes.
Every few seconds one finished file of a real recorder loses a bit or is taken away as root would do it,
immutable flag and all. Then a check of everything is ordered. What must hold at the end: every one of them
found and repaired from the mirror, both facts in the ledger, nothing else accused, no gap in the recording.
"""

import argparse
import hashlib
import random
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from config.settings import RecorderSettings
from evidence.database import ReaderDatabase, WriterDatabase
from evidence.fixity_orders import EVER, CheckRequest, give_check_order
from evidence.footage import Segment
from evidence.ledger import read_leaves
from evidence.protection import make_mutable
from evidence.work_orders import report
from exam.clock import SECOND_US
from rehearsal.camera_plan import CameraPlan
from rehearsal.camera_server import running_cameras
from tests.recorder.live import CLOCK, LiveSite, live_site, wait_until

SEGMENT_S = 4
MB_PER_S = 200


@dataclass
class Trial:
    site: LiveSite
    names: tuple[str, ...]
    chance: random.Random = field(default_factory=lambda: random.Random(4))
    hurt: dict[int, str] = field(default_factory=dict)

    def ask(self, question: str) -> list[dict[str, object]]:
        reader = ReaderDatabase(self.site.settings.footage_db)
        try:
            with reader.read() as connection:
                return [dict(row) for row in connection.execute(question)]
        finally:
            reader.close()

    def mirrored(self) -> list[Segment]:
        """Files with a verified copy that nobody has hurt yet."""
        rows = self.ask("select segment_id from mirror_copy where verified_at_us is not null")
        copied = {row["segment_id"] for row in rows}
        found = [each for name in self.names for each in self.site.segments(name)]
        return [each for each in found if each.id in copied and each.id not in self.hurt]

    def hurt_one(self) -> None:
        files = self.mirrored()
        if not files:
            return
        victim = self.chance.choice(files)
        make_mutable(victim.file)
        if self.chance.random() < 0.5:
            content = bytearray(victim.file.read_bytes())
            content[self.chance.randrange(len(content))] ^= 1 << self.chance.randrange(8)
            victim.file.chmod(0o644)
            victim.file.write_bytes(content)
            self.hurt[victim.id] = "damaged"
        else:
            victim.file.rename(self.site.settings.data_folder / f"stolen-{victim.id}")
            self.hurt[victim.id] = "missing"

    def order(self) -> int:
        exam = WriterDatabase(self.site.settings.exam_db, "exam")
        with exam.write() as connection:
            asked = CheckRequest("全部考场", [], EVER, "试验", 1)
            order_id = give_check_order(connection, asked, CLOCK.wall_us())
        exam.close()
        return order_id

    def is_answered(self, order_id: int) -> bool:
        reader = ReaderDatabase(self.site.settings.footage_db)
        with reader.read() as connection:
            is_final = report(connection, order_id).is_final
        reader.close()
        return is_final

    def is_whole(self) -> bool:
        found = self.ask("select count(*) as n, count(repaired_at_us) as repaired from damage")
        return found == [{"n": len(self.hurt), "repaired": len(self.hurt)}]


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="soak fixity")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--mirror", type=Path, default=Path("/dev/shm"), help="a folder on another disk")
    asked = parser.parse_args(words)
    with (
        tempfile.TemporaryDirectory(dir="var" if Path("var").is_dir() else None) as folder,
        tempfile.TemporaryDirectory(dir=asked.mirror) as mirror,
    ):
        faults = _run(Path(folder), Path(mirror), asked.seconds)
        for path in [
            *Path(folder).rglob("*.mp4"),
            *Path(mirror).rglob("*.mp4"),
            *Path(folder).rglob("*_damaged_*"),
        ]:
            make_mutable(path)
    for fault in faults:
        print(f"✖ {fault}")
    print("soak fixity: " + ("failed" if faults else "all held"))
    return 1 if faults else 0


def _run(folder: Path, mirror: Path, seconds: int) -> list[str]:
    plans = [CameraPlan(name=name, resolution="640x368", bitrate_kbps=600) for name in ("a", "b")]
    (folder / "cameras").mkdir()
    with running_cameras(plans, folder / "cameras", loop_seconds=4) as cameras:
        site = live_site(folder, cameras, segment_seconds=SEGMENT_S)
        chosen = RecorderSettings(segment_seconds=SEGMENT_S, mirror=mirror, fixity_mb_per_s=MB_PER_S)
        site.settings = site.settings.model_copy(update={"recorder": chosen})
        trial = Trial(site, ("a", "b"))
        with site.recording():
            wait_until(trial.mirrored, 120)
            until_us = CLOCK.monotonic_us() + seconds * SECOND_US
            while CLOCK.monotonic_us() < until_us:
                trial.hurt_one()
                sys.stderr.write(f"hurt so far: {len(trial.hurt)}\n")
                CLOCK.sleep_us(3 * SECOND_US)
            order_id = trial.order()
            _try(lambda: trial.is_answered(order_id), 60)
            _try(trial.is_whole, 90)
            gaps = {name: [gap for gap in site.gaps(name) if gap.ended_at_us is None] for name in trial.names}
        return _faults(trial, gaps)


def _try(true: Callable[[], object], seconds: float) -> None:
    try:
        wait_until(true, seconds)
    except AssertionError:
        sys.stderr.write("it did not come true in time\n")


def _faults(trial: Trial, gaps: dict[str, list[object]]) -> list[str]:
    faults = [f"camera {name} has a gap: {found}" for name, found in gaps.items() if found]
    damages = trial.ask("select segment_id, kind, repaired_by from damage")
    for segment_id, kind in trial.hurt.items():
        if {"segment_id": segment_id, "kind": kind, "repaired_by": "mirror"} not in damages:
            faults.append(
                f"segment {segment_id}, {kind}: {[d for d in damages if d['segment_id'] == segment_id]}"
            )
    faults += [f"accused without reason: {one}" for one in damages if one["segment_id"] not in trial.hurt]
    for row in trial.ask(
        "select segment.*, volume.path as folder from segment join volume on volume.id = volume_id"
    ):
        file = Path(str(row["folder"])) / str(row["path"])
        if not file.exists() or hashlib.sha256(file.read_bytes()).digest() != row["sha256"]:
            faults.append(f"segment {row['id']} is not whole")
    reader = ReaderDatabase(trial.site.settings.footage_db)
    with reader.read() as connection:
        kinds = [leaf.kind for leaf, _ in read_leaves(connection)]
    reader.close()
    print(
        {
            kind: kinds.count(kind)
            for kind in ("segment", "fixity_check", "mirror_copies", "damage_found", "damage_repaired")
        }
    )
    found = {kind: sum(one == kind for one in trial.hurt.values()) for kind in ("damaged", "missing")}
    print(f"hurt: {found}")
    if kinds.count("damage_found") != len(trial.hurt) or kinds.count("damage_repaired") != len(trial.hurt):
        faults.append("the ledger has another number of leaves")
    return faults
