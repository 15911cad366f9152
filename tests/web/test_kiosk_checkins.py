"""The whole interface of check-in: uploads, what became of a request, photos by digest."""

import logging
from hashlib import sha256
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from config.settings import Settings
from exam.clock import MINUTE_US
from tests.web.console import console_over
from tests.world import CLOCK_US, KIOSK_TOKEN, START_US, Person, World, announce
from web.services import FootageReader, Services, open_services, room_topic

CHECKINS = "/api/kiosk/v1/checkins"
BEARER = {"Authorization": f"Bearer {KIOSK_TOKEN}"}
JPEG = b"\xff\xd8\xff\xe0" + b"a face" * 100
DIGEST = sha256(JPEG).hexdigest()


def scan(person: Person, nonce: str = "nonce-0000000001", **changed: object) -> dict[str, object]:
    return {
        "nonce": nonce,
        "scanned_at_us": CLOCK_US,
        "ticket_no": person.ticket_no,
        "id_number": person.id_number,
        **changed,
    }


def said(**changed: object) -> dict[str, object]:
    return {
        "boot_id": "0f2a-boot",
        "sequence": 12,
        "clock_offset_us": -1500,
        "clock_uncertainty_us": 2000,
        "roster_revision": 3,
        **changed,
    }


def post(kiosk: FlaskClient, body: object, code: int = 200) -> dict[str, object]:
    answer = kiosk.post(CHECKINS, json=body, headers=BEARER)
    assert answer.status_code == code, answer.get_data(as_text=True)
    told: dict[str, object] = answer.json or {}
    return told


def row(world: World) -> dict[str, object]:
    with world.exam.read() as connection:
        found = connection.execute(
            "select * from checkin_attempt join checkin_circumstance on attempt_id = id order by id desc"
        ).fetchone()
        return dict(found)


def test_everything_a_kiosk_says_is_on_record(kiosk: FlaskClient, world: World) -> None:
    post(
        kiosk,
        scan(
            world.on_time,
            lane="staff_at_kiosk",
            kiosk=said(),
            read={"document_type": "id_card", "name": "陈一诺", "valid_until": "2036-01-31"},
            ticket_proof="signed",
            tries=1,
            provided={"photo_sha256": DIGEST, "bag_no": "07", "notice_version": "2026-1"},
        ),
    )
    kept = row(world)
    assert (kept["outcome"], kept["decided_by"], kept["lane"]) == ("OK_ADMITTED", "server", "staff_at_kiosk")
    assert (kept["boot_id"], kept["sequence"], kept["clock_offset_us"]) == ("0f2a-boot", 12, -1500)
    assert (kept["roster_revision"], kept["ticket_proof"], kept["tries"]) == (3, "signed", 1)
    assert (kept["read_document_type"], kept["read_valid_until"], kept["read_name"]) == (
        "id_card",
        "2036-01-31",
        "",
    )
    assert (kept["photo_sha256"], kept["bag_no"], kept["notice_version"]) == (DIGEST, "07", "2026-1")
    assert str(kept["rules_version"]).startswith("2-")


def test_an_upload_is_settled_at_its_own_moment_and_wakes_the_room(
    kiosk: FlaskClient, world: World, services: Services
) -> None:
    announce(world, "C5", START_US)
    world.clock.sleep_us(60 * MINUTE_US)
    told = post(
        kiosk,
        scan(
            world.late,
            scanned_at_us=START_US + 5 * MINUTE_US - 1500,
            kiosk=said(),
            decided={"outcome": "OK_LATE", "place_id": world.late.place_id},
        ),
    )
    assert (told["outcome"], told["admitted"]) == ("OK_LATE", True)
    assert row(world)["corrected_at_us"] == START_US + 5 * MINUTE_US
    assert services.bus.current(room_topic(world.room_1)) == 1


def test_a_code_of_a_newer_kiosk_is_a_referral_and_not_lost(kiosk: FlaskClient, world: World) -> None:
    told = post(kiosk, scan(world.on_time, kiosk=said(), decided={"outcome": "OK_FROM_TOMORROW"}))
    assert told["outcome"] == "NOT_JUDGED"


def test_a_forged_ticket_and_a_ticket_of_another_site_are_told_to_us(
    kiosk: FlaskClient, world: World
) -> None:
    assert post(kiosk, scan(world.on_time, ticket_proof="failed"))["outcome"] == "TICKET_FORGED"
    elsewhere = post(kiosk, scan(world.on_time, "nonce-0000000002", ticket_site="青山第二考点"))
    assert elsewhere["outcome"] == "WRONG_SITE"
    assert "青山第二考点" in str(elsewhere["line"])


