"""Carrying out an export: archive -> bags on a target folder, each in the register before it is valid.

Whatever goes wrong, the archive is only read. A bag that was not finished keeps its `.unfinished` name and
is valid for no verifier. Doing an order again makes new bags beside those.
"""

import errno
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from sqlite3 import Connection
from typing import Any, Final

from evidence import play_copy
from evidence.bag import BagWriter
from evidence.bag_verifier import SIGNED
from evidence.database import WriterDatabase
from evidence.delivery import (
    Circumstances,
    Delivered,
    DerivedCopy,
    bag_lines,
    canonical_json,
    describe,
    is_complete,
    list_csv,
    list_rows,
)
from evidence.delivery_paper import paper, print_in_child
from evidence.export_plan import (
    BagPlan,
    CameraPlan,
    ExportError,
    ExportWish,
    FileState,
    PlannedFile,
    RestrictedError,
    plan,
)
from evidence.ledger import LeafKind, append
from evidence.play_copy import BURNT_IN, REMUXED, PlayCopyError, Reel
from evidence.proofs import Authority, write_authority, write_proofs
from evidence.protection import Level, level
from exam.clock import site_time

LIST_PDF, LIST_CSV, HOW_TO = "电子数据清单.pdf", "电子数据清单.csv", "怎样核验.txt"
_HERE: Final = Path(__file__).parent
PROTECTION_WORDS: Final = {
    Level.DETECT_ONLY: "R0（不能阻止删除，只能发现）",
    Level.SINGLE_MACHINE: "R1（单机：文件已设为不可更改；掌握本机最高权限者仍可删除，但会被发现）",
    Level.SECOND_COPY: "R2（另有一份本机无权删除的副本）",
    Level.OBJECT_LOCK: "R3（对象存储在保存期内拒绝删除）",
}
# Files with these names go into every bag as they are.
_TOOLS: Final = {"verify.py": "bag_verifier.py", "verify.sh": "bag_verifier.sh", HOW_TO: "bag_how_to.zh.txt"}
_TARGET_WORDS: Final = {
    errno.ENOSPC: "目标介质已满",
    errno.EDQUOT: "目标介质的配额已用完",
    errno.EROFS: "目标介质是只读的",
    errno.EACCES: "没有写入目标文件夹的权限",
    errno.EPERM: "没有写入目标文件夹的权限",
    errno.ENOENT: "目标文件夹不在了，介质可能已被拔出",
    errno.EIO: "目标介质读写出错，可能已被拔出",
    errno.EFBIG: "目标介质的文件系统放不下这么大的文件",
}


# Told how many bytes were copied, of how many, and what is going on; may raise to stop.
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class ExportTools:
    """What an export works with. `words` explain absences by their codes.

    `require_allowed` raises RestrictedError once the footage may leave no more: a restriction may be
    confirmed while it is copied. Asked before each bag becomes valid; progress may ask it more often.
    """

    database: WriterDatabase
    authority: Authority
    words: Mapping[str, str]
    print_page: Callable[[str], bytes] = print_in_child
    require_allowed: Callable[[], None] = lambda: None


@dataclass(frozen=True, slots=True)
class MadeBag:
    """A bag that is valid and in the register."""

    path: Path
    is_complete: bool
    segments: int
    tagmanifest_sha256: str


def carry_out(tools: ExportTools, wish: ExportWish, progress: Progress) -> list[MadeBag]:
    """Make all bags of an order. Raises ExportError in words for the person who ordered it."""
    with tools.database.read() as connection:
        plans = plan(connection, wish)
    total = sum(each.total_bytes for each in plans)
    counter = _Counter(progress, total * (1 + wish.options.read_back))
    made: list[MadeBag] = []
    try:
        _check_target(wish, total)
        for each in plans:
            made += [_Baggage(tools, wish, each, counter).make()]
        return made
    except RestrictedError as error:
        if not made:
            raise
        names = "、".join(bag.path.name for bag in made)
        raise RestrictedError(f"{error}此前已写好的{names}仍在目标介质上，请立即收回。") from error
    except subprocess.CalledProcessError as error:
        raise ExportError("电子数据清单排版失败，导出未完成；请联系系统管理员。") from error
    except OSError as error:
        words = _TARGET_WORDS.get(error.errno or 0, "写入目标介质失败")
        sentence = f"{words}。导出未完成，已写部分标记为“未完成”，不能使用；档案未受影响。"
        raise ExportError(sentence) from error


