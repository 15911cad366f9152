"""In touch with the console: clocks, service, revocation, packages, and scans that wait."""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from evidence.kiosk_key import make_key
from exam.admission_facts import TicketProof
from exam.clock import MINUTE_US, SECOND_US
from exam.enrolment import roll_message
from exam.kiosk_health import Part, PartState
from exam.outcomes import Outcome
from exam.self_test import Standing
from kiosk.bringing import SCAN_NOT_TAKEN, SCAN_UNOPENED
from kiosk.scan import Scan
from tests.evidence.rostered import secrets_for
from tests.kiosk.rostered_kiosk import Rostered, rostered
from tests.kiosk.stage import FORM
from tests.world import CLOCK_US, World

PARTS = {Part.CAMERA: PartState.LOST}


@pytest.fixture
def kiosk(world: World, tmp_path: Path) -> Iterator[Rostered]:
    made = rostered(world, tmp_path / "kiosk")
    yield made
    made.local.close()


def turn(kiosk: Rostered) -> tuple[Outcome, ...]:
    return kiosk.local.contact.turn(PARTS).reasons


def test_the_first_turn_reports_and_fetches_all_that_is_needed_to_work_alone(kiosk: Rostered) -> None:
    told = kiosk.local.contact.turn(PARTS)
    assert (told.is_heard, told.is_alone, told.reasons, told.ticket_forms) == (True, False, (), (FORM,))
    assert kiosk.console.fetched == ["keys", "roster", "day"]
    turn(kiosk)
    assert kiosk.console.fetched == ["keys", "roster", "day"]
    report = kiosk.console.reports[-1]
    assert (report.roster_revision, report.queue_length, report.parts) == (1, 0, PARTS)
    assert not report.is_out_of_service


def test_only_what_changed_is_fetched_again(kiosk: Rostered, world: World) -> None:
    turn(kiosk)
    packages = kiosk.console.packages
    kiosk.publish(revision=2)
    kiosk.console.packages["roster"] = packages["roster"]
    kiosk.console.fetched.clear()
    turn(kiosk)
    assert kiosk.console.fetched == ["day"]
    assert world.kiosk_id == kiosk.local.contact.packages.alone.kiosk_id  # type: ignore[union-attr]


def test_with_another_secret_keys_and_packages_come_anew(kiosk: Rostered, world: World) -> None:
    turn(kiosk)
    kiosk.keys = secrets_for(world)
    kiosk.publish(revision=2)
    kiosk.console.fetched.clear()
    turn(kiosk)
    assert kiosk.console.fetched == ["keys", "roster", "day"]
    kiosk.restart()
    assert kiosk.local.contact.packages.revision == 2


def test_a_kiosk_that_comes_to_another_site_judges_with_nothing_of_the_old_one(kiosk: Rostered) -> None:
    turn(kiosk)
    kiosk.console.keys_told = replace(kiosk.keys, secret_id=99, verify_key=b"k" * 32).to_dict()
    kiosk.console.secret = 99
    turn(kiosk)
    assert kiosk.local.contact.packages.alone is None


def test_a_package_that_cannot_be_believed_leaves_the_old_one_in_use(kiosk: Rostered) -> None:
    turn(kiosk)
    kiosk.console.packages = {
        name: (content[:-9], f"9-{kiosk.keys.secret_id}")
        for name, (content, _) in kiosk.console.packages.items()
    }
    told = kiosk.local.contact.turn(PARTS)
    assert (told.is_heard, kiosk.local.contact.packages.revision) == (True, 1)
    forged = f"KZ1.{'A' * 99}.{'A' * 96}"
    assert kiosk.local.contact.packages.shown(forged).proof is TicketProof.FAILED  # type: ignore[union-attr]
    kiosk.publish(revision=2)
    turn(kiosk)
    assert kiosk.local.contact.packages.revision == 2


