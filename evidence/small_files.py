"""Small files that must be whole or not there at all: keys, and the marks of disks.

A crash or a full disk while such a file is made would otherwise leave a torn one, which every later
start would have to refuse.
"""

import os
from pathlib import Path


def create_whole(path: Path, content: bytes, mode: int) -> None:
    """Make a file that appears with all its content. Raises FileExistsError rather than overwrite."""
    if path.exists():
        raise FileExistsError(f"{path} exists already and is not overwritten")
    replace_whole(path, content, mode)


def replace_whole(path: Path, content: bytes, mode: int) -> None:
    """Put this content in place of the file's: whoever looks sees all of the old or all of the new."""
    draft = path.with_name(f".{path.name}.draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        rest = content
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        os.fchmod(descriptor, mode)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