def exported_bags(footage: Connection, order_id: int) -> list[dict[str, Any]]:
    """The register's rows of an order, as they were made."""
    rows = footage.execute("select * from export_bag where order_id = ? order by id", (order_id,))
    return [dict(row) for row in rows]


@dataclass(slots=True)
class _Counter:
    """Bytes copied and read back so far, over all bags of an order."""

    progress: Progress
    total: int
    done: int = 0

    def add(self, count: int) -> None:
        self.done += count
        self.progress(self.done, self.total, "正在复制并校验")

    def add_read(self, count: int) -> None:
        # Proofs, lists and derived copies are read back too, and counted by nobody before.
        self.done = min(self.done + count, self.total)
        self.progress(self.done, self.total, "正在从介质读回核对")

    def say(self, words: str) -> None:
        self.progress(self.done, self.total, words)


class _Baggage:
    """The making of one bag, step by step."""

    def __init__(self, tools: ExportTools, wish: ExportWish, plan: BagPlan, counter: _Counter) -> None:
        self._tools, self._wish, self._plan, self._counter = tools, wish, plan, counter
        self._bag = BagWriter.begin(wish.target, _name(wish, plan))
        self._states: dict[str, FileState] = {}
        self._derived: list[DerivedCopy] = []

    def make(self) -> MadeBag:
        """All steps. A bag of footage that was restricted meanwhile keeps its names and no content."""
        try:
            return self._make()
        except RestrictedError:
            self._bag.empty()
            raise

    def _make(self) -> MadeBag:
        """The register's row comes before the signature, and both before the bag's name."""
        for camera in self._plan.cameras:
            for file in camera.files:
                self._copy(camera, file)
        for camera in self._plan.cameras:
            self._derive(camera)
        self._counter.say("正在写入证明和清单")
        delivery = self._write_statement()
        content = self._bag.close_lists(bag_lines(delivery, self._bag.payload_oxum))
        if self._wish.options.read_back:
            self._read_back()
        self._tools.require_allowed()
        made = self._register(delivery)
        path = self._bag.release(self._tools.authority.signer.key.sign(content))
        return MadeBag(path, made.is_complete, made.segments, made.tagmanifest_sha256)

    def _read_back(self) -> None:
        differing = self._bag.differing(self._counter.add_read)
        if differing is not None:
            raise ExportError(
                f"从目标介质读回的内容与写入的不一致（{differing}），介质可能已损坏，请换用别的介质。导出未完成。"
            )

    def _copy(self, camera: CameraPlan, file: PlannedFile) -> None:
        place = f"{camera.folder}/{file.name}"
        digest = self._bag.copy(file.source, f"data/{place}", self._counter.add)
        if digest is None:
            self._states[place] = FileState.DISPOSED if file.is_disposed else FileState.MISSING
        else:
            is_whole = digest == file.body["sha256"]
            self._states[place] = FileState.DELIVERED if is_whole else FileState.DAMAGED

    def _derive(self, camera: CameraPlan) -> None:
        options = self._wish.options
        reels = [
            Reel(self._bag.folder / "data" / camera.folder / file.name, file.body["started_at_us"])
            for file in camera.files
            if self._states[f"{camera.folder}/{file.name}"] is FileState.DELIVERED
        ]
        if reels and options.with_play:
            self._counter.say("正在制作观看副本")
            self._derive_one(camera, "play.mp4", play_copy.join, reels)
        if reels and options.burn_in:
            self._counter.say("正在制作叠加时间的观看副本")
            self._derive_one(camera, "play_time.mp4", play_copy.burn_in, reels)

    def _derive_one(
        self, camera: CameraPlan, name: str, make: Callable[[list[Reel], Path], None], reels: list[Reel]
    ) -> None:
        path = f"data/derived/{camera.folder}/{name}"
        how = REMUXED if make is play_copy.join else BURNT_IN
        made = self._bag.place(path)
        try:
            make(reels, made)
        except PlayCopyError:
            # Pictures that cannot be joined are still delivered as they were recorded.
            how = "观看副本制作失败，请直接播放原始文件"
        if made.exists():
            size_bytes, digest = self._bag.take(path)
            asked = camera.camera
            copy = DerivedCopy(path, f"{asked.room} {asked.label}", how, size_bytes, digest)
            self._derived.append(copy)

    def _write_statement(self) -> dict[str, Any]:
        tools, bag = self._tools, self._bag
        signed = tools.authority.head_over(
            self._plan.needed_size, lambda: self._counter.say("正在等待台账检查点签名")
        )
        done = Delivered(self._wish, self._plan, self._states, self._derived)
        with tools.database.read() as connection:
            now = Circumstances(tools.authority.clock.wall_us(), _protection(connection), tools.words)
            write_proofs(bag, connection, self._plan, signed)
            delivery = describe(connection, done, now)
        write_authority(bag, tools.authority, signed)
        bag.put("delivery.json", canonical_json(delivery))
        bag.put(LIST_CSV, list_csv(done))
        bag.put(LIST_PDF, tools.print_page(paper(delivery, list_rows(done), tools.authority.fingerprint)))
        for name, source in _TOOLS.items():
            bag.put(name, (_HERE / source).read_bytes())
        return delivery

    def _register(self, delivery: Mapping[str, Any]) -> MadeBag:
        digest, now_us = self._bag.digest_of(SIGNED), self._tools.authority.clock.wall_us()
        delivered = [state for state in self._states.values() if state is FileState.DELIVERED]
        made = MadeBag(self._bag.folder, is_complete(delivery), len(delivered), digest)
        facts: dict[str, int] = {
            "order_id": self._wish.order_id,
            "part": self._plan.part,
            "parts": self._plan.parts,
            "segments": made.segments,
            "is_complete": int(made.is_complete),
        }
        with self._tools.database.write() as connection:
            row = connection.execute(
                "insert into export_bag (order_id, part, parts, segments, is_complete, name, segment_bytes,"
                " tagmanifest_sha256, made_at_us) values (?, ?, ?, ?, ?, ?, ?, ?, ?) returning id",
                (
                    *facts.values(),
                    self._bag.name,
                    self._plan.total_bytes,
                    bytes.fromhex(digest),
                    now_us,
                ),
            ).fetchone()
            facts |= {"export_bag_id": row["id"], "account_id": self._wish.account_id}
            append(connection, LeafKind.EXPORT, {**facts, "tagmanifest_sha256": digest}, now_us)
        return made


def _protection(footage: Connection) -> str:
    """The archive is protected as well as its weakest volume."""
    levels = [level(footage, row["id"]) for row in footage.execute("select id from volume")]
    return PROTECTION_WORDS[min(levels, default=Level.DETECT_ONLY)]


def _name(wish: ExportWish, plan: BagPlan) -> str:
    begins = f"{site_time(plan.interval.from_us):%Y%m%dT%H%M%S}"
    part = "" if plan.parts == 1 else f"_{plan.part}of{plan.parts}"
    return f"export-{wish.order_id}_{begins}{part}"


def _check_target(wish: ExportWish, total: int) -> None:
    if not wish.target.is_dir():
        raise ExportError("目标文件夹不存在；请插好介质后重试。")
    needed = total * wish.options.copies
    free = shutil.disk_usage(wish.target).free
    if free < needed:
        raise ExportError(
            f"目标介质空间不足：需要约{needed / 1e9:.1f} GB，只剩{free / 1e9:.1f} GB；请换用更大的介质。"
        )
