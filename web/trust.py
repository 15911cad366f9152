"""How a tablet learns to trust this site: the CA to download, its fingerprint, and the steps."""

from typing import Final

from flask import Blueprint, Response, abort, render_template, send_file

from web.services import services
from web.tls import Certificates, fingerprint

blueprint: Final = Blueprint("trust", __name__)


@blueprint.get("/trust")
def page() -> str:
    files = Certificates(services().settings.keys_folder)
    return render_template("trust/page.html", fingerprint=fingerprint(files.ca) if files.ca.exists() else "")


@blueprint.get("/trust/ca.crt")
def certificate() -> Response:
    files = Certificates(services().settings.keys_folder)
    if not files.ca.exists():
        abort(404)
    return send_file(
        files.ca.absolute(),
        mimetype="application/x-x509-ca-cert",
        as_attachment=True,
        download_name="kaochang-ca.crt",
    )
