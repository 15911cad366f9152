"""Check-in on the console: acts with a second person, alarms, doubts that keep rooms open, photos."""

from collections.abc import Callable
from hashlib import sha256

import pytest
from flask import Flask

from evidence.check_in_pictures import Picture, PictureKind, PictureStore, record_picture
from exam.admission_facts import Provided
from exam.clock import MINUTE_US
from exam.outcomes import Outcome
from tests.evidence.check_ins import Desk
from tests.evidence.office import late_scan
from tests.web.console import PageClient, account_with, client_for
from tests.web.doubted import face, keep_photo, second_proctor
from tests.world import CLOCK_US, DURATION_US, PASSWORD, START_US, World, announce
from web.access import Role
from web.services import Services, room_topic

ACTS = "/check-in/acts"
SECOND = {"login_name": "wangfang", "password": PASSWORD}
JPEG = b"\xff\xd8\xff\xe0" + b"a face" * 100
DIGEST = sha256(JPEG).hexdigest()


def act(kind: str, **changed: object) -> dict[str, object]:
    return {"nonce": f"act-nonce-{kind:_>12}", "act": kind, "reason": "已核对", **changed}


def test_late_entry_asks_for_a_second_person_and_then_lets_him_in(
    site_lead: PageClient, world: World, desk: Desk, services: Services
) -> None:
    late_scan(desk, world)
    world.clock.sleep_us(42 * MINUTE_US)
    body = act("override", attempt_id=1)
    alone = site_lead.post(ACTS, json=body)
    assert (alone.status_code, alone.json["error"]) == (403, "needs_second")
    assert "第二人" in alone.json["advice"]
    wrong = site_lead.post(ACTS, json={**body, "second": {**SECOND, "password": "guess"}})
    assert (wrong.status_code, wrong.json["error"]) == (403, "second_unknown")
    himself = site_lead.post(ACTS, json={**body, "second": {**SECOND, "login_name": "liqiang"}})
    assert himself.json["error"] == "same_person"
    done = site_lead.post(ACTS, json={**body, "second": SECOND})
    assert (done.status_code, done.json["outcome"]) == (200, "OK_OVERRIDE")
    assert site_lead.post(ACTS, json=body).data == done.data
    assert len(desk.standing()) == 1
    assert services.bus.current(room_topic(world.room_1)) == 1


def test_a_second_person_who_guesses_is_slowed_down(site_lead: PageClient, world: World, desk: Desk) -> None:
    late_scan(desk, world)
    body = act("override", attempt_id=1, second={**SECOND, "password": "guess"})
    told = [site_lead.post(ACTS, json=body).json["advice"] for _ in range(7)]
    assert any("之后再试" in words for words in told)


def test_refusals_say_what_is_missing_and_what_stands_in_the_way(
    site_lead: PageClient, proctor: PageClient, world: World
) -> None:
    silent = site_lead.post(ACTS, json=act("redirect", reason=" "))
    assert (silent.status_code, silent.json["error"]) == (400, "no_reason")
    nobody = site_lead.post(ACTS, json=act("exit", session_id=world.session_id, candidate_id=999))
    assert (nobody.status_code, nobody.json["error"]) == (409, "nobody")
    refused = proctor.post(ACTS, json=act("void_ticket", candidate_id=world.on_time.id))
    assert (refused.status_code, refused.json["error"]) == (403, "not_allowed")


@pytest.mark.parametrize(
    "changed",
    [
        {"act": "pardon"},
        {"reason": "x" * 201},
        {"surprise": 1},
        {"candidate_id": 10**30},
        {
            "walk_in": {
                "name": "吴增补",
                "document_type": "id_card",
                "id_number": "990101199003070000",
                "ticket_no": "W-1",
            }
        },
        {
            "walk_in": {
                "name": "吴增补",
                "document_type": "passport",
                "id_number": "E12345678",
                "ticket_no": "!",
            }
        },
    ],
)
def test_an_act_that_is_not_exactly_right_is_refused(
    site_lead: PageClient, changed: dict[str, object]
) -> None:
    assert site_lead.post(ACTS, json={**act("walk_in"), **changed}).status_code == 400


def test_a_walk_in_with_a_passport_gets_a_seat(site_lead: PageClient, world: World, desk: Desk) -> None:
    walk_in = {"name": "吴增补", "document_type": "passport", "id_number": "e12345678", "ticket_no": "w-1"}
    body = act(
        "walk_in",
        session_id=world.session_id,
        place_id=world.late.place_id + 5,
        approval_no="渝7号",
        walk_in=walk_in,
    )
    done = site_lead.post(ACTS, json=body)
    assert (done.status_code, done.json["outcome"]) == (200, "OK_WALK_IN")
    assert desk.rows("select ticket_no from candidate order by id desc limit 1")[0][0] == "W-1"


