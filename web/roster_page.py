"""Taking in a roster (参考花名册) from the console: check first, then import exactly what was checked.

The file is never kept here: the browser sends it again for the import, and the digest shown after
the check must still fit.
"""

from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from flask import Blueprint, render_template, request
from werkzeug.datastructures import FileStorage

from config.roster_columns import load_roster_columns
from evidence.overview import open_batches
from evidence.roster import RosterRequest, import_roster
from exam.roster_report import ImportReport
from web.services import ANY_TOPIC, services

blueprint: Final = Blueprint("roster_page", __name__)

KINDS: Final = (".xlsx", ".csv")


@blueprint.get("/roster")
def page() -> str:
    with services().exam.read() as connection:
        return render_template("roster/page.html", batches=open_batches(connection), kinds=KINDS)


@blueprint.post("/roster/check")
def check() -> tuple[str, int]:
    return _answer(dry_run=True)


@blueprint.post("/roster/import")
def take_in() -> tuple[str, int]:
    return _answer(dry_run=False)


def _answer(*, dry_run: bool) -> tuple[str, int]:
    upload = request.files.get("file")
    fault = _upload_fault(upload)
    if upload is None or fault is not None:
        return render_template("roster/report.html", fault=fault, report=None), 400
    content = upload.stream.read()
    digest = sha256(content).hexdigest()
    if not dry_run and request.form.get("digest") != digest:
        fault = "文件在检查之后有改动，请重新检查。"
        return render_template("roster/report.html", fault=fault, report=None), 409
    report = _imported(upload, content, dry_run=dry_run)
    services().bus.publish(ANY_TOPIC)
    code = 422 if report.is_refused else 200
    return render_template("roster/report.html", fault=None, report=report, digest=digest), code


def _upload_fault(upload: FileStorage | None) -> str | None:
    if upload is None or not upload.filename:
        return "请选择花名册文件。"
    if not upload.filename.lower().endswith(KINDS):
        return "只能导入 .xlsx 或 .csv 文件；旧版 .xls 请先另存为 .xlsx。"
    return None


def _imported(upload: FileStorage, content: bytes, *, dry_run: bool) -> ImportReport:
    # Shown in the report; cut so that the longest name still fits a file system.
    name = "".join(filter(str.isprintable, Path(upload.filename or "").name))[-60:]
    with TemporaryDirectory(dir=services().settings.data_folder) as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        wanted = RosterRequest(path, request.form.get("batch", ""), load_roster_columns(), dry_run=dry_run)
        now_us = services().clock.wall_us()
        if dry_run:
            with services().exam.read() as connection:
                return import_roster(connection, services().vault, wanted, now_us)
        with services().exam.write() as connection:
            return import_roster(connection, services().vault, wanted, now_us)
