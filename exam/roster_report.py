"""What an import says to people: every fault with row, column and reason, or what changed.

Names are masked and document numbers never appear; ticket numbers do, as they are on door lists.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from exam.identity import masked_name
from exam.roster import Field, RowFault
from exam.roster_changes import Change, Changes, where

# A report is read by a person: after this many lines of one kind it says how many more there are.
SHOWN_LINES: Final = 200


@dataclass(frozen=True, slots=True)
class ImportReport:
    """The result of one import or dry run of a roster file."""

    file_name: str
    batch_code: str
    is_dry_run: bool
    rows_read: int
    # What the file calls each column.
    headings: Mapping[Field, str]
    # Columns of the file that mean nothing here.
    ignored: tuple[str, ...]
    faults: tuple[RowFault, ...] = ()
    warnings: tuple[RowFault, ...] = ()
    changes: Changes | None = None

    @property
    def is_refused(self) -> bool:
        """Whether there were faults: then nothing was changed."""
        return bool(self.faults)

    @property
    def is_unchanged(self) -> bool:
        """Whether everything was already as the file says."""
        changes = self.changes
        return changes is not None and not (changes.added or changes.changed or changes.removed)

    def place_of(self, fault: RowFault) -> str:
        """'第5行“准考证号”', as the person with the file in front of him finds it."""
        row = f"第{fault.row_no}行" if fault.row_no else ""
        column = f"“{self.headings.get(fault.field, fault.field)}”" if fault.field else ""
        return row + column or "文件"

    def to_text(self) -> str:
        """The whole report, line by line."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"花名册 {self.file_name}（批次 {self.batch_code}）：读取 {self.rows_read} 行"
        if self.ignored:
            yield f"未使用的列：{'、'.join(self.ignored)}"
        yield from self._fault_lines()
        if self.changes is not None and not self.is_refused:
            yield from _change_lines(self.changes, is_dry_run=self.is_dry_run)
        if self.warnings:
            yield f"请核对（不影响导入）：{len(self.warnings)} 处"
            yield from _shown(f"  {self.place_of(one)}：{one.reason}" for one in self.warnings)

    def _fault_lines(self) -> Iterator[str]:
        if self.is_refused:
            yield f"有 {len(self.faults)} 处错误，未作任何修改："
            yield from _shown(f"  {self.place_of(one)}：{one.reason}" for one in self.faults)


def _change_lines(changes: Changes, *, is_dry_run: bool) -> Iterator[str]:
    counts = (
        f"新增 {len(changes.added)}，修改 {len(changes.changed)}，"
        f"删除 {len(changes.removed)}，不变 {changes.unchanged}"
    )
    yield f"试运行，未作任何修改；若导入将{counts}" if is_dry_run else f"已导入：{counts}"
    yield from _shown(_changed_line(change) for change in changes.changed)
    yield from _shown(f"  删除 {removal.words}" for removal in changes.removed)
    # A first import adds everybody; a later one adds a few, and those are worth reading.
    if changes.changed or changes.removed or changes.unchanged:
        yield from _shown(_added_line(change) for change in changes.added)


def _changed_line(change: Change) -> str:
    row = change.entry.row
    differences = "；".join(change.differences)
    return f"  修改 第{row.row_no}行 {masked_name(row.name)}（{row.ticket_no}）：{differences}"


def _added_line(change: Change) -> str:
    row = change.entry.row
    return f"  新增 第{row.row_no}行 {masked_name(row.name)}（{row.ticket_no}） {where(change.entry)}"


def _shown(lines: Iterable[str]) -> Iterator[str]:
    every = list(lines)
    yield from every[:SHOWN_LINES]
    if len(every) > SHOWN_LINES:
        yield f"  …… 另有 {len(every) - SHOWN_LINES} 处"
