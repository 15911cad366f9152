"""The site's own recordings of announcements: kept whole, confirmed by a person, taken back (Arts. 13-15).

A recording and its leaf are one transaction; its bytes lie in the row, so that neither can be without the
other and a copy of the database has them. Rooms hear the recording confirmed last, until it is taken back.
"""

from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from sqlite3 import Connection, Row
from typing import Final

from evidence.ledger import LeafKind, append


class RecordingAct(StrEnum):
    """What a person decides about a recording."""

    CONFIRMED = "confirmed"
    TAKEN_BACK = "taken_back"


@dataclass(frozen=True, slots=True)
class NewRecording:
    """A recording to be kept: the normalised `content` of `words`, made of an upload of that digest (hex)."""

    words: str
    content: bytes
    duration_us: int
    upload_sha256: str
    account_id: int


@dataclass(frozen=True, slots=True)
class OwnRecording:
    """A recording on record, without its bytes; digests in hex.

    `act` is the last act about it, None before any. `account_id` uploaded it; `by` and `acted_by` are names
    of people, for pages.
    """

    id: int
    text_sha256: str
    sha256: str
    duration_us: int
    by: str
    account_id: int
    uploaded_at_us: int
    act: RecordingAct | None = None
    acted_by: str = ""
    acted_at_us: int | None = None


@dataclass(frozen=True, slots=True)
class Spoken:
    """What is known of the recordings of one text: the one that rooms hear, and a newer one that waits."""

    used: OwnRecording | None = None
    waiting: OwnRecording | None = None


_KNOWN: Final = """
select recording.id, lower(hex(text_sha256)) as text_sha256, lower(hex(sha256)) as sha256, duration_us,
       uploader.display_name as by, uploader.id as account_id, uploaded_at_us, last.act,
       actor.display_name as acted_by, last.acted_at_us, confirmation.id as confirmation_id
  from own_recording as recording join account as uploader on uploader.id = recording.account_id
  left join own_recording_act as last
    on last.id = (select max(id) from own_recording_act where recording_id = recording.id)
  left join own_recording_act as confirmation
    on confirmation.recording_id = recording.id and confirmation.act = 'confirmed'
  left join account as actor on actor.id = last.account_id
 order by recording.id
"""


def text_digest(words: str) -> str:
    """By which a text is known (hex)."""
    return sha256(words.encode()).hexdigest()


def keep_recording(connection: Connection, new: NewRecording, now_us: int) -> int:
    """Keep it with its leaf; returns its id. No room hears it yet."""
    row = connection.execute(
        "insert into own_recording (text_sha256, words, upload_sha256, content, sha256, duration_us,"
        " account_id, uploaded_at_us) values (?, ?, ?, ?, ?, ?, ?, ?)"
        " returning id as own_recording_id, lower(hex(text_sha256)) as text_sha256,"
        " lower(hex(upload_sha256)) as upload_sha256, lower(hex(sha256)) as sha256, duration_us, account_id,"
        " uploaded_at_us",
        (
            bytes.fromhex(text_digest(new.words)),
            new.words,
            bytes.fromhex(new.upload_sha256),
            new.content,
            sha256(new.content).digest(),
            new.duration_us,
            new.account_id,
            now_us,
        ),
    ).fetchone()
    append(connection, LeafKind.OWN_RECORDING, dict(row), now_us)
    return int(row["own_recording_id"])


def decide(
    connection: Connection, recording_id: int, act: RecordingAct, account_id: int, now_us: int
) -> bool:
    """Confirm a recording that waits, or take back one that waits or is heard.

    False: it stands otherwise now, nothing was done.
    """
    known = {one.id: spoken for spoken in load_spoken(connection).values() for one in _open(spoken)}
    spoken = known.get(recording_id)
    is_heard = spoken is not None and spoken.used is not None and spoken.used.id == recording_id
    if spoken is None or (is_heard and act is RecordingAct.CONFIRMED):
        return False
    row = connection.execute(
        "insert into own_recording_act (recording_id, act, account_id, acted_at_us) values (?, ?, ?, ?)"
        " returning id as own_recording_act_id, recording_id, act, account_id, acted_at_us",
        (recording_id, act, account_id, now_us),
    ).fetchone()
    append(connection, LeafKind.OWN_RECORDING_ACT, dict(row), now_us)
    return True


def load_spoken(connection: Connection) -> dict[str, Spoken]:
    """What is known of each text, by its digest; a text that nobody recorded is missing."""
    by_text: dict[str, list[Row]] = {}
    for row in connection.execute(_KNOWN):
        by_text.setdefault(row["text_sha256"], []).append(row)
    return {text: _spoken(rows) for text, rows in by_text.items()}


def load_recording(connection: Connection, recording_id: int) -> tuple[str, bytes] | None:
    """The words and the sound of a recording; None when there is none of that id."""
    row = connection.execute(
        "select words, content from own_recording where id = ?", (recording_id,)
    ).fetchone()
    return None if row is None else (row["words"], row["content"])


def _open(spoken: Spoken) -> list[OwnRecording]:
    return [one for one in (spoken.used, spoken.waiting) if one is not None]


def _spoken(rows: list[Row]) -> Spoken:
    """Of one text's recordings the one confirmed last is heard unless taken back; the newest may wait."""
    confirmed = [row for row in rows if row["confirmation_id"] is not None]
    last = max(confirmed, key=lambda row: row["confirmation_id"], default=None)
    is_heard = last is not None and last["act"] == RecordingAct.CONFIRMED
    return Spoken(
        used=_recording(last) if last is not None and is_heard else None,
        waiting=_recording(rows[-1]) if rows[-1]["act"] is None else None,
    )


def _recording(row: Row) -> OwnRecording:
    return OwnRecording(
        id=row["id"],
        text_sha256=row["text_sha256"],
        sha256=row["sha256"],
        duration_us=row["duration_us"],
        by=row["by"],
        account_id=row["account_id"],
        uploaded_at_us=row["uploaded_at_us"],
        act=None if row["act"] is None else RecordingAct(row["act"]),
        acted_by=row["acted_by"] or "",
        acted_at_us=row["acted_at_us"],
    )