def test_alarms_are_shown_to_the_lead_and_to_their_own_room(
    app: Flask, site_lead: PageClient, proctor: PageClient, world: World, desk: Desk
) -> None:
    desk.ask(world.on_time, declared=frozenset({Outcome.FACE_DOUBT}), provided=Provided(DIGEST))
    desk.ask(world.other_room, declared=frozenset({Outcome.FACE_DOUBT}))
    assert len(site_lead.get("/check-in/alarms").json["alarms"]) == 2
    [mine] = proctor.get("/check-in/alarms").json["alarms"]
    assert (mine["kind"], mine["title"], mine["candidate_name"]) == ("face_doubt", "本人与照片不像", "陈一诺")
    assert (mine["room_label"], mine["place_label"], mine["photos"]) == ("第1考场", "1", [DIGEST])
    seen = proctor.post(f"/check-in/alarms/{mine['id']}/seen", json={"note": "已核对"})
    assert seen.json == {"is_first": True}
    assert proctor.get("/check-in/alarms").json["alarms"] == []
    [told] = proctor.get("/check-in/alarms?seen=1").json["alarms"]
    assert told["seen"]["by"] == "王芳"
    other = site_lead.get("/check-in/alarms").json["alarms"][0]["id"]
    assert proctor.post(f"/check-in/alarms/{other}/seen", json={}).status_code == 403
    assert site_lead.post("/check-in/alarms/999/seen", json={}).status_code == 404
    stranger = client_for(app, world, account_with(world, Role.PROCTOR))
    assert stranger.get("/check-in/alarms").json["alarms"] == []
    patrol = client_for(app, world, account_with(world, Role.INSPECTOR))
    assert len(patrol.get("/check-in/alarms").json["alarms"]) == 1


def test_a_doubt_keeps_the_room_from_closing_until_two_have_looked_and_the_lead_has_decided(
    app: Flask, site_lead: PageClient, proctor: PageClient, world: World, desk: Desk
) -> None:
    let_in = act("provisional", session_id=world.session_id, candidate_id=world.on_time.id, doubt="NO_ID")
    assert site_lead.post(ACTS, json={**let_in, "documents_held": False}).json["outcome"] == "OK_PROVISIONAL"
    announce(world, "C5", START_US)
    announce(world, "C8", START_US + DURATION_US)
    world.clock.sleep_us(START_US + DURATION_US + 5 * MINUTE_US - CLOCK_US)
    close = f"/api/sessions/{world.session_id}/rooms/R01/confirmations"
    blocked = proctor.post(close, json={"cue": "C9"})
    assert (blocked.status_code, blocked.json["error"]) == (409, "open_cases")
    assert "1件存疑" in blocked.json["advice"]
    assert blocked.json["see"] == {"address": "/doubts", "words": "查看存疑"}
    [case] = proctor.get("/check-in/cases?open=1").json["cases"]
    assert (case["reason"], case["reason_words"], case["candidate_name"]) == (
        "NO_ID",
        "未带身份证件",
        "陈一诺",
    )
    steps = f"/check-in/cases/{case['id']}/steps"
    look = {"step": "looked", "finding": "same"}
    decision = {"step": "decided", "finding": "confirmed", "reason": "已补交身份证"}
    assert site_lead.post(steps, json=decision).json["error"] == "needs_looks"
    assert proctor.post(steps, json=look).json["looks"] == 1
    again = proctor.post(steps, json=look)
    assert (again.status_code, again.json["error"]) == (403, "same_person")
    other = client_for(app, world, second_proctor(world))
    assert other.post(steps, json=look).json["looks"] == 2
    decided = site_lead.post(steps, json=decision)
    assert (decided.status_code, decided.json["is_open"]) == (200, False)
    assert [step["finding_words"] for step in decided.json["steps"]] == ["是同一人", "是同一人", "身份确认"]
    assert proctor.get("/check-in/cases?open=1").json["cases"] == []
    assert proctor.post(close, json={"cue": "C9"}).status_code == 200
    assert desk.findings() == []


def test_another_person_signs_with_an_own_password_on_the_same_tablet(
    proctor: PageClient, world: World, desk: Desk
) -> None:
    desk.ask(world.on_time, declared=frozenset({Outcome.FACE_DOUBT}))
    decision = {"step": "decided", "finding": "confirmed", "reason": "已核对"}
    steps, lead = "/check-in/cases/1/steps", {"login_name": "liqiang", "password": PASSWORD}
    assert proctor.post(steps, json=decision).json["error"] == "not_site_lead"
    wrong = proctor.post(steps, json={**decision, "signer": {**lead, "password": "guess"}})
    assert (wrong.status_code, wrong.json["error"]) == (403, "signer_unknown")
    decided = proctor.post(steps, json={**decision, "signer": lead})
    assert [one["by"] for one in decided.json["steps"]] == ["李强"]


