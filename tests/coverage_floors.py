"""Branch coverage floors per package, read from the test run's own measurement (`coverage` data files)."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# The rules and the memory are what a wrong exam or lost evidence would hang on: every branch is tested.
FLOORS = {
    "exam": 100.0,
    "evidence": 100.0,
    "config": 90.0,
    "recorder": 90.0,
    "kiosk": 90.0,
    "web": 90.0,
    "rehearsal": 90.0,
}


def measure() -> dict[str, tuple[int, int, list[str]]]:
    coverage = [sys.executable, "-m", "coverage"]
    subprocess.run([*coverage, "combine", "--quiet"], cwd=ROOT, check=False)
    report = subprocess.run(
        [*coverage, "json", "-q", "-o", "-"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    totals: dict[str, tuple[int, int, list[str]]] = {}
    for name, measured in json.loads(report.stdout)["files"].items():
        package = name.split("/")[0]
        summary = measured["summary"]
        wanted = summary["num_statements"] + summary["num_branches"]
        got = summary["covered_lines"] + summary["covered_branches"]
        so_far = totals.get(package, (0, 0, []))
        holes = [f"{name}: lines {measured['missing_lines']}, branches {measured['missing_branches']}"]
        totals[package] = (so_far[0] + got, so_far[1] + wanted, so_far[2] + (holes if got < wanted else []))
    return totals


def main() -> int:
    failed = False
    for package, (got, wanted, holes) in sorted(measure().items()):
        percent = 100.0 * got / wanted if wanted else 100.0
        floor = FLOORS[package]
        failed |= percent < floor
        print(f"coverage {package:10} {percent:6.2f} %  (floor {floor:.0f} %)")
        if percent < floor:
            print("\n".join(f"  {hole}" for hole in holes))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
