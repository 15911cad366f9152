"""Photos and signatures of people: encrypted files beside the database, each with a row and a leaf.

Those taken at check-in, and those that came with the roster (`evidence.file_photos`).

Order: the ciphertext is written whole and fsynced, then its row. A crash between leaves a file without a
row, which nobody can read and nothing names; the kiosk sends the picture again. A row never lacks its
file. They are electronic records of the exam: nothing here deletes them (Art. 23(2)).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from sqlite3 import Connection
from typing import Final

from evidence.check_codes import Code, Depth, Finding
from evidence.check_files import Look
from evidence.file_digest import sha256_of
from evidence.ledger import LeafKind, append
from evidence.small_files import create_whole
from evidence.vault import Vault, VaultError
from exam.clock import MINUTE_US

FOLDER: Final = "check_in"
PURPOSE: Final = "check_in_picture"
# Pages that refresh themselves, or are opened again at once, do not make another look of one.
LOOK_US: Final = 10 * MINUTE_US
MODE: Final = 0o400


class PictureKind(StrEnum):
    """What a picture is."""

    PHOTO = "photo"
    SIGNATURE = "signature"


class PictureFault(StrEnum):
    """Why a picture is not taken in, or cannot be shown."""

    WRONG_DIGEST = "wrong_digest"
    WRONG_TYPE = "wrong_type"
    TOO_LARGE = "too_large"
    EMPTY = "empty"
    UNKNOWN = "unknown"
    # The file is missing or no longer what was kept.
    DAMAGED = "damaged"


class PictureError(Exception):
    """A picture cannot be kept or read; `fault` says why."""

    def __init__(self, fault: PictureFault) -> None:
        super().__init__(fault.value)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Limits:
    """What is accepted of one kind: largest size, and media types with the bytes that content begins with."""

    largest_bytes: int
    begins: dict[str, bytes]


_JPEG: Final = b"\xff\xd8\xff"
_PNG: Final = b"\x89PNG\r\n\x1a\n"
LIMITS: Final = {
    PictureKind.PHOTO: Limits(2 * 1024 * 1024, {"image/jpeg": _JPEG, "image/png": _PNG}),
    # A picture of the strokes, or the strokes themselves.
    PictureKind.SIGNATURE: Limits(512 * 1024, {"image/png": _PNG, "application/json": b"{"}),
}


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture in the clear. `sha256_hex` is the digest of `content` as its sender names it."""

    kind: PictureKind
    media_type: str
    sha256_hex: str
    content: bytes


@dataclass(frozen=True, slots=True)
class KeptPicture:
    """What the row of a picture says whose file is durable."""

    kind: PictureKind
    media_type: str
    sha256_hex: str
    size_bytes: int
    # Digest of the encrypted bytes: the name of the file.
    cipher_sha256: bytes

    @classmethod
    def of(cls, picture: Picture, cipher_sha256: bytes) -> "KeptPicture":
        """Of a picture that was written."""
        return cls(picture.kind, picture.media_type, picture.sha256_hex, len(picture.content), cipher_sha256)


@dataclass(frozen=True, slots=True)
class PictureStore:
    """The folder of encrypted pictures, and the site key that opens them."""

    folder: Path
    vault: Vault

    def check(self, picture: Picture) -> None:
        """Raises PictureError: empty, too_large, wrong_type, wrong_digest."""
        limits = LIMITS[picture.kind]
        if not picture.content:
            raise PictureError(PictureFault.EMPTY)
        if len(picture.content) > limits.largest_bytes:
            raise PictureError(PictureFault.TOO_LARGE)
        begins = limits.begins.get(picture.media_type)
        if begins is None or not picture.content.startswith(begins):
            raise PictureError(PictureFault.WRONG_TYPE)
        if sha256(picture.content).hexdigest() != picture.sha256_hex:
            raise PictureError(PictureFault.WRONG_DIGEST)

    def write(self, picture: Picture) -> bytes:
        """The ciphertext as a whole, durable file; returns its digest, which is its name."""
        self.check(picture)
        cipher = self.vault.encrypt_bytes(picture.content, PURPOSE)
        digest = sha256(cipher).digest()
        path = _path(self.folder, digest)
        path.parent.mkdir(parents=True, exist_ok=True)
        create_whole(path, cipher, MODE)
        return digest

    def read(self, connection: Connection, sha256_hex: str) -> Picture:
        """The picture again. Raises PictureError: unknown, damaged."""
        row = connection.execute(
            "select * from check_in_picture where sha256 = ?", (_digest(sha256_hex),)
        ).fetchone()
        if row is None:
            raise PictureError(PictureFault.UNKNOWN)
        try:
            content = self.vault.decrypt_bytes(_path(self.folder, row["cipher_sha256"]).read_bytes(), PURPOSE)
        except (OSError, VaultError) as error:
            raise PictureError(PictureFault.DAMAGED) from error
        if sha256(content).digest() != row["sha256"]:
            raise PictureError(PictureFault.DAMAGED)
        return Picture(PictureKind(row["kind"]), row["media_type"], sha256_hex, content)


