"""By what the console tells the time, and every step of the machine's clock with what became of it.

A step and a decision are facts with a leaf each. `console_clock` holds the present and is no evidence. An
adopted step moves everything recorded before: rows carry the decision they were written after
(`clock_epoch`), and are read shifted by those that came later (`evidence.day.shifted`).
"""

from sqlite3 import Connection

from evidence.ledger import LeafKind, append_fact
from exam.clock_restart import Settled
from exam.clock_step import KeptClock, LastStep, StepChoice


def load_clock(connection: Connection) -> KeptClock | None:
    """How the console told the time when last looked at; None: it never ran here."""
    row = connection.execute(
        "select boot_id, offset_us, apart_us, kept_at_us, name from console_clock"
    ).fetchone()
    return None if row is None else KeptClock(*row)


def keep_clock(connection: Connection, kept: KeptClock) -> None:
    """Remember it in place of how it was."""
    connection.execute(
        "insert into console_clock (id, boot_id, offset_us, apart_us, kept_at_us, name)"
        " values (1, ?, ?, ?, ?, ?)"
        " on conflict do update set boot_id = excluded.boot_id, offset_us = excluded.offset_us,"
        " apart_us = excluded.apart_us, kept_at_us = excluded.kept_at_us, name = excluded.name",
        (kept.boot_id, kept.offset_us, kept.apart_us, kept.kept_at_us, kept.name),
    )


def record_restart(connection: Connection, boot_id: str, settled: Settled, now_us: int) -> int:
    """The machine restarted during an exam: by what the console goes on to tell the time; returns its id.

    `now_us` is the moment by the clock that counts from here on.
    """
    row = connection.execute(
        "insert into console_clock_restart (boot_id, source, words, account_id, apart_us, settled_at_us)"
        " values (?, ?, ?, ?, ?, ?)"
        " returning id as console_clock_restart_id, boot_id, source, words, account_id, apart_us,"
        " settled_at_us",
        (boot_id, settled.source, settled.words, settled.account_id, settled.apart_us, now_us),
    ).fetchone()
    append_fact(connection, LeafKind.CONSOLE_CLOCK_RESTART, row, now_us)
    return int(row["console_clock_restart_id"])


def record_contradiction(connection: Connection, restart_id: int, apart_us: int, now_us: int) -> None:
    """A room's player, in contact again, is so far ahead of what a person said after the restart."""
    row = connection.execute(
        "insert into console_clock_contradiction (restart_id, apart_us, told_at_us) values (?, ?, ?)"
        " returning id as console_clock_contradiction_id, restart_id, apart_us, told_at_us",
        (restart_id, apart_us, now_us),
    ).fetchone()
    append_fact(connection, LeafKind.CONSOLE_CLOCK_CONTRADICTION, row, now_us)


def load_contradiction(connection: Connection) -> int | None:
    """How far rooms are ahead of what a person said after the latest restart; None: they agree."""
    row = connection.execute(
        "select apart_us from console_clock_contradiction"
        " where restart_id = (select max(id) from console_clock_restart)"
    ).fetchone()
    return None if row is None else int(row["apart_us"])


def record_step(connection: Connection, boot_id: str, apart_us: int, now_us: int) -> int:
    """The machine's clock was set; returns the step's id."""
    row = connection.execute(
        "insert into console_clock_step (boot_id, apart_us, noticed_at_us) values (?, ?, ?)"
        " returning id as console_clock_step_id, boot_id, apart_us, noticed_at_us",
        (boot_id, apart_us, now_us),
    ).fetchone()
    append_fact(connection, LeafKind.CONSOLE_CLOCK_STEP, row, now_us)
    return int(row["console_clock_step_id"])


def record_decision(
    connection: Connection, last: LastStep, choice: StepChoice, decided_by: int | None, now_us: int
) -> None:
    """What became of the step. An adopted one moves the moments of arming and cancelling with all others."""
    shift_us = shift_of(last, choice)
    row = connection.execute(
        "insert into console_clock_decision (step_id, choice, shift_us, decided_by, decided_at_us)"
        " values (?, ?, ?, ?, ?)"
        " returning id as console_clock_decision_id, step_id, choice, shift_us, decided_by, decided_at_us",
        (last.id, choice, shift_us, decided_by, now_us),
    ).fetchone()
    append_fact(connection, LeafKind.CONSOLE_CLOCK_DECISION, row, now_us)
    if shift_us:
        connection.execute(
            "update session set armed_at_us = armed_at_us + ?1, cancelled_at_us = cancelled_at_us + ?1"
            " where armed_at_us is not null or cancelled_at_us is not null",
            (shift_us,),
        )


def shift_of(step: LastStep, choice: StepChoice) -> int:
    """By how much everything recorded before is read shifted.

    A small step is followed slowly, without a shift: ahead while nobody is examined, so that no end comes
    early; back also then, and an end may be late by less than a second.
    """
    return step.apart_us if choice is StepChoice.ADOPTED else 0


def load_last_step(connection: Connection) -> LastStep | None:
    """The latest step and the last word about it; None: the clock was never set."""
    row = connection.execute(
        "select step.id, apart_us, (select choice from console_clock_decision where step_id = step.id"
        "  order by id desc limit 1) as choice"
        " from console_clock_step step order by step.id desc limit 1"
    ).fetchone()
    if row is None:
        return None
    return LastStep(row["id"], row["apart_us"], StepChoice(row["choice"]) if row["choice"] else None)


def load_open_step(connection: Connection) -> LastStep | None:
    """The step the site lead is asked about; None: nothing to decide."""
    last = load_last_step(connection)
    return last if last and last.choice is None else None
