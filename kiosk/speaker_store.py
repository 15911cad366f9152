"""What a speaker keeps on its disk, so that it rings without the console and never twice.

Schedule and sounds from beforehand, the measure of the server's time, reports nobody has taken yet, and
the journal of what was claimed: a line is on the disk before the sound it names is with the device, so a
speaker that dies and comes back stays silent rather than ring again.
"""

import base64
import hashlib
import json
import os
import threading
import wave
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import structlog

from evidence.small_files import replace_whole
from exam.clock import MINUTE_US
from exam.clock_change import ClockChange
from exam.playing import PlayerCue, claim_name
from exam.server_time import Measure
from kiosk.speaker_outputs import RATE
from kiosk.speaker_stream import Samples

KEEP_US: Final = 2 * 24 * 60 * MINUTE_US
MOST_REPORTS: Final = 500

_log: Final = structlog.get_logger("speaker")


class SoundFileError(Exception):
    """A sound did not arrive whole, or cannot be played."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A cue this speaker has dealt with; moments are the server's. `began_us` None: it was not heard.

    `clock`: the name of the server's clock that `began_us` is by.
    """

    cue: Mapping[str, Any]
    claimed_at_us: int
    began_us: int | None = None
    is_done: bool = False
    clock: str = ""


@dataclass
class SpeakerStore:
    """The folder of one speaker. Claims belong to one thread at a time, reports and sounds to any."""

    folder: Path
    claims: dict[str, Claim] = field(default_factory=dict, init=False)
    reports: dict[str, dict[str, Any]] = field(default_factory=dict, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)
    _decoded: dict[str, Samples] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        (self.folder / "audio").mkdir(parents=True, exist_ok=True)
        self._read_journal()
        self.reports = _read_json(self.folder / "reports.json", {})

    def played_by(self, clock: str) -> dict[str, int]:
        """When what was really heard began, by claim name, as far as it was noted by that clock."""
        began = {name: one.began_us for name, one in self.claims.items() if one.clock == clock}
        return {name: began_us for name, began_us in began.items() if began_us is not None}

    # ---- What was claimed -------------------------------------------------------------------

    def claim(self, cues: Iterable[PlayerCue], now_us: int) -> None:
        """Say durably that these cues are dealt with. Call it before the first sample leaves."""
        for cue in cues:
            self.claims[claim_name(cue)] = Claim(asdict(cue), now_us)
        self._append([{"act": "claim", "cue": asdict(cue), "at_us": now_us} for cue in cues])

    def began(self, names: Iterable[str], at_us: int, clock: str = "") -> None:
        """They were heard from this moment on, by the server's clock of that name."""
        self._note([{"act": "began", "name": name, "at_us": at_us, "clock": clock} for name in sorted(names)])

    def done(self, names: Iterable[str], at_us: int) -> None:
        """Nothing more will come of them."""
        self._note([{"act": "done", "name": name, "at_us": at_us} for name in sorted(names)])

    def release(self, names: Iterable[str], at_us: int) -> None:
        """They were taken back before they sounded: their moment may still come."""
        self._note([{"act": "release", "name": name, "at_us": at_us} for name in sorted(names)])

    def shift(self, change: ClockChange) -> None:
        """Read what was noted by the clock before by the new one: reports in one write, claims in one line.

        Whatever of it a crash leaves undone is done by the same change heard again, and nothing twice.
        Keep the new measure afterwards: without it the change is heard again.
        """
        with self._lock:
            self.reports = {name: change.of_report(report) for name, report in self.reports.items()}
            self._write("reports.json", self.reports)
        self._note([{"act": "shift", **asdict(change)}])

    def open_claims(self) -> dict[str, Claim]:
        """Claims of an earlier life that nothing became of: it ended between claim and end of sound."""
        return {name: one for name, one in self.claims.items() if not one.is_done}

    def _note(self, lines: list[dict[str, Any]]) -> None:
        for line in lines:
            self._take(line)
        self._append(lines)

    def _take(self, line: Mapping[str, Any]) -> None:
        if line["act"] == "claim":
            cue = line["cue"]
            self.claims[f"{cue['room']}/{cue['key']}"] = Claim(cue, line["at_us"])
        elif line["act"] == "shift":
            change = ClockChange(line["before"], line["after"], line["shift_us"])
            self.claims = {name: _shifted(one, change) for name, one in self.claims.items()}
        else:
            self._take_of_claim(line)

    def _take_of_claim(self, line: Mapping[str, Any]) -> None:
        known = self.claims.get(line["name"])
        if known is None:
            return
        if line["act"] == "release":
            del self.claims[line["name"]]
        elif line["act"] == "began":
            self.claims[line["name"]] = replace(known, began_us=line["at_us"], clock=line.get("clock", ""))
        else:
            self.claims[line["name"]] = replace(known, is_done=True)

    def _append(self, lines: Iterable[Mapping[str, Any]]) -> None:
        written = "".join(map(_line, lines))
        try:
            with (self.folder / "played.jsonl").open("ab") as journal:
                journal.write(written.encode())
                journal.flush()
                os.fsync(journal.fileno())
        except OSError as error:
            # The bell matters more than the memory of it: without a restart nothing sounds twice.
            _log.error("journal_not_written", reason=str(error))

    def _read_journal(self) -> None:
        """A line torn by a crash is the last one, and names a sound that had not left yet."""
        path = self.folder / "played.jsonl"
        text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
        for line in text.splitlines():
            try:
                self._take(json.loads(line))
            except (ValueError, KeyError, TypeError):
                _log.warning("journal_line_unreadable")
        # By the last line, not the latest moment: after a rehearsal of Saturday it is Monday again.
        last_us = max((one.claimed_at_us for one in list(self.claims.values())[-1:]), default=0)
        self.claims = {
            name: one for name, one in self.claims.items() if abs(last_us - one.claimed_at_us) < KEEP_US
        }
        replace_whole(path, "".join(_lines(self.claims)).encode(), 0o600)

    # ---- Schedule, time, reports ------------------------------------------------------------

    def keep_schedule(self, rooms: list[dict[str, Any]]) -> None:
        """Remember the rooms' schedules for a start without the console."""
        self._write("schedule.json", rooms)

    def schedule(self) -> list[dict[str, Any]]:
        """The schedules known last; empty when there are none that can be read."""
        return list(_read_json(self.folder / "schedule.json", []))

    def keep_measure(self, measure: Measure, boot_id: str, slept_us: int) -> None:
        """Remember the measured time: the monotonic clock goes on until the machine restarts."""
        self._write("clock.json", {**asdict(measure), "boot_id": boot_id, "slept_us": slept_us})

    def measure(self, boot_id: str) -> tuple[Measure, int] | None:
        """The measure of this boot with the sleep until then; None after a restart of the machine.

        One of a life before clocks had names is by a clock without one.
        """
        told = _read_json(self.folder / "clock.json", {})
        if told.pop("boot_id", None) != boot_id:
            return None
        slept_us = told.pop("slept_us")
        return Measure(**told), slept_us

    def keep_report(self, name: str, report: dict[str, Any]) -> None:
        """It waits here until the console has it; what began and ended meanwhile is one report."""
        with self._lock:
            self.reports[name] = report
            for oldest in list(self.reports)[:-MOST_REPORTS]:
                del self.reports[oldest]
            self._write("reports.json", self.reports)

    def waiting_reports(self, most: int) -> dict[str, dict[str, Any]]:
        """The oldest reports that nobody has taken yet."""
        with self._lock:
            return dict(list(self.reports.items())[:most])

    def drop_reports(self, sent: Mapping[str, dict[str, Any]]) -> None:
        """The console has these; one that changed while it was sent stays."""
        with self._lock:
            for name, report in sent.items():
                if self.reports.get(name) == report:
                    del self.reports[name]
            self._write("reports.json", self.reports)

    def _write(self, name: str, content: Any) -> None:
        try:
            replace_whole(self.folder / name, json.dumps(content, ensure_ascii=False).encode(), 0o600)
        except OSError as error:
            _log.error("not_kept", file=name, reason=str(error))

    # ---- Sounds -----------------------------------------------------------------------------

    def sound_path(self, address: str) -> Path:
        """Where the sound of this address lies, or will."""
        return self.folder / "audio" / Path(address).name

    def has_sound(self, address: str) -> bool:
        """Whether it lies there whole."""
        return self.sound_path(address).exists()

    def keep_sound(self, address: str, content: bytes, content_digest: str) -> None:
        """Keep a sound that arrived with the digest its sender named (RFC 9530). Raises SoundFileError."""
        digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
        if content_digest and content_digest != f"sha-256=:{digest}:":
            raise SoundFileError(f"{address} arrived damaged")
        replace_whole(self.sound_path(address), content, 0o600)
        self._decoded.pop(address, None)

    def samples(self, address: str) -> Samples:
        """The sound as samples of the stream. Raises SoundFileError, and removes what cannot be played."""
        if address not in self._decoded:
            path = self.sound_path(address)
            try:
                self._decoded[address] = _decoded(path)
            except (OSError, EOFError, wave.Error, ValueError) as error:
                path.unlink(missing_ok=True)  # fetched again
                raise SoundFileError(f"{path.name} cannot be played ({error})") from error
        return self._decoded[address]


