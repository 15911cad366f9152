"""Photos of the registration (花名册照片): whether a folder of them may be taken in, and what changes.

Pure: files as they were read in, every fault named by file out. A photo belongs to the ticket number that
is its file's name; nothing is guessed, and one fault keeps all of them out, as with the roster itself.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Final

from exam.tickets import TICKET, normalise_ticket

# A report is read by a person: after this many lines of one kind it says how many more there are.
SHOWN_LINES: Final = 200


@dataclass(frozen=True, slots=True)
class PhotoFile:
    """One file as it was read. `name` with its folders, as people see it there."""

    name: str
    # SHA-256 of its bytes, in hex; empty where it could not be read.
    sha256_hex: str = ""
    media_type: str = ""
    # What is wrong with the picture itself, in words; empty: nothing.
    fault: str = ""

    @property
    def ticket_no(self) -> str:
        """The ticket number that the file is named by; empty: its name is none."""
        number = normalise_ticket(PurePosixPath(self.name).stem)
        return number if TICKET.fullmatch(number) else ""


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A candidate of the batch, and the photo of his that counts now (SHA-256 in hex; empty: none)."""

    candidate_id: int
    ticket_no: str
    photo: str = ""


@dataclass(frozen=True, slots=True)
class PhotoFault:
    """One thing wrong. `name` is empty where it is the whole."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class PhotoChanges:
    """What would change; nothing where there are faults."""

    faults: tuple[PhotoFault, ...] = ()
    # Candidates' ids, each with the file that is his photo from now on.
    added: Mapping[int, PhotoFile] = field(default_factory=dict)
    replaced: Mapping[int, PhotoFile] = field(default_factory=dict)
    unchanged: int = 0
    # Ticket numbers of the batch that have no photo even then.
    without: tuple[str, ...] = ()

    @property
    def files(self) -> Mapping[int, PhotoFile]:
        """Every photo that is new, by its candidate."""
        return {**self.added, **self.replaced}


@dataclass(frozen=True, slots=True)
class PhotoReport:
    """What an import or a dry run says to people."""

    source: str
    batch_code: str
    is_dry_run: bool
    read: int
    changes: PhotoChanges
    # Files that systems leave about, and that are no photos.
    ignored: int = 0

    @property
    def is_refused(self) -> bool:
        """Whether there were faults: then nothing was changed."""
        return bool(self.changes.faults)

    @property
    def is_unchanged(self) -> bool:
        """Whether every photo was there already."""
        return not self.is_refused and not self.changes.files

    def to_text(self) -> str:
        """The whole report, line by line."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        changes = self.changes
        yield f"花名册照片 {self.source}（批次 {self.batch_code}）：读取 {self.read} 个文件"
        if self.ignored:
            yield f"未使用的文件：{self.ignored} 个"
        if self.is_refused:
            yield f"有 {len(changes.faults)} 处错误，未作任何修改："
            yield from _shown([f"  {one.name or '照片'}：{one.reason}" for one in changes.faults])
            return
        counts = f"新增 {len(changes.added)}，更换 {len(changes.replaced)}，不变 {changes.unchanged}"
        yield f"试运行，未作任何修改；若导入将{counts}" if self.is_dry_run else f"已导入：{counts}"
        if changes.without:
            yield f"还没有照片的考生 {len(changes.without)} 名："
            yield from _shown([f"  {ticket_no}" for ticket_no in changes.without])


def check_photos(files: Sequence[PhotoFile], people: Sequence[Enrolled]) -> PhotoChanges:
    """Everything that is wrong with the files, or what they change for these candidates of the batch."""
    by_ticket = {one.ticket_no: one for one in people}
    faults = tuple(_faults(files, by_ticket))
    if faults:
        return PhotoChanges(faults)
    named = {file.ticket_no: file for file in files}
    fresh = {
        one.candidate_id: named[one.ticket_no]
        for one in people
        if one.ticket_no in named and named[one.ticket_no].sha256_hex != one.photo
    }
    had = {one.candidate_id for one in people if one.photo}
    return PhotoChanges(
        added={key: file for key, file in fresh.items() if key not in had},
        replaced={key: file for key, file in fresh.items() if key in had},
        unchanged=len(files) - len(fresh),
        without=tuple(one.ticket_no for one in people if not one.photo and one.ticket_no not in named),
    )


def _faults(files: Sequence[PhotoFile], by_ticket: Mapping[str, Enrolled]) -> Iterator[PhotoFault]:
    if not files:
        yield PhotoFault("", "没有找到照片（.jpg、.jpeg 或 .png）")
    for file in files:
        if file.fault:
            yield PhotoFault(file.name, file.fault)
        if not file.ticket_no:
            yield PhotoFault(file.name, "文件名应为准考证号，如 202611220001.jpg")
        elif file.ticket_no not in by_ticket:
            yield PhotoFault(file.name, f"本批次的花名册中没有准考证号 {file.ticket_no}")
    yield from _repeated(files, {file.name: file.ticket_no for file in files}, "是同一个准考证号")
    # One face under two numbers is a mistake of whoever sorted them, or worse.
    yield from _repeated(files, {file.name: file.sha256_hex for file in files}, "的照片完全相同")


def _repeated(files: Sequence[PhotoFile], keys: Mapping[str, str], words: str) -> Iterator[PhotoFault]:
    by_key: dict[str, list[str]] = defaultdict(list)
    for file in files:
        if keys[file.name]:
            by_key[keys[file.name]].append(file.name)
    for first, *others in by_key.values():
        for other in others:
            yield PhotoFault(other, f"与“{first}”{words}")


def _shown(lines: Sequence[str]) -> Iterator[str]:
    yield from lines[:SHOWN_LINES]
    if len(lines) > SHOWN_LINES:
        yield f"  …… 另有 {len(lines) - SHOWN_LINES} 处"
