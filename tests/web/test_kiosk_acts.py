"""Acts at a kiosk: signed by PIN, refused while somebody can still be asked, kept when they come late."""

import base64
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient

from evidence import accounts
from evidence.staff_pins import PinKeys
from exam.clock import MINUTE_US, SECOND_US
from exam.staff_acts import LOOK, LOOK_FRESH_US, StaffAct, act_subject
from tests.evidence.check_ins import Desk
from tests.evidence.office import late_scan
from tests.evidence.test_staff_pins import given
from tests.world import CLOCK_US, KIOSK_TOKEN, START_US, Person, World
from web.services import Services, room_topic

ACTS = "/api/kiosk/v1/acts"
OFFERED = f"{ACTS}/offered"
BEARER = {"Authorization": f"Bearer {KIOSK_TOKEN}"}
LEAD_PIN, PROCTOR_PIN = "730419", "918273"


class Pad:
    """The staff mode of the kiosk: two people with their PINs."""

    def __init__(self, world: World) -> None:
        self.world = world
        with world.exam.read() as connection:
            self.uuid = connection.execute("select uuid from kiosk").fetchone()["uuid"]
        self.lead = given(world, world.site_lead_account_id, LEAD_PIN)
        self.proctor = given(world, world.proctor_account_id, PROCTOR_PIN)

    def body(self, *by: tuple[int, PinKeys], **changed: Any) -> dict[str, Any]:
        plain = {
            "nonce": "kiosk-act-nonce-0001",
            "act": "override",
            "reason": "车祸延误",
            "attempt_nonce": "nonce-000000000001",
            "happened_at_us": START_US + 32 * MINUTE_US,
        }
        body: dict[str, Any] = {**plain, **changed}
        return {**body, "signatures": [self.signature(body, *one) for one in by]}

    def signature(self, body: dict[str, Any], pin_id: int, keys: PinKeys) -> dict[str, Any]:
        names = ("session_id", "candidate_id", "attempt_nonce", "place_id", "room_id", "doubt", "approval_no")
        subject = act_subject({name: body.get(name) for name in names}, str(body["reason"]))
        signed = StaffAct(pin_id, self.uuid, body["nonce"], CLOCK_US + SECOND_US, body["act"], subject)
        signature = base64.b64encode(keys.signing.sign(signed.message())).decode()
        return {"pin_id": pin_id, "signed_at_us": signed.signed_at_us, "signature": signature}


@pytest.fixture
def pad(world: World) -> Pad:
    return Pad(world)


def test_late_entry_signed_by_two_is_done_at_once_and_repeated_the_same(
    kiosk: FlaskClient, world: World, desk: Desk, pad: Pad, services: Services
) -> None:
    late_scan(desk, world)
    world.clock.sleep_us(42 * MINUTE_US)
    body = pad.body(pad.lead, pad.proctor)
    done = kiosk.post(ACTS, json=body, headers=BEARER)
    assert (done.status_code, done.json["outcome"], done.json["lacks"]) == (200, "OK_OVERRIDE", "")
    assert done.json["told"]["room_label"] == "第1考场"
    again = kiosk.post(ACTS, json=body, headers=BEARER)
    assert (again.data, again.headers["X-Check-In"]) == (done.data, "OK_REPLAY")
    [act] = desk.rows("select * from check_in_act")
    assert (act["lane"], act["kiosk_id"], act["happened_at_us"]) == (
        "staff_at_kiosk",
        world.kiosk_id,
        world.clock.wall_us(),
    )
    assert (act["account_id"], act["second_account_id"]) == (
        world.site_lead_account_id,
        world.proctor_account_id,
    )
    assert '"pin_id"' in act["signatures"]
    assert "reason_sha256" in act["subject"]
    assert services.bus.current(room_topic(world.room_1)) == 1
    assert desk.findings() == []


@pytest.mark.parametrize("who", ["nobody", "lead", "proctor", "twice"])
def test_without_both_signatures_nothing_is_done_while_the_console_can_be_asked(
    kiosk: FlaskClient, world: World, desk: Desk, pad: Pad, who: str
) -> None:
    late_scan(desk, world)
    world.clock.sleep_us(42 * MINUTE_US)
    signers = {"nobody": [], "lead": [pad.lead], "proctor": [pad.proctor], "twice": [pad.lead, pad.lead]}[who]
    refused = kiosk.post(ACTS, json=pad.body(*signers), headers=BEARER)
    error = {
        "nobody": "not_allowed",
        "lead": "needs_second",
        "proctor": "not_allowed",
        "twice": "same_person",
    }
    assert (refused.status_code, refused.json["error"]) == (403, error[who])
    assert desk.rows("select * from check_in_act") == []


@pytest.mark.parametrize("what", ["reason", "act", "nonce", "candidate_id"])
def test_a_signature_is_good_for_exactly_what_was_signed(
    kiosk: FlaskClient, world: World, desk: Desk, pad: Pad, what: str
) -> None:
    late_scan(desk, world)
    changed = {"reason": "别的原因", "act": "provisional", "nonce": "kiosk-act-nonce-0002", "candidate_id": 1}
    body = {**pad.body(pad.lead, pad.proctor), what: changed[what]}
    assert kiosk.post(ACTS, json=body, headers=BEARER).json["error"] == "not_allowed"