def _decoded(path: Path) -> Samples:
    with wave.open(str(path), "rb") as sound:
        width, channels, rate = sound.getsampwidth(), sound.getnchannels(), sound.getframerate()
        frames = sound.readframes(sound.getnframes())
    if width != 2:
        raise ValueError(f"{8 * width} bits a sample")
    mono = np.frombuffer(frames, "<i2").reshape(-1, channels).mean(axis=1)
    if rate != RATE:
        at = np.arange(int(mono.size * RATE / rate)) * (rate / RATE)
        mono = np.interp(at, np.arange(mono.size), mono)
    samples: Samples = mono.astype(np.int16)
    return samples


def _shifted(one: Claim, change: ClockChange) -> Claim:
    if one.began_us is None:
        return one
    began_us, clock = change.of_moment(one.began_us, one.clock)
    return replace(one, began_us=began_us, clock=clock)


def _lines(claims: Mapping[str, Claim]) -> Iterable[str]:
    for name, one in claims.items():
        yield _line({"act": "claim", "cue": one.cue, "at_us": one.claimed_at_us})
        if one.began_us is not None:
            yield _line({"act": "began", "name": name, "at_us": one.began_us, "clock": one.clock})
        if one.is_done:
            yield _line({"act": "done", "name": name, "at_us": one.claimed_at_us})


def _line(noted: Mapping[str, Any]) -> str:
    return json.dumps(noted, ensure_ascii=False) + "\n"


def _read_json(path: Path, otherwise: Any) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return otherwise
