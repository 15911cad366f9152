"""Who may come in, and as what: accounts, their roles, passwords and the duties behind them.

There is no default account. Passwords are kept as Argon2id hashes only; hashing is memory-hard,
so at most two run at a time on this machine.
"""

import threading
from collections.abc import Collection
from dataclasses import dataclass
from sqlite3 import Connection, IntegrityError, Row
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from evidence.ledger import LeafKind, append
from exam.signers import Duty, Signer

ADMINISTRATOR: Final = "administrator"
PASSWORD_MIN: Final = 8
_HASHER: Final = PasswordHasher()
_AT_ONCE: Final = threading.BoundedSemaphore(2)


class AccountError(Exception):
    """The account cannot be made or changed; the message says why, in Chinese, for the administrator."""


@dataclass(frozen=True, slots=True)
class NewAccount:
    """What is needed to make an account."""

    login_name: str
    display_name: str
    password_hash: str
    roles: Collection[str]
    staff_id: int | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """A person's way in, without the password."""

    id: int
    login_name: str
    display_name: str
    roles: frozenset[str]
    staff_id: int | None
    badge_no: str | None
    created_at_us: int
    disabled_at_us: int | None


def password_fault(password: str, login_name: str) -> str | None:
    """Why the password is too easy to guess, in Chinese; None when it will do."""
    if len(password) < PASSWORD_MIN:
        return f"密码至少需要{PASSWORD_MIN}个字符。"
    if len(set(password)) < 4 or password.lower() == login_name.lower():
        return "密码过于简单，请更换。"
    return None


def hash_password(password: str) -> str:
    """The Argon2id hash to store. Takes about a fifth of a second: never call it inside a transaction."""
    with _AT_ONCE:
        return _HASHER.hash(password)


def is_password(password_hash: str | None, password: str) -> bool:
    """Whether the password fits. An unknown account (None) takes as long as a known one and never fits."""
    with _AT_ONCE:
        if password_hash is None:
            _HASHER.hash(password)
            return False
        try:
            return _HASHER.verify(password_hash, password)
        except VerifyMismatchError:
            return False


def create_account(connection: Connection, new: NewAccount, now_us: int) -> int:
    """Make the account and give it its roles; returns its id. Raises AccountError when the name is taken."""
    if not new.roles:
        raise AccountError("请至少选择一个角色。")
    try:
        cursor = connection.execute(
            "insert into account (staff_id, login_name, display_name, password_hash, created_at_us)"
            " values (?, ?, ?, ?, ?)",
            (new.staff_id, new.login_name, new.display_name, new.password_hash, now_us),
        )
    except IntegrityError as error:
        raise AccountError(f"登录名“{new.login_name}”不能使用：可能已存在。") from error
    account_id = int(cursor.lastrowid or 0)
    connection.executemany(
        "insert into account_role (account_id, role) values (?, ?)",
        [(account_id, str(role)) for role in sorted(set(new.roles))],
    )
    roles = sorted(str(role) for role in set(new.roles))
    who: dict[str, int | list[str]] = {"account_id": account_id, "roles": roles}
    if new.staff_id is not None:
        who["staff_id"] = new.staff_id
    append(connection, LeafKind.ACCOUNT_CREATED, who, now_us)
    return account_id


def load_accounts(connection: Connection) -> list[Account]:
    """Every account, disabled ones last."""
    rows = connection.execute(
        "select account.*, staff.badge_no from account left join staff on staff.id = staff_id"
        " order by disabled_at_us is not null, login_name"
    ).fetchall()
    return [_account(connection, row) for row in rows]


def load_account(connection: Connection, account_id: int) -> Account | None:
    """One account, disabled or not."""
    row = connection.execute(
        "select account.*, staff.badge_no from account left join staff on staff.id = staff_id"
        " where account.id = ?",
        (account_id,),
    ).fetchone()
    return None if row is None else _account(connection, row)


def password_hash_of(connection: Connection, login_name: str) -> tuple[int, str] | None:
    """Account id and password hash of an account that is not disabled."""
    row = connection.execute(
        "select id, password_hash from account where login_name = ? and disabled_at_us is null", (login_name,)
    ).fetchone()
    return None if row is None else (row["id"], row["password_hash"])


def proven_account(connection: Connection, login_name: str, password: str) -> int | None:
    """The account whose name and password these are; None: no, after as long a time, whatever is wrong."""
    found = password_hash_of(connection, login_name.strip().lower())
    fits = is_password(found[1] if found else None, password)
    return found[0] if found and fits else None


def disable_account(connection: Connection, account_id: int, now_us: int) -> None:
    """Shut the account and end its logins at once. Raises AccountError for the last administrator."""
    remaining = connection.execute(
        "select count(*) from account join account_role on account_id = account.id"
        " where role = ? and disabled_at_us is null and account.id <> ?",
        (ADMINISTRATOR, account_id),
    ).fetchone()[0]
    if remaining == 0:
        raise AccountError("这是最后一个系统管理员账户，不能停用。")
    disabled = connection.execute(
        "update account set disabled_at_us = ? where id = ? and disabled_at_us is null", (now_us, account_id)
    )
    if disabled.rowcount:
        append(connection, LeafKind.ACCOUNT_DISABLED, {"account_id": account_id}, now_us)
    connection.execute(
        "update login set closed_at_us = ? where account_id = ? and closed_at_us is null",
        (now_us, account_id),
    )


def staff_by_badge(connection: Connection, badge_no: str) -> int | None:
    """The person who wears the badge."""
    row = connection.execute("select id from staff where badge_no = ?", (badge_no,)).fetchone()
    return None if row is None else int(row["id"])


def duties_of(connection: Connection, staff_id: int) -> list[Duty]:
    """Every room and session the person works in; a duty for a whole session counts in all its rooms."""
    rows = connection.execute(
        "select duty.session_id, session_room.room_id, duty.role from duty"
        " join session_room on session_room.session_id = duty.session_id"
        "  and (duty.room_id is null or duty.room_id = session_room.room_id)"
        " join session on session.id = duty.session_id"
        " where staff_id = ? order by planned_start_us, session_room.room_id, duty.role",
        (staff_id,),
    )
    return [Duty(*row) for row in rows]


def load_signer(connection: Connection, account_id: int, *, or_disabled: bool = False) -> Signer | None:
    """The account as somebody who signs; None: there is none, or it is disabled now.

    `or_disabled` asks also for one that was shut since: what was signed before stays signed.
    """
    account = load_account(connection, account_id)
    if account is None or (account.disabled_at_us is not None and not or_disabled):
        return None
    duties = [] if account.staff_id is None else duties_of(connection, account.staff_id)
    return Signer(account.id, account.staff_id, account.roles, frozenset(duties))


def _account(connection: Connection, row: Row) -> Account:
    roles = connection.execute("select role from account_role where account_id = ?", (row["id"],))
    return Account(
        id=row["id"],
        login_name=row["login_name"],
        display_name=row["display_name"],
        roles=frozenset(role for (role,) in roles),
        staff_id=row["staff_id"],
        badge_no=row["badge_no"],
        created_at_us=row["created_at_us"],
        disabled_at_us=row["disabled_at_us"],
    )
