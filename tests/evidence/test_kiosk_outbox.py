"""Scans on their way to the console: kept before anybody is asked, sealed, counted, never deleted."""

import sqlite3
from pathlib import Path

import pytest

from evidence.kiosk_act_box import LetIn
from evidence.kiosk_outbox import AsideScan, Counts, NewScan, Outbox, OutboxKeyError
from evidence.kiosk_store import KioskStore
from exam.answers import Answer
from exam.roster_facts import LocalEntry
from tests.evidence.outboxes import outbox, said, store

__all__ = ["outbox", "store"]

BOOT, LATER_BOOT = "boot-one", "boot-two"
FIRST = NewScan("nonce-000000000001", BOOT, 1_000)
SECOND = NewScan("nonce-000000000002", BOOT, 2_000)
BODY = {"nonce": FIRST.nonce, "id_number": "99010119900307001X"}
ANSWER = Answer("OK_OFFLINE", "A", "签到成功", "", "", "第1考场", "12", "陈*诺", "001X", admitted=True)
REFUSAL = Answer("TOO_EARLY", "R", "时间未到", "", "", "", "", "", "", admitted=False)
LET_IN = LetIn(candidate_id=7, session_id=3, place_id=12, at_us=1_500)


def row_of(store: KioskStore, nonce: str) -> sqlite3.Row:
    with store.database.read() as connection:
        row: sqlite3.Row = connection.execute("select * from scan where nonce = ?", (nonce,)).fetchone()
    return row


def test_a_scan_is_kept_with_its_place_in_the_order(outbox: Outbox) -> None:
    assert outbox.begin(FIRST, BODY, said) == {**BODY, "kiosk": {"sequence": 1}}
    assert outbox.begin(SECOND, BODY, said)["kiosk"] == {"sequence": 2}
    assert outbox.counts() == Counts(waiting=2, needs_human=0)


def test_of_this_run_somebody_is_asking_and_of_an_earlier_one_nobody(outbox: Outbox) -> None:
    outbox.begin(FIRST, BODY, said)
    assert outbox.waiting(BOOT) == []
    (scan,) = outbox.waiting(LATER_BOOT)
    assert (scan.nonce, scan.outcome, scan.place_id) == (FIRST.nonce, None, None)
    assert scan.body == {**BODY, "kiosk": {"sequence": 1}}


def test_what_the_console_answered_is_over_and_its_numbers_are_forgotten(
    outbox: Outbox, store: KioskStore
) -> None:
    outbox.begin(FIRST, BODY, said)
    outbox.answered(FIRST.nonce, ANSWER, 1_100)
    row = row_of(store, FIRST.nonce)
    assert (row["state"], row["sealed_body"], row["was_alone"]) == ("delivered", None, 0)
    assert (row["answer"], row["delivered_at_us"]) == (ANSWER.to_json(), 1_100)
    assert outbox.waiting(LATER_BOOT) == []
    assert outbox.counts() == Counts(0, 0)


def test_what_was_decided_alone_waits_in_order_and_is_delivered_once(
    outbox: Outbox, store: KioskStore
) -> None:
    outbox.begin(FIRST, BODY, said)
    outbox.begin(SECOND, BODY, said)
    outbox.decided(SECOND.nonce, REFUSAL, None)
    outbox.decided(FIRST.nonce, ANSWER, LET_IN)
    waiting = outbox.waiting(BOOT)
    assert [(scan.nonce, scan.outcome, scan.place_id) for scan in waiting] == [
        (FIRST.nonce, "OK_OFFLINE", 12),
        (SECOND.nonce, "TOO_EARLY", None),
    ]
    outbox.delivered(FIRST.nonce, 5_000)
    assert [scan.nonce for scan in outbox.waiting(BOOT)] == [SECOND.nonce]
    row = row_of(store, FIRST.nonce)
    assert (row["state"], row["sealed_body"], row["was_alone"]) == ("delivered", None, 1)


