"""Batches and their periods, and the due list: when footage may go, what keeps it and why (R1-R3).

Closing a batch starts the period of all its footage; nothing on these pages deletes anything.
"""

from datetime import date
from typing import Final

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from config.retention import FOOTAGE, load_retention_policy
from evidence.due_list import DueGroup, due_list, outlook
from evidence.retention import (
    Decision,
    Policy,
    RetentionError,
    assign_day,
    close_batch,
    load_batches,
    reopen_batch,
)
from exam.retention import end_of_period
from web import retention_words
from web.services import services

blueprint: Final = Blueprint("retention", __name__, url_prefix="/retention")


def policy() -> Policy:
    """The footage class of the retention policy, as evidence takes it."""
    return Policy(FOOTAGE, load_retention_policy().footage.years)


def decision(reason: str) -> Decision:
    """The person who asks, now, for this reason."""
    return Decision(current_user.account_id, reason, services().clock.wall_us())


def reason_of_form() -> str:
    """What was typed as the reason, or a default word that says that a box was ticked."""
    return request.form.get("reason", "").strip()


@blueprint.get("/")
def batches() -> str:
    with services().exam.read() as connection:
        rows = load_batches(connection)
    years = policy().years
    return render_template(
        "retention/batches.html",
        batches=[
            (
                row,
                None
                if row.closed_at_us is None
                else end_of_period(max(row.closed_at_us, row.last_us or 0), years),
            )
            for row in rows
        ],
        policy=load_retention_policy().footage,
        words=retention_words,
    )


@blueprint.post("/batches/<int:batch_id>/close")
def close(batch_id: int) -> AnyResponse:
    if not reason_of_form() or request.form.get("sure") != "yes":
        flash("请填写依据并勾选确认，批次没有结束。")
        return _back()
    try:
        with services().exam.write() as connection:
            close_batch(connection, batch_id, policy(), decision(reason_of_form()))
    except RetentionError as error:
        flash(str(error))
    return _back()


@blueprint.post("/batches/<int:batch_id>/reopen")
def reopen(batch_id: int) -> AnyResponse:
    if not reason_of_form():
        flash("请填写原因，批次没有重新打开。")
        return _back()
    try:
        with services().exam.write() as connection:
            reopen_batch(connection, batch_id, policy(), decision(reason_of_form()))
    except RetentionError as error:
        flash(str(error))
    return _back()


@blueprint.get("/due")
def due() -> str:
    now_us = services().clock.wall_us()
    index = services().footage()
    groups: list[DueGroup] = []
    with services().exam.read() as exam:
        names = {row.id: row.name for row in load_batches(exam)}
        if index is not None:
            with index.read() as footage:
                groups = due_list(footage, outlook(exam, policy().years, now_us))
    return render_template(
        "retention/due.html",
        groups=groups,
        names=names,
        longest_bytes=max((group.size_bytes for group in groups), default=1),
        words=retention_words,
        today=now_us,
    )


@blueprint.post("/days")
def assign() -> AnyResponse:
    try:
        day = date.fromisoformat(request.form.get("day", ""))
    except ValueError:
        abort(400)
    batch_id = request.form.get("batch", type=int)
    with services().exam.read() as connection:
        known = {row.id for row in load_batches(connection)}
    if batch_id not in known or not reason_of_form():
        abort(400)
    with services().exam.write() as connection:
        assign_day(connection, day, batch_id, decision(reason_of_form()))
    return redirect(url_for(".due"), 303)


def _back() -> AnyResponse:
    return redirect(url_for(".batches"), 303)
