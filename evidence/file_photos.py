"""Registration photos of a batch (花名册照片): taken in whole or not at all, kept like check-in photos.

Order: every file is read and judged; then the ciphertexts are written whole; then, in one transaction, the
batch is asked again, and rows and leaves are written. A crash before that leaves files that nothing names
and nobody can read. A kiosk never gets these photos.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from sqlite3 import Connection
from typing import Final

from evidence.check_in_pictures import (
    KeptPicture,
    Picture,
    PictureError,
    PictureKind,
    PictureStore,
    is_kept,
    record_kept,
)
from evidence.database import WriterDatabase
from evidence.ledger import LeafKind, append
from evidence.photo_files import PhotoSource, PhotoSourceError, open_photos
from exam.file_photos import Enrolled, PhotoChanges, PhotoFault, PhotoFile, PhotoReport, check_photos

CHANGED_MEANWHILE: Final = "照片在检查之后有改动，请重新检查"
_ENROLLED: Final = """
select candidate.id, ticket_no, coalesce((
         select lower(hex(sha256)) from file_photo join check_in_picture on check_in_picture.id = picture_id
          where candidate_id = candidate.id order by file_photo.id desc limit 1), '') as photo
  from candidate where batch_id = (select id from batch where code = ? and closed_at_us is null)
 order by ticket_no
"""


@dataclass(frozen=True, slots=True)
class PhotosRequest:
    """Which folder or archive is to be taken in, for which batch, by whom."""

    path: Path
    batch_code: str
    # Report what would change, and change nothing.
    dry_run: bool = False
    # None: from the command line of the machine.
    account_id: int | None = None


def take_photos(
    database: WriterDatabase, store: PictureStore, wanted: PhotosRequest, now_us: int
) -> PhotoReport:
    """Make these the photos of the batch's candidates, or report every fault. Opens its own transactions."""
    try:
        with open_photos(wanted.path) as source:
            return _taken(database, store, (wanted, source), now_us)
    except PhotoSourceError as error:
        refused = PhotoChanges((PhotoFault("", str(error)),))
        return PhotoReport(wanted.path.name, wanted.batch_code, wanted.dry_run, 0, refused)


def file_photo_of(connection: Connection, candidate_id: int) -> str | None:
    """SHA-256 (hex) of the registration photo that counts; None: the roster brought none."""
    row = connection.execute(
        "select lower(hex(sha256)) as photo from file_photo join check_in_picture"
        " on check_in_picture.id = picture_id where candidate_id = ? order by file_photo.id desc limit 1",
        (candidate_id,),
    ).fetchone()
    return None if row is None else str(row["photo"])


def _taken(
    database: WriterDatabase, store: PictureStore, asked: tuple[PhotosRequest, PhotoSource], now_us: int
) -> PhotoReport:
    wanted, source = asked
    with database.read() as connection:
        _require_batch(connection, wanted.batch_code)
        people = _people(connection, wanted.batch_code)
    files = list(source.look())
    changes = check_photos(files, people)
    read, ignored = len(files), source.ignored
    report = PhotoReport(wanted.path.name, wanted.batch_code, wanted.dry_run, read, changes, ignored)
    if report.is_refused or wanted.dry_run:
        return report
    try:
        written = _written(database, store, source, changes.files.values())
    except (PhotoSourceError, PictureError):
        return replace(report, changes=PhotoChanges((PhotoFault("", CHANGED_MEANWHILE),)))
    except OSError as error:
        full = PhotoFault("", f"照片写不到磁盘（{error.strerror}），没有导入")
        return replace(report, changes=PhotoChanges((full,)))
    with database.write() as connection:
        # The roster may be another one by now: then nothing is recorded.
        changes = check_photos(files, _people(connection, wanted.batch_code))
        for candidate_id, file in changes.files.items():
            picture_id = _picture_id(connection, written, file.sha256_hex, now_us)
            _record(connection, (candidate_id, picture_id, wanted.account_id), now_us)
    return replace(report, changes=changes)


def _require_batch(connection: Connection, code: str) -> None:
    row = connection.execute("select closed_at_us from batch where code = ?", (code,)).fetchone()
    if row is None:
        raise PhotoSourceError(f"没有批次“{code}”")
    if row["closed_at_us"] is not None:
        raise PhotoSourceError(f"批次“{code}”已归档，不能再导入")


def _people(connection: Connection, batch_code: str) -> list[Enrolled]:
    return [
        Enrolled(row["id"], row["ticket_no"], row["photo"])
        for row in connection.execute(_ENROLLED, (batch_code,))
    ]


def _written(
    database: WriterDatabase, store: PictureStore, source: PhotoSource, files: Iterable[PhotoFile]
) -> dict[str, KeptPicture]:
    """Ciphertexts of those that are not kept yet, each whole and durable. Raises PictureError, OSError."""
    with database.read() as connection:
        fresh = [file for file in files if not is_kept(connection, file.sha256_hex)]
    written = {}
    for file in fresh:
        picture = Picture(PictureKind.PHOTO, file.media_type, file.sha256_hex, source.read(file.name))
        written[file.sha256_hex] = KeptPicture.of(picture, store.write(picture))
    return written


def _picture_id(
    connection: Connection, written: Mapping[str, KeptPicture], sha256_hex: str, now_us: int
) -> int:
    if sha256_hex in written:
        record_kept(connection, written[sha256_hex], None, now_us)
    row = connection.execute(
        "select id from check_in_picture where sha256 = ?", (bytes.fromhex(sha256_hex),)
    ).fetchone()
    return int(row["id"])


def _record(connection: Connection, whose: tuple[int, int, int | None], now_us: int) -> None:
    row = connection.execute(
        "insert into file_photo (candidate_id, picture_id, account_id, recorded_at_us) values (?, ?, ?, ?)"
        " returning id as file_photo_id, candidate_id, picture_id, account_id, recorded_at_us",
        (*whose, now_us),
    ).fetchone()
    append(connection, LeafKind.FILE_PHOTO, dict(row), now_us)
