"""What staff did alone, on its way to the console: kept once, sealed, counted, never deleted."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from evidence.kiosk_act_box import LetIn, WaitingAct
from evidence.kiosk_outbox import AsideScan, Counts, NewScan, Outbox, undelivered
from evidence.kiosk_store import KioskStore
from exam.roster_facts import LocalEntry
from tests.evidence.outboxes import outbox, said, store

__all__ = ["outbox", "store"]

BODY = {"nonce": "act-nonce-00000001", "happened_at_us": 1_000, "reason": "查验证件：护照。身份证读不出"}
SECOND = {**BODY, "nonce": "act-nonce-00000002"}
LET_IN = LetIn(candidate_id=7, session_id=3, place_id=12, at_us=900)


def keep(outbox: Outbox, body: dict[str, object]) -> None:
    outbox.acts.keep(body, said, "OK_OFFLINE", LET_IN)


def test_acts_wait_in_their_order_and_the_same_one_once(outbox: Outbox) -> None:
    keep(outbox, BODY)
    keep(outbox, SECOND)
    keep(outbox, BODY)
    first, second = outbox.acts.waiting()
    assert first == WaitingAct("act-nonce-00000001", {**BODY, "kiosk": {"sequence": 1}})
    assert second.body == {**SECOND, "kiosk": {"sequence": 2}}
    assert outbox.counts() == Counts(waiting=2, needs_human=0)


def test_whom_staff_let_in_is_in_until_the_day_part_knows(outbox: Outbox) -> None:
    keep(outbox, BODY)
    entry = LocalEntry(7, 3, 12, 900, kiosk_id=5)
    assert outbox.entries(5, 2_000) == [entry]
    outbox.acts.delivered("act-nonce-00000001", 2_500)
    assert outbox.entries(5, 2_000) == [entry]
    assert outbox.entries(5, 3_000) == []


def test_what_was_delivered_is_forgotten_but_for_that_it_was(outbox: Outbox, store: KioskStore) -> None:
    keep(outbox, BODY)
    outbox.acts.delivered("act-nonce-00000001", 2_000)
    assert (outbox.acts.waiting(), outbox.counts()) == ([], Counts(0, 0))
    with store.database.read() as connection:
        row = connection.execute("select state, sealed_body, delivered_at_us from staff_act").fetchone()
    assert tuple(row) == ("delivered", None, 2_000)


def test_what_the_console_does_not_take_is_for_a_person(outbox: Outbox) -> None:
    keep(outbox, BODY)
    outbox.begin(NewScan("nonce-000000000001", "boot-one", 500), {"nonce": "nonce-000000000001"}, said)
    outbox.set_aside("nonce-000000000001", "请处理")
    outbox.acts.set_aside("act-nonce-00000001", "请核对该考生")
    assert outbox.acts.waiting() == []
    assert outbox.counts() == Counts(waiting=2, needs_human=2)
    assert outbox.aside() == [
        AsideScan(500, None, "请处理"),
        AsideScan(1_000, "OK_OFFLINE", "请核对该考生"),
    ]


def test_what_was_signed_is_sealed(outbox: Outbox, store: KioskStore, tmp_path: Path) -> None:
    keep(outbox, BODY)
    assert "护照" not in (tmp_path / "kiosk.db").read_bytes().decode("utf-8", "replace")
    other = Outbox(store.database, tmp_path / "other.key")
    assert other.acts.waiting() == [WaitingAct("act-nonce-00000001", None)]


@pytest.mark.parametrize(
    "change",
    [
        "delete from staff_act",
        "update staff_act set candidate_id = 8",
        "update staff_act set let_in_at_us = 901",
        "update staff_act set state = 'waiting'",
    ],
)
def test_what_staff_did_stays_as_it_was(outbox: Outbox, store: KioskStore, change: str) -> None:
    keep(outbox, BODY)
    outbox.acts.delivered("act-nonce-00000001", 2_000)
    with pytest.raises(sqlite3.IntegrityError), store.database.write() as connection:
        connection.execute(change)


def test_acts_wait_too_and_an_earlier_file_has_none(outbox: Outbox, tmp_path: Path) -> None:
    keep(outbox, BODY)
    assert undelivered(tmp_path / "kiosk.db") == 1
    with closing(sqlite3.connect(tmp_path / "kiosk.db")) as connection:
        connection.execute("drop trigger staff_act_never_goes")
        connection.execute("drop table staff_act")
        connection.commit()
    assert undelivered(tmp_path / "kiosk.db") == 0
