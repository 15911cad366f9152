"""The power goes: an ext4 disk under the recorder stops without flushing its journal, and is mounted again.

Database and footage both lie on the disk. 0 acknowledged segments may be lost, and of each camera at most
five seconds and one fragment. Needs root and loop devices.
"""

import fcntl
import os
import random
import struct
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from exam.clock import SECOND_US
from rehearsal.camera_server import running_cameras
from tests.bench.bench_report import progress
from tests.soak.crash_site import (
    FRAGMENT_US,
    CrashSite,
    Record,
    Round,
    arguments_of,
    lay_site,
    now_us,
    pause,
    plans,
    suffer,
)
from tests.soak.loop_disks import LoopDisk, loop_disk

# FS_IOC_SHUTDOWN: the file system stops at once; without log flush it forgets what was not yet durable.
SHUTDOWN, NO_LOG_FLUSH = 0x8004587D, 2
LIMIT_US = 5 * SECOND_US + FRAGMENT_US
DISK_MIB = 4096


def cut_power(point: Path) -> None:
    descriptor = os.open(point, os.O_RDONLY)
    try:
        fcntl.ioctl(descriptor, SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
    finally:
        os.close(descriptor)


def crash(crash_site: CrashSite, disk: LoopDisk, chance: random.Random, number: int) -> Round:
    """Cut the power at a random moment, come back, and measure."""
    pause(chance.uniform(0.5, 9.5))
    acknowledged = crash_site.note_acknowledged()
    cut_power(disk.point)
    crashed_at_us = now_us()
    crash_site.kill()
    unmount(disk)
    disk.mount()
    crash_site.start()
    crash_site.wait_until_recording(crashed_at_us)
    lost = {name: crash_site.lost_us(name, crashed_at_us) for name in crash_site.names}
    return Round(number, "power", lost, now_us() - crashed_at_us, 0, acknowledged)


def unmount(disk: LoopDisk) -> None:
    """The killed programs may need a moment to let go."""
    for _ in range(50):
        try:
            disk.unmount()
        except subprocess.CalledProcessError:
            pause(0.1)
        else:
            return
    disk.unmount()


def main(argv: Sequence[str]) -> int:
    arguments = arguments_of("power_cut", __doc__, argv, 50)
    record = Record.open("power_cut", anew=arguments.anew)
    if len(record.rounds) < arguments.rounds:
        if os.geteuid() != 0:
            sys.stderr.write("soak power_cut: needs root, to mount a disk of its own and cut its power\n")
            return 1
        with tempfile.TemporaryDirectory(prefix="soak-power-") as name:
            folder = Path(name)
            progress("preparing the simulated cameras")
            with (
                loop_disk(folder, "disk", DISK_MIB) as disk,
                running_cameras(plans(arguments.cameras), folder, loop_seconds=4) as cameras,
            ):
                crash_site = lay_site(disk.point, cameras)
                os.sync()
                chance = random.Random(len(record.rounds))
                suffer(record, crash_site, arguments.rounds, partial(crash, crash_site, disk, chance))
    return record.report(LIMIT_US)
