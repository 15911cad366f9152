"""The form of ticket numbers learned from a roster, compared by a person with a printed ticket (R20).

An unconfirmed form works, but is shown as such: a roster exported wrongly teaches a wrong form, and the
first to notice should not be a candidate. A confirmation holds for one form of one batch; a roster that
teaches another form asks again.
"""

from dataclasses import dataclass
from enum import StrEnum
from sqlite3 import Connection

from evidence.ledger import LeafKind, append
from exam.signed_tickets import claimed_number
from exam.tickets import matches, normalise_ticket


class Sample(StrEnum):
    """What the number of a printed ticket says about the learned form."""

    # The form fits, and the roster holds the number.
    ON_ROSTER = "on_roster"
    # The form fits, but nobody on the roster has the number.
    UNKNOWN = "unknown"
    # No ticket of this batch could look like that.
    OTHER_FORM = "other_form"
    # Nothing was read.
    EMPTY = "empty"


@dataclass(frozen=True, slots=True)
class TicketForm:
    """What one open batch's ticket numbers look like, and whether somebody has compared them."""

    batch_code: str
    batch_name: str
    form: str
    # A few numbers as the roster has them, first, middle and last.
    examples: tuple[str, ...]
    count: int
    confirmed_by: str | None = None
    confirmed_at_us: int | None = None


def load_forms(connection: Connection) -> list[TicketForm]:
    """The learned forms of all open batches that have candidates."""
    rows = connection.execute(
        "select batch.id, batch.code, batch.name, ticket_form from batch"
        " where closed_at_us is null and ticket_form is not null order by batch.id"
    ).fetchall()
    return [_form(connection, row["id"], (row["code"], row["name"], row["ticket_form"])) for row in rows]


def look_at_sample(connection: Connection, batch_code: str, shown: str) -> Sample:
    """What a number that was typed or scanned from a printed ticket says about the batch's form."""
    number = normalise_ticket(claimed_number(shown))
    if not number:
        return Sample.EMPTY
    row = connection.execute(
        "select ticket_form, exists (select 1 from candidate where batch_id = batch.id and ticket_no = ?)"
        " as is_known from batch where code = ? and closed_at_us is null and ticket_form is not null",
        (number, batch_code),
    ).fetchone()
    if row is None or not matches(row["ticket_form"], number):
        return Sample.OTHER_FORM
    return Sample.ON_ROSTER if row["is_known"] else Sample.UNKNOWN


def confirm_form(connection: Connection, batch_code: str, account_id: int, now_us: int) -> None:
    """Keep that this person compared the batch's present form with a printed ticket of the roster."""
    row = connection.execute(
        "insert into ticket_form_confirmation (batch_id, form, sample_on_roster, account_id, confirmed_at_us)"
        " select id, ticket_form, 1, ?, ? from batch where code = ?"
        " returning id as ticket_form_confirmation_id, batch_id, form, account_id, confirmed_at_us",
        (account_id, now_us, batch_code),
    ).fetchone()
    append(connection, LeafKind.TICKET_FORM_CONFIRMATION, dict(row), now_us)


def _form(connection: Connection, batch_id: int, told: tuple[str, str, str]) -> TicketForm:
    code, name, form = told
    numbers = [
        row["ticket_no"]
        for row in connection.execute(
            "select ticket_no from candidate where batch_id = ? order by ticket_no", (batch_id,)
        )
    ]
    chosen = dict.fromkeys(numbers[at] for at in (0, len(numbers) // 2, -1)) if numbers else {}
    confirmed = connection.execute(
        "select display_name, confirmed_at_us from ticket_form_confirmation"
        " join account on account.id = account_id where batch_id = ? and form = ?"
        " order by ticket_form_confirmation.id desc limit 1",
        (batch_id, form),
    ).fetchone()
    who = (None, None) if confirmed is None else (confirmed["display_name"], confirmed["confirmed_at_us"])
    return TicketForm(code, name, form, tuple(chosen), len(numbers), *who)
