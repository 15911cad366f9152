from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
from flask import Flask
from werkzeug.routing import Rule

from evidence.kiosk_enrolments import revoke
from tests.web.console import HTML, PageClient, account_with, client_for
from tests.world import KIOSK_TOKEN, World
from web import access
from web.access import ENROLLING, KIOSK, PUBLIC, ROUTES, SPEAKER, Role
from web.app import create_app
from web.role_words import ROLE_WORDS
from web.services import Services


def addresses(app: Flask) -> Iterator[tuple[str, str, str]]:
    """Every endpoint with a method and an address that fits it."""
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield rule.endpoint, method, filled(app, rule)


def filled(app: Flask, rule: Rule) -> str:
    fitting = {"IntegerConverter": 999_999, "UUIDConverter": uuid4()}
    values = {
        name: fitting.get(type(converter).__name__, "zzz") for name, converter in rule._converters.items()
    }
    with app.test_request_context():
        return str(app.url_map.bind("localhost").build(rule.endpoint, values))


def code_of(client: PageClient, address: str, method: str) -> int:
    """The answer's status; a stream is opened and closed again."""
    with client.open(address, method=method) as answer:
        return int(answer.status_code)


def test_every_endpoint_stands_in_exactly_one_table(app: Flask) -> None:
    tables = [PUBLIC, KIOSK, ENROLLING, SPEAKER, frozenset(ROUTES)]
    endpoints = {rule.endpoint for rule in app.url_map.iter_rules()}
    assert {endpoint: sum(endpoint in table for table in tables) for endpoint in endpoints} == dict.fromkeys(
        endpoints, 1
    )
    assert frozenset().union(*tables) <= endpoints, "a row for an address that does not exist"


def test_without_a_login_everything_but_the_public_is_refused(app: Flask, anonymous: PageClient) -> None:
    let_in = {
        (endpoint, method)
        for endpoint, method, address in addresses(app)
        if endpoint not in PUBLIC | ENROLLING and code_of(anonymous, address, method) != 401
    }
    assert let_in == set()


def test_every_role_is_refused_wherever_the_table_does_not_name_it(app: Flask, world: World) -> None:
    every = list(addresses(app))
    for role in Role:
        client = client_for(app, world, account_with(world, role))
        forbidden = {endpoint for endpoint, roles in ROUTES.items() if role not in roles}
        refused = {
            endpoint
            for endpoint, method, address in every
            if endpoint in forbidden and code_of(client, address, method) in {401, 403}
        }
        assert forbidden <= refused, f"{role} came through"


def test_an_endpoint_that_nobody_listed_is_refused(services: Services, world: World) -> None:
    app = create_app(services)
    app.test_client_class = PageClient
    app.add_url_rule("/forgotten", "forgotten", lambda: "secret")
    client = client_for(app, world, account_with(world, *Role))
    assert client.get("/forgotten").status_code == 403


def test_an_unknown_address_is_a_404_for_everybody(anonymous: PageClient) -> None:
    assert anonymous.get("/nowhere").status_code == 404
    assert anonymous.post("/healthz").status_code == 405


def test_a_page_asks_for_a_login_and_leads_back(anonymous: PageClient) -> None:
    answer = anonymous.get("/overview?x=1", headers=HTML)
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/login?next=/overview?x%3D1"
    assert anonymous.get("/overview").status_code == 401


@pytest.mark.parametrize("address", ["/logout", "/accounts", "/accounts/1/disable", "/login"])
def test_nothing_changes_without_the_form_token(administrator: PageClient, address: str) -> None:
    administrator.without_csrf = True
    answer = administrator.post(address, headers=HTML)
    assert answer.status_code == 400
    assert "页面已过期" in answer.text


def test_fetches_without_the_token_are_refused_too(proctor: PageClient, world: World) -> None:
    proctor.without_csrf = True
    address = f"/proctor/{world.session_id}/{world.room_1}/entries"
    assert proctor.post(address, json={}).get_json()["error"] == "页面已过期"


@pytest.mark.parametrize(
    "header", [{}, {"Authorization": "Basic x"}, {"Authorization": "Bearer wrong-token"}]
)
def test_kiosks_prove_themselves_by_their_token(anonymous: PageClient, header: dict[str, str]) -> None:
    anonymous.without_csrf = True
    assert anonymous.post("/api/kiosk/v1/checkins", json={}, headers=header).status_code == 401


