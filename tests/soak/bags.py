"""A hundred exported clips, verified where there is no network and none of our code.

`run.py soak bags [--clips 100] [--leaves 500000]`: each bag is checked by `verify.sh`, by `sha256sum -c` and
`openssl pkeyutl` alone, and by bagit.py, all inside an empty network namespace (`unshare -n`). The ledger is
made as long as that of years, so that proofs have their real size.
"""

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median, quantiles

from evidence.ledger import LeafKind, append
from exam.clock import SECOND_US, SystemClock
from tests.bench.bench_report import progress
from tests.evidence.bags import CAMERA, CAMERA_2, FIRST_US, LENGTH_US, Archive, open_archive, wish

BAGIT = Path(sys.executable).with_name("bagit.py")
BATCH = 20_000
OVERHEAD_LIMIT_BYTES = 16 * 1024


def in_empty_namespace(words: list[str], folder: Path) -> bool:
    """Whether the command ends well with no network at all and nothing of ours on its path."""
    path = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
    command = ["unshare", "-n", *words]
    return subprocess.run(command, cwd=folder, env=path, capture_output=True, check=False).returncode == 0


def lengthen(archive: Archive, leaves: int) -> None:
    """Other facts in the ledger, as many as asked for."""
    for first in range(0, leaves, BATCH):
        with archive.footage.database.write() as connection:
            for number in range(first, min(first + BATCH, leaves)):
                append(connection, LeafKind.CLOCK_STEP, {"clock_step_id": number}, FIRST_US)
        progress(f"{min(first + BATCH, leaves)} of {leaves} leaves")
    archive.sign()


def plain_tools(bag: Path) -> bool:
    """What a person types who trusts no script."""
    openssl = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "proof/key.pem", "-rawin"]
    signed = [
        ("tagmanifest-sha256.txt", "tagmanifest-sha256.txt.sig"),
        ("proof/checkpoint.txt", "proof/checkpoint.sig"),
    ]
    lists = [["sha256sum", "-c", name] for name in ("manifest-sha256.txt", "tagmanifest-sha256.txt")]
    signatures = [[*openssl, "-in", text, "-sigfile", signature] for text, signature in signed]
    return all(in_empty_namespace(words, bag) for words in [*lists, *signatures])


def proof_bytes_per_segment(bag: Path) -> float:
    """Everything in the proof folder, shared by the originals."""
    proofs = sum(each.stat().st_size for each in bag.glob("proof/**/*") if each.is_file())
    return proofs / len(list(bag.glob("data/camera-*/*")))


def computed_s() -> float:
    """Seconds that all finished commands have computed: waiting for a busy machine is not counted."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _parsed(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="soak bags")
    parser.add_argument("--clips", type=int, default=100)
    parser.add_argument("--leaves", type=int, default=500_000)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args(words)


def main(words: list[str]) -> int:
    asked = _parsed(words)
    chance, clock = random.Random(asked.seed), SystemClock()
    good, seconds, overheads = {"verify.sh": 0, "verify.py": 0, "plain tools": 0, "bagit.py": 0}, [], []
    computing: list[float] = []
    with tempfile.TemporaryDirectory() as folder, open_archive(Path(folder)) as archive:
        lengthen(archive, asked.leaves)
        fingerprint = archive.authority.fingerprint
        for number in range(asked.clips):
            from_us = FIRST_US + chance.randrange(6 * LENGTH_US)
            until_us = from_us + chance.randrange(SECOND_US, 8 * SECOND_US)
            cameras = chance.choice([[CAMERA], [CAMERA_2], [CAMERA, CAMERA_2]])
            (made,) = archive.export(wish(archive, from_us, until_us, cameras=cameras))
            bag = made.path
            computed = computed_s()
            began_us = clock.monotonic_us()
            good["verify.sh"] += in_empty_namespace(["sh", "verify.sh", "--fingerprint", fingerprint], bag)
            seconds.append((clock.monotonic_us() - began_us) / SECOND_US)
            computing.append(computed_s() - computed)
            own = ["python3", "-I", "-S", "verify.py", "--fingerprint", fingerprint]
            good["verify.py"] += in_empty_namespace(own, bag)
            good["plain tools"] += plain_tools(bag)
            good["bagit.py"] += in_empty_namespace([sys.executable, str(BAGIT), "--validate", str(bag)], bag)
            overheads.append(proof_bytes_per_segment(bag))
            if number % 10 == 9:
                progress(f"{number + 1} of {asked.clips} clips: {good}")
    found = {
        "clips": asked.clips,
        "leaves": asked.leaves,
        "accepted": good,
        "verify_sh_seconds": {
            "median": round(median(seconds), 3),
            "p95": round(quantiles(seconds, n=20)[-1], 3),
        },
        "verify_sh_computing_median": round(median(computing), 3),
        "proof_bytes_per_segment_max": round(max(overheads)),
    }
    print(json.dumps(found, ensure_ascii=False, indent=1))
    is_good = set(good.values()) == {asked.clips} and max(overheads) <= OVERHEAD_LIMIT_BYTES
    return 0 if is_good else 1
