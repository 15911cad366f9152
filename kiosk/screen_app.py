"""Serves the candidate screen to the browser on this machine, and takes what is typed there.

Loopback only. Other pages in the same browser, or a name that resolves to this machine, must not
reach it: the Host header has to be a loopback name, and whatever changes something needs a header
that no foreign page can send without asking first.
"""

import re
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from flask import Flask, Response, abort, jsonify, render_template, request, send_file, send_from_directory
from flask.typing import ResponseReturnValue

from evidence.kiosk_maps import media_type_of
from kiosk.agent import Agent, Usable
from kiosk.clips import Clips
from kiosk.intake import Intake
from kiosk.keystrokes import LONGEST
from kiosk.scanner import Picture, preview_jpeg
from kiosk.signatures import NoSignatureError, signature_of
from kiosk.visit import BagGiven, Happened, NoticeAccepted, Signed

LOOK_FOLDER: Final = Path(__file__).resolve().parent.parent / "config" / "look"
OWN_HEADER: Final = "X-Kaochang-Kiosk"
LOOPBACK_NAMES: Final = frozenset({"127.0.0.1", "localhost"})
LONGEST_WAIT_S: Final = 10.0
# As much as the console takes: a longer one would wait for a person for ever.
LONGEST_NUMBER: Final = 40
BAG_NUMBER: Final = re.compile(r"[0-9]{1,6}")
LARGEST_REQUEST_BYTES: Final = 16384
TOUCHES: Final = frozenset({Happened.RESTART, Happened.MORE_TIME, Happened.NO_DOCUMENT, Happened.DECLINE})
POLICY: Final = "; ".join(
    [
        "default-src 'self'",
        "img-src 'self' blob: data:",  # the camera picture, and no icon
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ]
)


def create_screen(
    agent: Agent,
    newest: Callable[[], Picture | None],
    intake: Intake | None = None,
    clips: Clips | None = None,
    face: Callable[[], Picture | None] | None = None,
) -> Flask:
    """The candidate screen over this agent. `newest` gives the camera's last picture, or None.

    `face` gives that of the camera which takes photos, when it is another.
    """
    intake = intake or Intake(agent.acceptance, agent, agent.clock)
    app = Flask("kiosk", root_path=str(Path(__file__).parent))
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_REQUEST_BYTES
    app.before_request(_only_from_here)
    app.after_request(_headers)
    app.add_url_rule("/", view_func=_page)
    app.add_url_rule("/look/tokens.css", view_func=_tokens)
    _add_state(app, agent, intake, clips)
    _add_maps(app, agent)
    _add_input(app, agent)
    _add_gifts(app, agent)
    _add_scans(app, intake)
    if clips is not None:
        _add_clips(app, clips)

    _add_preview(app, "/local/preview.jpg", newest)
    _add_preview(app, "/local/face.jpg", face or newest)
    return app


def _add_state(app: Flask, agent: Agent, intake: Intake, clips: Clips | None) -> None:
    time_is_short = agent.words.said_at("moments", "time_is_short")

    @app.get("/local/state")
    def state() -> ResponseReturnValue:
        """The screen as the page draws it; `after=VERSION` waits for the next change. No full number."""
        after = request.args.get("after", 0, type=int)
        snapshot = agent.snapshot(after, LONGEST_WAIT_S if after else 0.0)
        return jsonify(
            version=snapshot.version,
            scan_prefix=intake.sheet.prefix,
            sound=None if clips is None else {**clips.told(), "time_is_short": time_is_short},
            **snapshot.screen,
        )


def _add_maps(app: Flask, agent: Agent) -> None:
    @app.get("/local/maps/<digest>")
    def floor_map(digest: str) -> ResponseReturnValue:
        """A floor plan that this kiosk holds; 404 for any other."""
        content = agent.contact.packages.maps.picture(digest)
        if content is None:
            abort(404)
        return Response(content, mimetype=media_type_of(content))


