"""Forms whose decision is kept with its author: the reason, and the second person where one is needed."""

from typing import Final

from flask import request
from flask_login import current_user

from evidence import accounts
from web.access import Role
from web.accounts_page import account_of, slowed_until
from web.services import services
from web.words import clock_words

SHORTEST_REASON: Final = 2
LONGEST_REASON: Final = 200
# Who may agree as the second: people at the exam, not those who run the machine or keep the archive.
AGREEING: Final = frozenset(Role) - {Role.ADMINISTRATOR, Role.ARCHIVIST, Role.AUDITOR}


class RefusedFormError(Exception):
    """What was asked cannot be done; the message says what to do."""


def reason_given() -> str:
    """Why, in the person's own words. Raises RefusedFormError."""
    reason = request.form.get("reason", "").strip()
    if not SHORTEST_REASON <= len(reason) <= LONGEST_REASON:
        raise RefusedFormError("请写明原因（2至200字）。")
    return reason


def second_person(act: str, undone: str) -> int:
    """The account of the one who agrees with an own password. Raises RefusedFormError.

    `act` needs the second person; `undone` says that nothing has happened.
    """
    name = request.form.get("second_name", "").strip().lower()
    until_us = slowed_until(name)
    if until_us:
        raise RefusedFormError(f"第二人连续多次输入有误，请在{clock_words(until_us)}之后再试。")
    account_id = account_of(name, request.form.get("second_password", ""))
    if account_id is None:
        raise RefusedFormError(f"{act}须由第二人输入本人的登录名和密码确认。输入不正确，{undone}。")
    with services().exam.read() as connection:
        account = accounts.load_account(connection, account_id)
    if account is None or account_id == current_user.account_id or not AGREEING & set(account.roles):
        raise RefusedFormError(f"第二人须是本人以外的考务、监考、考评、巡考或督导人员。{undone}。")
    return account_id