def test_a_kiosk_with_its_token_needs_no_form_token_until_it_is_revoked(
    anonymous: PageClient, world: World
) -> None:
    anonymous.without_csrf = True
    header = {"Authorization": f"Bearer {KIOSK_TOKEN}"}
    assert anonymous.post("/api/kiosk/v1/checkins", json={}, headers=header).status_code == 400
    with world.exam.write() as connection:
        revoke(connection, world.kiosk_id, None, world.clock.wall_us())
    told = anonymous.post("/api/kiosk/v1/checkins", json={}, headers=header)
    assert (told.status_code, told.json["outcome"]) == (403, "SYS_REVOKED")


def test_a_kiosk_reaches_the_addresses_of_kiosks_and_no_others(app: Flask, anonymous: PageClient) -> None:
    anonymous.without_csrf = True
    header = {"Authorization": f"Bearer {KIOSK_TOKEN}"}
    reached = set()
    for endpoint, method, address in addresses(app):
        with anonymous.open(address, method=method, headers=header) as answer:
            if answer.status_code not in {302, 401, 403}:
                reached.add(endpoint)
    assert reached - PUBLIC - ENROLLING == KIOSK
    assert {rule.rule.split("/")[1] for rule in app.url_map.iter_rules() if rule.endpoint in KIOSK} == {"api"}


def test_a_proctor_enters_the_room_of_his_duty_and_no_other(proctor: PageClient, world: World) -> None:
    assert proctor.get(f"/proctor/{world.session_id}/{world.room_1}").status_code == 200
    assert proctor.get(f"/proctor/{world.session_id}/{world.room_2}").status_code == 403
    assert proctor.get(f"/proctor/999/{world.room_1}").status_code == 403


def test_a_duty_for_the_whole_session_opens_all_its_rooms(app: Flask, world: World) -> None:
    with world.exam.write() as connection:
        connection.execute("update duty set room_id = null where staff_id = ?", (world.proctor_staff_id,))
    client = client_for(app, world, world.proctor_account_id)
    assert client.get(f"/proctor/{world.session_id}/{world.room_2}").status_code == 200


def test_a_proctor_without_a_duty_enters_nowhere(as_role: Callable[[Role], PageClient], world: World) -> None:
    assert as_role(Role.PROCTOR).get(f"/proctor/{world.session_id}/{world.room_1}").status_code == 403
    assert as_role(Role.SUPERVISOR).get(f"/proctor/{world.session_id}/{world.room_1}").status_code == 403


def test_the_lead_and_patrols_look_in_everywhere(as_role: Callable[[Role], PageClient], world: World) -> None:
    for role in (Role.SITE_LEAD, Role.EXAMS_OFFICER, Role.INSPECTOR, Role.QUALITY_SUPERVISOR):
        assert as_role(role).get(f"/proctor/{world.session_id}/{world.room_2}").status_code == 200


def test_patrols_write_nothing_into_a_proctor_log(
    as_role: Callable[[Role], PageClient], world: World
) -> None:
    address = f"/proctor/{world.session_id}/{world.room_1}/entries"
    assert as_role(Role.INSPECTOR).post(address, json={}).status_code == 403


def test_every_role_has_a_word() -> None:
    assert set(ROLE_WORDS) == set(Role)


def test_whoever_runs_the_machine_sees_no_footage() -> None:
    footage = {endpoint for endpoint in ROUTES if endpoint.startswith("playback.")}
    assert footage
    assert all(Role.ADMINISTRATOR not in ROUTES[endpoint] for endpoint in footage)
    assert access.ROOM.isdisjoint(access.LEAD)


def test_answers_carry_the_headers_that_keep_strangers_out(anonymous: PageClient) -> None:
    headers = anonymous.get("/login", headers=HTML).headers
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Cache-Control"] == "no-store"
    assert "Strict-Transport-Security" not in headers


def test_a_foreign_host_name_is_refused(anonymous: PageClient) -> None:
    assert anonymous.get("/login", headers={"Host": "evil.example"}).status_code == 400


def test_the_look_and_the_player_are_public(anonymous: PageClient) -> None:
    for address, kind in [("/look/tokens.css", "text/css"), ("/vendor/hls.min.js", "text/javascript")]:
        with anonymous.get(address) as answer:
            assert (answer.status_code, answer.mimetype) == (200, kind)
