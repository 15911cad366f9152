"""The coverage certificates (录像覆盖证明): their list, a page each, its print on A4, and the same as PDF.

A session that is over shows the certificate that was kept, with its place in the ledger, and says when
the same facts would be certified differently today.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from flask import Blueprint, Response, abort, render_template, request
from flask_login import current_user

from evidence.coverage_certificate import Certificate, certify, load_schedule
from evidence.day import load_sessions
from evidence.kept_certificates import KeptCertificate, kept_certificates
from exam.day import Session
from web import certificate_words
from web.certificate_bar import draw
from web.downloads import printed
from web.services import services

blueprint: Final = Blueprint("certificate", __name__)

STYLESHEET: Final = Path(__file__).parent / "static" / "certificate" / "sheet.css"


@dataclass(frozen=True, slots=True)
class ListedSession:
    """A session and what can be said about its certificate without computing it."""

    session: Session
    kept: Certificate | None
    has_begun: bool


@dataclass(frozen=True, slots=True)
class _Found:
    """The certificate of today, the one that was kept, and which of them is shown."""

    today: Certificate
    kept: KeptCertificate | None

    @property
    def shown(self) -> Certificate:
        wants_today = request.args.get("version") == "today"
        return (
            self.today if self.kept is None or wants_today else self.kept.certificate(self.today.head.session)
        )


@blueprint.get("/coverage")
def listing() -> str:
    """Every session, newest first, with what its certificate states."""
    now_us = services().clock.wall_us()
    with services().exam.read() as connection:
        sessions = load_sessions(connection)
    kept = _kept()
    listed = [
        ListedSession(
            one, kept[one.id].certificate(one) if one.id in kept else None, one.planned_start_us <= now_us
        )
        for one in sessions
    ]
    newest_first = sorted(listed, key=lambda one: -one.session.planned_start_us)
    return render_template("certificate/listing.html", listed=newest_first, words=certificate_words)


@blueprint.get("/sessions/<int:session_id>/coverage")
def page(session_id: int) -> str:
    return render_template("certificate/page.html", **_facts(_find(session_id)))


@blueprint.get("/sessions/<int:session_id>/coverage.pdf")
def pdf(session_id: int) -> Response:
    """Reads nothing but its own stylesheet; fonts are embedded."""
    found = _find(session_id)
    sheet = render_template("certificate/paper.html", **_facts(found))
    return printed(sheet, STYLESHEET, f"coverage-{found.today.head.session.code}.pdf")


def _find(session_id: int) -> _Found:
    now_us = services().clock.wall_us()
    with services().exam.read() as connection:
        head = load_schedule(connection, session_id, services().procedures, now_us)
    if head is None:
        abort(404)
    footage = services().footage()
    if footage is None:
        return _Found(certify(None, head, now_us), None)
    with footage.read() as connection:
        return _Found(certify(connection, head, now_us), _kept().get(session_id))


def _kept() -> Mapping[int, KeptCertificate]:
    footage = services().footage()
    if footage is None:
        return {}
    with footage.read() as connection:
        return kept_certificates(connection)


def _facts(found: _Found) -> dict[str, Any]:
    certificate, kept = found.shown, found.kept
    return {
        "certificate": certificate,
        "kept": kept,
        "is_kept": kept is not None and certificate is not found.today,
        "has_changed": kept is not None and not kept.agrees_with(found.today),
        "words": certificate_words,
        "statement": certificate_words.statement(certificate.sums, is_provisional=certificate.is_provisional),
        "bar_of": draw,
        "made_by": current_user.display_name,
    }
