"""Whether the console answers and its database can be read: for supervisors and for people with curl."""

from typing import Final

from flask import Blueprint, Response, jsonify

from evidence import overview
from web.services import services

blueprint: Final = Blueprint("health", __name__)


@blueprint.get("/healthz")
def answer() -> Response:
    with services().exam.read() as connection:
        overview.site_name(connection)
    return jsonify(service="web", healthy=True, now_us=services().clock.wall_us())
