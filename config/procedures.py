"""Reads the procedures that govern sessions: one TOML file each, every fault at once.

A changed regulation is a changed file here, never changed code. Lengths of time are written as
people say them: "15 min", "-30 s", "1 h".
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from config.lengths import Length
from exam.day import SessionKind
from exam.procedure import Anchor, Audience, Cue, CueKind, Procedure, Signal, Trigger, faults

FOLDER: Final = Path(__file__).parent / "procedures"


class ProcedureError(Exception):
    """A procedure file cannot be used; the message names the file and every fault."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _CueTable(_Table):
    code: str
    title: str
    anchor: Anchor = Anchor.PLANNED_START
    offset: Length = 0
    tolerance: Length
    kind: CueKind
    text: str
    audience: list[Audience]
    roles: list[str] = []
    trigger: Trigger = Trigger.AUTOMATIC
    signal: Signal = Signal.NONE
    confirmation: str | None = None
    article: str = ""

    def as_cue(self) -> Cue:
        return Cue(
            code=self.code,
            title=self.title,
            anchor=self.anchor,
            offset_us=self.offset,
            tolerance_us=self.tolerance,
            kind=self.kind,
            text=self.text,
            audience=frozenset(self.audience),
            roles=frozenset(self.roles),
            trigger=self.trigger,
            signal=self.signal,
            confirmation=self.confirmation,
            article=self.article,
        )


class _ProcedureTable(_Table):
    title: str
    session_kind: SessionKind
    check_in_opens: Length
    late_cutoff: Length | None = None
    early_exit: Length | None = None
    bell: Length
    room_opens: Length | None = None
    handover: Length | None = None
    handover_step: str | None = None
    cues: list[_CueTable]

    def as_procedure(self, code: str) -> Procedure:
        return Procedure(
            code=code,
            title=self.title,
            session_kind=self.session_kind,
            check_in_opens_us=self.check_in_opens,
            late_cutoff_us=self.late_cutoff,
            early_exit_us=self.early_exit,
            bell_us=self.bell,
            cues=tuple(cue.as_cue() for cue in self.cues),
            room_opens_us=self.room_opens,
            handover_us=self.handover,
            handover_step=self.handover_step,
        )


def read_procedure(path: Path) -> Procedure:
    """One file as a sound procedure; its code is the file's name.

    Raises ProcedureError naming the file and everything wrong with it.
    """
    try:
        table = _ProcedureTable.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ProcedureError(f"procedure {path}: cannot be read ({error.strerror})") from error
    except ValidationError as error:
        raise _refused(
            path, [f"{_place(fault['loc'])}: {fault['msg']}" for fault in error.errors()]
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ProcedureError(f"procedure {path}: not valid TOML: {error}") from error
    procedure = table.as_procedure(path.stem)
    found = faults(procedure)
    if found:
        raise _refused(path, found)
    return procedure


def read_procedures(folder: Path) -> Mapping[str, Procedure]:
    """Every procedure of a folder by its code. Raises ProcedureError with the faults of all files."""
    sound: dict[str, Procedure] = {}
    refused: list[str] = []
    for path in sorted(folder.glob("*.toml")):
        try:
            sound[path.stem] = read_procedure(path)
        except ProcedureError as error:
            refused.append(str(error))
    if refused:
        raise ProcedureError("\n".join(refused))
    if not sound:
        raise ProcedureError(f"no procedure file (*.toml) in {folder}")
    return sound


@cache
def load_procedures() -> Mapping[str, Procedure]:
    """The procedures that come with the product, read once."""
    return read_procedures(FOLDER)


def _place(location: tuple[int | str, ...]) -> str:
    """'cues.3.offset' counted as people count: 'cue 4: offset'."""
    match location:
        case ("cues", int(position), *rest):
            return f"cue {position + 1}: {'.'.join(map(str, rest))}"
        case _:
            return ".".join(map(str, location))


def _refused(path: Path, found: list[str]) -> ProcedureError:
    return ProcedureError(
        f"procedure {path}: {len(found)} fault(s)\n" + "\n".join(f"  {fault}" for fault in found)
    )
