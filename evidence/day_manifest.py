"""The list of digests beside the footage of one UTC day, as `sha256sum` writes and checks it.

Every ingested file has a line here before it has a row, so that its digest outlives the index: whoever
holds the folder alone can run `sha256sum -c digests.sha256`. Lines are only added. A step that is
repeated after a crash repeats its line; a line torn by a power cut is ended by the next one.
"""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from evidence.naming import DAY_MANIFEST

_LINE: Final = re.compile(r"([0-9a-f]{64})  (\S+)")


def add_digest(path: Path, sha256: bytes) -> bool:
    """Add the line of a file to the list in its folder, durably. True when that made the list."""
    return add_digests(path.parent, {path.name: sha256})


def add_digests(folder: Path, digests: Mapping[str, bytes]) -> bool:
    """Add the lines of several files together, durably. True when that made the list."""
    manifest = folder / DAY_MANIFEST
    descriptor = os.open(manifest, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
    try:
        size_bytes = os.fstat(descriptor).st_size
        is_torn = size_bytes > 0 and os.pread(descriptor, 1, size_bytes - 1) != b"\n"
        lines = "".join(f"{sha256.hex()}  {name}\n" for name, sha256 in digests.items())
        left = (b"\n" if is_torn else b"") + lines.encode("ascii")
        while left:
            left = left[os.write(descriptor, left) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return size_bytes == 0


def read_digests(folder: Path) -> dict[str, bytes]:
    """The digest of every file the list names. A file with two different ones is left out: ask the file."""
    found: dict[str, set[bytes]] = {}
    for name, sha256 in _lines(folder / DAY_MANIFEST):
        found.setdefault(name, set()).add(sha256)
    return {name: digests.pop() for name, digests in found.items() if len(digests) == 1}


def names_in(folder: Path) -> set[str]:
    """Every file the list has a line of, whatever it says."""
    return {name for name, _ in _lines(folder / DAY_MANIFEST)}


def _lines(manifest: Path) -> Iterator[tuple[str, bytes]]:
    try:
        text = manifest.read_bytes().decode("ascii", "replace")
    except FileNotFoundError:
        return
    for line in text.split("\n"):
        parts = _LINE.fullmatch(line)
        if parts is not None:
            yield parts[2], bytes.fromhex(parts[1])