def _add_input(app: Flask, agent: Agent) -> None:
    @app.post("/local/id-number")
    def id_number() -> ResponseReturnValue:
        """A number typed on the keypad or sent by a reader. Never repeated in the answer."""
        body = request.get_json(silent=True)
        number = body.get("id_number") if isinstance(body, dict) else None
        if not isinstance(number, str) or not 0 < len(number) <= LONGEST_NUMBER:
            abort(400)
        usable = agent.number_given(number)
        return jsonify(usable=usable), 422 if usable is Usable.NEITHER else 200

    @app.post("/local/touch")
    def touch() -> ResponseReturnValue:
        """A button: start anew, more time, no document."""
        body = request.get_json(silent=True)
        name = body.get("touch") if isinstance(body, dict) else None
        if name not in TOUCHES:
            abort(400)
        agent.happened(Happened(name))
        return jsonify(taken=name)


def _add_gifts(app: Flask, agent: Agent) -> None:
    @app.post("/local/bag")
    def bag() -> ResponseReturnValue:
        """The number on the bag that holds phone and belongings."""
        body = request.get_json(silent=True)
        number = body.get("bag_no") if isinstance(body, dict) else None
        if not isinstance(number, str) or BAG_NUMBER.fullmatch(number) is None:
            abort(400)
        agent.happened(BagGiven(number))
        return jsonify(taken=True)

    @app.post("/local/notice")
    def notice() -> ResponseReturnValue:
        """The candidate agrees to the privacy notice that is on the screen."""
        agent.happened(NoticeAccepted(agent.words.notice.version))
        return jsonify(taken=True)

    @app.post("/local/signature")
    def signature() -> ResponseReturnValue:
        """The strokes of a signature; repeated nowhere."""
        body = request.get_json(silent=True)
        given = body if isinstance(body, dict) else {}
        try:
            picture = signature_of(given.get("strokes"), given.get("width"), given.get("height"))
        except NoSignatureError:
            abort(400)
        agent.happened(Signed(picture))
        return jsonify(taken=True)


def _add_scans(app: Flask, intake: Intake) -> None:
    @app.post("/local/scan")
    def scan() -> ResponseReturnValue:
        """What a device that types like a keyboard sent: the lines of one burst."""
        body = request.get_json(silent=True)
        texts = body.get("texts") if isinstance(body, dict) else None
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            abort(400)
        if sum(map(len, texts)) > LONGEST:
            abort(413)
        intake.typed_fast(tuple(texts))
        return jsonify(taken=len(texts))


def _add_preview(app: Flask, address: str, newest: Callable[[], Picture | None]) -> None:
    def preview() -> ResponseReturnValue:
        """What the camera sees now; made on request and kept nowhere."""
        picture = newest()
        return ("", 204) if picture is None else Response(preview_jpeg(picture), mimetype="image/jpeg")

    app.add_url_rule(address, address, preview)


def _add_clips(app: Flask, clips: Clips) -> None:
    @app.get("/local/clips/<name>.<language>.wav")
    def clip(name: str, language: str) -> ResponseReturnValue:
        """A spoken prompt."""
        path = clips.path(name, language)
        # Whole, so that a page that goes away leaves no file open.
        return ("", 404) if path is None else send_file(BytesIO(path.read_bytes()), mimetype="audio/wav")


def _page() -> str:
    return render_template("candidate.html")


def _tokens() -> Response:
    return send_from_directory(LOOK_FOLDER, "tokens.css")


def _only_from_here() -> None:
    if urlsplit(f"//{request.host}").hostname not in LOOPBACK_NAMES:
        abort(403)
    if request.method == "POST":
        origin = request.headers.get("Origin")
        if OWN_HEADER not in request.headers or origin not in {None, request.host_url.rstrip("/")}:
            abort(403)


def _headers(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    if not request.path.startswith("/static/"):
        response.headers["Cache-Control"] = "no-store"
    return response
