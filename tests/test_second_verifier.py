"""Two verifiers by different authors, who share no code, agree on good, bad and one-bit-changed bags."""

import ast
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from evidence import bag_verifier
from evidence.export_plan import CopyOptions
from exam.clock import SECOND_US
from tests import second_verifier
from tests.evidence import test_bag_verifier as spoilers
from tests.evidence.bags import CAMERA, FIRST_US, Archive, open_archive, relist, resign, wish
from tests.soak.mutations import mutate

BITS = 60
LAYOUTS = 3000
TENTH_US = SECOND_US // 10
# Of two runs the first four files, and gaps, whose run is empty.
OWNERS = [(run, sequence) for run in ("a", "b") for sequence in range(4)] + [("", 0)] * 4


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    with open_archive(tmp_path_factory.mktemp("archive")) as opened:
        yield opened


@pytest.fixture(scope="module")
def made(archive: Archive) -> Path:
    return archive.export()[0].path


@pytest.fixture
def bag(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "bag"))


def both(archive: Archive, bag: Path) -> tuple[int, int]:
    fingerprint = archive.authority.fingerprint
    return bag_verifier.main([str(bag), "--fingerprint", fingerprint]), second_verifier.status(
        bag, fingerprint
    )


def test_the_second_verifier_shares_no_import_with_the_product() -> None:
    tree = ast.parse(Path(second_verifier.__file__).read_text(encoding="utf-8"))
    modules = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    modules |= {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    ours = {"exam", "evidence", "config", "recorder", "kiosk", "web", "rehearsal", "tests"}
    assert {module.split(".")[0] for module in modules} & ours == set()


def test_both_accept_good_bags_and_tell_incomplete_ones(archive: Archive, made: Path) -> None:
    assert both(archive, made) == (0, 0)
    assert (bag_verifier.main([str(made)]), second_verifier.status(made, None)) == (2, 2)
    assert second_verifier.status(made, "0" * 64) == 1
    late = wish(archive, FIRST_US, FIRST_US + 90 * SECOND_US, options=CopyOptions(with_play=False))
    assert both(archive, archive.export(late)[0].path) == (3, 3)
    half_us = FIRST_US + SECOND_US // 2
    only_gap = wish(archive, half_us + 16 * SECOND_US, half_us + 17 * SECOND_US, cameras=[CAMERA])
    assert both(archive, archive.export(only_gap)[0].path) == (0, 0)


@pytest.mark.parametrize("spoil", spoilers.SPOILING, ids=lambda spoil: spoil.__name__)
def test_both_refuse_what_an_attacker_changes(
    archive: Archive, bag: Path, spoil: Callable[[Path], None]
) -> None:
    spoil(bag)
    assert both(archive, bag) == (1, 1)


@pytest.mark.parametrize("cheat", spoilers.DISHONEST, ids=lambda cheat: cheat.__name__)
def test_both_refuse_what_the_ledger_does_not_say(
    archive: Archive, bag: Path, cheat: Callable[[Path], None]
) -> None:
    cheat(bag)
    resign(archive, bag)
    assert both(archive, bag) == (1, 1)


@pytest.mark.parametrize("lie", spoilers.LIES, ids=lambda lie: lie.__name__)
def test_both_refuse_a_statement_that_the_proofs_contradict(
    archive: Archive,
    bag: Path,
    lie: Callable[[dict], None],  # type: ignore[type-arg]
) -> None:
    spoilers.redeliver(bag, lie)
    resign(archive, bag)
    assert both(archive, bag) == (1, 1)


def test_both_find_the_same_time_unaccounted_in_whatever_overlaps() -> None:
    chance = random.Random(20261123)
    for _ in range(LAYOUTS):
        starts = [chance.randrange(40) * TENTH_US for _ in range(chance.randrange(7))]
        laid = [
            (start_us, start_us + chance.randrange(15) * TENTH_US, *chance.choice(OWNERS))
            for start_us in starts
        ]
        from_us = chance.randrange(30) * TENTH_US
        until_us = from_us + chance.randrange(1, 20) * TENTH_US
        first = bag_verifier.unaccounted(from_us, until_us, [bag_verifier.Span(*each) for each in laid])
        stretches = sorted(second_verifier.Stretch(*each) for each in laid)
        second = second_verifier.holes(stretches, from_us, until_us)
        assert [tuple(hole) for hole in first] == second, laid


def test_no_single_bit_can_change_unnoticed(archive: Archive, bag: Path) -> None:
    chance = random.Random(20261122)
    files = sorted(each for each in bag.rglob("*") if each.is_file())
    kept = {each: each.read_bytes() for each in (bag / "manifest-sha256.txt", bag / bag_verifier.SIGNED)}
    for turn in range(BITS):
        target = chance.choice(files)
        with mutate(target, chance) as where:
            if turn % 2 and target not in kept:
                relist(bag)
            answers = both(archive, bag)
        for path, content in kept.items():
            path.write_bytes(content)
        assert answers == (1, 1), where
    assert both(archive, bag) == (0, 0)
