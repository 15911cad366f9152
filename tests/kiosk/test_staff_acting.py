"""What staff do at a kiosk: offered and judged by the console, signed by one PIN or two, never done twice."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from config.check_in import load_check_in_words
from exam.admission_authority import Act
from exam.outcomes import Outcome
from exam.staff_acts import Against, Offered, OfferedAct, RefusedAct
from kiosk.staff_acting import NOT_ASKED, REFUSED, UNSURE
from kiosk.staff_alone import ONLY_BY_HAND
from kiosk.staff_desk import IDLE_US
from tests.evidence.rostered import PIN
from tests.kiosk.rostered_kiosk import Rostered, staff_screen, staffed
from tests.kiosk.stage import answer
from tests.world import World

OWN = {"X-Kaochang-Kiosk": "staff"}
ATTEMPT = "nonce-000000000001"
OFFERED = Offered(
    (Against("已过入场截止时间", "请报告现场负责人。"),),
    (
        OfferedAct(Act.OVERRIDE, "批准入场", "放行入场。", True, ATTEMPT, 1, (), ""),
        OfferedAct(Act.PROVISIONAL, "存疑先行入场", "先行入场。", False, "", None, (Outcome.NO_ID,), ""),
    ),
    (RefusedAct(Act.UNDO, "撤销签到", "本考场已经清点放行。"),),
)


@pytest.fixture
def kiosk(world: World, tmp_path: Path) -> Iterator[Rostered]:
    """A kiosk with its console; 王芳 has duty in room 1, 李强 leads the site; both have a PIN."""
    made = staffed(world, tmp_path / "kiosk")
    yield made
    made.local.close()


@pytest.fixture
def client(kiosk: Rostered, tmp_path: Path) -> Iterator[FlaskClient]:
    with staff_screen(kiosk, tmp_path / "other") as app:
        yield app.test_client()


def sent(client: FlaskClient, what: str, body: dict[str, Any]) -> TestResponse:
    return client.post(f"/local/staff/{what}", json=body, headers=OWN)


class Pad:
    """The keys of the staff page, with the site lead's PIN open."""

    def __init__(self, client: FlaskClient, world: World) -> None:
        self.client, self.world = client, world
        sent(client, "unlock", {"number": world.site_lead_account_id, "pin": PIN})

    @property
    def late(self) -> dict[str, int]:
        return {"candidate_id": self.world.late.id, "session_id": self.world.session_id}

    def second(self, pin: str = PIN) -> dict[str, Any]:
        return {"second_number": self.world.proctor_account_id, "second_pin": pin}

    def acts(self, **changed: Any) -> tuple[int, dict[str, Any]]:
        body = {**self.late, "act": "override", "reason": "交通延误", "attempt_nonce": ATTEMPT, **changed}
        told = sent(self.client, "act", body)
        return told.status_code, told.json or {}

    def asks(self, **changed: Any) -> tuple[int, dict[str, Any]]:
        told = sent(self.client, "offered", {**self.late, **changed})
        return told.status_code, told.json or {}


@pytest.fixture
def pad(client: FlaskClient, world: World) -> Pad:
    return Pad(client, world)


def test_what_may_be_done_is_asked_of_the_console_for_whoever_signs(pad: Pad, kiosk: Rostered) -> None:
    kiosk.console.offers = OFFERED
    status, told = pad.asks()
    assert status == 200
    assert told["against"] == [{"reason": "已过入场截止时间", "advice": "请报告现场负责人。"}]
    assert told["refused"] == [{"act": "undo", "title": "撤销签到", "advice": "本考场已经清点放行。"}]
    late, doubt = told["offers"]
    assert late["reasons"] == list(load_check_in_words().reasons[Act.OVERRIDE])
    assert (late["attempt_at"], late["needs_second"]) == ("08:00", True)
    assert doubt["doubts"] == [{"doubt": "NO_ID", "words": "未带身份证件"}]
    assert told["documents"]["id_card"] == "居民身份证"
    [look] = kiosk.console.looks
    assert sorted(look) == ["candidate_id", "nonce", "session_id", "signature"]


def test_two_sign_the_same_act(pad: Pad, kiosk: Rostered) -> None:
    status, told = pad.acts(**pad.second())
    assert (status, told["done"]) == (200, True)
    assert told["words"].startswith("已办理：签到成功。")
    [act] = kiosk.console.acts
    assert (act["act"], act["reason"], act["attempt_nonce"]) == ("override", "交通延误", ATTEMPT)
    one, two = (signed["pin_id"] for signed in act["signatures"])
    assert one != two


