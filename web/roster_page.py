"""Taking in a roster (参考花名册) from the console: check first, then import exactly what was checked.

The file is never kept here: the browser sends it again for the import, and the digest shown after
the check must still fit.
"""

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from flask import Blueprint, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response

from config.roster_columns import load_roster_columns
from evidence.overview import open_batches
from evidence.roster import RosterRequest, import_roster
from evidence.ticket_forms import Sample, confirm_form, load_forms, look_at_sample
from exam.roster_report import ImportReport
from exam.ticket_words import form_words
from web.services import ANY_TOPIC, services

blueprint: Final = Blueprint("roster_page", __name__)

KINDS: Final = (".xlsx", ".csv")
# What the number of a printed ticket said: kind of state, and the words.
SAMPLE_WORDS: Final[Mapping[Sample, tuple[str, str]]] = {
    Sample.ON_ROSTER: ("good", "格式相符，花名册中有这个准考证号。"),
    Sample.UNKNOWN: (
        "bad",
        "格式相符，但花名册中没有这个准考证号。请核对是否本批次的准考证，或重新导入花名册。",
    ),
    Sample.OTHER_FORM: (
        "bad",
        "与花名册的准考证号格式不符。请核对是否本批次的准考证；条码扫不全时请再扫一次。",
    ),
    Sample.EMPTY: ("bad", "没有读到号码，请再扫一次，或手工输入。"),
}


@blueprint.get("/roster")
def page() -> str:
    return _page()


@blueprint.post("/roster/forms")
def compare_form() -> tuple[str, int] | Response:
    """Compare the number of a printed ticket with the batch's form; with `confirm` keep that it fits."""
    batch_code = request.form.get("batch", "")
    with services().exam.write() as connection:
        sample = look_at_sample(connection, batch_code, request.form.get("sample", ""))
        if sample is Sample.ON_ROSTER and request.form.get("confirm"):
            confirm_form(connection, batch_code, current_user.account_id, services().clock.wall_us())
            return redirect(url_for("roster_page.page"), 303)
    return _page((batch_code, sample)), 200 if sample is Sample.ON_ROSTER else 422


def _page(compared: tuple[str, Sample] | None = None) -> str:
    with services().exam.read() as connection:
        return render_template(
            "roster/page.html",
            batches=open_batches(connection),
            kinds=KINDS,
            forms=load_forms(connection),
            form_words=form_words,
            compared=compared,
            shown=request.form.get("sample", ""),
            sample_words=SAMPLE_WORDS,
        )


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


def shown_name(upload: FileStorage) -> str:
    """The file's name for the report; cut so that the longest one still fits a file system."""
    return "".join(filter(str.isprintable, Path(upload.filename or "").name))[-60:]


def _imported(upload: FileStorage, content: bytes, *, dry_run: bool) -> ImportReport:
    with TemporaryDirectory(dir=services().settings.data_folder) as folder:
        path = Path(folder) / shown_name(upload)
        path.write_bytes(content)
        wanted = RosterRequest(path, request.form.get("batch", ""), load_roster_columns(), dry_run=dry_run)
        now_us = services().clock.wall_us()
        if dry_run:
            with services().exam.read() as connection:
                return import_roster(connection, services().vault, wanted, now_us)
        with services().exam.write() as connection:
            return import_roster(connection, services().vault, wanted, now_us)
