"""The shared look: the stylesheet of custom properties, and the player library from node_modules."""

from pathlib import Path
from typing import Final

from flask import Blueprint, Response, send_from_directory

ROOT: Final = Path(__file__).resolve().parent.parent
LOOK_FOLDER: Final = ROOT / "config" / "look"
PLAYER_FOLDER: Final = ROOT / "node_modules" / "hls.js" / "dist"

blueprint: Final = Blueprint("look", __name__)


@blueprint.get("/look/tokens.css")
def tokens() -> Response:
    return send_from_directory(LOOK_FOLDER, "tokens.css", max_age=60)


@blueprint.get("/vendor/hls.min.js")
def hls() -> Response:
    return send_from_directory(PLAYER_FOLDER, "hls.min.js", mimetype="text/javascript", max_age=3600)
