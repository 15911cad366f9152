"""The coverage certificate (录像覆盖证明) of a session: a page, its print on A4, and the same as PDF."""

from pathlib import Path
from typing import Any, Final

from flask import Blueprint, Response, abort, render_template
from flask_login import current_user
from weasyprint import CSS, HTML

from evidence.coverage_certificate import Certificate, certify, load_schedule
from web import certificate_words
from web.certificate_bar import draw
from web.services import services

blueprint: Final = Blueprint("certificate", __name__)

STYLESHEET: Final = Path(__file__).parent / "static" / "certificate" / "sheet.css"


@blueprint.get("/sessions/<int:session_id>/coverage")
def page(session_id: int) -> str:
    return render_template("certificate/page.html", **_facts(_certificate(session_id)))


@blueprint.get("/sessions/<int:session_id>/coverage.pdf")
def pdf(session_id: int) -> Response:
    """Reads nothing but its own stylesheet; fonts are embedded."""
    certificate = _certificate(session_id)
    document = HTML(string=render_template("certificate/paper.html", **_facts(certificate)))
    printed: bytes = document.write_pdf(stylesheets=[CSS(filename=str(STYLESHEET))])
    name = f"coverage-{certificate.head.session.code}.pdf"
    response = Response(printed, mimetype="application/pdf")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "no-store"
    return response


def _certificate(session_id: int) -> Certificate:
    now_us = services().clock.wall_us()
    with services().exam.read() as connection:
        head = load_schedule(connection, session_id, services().procedures, now_us)
    if head is None:
        abort(404)
    footage = services().footage()
    if footage is None:
        return certify(None, head, now_us)
    with footage.read() as connection:
        return certify(connection, head, now_us)


def _facts(certificate: Certificate) -> dict[str, Any]:
    return {
        "certificate": certificate,
        "words": certificate_words,
        "statement": certificate_words.statement(certificate.sums, is_provisional=certificate.is_provisional),
        "bar_of": draw,
        "made_by": current_user.display_name,
    }