def test_whom_it_let_in_counts_until_the_day_part_knows(outbox: Outbox) -> None:
    outbox.begin(FIRST, BODY, said)
    outbox.decided(FIRST.nonce, ANSWER, LET_IN)
    entry = LocalEntry(7, 3, 12, 1_500, kiosk_id=4)
    assert outbox.entries(4, since_us=9_000) == [entry]
    outbox.delivered(FIRST.nonce, 5_000)
    assert outbox.entries(4, since_us=4_999) == [entry]
    assert outbox.entries(4, since_us=5_000) == []


def test_what_is_for_a_person_stays_and_is_counted(outbox: Outbox, store: KioskStore) -> None:
    outbox.begin(FIRST, BODY, said)
    outbox.set_aside(FIRST.nonce, "控制台不接受")
    assert outbox.counts() == Counts(waiting=1, needs_human=1)
    assert outbox.aside() == [AsideScan(FIRST.scanned_at_us, None, "控制台不接受")]
    assert outbox.waiting(LATER_BOOT) == []
    assert row_of(store, FIRST.nonce)["sealed_body"] is not None


def test_a_key_is_made_once_for_its_owner_alone(outbox: Outbox, store: KioskStore, tmp_path: Path) -> None:
    key = tmp_path / "keys" / "kiosk.outbox"
    assert key.stat().st_mode & 0o777 == 0o600
    outbox.begin(FIRST, BODY, said)
    (scan,) = Outbox(store.database, key).waiting(LATER_BOOT)
    assert scan.body is not None


def test_under_another_key_a_scan_does_not_open(outbox: Outbox, store: KioskStore, tmp_path: Path) -> None:
    outbox.begin(FIRST, BODY, said)
    (scan,) = Outbox(store.database, tmp_path / "other.key").waiting(LATER_BOOT)
    assert scan.body is None


def test_what_is_sealed_belongs_to_its_nonce(outbox: Outbox, store: KioskStore) -> None:
    outbox.begin(FIRST, BODY, said)
    outbox.begin(SECOND, BODY, said)
    with store.database.write() as connection:
        connection.execute("update scan set sealed_body = (select sealed_body from scan where id = 1)")
    assert [scan.body is None for scan in outbox.waiting(LATER_BOOT)] == [False, True]


def test_a_damaged_key_is_said_with_its_name(store: KioskStore, tmp_path: Path) -> None:
    key = tmp_path / "kiosk.outbox"
    key.write_bytes(b"short")
    with pytest.raises(OutboxKeyError, match=r"kiosk\.outbox is damaged"):
        Outbox(store.database, key)


def test_no_number_lies_open_in_the_file(outbox: Outbox, tmp_path: Path) -> None:
    outbox.begin(FIRST, BODY, said)
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("kiosk.db*"))
    assert BODY["id_number"].encode() not in kept
    assert FIRST.nonce.encode() in kept


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("delete from scan", "never deleted"),
        ("update scan set nonce = 'another-nonce-0001'", "never changes"),
        ("update scan set scanned_at_us = 1", "never changes"),
        ("update scan set sealed_body = null", "CHECK"),
        ("update scan set state = 'needs_human'", "CHECK"),
        ("update scan set candidate_id = 5", "CHECK"),
        ("update scan set state = 'lost'", "CHECK"),
    ],
)
def test_a_scan_is_never_lost_or_bent(outbox: Outbox, store: KioskStore, statement: str, why: str) -> None:
    outbox.begin(FIRST, BODY, said)
    with pytest.raises(sqlite3.IntegrityError, match=why), store.database.write() as connection:
        connection.execute(statement)


def test_what_was_delivered_stays_delivered(outbox: Outbox) -> None:
    outbox.begin(FIRST, BODY, said)
    outbox.answered(FIRST.nonce, ANSWER, 1_100)
    with pytest.raises(sqlite3.IntegrityError, match="stays delivered"):
        outbox.set_aside(FIRST.nonce, "?")
