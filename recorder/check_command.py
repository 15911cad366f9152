"""`run.py check`: is the memory of this site whole? Reads only, also while the services run."""

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from config.settings import Settings
from evidence.check import Memory, check
from evidence.check_codes import Code, Depth
from evidence.check_files import Cost, Look
from exam.clock import SECOND_US, Clock, SystemClock

# Progress is told this often.
TELL_US: Final = 2 * SECOND_US

WORDS: Final[dict[Code, tuple[str, str]]] = {
    Code.DATABASE_DAMAGED: ("数据库损坏", "停止服务，保留现状；影像索引可用 run.py rebuild 重建"),
    Code.UNREADABLE: ("有内容读不出来，这一项没有查完", "保存现状，核对备份；其余各项照常检查"),
    Code.SCHEMA_CHANGED: ("数据库的表或保护触发器被改动", "保存现状，核对谁动过数据库，核对备份"),
    Code.LEDGER_BROKEN: ("台账被改动", "保存现状，与签字页核对，报告主管单位"),
    Code.CHECKPOINT_BROKEN: ("台账与已签名的检查点不符", "保存现状，与签字页核对，报告主管单位"),
    Code.ANCHOR_CONTRADICTED: ("台账与已离开本机的检查点不符", "保存现状，报告主管单位"),
    Code.FACT_WITHOUT_LEAF: ("记录没有台账条目：可能是事后添加", "核对该记录的来源"),
    Code.LEAF_WITHOUT_FACT: ("台账条目的记录不见了：可能被删除", "核对备份"),
    Code.FACT_CHANGED: ("记录与台账不符：可能被修改", "以台账为准，核对备份"),
    Code.VOLUME_UNREADABLE: ("证据卷读不到", "检查硬盘是否接好、挂载"),
    Code.FILE_MISSING: ("录像文件不见了", "从第二份副本恢复；没有副本即为灭失，须记录"),
    Code.FILE_STRAY: ("文件没有记录", "重新启动录像服务，它会收录或隔离"),
    Code.FILE_UNREADABLE: ("录像文件读不出来", "检查硬盘；从第二份副本恢复"),
    Code.FILE_SIZE: ("录像文件大小不对", "从第二份副本恢复"),
    Code.FILE_DIGEST: ("录像文件内容已变", "从第二份副本恢复"),
    Code.FILE_DISPOSED_BUT_THERE: ("已登记销毁的文件仍在", "重新启动录像服务，销毁会继续完成"),
    Code.DIGEST_LIST: ("当日校验清单与索引不符", "核对文件内容与台账，保留现状"),
    Code.QUARANTINED_MISSING: ("隔离的文件不见了", "核对谁动过证据卷"),
    Code.PICTURE_MISSING: (
        "签到照片或签名的文件不见了",
        "从备份恢复 check_in 文件夹；没有备份即为灭失，须记录",
    ),
    Code.PICTURE_CHANGED: ("签到照片或签名的文件内容已变", "从备份恢复该文件"),
    Code.FOOTAGE_OVERLAPS: ("同一摄像机的录像时间重叠", "核对时钟跳变记录"),
    Code.TIME_UNACCOUNTED: ("有一段时间既无录像也无缺口记录", "核对该时段的运行情况"),
}


@dataclass(slots=True)
class _Progress:
    """Says on standard error how far the check is, now and then."""

    clock: Clock
    told_at_us: int = field(init=False)

    def __post_init__(self) -> None:
        self.told_at_us = self.clock.monotonic_us()

    def __call__(self, cost: Cost) -> None:
        now_us = self.clock.monotonic_us()
        if now_us - self.told_at_us >= TELL_US:
            self.told_at_us = now_us
            sys.stderr.write(f"已查看 {cost.files} 个文件，读取 {cost.read_bytes / 1e9:.1f} GB\n")


def main(words: list[str], settings_at: Callable[[Path | None], Settings], clock: Clock | None = None) -> int:
    """0 when nothing is wrong, 1 when something is, 2 for wrong words."""
    parser = argparse.ArgumentParser(prog="run.py check", description=__doc__)
    parser.add_argument(
        "--depth",
        type=Depth,
        choices=list(Depth),
        default=Depth.SIZE,
        help="presence: names only; size: also each file's size (default); digest: reads every byte",
    )
    parser.add_argument("--settings", type=Path, help="settings file (default: kaochang.toml)")
    arguments = parser.parse_args(words)
    return run(settings_at(arguments.settings), arguments.depth, clock or SystemClock())


def run(settings: Settings, depth: Depth, clock: Clock) -> int:
    """Print every finding with what to do, then the price; the exit status."""
    cost, started_us, count = Cost(), clock.monotonic_us(), 0
    for finding in check(Memory(settings.data_folder, settings.keys_folder), _look(depth, cost, clock)):
        count += 1
        what, advice = WORDS[finding.code]
        sys.stdout.write(f"✖ {what}：{finding.where}\n  {advice}。[{finding.code}]\n")
    seconds = (clock.monotonic_us() - started_us) / SECOND_US
    verdict = f"发现 {count} 处问题。" if count else "没有发现问题。"
    price = f"查看 {cost.files} 个文件，读取 {cost.read_bytes / 1e9:.2f} GB，用时 {seconds:.1f} 秒"
    sys.stdout.write(f"{verdict}（{depth}：{price}）\n")
    return 1 if count else 0


def _look(depth: Depth, cost: Cost, clock: Clock) -> Look:
    return Look(depth, cost, _Progress(clock))
