"""One bit of a bag changed, thousands of times: no verifier may accept any of them with a key from outside.

`run.py soak mutations [--bits 10000]`: half of them with both manifests made anew, as an attacker would. The
first and the second verifier judge each; the shell's judges every hundredth (it takes a fifth of a second).
"""

import argparse
import contextlib
import io
import json
import random
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from evidence import bag_verifier
from tests import second_verifier
from tests.bench.bench_report import progress
from tests.evidence.bags import Archive, open_archive, relist

SHELL_EVERY = 100
# Not the copy in the bag: a bit of that one may be the one that is changed.
SHELL_VERIFIER = Path(bag_verifier.__file__).with_suffix(".sh")


@contextmanager
def mutate(path: Path, chance: random.Random, aimed: Sequence[int] | None = None) -> Iterator[str]:
    """One bit of the file, or of the bytes aimed at, turned while the context lasts; yields where."""
    before = path.read_bytes()
    at = 8 * chance.choice(aimed if aimed is not None else range(len(before))) + chance.randrange(8)
    after = bytearray(before)
    after[at // 8] ^= 1 << at % 8
    path.write_bytes(after)
    try:
        yield f"{path.name}, bit {at}"
    finally:
        path.write_bytes(before)


def _accepted(archive: Archive, bag: Path, turn: int) -> list[str]:
    fingerprint = archive.authority.fingerprint
    with contextlib.redirect_stdout(io.StringIO()):
        judged = {"first": bag_verifier.main([str(bag), "--fingerprint", fingerprint])}
    judged["second"] = second_verifier.status(bag, fingerprint)
    if turn % SHELL_EVERY < 2:
        words = ["sh", str(SHELL_VERIFIER), str(bag), "--fingerprint", fingerprint]
        judged["shell"] = subprocess.run(words, capture_output=True, check=False).returncode
    return [name for name, status in judged.items() if status != 1]


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="soak mutations")
    parser.add_argument("--bits", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args(words)
    chance = random.Random(asked.seed)
    accepted: list[str] = []
    with tempfile.TemporaryDirectory() as folder, open_archive(Path(folder)) as archive:
        bag = archive.export()[0].path
        files = sorted(each for each in bag.rglob("*") if each.is_file())
        lists = {each: each.read_bytes() for each in (bag / "manifest-sha256.txt", bag / bag_verifier.SIGNED)}
        for turn in range(asked.bits):
            target = chance.choice(files)
            with mutate(target, chance) as where:
                if turn % 2 and target not in lists:
                    relist(bag, weigh=False)
                accepted += [f"{name} accepted {where}" for name in _accepted(archive, bag, turn)]
            for path, content in lists.items():
                path.write_bytes(content)
            if turn % 500 == 499:
                progress(f"{turn + 1} of {asked.bits} bits, {len(accepted)} accepted")
        with contextlib.redirect_stdout(io.StringIO()):
            after = bag_verifier.main([str(bag), "--fingerprint", archive.authority.fingerprint])
    found = {"bits": asked.bits, "files": len(files), "accepted": accepted, "unchanged_bag": after}
    print(json.dumps(found, ensure_ascii=False, indent=1))
    return 1 if accepted or after else 0
