"""Taking in registration photos (花名册照片) from the console: checked first, then imported as checked.

As with the roster, the archive is never kept: the browser sends it again for the import.
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from flask import Blueprint, Flask, render_template, request
from flask_login import current_user

from evidence.check_in_pictures import PictureStore
from evidence.file_digest import sha256_of
from evidence.file_photos import PhotosRequest, take_photos
from evidence.import_file import PHOTOS_ENDING
from web.roster_page import shown_name
from web.services import ANY_TOPIC, services

blueprint: Final = Blueprint("roster_photos", __name__, url_prefix="/roster/photos")

# Some thousand photos; everything else that is sent here is much smaller.
LARGEST_ARCHIVE_BYTES: Final = 512 * 1024 * 1024
ENDPOINTS: Final = frozenset({"roster_photos.check", "roster_photos.take_in"})
TEMPLATE: Final = "roster/photos_report.html"


@blueprint.post("/check")
def check() -> tuple[str, int]:
    return _answer(dry_run=True)


@blueprint.post("/import")
def take_in() -> tuple[str, int]:
    return _answer(dry_run=False)


def install(app: Flask) -> None:
    """Let archives of photos be larger than other requests; call before anything reads a form."""

    @app.before_request
    def make_room() -> None:
        if request.endpoint in ENDPOINTS:
            request.max_content_length = LARGEST_ARCHIVE_BYTES


def _answer(*, dry_run: bool) -> tuple[str, int]:
    upload = request.files.get("file")
    if upload is None or not (upload.filename or "").lower().endswith(PHOTOS_ENDING):
        fault = "请选择照片的 ZIP 压缩包（.zip）。照片在文件夹里的，请先压缩。"
        return render_template(TEMPLATE, fault=fault, report=None), 400
    with TemporaryDirectory(dir=services().settings.data_folder) as folder:
        path = Path(folder) / shown_name(upload)
        upload.save(path)
        digest = sha256_of(path).hex()
        if not dry_run and request.form.get("digest") != digest:
            fault = "文件在检查之后有改动，请重新检查。"
            return render_template(TEMPLATE, fault=fault, report=None), 409
        wanted = PhotosRequest(path, request.form.get("batch", ""), dry_run, current_user.account_id)
        everything = services()
        store = PictureStore(everything.settings.check_in_folder, everything.vault)
        report = take_photos(everything.exam, store, wanted, everything.clock.wall_us())
    services().bus.publish(ANY_TOPIC)
    return render_template(
        TEMPLATE, fault=None, report=report, digest=digest
    ), 422 if report.is_refused else 200
