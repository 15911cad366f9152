"""The one shape in which every benchmark reports: a JSON object with rows, and progress on stderr."""

import json
import os
import platform
import sqlite3
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import quantiles


@dataclass(frozen=True, slots=True)
class Row:
    """One figure; `ratio` is ours divided by the baseline, None where nothing compares."""

    metric: str
    value: float
    unit: str
    n: int
    baseline: float | None = None
    baseline_name: str | None = None
    ratio: float | None = None


def percentile(values: Sequence[float], at: int) -> float:
    return round(quantiles(values, n=100, method="inclusive")[at - 1], 2)


def machine() -> dict[str, object]:
    """What the figures were measured on."""
    return {
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
    }


def progress(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def print_report(bench: str, rows: Sequence[Row]) -> None:
    """Print the JSON object."""
    report = {"bench": bench, "machine": machine(), "rows": [asdict(row) for row in rows]}
    print(json.dumps(report, ensure_ascii=False, indent=1))
