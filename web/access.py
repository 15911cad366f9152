"""Who may use which address: one role table, one gate in front of every request.

An endpoint that does not stand in the table is refused, so a forgotten row is a closed door and
not an open one. Proctors and assessors see their own room and session only (house law, section 7).
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final

from flask import Flask, Response, abort, g, jsonify, make_response, redirect, request, url_for
from flask_login import current_user
from flask_wtf.csrf import CSRFProtect

from evidence import accounts, kiosk_enrolments, kiosks, speakers
from web.asking import wants_page
from web.services import services


class Role(StrEnum):
    """What an account may do. The values stand in account_role."""

    PROCTOR = "proctor"
    ASSESSOR = "assessor"
    REVIEW_CHAIR = "review_chair"
    RECORDER = "recorder"
    EXAMS_OFFICER = "exams_officer"
    SITE_LEAD = "site_lead"
    INSPECTOR = "inspector"
    QUALITY_SUPERVISOR = "quality_supervisor"
    SUPERVISOR = "supervisor"
    ARCHIVIST = "archivist"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


EVERYBODY: Final = frozenset(Role)
# In the room; limited to the rooms and sessions of their duties.
ROOM: Final = frozenset({Role.PROCTOR, Role.ASSESSOR, Role.REVIEW_CHAIR, Role.RECORDER})
# Responsible for the whole site.
LEAD: Final = frozenset({Role.SITE_LEAD, Role.EXAMS_OFFICER})
PATROL: Final = frozenset({Role.INSPECTOR, Role.QUALITY_SUPERVISOR})
ADMINISTRATION: Final = frozenset({Role.ADMINISTRATOR})
# May watch all rooms as they are now, in small pictures.
WALL: Final = PATROL | {Role.SITE_LEAD}
# May read what the camera preflight found; pictures are for LEAD and PATROL only.
PREFLIGHT: Final = LEAD | PATROL | ADMINISTRATION
# May look at footage, each time with a reason (R18).
FOOTAGE: Final = PATROL | {Role.SITE_LEAD, Role.SUPERVISOR, Role.AUDITOR}
# Nobody runs the machine and looks at footage, or disposes of it, with the same account.
APART_FROM_ADMINISTRATOR: Final = FOOTAGE | {Role.ARCHIVIST}
# May read and print coverage certificates: no pictures in them, but whether any are missing.
COVERAGE: Final = PATROL | {Role.SITE_LEAD, Role.SUPERVISOR, Role.ARCHIVIST, Role.AUDITOR}

# May print, carry out and compare the checkpoints of the ledgers; no personal data stands in them.
ANCHORS: Final = COVERAGE | {Role.EXAMS_OFFICER}
# May see who took footage out of the house; the auditor orders nothing.
EXPORTS: Final = frozenset({Role.SUPERVISOR, Role.SITE_LEAD, Role.AUDITOR})

# May read how long footage is kept, what is held and what was disposed of; no pictures in it.
KEEPING: Final = COVERAGE | {Role.EXAMS_OFFICER}
# May ask for a hold, and decide on one; it always takes two of them.
HOLD_ASKERS: Final = frozenset({Role.SUPERVISOR, Role.SITE_LEAD, Role.ARCHIVIST, Role.QUALITY_SUPERVISOR})
HOLD_DECIDERS: Final = HOLD_ASKERS - {Role.SUPERVISOR}
# May approve a disposal; the rule itself is exam.disposal_approval.
APPROVERS: Final = frozenset({Role.SITE_LEAD, Role.SUPERVISOR, Role.QUALITY_SUPERVISOR, Role.INSPECTOR})

# May see how the kiosks are, take one out of service, and revoke one that was stolen.
KIOSK_WATCHERS: Final = LEAD | ADMINISTRATION
# May let machines in.
KIOSK_ENROLLERS: Final = ADMINISTRATION | {Role.EXAMS_OFFICER}

# No login: what must work before one exists.
PUBLIC: Final = frozenset(
    {
        "static",
        "look.tokens",
        "look.hls",
        "health.answer",
        # Answers loopback, and administrators from elsewhere: it looks itself.
        "metrics.text",
        "trust.page",
        "trust.certificate",
        "accounts.login",
        "accounts.first_administrator",
        # A screen in the room: the time, and what hangs on its door.
        "clock_page.display",
        "clock_page.facts",
    }
)

# A kiosk's bearer token instead of a login; no cookies, therefore no CSRF. A kiosk reaches nothing else.
KIOSK: Final = frozenset(
    {
        "kiosk_api.check_in",
        "kiosk_api.attempt",
        "kiosk_api.picture",
        "kiosk_acts.act",
        "kiosk_acts.offered",
        "kiosk_api.heartbeat",
        "kiosk_sync.beat",
        "kiosk_sync.roll",
        "kiosk_sync.self_test",
        "kiosk_roster.keys",
        "kiosk_roster.roster",
        "kiosk_roster.day_part",
        "kiosk_roster.floor_map",
    }
)
# Brings a one-time token of its own, and looks at it itself; no cookies, therefore no CSRF.
ENROLLING: Final = frozenset({"kiosk_sync.enrol", "speaker_api.enrol"})
# A headless speaker's bearer token instead of a login; it reaches its own rooms only.
SPEAKER: Final = frozenset(
    f"speaker_api.{name}" for name in ("clock", "schedules", "wakes", "audio", "reports", "heartbeat")
)

ROUTES: Final[Mapping[str, frozenset[Role]]] = {
    "accounts.home": EVERYBODY,
    "accounts.logout": EVERYBODY,
    "accounts.listing": ADMINISTRATION,
    "accounts.create": ADMINISTRATION,
    "accounts.disable": ADMINISTRATION,
    **dict.fromkeys((f"overview.{name}" for name in ("page", "live", "stream")), LEAD | PATROL),
    **dict.fromkeys((f"rehearsal.{name}" for name in ("page", "live", "stream", "kept")), PREFLIGHT),
    "rehearsal.end": frozenset({Role.SITE_LEAD}),
    "alarms.know": LEAD,
    **dict.fromkeys(
        (f"delays.{name}" for name in ("page", "record", "withdraw", "stop")),
        frozenset({Role.ASSESSOR, Role.SITE_LEAD}),
    ),
    "delays.approve": frozenset({Role.SITE_LEAD}),
    "changes.page": frozenset({Role.SITE_LEAD}),
    "changes.effects": frozenset({Role.SITE_LEAD}),
    "changes.make": frozenset({Role.SITE_LEAD}),
    **dict.fromkeys(("timetable_page.page", "timetable_page.pdf"), ROOM | LEAD | PATROL),
    "rounds.page": LEAD | PATROL,
    "rounds.live": LEAD | PATROL,
    "rounds.stream": LEAD | PATROL,
    **dict.fromkeys(("clock_steps.decide", "restart.settle"), frozenset({Role.SITE_LEAD})),
    **dict.fromkeys((f"clock_check.{name}" for name in ("page", "live", "stream", "kept", "pdf")), PREFLIGHT),
    "clock_check.read_reference": LEAD,
    "clock_check.confirm": LEAD,
    **dict.fromkeys(("readiness.page", "readiness.live", "readiness.stream", "readiness.kept"), PREFLIGHT),
    **dict.fromkeys(("readiness.pdf", "readiness.test_page"), PREFLIGHT),
    **dict.fromkeys(("readiness.sign", "readiness.printer"), LEAD),
    "wall.page": WALL,
    "wall.live": WALL,
    "wall.stream": WALL,
    "wall.picture": WALL,
    "proctor.choose": ROOM | LEAD | PATROL,
    "proctor.page": ROOM | LEAD | PATROL,
    "proctor.live": ROOM | LEAD | PATROL,
    "proctor.stream": ROOM | LEAD | PATROL,
    "proctor.add_entry": ROOM | LEAD,
    "check_in.act": ROOM | LEAD | PATROL,
    "check_in.alarms": ROOM | LEAD | PATROL,
    "check_in.know": ROOM | LEAD,
    "check_in.cases": ROOM | LEAD | PATROL,
    "check_in.open_case": ROOM | LEAD,
    "check_in.step": ROOM | LEAD,
    "check_in.picture": ROOM | LEAD,
    "check_in_desk.page": ROOM | LEAD | PATROL,
    "check_in_desk.live": ROOM | LEAD | PATROL,
    "check_in_desk.stream": ROOM | LEAD | PATROL,
    "check_in_desk.lookup": ROOM | LEAD | PATROL,
    "check_in_desk.room": ROOM | LEAD | PATROL,
    "check_in_desk.live_room": ROOM | LEAD | PATROL,
    "check_in_desk.card": ROOM | LEAD | PATROL,
    "check_in_desk.live_card": ROOM | LEAD | PATROL,
    "check_in_desk.floor_map": ROOM | LEAD | PATROL,
    "check_in_desk.walk_in": frozenset({Role.SITE_LEAD}),
    "seat_checks.page": ROOM | LEAD | PATROL,
    "seat_checks.live": ROOM | LEAD | PATROL,
    "seat_checks.note": ROOM | LEAD,
    "doubts.page": ROOM | LEAD | PATROL,
    "doubts.live": ROOM | LEAD | PATROL,
    "doubts.stream": ROOM | LEAD | PATROL,
    "doubts.case": ROOM | LEAD | PATROL,
    "doubts.live_case": ROOM | LEAD | PATROL,
    "roster_page.page": LEAD,
    "roster_page.check": LEAD,
    "roster_page.take_in": LEAD,
    "roster_page.compare_form": LEAD,
    "roster_photos.check": LEAD,
    "roster_photos.take_in": LEAD,
    "kiosks_page.page": KIOSK_WATCHERS,
    "kiosks_page.live": KIOSK_WATCHERS,
    "kiosks_page.stream": KIOSK_WATCHERS,
    "kiosks_page.switch": KIOSK_WATCHERS,
    "kiosks_page.revoke": KIOSK_WATCHERS,
    "kiosks_page.enrol": KIOSK_ENROLLERS,
    "kiosks_page.roll": KIOSK_ENROLLERS,
    "kiosks_page.bind": KIOSK_ENROLLERS,
    "kiosks_page.unlock_pin": frozenset({Role.SITE_LEAD}),
    "staff_pins.page": ROOM | LEAD,
    "staff_pins.choose": ROOM | LEAD,
    "tickets.sheet": LEAD | ADMINISTRATION,
    "tickets.pdf": LEAD | ADMINISTRATION,
    "tickets.positions": LEAD | ADMINISTRATION,
    "tickets.reissue_page": LEAD,
    "tickets.issue_anew": LEAD,
    "preflight.page": PREFLIGHT,
    "preflight.live": PREFLIGHT,
    "preflight.stream": PREFLIGHT,
    "preflight.pdf": PREFLIGHT,
    "preflight.picture": LEAD | PATROL,
    "preflight.start": LEAD | ADMINISTRATION,
    "anchors.page": ANCHORS,
    "anchors.sheet": ANCHORS,
    "anchors.compare_paper": ANCHORS,
    "anchors.cosigning": ANCHORS,
    "anchors.question": ANCHORS,
    "anchors.key": ANCHORS,
    "anchors.tool": ANCHORS,
    "anchors.take_answer": ANCHORS,
    "certificate.listing": COVERAGE,
    "retention.batches": KEEPING,
    "retention.close": LEAD,
    "retention.reopen": frozenset({Role.SITE_LEAD}),
    "retention.due": KEEPING,
    "retention.assign": frozenset({Role.SITE_LEAD, Role.ARCHIVIST}),
    "fixity.page": COVERAGE,
    "fixity.order": frozenset({Role.ARCHIVIST, Role.SITE_LEAD, Role.SUPERVISOR}),
    "holds.page": KEEPING,
    "holds.propose": HOLD_ASKERS,
    "holds.take": HOLD_DECIDERS,
    "disposals.page": KEEPING,
    "disposals.propose": frozenset({Role.ARCHIVIST}),
    "disposals.plan": KEEPING,
    "disposals.decide": APPROVERS,
    "disposals.document": KEEPING,
    "disposals.question": KEEPING,
    "disposals.cosign": KEEPING,
    "disposals.take_time": frozenset({Role.ARCHIVIST}),
    "disposals.order": frozenset({Role.ARCHIVIST, Role.SITE_LEAD}),
    "disposals.register": KEEPING,
    "joint.revoke_authority": frozenset({Role.SITE_LEAD, Role.QUALITY_SUPERVISOR, Role.ARCHIVIST}),
    "joint.give_up_mirror": frozenset({Role.SITE_LEAD, Role.QUALITY_SUPERVISOR, Role.ARCHIVIST}),
    "joint.take": frozenset({Role.SITE_LEAD, Role.QUALITY_SUPERVISOR, Role.ARCHIVIST}),
    "disks.page": KEEPING,
    "disks.restore": frozenset({Role.SITE_LEAD}),
    "disposals.register_authority": frozenset({Role.SITE_LEAD, Role.QUALITY_SUPERVISOR}),
    "certificate.page": COVERAGE,
    "certificate.pdf": COVERAGE,
    "recording.page": LEAD | PATROL,
    "recording.by_hand": frozenset({Role.SITE_LEAD}),
    "recording.mode": frozenset({Role.SITE_LEAD}),
    "recording.move": frozenset({Role.SITE_LEAD}),
    "clock_page.page": ROOM | LEAD | PATROL,
    "signals.room_page": ROOM | LEAD,
    "signals.room_worker": ROOM | LEAD,
    "signals.clock": ROOM | LEAD,
    "signals.room_schedule": ROOM | LEAD,
    "signals.room_wakes": ROOM | LEAD,
    "signals.room_reports": ROOM | LEAD,
    "signals.audio": ROOM | LEAD,
    **dict.fromkeys(("own_sounds.page", "own_sounds.confirm", "own_sounds.take_back"), LEAD),
    "own_sounds.upload": frozenset({Role.SITE_LEAD}),
    "players.page": LEAD | PATROL,
    "players.live": LEAD | PATROL,
    "players.stream": LEAD | PATROL,
    "players.beat": ROOM | LEAD,
    "players.test_everywhere": LEAD,
    "players.test_room": ROOM | LEAD,
    "players.check": ROOM | LEAD,
    "players.invite": LEAD | ADMINISTRATION,
    "players.revoke": LEAD | ADMINISTRATION,
    **dict.fromkeys(("arming.page", "arming.arm", "arming.disarm"), frozenset({Role.SITE_LEAD})),
    "signal_actions.press": frozenset({Role.ASSESSOR, Role.REVIEW_CHAIR, Role.SITE_LEAD}),
    "signal_actions.confirm": ROOM | LEAD,
    "hand_signals.record": ROOM | LEAD,
    "exports.page": EXPORTS,
    "exports.progress": EXPORTS,
    "exports.order": EXPORTS - {Role.AUDITOR},
    "playback.choose": FOOTAGE,
    "playback.access": FOOTAGE,
    "playback.page": FOOTAGE,
    "playback.room_timeline": FOOTAGE,
    "playback.camera_playlist": FOOTAGE,
    "playback.segment_bytes": FOOTAGE,
    "playback.camera_thumbnail": FOOTAGE,
}


def may(endpoint: str) -> bool:
    """Whether the person who asks may use the endpoint: for links that would otherwise lead nowhere."""
    return endpoint in PUBLIC or bool(ROUTES.get(endpoint, frozenset()) & roles())


def roles() -> frozenset[Role]:
    """The roles of the person who asks; none without a login."""
    return current_user.roles if current_user.is_authenticated else frozenset()


def require_room(session_id: int, room_id: int, *, to_act: bool = False) -> None:
    """Refuse (403) people of the room whose duty is elsewhere; the lead and patrols may look everywhere."""
    allowed = may_act(session_id, room_id) if to_act else may_enter(session_id, room_id)
    if not allowed:
        abort(403)


def may_enter(session_id: int, room_id: int) -> bool:
    """Whether the person who asks may look into this room of this session."""
    return bool(roles() & PATROL) or may_act(session_id, room_id)


def concerns_me(session_id: int | None, room_id: int | None) -> bool:
    """The whole site's business to the lead and patrols, that of the own rooms to room staff."""
    if roles() & (LEAD | PATROL):
        return True
    return session_id is not None and room_id is not None and may_enter(session_id, room_id)


