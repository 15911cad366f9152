"""The due list (到期清单): what may go, what stays and every reason, from the rows of both databases.

For people, and for freezing a plan. Whether a file really goes is asked again by `evidence.disposal_permit`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from sqlite3 import Connection, Row
from typing import Final

from evidence.disposal_plans import PlannedFile
from evidence.holds import keeping, load_holds
from evidence.retention import load_terms
from exam.clock import MINUTE_US, site_time
from exam.retention import Clip, Finding, Hold, KeepReason, Reach, Term, days_of, judge

# Files of one camera in one hour are judged together: five years are hundreds of thousands of files.
TOGETHER_US: Final = 60 * MINUTE_US


@dataclass(frozen=True, slots=True)
class DueGroup:
    """Footage with the same fate. `quarter` is that of the end of its period: '2032 Q1'; '' for never."""

    quarter: str
    retain_until_us: int | None
    batch_ids: tuple[int, ...]
    reasons: tuple[KeepReason, ...]
    files: int
    size_bytes: int
    from_us: int
    until_us: int

    @property
    def is_due(self) -> bool:
        """Whether nothing keeps it."""
        return not self.reasons


@dataclass(slots=True)
class Outlook:
    """Terms and holds of the site, looked up by day and camera, to judge many files."""

    terms: list[Term]
    holds: list[Hold]
    now_us: int
    _by_day: dict[date, list[Term]] = field(default_factory=dict)
    _narrowed: dict[tuple[date, str], list[Term]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for term in self.terms:
            touched = {day for reach in term.reaches for day in days_of(reach)}
            for day in term.days | touched:
                self._by_day.setdefault(day, []).append(term)

    def finding(self, reach: Reach, faults: Iterable[KeepReason] = ()) -> Finding:
        """What becomes of footage of this stretch."""
        relevant = {
            term.batch_id: term
            for day in sorted(days_of(reach))
            for term in self._terms(day, reach.camera_uuid)
        }
        return judge(Clip(reach, frozenset(faults)), relevant.values(), self.holds, self.now_us)

    def _terms(self, day: date, camera_uuid: str) -> list[Term]:
        key = (day, camera_uuid)
        if key not in self._narrowed:
            self._narrowed[key] = [_narrowed(term, camera_uuid) for term in self._by_day.get(day, [])]
        return self._narrowed[key]


def outlook(exam: Connection, years: int, now_us: int) -> Outlook:
    """Everything that exam.db says about keeping footage."""
    return Outlook(load_terms(exam, years), keeping(load_holds(exam)), now_us)


def due_list(footage: Connection, view: Outlook) -> list[DueGroup]:
    """All footage that is not disposed of, by its fate: what is due first, then by date, never last."""
    groups: dict[tuple[object, ...], DueGroup] = {}
    rows = footage.execute(
        "select camera_uuid, min(started_at_us) as from_us, max(ended_at_us) as until_us, count(*) as files,"
        " sum(size_bytes) as size_bytes from segment"
        " where id not in (select segment_id from disposal)"
        " group by camera_uuid, started_at_us / ? order by from_us",
        (TOGETHER_US,),
    )
    for row in rows:
        finding = view.finding(Reach(row["camera_uuid"], row["from_us"], row["until_us"]))
        key = (finding.retain_until_us, finding.batch_ids, finding.reasons)
        groups[key] = _grown(groups.get(key), finding, row)
    return sorted(groups.values(), key=_order)


def due_files(footage: Connection, view: Outlook, batch_id: int) -> list[PlannedFile]:
    """The files of a batch that nothing keeps, oldest first, each looked at on its disk."""
    return [
        _planned(row, finding)
        for row in _of_batch(footage, view.terms, batch_id)
        for finding in [view.finding(_reach(row), _faults(row))]
        if finding.is_due and batch_id in finding.batch_ids
    ]


def _of_batch(footage: Connection, terms: Iterable[Term], batch_id: int) -> Iterator[Row]:
    days = sorted(day for term in terms if term.batch_id == batch_id for day in _days(term))
    if not days:
        return
    # The site's day begins eight hours before Greenwich's; a day to each side is more than enough.
    day_us = 24 * 60 * MINUTE_US
    epoch = date(1970, 1, 1)
    from_us = ((days[0] - epoch).days - 1) * day_us
    until_us = ((days[-1] - epoch).days + 2) * day_us
    yield from footage.execute(
        "select segment.*, volume.path as volume_path from segment join volume on volume.id = volume_id"
        " where started_at_us between ? and ? and segment.id not in (select segment_id from disposal)"
        " order by started_at_us, segment.id",
        (from_us, until_us),
    )


def _days(term: Term) -> frozenset[date]:
    return term.days.union(*(days_of(reach) for reach in term.reaches))


def _faults(row: Row) -> list[KeepReason]:
    try:
        is_whole = (Path(row["volume_path"]) / row["path"]).stat().st_size == row["size_bytes"]
    except OSError:
        is_whole = False
    return [] if is_whole else [KeepReason.DAMAGED]


def _planned(row: Row, finding: Finding) -> PlannedFile:
    return PlannedFile(
        segment_id=row["id"],
        camera_uuid=row["camera_uuid"],
        path=row["path"],
        started_at_us=row["started_at_us"],
        ended_at_us=row["ended_at_us"],
        size_bytes=row["size_bytes"],
        sha256=row["sha256"].hex(),
        retain_until_us=finding.retain_until_us or 0,
    )


def _reach(row: Row) -> Reach:
    return Reach(row["camera_uuid"], row["started_at_us"], row["ended_at_us"])


def _narrowed(term: Term, camera_uuid: str) -> Term:
    reaches = tuple(reach for reach in term.reaches if reach.camera_uuid == camera_uuid)
    return Term(term.batch_id, reaches, term.days, term.closed_at_us, term.years)


def _grown(group: DueGroup | None, finding: Finding, row: Row) -> DueGroup:
    files, size_bytes = row["files"], row["size_bytes"]
    from_us, until_us = row["from_us"], row["until_us"]
    if group is not None:
        files, size_bytes = files + group.files, size_bytes + group.size_bytes
        from_us, until_us = min(from_us, group.from_us), max(until_us, group.until_us)
    return DueGroup(
        _quarter(finding.retain_until_us),
        finding.retain_until_us,
        finding.batch_ids,
        finding.reasons,
        files,
        size_bytes,
        from_us,
        until_us,
    )


def _quarter(moment_us: int | None) -> str:
    if moment_us is None:
        return ""
    moment = site_time(moment_us)
    return f"{moment.year} Q{(moment.month + 2) // 3}"


def _order(group: DueGroup) -> tuple[bool, bool, int, int]:
    return not group.is_due, group.retain_until_us is None, group.retain_until_us or 0, group.from_us
