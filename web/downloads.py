"""Files that a page hands out, printed sheets and texts: saved by whoever asked, and by no cache."""

from pathlib import Path

from flask import Response
from weasyprint import CSS, HTML


def download(content: bytes, mimetype: str, name: str) -> Response:
    """The content as a file of that name."""
    response = Response(content, mimetype=mimetype)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "no-store"
    return response


def printed(page: str, stylesheet: Path, name: str) -> Response:
    """A page of HTML as PDF. It reads nothing but its stylesheet; fonts are embedded."""
    content: bytes = HTML(string=page).write_pdf(stylesheets=[CSS(filename=str(stylesheet))])
    return download(content, "application/pdf", name)