def may_act(session_id: int, room_id: int) -> bool:
    """Whether the person who asks may write, confirm and give signals there: by duty, or as the lead."""
    if roles() & LEAD:
        return True
    return bool(roles() & ROOM) and (session_id, room_id) in _duties()


def _duties() -> frozenset[tuple[int, int]]:
    """Session and room of each duty of the person who asks; read once a request, however much it shows."""
    if "duties" not in g:
        g.duties = frozenset()
        if current_user.staff_id is not None:
            with services().exam.read() as connection:
                duties = accounts.duties_of(connection, current_user.staff_id)
            g.duties = frozenset((duty.session_id, duty.room_id) for duty in duties)
    found: frozenset[tuple[int, int]] = g.duties
    return found


def guard(app: Flask, csrf: CSRFProtect) -> None:
    """Put the gate in front of every request."""

    @app.before_request
    def gate() -> Response | None:
        endpoint = request.endpoint
        if endpoint is None:
            return None  # no such address: answered with 404 or 405
        if endpoint in ENROLLING:
            return None
        if endpoint in DEVICES:
            return DEVICES[endpoint]()
        if endpoint not in PUBLIC:
            if not current_user.is_authenticated:
                return _ask_for_login()
            if not ROUTES.get(endpoint, frozenset()) & roles():
                abort(403)
        csrf.protect()
        return None