def test_what_was_done_offline_is_kept_with_its_own_time_and_what_it_lacks(
    kiosk: FlaskClient, world: World, desk: Desk, pad: Pad
) -> None:
    late_scan(desk, world)
    world.clock.sleep_us(90 * MINUTE_US)
    fast = {"boot_id": "boot-0001", "sequence": 4, "clock_offset_us": SECOND_US, "clock_uncertainty_us": 0}
    body = pad.body(pad.lead, was_offline=True, kiosk=fast)
    done = kiosk.post(ACTS, json=body, headers=BEARER)
    assert (done.json["outcome"], done.json["lacks"]) == ("OK_PROVISIONAL", "needs_second")
    [act] = desk.rows("select happened_at_us, recorded_at_us from check_in_act")
    assert act["happened_at_us"] == START_US + 32 * MINUTE_US - SECOND_US
    assert act["recorded_at_us"] == world.clock.wall_us()


def test_a_pin_that_was_replaced_or_an_account_that_was_shut_may_nothing_any_more(
    kiosk: FlaskClient, world: World, desk: Desk, pad: Pad
) -> None:
    late_scan(desk, world)
    old = pad.body(pad.lead, pad.proctor, was_offline=True)
    given(world, world.site_lead_account_id, "112358")
    told = kiosk.post(ACTS, json=old, headers=BEARER).json
    assert (told["outcome"], told["lacks"]) == ("OK_PROVISIONAL", "not_allowed")
    [act] = desk.rows("select account_id from check_in_act")
    assert act["account_id"] == world.site_lead_account_id


def test_what_was_signed_before_an_account_was_shut_stays_signed(
    kiosk: FlaskClient, world: World, desk: Desk, pad: Pad
) -> None:
    late_scan(desk, world)
    body = pad.body(pad.lead, pad.proctor, was_offline=True)
    with world.exam.write() as connection:
        accounts.disable_account(connection, world.proctor_account_id, CLOCK_US + MINUTE_US)
    assert kiosk.post(ACTS, json=body, headers=BEARER).json["outcome"] == "OK_OVERRIDE"


def test_a_signature_that_proves_nobody_is_kept_as_nobodys(
    kiosk: FlaskClient, world: World, desk: Desk, pad: Pad
) -> None:
    late_scan(desk, world)
    pin_id, _ = pad.lead
    forged = pad.body((pin_id, pad.proctor[1]), was_offline=True)
    told = kiosk.post(ACTS, json=forged, headers=BEARER).json
    assert (told["outcome"], told["lacks"]) == ("OK_PROVISIONAL", "not_allowed")
    assert desk.rows("select account_id from check_in_act")[0][0] is None
    assert desk.findings() == []


@pytest.mark.parametrize(
    "changed",
    [
        {"signatures": [{"pin_id": 1, "signed_at_us": 1, "signature": "short"}]},
        {"happened_at_us": 0},
        {"second": {"login_name": "wangfang", "password": "x"}},
        {"was_offline": "yes"},
    ],
)
def test_an_act_that_is_not_exactly_right_is_refused(
    kiosk: FlaskClient, pad: Pad, changed: dict[str, Any]
) -> None:
    assert kiosk.post(ACTS, json={**pad.body(), **changed}, headers=BEARER).status_code == 400
    assert kiosk.post(ACTS, json=pad.body()).status_code == 401


def look(pad: Pad, by: tuple[int, PinKeys], person: Person, signed_at_us: int = CLOCK_US) -> dict[str, Any]:
    """What may be done about somebody, asked under this PIN."""
    pin_id, keys = by
    about = {"session_id": pad.world.session_id, "candidate_id": person.id}
    nonce = "kiosk-look-nonce-0001"
    signed = StaffAct(pin_id, pad.uuid, nonce, signed_at_us, LOOK, act_subject(about, ""))
    signature = base64.b64encode(keys.signing.sign(signed.message())).decode()
    told = {"pin_id": pin_id, "signed_at_us": signed_at_us, "signature": signature}
    return {**about, "nonce": nonce, "signature": told}


def test_whoever_signs_is_told_what_he_may_do(kiosk: FlaskClient, world: World, pad: Pad) -> None:
    told = kiosk.post(OFFERED, json=look(pad, pad.lead, world.on_time), headers=BEARER)
    assert told.status_code == 200
    assert [one["act"] for one in told.json["offers"]] == ["by_hand", "provisional"]
    assert told.json["against"] == told.json["refused"] == []
    assert world.on_time.ticket_no not in told.text


@pytest.mark.parametrize("what", ["stale", "of another PIN", "about somebody else"])
def test_a_question_is_answered_to_whoever_signs_it_now(
    kiosk: FlaskClient, world: World, pad: Pad, what: str
) -> None:
    body = look(pad, pad.lead, world.on_time)
    if what == "stale":
        world.clock.sleep_us(LOOK_FRESH_US + 1)
    elif what == "of another PIN":
        body["signature"]["pin_id"] = pad.proctor[0]
    else:
        body["candidate_id"] = world.late.id
    refused = kiosk.post(OFFERED, json=body, headers=BEARER)
    assert (refused.status_code, refused.json["error"]) == (403, "not_allowed")


def test_what_is_signed_leaves_out_what_is_empty() -> None:
    subject = act_subject({"session_id": 3, "room_id": None, "approval_no": ""}, " 原因 ")
    assert sorted(subject) == ["reason_sha256", "session_id"]
    assert subject["reason_sha256"] == act_subject({}, "原因")["reason_sha256"]
    act = StaffAct(1, "kiosk", "nonce-1", 5, "undo", subject)
    assert replace(act, subject={**subject, "session_id": 4}).message() != act.message()