def test_declared_problems_lead_to_people(kiosk: FlaskClient, world: World) -> None:
    told = post(kiosk, scan(world.on_time, id_number=None, declared=["NO_ID"]))
    assert (told["outcome"], told["kind"]) == ("NO_ID", "H")


@pytest.mark.parametrize(
    "changed",
    [
        {"declared": ["OK_ADMITTED"]},
        {"declared": ["NOBODY_KNOWS_THIS"]},
        {"declared": ["no_id"]},
        {"lane": "window"},
        {"kiosk": {"boot_id": "x" * 12}},
        {"kiosk": {"boot_id": "x" * 12, "sequence": -1}},
        {"read": {"valid_until": "31.01.2036"}},
        {"read": {"document_type": "library_card"}},
        {"provided": {"photo_sha256": "short"}},
        {"decided": {"outcome": "ok"}},
        {"tries": -1},
        {"tries": "1"},
        {"scanned_at_us": 2**60},
    ],
)
def test_whatever_is_not_exactly_right_is_refused_and_not_repeated(
    kiosk: FlaskClient, world: World, changed: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        answer = kiosk.post(CHECKINS, json=scan(world.on_time, **changed), headers=BEARER)
    assert answer.status_code == 400
    assert world.on_time.id_number not in answer.get_data(as_text=True) + caplog.text


def test_a_flood_is_refused_before_it_is_read(kiosk: FlaskClient, world: World) -> None:
    post(kiosk, scan(world.on_time, surprise="x" * 40_000), 413)


def test_what_became_of_a_request_can_be_asked(kiosk: FlaskClient, world: World) -> None:
    address = "/api/kiosk/v1/attempts/nonce-0000000001"
    assert kiosk.get(address, headers=BEARER).status_code == 404
    first = kiosk.post(CHECKINS, json=scan(world.on_time), headers=BEARER)
    again = kiosk.get(address, headers=BEARER)
    assert (again.data, again.headers["X-Check-In"]) == (first.data, "OK_REPLAY")
    assert "X-Check-In" not in first.headers
    assert kiosk.post(CHECKINS, json=scan(world.on_time), headers=BEARER).headers["X-Check-In"] == "OK_REPLAY"
    assert kiosk.get(address).status_code == 401


def test_a_photo_is_kept_once_and_by_its_digest(kiosk: FlaskClient, world: World) -> None:
    address = f"/api/kiosk/v1/pictures/photo/{DIGEST}"
    headers = {**BEARER, "Content-Type": "image/jpeg"}
    first = kiosk.post(address, data=JPEG, headers=headers)
    again = kiosk.post(address, data=JPEG, headers=headers)
    assert (first.status_code, first.json) == (201, {"sha256": DIGEST, "is_new": True})
    assert (again.status_code, again.json) == (200, {"sha256": DIGEST, "is_new": False})
    assert len(list((world.folder / "check_in").rglob("*.enc"))) == 1


@pytest.mark.parametrize(
    ("kind", "digest", "content", "media_type", "code", "error"),
    [
        ("photo", DIGEST, JPEG + b"x", "image/jpeg", 400, "wrong_digest"),
        ("photo", DIGEST, JPEG, "text/html", 400, "wrong_type"),
        ("photo", DIGEST, b"", "image/jpeg", 400, "empty"),
        ("signature", DIGEST, bytes(600_000), "image/png", 413, "too_large"),
        ("selfie", DIGEST, JPEG, "image/jpeg", 404, None),
    ],
)
def test_what_is_no_photo_is_refused_with_its_reason(
    kiosk: FlaskClient, kind: str, digest: str, content: bytes, media_type: str, code: int, error: str | None
) -> None:
    answer = kiosk.post(
        f"/api/kiosk/v1/pictures/{kind}/{digest}",
        data=content,
        headers={**BEARER, "Content-Type": media_type},
    )
    assert answer.status_code == code
    if error is not None:
        assert (answer.json or {})["error"] == error


def test_the_sites_own_policy_judges_and_a_broken_one_stops_the_start(world: World, tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text('steps = ["photo"]\n', encoding="utf-8")
    settings = Settings(data_folder=world.folder, admission_policy=path)
    services = Services(settings, world.clock, world.exam, FootageReader(settings.footage_db), world.vault)
    app = console_over(services)
    client = FlaskClient(app, app.response_class, use_cookies=False)
    told = post(client, scan(world.on_time))
    assert (told["outcome"], told["needs"]) == ("NEED_PHOTO", ["NEED_PHOTO"])
    broken = tmp_path / "broken.toml"
    broken.write_text("tries = 0\n", encoding="utf-8")
    with pytest.raises(Exception, match="tries"):
        open_services(Settings(data_folder=world.folder, admission_policy=broken), world.clock)