def _require_kiosk() -> Response | None:
    token = _bearer_token()
    with services().exam.read() as connection:
        kiosk = kiosks.find_by_token(connection, token)
        if kiosk is None and kiosks.was_revoked(connection, token):
            return _revoked()
    if kiosk is None:
        abort(401)
    if kiosk.came_with_next_token:
        with services().exam.write() as connection:
            kiosk_enrolments.use_next_token(connection, kiosk.id)
    g.kiosk, g.kiosk_token = kiosk, token
    return None


def _require_speaker() -> None:
    with services().exam.read() as connection:
        g.speaker = speakers.find_by_token(connection, _bearer_token())
    if g.speaker is None:
        abort(401)


# How a device proves itself, by endpoint; an answer ends the request.
DEVICES: Final[Mapping[str, Callable[[], Response | None]]] = {
    **dict.fromkeys(KIOSK, _require_kiosk),
    **dict.fromkeys(SPEAKER, _require_speaker),
}


def _bearer_token() -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        abort(401)
    return token.strip()


def _revoked() -> Response:
    """What a kiosk that was shut out is told, whatever it asks: it wipes itself."""
    return make_response(jsonify(outcome="SYS_REVOKED", error="本机已被撤销", advice="请联系考务人员。"), 403)


def _ask_for_login() -> Response:
    if request.method != "GET" or not wants_page():
        abort(401)
    target = request.full_path.rstrip("?")
    return redirect(url_for("accounts.login", next=target))  # type: ignore[return-value]