def is_kept(connection: Connection, sha256_hex: str) -> bool:
    """Whether a picture with this digest is on record."""
    question = "select 1 from check_in_picture where sha256 = ?"
    return connection.execute(question, (_digest(sha256_hex),)).fetchone() is not None


def rooms_of_picture(connection: Connection, sha256_hex: str) -> list[tuple[int, int]]:
    """Session and room of everybody whose registration photo it is or at whose check-in it was taken, and of
    each doubt it belongs to."""
    try:
        digest = _digest(sha256_hex)
    except PictureError:
        return []
    rows = connection.execute(
        "select session_id, room_id from doubt_case, json_each(photos)"
        " where value = :sha256 and session_id is not null and room_id is not null union"
        " select seating.session_id, place.room_id from file_photo"
        " join check_in_picture on check_in_picture.id = picture_id and sha256 = :digest"
        " join seating on seating.candidate_id = file_photo.candidate_id"
        " join place on place.id = seating.place_id union"
        " select seating.session_id, place.room_id from checkin_circumstance as came"
        " join checkin_attempt as attempt on attempt.id = came.attempt_id"
        " join seating on seating.candidate_id in"
        "  (attempt.candidate_id, attempt.ticket_candidate_id, attempt.id_number_candidate_id)"
        " join place on place.id = seating.place_id"
        " where :sha256 in (came.photo_sha256, came.signature_sha256)",
        {"sha256": sha256_hex, "digest": digest},
    )
    return [(row["session_id"], row["room_id"]) for row in rows]


def record_picture(
    connection: Connection, picture: Picture, cipher_sha256: bytes, kiosk_id: int | None, now_us: int
) -> bool:
    """The row and leaf of a picture whose file is durable. False: it was on record already."""
    return record_kept(connection, KeptPicture.of(picture, cipher_sha256), kiosk_id, now_us)


def record_kept(connection: Connection, kept: KeptPicture, kiosk_id: int | None, now_us: int) -> bool:
    """The same without its bytes. `kiosk_id`: which kiosk sent it; None: none did."""
    row = connection.execute(
        "insert into check_in_picture (kind, sha256, media_type, size_bytes, cipher_sha256, kiosk_id,"
        " received_at_us) values (?, ?, ?, ?, ?, ?, ?) on conflict do nothing"
        " returning id as check_in_picture_id, kind, lower(hex(sha256)) as sha256, media_type, size_bytes,"
        " lower(hex(cipher_sha256)) as cipher_sha256, kiosk_id, received_at_us",
        (
            kept.kind,
            _digest(kept.sha256_hex),
            kept.media_type,
            kept.size_bytes,
            kept.cipher_sha256,
            kiosk_id,
            now_us,
        ),
    ).fetchone()
    if row is None:
        return False
    append(connection, LeafKind.CHECK_IN_PICTURE, dict(row), now_us)
    return True


def record_view(connection: Connection, sha256_hex: str, account_id: int, now_us: int) -> bool:
    """Keep that this person looks at the picture, before he gets it. False: he looks still (LOOK_US).

    Raises PictureError (unknown).
    """
    row = connection.execute(
        "select id, exists (select 1 from check_in_picture_view where picture_id = check_in_picture.id"
        "  and account_id = ? and viewed_at_us > ?) as is_looking from check_in_picture where sha256 = ?",
        (account_id, now_us - LOOK_US, _digest(sha256_hex)),
    ).fetchone()
    if row is None:
        raise PictureError(PictureFault.UNKNOWN)
    if row["is_looking"]:
        return False
    view = connection.execute(
        "insert into check_in_picture_view (picture_id, account_id, viewed_at_us) values (?, ?, ?)"
        " returning id as check_in_picture_view_id, picture_id, account_id, viewed_at_us",
        (row["id"], account_id, now_us),
    ).fetchone()
    append(connection, LeafKind.CHECK_IN_PICTURE_VIEW, dict(view), now_us)
    return True


def check_pictures(connection: Connection, folder: Path, look: Look) -> Iterator[Finding]:
    """Every picture on record has its file, and with Depth.DIGEST: the file is what was written.

    A file without a row is none of its business: a crash may leave one, which nobody can read.
    """
    for row in connection.execute("select cipher_sha256 from check_in_picture order by id"):
        path = _path(folder, row["cipher_sha256"])
        look.cost.files += 1
        code = _fault(path, row["cipher_sha256"], look)
        look.tell(look.cost)
        if code is not None:
            yield Finding(code, str(path))


def _fault(path: Path, cipher_sha256: bytes, look: Look) -> Code | None:
    try:
        size_bytes = path.stat().st_size
        if look.depth is not Depth.DIGEST:
            return None
        look.cost.read_bytes += size_bytes
        return None if sha256_of(path) == cipher_sha256 else Code.PICTURE_CHANGED
    except OSError:
        return Code.PICTURE_MISSING


def _path(folder: Path, cipher_sha256: bytes) -> Path:
    name = cipher_sha256.hex()
    return folder / name[:2] / f"{name}.enc"


def _digest(sha256_hex: str) -> bytes:
    try:
        return bytes.fromhex(sha256_hex)
    except ValueError as error:
        raise PictureError(PictureFault.WRONG_DIGEST) from error