def test_a_kiosk_that_got_half_of_what_it_needs_does_not_judge_alone(kiosk: Rostered) -> None:
    day = kiosk.console.packages.pop("day")
    turn(kiosk)
    kiosk.restart()
    assert kiosk.local.contact.packages.alone is None
    kiosk.console.packages["day"] = day
    turn(kiosk)
    assert kiosk.local.contact.packages.revision == 1


def test_a_package_that_is_the_present_one_again_is_not_sent_again(kiosk: Rostered) -> None:
    turn(kiosk)
    present = kiosk.console.packages["roster"]

    def same(name: str, tag: str) -> None:
        assert (name, tag) == ("roster", present[1])

    kiosk.console.packages["roster"] = (present[0], f"2-{kiosk.keys.secret_id}")
    kiosk.console.package = same  # type: ignore[method-assign, assignment]
    assert kiosk.local.contact.turn(PARTS).is_heard
    assert kiosk.local.contact.packages.revision == 1


def test_packages_that_are_not_ready_do_not_make_the_console_lost(kiosk: Rostered) -> None:
    kiosk.console.packages = {}
    assert kiosk.local.contact.turn(PARTS).is_heard
    kiosk.console.keys_told = {"kiosk": "?"}
    kiosk.console.secret = 99
    assert kiosk.local.contact.turn(PARTS).is_heard
    assert kiosk.local.contact.packages.alone is None


def test_a_restart_without_the_console_goes_on_with_what_was_kept(kiosk: Rostered, world: World) -> None:
    turn(kiosk)
    kiosk.console.is_away = True
    kiosk.restart()
    told = kiosk.local.contact.turn(PARTS)
    assert (told.is_heard, told.ticket_forms) == (False, kiosk.local.contact.packages.alone.ticket_forms)  # type: ignore[union-attr]
    scan = Scan(world.on_time.ticket_no, world.on_time.id_number)
    assert kiosk.local.asker.ask(scan).answer.outcome == "OK_OFFLINE"


def test_damaged_keys_or_packages_count_as_missing_and_are_fetched_again(kiosk: Rostered) -> None:
    turn(kiosk)
    (kiosk.folder / "keys" / "kiosk.secrets").write_text("[]")
    kiosk.restart()
    assert kiosk.local.contact.packages.alone is None
    turn(kiosk)
    assert kiosk.local.contact.packages.revision == 1


def test_the_age_of_the_roster_counts_from_when_the_console_last_called_it_the_present_one(
    kiosk: Rostered,
) -> None:
    turn(kiosk)
    age_us = kiosk.local.contact.packages.policy.roster_age_us
    kiosk.clock.sleep_us(age_us)
    turn(kiosk)
    kiosk.console.is_away = True
    kiosk.local.contact.lost()
    kiosk.clock.sleep_us(age_us)
    assert turn(kiosk) == ()
    kiosk.restart()
    kiosk.local.contact.lost()
    assert turn(kiosk) == ()
    kiosk.clock.sleep_us(1)
    assert turn(kiosk) == (Outcome.SYS_STALE_ROSTER,)
    kiosk.console.is_away = False
    assert turn(kiosk) == ()


def test_a_clock_that_is_off_is_known_also_after_a_restart_and_corrected(kiosk: Rostered) -> None:
    kiosk.console.time_us = CLOCK_US - 3 * SECOND_US
    assert turn(kiosk) == ()
    kiosk.restart()
    assert kiosk.local.contact.now_us == CLOCK_US - 3 * SECOND_US
    assert kiosk.local.contact.said(1)["clock_offset_us"] == 3 * SECOND_US


def test_a_clock_that_is_too_far_off_stops_the_kiosk(kiosk: Rostered) -> None:
    kiosk.console.time_us = CLOCK_US - MINUTE_US
    assert turn(kiosk) == (Outcome.SYS_CLOCK,)
    turn(kiosk)
    assert kiosk.console.reports[-1].is_out_of_service
    kiosk.console.time_us = CLOCK_US
    assert turn(kiosk) == ()


