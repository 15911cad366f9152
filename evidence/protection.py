"""How well a volume's files are protected against deletion, said honestly, and the flag that does it.

The immutable flag (`chattr +i`) stops every program without CAP_LINUX_IMMUTABLE, root's included, from
writing, renaming or deleting a file. It does not stop a person with full root, who can clear it.
"""

import errno
import fcntl
import os
import stat
from array import array
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from sqlite3 import Connection
from typing import Final

from evidence.naming import PROBE

# linux/fs.h; the argument is an int although the number's size field says long.
_GET_FLAGS: Final = 0x80086601
_SET_FLAGS: Final = 0x40086602
_IMMUTABLE: Final = 0x10
# What a file system without the flag answers, and one where we lack the right.
_REFUSALS: Final = frozenset({errno.ENOTTY, errno.EOPNOTSUPP, errno.EPERM, errno.EINVAL, errno.ENOSYS})

Ioctl = Callable[[int, int, "array[int]"], int]


class Level(StrEnum):
    """What stands between a file and its deletion before its time (docs/design/evidence.md)."""

    # Files can be deleted by whoever may write the folder; the ledger shows that they are missing.
    DETECT_ONLY = "R0"
    # Files are immutable: only somebody with full root can delete them, and the ledger shows it.
    SINGLE_MACHINE = "R1"
    # A second copy that this machine cannot delete.
    SECOND_COPY = "R2"
    # An object store that refuses deletion until the date.
    OBJECT_LOCK = "R3"


def kernel_ioctl(descriptor: int, request: int, flags: "array[int]") -> int:
    """What the kernel says to a request about a file's flags. Raises OSError."""
    return int(fcntl.ioctl(descriptor, request, flags))


def is_immutable(path: Path, ioctl: Ioctl = kernel_ioctl) -> bool:
    """Whether the file bears the flag; a file system that knows no flags says no."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return bool(_flags(descriptor, ioctl)[0] & _IMMUTABLE)
    except OSError as error:
        if error.errno in _REFUSALS:
            return False
        raise
    finally:
        os.close(descriptor)


def make_immutable(path: Path, ioctl: Ioctl = kernel_ioctl) -> bool:
    """Set the flag. False when the file system or our rights do not allow it."""
    return _change(path, _IMMUTABLE, ioctl)


def make_mutable(path: Path, ioctl: Ioctl = kernel_ioctl) -> bool:
    """Clear the flag. False when the file system knows none or our rights do not allow it."""
    return _change(path, 0, ioctl)


def can_protect(folder: Path, ioctl: Ioctl = kernel_ioctl) -> bool:
    """Whether files of this folder can be made immutable, tried on the volume's own probe file."""
    probe = folder / PROBE
    descriptor = os.open(probe, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    os.close(descriptor)
    return make_immutable(probe, ioctl) and make_mutable(probe, ioctl)


def make_read_only(path: Path) -> None:
    """Mode 0444, unless it is so already: an immutable file refuses even that."""
    if stat.S_IMODE(path.stat().st_mode) != 0o444:
        path.chmod(0o444)


def level(connection: Connection, volume_id: int) -> Level:
    """The level of a volume as the recorder last found it; R0 while nobody has looked."""
    row = connection.execute(
        "select protection from volume_state where volume_id = ?", (volume_id,)
    ).fetchone()
    return Level.DETECT_ONLY if row is None else Level(row[0])


def _flags(descriptor: int, ioctl: Ioctl) -> "array[int]":
    flags = array("i", [0])
    ioctl(descriptor, _GET_FLAGS, flags)
    return flags


def _change(path: Path, wanted: int, ioctl: Ioctl) -> bool:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        flags = _flags(descriptor, ioctl)
        if flags[0] & _IMMUTABLE != wanted:
            flags[0] = (flags[0] & ~_IMMUTABLE) | wanted
            ioctl(descriptor, _SET_FLAGS, flags)
    except OSError as error:
        if error.errno in _REFUSALS:
            return False
        raise
    finally:
        os.close(descriptor)
    return True
