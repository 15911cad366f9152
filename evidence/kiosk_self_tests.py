"""Self-tests of kiosks (每日自检): each one a row that is never changed, with its ledger leaf."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from sqlite3 import Connection, Row

from evidence.ledger import LeafKind, append, salted_digest
from exam.clock import site_time
from exam.self_test import Check, Result, Standing, Tried, standing


@dataclass(frozen=True, slots=True)
class NewSelfTest:
    """A self-test as a kiosk sends it; a repeat with the same nonce is the same test."""

    nonce: str
    # By the kiosk's clock.
    tested_at_us: int
    tried: Sequence[Tried]


@dataclass(frozen=True, slots=True)
class SelfTest:
    """A self-test on record."""

    id: int
    kiosk_id: int
    tested_at_us: int
    received_at_us: int
    tried: tuple[Tried, ...]

    @property
    def standing(self) -> Standing:
        """The whole in one word."""
        return standing(self.tried)


def keep_self_test(connection: Connection, kiosk_id: int, new: NewSelfTest, now_us: int) -> int:
    """Keep the test and its leaf; returns its id. A nonce that was kept before adds nothing."""
    known = connection.execute(
        "select id from kiosk_self_test where kiosk_id = ? and nonce = ?", (kiosk_id, new.nonce)
    ).fetchone()
    if known is not None:
        return int(known["id"])
    results = [f"{one.check}:{one.result}" for one in new.tried]
    words = json.dumps({one.check: one.words for one in new.tried}, ensure_ascii=False)
    row = connection.execute(
        "insert into kiosk_self_test (kiosk_id, nonce, tested_at_us, received_at_us, results, words)"
        " values (?, ?, ?, ?, ?, ?) returning id, salt",
        (kiosk_id, new.nonce, new.tested_at_us, now_us, json.dumps(results), words),
    ).fetchone()
    body = {
        "kiosk_self_test_id": row["id"],
        "kiosk_id": kiosk_id,
        "nonce": new.nonce,
        "tested_at_us": new.tested_at_us,
        "received_at_us": now_us,
        "results": results,
        "words_salted_sha256": salted_digest(row["salt"], words),
    }
    append(connection, LeafKind.KIOSK_SELF_TEST, body, now_us)
    return int(row["id"])


def self_tests_of_day(connection: Connection, now_us: int) -> dict[int, SelfTest]:
    """The latest self-test of each kiosk that arrived on this day at the site, by the kiosk's id."""
    today = site_time(now_us).date()
    rows = connection.execute("select * from kiosk_self_test order by id desc limit 1000")
    found: dict[int, SelfTest] = {}
    for row in rows:
        if site_time(row["received_at_us"]).date() == today:
            found.setdefault(row["kiosk_id"], _self_test(row))
    return found


def _self_test(row: Row) -> SelfTest:
    words = json.loads(row["words"])
    pairs = (str(one).split(":") for one in json.loads(row["results"]))
    tried = tuple(Tried(Check(check), Result(result), words[check]) for check, result in pairs)
    return SelfTest(row["id"], row["kiosk_id"], row["tested_at_us"], row["received_at_us"], tried)
