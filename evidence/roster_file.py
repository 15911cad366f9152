"""Reads a roster file as it is: XLSX or CSV, cells with their kind, rows with their number.

Decides nothing about the content; what it cannot read at all it says at once. Cells that hold
numbers keep that mark, because a spreadsheet keeps fifteen digits of an eighteen-digit number.
"""

import csv
import io
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Final

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from exam.roster import REQUIRED, Field, RawCell, RawRow, RosterColumns, RowFault, heading_key

MAX_BYTES: Final = 32 * 1024 * 1024
# A small archive can unpack to something that fills the memory.
MAX_UNPACKED_BYTES: Final = 256 * 1024 * 1024
MAX_ROWS: Final = 100_000
# Exports put titles above the headings; further down nobody looks for them.
HEADING_ROWS: Final = 15
OLD_EXCEL: Final = b"\xd0\xcf\x11\xe0"
# What the library raises when a workbook is cut, damaged or none at all: it trusts what it unpacks.
DAMAGED: Final = (
    zipfile.BadZipFile,
    zlib.error,
    InvalidFileException,
    AttributeError,
    EOFError,
    LookupError,
    NotImplementedError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
)
UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")


class RosterFileError(Exception):
    """The file cannot be read as a roster; `faults` says why."""

    def __init__(self, faults: Sequence[RowFault]) -> None:
        self.faults = tuple(faults)
        super().__init__("；".join(fault.reason for fault in faults))


@dataclass(frozen=True, slots=True)
class RosterTable:
    """The rows of a roster file below its headings."""

    rows: tuple[RawRow, ...]
    # What the file calls each column.
    headings: Mapping[Field, str]
    ignored: tuple[str, ...]
    # Digest of the file's bytes.
    sha256: bytes


def read_roster_file(path: Path, columns: RosterColumns) -> RosterTable:
    """The file's rows. Raises RosterFileError when it is no roster."""
    content = _read_bytes(path)
    numbered = list(islice(enumerate(_grid(content), 1), MAX_ROWS + 1))
    if len(numbered) > MAX_ROWS:
        raise _refused(f"超过{MAX_ROWS}行")
    heading_no, positions, ignored = _find_headings(numbered[:HEADING_ROWS], columns)
    headings = dict(numbered)[heading_no]
    rows = tuple(
        RawRow(row_no, {field: cells[at] for field, at in positions.items() if at < len(cells)})
        for row_no, cells in numbered
        if row_no > heading_no and any(cell.text.strip() for cell in cells)
    )
    if not rows:
        raise _refused("标题行下面没有考生")
    return RosterTable(
        rows=rows,
        headings={field: headings[at].text.strip() for field, at in positions.items()},
        ignored=ignored,
        sha256=sha256(content).digest(),
    )


def _refused(reason: str) -> RosterFileError:
    return RosterFileError([RowFault(None, None, reason)])


def _read_bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise _refused(f"文件 {path} 无法读取（{error.strerror}）") from error
    if len(content) > MAX_BYTES:
        raise _refused(f"文件超过{MAX_BYTES // 1024 // 1024}MB")
    return content


def _grid(content: bytes) -> Iterator[list[RawCell]]:
    if content.startswith(b"PK"):
        return _xlsx_grid(content)
    if content.startswith(OLD_EXCEL):
        raise _refused("是旧版 .xls 或加密的文件，请另存为不加密的 .xlsx")
    return _csv_grid(_decoded(content))


def _xlsx_grid(content: bytes) -> Iterator[list[RawCell]]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
        if unpacked > MAX_UNPACKED_BYTES:
            raise _refused("解压后过大")
        workbook = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        sheet = workbook.worksheets[0]
        sheet.reset_dimensions()  # some exports claim a wrong size
        rows = list(islice(sheet.iter_rows(values_only=True), MAX_ROWS + 1))
    except DAMAGED as error:
        raise _refused("不是完整的 .xlsx 文件") from error
    return ([_cell(value) for value in row] for row in rows)


def _cell(value: object) -> RawCell:
    match value:
        case None:
            return RawCell("")
        case bool() | datetime() | date() | time():
            return RawCell(str(value), is_number=True)
        case float() if value.is_integer():
            return RawCell(str(int(value)), is_number=True)
        case int() | float():
            return RawCell(str(value), is_number=True)
        case _:
            return RawCell(_unquoted(str(value)))


def _decoded(content: bytes) -> str:
    encodings = ["utf-16"] if content.startswith(UTF_16) else ["utf-8-sig", "gb18030"]
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise _refused("文字编码无法识别，请存为 UTF-8 或 GB18030（GBK）编码的 CSV，或 .xlsx")


def _csv_grid(text: str) -> Iterator[list[RawCell]]:
    head = "\n".join(text.splitlines()[:HEADING_ROWS])
    delimiter = max(",\t;", key=head.count)
    try:
        records = list(islice(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), MAX_ROWS + 1))
    except csv.Error as error:
        raise _refused(f"不是有效的 CSV 文件（{error}）") from error
    return ([RawCell(_unquoted(value)) for value in record] for record in records)


def _unquoted(value: str) -> str:
    """Undo what people do to keep spreadsheets from touching a number: '123 and ="123"."""
    text = value.strip()
    if text.startswith('="') and text.endswith('"'):
        return text[2:-1]
    return text.removeprefix("'")


def _find_headings(
    rows: Iterable[tuple[int, Sequence[RawCell]]], columns: RosterColumns
) -> tuple[int, dict[Field, int], tuple[str, ...]]:
    """The heading row's number, the position of each column, and the headings that mean nothing."""
    for row_no, cells in rows:
        named = [(columns.headings.get(heading_key(cell.text)), at) for at, cell in enumerate(cells)]
        known = [(field, at) for field, at in named if field is not None]
        if {Field.NAME, Field.TICKET_NO} <= {field for field, _ in known}:
            _refuse_bad_headings(row_no, [field for field, _ in known], columns)
            ignored = [cells[at].text.strip() for field, at in named if field is None]
            return row_no, dict(known), tuple(words for words in ignored if words)
    words = "”“".join(columns.field_words[field] for field in REQUIRED)
    raise _refused(f"前{HEADING_ROWS}行中找不到标题行，需要有“{words}”各列")


def _refuse_bad_headings(row_no: int, fields: Sequence[Field], columns: RosterColumns) -> None:
    faults = [
        RowFault(row_no, None, f"缺少“{columns.field_words[field]}”列")
        for field in REQUIRED
        if field not in fields
    ]
    faults += [
        RowFault(row_no, None, f"“{columns.field_words[field]}”列出现了{fields.count(field)}次")
        for field in Field
        if fields.count(field) > 1
    ]
    if faults:
        raise RosterFileError(faults)
