"""Letting somebody in with a doubt at the kiosk: the site lead's PIN signs, the console's rule decides."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from config.settings import Settings
from evidence.doubt_cases import load_cases
from exam.kiosk_health import Part, PartState
from exam.outcomes import Outcome
from kiosk.console import HttpConsole
from kiosk.local import Local, open_local
from kiosk.staff_acting import REFUSED, UNSURE, Whom
from kiosk.staff_desk import NOT_CONNECTED
from tests.evidence.rostered import PIN, give_pin
from tests.kiosk.rostered_kiosk import Rostered, staff_screen, staffed
from tests.kiosk.stage import served
from tests.world import KIOSK_TOKEN, World
from web.app import create_app
from web.roster_keeper import RosterKeeper
from web.services import FootageReader, Services

PARTS = {Part.CAMERA: PartState.OK}
OWN = {"X-Kaochang-Kiosk": "staff"}


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


def lets_in(client: FlaskClient, world: World, **changed: Any) -> tuple[int, dict[str, Any]]:
    body = {"candidate_id": world.on_time.id, "session_id": world.session_id, "doubt": "NO_ID", **changed}
    answer = sent(client, "let-in", body)
    return answer.status_code, answer.json or {}


def test_it_is_offered_to_the_site_lead_while_the_console_is_there(
    client: FlaskClient, kiosk: Rostered, world: World
) -> None:
    def offered(account_id: int) -> list[str]:
        sent(client, "unlock", {"number": account_id, "pin": PIN})
        told = sent(client, "lookup", {"words": world.on_time.ticket_no[-5:]}).json or {}
        return [one["doubt"] for one in told["doubts"]]

    assert offered(world.proctor_account_id) == []
    assert offered(world.site_lead_account_id)[:2] == ["NO_ID", "FACE_DOUBT"]
    kiosk.local.contact.lost()
    assert offered(world.site_lead_account_id) == []


def test_what_came_of_it_is_said_in_words(client: FlaskClient, kiosk: Rostered, world: World) -> None:
    assert lets_in(client, world)[0] == 403  # no PIN is open
    sent(client, "unlock", {"number": world.site_lead_account_id, "pin": PIN})
    assert lets_in(client, world, doubt="OK_ADMITTED")[0] == 400
    assert lets_in(client, world, candidate_id=0)[0] == 403
    kiosk.console.advice = "您无权办理这一项，请报告现场负责人。"
    assert lets_in(client, world) == (409, {"done": False, "words": kiosk.console.advice})
    kiosk.console.refuses = True
    assert lets_in(client, world) == (409, {"done": False, "words": REFUSED})
    kiosk.local.contact.lost()
    assert lets_in(client, world) == (409, {"done": False, "words": NOT_CONNECTED})


def test_an_act_whose_answer_got_lost_is_sent_again_as_the_same_one(
    client: FlaskClient, kiosk: Rostered, world: World
) -> None:
    sent(client, "unlock", {"number": world.site_lead_account_id, "pin": PIN})
    kiosk.console.lost = 1
    assert lets_in(client, world) == (409, {"done": None, "words": UNSURE})
    status, told = lets_in(client, world)
    assert (status, told["done"]) == (200, True)
    first, second = (act["nonce"] for act in kiosk.console.acts)
    assert first == second


@pytest.fixture
def real(world: World, tmp_path: Path) -> Iterator[Local]:
    """A kiosk at a real console."""
    for account in (world.proctor_account_id, world.site_lead_account_id):
        give_pin(world, account)
    services = Services(
        Settings(data_folder=world.folder),
        world.clock,
        world.exam,
        FootageReader(Path("nowhere")),
        world.vault,
    )
    RosterKeeper(services).tend()
    settings = Settings(data_folder=tmp_path / "kiosk")
    settings.keys_folder.mkdir(parents=True)
    settings.kiosk_token.write_text(KIOSK_TOKEN)
    with served(create_app(services)) as address:
        line = HttpConsole(address, settings.kiosk_token)
        local = open_local(settings, line, world.clock)
        local.contact.turn(PARTS)
        yield local
        local.close()
        line.close()


def test_the_console_keeps_who_signed_and_opens_the_case(real: Local, world: World) -> None:
    whom = Whom(world.on_time.id, world.session_id)
    real.desk.unlock(world.proctor_account_id, PIN)
    refused = real.desk.let_in(whom, Outcome.NO_ID)
    assert refused is not None
    assert refused.words == "您无权办理这一项，请报告现场负责人。"
    real.desk.unlock(world.site_lead_account_id, PIN)
    done = real.desk.let_in(whom, Outcome.NO_ID)
    assert done is not None
    assert (done.is_done, done.words.partition("。")[0]) == (True, "已办理：请先入场考试")
    with world.exam.read() as connection:
        row = connection.execute("select account_id, lane, lacks from check_in_act").fetchone()
        [case] = load_cases(connection)
    assert tuple(row) == (world.site_lead_account_id, "staff_at_kiosk", "")
    assert (case.facts.reason, case.facts.is_inside) == (Outcome.NO_ID, True)
