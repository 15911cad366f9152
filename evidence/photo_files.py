"""Reads a folder or ZIP archive of registration photos: one picture after the other, never all at once.

Says of each whether it is a whole JPEG or PNG picture that a face can be seen in; whose it is, is decided in
`exam.file_photos`. Nothing is written, and no archive is unpacked to a disk.
"""

import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Final

from PIL import Image

from evidence.check_in_pictures import LIMITS, PictureKind
from evidence.roster_file import DAMAGED
from exam.file_photos import PhotoFile

MEDIA_TYPES: Final = {".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png"}
FORMATS: Final = {"image/jpeg": "JPEG", "image/png": "PNG"}
MOST_FILES: Final = 20_000
# Smaller than any printed registration photo; larger is no portrait but a way to fill the memory.
SMALLEST_PIXELS: Final = 80
LARGEST_PIXELS: Final = 8000
BROKEN: Final = "图片已损坏，无法显示"
# What the last part of a whole picture begins with, and its end; a JPEG may have a small one in its head.
_ENDS: Final = {"JPEG": (b"\xff\xda", b"\xff\xd9"), "PNG": (b"IDAT", b"IEND")}
# What operating systems and archivers put beside the photos.
_LEFT_ABOUT: Final = frozenset({"thumbs.db", "desktop.ini", ".ds_store"})
_LEFT_FOLDER: Final = "__MACOSX"
_ENCRYPTED: Final = 0x1
_UTF_8: Final = 0x800


class PhotoSourceError(Exception):
    """The folder or archive itself cannot be read; the message says why, in words."""


@dataclass(frozen=True, slots=True)
class PhotoSource:
    """The files of a folder, or of an open archive, by the names that people see."""

    names: tuple[str, ...]
    ignored: int
    _folder: Path | None = None
    _archive: zipfile.ZipFile | None = None
    _members: dict[str, zipfile.ZipInfo] | None = None

    def look(self) -> Iterator[PhotoFile]:
        """Each file, read whole and looked at."""
        for name in self.names:
            try:
                yield looked_at(name, self.read(name))
            except PhotoSourceError as error:
                yield PhotoFile(name, fault=str(error))

    def read(self, name: str) -> bytes:
        """The bytes of one file, at most one more than a photo may have. Raises PhotoSourceError."""
        most = LIMITS[PictureKind.PHOTO].largest_bytes + 1
        try:
            if self._folder is not None:
                with (self._folder / name).open("rb") as opened:
                    return opened.read(most)
            return self._unpacked(name, most)
        except OSError as error:
            raise PhotoSourceError(f"文件无法读取（{error.strerror}）") from error

    def _unpacked(self, name: str, most: int) -> bytes:
        assert self._archive is not None
        assert self._members is not None
        member = self._members[name]
        if member.flag_bits & _ENCRYPTED:
            raise PhotoSourceError("压缩包中的这个文件有密码，无法读取")
        try:
            with self._archive.open(member) as opened:
                return opened.read(most)
        except DAMAGED as error:
            raise PhotoSourceError("压缩包中的这个文件已损坏") from error


@contextmanager
def open_photos(path: Path) -> Iterator[PhotoSource]:
    """The photos of a folder, with those below it, or of a ZIP archive. Raises PhotoSourceError."""
    if path.is_dir():
        found = [one.relative_to(path).as_posix() for one in sorted(path.rglob("*")) if one.is_file()]
        wanted = _wanted(found)
        yield PhotoSource(wanted, len(found) - len(wanted), path)
        return
    try:
        archive = zipfile.ZipFile(path)
    except OSError as error:
        raise PhotoSourceError(f"文件无法读取（{error.strerror}）") from error
    except DAMAGED as error:
        raise PhotoSourceError("不是 ZIP 压缩包，或已损坏") from error
    with archive:
        members = _members(archive)
        wanted = _wanted(list(members))
        yield PhotoSource(wanted, len(members) - len(wanted), None, archive, members)


def _members(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    members: dict[str, zipfile.ZipInfo] = {}
    for one in archive.infolist():
        name = _name_of(one)
        if name in members:  # which of the two is meant nobody can tell
            raise PhotoSourceError(f"压缩包里有两个同名的文件“{name}”")
        members[name] = one
    return {name: one for name, one in members.items() if not one.is_dir()}


def looked_at(name: str, content: bytes) -> PhotoFile:
    """What is to be said of these bytes under that name."""
    media_type = MEDIA_TYPES.get(PurePosixPath(name).suffix.lower(), "")
    return PhotoFile(name, sha256(content).hexdigest(), media_type, _fault(content, media_type))


def _fault(content: bytes, media_type: str) -> str:
    limits = LIMITS[PictureKind.PHOTO]
    if not media_type:
        return "不是图片文件（只能是 .jpg、.jpeg 或 .png）"
    if not content:
        return "文件是空的"
    if len(content) > limits.largest_bytes:
        return f"图片超过 {limits.largest_bytes // (1024 * 1024)} MiB"
    if not content.startswith(limits.begins[media_type]):
        return "内容与文件名的格式不符"
    return _picture_fault(content, FORMATS[media_type])


def _picture_fault(content: bytes, its_format: str) -> str:
    """Decodes the whole picture: half a photo shows half a face."""
    if not _has_end(content, its_format):
        return BROKEN
    try:
        with Image.open(io.BytesIO(content), formats=[its_format]) as image:
            fault = _size_fault(*image.size)
            if not fault:
                image.load()
    except (*DAMAGED, OSError, Image.DecompressionBombError):
        return BROKEN
    return fault


def _has_end(content: bytes, its_format: str) -> bool:
    """Whether the picture's last part is followed by its end mark.

    Asked of the bytes because the decoder is no witness: once a PDF was made, the printing library has told
    it to accept halves in the whole process.
    """
    last_part, end = _ENDS[its_format]
    return content.find(end, max(0, content.rfind(last_part))) != -1


def _size_fault(width: int, height: int) -> str:
    if min(width, height) < SMALLEST_PIXELS:
        return f"图片太小（{width}×{height}），短边至少 {SMALLEST_PIXELS} 像素"
    if max(width, height) > LARGEST_PIXELS:
        return f"图片太大（{width}×{height}），长边至多 {LARGEST_PIXELS} 像素"
    return ""


def _wanted(names: list[str]) -> tuple[str, ...]:
    wanted = tuple(name for name in names if not _is_left_about(PurePosixPath(name)))
    if len(wanted) > MOST_FILES:
        raise PhotoSourceError(f"超过 {MOST_FILES} 个文件")
    return wanted


def _is_left_about(name: PurePosixPath) -> bool:
    return name.name.lower() in _LEFT_ABOUT or name.name.startswith("._") or _LEFT_FOLDER in name.parts


def _name_of(member: zipfile.ZipInfo) -> str:
    """The name as whoever packed it sees it: Chinese Windows writes GB18030 and does not say so."""
    if member.flag_bits & _UTF_8:
        return member.filename
    try:
        return member.filename.encode("cp437").decode("gb18030")
    except UnicodeError:
        return member.filename
