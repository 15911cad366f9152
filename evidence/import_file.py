"""Takes in one file from the command line: a site plan, a roster or its photos, told apart by the ending."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from evidence.check_in_pictures import FOLDER, PictureStore
from evidence.database import WriterDatabase
from evidence.file_photos import PhotosRequest, take_photos
from evidence.roster import RosterRequest, import_roster
from evidence.site_import import import_site
from evidence.site_plan import SitePlanError
from evidence.vault import Vault
from exam.procedure import Procedure
from exam.roster import RosterColumns

SITE_PLAN_ENDING: Final = ".toml"
ROSTER_ENDINGS: Final = (".xlsx", ".csv")
PHOTOS_ENDING: Final = ".zip"


class ImportRefusedError(Exception):
    """Nothing was changed; the message is the whole report."""


@dataclass(frozen=True, slots=True)
class WantedImport:
    """Which file or folder, for which batch (rosters and photos only), and whether only to look."""

    path: Path
    batch: str | None = None
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The regulated data that files are read by."""

    procedures: Mapping[str, Procedure]
    columns: RosterColumns


class _OnlyLooking(Exception):  # noqa: N818 - no error: it undoes a transaction that was never meant to stay
    pass


def import_file(
    database: WriterDatabase, vault: Vault, wanted: WantedImport, vocabulary: Vocabulary, now_us: int
) -> str:
    """The report of what changed, in Chinese. Raises ImportRefusedError; then nothing changed."""
    ending = wanted.path.suffix.lower()
    if ending == SITE_PLAN_ENDING:
        return _import_site(database, vault, wanted, vocabulary, now_us)
    are_photos = ending == PHOTOS_ENDING or wanted.path.is_dir()
    if not are_photos and ending not in ROSTER_ENDINGS:
        endings = "、".join([SITE_PLAN_ENDING, *ROSTER_ENDINGS, PHOTOS_ENDING])
        raise ImportRefusedError(f"{wanted.path}：不认识这种文件，请使用 {endings}，或照片文件夹")
    if wanted.batch is None:
        raise ImportRefusedError(f"{wanted.path}：导入花名册需要指明批次，请加上 --batch 批次编号")
    if are_photos:
        return _import_photos(
            database, vault, PhotosRequest(wanted.path, wanted.batch, wanted.dry_run), now_us
        )
    request = RosterRequest(wanted.path, wanted.batch, vocabulary.columns, dry_run=wanted.dry_run)
    with database.write() as connection:
        report = import_roster(connection, vault, request, now_us)
    if report.is_refused:
        raise ImportRefusedError(report.to_text())
    return report.to_text()


def _import_photos(database: WriterDatabase, vault: Vault, request: PhotosRequest, now_us: int) -> str:
    store = PictureStore(database.path.with_name(FOLDER), vault)
    report = take_photos(database, store, request, now_us)
    if report.is_refused:
        raise ImportRefusedError(report.to_text())
    return report.to_text()


def _import_site(
    database: WriterDatabase, vault: Vault, wanted: WantedImport, vocabulary: Vocabulary, now_us: int
) -> str:
    text = ""
    try:
        with database.write() as connection:
            text = import_site(connection, vault, wanted.path, vocabulary.procedures, now_us).to_text()
            if wanted.dry_run:
                raise _OnlyLooking
    except SitePlanError as error:
        raise ImportRefusedError(str(error)) from error
    except _OnlyLooking:
        return f"（仅检查，未做任何改动）\n{text}"
    return text