def test_a_kiosk_that_never_heard_its_console_trusts_nothing(kiosk: Rostered) -> None:
    kiosk.console.is_away = True
    assert turn(kiosk) == ()  # one missed heartbeat may be chance
    assert turn(kiosk) == (Outcome.SYS_CLOCK, Outcome.SYS_STALE_ROSTER)


def test_out_of_service_survives_a_restart_and_a_lost_console(kiosk: Rostered) -> None:
    turn(kiosk)
    kiosk.console.out_of_service = True
    assert turn(kiosk) == (Outcome.SYS_OUT,)
    kiosk.console.is_away = True
    kiosk.restart()
    assert turn(kiosk) == (Outcome.SYS_OUT,)
    kiosk.console.is_away = kiosk.console.out_of_service = False
    assert turn(kiosk) == ()


def test_a_disk_that_is_full_or_gone_stops_the_kiosk(kiosk: Rostered) -> None:
    turn(kiosk)
    kiosk.local.contact.free = lambda _: 0
    assert turn(kiosk) == (Outcome.SYS_DISK,)

    def gone(_: Path) -> int:
        raise OSError

    kiosk.local.contact.free = gone
    assert turn(kiosk) == (Outcome.SYS_DISK,)


def test_a_database_that_breaks_is_said_and_survived(
    kiosk: Rostered, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> None:
        raise sqlite3.OperationalError("disk I/O error")

    turn(kiosk)
    outbox = kiosk.local.contact._outbox
    outbox.counts = broken  # type: ignore[method-assign, assignment]
    assert turn(kiosk) == ()
    printed = capsys.readouterr().out
    assert "kiosk.db or a key cannot be written" in printed
    assert "kiosk.db cannot be read" in printed


def test_a_revoked_kiosk_wipes_what_opens_the_roster_and_keeps_its_scans(
    kiosk: Rostered, world: World
) -> None:
    turn(kiosk)
    keys = kiosk.folder / "keys"
    (keys / "kiosk.token").write_text("token")
    (keys / "kiosk.key").write_bytes(b"key")
    kiosk.local.contact.lost()
    scan = Scan(world.on_time.ticket_no, world.on_time.id_number)
    kiosk.local.asker.ask(scan)
    kiosk.console.has_revoked = True
    assert turn(kiosk)[0] is Outcome.SYS_REVOKED
    assert turn(kiosk)[0] is Outcome.SYS_REVOKED
    assert sorted(path.name for path in keys.iterdir()) == ["kiosk.outbox"]
    kiosk.restart()
    assert kiosk.local.contact.packages.alone is None
    assert kiosk.local.contact.told.counts.waiting == 1
    assert kiosk.local.asker.ask(scan).answer.outcome == "SYS_REVOKED"
    kiosk.console.has_revoked = False  # people have enrolled it again
    assert turn(kiosk) == ()
    assert [asked["decided"]["outcome"] for asked in kiosk.console.asked] == ["OK_OFFLINE"]
    assert kiosk.local.contact.packages.revision == 1


def test_a_scan_that_the_console_will_not_have_goes_to_a_person_and_stops_no_other(
    kiosk: Rostered, world: World
) -> None:
    turn(kiosk)
    kiosk.local.contact.lost()
    for person in (world.on_time, world.late):
        kiosk.local.asker.ask(Scan(person.ticket_no, person.id_number))
    kiosk.console.refuses = True
    turn(kiosk)
    assert len(kiosk.console.asked) == 2
    counts = kiosk.local.contact.told.counts
    assert (counts.waiting, counts.needs_human) == (2, 2)
    with kiosk.local.store.database.read() as connection:
        assert [row[0] for row in connection.execute("select problem from scan")] == [SCAN_NOT_TAKEN] * 2


def test_a_scan_that_fails_is_passed_over_and_tried_again(kiosk: Rostered, world: World) -> None:
    turn(kiosk)
    kiosk.local.contact.lost()
    for person in (world.on_time, world.late):
        kiosk.local.asker.ask(Scan(person.ticket_no, person.id_number))
    kiosk.console.is_failing = True
    assert not kiosk.local.contact.turn(PARTS).is_alone  # the console is there all the same
    assert (len(kiosk.console.asked), kiosk.local.contact.told.counts.waiting) == (2, 2)
    kiosk.console.is_failing = False
    turn(kiosk)
    assert (len(kiosk.console.asked), kiosk.local.contact.told.counts.waiting) == (4, 0)


def test_a_console_lost_in_the_middle_of_the_upload_gets_the_rest_later(
    kiosk: Rostered, world: World
) -> None:
    turn(kiosk)
    kiosk.local.contact.lost()
    for person in (world.on_time, world.late):
        kiosk.local.asker.ask(Scan(person.ticket_no, person.id_number))
    kiosk.console.lost = 1  # it may have arrived
    told = kiosk.local.contact.turn(PARTS)
    assert (told.is_heard, told.is_alone, told.counts.waiting) == (False, True, 2)
    kiosk.local.contact.turn(PARTS)
    nonces = [asked["nonce"] for asked in kiosk.console.asked]
    assert nonces == [nonces[0], nonces[0], nonces[2]]
    assert len(set(nonces)) == 2


def test_scans_under_a_key_that_is_gone_are_kept_for_a_person(kiosk: Rostered, world: World) -> None:
    turn(kiosk)
    kiosk.local.contact.lost()
    kiosk.local.asker.ask(Scan(world.on_time.ticket_no, world.on_time.id_number))
    (kiosk.folder / "keys" / "kiosk.outbox").unlink()
    kiosk.restart()
    told = kiosk.local.contact.turn(PARTS)
    assert (told.counts.needs_human, kiosk.console.asked) == (1, [])
    with kiosk.local.store.database.read() as connection:
        assert connection.execute("select problem from scan").fetchone()[0] == SCAN_UNOPENED


def test_a_console_without_a_secret_yet_is_asked_for_one(kiosk: Rostered) -> None:
    kiosk.console.secret = None
    turn(kiosk)
    assert kiosk.local.contact.packages.revision == 1
    assert json.loads((kiosk.folder / "keys" / "kiosk.secrets").read_text())["secret"] == kiosk.keys.secret_id


def test_people_may_want_another_token_and_only_the_holder_of_the_key_gets_it(kiosk: Rostered) -> None:
    token_file, key_file = kiosk.folder / "keys" / "kiosk.token", kiosk.folder / "keys" / "kiosk.key"
    turn(kiosk)
    token_file.write_text("old-token\n")
    kiosk.console.token = "new-token"
    turn(kiosk)
    assert (token_file.read_text(), kiosk.console.rolled) == ("old-token\n", [])
    key = make_key(key_file)
    kiosk.console.is_failing = True
    assert kiosk.local.contact.turn(PARTS).is_heard
    assert token_file.read_text() == "old-token\n"
    kiosk.console.is_failing = False
    turn(kiosk)
    assert token_file.read_text() == "new-token\n"
    asked_at_us, signature = kiosk.console.rolled[-1]
    signed = roll_message(kiosk.keys.kiosk_uuid, "old-token", asked_at_us)
    key.public_key().verify(signature, signed)


def test_before_it_knows_its_own_name_a_kiosk_asks_for_no_token(kiosk: Rostered) -> None:
    kiosk.console.token, kiosk.console.keys_told = "new-token", {}
    turn(kiosk)
    assert kiosk.console.rolled == []


def test_a_kiosk_that_is_whole_tests_itself_and_says_so(kiosk: Rostered) -> None:
    told = kiosk.local.contact.turn({Part.CAMERA: PartState.OK})
    assert told.self_test is Standing.PASSED
    assert len(kiosk.console.self_tests) == 1
