"""Writing one BagIt bag (RFC 8493): every byte is read once, hashed and written on the way.

A bag grows in a folder called `...unfinished`, without bagit.txt and without signature, and so is valid for
nobody. `release` adds both and gives it its name. Nothing is ever overwritten or deleted; `empty` alone takes
the footage out of a bag that must not be handed out.
"""

import hashlib
import os
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from io import FileIO
from pathlib import Path
from typing import Final

from evidence.bag_verifier import BAGIT, SIGNATURE, SIGNED
from evidence.volumes import Disk, LocalDisk

BLOCK_BYTES: Final = 1 << 20
FLUSHERS: Final = 8
UNFINISHED: Final = ".unfinished"
PAYLOAD: Final = "data/"
MANIFEST: Final = "manifest-sha256.txt"

# Told how many bytes were copied or read back; may raise to stop.
Progress = Callable[[int], None]


@dataclass(slots=True)
class BagWriter:
    """A bag that is being written. Digests are of what was read from the archive, not of what was written."""

    folder: Path
    disk: Disk = field(default_factory=LocalDisk)
    _digests: dict[str, str] = field(default_factory=dict)
    _sizes: dict[str, int] = field(default_factory=dict)
    _flusher: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1))
    _flushing: Future[None] | None = None

    @classmethod
    def begin(cls, target: Path, name: str) -> "BagWriter":
        """A new folder for a bag; a name that is taken gets a number."""
        number, free = 1, name
        while (target / free).exists() or (target / f"{free}{UNFINISHED}").exists():
            number += 1
            free = f"{name}_{number}"
        folder = target / f"{free}{UNFINISHED}"
        folder.mkdir()
        (folder / PAYLOAD).mkdir()  # a bag has it also when there is nothing to put into it
        return cls(folder)

    @property
    def name(self) -> str:
        """What the bag will be called."""
        return self.folder.name.removesuffix(UNFINISHED)

    @property
    def payload_oxum(self) -> str:
        """Bytes and files of the payload, as RFC 8493 wants them."""
        sizes = [size for path, size in self._sizes.items() if path.startswith(PAYLOAD)]
        return f"{sum(sizes)}.{len(sizes)}"

    def copy(self, source: Path, path: str, progress: Progress) -> str | None:
        """Copy a file from the archive; returns the SHA-256 of what was read, in hex.

        None when it cannot be opened. One that cannot be read to its end is copied as far as it goes, so
        its digest is another than the ledger's. The copy becomes durable while the next one is made; OSError
        of that comes with the next copy or with `release`.
        """
        try:
            reader = source.open("rb", buffering=0)
        except OSError:
            return None
        made = hashlib.sha256()
        hashed: Future[None] | None = None
        block, other = memoryview(bytearray(BLOCK_BYTES)), memoryview(bytearray(BLOCK_BYTES))
        with (
            reader,
            self._create(path).open("xb", buffering=0) as writer,
            ThreadPoolExecutor(1) as hasher,
        ):
            # One block is hashed while it is written and the next one read, which takes about as long.
            while count := _read(reader, block):
                if hashed:
                    hashed.result()
                hashed = hasher.submit(made.update, block[:count])
                _write_all(writer.fileno(), block[:count])
                progress(count)
                block, other = other, block
            self._sizes[path] = writer.tell()
        self._digests[path] = made.hexdigest()
        self._flush_meanwhile(path)
        return self._digests[path]

    def _flush_meanwhile(self, path: str) -> None:
        """Start to make a copy durable. One at a time, or a slow medium would fill the machine's memory."""
        self._wait_for_flush()
        self._flushing = self._flusher.submit(self.disk.sync_file, self.folder / path)

    def _wait_for_flush(self) -> None:
        """Raises OSError of the flush, every time: the system tells it once, and not to a later flush."""
        if self._flushing:
            self._flushing.result()

    def _make_durable(self) -> None:
        """Everything written so far. Proofs are many and small: asked for together, they are flushed so."""
        self._wait_for_flush()
        with ThreadPoolExecutor(FLUSHERS) as flushers:
            list(flushers.map(self.disk.sync_file, [self.folder / path for path in self._digests]))

    def put(self, path: str, content: bytes) -> None:
        """Write a small file."""
        with self._create(path).open("xb") as writer:
            writer.write(content)
        self._digests[path], self._sizes[path] = hashlib.sha256(content).hexdigest(), len(content)

    def digest_of(self, path: str) -> str:
        """SHA-256 of a file of the bag, in hex."""
        return self._digests[path]

    def take(self, path: str) -> tuple[int, str]:
        """Enter a file that another program has written at this path; returns its size and digest."""
        with (self.folder / path).open("rb", buffering=0) as reader:
            self._digests[path] = hashlib.file_digest(reader, "sha256").hexdigest()
        self._sizes[path] = (self.folder / path).stat().st_size
        return self._sizes[path], self._digests[path]

    def place(self, path: str) -> Path:
        """Where a file of this path lies, its folder made."""
        return self._create(path)

    def close_lists(self, about: Mapping[str, str]) -> bytes:
        """Write bag-info.txt and both manifests; returns the tag manifest, which is what must be signed."""
        lines = [f"{label}: {_one_line(value)}\n" for label, value in about.items()]
        self.put("bag-info.txt", "".join(lines).encode())
        payload = {path: digest for path, digest in self._digests.items() if path.startswith(PAYLOAD)}
        self.put(MANIFEST, _manifest(payload))
        tags = {path: digest for path, digest in self._digests.items() if not path.startswith(PAYLOAD)}
        tags["bagit.txt"] = hashlib.sha256(BAGIT).hexdigest()
        content = _manifest(tags)
        self.put(SIGNED, content)
        return content

    def differing(self, progress: Progress) -> str | None:
        """Read everything back from the medium, not from memory; the first path that is not what was written.

        Durable before it is read: only then does the system let go of what memory holds of a file.
        """
        self._make_durable()
        for path in self._digests:
            self.disk.forget(self.folder / path)
        return next((path for path in self._digests if not self._is_whole(path, progress)), None)

    def _is_whole(self, path: str, progress: Progress) -> bool:
        made = hashlib.sha256()
        block = memoryview(bytearray(BLOCK_BYTES))
        with (self.folder / path).open("rb", buffering=0) as reader:
            while count := reader.readinto(block):
                made.update(block[:count])
                progress(count)
        return made.hexdigest() == self._digests[path]

    def empty(self) -> None:
        """Take the footage out of an unfinished bag: its files stay, without content.

        Only files of this bag: no link is followed, and a file that has a second name is left alone.
        """
        for path in (self.folder / PAYLOAD).rglob("*"):
            if path.is_symlink() or not path.is_file():
                continue
            descriptor = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                if os.fstat(descriptor).st_nlink == 1:
                    os.truncate(descriptor, 0)
                    os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def release(self, signature: bytes) -> Path:
        """Make everything durable, then make it a bag: signature, bagit.txt and, last, its name."""
        self._wait_for_flush()
        self.put(SIGNATURE, signature)
        self.put("bagit.txt", BAGIT)
        folders = {self.folder, self.folder / PAYLOAD}
        folders |= {self.folder / parent for path in self._digests for parent in Path(path).parents}
        self._make_durable()
        for folder in folders:
            self.disk.sync_folder(folder)
        final = self.folder.with_name(self.name)
        self.disk.move(self.folder, final)
        self.disk.sync_folder(final.parent)
        return final

    def _create(self, path: str) -> Path:
        place = self.folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        return place


def _read(reader: FileIO, block: memoryview) -> int:
    try:
        return reader.readinto(block)
    except OSError:
        return 0


def _write_all(descriptor: int, block: memoryview) -> None:
    while block:
        block = block[os.write(descriptor, block) :]


def _manifest(digests: Mapping[str, str]) -> bytes:
    return "".join(f"{digests[path]}  {path}\n" for path in sorted(digests)).encode()


def _one_line(value: str) -> str:
    return " ".join(value.split())