def test_other_steps_of_the_room_do_not_wait_for_doubts(
    proctor: PageClient, world: World, desk: Desk
) -> None:
    desk.ask(world.on_time, declared=frozenset({Outcome.FACE_DOUBT}))
    close = f"/api/sessions/{world.session_id}/rooms/R01/confirmations"
    assert proctor.post(close, json={"cue": "C1"}).status_code == 200


def test_a_proctor_opens_a_doubt_at_the_seat_of_the_own_room(
    proctor: PageClient, site_lead: PageClient, world: World, desk: Desk
) -> None:
    desk.ask(world.on_time)
    seen = {"session_id": world.session_id, "candidate_id": world.on_time.id, "reason": "FACE_DOUBT"}
    opened = proctor.post("/check-in/cases", json={**seen, "documents_held": True, "photos": [DIGEST]})
    assert opened.status_code == 201
    [case] = site_lead.get("/check-in/cases").json["cases"]
    assert (case["id"], case["is_inside"], case["documents_held"]) == (opened.json["case_id"], True, True)
    elsewhere = {**seen, "candidate_id": world.other_room.id}
    assert proctor.post("/check-in/cases", json=elsewhere).status_code == 403
    assert proctor.post("/check-in/cases", json={**seen, "candidate_id": 999}).json["error"] == "nobody"
    assert proctor.post("/check-in/cases", json={**seen, "reason": "TOO_EARLY"}).status_code == 400
    steps = {"step": "looked", "finding": "same"}
    assert proctor.post("/check-in/cases/999/steps", json=steps).status_code == 404
    site_lead.post("/check-in/cases", json=elsewhere)
    assert proctor.post("/check-in/cases/2/steps", json=steps).status_code == 403


def test_photos_are_for_the_lead_and_the_room_of_the_candidate(
    as_role: Callable[[Role], PageClient],
    site_lead: PageClient,
    proctor: PageClient,
    world: World,
    desk: Desk,
) -> None:
    store = PictureStore(world.folder / "check_in", world.vault)
    photo = Picture(PictureKind.PHOTO, "image/jpeg", DIGEST, JPEG)
    cipher = store.write(photo)
    with world.exam.write() as connection:
        record_picture(connection, photo, cipher, world.kiosk_id, CLOCK_US)
    address = f"/check-in/pictures/{DIGEST}"
    assert proctor.get(address).status_code == 403
    desk.ask(world.on_time, provided=Provided(DIGEST))
    shown = proctor.get(address)
    assert (shown.data, shown.mimetype, shown.headers["Cache-Control"]) == (
        JPEG,
        "image/jpeg",
        "private, no-store",
    )
    assert site_lead.get(address).status_code == 200
    looks = desk.rows("select account_id from check_in_picture_view")
    assert [row["account_id"] for row in looks] == [world.proctor_account_id, world.site_lead_account_id]
    assert as_role(Role.PROCTOR).get(address).status_code == 403
    assert as_role(Role.ADMINISTRATOR).get(address).status_code == 403
    assert site_lead.get(f"/check-in/pictures/{'0' * 64}").status_code == 404
    assert site_lead.get("/check-in/pictures/nothing").status_code == 404


def test_a_photo_of_a_doubt_alone_opens_for_the_room_that_signs(
    as_role: Callable[[Role], PageClient],
    site_lead: PageClient,
    proctor: PageClient,
    world: World,
    desk: Desk,
) -> None:
    taken_at_the_seat, elsewhere = (keep_photo(world, face(number)) for number in (1, 2))
    seen = {"session_id": world.session_id, "candidate_id": world.on_time.id, "reason": "FACE_DOUBT"}
    assert site_lead.post("/check-in/cases", json={**seen, "photos": [taken_at_the_seat]}).status_code == 201
    assert proctor.get(f"/check-in/pictures/{taken_at_the_seat}").status_code == 200
    assert as_role(Role.PROCTOR).get(f"/check-in/pictures/{taken_at_the_seat}").status_code == 403
    [look] = desk.rows("select account_id from check_in_picture_view")
    assert look["account_id"] == world.proctor_account_id
    # Whoever names a picture of another room does not open it by that.
    desk.ask(world.other_room, provided=Provided(elsewhere))
    assert proctor.post("/check-in/cases", json={**seen, "photos": [elsewhere]}).status_code == 403
    by_hand = act("by_hand", session_id=world.session_id, candidate_id=world.on_time.id)
    named = {**by_hand, "provided": {"photo_sha256": elsewhere}}
    assert proctor.post(ACTS, json=named).status_code == 403
    assert proctor.get(f"/check-in/pictures/{elsewhere}").status_code == 403
