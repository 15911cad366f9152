"""Reads the procedures that govern sessions: one TOML file each, every fault at once.

A changed regulation is a changed file, never changed code. Those of the product lie beside this module; a
site may have a folder of its own, whose files come in addition to them and in place of those of the same
name. Lengths of time are written as people say them: "15 min", "-30 s", "1 h".
"""

import hashlib
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from exam.clock import MINUTE_US, SECOND_US
from exam.day import SessionKind
from exam.procedure import Anchor, Audience, Check, Cue, CueKind, Procedure, Signal, Trigger
from exam.procedure_faults import cue_faults, faults

FOLDER: Final = Path(__file__).parent / "procedures"
_LENGTH: Final = re.compile(r"([+-]?)([0-9]+(?:\.[0-9]{1,3})?) ?(s|min|h)")
_UNIT_US: Final = {"s": SECOND_US, "min": MINUTE_US, "h": 60 * MINUTE_US}
# What pydantic finds, in the words of the person who wrote the file.
_WORDS: Final[Mapping[str, Callable[[ErrorDetails], str]]] = {
    "missing": lambda _: "缺少这一项",
    "extra_forbidden": lambda _: "没有这个键（请检查拼写）",
    "enum": lambda fault: f"只能是 {fault['ctx']['expected'].replace(' or ', ', ')}",
    "value_error": lambda fault: str(fault["ctx"]["error"]),
    "string_type": lambda _: "须是文字（用引号）",
    "list_type": lambda _: "须是列表（用方括号）",
}


class ProcedureError(Exception):
    """A procedure file cannot be used; the message names the file and every fault."""


def _length_us(written: object) -> int:
    found = _LENGTH.fullmatch(written) if isinstance(written, str) else None
    if found is None:
        raise ValueError(f"{written!r} 不是时间长度，请写成 '15 min'、'-30 s' 或 '1 h'")
    sign, number, unit = found.groups()
    length = round(float(number) * _UNIT_US[unit])
    return -length if sign == "-" else length


_Length = Annotated[int, BeforeValidator(_length_us)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _CheckTable(_Table):
    code: str
    words: str
    roles: list[str] = []


class _CueTable(_Table):
    code: str
    title: str
    anchor: Anchor = Anchor.PLANNED_START
    offset: _Length = 0
    tolerance: _Length
    kind: CueKind
    text: str
    audience: list[Audience]
    roles: list[str] = []
    trigger: Trigger = Trigger.AUTOMATIC
    signal: Signal = Signal.NONE
    confirmation: str | None = None
    article: str = ""
    checklist: list[_CheckTable] = []

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
            checklist=tuple(Check(one.code, one.words, frozenset(one.roles)) for one in self.checklist),
        )


class _ProcedureTable(_Table):
    title: str
    session_kind: SessionKind
    check_in_opens: _Length
    late_cutoff: _Length | None = None
    early_exit: _Length | None = None
    bell: _Length
    room_opens: _Length | None = None
    handover: _Length | None = None
    handover_step: str | None = None
    closing_step: str | None = None
    cues: list[_CueTable]

    def as_procedure(self, code: str, sha256: str) -> Procedure:
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
            closing_step=self.closing_step,
            sha256=sha256,
        )


def read_procedure(path: Path) -> Procedure:
    """One file as a sound procedure; its code is the file's name.

    Raises ProcedureError naming the file and everything wrong with it.
    """
    try:
        content = path.read_bytes()
        raw = tomllib.loads(content.decode())
        table = _ProcedureTable.model_validate(raw)
    except OSError as error:
        raise ProcedureError(f"流程文件 {path}：读不出来（{error.strerror}）") from error
    except ValidationError as error:
        shape = [f"{_place(fault['loc'])}：{_in_words(fault)}" for fault in error.errors()]
        raise _refused(path, [*shape, *_readable_cue_faults(raw)]) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ProcedureError(f"流程文件 {path}：不是有效的 TOML：{error}") from error
    procedure = table.as_procedure(path.stem, hashlib.sha256(content).hexdigest())
    found = faults(procedure)
    if found:
        raise _refused(path, found)
    return procedure


def read_procedures(folder: Path) -> Mapping[str, Procedure]:
    """Every procedure of a folder by its code. Raises ProcedureError with the faults of all files."""
    sound, refused = _read_folder(folder)
    if refused:
        raise ProcedureError("\n".join(refused.values()))
    if not sound:
        raise ProcedureError(f"文件夹 {folder} 中没有流程文件（*.toml）")
    return sound


@cache
def load_procedures(site_folder: Path | None = None) -> Mapping[str, Procedure]:
    """The procedures that come with the product and, before them, the site's own; read once.

    A file of the site that cannot be used (`site_faults`) leaves its sessions without a procedure, which
    every page says: another rule of the same name would be worse.
    """
    shipped = read_procedures(FOLDER)
    if site_folder is None:
        return shipped
    sound, refused = _read_folder(site_folder)
    return {code: one for code, one in {**shipped, **sound}.items() if code not in refused}


def site_faults(site_folder: Path | None) -> list[str]:
    """What is wrong with the site's own files, in words; empty when all can be used."""
    return [] if site_folder is None else list(_read_folder(site_folder)[1].values())


def _read_folder(folder: Path) -> tuple[dict[str, Procedure], dict[str, str]]:
    """The sound procedures of a folder, and the faults of the others, by code."""
    sound: dict[str, Procedure] = {}
    refused: dict[str, str] = {}
    for path in sorted(folder.glob("*.toml")):
        try:
            sound[path.stem] = read_procedure(path)
        except ProcedureError as error:
            refused[path.stem] = str(error)
    return sound, refused


def _readable_cue_faults(raw: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with the cues that can be read, so that everything is told in one go."""
    cues = raw.get("cues")
    for one in cues if isinstance(cues, list) else ():
        try:
            yield from cue_faults(_CueTable.model_validate(one).as_cue())
        except ValidationError:
            continue  # told already


def _in_words(fault: ErrorDetails) -> str:
    told = _WORDS.get(fault["type"])
    return told(fault) if told else fault["msg"]


def _place(location: tuple[int | str, ...]) -> str:
    """'cues.3.offset' counted as people count: '第4步 offset'."""
    match location:
        case ("cues", int(position), *rest):
            return f"第{position + 1}步 {'.'.join(map(str, rest))}"
        case _:
            return ".".join(map(str, location))


def _refused(path: Path, found: list[str]) -> ProcedureError:
    return ProcedureError(
        f"流程文件 {path}：{len(found)} 处错误\n" + "\n".join(f"  {fault}" for fault in found)
    )
