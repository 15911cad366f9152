"""A small archive from which bags are exported: two cameras, six files each, two recorded gaps."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from evidence.bag_verifier import SIGNATURE, SIGNED
from evidence.checkpoints import Checkpoints
from evidence.export import ExportTools, MadeBag, carry_out
from evidence.export_plan import AskedCamera, Asker, CopyOptions, ExportWish
from evidence.footage import Cause, Origin
from evidence.footage_rows import NewRun, add_run, note_absence
from evidence.ingest import ClosedFile, ingest
from evidence.naming import SegmentName
from evidence.picture_time import Closing
from evidence.proofs import Authority
from evidence.timeline import Interval
from exam.clock import SECOND_US
from tests.evidence.recorded import CAMERA, CAMERA_2, RUN, RUN_2, flush_stamped, put, recording
from tests.evidence.store import FIRST_US, Footage, open_footage

LENGTH_US = 4 * SECOND_US
WORDS = {"stalled": "摄像机停止发送画面", "unrecorded": "没有录像，也没有缺口记录", "future": "尚未到此时刻"}
ASKER = Asker("周审", "示例市人力资源和社会保障局", "李强", "考生投诉核查")
RUN_3 = "00000000-0000-0000-0000-0000000000a3"


@dataclass
class Archive:
    """Footage, its signed ledger, an empty medium. Lists are not laid out: that takes a second."""

    footage: Footage
    checkpoints: Checkpoints
    authority: Authority
    target: Path
    # What every file holds instead of invented bytes.
    pictures: bytes | None = None

    @property
    def tools(self) -> ExportTools:
        return ExportTools(
            self.footage.database, self.authority, WORDS, lambda _page: b"%PDF-1.7 nobody reads it here"
        )

    def film(self, camera: str, run: str, sequence: int, start_us: int) -> int:
        """One file of four seconds, ingested; returns the segment's id."""
        name = SegmentName(camera, run, sequence).path()
        content = self.pictures or recording(*flush_stamped(start_us, [2000, 2000]))
        closed_us = start_us + LENGTH_US + 40_000
        put(self.footage.volume.path, name, content, closed_at_us=closed_us)
        with self.footage.database.write() as connection:
            run_id = add_run(connection, NewRun(run, camera, "boot", start_us, 0))
        made = ingest(
            self.footage.store,
            ClosedFile(self.footage.volume, name, run_id, Closing(closed_us), Origin.LIVE),
        )
        assert made is not None
        return made

    def sign(self) -> None:
        self.checkpoints.sign(self.footage.store.clock.wall_us())

    def export(self, wanted: ExportWish | None = None) -> list[MadeBag]:
        return carry_out(self.tools, wanted or wish(self), lambda _done, _total, _words: None)

    def file_of(self, segment_id: int) -> Path:
        return next(each.file for each in self.footage.segments() if each.id == segment_id)


def wish(
    archive: Archive,
    from_us: int = FIRST_US + 2 * SECOND_US,
    until_us: int = FIRST_US + 30 * SECOND_US,
    *,
    cameras: Sequence[str] = (CAMERA, CAMERA_2),
    options: CopyOptions | None = None,
) -> ExportWish:
    labels = {CAMERA: "前方", CAMERA_2: "后方"}
    return ExportWish(
        order_id=12,
        account_id=3,
        site="示例职业技能考点（SITE-01）",
        asker=ASKER,
        cameras=tuple(AskedCamera(each, "第1考场", labels[each]) for each in cameras),
        interval=Interval(from_us, until_us),
        options=options or CopyOptions(with_play=False),
        target=archive.target,
    )


def relist(bag: Path, *, weigh: bool = True) -> None:
    """What an attacker can do without the key: size and manifests made anew over whatever lies in the bag."""
    if weigh:
        _weigh(bag)
    files = {each.relative_to(bag).as_posix(): each for each in bag.rglob("*") if each.is_file()}
    payload = {path: each for path, each in files.items() if path.startswith("data/")}
    _list(bag / "manifest-sha256.txt", payload)
    unlisted = {SIGNED, SIGNATURE, *payload}
    _list(bag / SIGNED, {path: each for path, each in files.items() if path not in unlisted})


def _weigh(bag: Path) -> None:
    sizes = [each.stat().st_size for each in bag.glob("data/**/*") if each.is_file()]
    said = (bag / "bag-info.txt").read_bytes()
    true = re.sub(rb"Payload-Oxum: [0-9.]+", f"Payload-Oxum: {sum(sizes)}.{len(sizes)}".encode(), said)
    (bag / "bag-info.txt").write_bytes(true)


def _list(manifest: Path, files: dict[str, Path]) -> None:
    lines = [f"{sha256(files[path].read_bytes()).hexdigest()}  {path}\n" for path in sorted(files)]
    manifest.write_text("".join(lines), encoding="utf-8")


def resign(archive: Archive, bag: Path, *, weigh: bool = True) -> None:
    """What only the site can do: the manifests made anew and signed."""
    relist(bag, weigh=weigh)
    (bag / SIGNATURE).write_bytes(archive.authority.signer.key.sign((bag / SIGNED).read_bytes()))


@contextmanager
def open_archive(folder: Path, film: bytes | None = None) -> Iterator[Archive]:
    """The archive with its footage laid and its ledger signed."""
    with open_footage(folder) as footage:
        target = folder / "medium"
        target.mkdir()
        checkpoints = Checkpoints(footage.database, folder / "keys", "footage")
        authority = Authority.open(folder / "keys", folder, footage.store.clock)
        archive = Archive(footage, checkpoints, authority, target, film)
        try:
            for sequence in range(8):
                archive.film(CAMERA_2, RUN_2, sequence, FIRST_US + sequence * LENGTH_US)
            for sequence in range(4):
                archive.film(CAMERA, RUN, sequence, FIRST_US + sequence * LENGTH_US)
            with footage.database.write() as connection:
                ended_us = footage.segments()[-1].ended_at_us
                note_absence(connection, CAMERA, ended_us, Cause.STALLED, ended_us)
            for sequence in range(4):
                archive.film(CAMERA, RUN_3, sequence, FIRST_US + 18 * SECOND_US + sequence * LENGTH_US)
            archive.sign()
            yield archive
        finally:
            checkpoints.close()


__all__ = ["CAMERA", "CAMERA_2", "FIRST_US", "Archive", "open_archive", "relist", "resign", "wish"]
