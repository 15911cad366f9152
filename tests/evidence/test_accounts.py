import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from evidence import accounts, logins
from evidence.accounts import AccountError, NewAccount
from evidence.ledger import read_leaves
from exam.signers import Duty, Signer
from tests.world import CLOCK_US, PASSWORD, World, build_world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    built = build_world(tmp_path)
    yield built
    built.close()


def new(name: str = "zhaoliu", **changes: object) -> NewAccount:
    facts = {
        "login_name": name,
        "display_name": "赵六",
        "password_hash": "$argon2id$x",
        "roles": ["proctor"],
        "staff_id": None,
    }
    return NewAccount(**{**facts, **changes})  # type: ignore[arg-type]


def test_an_account_is_kept_with_its_roles_and_badge(world: World) -> None:
    with world.exam.write() as connection:
        wanted = new(roles=["site_lead", "proctor", "proctor"], staff_id=world.proctor_staff_id)
        account_id = accounts.create_account(connection, wanted, CLOCK_US)
    with world.exam.read() as connection:
        account = accounts.load_account(connection, account_id)
    assert account is not None
    assert account.roles == {"site_lead", "proctor"}
    assert (account.badge_no, account.created_at_us, account.disabled_at_us) == ("JK001", CLOCK_US, None)


def test_the_ledger_knows_whose_badge_an_account_has(world: World) -> None:
    with world.exam.write() as connection:
        worn = accounts.create_account(connection, new(staff_id=world.proctor_staff_id), CLOCK_US)
        none = accounts.create_account(connection, new("other"), CLOCK_US)
        bodies = [
            json.loads(leaf.body) for leaf, _ in read_leaves(connection) if leaf.kind == "account_created"
        ]
    assert bodies == [
        {"account_id": worn, "roles": ["proctor"], "staff_id": world.proctor_staff_id},
        {"account_id": none, "roles": ["proctor"]},
    ]


def test_a_name_is_given_once(world: World) -> None:
    with world.exam.write() as connection, pytest.raises(AccountError, match="可能已存在"):
        accounts.create_account(connection, new("wangfang"), CLOCK_US)


def test_an_account_without_any_role_is_refused(world: World) -> None:
    with world.exam.write() as connection, pytest.raises(AccountError, match="至少选择一个角色"):
        accounts.create_account(connection, new(roles=[]), CLOCK_US)


def test_accounts_are_listed_with_disabled_ones_last(world: World) -> None:
    with world.exam.write() as connection:
        accounts.disable_account(connection, world.site_lead_account_id, CLOCK_US)
    with world.exam.read() as connection:
        assert [one.login_name for one in accounts.load_accounts(connection)] == [
            "guanli",
            "wangfang",
            "liqiang",
        ]
        assert accounts.load_account(connection, 999) is None


def test_disabling_ends_every_login_and_forgets_the_password(world: World) -> None:
    with world.exam.write() as connection:
        token = logins.open_login(connection, world.proctor_account_id, CLOCK_US)
        accounts.disable_account(connection, world.proctor_account_id, CLOCK_US + 1)
        accounts.disable_account(connection, world.proctor_account_id, CLOCK_US + 2)
    with world.exam.read() as connection:
        assert logins.find_login(connection, token) is None
        assert accounts.password_hash_of(connection, "wangfang") is None
        account = accounts.load_account(connection, world.proctor_account_id)
    assert account is not None
    assert account.disabled_at_us == CLOCK_US + 1, "the first moment stands"


def test_the_last_administrator_cannot_be_disabled(world: World) -> None:
    with world.exam.write() as connection:
        with pytest.raises(AccountError, match="最后一个系统管理员"):
            accounts.disable_account(connection, world.administrator_account_id, CLOCK_US)
        accounts.create_account(connection, new(roles=["administrator"]), CLOCK_US)
        accounts.disable_account(connection, world.administrator_account_id, CLOCK_US)


def test_passwords_are_argon2id_and_only_the_right_one_fits(world: World) -> None:
    stored = accounts.hash_password("correct horse")
    assert stored.startswith("$argon2id$")
    assert accounts.is_password(stored, "correct horse")
    assert not accounts.is_password(stored, "wrong horse")
    assert not accounts.is_password(None, "correct horse")
    with world.exam.read() as connection:
        found = accounts.password_hash_of(connection, "wangfang")
        assert accounts.password_hash_of(connection, "nobody") is None
    assert found is not None
    assert accounts.is_password(found[1], PASSWORD)


@pytest.mark.parametrize(
    ("password", "fault"),
    [
        ("kurz", "至少需要8个字符"),
        ("aaaaaaaaab", "过于简单"),
        ("wangfang", "过于简单"),
        ("Blau-7-Esel", None),
    ],
)
def test_easy_passwords_are_refused(password: str, fault: str | None) -> None:
    found = accounts.password_fault(password, "wangfang")
    assert (found is None) if fault is None else (found is not None and fault in found)


def test_people_are_found_by_their_badge(world: World) -> None:
    with world.exam.read() as connection:
        assert accounts.staff_by_badge(connection, "FZ001") == world.site_lead_staff_id
        assert accounts.staff_by_badge(connection, "XX") is None


def test_a_duty_without_a_room_counts_in_every_room_of_the_session(world: World) -> None:
    with world.exam.read() as connection:
        assert accounts.duties_of(connection, world.proctor_staff_id) == [
            Duty(world.session_id, world.room_1, "proctor")
        ]
        assert {duty.room_id for duty in accounts.duties_of(connection, world.site_lead_staff_id)} == {
            world.room_1,
            world.room_2,
        }


def test_an_account_signs_with_its_roles_and_duties_until_it_is_disabled(world: World) -> None:
    with world.exam.write() as connection:
        assert accounts.load_signer(connection, world.proctor_account_id) == Signer(
            world.proctor_account_id,
            world.proctor_staff_id,
            frozenset({"proctor"}),
            frozenset({Duty(world.session_id, world.room_1, "proctor")}),
        )
        nobody = accounts.load_signer(connection, world.administrator_account_id)
        assert nobody is not None
        assert (nobody.staff_id, nobody.duties) == (None, frozenset())
        accounts.disable_account(connection, world.proctor_account_id, CLOCK_US)
        assert accounts.load_signer(connection, world.proctor_account_id) is None
        gone = accounts.load_signer(connection, world.proctor_account_id, or_disabled=True)
        assert gone is not None
        assert gone.staff_id == world.proctor_staff_id
        assert accounts.load_signer(connection, 999) is None
