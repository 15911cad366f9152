"""Who acts in a disposal: accounts as persons with their roles, and who registered the sources of time."""

from collections.abc import Iterable, Mapping, Sequence
from sqlite3 import Connection

from exam.disposal_approval import STAFF, Act, ApprovalFault, registrar_faults


def act_of(connection: Connection, account_id: int, plan_digest: str) -> Act:
    """The account as it is now: its person and its roles."""
    staff = connection.execute("select staff_id from account where id = ?", (account_id,)).fetchone()
    roles = connection.execute("select role from account_role where account_id = ?", (account_id,))
    person = f"account:{account_id}" if staff["staff_id"] is None else f"{STAFF}{staff['staff_id']}"
    return Act(account_id, person, frozenset(role for (role,) in roles), plan_digest)


def who(act: Act) -> Mapping[str, int | str | Sequence[str]]:
    """The act as its leaf tells it."""
    return {
        "plan_sha256": act.plan_digest,
        "account_id": act.account_id,
        "person": act.person,
        "roles": sorted(act.roles),
    }


def registrars(connection: Connection, authority_ids: Iterable[int]) -> list[Act]:
    """Who registered these sources of time."""
    return [act_of(connection, _registrar(connection, each), "") for each in authority_ids]


def time_faults(
    connection: Connection, plan_id: int, acts: Sequence[Act], witnesses: Sequence[str]
) -> list[ApprovalFault]:
    """Who registered a source of time must have no other part, not even as a witness."""
    rows = connection.execute("select authority_id from disposal_time where plan_id = ?", (plan_id,))
    ids = [row["authority_id"] for row in rows]
    names = zip(ids, _registrar_names(connection, ids), strict=True)
    apart = [each for each, known_as in names if known_as.isdisjoint(witnesses)]
    if ids and not apart:
        return [ApprovalFault.REGISTERED_TIME]
    return registrar_faults(registrars(connection, apart), acts)


def _registrar_names(connection: Connection, authority_ids: Iterable[int]) -> list[set[str]]:
    """For each of these sources, the names under which people know who registered it."""
    return [_names(connection, _registrar(connection, each)) for each in authority_ids]


def _registrar(connection: Connection, authority_id: int) -> int:
    row = connection.execute("select account_id from time_authority where id = ?", (authority_id,)).fetchone()
    return int(row["account_id"])


def _names(connection: Connection, account_id: int) -> set[str]:
    row = connection.execute(
        "select display_name, staff.name from account left join staff on staff.id = staff_id"
        " where account.id = ?",
        (account_id,),
    ).fetchone()
    return {name.strip() for name in row if name is not None}
