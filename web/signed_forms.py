"""Forms whose decision is kept with its author: the reason, and the second person where one is needed."""

from datetime import datetime
from typing import Final

from flask import request
from flask_login import current_user

from config.check_in import load_check_in_words
from evidence.accounts import load_signer
from exam.admission_authority import Refusal
from exam.clock import SITE_ZONE, site_time, to_us
from exam.signers import NOBODY, is_same_person
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


def moment_on_day_of(that_us: int, typed: str, wrong: str) -> int:
    """The time of day that was typed (09:30), on the site's day of that moment. Raises RefusedFormError."""
    try:
        time = datetime.strptime(typed, "%H:%M").time()  # noqa: DTZ007 - a time of day at the site
    except ValueError as error:
        raise RefusedFormError(wrong) from error
    return to_us(datetime.combine(site_time(that_us).date(), time, SITE_ZONE))


def second_person(act: str, undone: str) -> int:
    """The account of the one who agrees with an own password. Raises RefusedFormError.

    `act` needs the second person; `undone` says that nothing has happened.
    """
    wrong = f"{act}须由第二人输入本人的登录名和密码确认。输入不正确，{undone}。"
    name, password = request.form.get("second_name", ""), request.form.get("second_password", "")
    account_id = proved_account(name, password, wrong)
    with services().exam.read() as connection:
        first = load_signer(connection, current_user.account_id) or NOBODY
        second = load_signer(connection, account_id) or NOBODY
    if not AGREEING & second.roles:
        raise RefusedFormError(f"第二人须是本人以外的考务、监考、考评、巡考或督导人员。{undone}。")
    if is_same_person(first, second):
        raise RefusedFormError(f"{load_check_in_words().refusals[Refusal.SAME_PERSON]}{undone}。")
    return account_id


def proved_account(login_name: str, password: str, wrong: str) -> int:
    """The account of another person here, by an own name and password; every try is kept.

    Raises RefusedFormError: `wrong`, or when to try again.
    """
    name = login_name.strip().lower()
    until_us = slowed_until(name)
    if until_us:
        raise RefusedFormError(f"这个登录名连续多次输入有误，请在{clock_words(until_us)}之后再试。")
    account_id = account_of(name, password)
    if account_id is None:
        raise RefusedFormError(wrong)
    return account_id