def test_a_second_pin_that_is_not_right_does_nothing_and_closes_nothing(pad: Pad, kiosk: Rostered) -> None:
    status, told = pad.acts(**pad.second("000000"))
    assert (status, told) == (403, {"tried": "wrong", "words": "没有办理。第二人：工号或口令不正确。"})
    assert kiosk.console.acts == []
    assert pad.acts(**pad.second())[0] == 200


def test_an_act_whose_answer_got_lost_is_sent_again_as_it_was_signed(pad: Pad, kiosk: Rostered) -> None:
    kiosk.console.lost = 1
    status, told = pad.acts(**pad.second())
    assert (status, told["done"], told["words"]) == (409, None, UNSURE)
    assert pad.acts()[0] == 200  # the second has signed already
    first, again = kiosk.console.acts
    assert first == again
    pad.acts()
    assert kiosk.console.acts[2]["nonce"] != first["nonce"]  # what was done once may be wanted once more


def test_by_hand_the_document_that_was_seen_stands_before_the_reason(pad: Pad, kiosk: Rostered) -> None:
    by_hand = {"act": "by_hand", "reason": "身份证读不出", "document": "passport"}
    assert pad.acts(**by_hand)[1]["words"].startswith("已办理：签到成功。")
    assert kiosk.console.acts[0]["reason"] == "查验证件：护照。身份证读不出"
    kiosk.console.answer = answer("LATE_CUTOFF", "R", "不能入场", "请报告现场负责人。")
    status, told = pad.acts(**by_hand)
    assert (status, told["turned_away"]) == (200, True)
    assert told["words"] == "已登记，现在不能入场：不能入场。请报告现场负责人。"


def test_an_undo_says_what_it_did(pad: Pad) -> None:
    words = pad.acts(act="undo", reason="签错了人")[1]["words"]
    assert words == "已办理：撤销签到。这次签到（或离场）不再算数，记录保留；考生可以重新签到。"


def test_a_provisional_entry_has_its_doubt_for_a_reason(pad: Pad, kiosk: Rostered) -> None:
    assert pad.acts(act="provisional", doubt="NO_ID")[0] == 200
    [act] = kiosk.console.acts
    assert (act["doubt"], act["reason"]) == ("NO_ID", "未带身份证件")
    assert "attempt_nonce" not in act


@pytest.mark.parametrize(
    "changed",
    [
        {"act": "block"},
        {"act": "provisional", "doubt": "OK_ADMITTED"},
        {"reason": "别的"},
        {"attempt_nonce": "short"},
        {"act": "by_hand", "reason": "身份证读不出", "document": "library_card"},
        {"second_number": 1},
        {"second_number": 1, "second_pin": "12345"},
    ],
)
def test_what_the_page_cannot_have_sent_is_refused(
    pad: Pad, kiosk: Rostered, changed: dict[str, Any]
) -> None:
    assert pad.acts(**changed)[0] == 400
    assert kiosk.console.acts == []


def test_why_nothing_was_done_is_said_in_words(pad: Pad, kiosk: Rostered) -> None:
    kiosk.console.advice = "您无权办理这一项，请报告现场负责人。"
    assert pad.acts()[1]["words"] == pad.asks()[1]["words"] == kiosk.console.advice
    kiosk.console.refuses = True
    assert pad.acts()[1] == {"done": False, "words": REFUSED, "turned_away": False}
    assert pad.asks() == (409, {"words": REFUSED})
    kiosk.console.refuses, kiosk.console.lost = False, 1
    assert pad.asks() == (409, {"words": NOT_ASKED})
    kiosk.local.contact.lost()
    assert pad.acts()[1]["words"] == ONLY_BY_HAND


def test_whoever_has_not_proved_himself_or_asks_about_another_room_does_nothing(
    pad: Pad, kiosk: Rostered
) -> None:
    assert pad.acts(candidate_id=0)[0] == pad.asks(candidate_id=0)[0] == 403
    kiosk.clock.sleep_us(IDLE_US)
    assert pad.acts()[0] == pad.asks()[0] == 403
    assert kiosk.console.acts == []


def test_whoever_acts_is_not_locked_out_meanwhile(pad: Pad, kiosk: Rostered) -> None:
    for _ in range(3):
        kiosk.clock.sleep_us(IDLE_US - 1)
        assert pad.asks()[0] == 200


def test_a_disk_that_takes_no_try_of_a_pin_is_said(pad: Pad, kiosk: Rostered) -> None:
    with kiosk.local.store.database.write() as connection:
        connection.execute(
            "create trigger full before insert on pin_try begin select raise(abort, 'full'); end"
        )
    status, told = pad.acts(**pad.second())
    assert (status, told["done"]) == (503, False)
    assert "硬盘" in told["words"]
