"""Small real ext4 disks on loop devices, for trials that need a disk full, gone or frozen. Root only."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


def run(*words: str | Path) -> str:
    """Run a program of the machine; its words when it worked, an exception when it did not."""
    return subprocess.run([str(word) for word in words], check=True, capture_output=True, text=True).stdout


@dataclass(frozen=True)
class LoopDisk:
    """One disk: its device, and where it is mounted unless a trial took it away."""

    device: str
    point: Path

    def mount(self, point: Path | None = None) -> None:
        run("mount", self.device, point or self.point)

    def unmount(self, *, lazily: bool = False) -> None:
        run("umount", *(["-l"] if lazily else []), self.point)

    def fill(self, *, leave_bytes: int = 0) -> Path:
        """Another program takes all room."""
        filler = self.point / "filler"
        with filler.open("ab", buffering=0) as opened:
            space = os.statvfs(self.point)
            take = space.f_bavail * space.f_frsize - leave_bytes
            os.posix_fallocate(opened.fileno(), opened.tell(), max(take - 4096, 1))
            try:
                while leave_bytes == 0:
                    opened.write(bytes(4096))
            except OSError:
                return filler
        return filler

    def fail(self) -> None:
        """Let the kernel find an error and make the disk read-only, as it does with a disk that dies."""
        run("mount", "-o", "remount,errors=remount-ro", self.point)
        Path(f"/sys/fs/ext4/{Path(self.device).name}/trigger_fs_error").write_text("trial")


@contextmanager
def loop_disk(folder: Path, name: str, size_mib: int) -> Iterator[LoopDisk]:
    """A new file system below the folder, mounted at its name; gone without trace afterwards."""
    image, point = folder / f"{name}.img", folder / name
    with image.open("wb") as opened:
        opened.truncate(size_mib << 20)
    run("mkfs.ext4", "-q", "-m", "0", "-E", "lazy_itable_init=0", image)
    point.mkdir()
    device = run("losetup", "--find", "--show", image).strip()
    disk = LoopDisk(device, point)
    try:
        disk.mount()
        yield disk
    finally:
        while os.path.ismount(point):
            run("umount", "-l", point)
        run("losetup", "-d", device)
